"""The questions of a model: which examples teach each, and what their answers are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from models.corpus import Example, ExampleKind
from nlp.taxonomy import Taxonomy
from nlp.types import Intent, Sentiment, Tone


@dataclass(frozen=True, slots=True)
class Question:
    """One head before it is trained.

    `kinds` of examples take part; `answers` gives the labels of an example, the main one first (empty for
    none of them). `multi`: labels are independent; otherwise one holds, seldom two.
    """

    name: str
    labels: tuple[str, ...]
    multi: bool
    kinds: tuple[ExampleKind, ...]
    answers: Callable[[Example], tuple[str, ...]]

    @property
    def facet(self) -> str:
        """The facet it asks about: task areas have a head for each kind of text."""
        return self.name.removesuffix("_official").removesuffix("_opinion")

    def select(self, examples: Sequence[Example]) -> list[Example]:
        """The examples that take part: of its kinds, and labelled for its facet."""
        return [
            example
            for example in examples
            if example.kind in self.kinds
            and (example.facets is None or self.facet in example.facets)
        ]

    def targets(self, examples: Sequence[Example]) -> npt.NDArray[np.bool_]:
        """Gold labels, bool, shape (n_examples, n_labels)."""
        at = {label: i for i, label in enumerate(self.labels)}
        gold = np.zeros((len(examples), len(self.labels)), dtype=bool)
        for row, example in enumerate(examples):
            for label in self.answers(example):
                gold[row, at[label]] = True
        return gold

    def main(self, examples: Sequence[Example]) -> npt.NDArray[np.int64]:
        """The column of each example's main label; every example has one."""
        return np.array([self.labels.index(self.answers(example)[0]) for example in examples])


def questions_of(taxonomy: Taxonomy) -> tuple[Question, ...]:
    """The heads of a model for a pack.

    Texts of kind `other` teach that nothing holds: they are "none" for task areas and the reject code for
    civic fields.
    """
    areas, fields = taxonomy.facets["task_area"], taxonomy.facets["civic_field"]
    reject = (fields.reject_code,) if fields.reject_code else ()
    return (
        Question(
            "text_kind",
            get_args(ExampleKind),
            multi=False,
            kinds=get_args(ExampleKind),
            answers=lambda example: (example.kind,),
        ),
        Question(
            "task_area_official",
            areas.leaves("official"),
            multi=True,
            kinds=("official", "other"),
            answers=lambda example: example.task_area,
        ),
        Question(
            "tone",
            get_args(Tone),
            multi=False,
            kinds=("official",),
            answers=lambda example: (str(example.tone),),
        ),
        Question(
            "civic_field",
            fields.leaves("opinion"),
            multi=False,
            kinds=("opinion", "other"),
            answers=lambda example: example.civic_field or reject,
        ),
        Question(
            "task_area_opinion",
            areas.leaves("opinion"),
            multi=True,
            kinds=("opinion", "other"),
            answers=lambda example: example.task_area,
        ),
        Question(
            "sentiment",
            get_args(Sentiment),
            multi=False,
            kinds=("opinion",),
            answers=lambda example: (str(example.sentiment),),
        ),
        Question(
            "intent",
            get_args(Intent),
            multi=False,
            kinds=("opinion",),
            answers=lambda example: (str(example.intent),),
        ),
    )

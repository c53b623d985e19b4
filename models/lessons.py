"""Labelled texts as a network learns them: one row a text, and for each head what it teaches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.calibration import BoolArray
from models.corpus import Example
from models.heads import Question
from models.recipe import Recipe
from nlp.errors import CorpusError
from nlp.protocols import FloatArray


@dataclass(frozen=True, slots=True)
class Lessons:
    """Texts and what they teach: for each head gold labels and weights (0: nothing), one row a text."""

    texts: tuple[str, ...]
    contexts: tuple[str, ...]
    gold: Mapping[str, BoolArray]
    weights: Mapping[str, FloatArray]


def lessons_of(
    examples: Sequence[Example],
    *,
    questions: Sequence[Question],
    terms: Mapping[str, Sequence[Example]],
    recipe: Recipe,
) -> Lessons:
    """Examples, and for single heads the terms of the lexicon, as lessons.

    Raises:
        CorpusError: a head has no example.
    """
    every = [*examples, *(term for own in terms.values() for term in own)]
    borders = np.cumsum([len(examples), *(len(own) for own in terms.values())])
    slots = {name: slice(*borders[i : i + 2]) for i, name in enumerate(terms)}
    gold, weights = {}, {}
    for question in questions:
        weight = np.zeros(len(every), dtype=np.float32)
        particular = recipe.head(question.name)
        for row, example in enumerate(examples):
            if question.select([example]):
                weight[row] = particular.plain if example.plain else particular.other
        if not weight.any():
            raise CorpusError(f"no example for the head {question.name}")
        if question.name in slots:
            weight[slots[question.name]] = recipe.lexicon_weight
        own = np.zeros((len(every), len(question.labels)), dtype=bool)
        rows = np.flatnonzero(weight)
        own[rows] = question.targets([every[row] for row in rows.tolist()])
        gold[question.name] = own
        weights[question.name] = weight
    texts, contexts = tuple(e.text for e in every), tuple(e.context for e in every)
    return Lessons(texts, contexts, gold, weights)

"""How far two blind readings of the same texts agree."""

from collections.abc import Mapping, Sequence
from typing import Any

import krippendorff
import numpy as np
import numpy.typing as npt

from models.corpus import Example
from models.heads import Question, questions_of
from nlp.taxonomy import Taxonomy

Answers = frozenset[str]


def agreement(
    first: Sequence[Example], second: Mapping[str, Example], *, taxonomy: Taxonomy
) -> dict[str, dict[str, Any]]:
    """Agreement of each head over the texts that have both labels; `second` maps SHA-256 to examples.

    Returns:
        JSON values: head name to `n`, `same` (share of equal answers) and Krippendorff's `alpha`.
    """
    pairs = [(one, second[one.sha256]) for one in first if one.sha256 in second]
    report = {}
    for question in questions_of(taxonomy):
        if question.name == "text_kind":  # nobody was asked
            continue
        asked = [(a, b) for a, b in pairs if {a.kind, b.kind} <= set(question.kinds)]
        if asked:
            ones, others = zip(
                *((answer(question, a), answer(question, b)) for a, b in asked), strict=True
            )
            report[question.name] = {
                "n": len(asked),
                "same": round(
                    float(np.mean([a == b for a, b in zip(ones, others, strict=True)])), 3
                ),
                "alpha": round(alpha(ones, others), 3),
            }
    return report


def is_clear(question: Question, one: Example, other: Example) -> bool:
    """Whether two readings gave the same answer: all labels, or the main one where only one may hold."""
    if question.multi:
        return answer(question, one) == answer(question, other)
    return question.answers(one)[:1] == question.answers(other)[:1]


def answer(question: Question, example: Example) -> Answers:
    """The labels of an example, without order."""
    return frozenset(question.answers(example))


def alpha(first: Sequence[Answers], second: Sequence[Answers]) -> float:
    """Krippendorff's alpha of two readings, at most 1; 1.0 where all answers are the same one.

    Sets of labels are compared by MASI (Passonneau 2006), which is 0 or 1 for single labels.
    """
    values = sorted({*first, *second}, key=sorted)
    if len(values) < 2:
        return 1.0
    at = {value: i for i, value in enumerate(values)}
    distances = np.array([[masi_distance(a, b) for b in values] for a in values])

    def metric(_1: Any, _2: Any, *, i1: Any, i2: Any, **_: Any) -> npt.NDArray[np.float64]:
        return np.asarray(distances[i1, i2])

    data = [[at[value] for value in first], [at[value] for value in second]]
    return float(
        krippendorff.alpha(
            reliability_data=data,
            value_domain=list(range(len(values))),
            level_of_measurement=metric,  # type: ignore[arg-type] # it is called with these names alone
        )
    )


def masi_distance(one: Answers, other: Answers) -> float:
    """1 - Jaccard × monotonicity (1 equal, 2/3 one within the other, 1/3 overlapping, 0 apart)."""
    if one == other:
        return 0.0
    common = one & other
    if not common:
        return 1.0
    monotonicity = 2 / 3 if common in {one, other} else 1 / 3
    return 1 - len(common) / len(one | other) * monotonicity

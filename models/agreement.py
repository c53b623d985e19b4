"""How far blind readings of the same texts agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import krippendorff
import numpy as np
import numpy.typing as npt

from models.corpus import Example
from models.heads import Question, questions_of
from nlp.taxonomy import Taxonomy

Answers = frozenset[str]
_ROUNDS = 1000


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
    return _Readings.of(list(zip(first, second, strict=True))).alpha()


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far readers agree over `n` texts: `same` is the share of equal pairs of answers of a text.

    `alpha` is Krippendorff's, between `low` and `high` in 95 of 100 such samples.
    """

    n: int
    same: float
    alpha: float
    low: float
    high: float


def reliability(units: Sequence[Sequence[Answers]], *, seed: int = 0) -> Reliability:
    """Agreement over texts with two or more answers each, by whomever; there must be at least one.

    Source: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability; Zapf et al. 2016 (percentiles of
    alpha over texts drawn anew with replacement).
    """
    readings = _Readings.of(units)
    drawn = np.percentile(readings.drawn_alphas(np.random.default_rng(seed)), [2.5, 97.5])
    low, high = (round(float(value), 3) for value in drawn)
    return Reliability(len(units), round(readings.same(), 3), round(readings.alpha(), 3), low, high)


@dataclass(frozen=True, slots=True)
class _Readings:
    """How often each answer was given to each text, shape (n_texts, n_values), and how far values differ."""

    counts: npt.NDArray[np.int64]
    distances: npt.NDArray[np.float64]

    @classmethod
    def of(cls, units: Sequence[Sequence[Answers]]) -> "_Readings":
        values = sorted({value for unit in units for value in unit}, key=sorted)
        at = {value: i for i, value in enumerate(values)}
        counts = np.zeros((len(units), len(values)), dtype=np.int64)
        for row, unit in enumerate(units):
            for value in unit:
                counts[row, at[value]] += 1
        return cls(counts, np.array([[masi_distance(a, b) for b in values] for a in values]))

    def alpha(self) -> float:
        if len(self.distances) < 2:
            return 1.0

        def metric(_1: Any, _2: Any, *, i1: Any, i2: Any, **_: Any) -> npt.NDArray[np.float64]:
            return np.asarray(self.distances[i1, i2])

        return float(
            krippendorff.alpha(
                value_counts=self.counts,
                level_of_measurement=metric,  # type: ignore[arg-type] # it is called with these names alone
            )
        )

    def same(self) -> float:
        """The mean share of equal pairs of answers of a text."""
        sizes = self.counts.sum(axis=1)
        equal = (self.counts * (self.counts - 1)).sum(axis=1)
        return float(np.mean(equal / (sizes * (sizes - 1))))

    def drawn_alphas(self, random: np.random.Generator) -> npt.NDArray[np.float64]:
        """Alpha over texts drawn with replacement, shape (n_rounds,); 1 where all answers are one."""
        sizes = self.counts.sum(axis=1)
        apart = ((self.counts @ self.distances) * self.counts).sum(axis=1) / (sizes - 1)
        alphas = []
        for _ in range(_ROUNDS):
            drawn = random.integers(len(sizes), size=len(sizes))
            totals = self.counts[drawn].sum(axis=0)
            n = totals.sum()
            expected = totals @ self.distances @ totals / (n - 1)
            alphas.append(1 - apart[drawn].sum() / expected if expected else 1.0)
        return np.array(alphas)


def masi_distance(one: Answers, other: Answers) -> float:
    """1 - Jaccard × monotonicity (1 equal, 2/3 one within the other, 1/3 overlapping, 0 apart)."""
    if one == other:
        return 0.0
    common = one & other
    if not common:
        return 1.0
    monotonicity = 2 / 3 if common in {one, other} else 1 / 3
    return 1 - len(common) / len(one | other) * monotonicity

"""How many there would be were the model never wrong: counts of answers, put right by its confusions.

A model that takes one field in ten for another, or abstains, shows too few of the one and too many of the
other. Which counts of true labels make the counts of answers likeliest, given how each label is answered, is
found by expectation maximisation. What cannot be known is drawn again and again and gives the interval: rates
of errors from their Dirichlet posterior, counts of answers from what their rounding leaves open and from the
multinomial of chance.

Source: Saerens, Latinne & Decaestecker 2002 (Neural Computation 14): EM for class priors; Hopkins & King 2010
(AJPS 54): shares through the matrix of misclassification; Forman 2008 (DMKD 17): counting adjusted for error.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.reference import Confusion
from service.monitor.suppression import behind

_N_DRAWS = 200
_N_STEPS = 200
_CLOSE = 1e-5  # no share moves by more: the steps end
_MIN_TEXTS = 100  # a matrix from fewer says nothing
_PRIOR = 10.0  # texts that every row has besides its own, answered as all rows are together
_SEED = 20_022_010
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answers:
    """Disclosed counts of each answer in one period, in the order of the confusion, and of all texts."""

    told: tuple[int | None, ...]
    whole: int | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A count of true labels with its interval of 95 %."""

    count: float
    low: float
    high: float


def correct(
    periods: Sequence[Answers], confusion: Confusion, *, groups: Sequence[Sequence[str]], k: int
) -> list[list[Estimate] | None]:
    """For each period the true count of each group of labels; None where nothing can be said.

    The same figures give the same answer. Labels that the confusion does not know are passed over.
    """
    counts = np.array(confusion.counts, dtype=np.float64)
    usable = [i for i, period in enumerate(periods) if period.whole is not None]
    found: list[list[Estimate] | None] = [None] * len(periods)
    if counts.sum() < _MIN_TEXTS or not usable:
        return found
    random = np.random.default_rng(_SEED)
    bounds = np.array([_bounds(periods[i], k=k) for i in usable])
    members = np.array([[label in group for group in groups] for label in confusion.labels])
    [point] = _solve(bounds.mean(axis=2)[None], _rates(counts, random=None)[None]) @ members
    drawn = _solve(_draw(bounds, random=random), _rates(counts, random=random)) @ members
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    for row, i in enumerate(usable):
        # of what is skewed the quantiles may leave the likeliest count out
        ends = (point[row], np.minimum(low[row], point[row]), np.maximum(high[row], point[row]))
        found[i] = [Estimate(*three) for three in zip(*(end.tolist() for end in ends), strict=True)]
    return found


def _bounds(period: Answers, *, k: int) -> _Floats:
    """The least and the most of each answer, float64, shape (n_answers, 2).

    What is not told shares what the others leave of the whole.
    """
    hidden = [told is None for told in period.told]
    rest = max((period.whole or 0) - sum(told or 0 for told in period.told), 0)
    each = min(rest / max(sum(hidden), 1), (k - 1) / 2)
    spans = [(0.0, 2 * each) if told is None else _around(told, k=k) for told in period.told]
    return np.array(spans)


def _around(told: int, *, k: int) -> tuple[float, float]:
    least, most = behind(told, k=k)
    return float(least), float(most)


def _draw(bounds: _Floats, *, random: np.random.Generator) -> _Floats:
    """Counts of answers as they might have been, float64, shape (n_draws, n_periods, n_answers)."""
    low, high = bounds[..., 0], bounds[..., 1]
    counts = low + (high - low) * random.random((_N_DRAWS, *low.shape))
    wholes = counts.sum(axis=-1)
    drawn = random.multinomial(wholes.round().astype(int), counts / wholes[..., None])
    return drawn.astype(np.float64)


def _rates(counts: _Floats, *, random: np.random.Generator | None) -> _Floats:
    """How often each label (rows) is answered as what (columns); of draws where `random` is given.

    A row of few texts leans on how all labels together are answered.
    """
    if random is None:
        return _smoothed(counts, _typical(counts))
    typical = _typical(counts)
    # gamma variates over their sum are a draw of the Dirichlet distribution
    drawn = random.standard_gamma(counts + _PRIOR * typical, size=(_N_DRAWS, *counts.shape))
    rates: _Floats = drawn / drawn.sum(axis=-1, keepdims=True)
    return rates


def _smoothed(counts: _Floats, typical: _Floats) -> _Floats:
    rates: _Floats = (counts + _PRIOR * typical) / (counts.sum(axis=-1, keepdims=True) + _PRIOR)
    return rates


def _typical(counts: _Floats) -> _Floats:
    """The row of a label of which nothing is known: right as often as all, else wrong as all."""
    n_labels, n_answers = counts.shape
    right = np.eye(n_labels, n_answers)
    share_right = (counts * right).sum() / counts.sum()
    wrong = (counts * (1 - right)).sum(axis=0) + 1e-9
    typical: _Floats = share_right * right + (1 - share_right) * wrong / wrong.sum()
    return typical


def _solve(seen: _Floats, rates: _Floats) -> _Floats:
    """The likeliest counts of labels, float64, shape (n_draws, n_periods, n_labels).

    Args:
        seen: counts of answers, float64, shape (n_draws, n_periods, n_answers).
        rates: of answers given labels, float64, shape (n_draws, n_labels, n_answers).
    """
    totals = seen.sum(axis=-1, keepdims=True)
    seen = seen / np.maximum(totals, 1.0)
    shares = np.full((*seen.shape[:2], rates.shape[1]), 1 / rates.shape[1])
    back = rates.swapaxes(-1, -2)
    for _ in range(_N_STEPS):
        moved = shares * ((seen / np.maximum(shares @ rates, 1e-12)) @ back)
        moved /= np.maximum(moved.sum(axis=-1, keepdims=True), 1e-12)
        if np.abs(moved - shares).max() < _CLOSE:
            break
        shares = moved
    counts: _Floats = moved * totals
    return counts

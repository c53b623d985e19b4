"""Whether a daily count has risen, against its own last twelve weeks.

The baseline of a day are the 84 days that end a week before it: the week between is a guard, so that a slow
rise does not raise what it is measured against. A log-linear model with weekdays and a trend is fitted to it;
days far from the fit, past outbreaks and holidays alike, are weighted down. It foretells two counts: that of
the day, and that of the last seven days, which a slow rise shows in first.

- Each foretold count is negative binomial: its variance is the dispersion times the mean, and what the fit
  does not know of the mean beside it. Of the week it is wider where days of the baseline hang together.
- That the dispersion is estimated makes the tails heavier: the probability goes through Student's t.
- Weekdays and trend have priors, so that a series of two a day is no slave to its noise.

How often this calls a quiet series a rise is measured, not derived: `python -m tests.benchmarks.alarms`.

Source: Farrington et al. 1996 (JRSS A 159), the baseline, the weights and the dispersion; Noufaily et al.
2013 (Statistics in Medicine 32), the negative binomial, the trend and weights that spare ordinary days.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.special import betainc, ndtri, stdtr

WEEK = 7
BASELINE_DAYS = 12 * WEEK
MIN_DAYS = 8 * WEEK  # of the baseline that must be known
LOOKBACK = BASELINE_DAYS + WEEK - 1  # days before the one that is tested
DAYS_A_YEAR = 365.25
# Of what is allowed to a series, for its day and its week. Together they are more than all of it, as weeks
# overlap: what is high by chance is so for days, and one alarm. The benchmark shows that it holds.
SHARES = (0.7, 1.0)
_STEPS = 8
_BATCH = 4096  # windows at a time: some megabytes
_ORDINARY = 2.58  # standard deviations; Noufaily et al. 2013, section 3.3
# four fifths of the days are taken for ordinary; below this lie as many of chi-square's squares
_INNER, _INNER_CHI2 = 0.8, 1.642
_PRIOR_SD = (1.0, 0.1, *(0.5,) * WEEK)  # of log mean, trend over 42 days, weekdays
_OF_WEEKS = 0.25  # of the degrees of freedom that days have, by the same benchmark
_LEAST_FREEDOM = 6.0

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What each count is against what was foretold: float64, shape (n_series, n_days_tested).

    `p_day` and `p_week` are the probabilities of so much or more, 1 where too little is known; `day` and
    `week` what was to be expected.
    """

    p_day: Floats
    p_week: Floats
    day: Floats
    week: Floats

    def shares(self, level: float | Floats) -> Floats:
        """How much of its level each test takes up, shape (2, n_series, n_days_tested): below 1 is a rise.

        Args:
            level: of the tests of one series on one day, or of each day.
        """
        return np.stack([self.p_day / (SHARES[0] * level), self.p_week / (SHARES[1] * level)])


def level_of(alarms_per_year: float, n_series: Counts) -> Floats:
    """The level of a test of one series on one day, so that all raise so many false alarms a year."""
    level: Floats = alarms_per_year / (DAYS_A_YEAR * np.maximum(n_series, 1))
    return level


def look(counts: Counts, *, start: int, since: Counts | None = None) -> Outlook:
    """Hold the counts of the days from `start` on against what came before.

    Args:
        counts: int64, shape (n_series, n_days), every day of the calendar.
        start: the first day that is tested.
        since: int64, shape (n_series,): the day from which on a series is known; 0 without it.
    """
    n_series, n_days = counts.shape
    known_from = np.zeros(n_series, dtype=np.int64) if since is None else since
    padded = np.pad(counts, ((0, 0), (LOOKBACK, 0)))
    windows = sliding_window_view(padded, LOOKBACK + 1, axis=1)[:, start:]
    days = np.arange(start, n_days)
    # how many days are known up to and with the one that is tested
    n_known = days[None, :] - known_from[:, None] + 1
    found = np.empty((4, n_series, len(days)))
    size = max(1, _BATCH // max(len(days), 1))
    for first in range(0, n_series, size):
        some = slice(first, first + size)
        flat = windows[some].reshape(-1, LOOKBACK + 1).astype(np.float64)
        result = _foretell(flat, n_known=n_known[some].reshape(-1))
        found[:, some] = result.reshape(4, -1, len(days))
    return Outlook(*found)


def _foretell(windows: Floats, *, n_known: Counts) -> Floats:
    """`p_day`, `p_week`, `day`, `week` of each window, float64, shape (4, n)."""
    baseline, ahead = _design()
    y = windows[:, :BASELINE_DAYS]
    ages = np.arange(LOOKBACK, WEEK - 1, -1)
    known = (ages[None, :] < n_known[:, None]).astype(np.float64)
    fit = _fit(y * known, known, design=baseline)
    mean = np.exp(fit.theta @ ahead.T)  # (n, 7), the last is the day
    week = mean.sum(axis=1)
    mixed = (mean / week[:, None]) @ ahead
    clumping = _clumping(y, fit)
    # of a mean that wanders for days the fit takes more for its own, and knows less of what comes
    lasting = 2 * clumping - 1
    n_days = fit.weights.sum(axis=1)
    left = np.maximum(n_days - WEEK - 2 * lasting, _LEAST_FREEDOM)
    spread = fit.spread * np.maximum((n_days - baseline.shape[1]) / left, 1.0)
    freedom = np.maximum(left / clumping, _LEAST_FREEDOM)
    unsure = spread * lasting
    p_day = _tail(
        windows[:, -1],
        mean[:, -1],
        spread=spread,
        unsure=unsure * fit.unknown(np.repeat(ahead[-1:], len(y), axis=0)),
        freedom=freedom,
    )
    p_week = _tail(
        windows[:, -WEEK:].sum(axis=1),
        week,
        spread=spread * clumping,
        unsure=unsure * fit.unknown(mixed),
        freedom=np.maximum(freedom * _OF_WEEKS, _LEAST_FREEDOM),
    )
    enough = n_known >= MIN_DAYS + WEEK
    return np.stack(
        [np.where(enough, p_day, 1.0), np.where(enough, p_week, 1.0), mean[:, -1], week]
    )


@cache
def _design() -> tuple[Floats, Floats]:
    """The columns of baseline and last seven days: constant, trend, weekday counted from the day."""
    offsets = np.arange(-LOOKBACK, 1)
    days = [offset % WEEK == np.arange(WEEK) for offset in offsets]
    trend = (offsets + LOOKBACK - (BASELINE_DAYS - 1) / 2) / (BASELINE_DAYS / 2)
    columns = np.column_stack([np.ones(len(offsets)), trend, np.array(days, dtype=np.float64)])
    return columns[:BASELINE_DAYS], columns[-WEEK:]


@dataclass(frozen=True, slots=True)
class _Fit:
    """Parameters (n, 9), fitted means and weights (n, 84), dispersion (n,), inverse information (n, 9, 9)."""

    theta: Floats
    mean: Floats
    weights: Floats
    spread: Floats
    inverse: Floats

    def unknown(self, x: Floats) -> Floats:
        """The variance of the log of the mean at `x`, (n, 9), in units of the dispersion."""
        found: Floats = np.einsum("ni,nij,nj->n", x, self.inverse, x)
        return found


def _fit(y: Floats, known: Floats, *, design: Floats) -> _Fit:
    """Penalised quasi-likelihood by Newton's steps, the weights of days made anew at each."""
    n_columns = design.shape[1]
    pairs = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    precision = 1 / np.square(_PRIOR_SD)
    prior = np.zeros((len(y), n_columns))
    # as if half an opinion more had come in the whole of the baseline
    prior[:, 0] = np.log((y.sum(axis=1) + 0.5) / known.sum(axis=1).clip(1))
    theta, spread, weights = prior.copy(), np.ones(len(y)), known
    for _ in range(_STEPS):
        mean = np.exp(np.clip(theta @ design.T, -12.0, 16.0))
        weights, spread = _weigh(y, mean, known=known, n_columns=n_columns)
        information = ((weights * mean) @ pairs).reshape(-1, n_columns, n_columns)
        information += spread[:, None, None] * np.diag(precision)
        slope = (weights * (y - mean)) @ design - spread[:, None] * precision * (theta - prior)
        step = np.linalg.solve(information, slope[:, :, None])[:, :, 0]
        theta = theta + np.clip(step, -1.0, 1.0)
    inverse: Floats = np.linalg.inv(information).astype(np.float64)
    return _Fit(theta, mean, weights, spread, inverse)


def _weigh(y: Floats, mean: Floats, *, known: Floats, n_columns: int) -> tuple[Floats, Floats]:
    """The weight of each day, and the dispersion of those that count, at least that of Poisson."""
    # Anscombe's residuals are symmetric where counts are few
    root = np.cbrt(mean)
    squares = 2.25 * (np.cbrt(y) ** 2 - root**2) ** 2 / root
    place = (known.sum(axis=1) * _INNER).astype(np.int64)[:, None]
    ordered = np.sort(np.where(known > 0, squares, np.inf), axis=1)
    rough = np.take_along_axis(ordered, place, axis=1) / _INNER_CHI2
    far = squares / np.maximum(rough, 1.0) / _ORDINARY**2
    weights = known / np.maximum(far, 1.0) ** 2
    freedom = np.maximum(weights.sum(axis=1) - n_columns, _LEAST_FREEDOM)
    spread = (weights * (y - mean) ** 2 / mean).sum(axis=1) / freedom
    return weights, np.maximum(spread, 1.0)


def _clumping(y: Floats, fit: _Fit) -> Floats:
    """How much more seven days in a row vary together than each by itself, at least 1, shape (n,)."""
    off = np.cumsum(fit.weights * (y - fit.mean), axis=1)
    alone = np.cumsum(fit.weights * fit.mean, axis=1) * fit.spread[:, None]
    sums, variances = (part[:, WEEK:] - part[:, :-WEEK] for part in (off, alone))
    ratio = (sums**2).sum(axis=1) / (variances.sum(axis=1) + 1e-9)
    # the rest of what seven residuals vary has gone into level and trend: a sixth, and more where they clump
    rough = np.maximum(ratio * 6 / 5, 1.0)
    clumping: Floats = np.maximum(ratio / (1 - (2 * rough - 1) / (6 * rough)), 1.0)
    return clumping


def _tail(seen: Floats, mean: Floats, *, spread: Floats, unsure: Floats, freedom: Floats) -> Floats:
    """The probability of `seen` or more."""
    expected = mean * np.exp(np.minimum(unsure, 2.0) / 2)
    ratio = np.maximum(spread + expected * np.expm1(np.minimum(unsure, 2.0)), 1.0 + 1e-6)
    size = expected / (ratio - 1)
    exact = np.where(seen > 0, betainc(np.maximum(seen, 1.0), size, 1 - 1 / ratio), 1.0)
    tail: Floats = stdtr(freedom, ndtri(exact))
    return tail

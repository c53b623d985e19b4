"""Alerts on series that are made up: false alarms of quiet years, and how soon a planted rise is found.

Run: python -m tests.benchmarks.alarms; about a minute on one core. Prints the tables of
service/monitor/README.md.

Quiet years have weekdays, a trend of up to a half a year, and nine days around Tết with a twentieth of the
usual. A rise multiplies what a quiet series would have had on 1, 3, 7 or 14 days; a ramp reaches its height
on the last of them.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.monitor.surges import LOOKBACK, WEEK, Counts, Floats, Outlook, level_of, look

SEED = 20260105
YEAR = 365
PER_YEAR = 6.0
K = 10
LEVELS = (2, 10, 50, 200)
WATCHED = (20, 200)  # series that the false alarms are shared out over
QUIET_YEARS = 250  # of each level and each way to vary: 1,000 of each way
RISES = 100  # of each kind
FACTORS = (1.5, 2.0, 3.0)
LENGTHS = (1, 3, 7, 14)
_WEEKDAYS = np.array([1.15, 1.10, 1.05, 1.05, 1.05, 0.85, 0.75])
_TET_DAYS = 9


@dataclass(frozen=True, slots=True)
class Varying:
    """How days vary around their mean: by `ratio` of variance to mean, and by a slow wave of this size.

    `wave` is the standard deviation of the log of a mean that wanders, half of it left after three days.
    """

    name: str
    ratio: float = 1.0
    wave: float = 0.0


POISSON = Varying("Poisson")
WIDER = Varying("variance 2.5 times the mean", ratio=2.5)
WAVES = Varying("mean wanders by 15 %", ratio=1.5, wave=0.15)


def main() -> None:
    """Print both tables."""
    rng = np.random.default_rng(SEED)
    for line in (*_quiet_table(rng), "", *_rise_table(rng)):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _quiet_table(rng: np.random.Generator) -> Iterator[str]:
    n_years = QUIET_YEARS * len(LEVELS)
    yield f"| days vary | a day | {' | '.join(f'of {n} series' for n in WATCHED)} |"
    yield "|---|---" + "|---" * len(WATCHED) + "|"
    for varying in (POISSON, WIDER, WAVES):
        total = np.zeros(len(WATCHED))
        for level in LEVELS:
            counts = draw(rng, quiet_means(rng, level, n=QUIET_YEARS), varying=varying)
            alarms = _count_alarms(counts)
            total += alarms
            yield _quiet_row(varying.name, str(level), alarms / QUIET_YEARS)
        yield _quiet_row(varying.name, "all", total / n_years)


def _quiet_row(name: str, level: str, per_series: Floats) -> str:
    shown = (f"{rate * n:.1f}" for rate, n in zip(per_series, WATCHED, strict=True))
    return f"| {name} | {level} | {' | '.join(shown)} |"


def _count_alarms(counts: Counts) -> Floats:
    """How many alarms all series raise, for each number of series that are watched."""
    outlook = look(counts, start=LOOKBACK)
    return np.array([first_days(high_days(counts, outlook, n)).sum() for n in WATCHED], dtype=float)


def high_days(counts: Counts, outlook: Outlook, n_series: int) -> NDArray[np.bool_]:
    """The days on which a series is high, where so many are watched."""
    start = counts.shape[1] - outlook.day.shape[1]
    sums = np.cumsum(counts, axis=1)
    weeks = sums[:, start:] - sums[:, start - WEEK : -WEEK]
    told = np.stack([counts[:, start:] >= K, weeks >= K])
    shares = outlook.shares(level_of(PER_YEAR, np.array(n_series)))
    high: NDArray[np.bool_] = np.any(told & (shares < 1), axis=0)
    return high


def first_days(high: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The days that raise an alarm: high ones after a week without any."""
    before = np.cumsum(np.pad(high, ((0, 0), (WEEK + 1, 0))), axis=1)
    recent: NDArray[np.int64] = before[:, WEEK:-1] - before[:, : -WEEK - 1]
    first: NDArray[np.bool_] = high & (recent == 0)
    return first


def quiet_means(rng: np.random.Generator, level: float, *, n: int, days: int = YEAR) -> Floats:
    """The mean of each day of quiet series: float64, shape (n, LOOKBACK + days)."""
    t = np.arange(LOOKBACK + days)
    weekdays = _WEEKDAYS[(t + rng.integers(WEEK, size=(n, 1))) % WEEK]
    slope = rng.uniform(np.log(2 / 3), np.log(3 / 2), size=(n, 1)) / YEAR
    means = level * weekdays * np.exp(slope * (t - len(t) / 2))
    tet = rng.integers(0, YEAR, size=(n, 1))
    quiet: Floats = np.where((t - tet) % YEAR < _TET_DAYS, means / 20, means)
    return quiet


def draw(rng: np.random.Generator, means: Floats, *, varying: Varying) -> Counts:
    """Counts around these means."""
    if varying.wave:
        left = 0.5 ** (1 / 3)
        wave = rng.normal(0, varying.wave, size=means.shape)
        for day in range(1, means.shape[1]):
            wave[:, day] = left * wave[:, day - 1] + np.sqrt(1 - left**2) * wave[:, day]
        means = means * np.exp(wave - varying.wave**2 / 2)
    if varying.ratio > 1:
        means = rng.gamma(means / (varying.ratio - 1), varying.ratio - 1)
    return rng.poisson(means)


def _rise_table(rng: np.random.Generator) -> Iterator[str]:
    yield f"| a day | rise | {' | '.join(f'{n} days' if n > 1 else '1 day' for n in LENGTHS)} |"
    yield "|---|---" + "|---" * len(LENGTHS) + "|"
    shapes = [
        (level, factor, ramp) for level in LEVELS for factor in FACTORS for ramp in (False, True)
    ]
    for level, factor, ramp in shapes:
        cells = []
        for length in LENGTHS:
            if ramp and length == 1:
                cells.append("")
                continue
            found = _find_rises(rng, level, factor=factor, length=length, ramp=ramp)
            cells.append(_rise_cell(found))
        yield f"| {level} | ×{factor:g} {'ramp' if ramp else 'sudden'} | {' | '.join(cells)} |"


def _rise_cell(delays: Sequence[int | None]) -> str:
    found = [delay for delay in delays if delay is not None]
    share = f"{100 * len(found) / len(delays):.0f} %"
    return f"{share}, {np.median(found):.0f} d" if found else share


def _find_rises(
    rng: np.random.Generator, level: float, *, factor: float, length: int, ramp: bool
) -> list[int | None]:
    """After how many whole days each rise is found, None where it is not while it lasts and a week on."""
    days = length + WEEK
    means = quiet_means(rng, level, n=RISES, days=days)
    height = np.linspace(1, factor, length + 1)[1:] if ramp else np.full(length, factor)
    means[:, LOOKBACK : LOOKBACK + length] *= height
    counts = draw(rng, means, varying=Varying("", ratio=1.5))
    high = high_days(counts, look(counts, start=LOOKBACK), WATCHED[0])
    return [int(row.argmax()) if row.any() else None for row in high]


if __name__ == "__main__":
    main()

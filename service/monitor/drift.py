"""Whether the texts of these days are still such as the model was measured on, so that its figures hold.

The measure is the population stability index (PSI), the sum of (a - e) ln(a / e) over the parts: e the share
among the opinions of the reference, a the share now. It is symmetric, needs nothing but counts, and has
thresholds in common use: from 0.1 on something has shifted, from 0.25 on much (Siddiqi 2006, Credit Risk
Scorecards).

A small sample reaches 0.1 by chance alone: without any change the PSI of B parts is about (1/n + 1/m) times
a chi-squared of B - 1 degrees of freedom (Yurdakul 2018, Statistical Properties of Population Stability
Index). A shift must pass both.

All figures come from counts that `disclose` has rounded; the rounding is one more chance, and allowed for.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import sqlalchemy as sa

from models.reference import STYLE, Histogram, Reference
from service.monitor.recent import Period, Recent, count_recent
from service.monitor.suppression import disclose

Level = Literal["too_few", "stable", "shifted", "strongly_shifted"]
Verdict = Literal["too_few", "stable", "watch", "distrust"]
SHIFTED, STRONGLY = 0.1, 0.25
BASELINE_DAYS = 90  # that the mix of sources is compared with
_BY_CHANCE = 0.0002  # of one measure; there are about a dozen, and rounding is coarse
_MIN_TEXTS = 100  # ten in a bin, or the chi-squared is no guide
_ABSENT = 0.5  # in place of a count of 0 in the reference


@dataclass(frozen=True, slots=True)
class Shift:
    """One measure, `of` what: its `psi`, and how much of it chance alone hardly exceeds (`by_chance`).

    `parts` are named; `shares` are those of recent opinions, `expected` those of the reference. `n` and
    the shares are made of rounded counts. Where there are too few opinions, all figures are None or empty.
    """

    of: str
    level: Level
    n: int | None = None
    psi: float | None = None
    by_chance: float | None = None
    parts: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    expected: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Drift:
    """What has shifted in the days from `begin` up to `end`, and whether the model is to be trusted."""

    begin: date
    end: date
    verdict: Verdict
    shifts: tuple[Shift, ...]


def read_drift(
    connection: sa.Connection, reference: Reference, *, until: date, days: int, k: int
) -> Drift:
    """Compare the opinions of so many days, those before `until`, with what the model was measured on.

    Groups below `k` are not told, nor anything that would tell them.
    """
    period = Period(until - timedelta(days=days), until)
    before = Period(period.begin - timedelta(days=BASELINE_DAYS), period.begin)
    recent = count_recent(connection, reference, period, before=before)
    shifts = tuple(find_shifts(recent, reference, k=k))
    return Drift(period.begin, period.end, judge(shifts), shifts)


def find_shifts(recent: Recent, reference: Reference, *, k: int) -> Iterator[Shift]:
    """Every measure: how texts are written, where they come from, how sure the model is, what it decides."""
    for name in STYLE:
        yield _compare_bins(name, recent.styles[name], reference.style[name], k=k)
    yield compare("sources", recent.sources, _rounded(recent.sources_before, k=k), k=k)
    for facet in sorted(reference.confidence):
        bins, decisions = recent.probabilities[facet], recent.decisions[facet]
        yield _compare_bins(f"{facet}.probability", bins, reference.confidence[facet], k=k)
        yield compare(f"{facet}.decision", decisions, reference.decisions[facet], k=k)


def judge(shifts: Sequence[Shift]) -> Verdict:
    """What all measures together say of trusting the model.

    The mix of sources alone is no reason to distrust it: it tells where another shift may come from.
    """
    levels = [shift.level for shift in shifts if shift.of != "sources"]
    if "strongly_shifted" in levels:
        return "distrust"
    if "shifted" in levels:
        return "watch"
    return "stable" if "stable" in levels else "too_few"


def compare(of: str, counts: Mapping[str, int], expected: Mapping[str, int], *, k: int) -> Shift:
    """Counts of recent opinions, exact ones, against those of a reference, part by part.

    A part that has fewer than `k` of them is taken for half of `k`, and a new one is not named.
    """
    rounded = _rounded(counts, k=k)
    names = sorted({*rounded, *expected})
    now = [rounded.get(name, k / 2) for name in names]
    n, m = disclose(sum(counts.values()), k=k), sum(expected.values())
    if not m or n is None or n < _MIN_TEXTS:
        return Shift(of, "too_few")
    shares = [count / sum(now) for count in now]
    then = [max(expected.get(name, 0), _ABSENT) / m for name in names]
    psi = sum((a - e) * math.log(a / e) for a, e in zip(shares, then, strict=True))
    by_chance = _by_chance(len(names), n=n, m=m, k=k)
    level: Level = "stable"
    if psi >= max(SHIFTED, by_chance):
        level = "strongly_shifted" if psi >= STRONGLY else "shifted"
    figures = (tuple(round(share, 3) for share in own) for own in (shares, then))
    return Shift(of, level, n, round(psi, 3), round(by_chance, 3), tuple(names), *figures)


def _compare_bins(of: str, counts: Sequence[int], reference: Histogram, *, k: int) -> Shift:
    edges = [f"{edge:g}" for edge in reference.edges]
    names = [f"{low}..{high}" for low, high in zip(["", *edges], [*edges, ""], strict=True)]
    now, then = (dict(zip(names, own, strict=True)) for own in (counts, reference.counts))
    return compare(of, now, then, k=k)


def _rounded(counts: Mapping[str, int], *, k: int) -> dict[str, int]:
    """What may be told of counts; a part that is too small is left out."""
    told = {name: disclose(count, k=k) for name, count in counts.items()}
    return {name: count for name, count in told.items() if count}


def _by_chance(n_parts: int, *, n: int, m: int, k: int) -> float:
    """The PSI that so many texts reach by chance twice in ten thousand times.

    Rounding to multiples of `k` adds k²/12 to the variance of each part, which has about n / n_parts texts.
    """
    from scipy.special import chdtri

    by_rounding = 1 + k * k * n_parts / (12 * n)
    return float(chdtri(max(n_parts - 1, 1), _BY_CHANCE)) * (1 / n + 1 / m) * by_rounding

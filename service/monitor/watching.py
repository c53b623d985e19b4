"""From daily counts to rises: which series are high on which days, and which sources do not count meanwhile.

A source counts in other series once it is known for long enough, and not while it floods: neither a new
source nor one gone mad is a rise of what people say. A source with three times its usual volume floods; one
with half as much again may well tell of what happened. Once somebody has acknowledged the alert of a source
it counts again, so a real event goes on from there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from service.monitor.surges import (
    BASELINE_DAYS,
    LOOKBACK,
    MIN_DAYS,
    WEEK,
    Counts,
    Floats,
    Outlook,
    level_of,
    look,
)
from service.store.alerts import Alert, Cell, Series

_FLOOD = 3.0  # times the usual volume of a source
_SILENCE_DAYS = 28  # a source that was silent for longer begins anew
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Watch:
    """The days that are looked at, both inclusive; `k` is the fewest opinions that may be told."""

    first: date
    last: date
    k: int
    alarms_per_year: float

    @property
    def begin(self) -> date:
        """The first day whose counts are needed."""
        return self.first - timedelta(days=LOOKBACK)

    @property
    def n_days(self) -> int:
        """How many days of counts are needed."""
        return (self.last - self.begin).days + 1


@dataclass(frozen=True, slots=True)
class Rise:
    """A series that is high from `day` to `last_day`; `alert_id` where an alert tells of it already."""

    series: Series
    day: date
    last_day: date
    observed: int = 0
    expected: float = 0.0
    n_days: int = 1
    p: float = 0.0
    left_out: tuple[str, ...] = ()
    alert_id: str | None = None
    open: bool = True
    floods: bool = False


def find_rises(cells: Iterable[Cell], *, standing: Sequence[Alert], watch: Watch) -> list[Rise]:
    """Every rise of the days looked at, new ones and those that an alert tells of already."""
    table = _Table.of(cells, watch=watch)
    levels = level_of(watch.alarms_per_year, table.n_watched())
    volumes = table.counts(own=True)
    since = np.array([_known_since(row) for row in volumes], dtype=np.int64)
    flooding = _Search(table, levels, table.sources).find(volumes, LOOKBACK, since=since)
    rises = _follow(flooding, [one for one in standing if one.series.kind == "source"])
    left_out = table.flooded([rise for rise in rises if rise.open and rise.floods])
    young = np.arange(LOOKBACK, watch.n_days)[:, None] - since + 1 < MIN_DAYS + WEEK
    others: list[Rise] = []
    start = LOOKBACK
    by_day = groupby(zip(left_out | young, left_out, strict=True), key=_as_bytes)
    for stretch in (list(days) for _, days in by_day):
        kept, flooded = ~stretch[0][0], stretch[0][1]
        if kept.any():
            search = _Search(table, levels, table.series, table.names(flooded))
            counts = table.counts(kept)[:, : start + len(stretch)]
            others += search.find(counts, start, since=np.full(len(counts), since[kept].max()))
        start += len(stretch)
    return rises + _follow(others, [one for one in standing if one.series.kind != "source"])


def _as_bytes(day: tuple[Bools, Bools]) -> bytes:
    return day[0].tobytes() + day[1].tobytes()


@dataclass(frozen=True, slots=True)
class _Table:
    """All counts: a row of `places` is a series, a source and a day, `n` what it counts."""

    watch: Watch
    series: Sequence[Series]
    sources: Sequence[Series]
    places: NDArray[np.int64]
    n: Counts

    @classmethod
    def of(cls, cells: Iterable[Cell], *, watch: Watch) -> "_Table":
        some = list(cells)
        sources = sorted({cell.source for cell in some})
        at = {name: number for number, name in enumerate(sources)}
        found = {cell.series for cell in some if cell.series.kind != "source"}
        series = sorted(found, key=lambda one: one.key)
        rows = {one: number for number, one in enumerate(series)}
        places = [
            (rows.get(cell.series, -1), at[cell.source], (cell.day - watch.begin).days)
            for cell in some
        ]
        return cls(
            watch,
            series,
            [Series("source", name) for name in sources],
            np.array(places, dtype=np.int64).reshape(-1, 3),
            np.array([cell.n for cell in some], dtype=np.int64),
        )

    def counts(self, kept: Bools | None = None, *, own: bool = False) -> Counts:
        """The counts of each series from the sources that are kept; of each source its `own` volume."""
        row, source, day = self.places.T
        rows = self.sources if own else self.series
        chosen = (row < 0) == own
        if kept is not None:
            chosen &= kept[source]
        found = np.zeros((len(rows), self.watch.n_days), dtype=np.int64)
        np.add.at(found, ((source if own else row)[chosen], day[chosen]), self.n[chosen])
        return found

    def n_watched(self) -> Counts:
        """On each day looked at the number of series that are large enough to raise a false alarm."""
        every = np.concatenate([self.counts(), self.counts(own=True)])
        total = np.cumsum(every, axis=1)[:, BASELINE_DAYS - 1 : -WEEK]
        total[:, 1:] -= np.cumsum(every, axis=1)[:, : total.shape[1] - 1]
        enough: Counts = (total >= self.watch.k).sum(axis=0)
        return enough

    def flooded(self, rises: Iterable[Rise]) -> Bools:
        """On which of the days looked at which sources are high, shape (n_days, n_sources)."""
        found = np.zeros((self.watch.n_days - LOOKBACK, len(self.sources)), dtype=np.bool_)
        at = {series: number for number, series in enumerate(self.sources)}
        for rise in rises:
            if rise.series in at:
                first, last = ((day - self.watch.first).days for day in (rise.day, rise.last_day))
                found[max(first, 0) : max(last + 1, 0), at[rise.series]] = True
        return found

    def names(self, chosen: Bools) -> tuple[str, ...]:
        """The sources that are chosen."""
        return tuple(one.code for one, is_it in zip(self.sources, chosen, strict=True) if is_it)


@dataclass(frozen=True, slots=True)
class _Search:
    """A search for high days in the rows of `series`, each day at its level."""

    table: _Table
    levels: Floats
    series: Sequence[Series]
    left_out: tuple[str, ...] = ()

    def find(self, counts: Counts, start: int, *, since: Counts) -> list[Rise]:
        """The days from `start` on, each for itself."""
        k = self.table.watch.k
        sums = np.cumsum(counts, axis=1)
        weeks = (sums - np.pad(sums, ((0, 0), (WEEK, 0)))[:, :-WEEK])[:, start:]
        # what may not be told need not be tested
        rows = np.flatnonzero((weeks >= k).any(axis=1))
        seen = {1: counts[rows, start:], WEEK: weeks[rows]}
        outlook = look(counts[rows], start=start, since=since[rows])
        return list(self._high(outlook, seen, rows=rows, start=start))

    def _high(
        self, outlook: Outlook, seen: Mapping[int, Counts], *, rows: Counts, start: int
    ) -> Iterator[Rise]:
        watch = self.table.watch
        level = self.levels[start - LOOKBACK :][: outlook.day.shape[1]]
        tests = ((1, outlook.p_day, outlook.day), (WEEK, outlook.p_week, outlook.week))
        may_tell = np.stack([seen[n_days] >= watch.k for n_days, _, _ in tests])
        shares = np.where(may_tell, outlook.shares(level), 1.0)
        for row, day in np.argwhere(shares.min(axis=0) < 1):
            n_days, p, expected = tests[int(shares[:, row, day].argmin())]
            on = watch.begin + timedelta(days=start + int(day))
            yield Rise(
                self.series[rows[row]],
                on,
                on,
                observed=int(seen[n_days][row, day]),
                expected=float(expected[row, day]),
                n_days=n_days,
                p=float(p[row, day]),
                left_out=self.left_out,
                floods=is_flood(int(seen[n_days][row, day]), float(expected[row, day])),
            )


def is_flood(observed: int, expected: float) -> bool:
    """Whether a volume is so far above the usual one that its source does not count in other series."""
    return observed >= _FLOOD * expected


def _known_since(volume: Counts) -> int:
    """The day from which on a source is known: of its first text, or of the first after a long silence."""
    days = np.flatnonzero(volume)
    silences = np.diff(days, prepend=-1)
    long = np.flatnonzero(silences > _SILENCE_DAYS)
    return int(days[long[-1]]) if len(long) else 0


def _follow(high: Iterable[Rise], standing: Sequence[Alert]) -> list[Rise]:
    """High days as rises: days within a week of each other, or of a standing alert, are one."""
    week = timedelta(days=WEEK)
    rises: dict[Series, list[Rise]] = defaultdict(list)
    days = sorted(high, key=lambda rise: (rise.series.key, rise.day))
    for alert in standing:
        is_open = alert.state == "open"
        floods = is_flood(alert.observed, alert.expected)
        known = Rise(
            alert.series, alert.day, alert.last_day, alert_id=alert.id, open=is_open, floods=floods
        )
        rises[alert.series].append(known)
    for day in days:
        own = rises[day.series]
        near = [
            at for at, rise in enumerate(own) if rise.day - week <= day.day <= rise.last_day + week
        ]
        if near:
            rise = own[near[-1]]
            last_day = max(rise.last_day, day.day)
            own[near[-1]] = replace(rise, last_day=last_day, floods=rise.floods or day.floods)
        else:
            own.append(day)
    return [rise for own in rises.values() for rise in own]

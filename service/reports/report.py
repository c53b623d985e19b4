"""What a report holds: sections of sentences, tables and charts, the same for the page and for every file.

Nothing here counts: `facts.py` has asked. A rise or fall is only said where the intervals of both periods do
not overlap.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from service.formats import show_number, show_percent
from service.messages import say, words_of
from service.monitor.figures import Range, Share
from service.monitor.periods import Period
from service.monitor.told import Figure, Sample
from service.reports.asked import Asked
from service.store.typical import Typical

Change = Literal["rise", "fall", "unclear", "unknown"]
Kind = Literal["text", "figure", "count", "reposts", "change"]
Name = Literal[
    "received",
    "fields",
    "areas",
    "places",
    "limitations",
    "alerts",
    "restricted",
    "examples",
    "method",
]


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to a list of opinions."""

    text: str
    list: str


@dataclass(frozen=True, slots=True)
class Reposts:
    """How often something was posted again; None: fewer than may be told."""

    count: int | None


Cell = str | Link | Figure | Reposts | Change | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, what its cells are, and its share of the width."""

    name: str
    kind: Kind
    width: int


def name_columns(*columns: tuple[str, Kind, int]) -> tuple[Column, ...]:
    """Columns by the names of their headings."""
    return tuple(Column(say(f"reports.{name}"), kind, width) for name, kind, width in columns)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table. `narrows`: the filter under which a report tells of this line alone."""

    cells: tuple[Cell, ...]
    narrows: tuple[str, str] | None = None
    is_part: bool = False  # of the line above that is none


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `rest` says what is not in it. A `detail` is for who looks closer, and no paper shows it.

    `sheet` is what it is called in a workbook.
    """

    sheet: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    rest: str = ""
    is_detail: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """Some counts in a row, one a label of the chart; None where it may not be told."""

    name: str
    counts: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Counts as a picture: over time, or of groups whose parts add up. `alt` says it in words."""

    kind: Literal["time", "parts"]
    title: str
    alt: str
    labels: tuple[str, ...]
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Quotes:
    """Opinions of one field, masked."""

    title: str
    items: tuple[Typical, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report."""

    name: Name
    title: str
    says: tuple[str, ...]
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    quotes: tuple[Quotes, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report. `subject` is what it is about, `scope` what it is narrowed to, in words."""

    subject: str
    asked: Asked
    scope: tuple[tuple[str, str], ...]
    made_at: datetime
    k: int
    total: Figure
    sample: Sample
    sections: tuple[Section, ...]
    notes: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether too few opinions came in for anything to be told of them."""
        return self.total.suppressed


def compare(now: Share | Range | None, before: Share | Range | None) -> Change:
    """Whether something has risen or fallen: intervals that overlap tell nothing."""
    if now is None or before is None:
        return "unknown"
    if now.low > before.high:
        return "rise"
    return "fall" if now.high < before.low else "unclear"


def compare_counts(now: Figure, before: Figure, *, asked: Asked) -> Change:
    """Whether more came in on a day than in the days before; the two need not be as many."""
    return compare(
        _a_day(now.interval, period=asked.period), _a_day(before.interval, period=asked.before)
    )


def _a_day(interval: Range | None, *, period: Period) -> Range | None:
    if interval is None:
        return None
    n_days = (period.day_to - period.day_from).days
    return Range(interval.low / n_days, interval.high / n_days)


def show_cell(cell: Cell, *, kind: Kind, k: int) -> str:
    """A cell in words, on one line."""
    if isinstance(cell, Figure):
        return show_figure(cell, k=k) if kind == "figure" else show_count(cell.count, k=k)
    if isinstance(cell, Reposts):
        return "–" if cell.count is None else show_number(cell.count)
    if isinstance(cell, Link):
        return cell.text
    if kind == "change" and cell:
        return say(f"reports.{cell}")
    return cell or ""


def show_figure(figure: Figure, *, k: int) -> str:
    """`120; 18% (15–21%)`, or that it is too small to be told."""
    count = show_count(figure.count, k=k)
    return f"{count}; {show_share(figure.share)}" if figure.share else count


def tell_figure(figure: Figure, *, k: int) -> str:
    """A figure within a sentence: about so many opinions, which share."""
    if figure.count is None or figure.share is None:
        return show_count(figure.count, k=k)
    share = show_percent(figure.share.value)
    return say("reports.figure", n=figure.count, share=share)


def show_count(count: int | None, *, k: int) -> str:
    """A count, or that it is too small to be told."""
    return say("page.suppressed", k=k) if count is None else show_number(count)


def show_share(share: Share) -> str:
    """A share with its interval, `18% (15–21%)`; alone where both ends read the same."""
    low, high = show_percent(share.low), show_percent(share.high)
    if low == high:
        return show_percent(share.value)
    return f"{show_percent(share.value)} ({low.removesuffix('%')}–{high})"


def notes_of(sample: Sample, *, made_at: datetime, k: int) -> Iterator[str]:
    """What stands below every figure: of what it is made, and what it is not."""
    words = words_of("trends")
    told = [
        f"{own.name} ({show_count(own.count, k=k)})"
        for own in sample.sources
        if own.count is not None
    ]
    yield say(
        "reports.sample",
        n=show_count(sample.n, k=k),
        days=days_in_words(sample.period),
        sources=", ".join(told) or say("reports.sources_few", k=k),
    )
    yield sample.notice
    yield say("reports.labels")
    yield words["suppressed"].format(k=k)
    yield words["many"]
    yield words["reposts"]
    yield say("reports.dash", k=k)
    yield say("reports.interval")
    yield say("reports.made_at", at=made_at)


def days_in_words(period: Period) -> str:
    """From the first day to the last one, which belongs to it."""
    last = period.day_to.fromordinal(period.day_to.toordinal() - 1)
    if last == period.day_from:
        return say("reports.one_day", day=last)
    return say("reports.days_from_to", first=period.day_from, last=last)


def name_of_days(asked: Asked) -> str:
    """What the days are called: a month, a quarter, a week, or from when to when."""
    first = asked.period.day_from
    which, _, unit = asked.stretch.partition("_")
    week = first.isocalendar()
    names: Mapping[str, str] = {
        "week": say("reports.a_week", n=str(week.week), year=str(week.year)),
        "month": say("reports.a_month", n=str(first.month), year=str(first.year)),
        "quarter": say(
            "reports.a_quarter",
            n=("I", "II", "III", "IV")[(first.month - 1) // 3],
            year=str(first.year),
        ),
    }
    if asked.stretch == "days":
        return days_in_words(asked.period)
    if which == "last" and unit != "week":
        return names[unit]
    return f"{names[unit]} ({days_in_words(asked.period)})"

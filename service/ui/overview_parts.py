"""The parts of the overview that take time: each a question about a period, and what its template shows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

from nlp.gazetteer import load_gazetteer
from service.actions import Desk
from service.formats import sort_key
from service.messages import say, words_of
from service.monitor.denunciations import tell
from service.monitor.dimensions import Name
from service.monitor.periods import Period, Step, cut, this_monday
from service.monitor.told import Figure, Part, Trend, Trends
from service.monitor.trends import Question
from service.observing import ask_trends, find_confusions, find_drift
from service.store.days import VIETNAM
from service.store.passages import Found, find_passages
from service.store.query import Query
from service.store.rows import count_rows
from service.ui.charts import Colour, chart, series_of, with_intervals

PartName = Literal["came", "fields", "places", "limits", "trust"]
Shown = Mapping[str, Any]  # what a template uses
_WEEKS_BEFORE = 4
_BARS = 12  # fields in the chart; the table below it has all
_TRENDS = 4
_LISTED = 3  # so many dots that stand alone are told in words
_PLACES = 10
_READ_DOCUMENTS = 500
_DRIFT_DAYS = 7
_ONE, _WEEK = timedelta(days=1), timedelta(days=7)
_UNDECIDED = {"none_of_these": "page.none_of_fields", "abstain": "page.abstain"}
_NEGATIVE = "negative"
_COLOURS: Mapping[str, Colour] = {"negative": "bad", "neutral": "quiet", "positive": "good"}
# the longest stretch that is shown by this step, in days
_STEPS: tuple[tuple[int, Step], ...] = ((31, "day"), (190, "week"))


@dataclass(frozen=True, slots=True)
class Ground:
    """What figures are made from; `documents_to` is the day after the last whose documents are read."""

    desk: Desk
    registers: Path
    k: int
    period: Period
    documents_to: date
    now: datetime


@dataclass(frozen=True, slots=True)
class Field:
    """A row of the table: a field, its figure, and the figures of each feeling."""

    code: str
    name: str
    figure: Figure
    parts: tuple[Figure, ...]
    negative: Part


@dataclass(frozen=True, slots=True)
class Area:
    """A task area: in how many documents it has such passages, and how many passages."""

    code: str
    n_documents: int
    n_passages: int
    list: str


def came(ground: Ground) -> Shown:
    """What came in this week so far and in the weeks before it."""
    today = ground.now.astimezone(VIETNAM).date()
    period = Period(this_monday(ground.now) - _WEEKS_BEFORE * _WEEK, today + _ONE)
    trends = _ask(ground, by="source", step="week", period=period)
    weeks = cut(period, "week")[::-1]
    return {
        "trends": trends,
        "weeks": weeks,
        "documents": [_documents(ground, week) for week in weeks],
        "sources": sorted(trends.groups, key=lambda own: sort_key(own.name)),
    }


def fields(ground: Ground) -> Shown:
    """Which fields people are unhappy about, and how that went."""
    step = _step(ground.period)
    trends = _ask(ground, by="civic_field", then="sentiment", step=step)
    unsure = words_of("overview")["unsure"]
    feelings = [
        (part.code, unsure if part.code in _UNDECIDED else part.name)
        for part in trends.groups[0].parts
    ]
    rows = sorted((_field(own) for own in trends.groups), key=_most_negative)
    told = [row for row in rows if row.figure.count is not None]
    return {
        "trends": trends,
        "step": step,
        "feelings": [name for _, name in feelings],
        "rows": told,
        "n_untold": len(rows) - len(told),
        "chart": _bars(told, feelings=feelings, k=ground.k),
        "lines": _lines(told, step=step, k=ground.k),
        "corrected": _corrected(ground),
    }


def places(ground: Ground) -> Shown:
    """Where most opinions speak of."""
    provinces, wards = (_ask(ground, by=kind) for kind in ("province", "ward"))
    known = load_gazetteer(ground.registers)
    within = {
        ward: known.names["province", province]
        for ward, province in known.provinces.items()
        if ("province", province) in known.names
    }
    return {
        "trends": provinces,
        "lists": (
            ("province", provinces.groups[:_PLACES], len(provinces.groups)),
            ("ward", wards.groups[:_PLACES], len(wards.groups)),
        ),
        "within": within,
    }


def limits(ground: Ground) -> Shown:
    """What reports say themselves went wrong, by task area."""
    found = find_limits(ground)
    return {
        "areas": _areas(ground, found),
        "n_documents": len(found.documents),
        "n_read": found.n_read,
        "is_all": found.is_all,
        "document_days": _document_days(ground),
    }


def trust(ground: Ground) -> Shown:
    """Whether the model can be trusted with these days, and how many denunciations came in."""
    drift = find_drift(ground.desk, days=_DRIFT_DAYS, k=ground.k)
    with ground.desk.engine.connect() as connection:
        told = tell(connection, k=ground.k)
    verdict = drift.verdict if drift else "no_reference"
    return {
        "verdict": verdict,
        "sentence": words_of("drift")[verdict],
        "restricted": told,
        "restricted_note": words_of("restricted")["note"].format(k=ground.k),
    }


PARTS: Mapping[PartName, Callable[[Ground], Shown]] = {
    "came": came,
    "fields": fields,
    "places": places,
    "limits": limits,
    "trust": trust,
}


# these do not depend on the period
OF_TODAY: frozenset[PartName] = frozenset({"came", "trust"})


def find_limits(ground: Ground) -> Found:
    """The documents of the period that speak of limitations."""
    days = _document_days(ground)
    with ground.desk.engine.connect() as connection:
        return find_passages(
            connection,
            tone="limitation",
            received_from=_begin(days.day_from),
            received_to=_begin(days.day_to),
            limit=_READ_DOCUMENTS,
        )


def label_of(period: Period, step: Step) -> str:
    """What a stretch of a chart is called."""
    if step == "month":
        return f"{period.day_from:%m/%Y}"
    return f"{period.day_from:%d/%m}"


def span_of(period: Period) -> str:
    """The first and the last day of a stretch, or its only one."""
    first, last = (f"{day:%d/%m}" for day in (period.day_from, period.day_to - _ONE))
    return first if first == last else f"{first}–{last}"


def _ask(
    ground: Ground,
    *,
    by: Name,
    then: Name | None = None,
    step: Step = "none",
    period: Period | None = None,
) -> Trends:
    days = period or ground.period
    query = Query(kind="opinion", day_from=days.day_from, day_to=days.day_to)
    question = Question(query, days, by, ground.k, then, step)
    return ask_trends(ground.desk, question, registers=ground.registers)


def _step(period: Period) -> Step:
    n_days = (period.day_to - period.day_from).days
    return next((step for longest, step in _STEPS if n_days <= longest), "month")


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=VIETNAM)


def _documents(ground: Ground, week: Period) -> Figure:
    """Official documents that came in, exactly: none of them is a citizen's."""
    begin, end = _begin(week.day_from), _begin(week.day_to)
    query = Query(intake="document", kind="official", received_from=begin, received_to=end)
    n = count_rows(ground.desk.engine, query)
    days = {"received_from": begin.isoformat(), "received_to": end.isoformat()}
    address = f"/documents?{urlencode({'kind': 'official', **days})}" if n else None
    return Figure(n, suppressed=False, list=address)


def _field(own: Trend) -> Field:
    negative = next(part for part in own.parts if part.code == _NEGATIVE)
    figures = tuple(part.figure for part in own.parts)
    return Field(own.code, _name(own), own.figure, figures, negative)


def _name(own: Trend) -> str:
    """The name of a group of fields where it stands alone; decisions are words within a sentence else."""
    key = _UNDECIDED.get(own.code)
    return say(key) if key else own.name


def _most_negative(row: Field) -> tuple[bool, int, int]:
    """Most told negative opinions first, then most at all; what is no field comes last."""
    n_negative = row.negative.figure.count or 0
    return row.code in _UNDECIDED, -n_negative, -(row.figure.count or 0)


def _bars(rows: Sequence[Field], *, feelings: Sequence[tuple[str, str]], k: int) -> Shown | None:
    """The fields of which a part may be told."""
    of_fields = (row for row in rows if row.code not in _UNDECIDED)
    shown = [row for row in of_fields if any(figure.count for figure in row.parts)][:_BARS]
    if not shown:
        return None
    series = [
        series_of(name, [row.parts[at] for row in shown], colour=_COLOURS.get(code, "why"))
        for at, (code, name) in enumerate(feelings)
    ]
    title = words_of("overview")["fields_chart"]
    return chart("bars", title, labels=[row.name for row in shown], series=series, k=k)


def _lines(rows: Sequence[Field], *, step: Step, k: int) -> list[Shown]:
    """The fields with most negative opinions: a chart each, all to one scale, where one can be drawn."""
    of_fields = (row for row in rows if row.code not in _UNDECIDED)
    worst = [row for row in of_fields if row.negative.figure.count][:_TRENDS]
    if not worst or len(worst[0].negative.points) == 1:
        return []  # of one stretch the table tells all
    points = [point for row in worst if _is_line(row) for point in row.negative.points]
    ends = [point.figure.interval.high for point in points if point.figure.interval]
    return [_line(row, step=step, k=k, most=_round_up(max(ends, default=0))) for row in worst]


def _is_line(row: Field) -> bool:
    """Whether there is more to draw than a few dots that stand alone."""
    is_told = [bool(point.figure.count) for point in row.negative.points]
    return sum(is_told) > _LISTED or any(all(pair) for pair in pairwise(is_told))


def _line(row: Field, *, step: Step, k: int, most: int) -> Shown:
    points, words = row.negative.points, words_of("overview")
    if not _is_line(row):
        return {"name": row.name, "points": points, "chart": None}
    figures = [point.figure for point in points]
    series = series_of(words["negative"], figures, colour="bad")
    drawn = chart(
        "lines",
        words["trend_chart"].format(name=row.name),
        labels=[label_of(point.period, step) for point in points],
        series=[with_intervals(series, figures, k=k)],
        k=k,
        most=most,
    )
    return {"name": row.name, "points": points, "chart": drawn}


def _round_up(value: float) -> int:
    """The next number that reads well at the end of an axis."""
    size = 10 ** max(len(str(int(value))) - 1, 1)
    step = max(size // 5, 1)
    return int(-(-value // step) * step)


def _corrected(ground: Ground) -> list[Shown]:
    """Counts put right by the measured errors of the model, beside what it answered."""
    found: list[Shown] = []
    facets: tuple[Name, ...] = ("civic_field", "sentiment")
    for facet in facets:
        if not find_confusions(ground.desk, facet):
            continue
        groups = _ask(ground, by=facet).groups
        rows = [(_name(own), own.figure.corrected) for own in groups if own.figure.corrected]
        if rows:
            found.append({"facet": facet, "rows": rows})
    return found


def _document_days(ground: Ground) -> Period:
    return Period(ground.period.day_from, ground.documents_to)


def _areas(ground: Ground, found: Found) -> list[Area]:
    """Areas by how many documents have such passages in them, most first; what has none comes last."""
    days = _document_days(ground)
    asked = {"from": days.day_from.isoformat(), "to": (days.day_to - _ONE).isoformat()}
    n_documents: dict[str, int] = {}
    n_passages: dict[str, int] = {}
    for document in found.documents:
        own = [code for passage in document.passages for code in passage.areas or ("",)]
        for code in own:
            n_passages[code] = n_passages.get(code, 0) + 1
        for code in dict.fromkeys(own):
            n_documents[code] = n_documents.get(code, 0) + 1
    ordered = sorted(n_documents, key=lambda code: (code == "", -n_documents[code], code))
    return [
        Area(
            code,
            n_documents[code],
            n_passages[code],
            f"/overview/limitations?{urlencode({'area': code, **asked})}",
        )
        for code in ordered
    ]

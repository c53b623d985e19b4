"""Tổng quan: what came in, what people are unhappy about, what waits.

The page comes at once with what is cheap to know; its figures follow part by part, and are worked out once
for all who ask within minutes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from nlp.errors import InputError
from service.access import TheCaller, needs
from service.messages import say
from service.monitor.periods import Period, this_monday
from service.store.days import VIETNAM
from service.store.passages import read_quotes
from service.store.review import Wanted, count_waiting
from service.store.tables import FACETS
from service.ui.alerts import newest_open
from service.ui.memory import Memory
from service.ui.overview_parts import OF_TODAY, PARTS, Ground, PartName, find_limits, span_of
from service.ui.rendering import desk_of, settings_of, templates

_COST = 5  # requests that a part of the figures counts for
_ALERTS = 3
_PAGE_DOCUMENTS = 20
_QUOTE_CHARS = 280
_LONGEST = timedelta(days=2 * 366)
_YEARS = (2000, 2100)
_ONE, _WEEK = timedelta(days=1), timedelta(days=7)
_DAYS_PLACE = "khoang"  # where the form stands in the page
_PRESET_WEEKS = (4, 12, 26, 52)

router = APIRouter(include_in_schema=False)
_Day = Annotated[str, Query(max_length=20)]


@dataclass(frozen=True, slots=True)
class Asked:
    """The days that were asked for, the last one included; what was written stays in the form.

    `is_wrong` where they are no days: then it is the twelve last weeks.
    """

    period: Period
    day_from: str
    day_to: str
    is_usual: bool
    is_wrong: bool = False

    @property
    def last(self) -> date:
        """The last day."""
        return self.period.day_to - _ONE

    @property
    def address(self) -> str:
        """These days as an address has them; empty where they are the usual ones."""
        if self.is_usual:
            return ""
        return urlencode({"from": self.period.day_from.isoformat(), "to": self.last.isoformat()})


def read_days(day_from: str, day_to: str, *, now: datetime) -> Asked:
    """The days of a form, both empty for the twelve last whole weeks."""
    monday = this_monday(now)
    usual = Period(monday - 12 * _WEEK, monday)
    if not day_from and not day_to:
        return Asked(usual, str(usual.day_from), str(usual.day_to - _ONE), is_usual=True)
    last = _read(day_to) if day_to else usual.day_to - _ONE
    first = _read(day_from) if day_from else (last and last + _ONE - 12 * _WEEK)
    if first is None or last is None or not timedelta(0) <= last - first <= _LONGEST:
        return Asked(usual, day_from, day_to, is_usual=True, is_wrong=True)
    return Asked(Period(first, last + _ONE), str(first), str(last), is_usual=False)


def _read(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if _YEARS[0] <= day.year < _YEARS[1] else None


@router.get("/", dependencies=[needs("read")])
def show_overview(
    request: Request,
    caller: TheCaller,
    day_from: Annotated[_Day, Query(alias="from")] = "",
    day_to: Annotated[_Day, Query(alias="to")] = "",
    whole: Annotated[str, Query(max_length=5)] = "",
) -> Response:
    """What is cheap to know; `whole` has the figures in it, for who has no script."""
    desk, k = desk_of(request), settings_of(request).min_group
    now = desk.now()
    asked = read_days(day_from, day_to, now=now)
    with desk.engine.connect() as connection:
        alerts = newest_open(connection, k=k, limit=_ALERTS + 1)
        waiting = count_waiting(connection, Wanted(caller.name, FACETS))
    parts = {name: _part(request, name, asked=asked, now=now) for name in PARTS} if whole else {}
    context = {
        "asked": asked,
        "presets": [(name, _address(own), own == asked.period) for name, own in _presets(now)],
        "names": tuple(PARTS),
        "parts": parts,
        "alerts": alerts[:_ALERTS],
        "has_more_alerts": len(alerts) > _ALERTS,
        "waiting": waiting,
        "k": k,
        "span_of": span_of,
    }
    status = 422 if asked.is_wrong else 200
    return templates.TemplateResponse(request, "overview.html", context, status_code=status)


@router.get("/overview/figures", dependencies=[needs("read", cost=_COST)])
def show_figures(
    request: Request,
    part: PartName,
    day_from: Annotated[_Day, Query(alias="from")] = "",
    day_to: Annotated[_Day, Query(alias="to")] = "",
) -> Response:
    """One part of the figures, which the page puts into its place."""
    now = desk_of(request).now()
    asked = _checked(day_from, day_to, now=now)
    context = {
        "name": part,
        "parts": {part: _part(request, part, asked=asked, now=now)},
        "asked": asked,
        "k": settings_of(request).min_group,
        "span_of": span_of,
    }
    return templates.TemplateResponse(request, "overview_part.html", context)


@router.get("/overview/limitations", dependencies=[needs("read", cost=_COST)])
def show_limitations(
    request: Request,
    area: Annotated[str, Query(pattern=r"^[A-Za-z0-9_.]{0,32}$")] = "",
    day_from: Annotated[_Day, Query(alias="from")] = "",
    day_to: Annotated[_Day, Query(alias="to")] = "",
    skip: Annotated[int, Query(ge=0, le=10_000)] = 0,
) -> Response:
    """The documents that speak of limitations in a task area, and where they do; none for no area."""
    desk = desk_of(request)
    now = desk.now()
    asked = _checked(day_from, day_to, now=now)
    found = find_limits(_ground(request, asked, now=now))
    documents = [
        (document, own)
        for document in found.documents
        if (own := [one for one in document.passages if area in (one.areas or ("",))])
    ]
    page = documents[skip : skip + _PAGE_DOCUMENTS]
    with desk.engine.connect() as connection:
        quotes = read_quotes(connection, [document for document, _ in page], n_chars=_QUOTE_CHARS)
    next_skip = skip + _PAGE_DOCUMENTS
    days = {"from": str(asked.period.day_from), "to": str(asked.last)}
    older = urlencode({"area": area, **days, "skip": next_skip})
    context = {
        "area": area,
        "asked": asked,
        "documents": page,
        "quotes": quotes,
        "n_documents": len(documents),
        "n_read": found.n_read,
        "is_all": found.is_all,
        "older": f"/overview/limitations?{older}" if next_skip < len(documents) else None,
        "taxonomy": desk.pipeline.taxonomy,
    }
    return templates.TemplateResponse(request, "overview_limitations.html", context)


def _checked(day_from: str, day_to: str, *, now: datetime) -> Asked:
    asked = read_days(day_from, day_to, now=now)
    if asked.is_wrong:
        raise InputError("`from` and `to` are days, the first one first, at most two years apart")
    return asked


def _presets(now: datetime) -> Iterator[tuple[str, Period]]:
    """Days that are often asked for, by what they are called: months of the calendar, then whole weeks."""
    today, monday = now.astimezone(VIETNAM).date(), this_monday(now)
    first = today.replace(day=1)
    yield say("overview.period_this_month"), Period(first, today + _ONE)
    yield say("overview.period_last_month"), Period((first - _ONE).replace(day=1), first)
    for n in _PRESET_WEEKS:
        yield say("overview.period_weeks", n=n), Period(monday - n * _WEEK, monday)


def _address(period: Period) -> str:
    days = {"from": str(period.day_from), "to": str(period.day_to - _ONE)}
    return f"/?{urlencode(days)}#{_DAYS_PLACE}"


def _ground(request: Request, asked: Asked, *, now: datetime) -> Ground:
    settings = settings_of(request)
    tomorrow = now.astimezone(VIETNAM).date() + _ONE
    return Ground(
        desk=desk_of(request),
        registers=settings.corpus_folder / "registers",
        k=settings.min_group,
        period=asked.period,
        # what was handed in today is of the usual days too
        documents_to=max(tomorrow, asked.period.day_to) if asked.is_usual else asked.period.day_to,
        now=now,
    )


def _part(request: Request, name: PartName, *, asked: Asked, now: datetime) -> dict[str, Any]:
    """What the template of a part shows; worked out once for all who ask within minutes."""
    memory: Memory = request.app.state.memory
    ground = _ground(request, asked, now=now)
    today = now.astimezone(VIETNAM).date()
    key = (name, today) if name in OF_TODAY else (name, ground.period, ground.documents_to)
    shown, made_at = memory.recall(key, lambda: PARTS[name](ground), now=now)
    return {**shown, "made_at": made_at, "taxonomy": ground.desk.pipeline.taxonomy}

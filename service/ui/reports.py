"""Báo cáo: figures of a period as a page and as files.

What is asked for stands in the address, the letterhead of a Word file too: nothing of it is stored. The form
comes at once and says what is wrong with it; the report follows, as it may take seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from nlp.errors import InputError
from nlp.gazetteer import MentionKind
from service.access import TheCaller, needs
from service.auth import Caller
from service.formats import show_day
from service.journal import Journal
from service.messages import say
from service.monitor.periods import Period
from service.reports.asked import (
    FILTERS,
    PARTS,
    STRETCHES,
    USUAL_PARTS,
    Asked,
    Stretch,
    Unclear,
    find_code,
    find_days,
    full_name,
)
from service.reports.compose import make_report
from service.reports.facts import Ground
from service.reports.files import MEDIA_TYPES, Ending, file_name, write_file
from service.reports.letterhead import FORMS, LINES, LONGEST_LINE, read_letterhead
from service.reports.report import Chart, Report, show_share
from service.store.days import VIETNAM
from service.store.places import list_named
from service.ui.charts import Colour, Series, chart
from service.ui.choices import Choices, choices_of_opinions, name_of
from service.ui.memory import Memory
from service.ui.rendering import desk_of, settings_of, templates

_MOST_WARDS = 300  # to choose from
_COST = 5  # requests that one counts for: it reads two periods
_WHOLE = "whole"  # asks for the report within the page, for who has no script
_FORM = "form_sent"  # says that a form was sent, so that no part ticked means none
_TYPED = ("stretch", "from", "to", *FILTERS)
_BY_NAME: Mapping[str, MentionKind] = {"ward": "ward", "body": "body"}
_COLOURS: tuple[Colour, ...] = ("bad", "quiet", "good", "do")

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form, as it was written."""

    fields: Mapping[str, str]
    parts: tuple[str, ...]

    def address(self, path: str = "/reports", **changes: str) -> str:
        """The same form under a path, with some fields changed; empty ones are left out."""
        fields = {**self.fields, **changes}
        pairs = [(name, value) for name, value in fields.items() if value]
        pairs += [("part", part) for part in self.parts]
        return f"{path}?{urlencode([*pairs, (_FORM, '1')])}"


@router.get("/reports", dependencies=[needs("read", cost=_COST)])
def show_reports(request: Request, caller: TheCaller) -> Response:
    """The form; `whole` has the report that it asks for in it."""
    typed = _typed(request)
    try:
        asked = _asked(request, typed)
        report = _report(request, asked) if typed.fields[_WHOLE] else None
    except InputError as error:
        return _page(request, typed, error=error)
    if report:
        _note(request, report, caller=caller, what="page")
    return _page(request, typed, report=report)


@router.get("/reports/figures", dependencies=[needs("read", cost=_COST)])
def show_figures(request: Request, caller: TheCaller) -> Response:
    """The report that a form asks for, which the page puts below it."""
    typed = _typed(request)
    try:
        report = _report(request, _asked(request, typed))
    except InputError as error:
        context = {"wrong": _wrong(error)}
        return templates.TemplateResponse(request, "reports_wrong.html", context, status_code=422)
    _note(request, report, caller=caller, what="page")
    context = _context(request, typed, report=report)
    return templates.TemplateResponse(request, "reports_figures.html", context)


@router.get("/reports/report.{ending}", dependencies=[needs("read", cost=_COST)])
def get_report(request: Request, caller: TheCaller, ending: Ending) -> Response:
    """The report as a file; a form that cannot be read comes back."""
    typed = _typed(request)
    try:
        report = _report(request, _asked(request, typed))
    except InputError as error:
        return _page(request, typed, error=error)
    data = write_file(
        report, ending, head=read_letterhead({**typed.fields, "body": typed.fields["body_name"]})
    )
    _note(request, report, caller=caller, what=ending)
    disposition = f'attachment; filename="{file_name(report, ending)}"'
    return Response(
        data, media_type=MEDIA_TYPES[ending], headers={"content-disposition": disposition}
    )


def _note(request: Request, report: Report, *, caller: Caller, what: str) -> None:
    """Files are noted in the access log, and pages that quote opinions."""
    has_quotes = any(section.quotes for section in report.sections)
    if what == "page" and not has_quotes:
        return
    period = report.asked.period
    quoting = ":quotes" if has_quotes else ""
    journal: Journal = request.app.state.journal
    journal.note(
        caller,
        action="report.fetched",
        subject=f"{period.day_from}:{period.day_to}:{what}{quoting}",
        now=desk_of(request).now(),
    )


def _typed(request: Request) -> Typed:
    """What the address asks for; without a form that was sent the usual parts."""
    given = request.query_params
    names = dict.fromkeys((*_TYPED, "form", "dated", "body_name", *LINES, _WHOLE))
    fields = {name: given.get(name, "")[: 2 * LONGEST_LINE].strip() for name in names}
    if fields["from"] or fields["to"]:  # whoever fills in a day means it
        fields["stretch"] = "days"
    elif fields["stretch"] not in STRETCHES:
        fields["stretch"] = STRETCHES[0]
    is_sent = _FORM in given
    parts = [part for part in PARTS if part in given.getlist("part")]
    return Typed(fields, tuple(parts) if is_sent or parts else USUAL_PARTS)


def _asked(request: Request, typed: Typed) -> Asked:
    """The form as a report takes it.

    Raises:
        Unclear: a day or a place is none.
    """
    desk = desk_of(request)
    stretch = next(own for own in STRETCHES if own == typed.fields["stretch"])
    days: dict[str, date | None] = {}
    if stretch == "days":
        days = {name: _day(typed.fields[field], field) for name, field in _DAYS.items()}
    period, before = find_days(stretch, today=_today(request), **days)
    choices = choices_of_opinions(desk, province=None)
    filters = {}
    for name in FILTERS:
        if text := typed.fields[name]:
            filters[name] = _code(text, name, choices=choices, request=request)
    parts = tuple(part for part in PARTS if part in typed.parts)
    return Asked(stretch, period, before, filters, parts)


_DAYS = {"first": "from", "last": "to"}


def _today(request: Request) -> date:
    return desk_of(request).now().astimezone(VIETNAM).date()


def _day(text: str, field: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Unclear("this is no day", reason="day_wrong", place=field) from error


def _code(text: str, name: str, *, choices: Choices, request: Request) -> str:
    """The code that is meant; places and bodies may be given by name."""
    if name in _BY_NAME:
        kind, places = _BY_NAME[name], desk_of(request).rules.gazetteer
        known = _named(request) if kind == "ward" else ()
        return find_code(text, kind, places=places, known=known)
    if name_of(choices, name, code=text) is None:
        raise Unclear("there is no such choice", reason="choice_unknown", place=name)
    return text


def _named(request: Request) -> tuple[str, ...]:
    """The wards that opinions name, but for those that too few do."""
    desk, k = desk_of(request), settings_of(request).min_group

    def read() -> tuple[str, ...]:
        with desk.engine.connect() as connection:
            return list_named(connection, "ward", at_least=k, limit=_MOST_WARDS)

    memory: Memory = request.app.state.memory
    named, _ = memory.recall(("wards", k), read, now=desk.now())
    return named


def _report(request: Request, asked: Asked) -> Report:
    """The report, worked out once for all who ask within minutes; one with quotes is not kept."""
    desk = desk_of(request)
    ground = Ground(
        engine=desk.engine,
        taxonomy=desk.pipeline.taxonomy,
        places=desk.rules.gazetteer,
        k=settings_of(request).min_group,
        now=desk.now(),
    )
    if "examples" in asked.parts:
        return make_report(ground, asked)
    key = ("report", asked.stretch, asked.period, tuple(sorted(asked.filters.items())), asked.parts)
    memory: Memory = request.app.state.memory
    report, _ = memory.recall(key, lambda: make_report(ground, asked), now=ground.now)
    return report


def _page(
    request: Request,
    typed: Typed,
    *,
    report: Report | None = None,
    error: InputError | None = None,
) -> Response:
    context = _context(request, typed, report=report) | {
        "choices": choices_of_opinions(desk_of(request), province=None),
        "stretches": _stretches(today=_today(request)),
        "parts": PARTS,
        "forms": FORMS,
        "ward_name": _ward_name(request, typed),
        "wards": _wards(request),
        "is_narrowed": any(typed.fields[name] for name in FILTERS),
        "wrong": _wrong(error),
        "longest": LONGEST_LINE,
    }
    status = 422 if error else 200
    return templates.TemplateResponse(request, "reports.html", context, status_code=status)


def _context(request: Request, typed: Typed, *, report: Report | None) -> dict[str, Any]:
    """What shows a report. `Any`: what templates use."""
    return {
        "typed": typed,
        "report": report,
        "k": settings_of(request).min_group,
        "scope": _scope(typed, report),
        "charts": _charts(report) if report else {},
        "show_share": show_share,
    }


def _stretches(*, today: date) -> list[tuple[Stretch, str]]:
    """What the form offers, each with its days."""
    return [
        (one, "" if one == "days" else _span(find_days(one, today=today)[0], today=today))
        for one in STRETCHES
    ]


def _span(period: Period, *, today: date) -> str:
    """The first and the last day of a stretch, short enough for a choice on a phone."""
    first, last = period.day_from, period.day_to - timedelta(days=1)
    end = f"{last:%d/%m}" if last.year == today.year else show_day(last)
    if first == last:
        return end
    return f"{first:%d/%m}–{end}" if first.year == last.year else f"{show_day(first)}–{end}"


def _wrong(error: InputError | None) -> dict[str, str] | None:
    """What was wrong in words, and the field at fault."""
    if isinstance(error, Unclear):
        is_alone = error.reason == "place_unknown" and not error.values["names"]
        reason = "place_nowhere" if is_alone else error.reason
        return {"place": error.place, "text": say(f"reports.{reason}", **error.values)}
    return {"place": "stretch", "text": say("reports.too_many")} if error else None


def _scope(typed: Typed, report: Report | None) -> list[tuple[str, str, str]]:
    """What the report is narrowed to, each with the address of the report without it."""
    if report is None:
        return []
    words = zip(report.asked.filters, report.scope, strict=True)
    return [(name, value, typed.address(**{code: ""})) for code, (name, value) in words]


def _ward_name(request: Request, typed: Typed) -> str:
    """What the form shows for a ward: its name where its code is asked for, else what was typed."""
    return full_name("ward", typed.fields["ward"], places=desk_of(request).rules.gazetteer)


def _wards(request: Request) -> list[str]:
    """Names to choose from."""
    places = desk_of(request).rules.gazetteer
    return [full_name("ward", code, places=places) for code in _named(request)]


def _charts(report: Report) -> dict[str, dict[str, Any]]:
    """The charts of the report as `static/charts.js` takes them, by their titles. `Any`: JSON."""
    charts = (own for section in report.sections for own in section.charts)
    return {own.title: _chart(own, k=report.k) for own in charts}


def _chart(own: Chart, *, k: int) -> dict[str, Any]:
    """One chart; its numbers are links in the table below it."""
    nowhere = (None,) * len(own.labels)
    if own.kind == "time":
        series = [Series(bar.name, "primary", bar.counts, nowhere) for bar in own.bars]
        return chart("lines", own.title, labels=own.labels, series=series, k=k)
    coloured = zip(own.bars, _COLOURS, strict=True)
    series = [Series(bar.name, colour, bar.counts, nowhere) for bar, colour in coloured]
    return chart("bars", own.title, labels=own.labels, series=series, k=k)

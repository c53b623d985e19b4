"""Cảnh báo: rises that were found, why, some opinions of each, and who has looked at them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import APIRouter, Form, Path, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from nlp.privacy import mask
from service.access import TheCaller, needs
from service.jobs import watch
from service.monitor.alerts import find_examples, list_of, rise_of, words
from service.store.alerts import Alert, AlertQuery, State, find_alert, list_alerts
from service.store.errors import Conflict
from service.ui.rendering import desk_of, settings_of, templates

_PAGE_ALERTS = 20
_NOTE_CHARS = 2_000
_ID = r"^[0-9a-f]{32}$"
_AlertId = Annotated[str, Path(pattern=_ID)]

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Shown:
    """An alert as the pages have it: what was noted is masked by the rules of today."""

    alert: Alert
    reason: str
    list: str
    note: str | None


def shown(alerts: Sequence[Alert], *, k: int) -> tuple[Shown, ...]:
    """Alerts with their reasons and lists."""
    return tuple(
        Shown(
            alert,
            rise_of(alert, k=k),
            list_of(alert).replace("/v1/", "/", 1),
            mask(alert.note) if alert.note else None,
        )
        for alert in alerts
    )


def newest_open(connection: sa.Connection, *, k: int, limit: int) -> tuple[Shown, ...]:
    """The newest alerts that nobody has looked at."""
    return shown(list_alerts(connection, AlertQuery("open", at_least=k, limit=limit)), k=k)


@router.get("/alerts", dependencies=[needs("read")])
def show_alerts(
    request: Request,
    state: State | Literal[""] = "",
    cursor: Annotated[str | None, Query(pattern=_ID)] = None,
) -> Response:
    """Alerts, newest first."""
    k = settings_of(request).min_group
    query = AlertQuery(state or None, at_least=k, cursor=cursor, limit=_PAGE_ALERTS + 1)
    with desk_of(request).engine.connect() as connection:
        found = list_alerts(connection, query)
    older = None
    if len(found) > _PAGE_ALERTS:
        asked = {"state": state, "cursor": found[_PAGE_ALERTS - 1].id}
        older = f"/alerts?{urlencode({name: one for name, one in asked.items() if one})}"
    context = {
        "alerts": shown(found[:_PAGE_ALERTS], k=k),
        "state": state,
        "is_first": cursor is None,
        "older": older,
        "caveat": words()["caveat"],
    }
    return templates.TemplateResponse(request, "overview_alerts.html", context)


@router.get("/alerts/{alert_id}", dependencies=[needs("read")])
def show_alert(request: Request, alert_id: _AlertId) -> Response:
    """One alert with some of its opinions."""
    return _alert_page(request, alert_id)


@router.post("/alerts/{alert_id}/acknowledge", dependencies=[needs("review")])
def acknowledge(
    request: Request, caller: TheCaller, alert_id: _AlertId, note: Annotated[str, Form()] = ""
) -> Response:
    """Say that somebody has looked; what was written is not lost where that fails."""
    written = note.strip()
    if len(written) > _NOTE_CHARS:
        return _alert_page(request, alert_id, problem="note_long", note=written, status=422)
    desk = desk_of(request)
    try:
        watch.acknowledge(
            desk.engine,
            alert_id,
            by=caller,
            note=written or None,
            at_least=settings_of(request).min_group,
            now=desk.now(),
        )
    except Conflict:
        return _alert_page(request, alert_id, problem="seen_meanwhile", note=written, status=409)
    return RedirectResponse(f"/alerts/{alert_id}?told=acknowledged", status_code=303)


def _alert_page(
    request: Request, alert_id: str, *, problem: str = "", note: str = "", status: int = 200
) -> Response:
    """The page of an alert; `problem` names what went wrong with the form, `note` what stood in it.

    Raises:
        NotFound: no alert has this id, or it is of too few opinions.
    """
    desk, k = desk_of(request), settings_of(request).min_group
    with desk.engine.connect() as connection:
        alert = find_alert(connection, alert_id, at_least=k)
    [one] = shown([alert], k=k)
    context: dict[str, Any] = {  # what the template shows
        "one": one,
        "examples": find_examples(desk.engine, alert),
        "caveat": words()["caveat"],
        "problem": problem,
        "note": note,
        "note_chars": _NOTE_CHARS,
    }
    return templates.TemplateResponse(request, "overview_alert.html", context, status_code=status)

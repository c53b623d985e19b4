"""`/v1/alerts`: rises that were found, and who has looked at them."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from service.access import TheCaller, needs
from service.actions import Desk
from service.api.desk import TheDesk, TheSettings, takes
from service.api.problems import problems
from service.jobs import watch
from service.monitor.alerts import (
    find_examples,
    likelihood_of,
    list_of,
    reason_of,
    words,
)
from service.monitor.suppression import disclose
from service.schemas import Day, Limit
from service.store.alerts import (
    Alert,
    AlertQuery,
    SeriesKind,
    State,
    find_alert,
    list_alerts,
)

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])
_ID = r"^[0-9a-f]{32}$"
_PLAIN = (
    *("id", "label", "day", "last_day", "n_days", "left_out", "state"),
    *("raised_at", "acknowledged_at", "acknowledged_by", "note"),
)
_AlertId = Annotated[str, Path(pattern=_ID)]


class AlertFilter(BaseModel):
    """Which alerts; `from` and `to` are of the day that raised them, the end exclusive."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: State | None = None
    day_from: Day | None = Field(None, alias="from")
    day_to: Day | None = Field(None, alias="to")
    limit: Limit = 50
    cursor: Annotated[
        str | None, Field(pattern=_ID, description="`next_cursor` of the page before; opaque")
    ] = None


class NoteIn(BaseModel):
    """What whoever has looked says to the others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    note: str | None = Field(None, max_length=2000, description="kept masked")


class AlertOut(BaseModel):
    """A rise; counts are rounded to multiples of the smallest group that is told."""

    id: str
    kind: SeriesKind
    code: str | None
    sentiment: Literal["negative"] | None
    label: str
    day: date = Field(description="the day in Vietnam that raised it")
    last_day: date = Field(description="the last day on which it was still high")
    n_days: int = Field(description="1: of this day alone; 7: of the seven days up to it")
    observed: int | None
    expected: int | None = Field(description="null: less than the smallest group that is told")
    likelihood: str
    reason: str
    left_out: tuple[str, ...] = Field(description="sources that are not counted in it")
    opinions: str = Field(description="where the opinions are listed")
    state: State
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None


class ExampleOut(BaseModel):
    """An opinion among those counted."""

    id: str
    excerpt: str


class AlertDetailOut(AlertOut):
    """A rise with up to five of its opinions, none of which says the same as another."""

    examples: list[ExampleOut]


class AlertPage(BaseModel):
    """Some alerts and the cursor of the next page; null on the last."""

    alerts: list[AlertOut]
    next_cursor: str | None
    caveat: str


@router.get("", responses=problems(422), dependencies=[needs("read")])
def get_alerts(
    desk: TheDesk, settings: TheSettings, asked: Annotated[AlertFilter, Query()]
) -> AlertPage:
    """Alerts, newest first."""
    k = settings.min_group
    more = {**asked.model_dump(), "limit": asked.limit + 1, "at_least": k}
    with desk.engine.connect() as connection:
        found = list_alerts(connection, AlertQuery(**more))
    shown = found[: asked.limit]
    return AlertPage(
        alerts=[_shown(alert, k=k) for alert in shown],
        next_cursor=shown[-1].id if len(found) > len(shown) else None,
        caveat=words()["caveat"],
    )


@router.get("/{alert_id}", responses=problems(404, 422), dependencies=[needs("read")])
def get_alert(desk: TheDesk, settings: TheSettings, alert_id: _AlertId) -> AlertDetailOut:
    """One alert, with some of the opinions in it."""
    k = settings.min_group
    with desk.engine.connect() as connection:
        alert = find_alert(connection, alert_id, at_least=k)
    return _detail(desk, alert, k=k)


@router.post(
    "/{alert_id}/acknowledge",
    responses=problems(400, 404, 409, 413, 415, 422),
    dependencies=[needs("review"), Depends(takes("application/json"))],
)
def acknowledge(
    desk: TheDesk, settings: TheSettings, caller: TheCaller, alert_id: _AlertId, body: NoteIn
) -> AlertDetailOut:
    """Say that somebody has looked. A source counts in other series again from the next look on."""
    k = settings.min_group
    alert = watch.acknowledge(
        desk.engine, alert_id, by=caller, note=body.note, at_least=k, now=desk.now()
    )
    return _detail(desk, alert, k=k)


def _detail(desk: Desk, alert: Alert, *, k: int) -> AlertDetailOut:
    examples = [
        ExampleOut(id=one.id, excerpt=one.excerpt) for one in find_examples(desk.engine, alert)
    ]
    return AlertDetailOut(**_shown(alert, k=k).model_dump(), examples=examples)


def _shown(alert: Alert, *, k: int) -> AlertOut:
    plain = {name: getattr(alert, name) for name in _PLAIN}
    return AlertOut(
        **plain,
        kind=alert.series.kind,
        code=alert.series.code or None,
        sentiment="negative" if alert.series.negative else None,
        observed=disclose(alert.observed, k=k),
        expected=disclose(round(alert.expected), k=k),
        likelihood=likelihood_of(alert),
        reason=reason_of(alert, k=k),
        opinions=list_of(alert),
    )

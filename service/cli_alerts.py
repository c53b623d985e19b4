"""`danvan alerts`: look for rises, list them, say that somebody has looked."""

from datetime import UTC, date, datetime
from typing import Annotated

import typer
from rich.console import Console

from nlp.errors import DanvanError, InvalidRecord
from service.auth import CONSOLE
from service.monitor.alerts import reason_of
from service.settings import load_settings
from service.store.alerts import AlertQuery, State, list_alerts
from service.store.dialect import opened

app = typer.Typer()
alerts_app = typer.Typer(help="Rises in what people say.", no_args_is_help=True)
app.add_typer(alerts_app, name="alerts")
_out = Console(markup=False, emoji=False, highlight=False)


@alerts_app.command()
def look(
    *,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="the first day, 2026-01-31")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="DAY", help="the last day")] = None,
) -> None:
    """Look now; without days at those since the last look, up to yesterday."""
    from service.assembly import build_context
    from service.jobs.here import carry_out_here
    from service.jobs.kinds import KINDS
    from service.jobs.watch import KIND

    days = {"from": from_, "to": to}
    params = {name: _checked(day) for name, day in days.items() if day is not None}
    settings = load_settings()
    with opened(settings.database_url):
        job = carry_out_here(
            build_context(settings), KIND, params=params, asked_by=CONSOLE.name, kinds=KINDS
        )
    if job.state != "done":
        raise DanvanError(job.reason or f"the job {job.id} is {job.state}")
    _out.print(
        f"{job.result['from']} to {job.result['to']}: {job.result['alerts']} new alerts",
        soft_wrap=True,
    )


@alerts_app.command(name="list")
def list_(
    *,
    state: Annotated[State | None, typer.Option(help="in this state only")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="so many, the newest")] = 20,
) -> None:
    """Show alerts, the newest first."""
    settings = load_settings()
    with opened(settings.database_url) as engine, engine.connect() as connection:
        k = settings.min_group
        query = AlertQuery(state=state, at_least=k, limit=limit)
        for alert in list_alerts(connection, query):
            _out.print(f"{alert.id}  {alert.state}", soft_wrap=True)
            _out.print(f"    {reason_of(alert, k=k)}", soft_wrap=True)


@alerts_app.command()
def acknowledge(
    alert_id: Annotated[str, typer.Argument(help="as `danvan alerts list` shows it")],
    *,
    note: Annotated[str | None, typer.Option(help="what to tell the others; kept masked")] = None,
) -> None:
    """Say that somebody has looked at an alert."""
    from service.jobs import watch

    settings = load_settings()
    with opened(settings.database_url) as engine:
        watch.acknowledge(
            engine,
            alert_id,
            by=CONSOLE,
            note=note,
            at_least=settings.min_group,
            now=datetime.now(UTC),
        )
    _out.print(f"{alert_id} is acknowledged", soft_wrap=True)


def _checked(day: str) -> str:
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError as error:
        raise InvalidRecord("a day is written as 2026-01-31") from error

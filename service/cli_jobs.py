"""The commands around jobs: `danvan worker`, `danvan jobs`."""

import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import orjson
import typer
from rich.console import Console

from service.settings import load_settings
from service.store.dialect import opened
from service.store.jobs import (
    Job,
    JobQuery,
    Progress,
    State,
    cancel_job,
    list_faults,
    list_jobs,
    measure,
    read_job,
    retry_job,
)

app = typer.Typer()
jobs_app = typer.Typer(help="See, cancel and retry jobs.", no_args_is_help=True)
app.add_typer(jobs_app, name="jobs")
_FAULTS_SHOWN = 100
_TITLES = ("id", "kind", "state", "done", "of", "failed", "asked by", "asked at")
_out = Console(markup=False, emoji=False, highlight=False)
_JobId = Annotated[str, typer.Argument(help="as `danvan jobs list` shows it")]


@app.command()
def worker(
    *,
    name: Annotated[
        str | None, typer.Option(help="a name that stays; else the first free one of this host")
    ] = None,
    slots: Annotated[int, typer.Option(min=1, max=64, help="processes to run")] = 1,
    store: Annotated[
        str | None,
        typer.Option(help="sqlite:///FILE or postgresql://...; else DANVAN_DATABASE_URL"),
    ] = None,
    tied: Annotated[bool, typer.Option("--tied", hidden=True)] = False,
) -> None:
    """Carry out jobs until it is told to end."""
    from service.assembly import build_context  # the model's libraries take a second to load
    from service.jobs.crew import COMMAND, run_crew
    from service.jobs.worker import run_worker
    from service.logs import configure_logs

    settings = load_settings(store=store)
    configure_logs(level=settings.log_level, form=settings.log_format)
    if slots > 1:
        names = [["--name", f"{name}-{number}"] if name else [] for number in range(1, slots + 1)]
        # not as an argument: everybody on the machine sees those, and an address may hold a password
        own = {"DANVAN_DATABASE_URL": settings.database_url}
        run_crew([[*COMMAND, *each] for each in names], settings=own)
    else:
        # not by sys.stdin: its lock would be held when the interpreter ends
        until = partial(os.read, 0, 1) if tied else None
        run_worker(build_context(settings), name=name, until=until)


@jobs_app.command(name="list")
def list_(
    *,
    state: Annotated[State | None, typer.Option(help="in this state only")] = None,
    kind: Annotated[str | None, typer.Option(help="of this kind only")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="so many, the newest")] = 20,
) -> None:
    """Show jobs, the newest first."""
    with opened(load_settings().database_url) as engine:
        found = list_jobs(engine, JobQuery(state=state, kind=kind, limit=limit))
        progress = measure(engine, found, now=datetime.now(UTC))
    rows = [_TITLES, *(_row(job, progress[job.id]) for job in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(map(str.ljust, row, widths)).rstrip()
        _out.print(line, soft_wrap=True)


@jobs_app.command()
def show(job_id: _JobId) -> None:
    """Show one job as JSON, with what it set aside."""
    with opened(load_settings().database_url) as engine:
        job = read_job(engine, job_id)
        progress = measure(engine, [job], now=datetime.now(UTC))[job.id]
        faults = list_faults(engine, job.id, limit=_FAULTS_SHOWN)
    whole = {**asdict(job), **asdict(progress), "faults": faults}
    sys.stdout.write(orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode() + "\n")


@jobs_app.command()
def cancel(job_id: _JobId) -> None:
    """End a job; what it has done stays."""
    with opened(load_settings().database_url) as engine:
        cancel_job(engine, job_id, now=datetime.now(UTC))
    _out.print(f"{job_id} is cancelled; `danvan jobs retry` goes on with it", soft_wrap=True)


@jobs_app.command()
def retry(job_id: _JobId) -> None:
    """Go on with a failed or cancelled job."""
    with opened(load_settings().database_url) as engine:
        retry_job(engine, job_id)
    _out.print(f"{job_id} is queued again", soft_wrap=True)


def _row(job: Job, progress: Progress) -> tuple[str, ...]:
    numbers = (progress.n_done, job.n_total, progress.n_failed)
    done, of, failed = ("" if number is None else str(number) for number in numbers)
    asked_at = job.created_at.strftime("%Y-%m-%d %H:%M")
    return (job.id, job.kind, job.state, done, of, failed, job.asked_by, asked_at)

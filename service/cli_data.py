"""The commands about what is stored: `danvan retention`, `danvan export items`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, get_args

import sqlalchemy as sa
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from nlp.errors import DanvanError, InvalidRecord
from nlp.taxonomy import load_packs
from service.item_table import Export, Format, write_items
from service.jobs.files import made_whole
from service.settings import Settings, load_settings
from service.store.dialect import opened
from service.store.rows import count_rows

app = typer.Typer()
export_app = typer.Typer()
app.add_typer(export_app, name="export")
_out = Console(markup=False, emoji=False, highlight=False)
_err = Console(stderr=True, markup=False, emoji=False, highlight=False)
_BAR = (
    SpinnerColumn(),
    TextColumn("{task.description}"),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
)
_FORMATS: Mapping[str, Format] = {f".{name}": name for name in get_args(Format)}
_Asked = typer.Option(help="only these; as the filter of the API")


@app.command()
def retention(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what is due")] = False,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="the clock is right, however long nothing happened")
    ] = False,
) -> None:
    """Erase for good what is past its time. Workers do so by themselves every day."""
    settings = load_settings()
    with opened(settings.database_url) as engine:
        if dry_run:
            _tell_due(engine, settings)
        else:
            _carry_out(settings, confirmed=confirm)


def _tell_due(engine: sa.Engine, settings: Settings) -> None:
    from service.jobs.retention import check_clock
    from service.store.retention import count_due

    now = datetime.now(UTC)
    _tell(count_due(engine, now=now), what="due")
    check_clock(engine, now=now, max_jump_days=settings.retention_max_jump_days)


def _carry_out(settings: Settings, *, confirmed: bool) -> None:
    from service.assembly import build_context  # the model's libraries take a second to load
    from service.jobs.here import carry_out_here
    from service.jobs.kinds import KINDS
    from service.jobs.retention import KIND

    ctx = build_context(settings)
    try:
        params = {"confirmed": True} if confirmed else {}
        job = carry_out_here(ctx, KIND, params=params, asked_by="console", kinds=KINDS)
    finally:
        ctx.engine.dispose()
    if job.state != "done":
        raise DanvanError(job.reason or f"the job {job.id} was {job.state}")
    _tell(job.result["erased"], what="erased")


def _tell(counts: Mapping[str, int], *, what: str) -> None:
    for source, n_items in sorted(counts.items()):
        _out.print(f"{source}: {n_items}", soft_wrap=True)
    _out.print(f"{sum(counts.values())} items {what}", soft_wrap=True)


@export_app.command()
def items(
    out: Annotated[Path, typer.Argument(help="a new .csv, .xlsx or .jsonl")],
    *,
    intake: Annotated[
        Literal["opinion", "document"], typer.Option(help="what is exported")
    ] = "opinion",
    with_text: Annotated[bool, typer.Option("--with-text", help="with the masked texts")] = False,
    q: Annotated[str | None, typer.Option(help="words to search for")] = None,
    kind: Annotated[str | None, _Asked] = None,
    civic_field: Annotated[str | None, _Asked] = None,
    task_area: Annotated[str | None, _Asked] = None,
    sentiment: Annotated[str | None, _Asked] = None,
    intent: Annotated[str | None, _Asked] = None,
    decision: Annotated[str | None, _Asked] = None,
    source: Annotated[str | None, _Asked] = None,
    received_from: Annotated[str | None, _Asked] = None,
    received_to: Annotated[str | None, _Asked] = None,
    dated_from: Annotated[str | None, _Asked] = None,
    dated_to: Annotated[str | None, _Asked] = None,
) -> None:
    """Write stored items with their labels and versions to a file."""
    asked = {
        "q": q,
        "kind": kind,
        "civic_field": civic_field,
        "task_area": task_area,
        "sentiment": sentiment,
        "intent": intent,
        "decision": decision,
        "source": source,
        "received_from": received_from,
        "received_to": received_to,
        "dated_from": dated_from,
        "dated_to": dated_to,
    }
    if out.suffix.lower() not in _FORMATS:
        raise typer.BadParameter("the name must end in .csv, .xlsx or .jsonl")
    export = _export(out, asked, intake=intake, with_text=with_text)
    settings = load_settings()
    packs = load_packs(settings.corpus_folder / "taxonomies")
    with (
        opened(settings.database_url) as engine,
        Progress(*_BAR, console=_err, transient=True) as progress,
        made_whole(out) as file,
    ):
        bar = progress.add_task("items", total=count_rows(engine, export.query))
        counts = write_items(
            engine,
            export,
            out=file,
            packs=packs,
            now=datetime.now(UTC),
            report=lambda n_rows: progress.advance(bar, n_rows),
        )
    _err.print(f"{sum(counts.values())} items in {out}", soft_wrap=True)


def _export(out: Path, asked: Mapping[str, str | None], *, intake: str, with_text: bool) -> Export:
    from service.faults import describe
    from service.schemas import DocumentScope, OpinionScope, to_query

    given = {name: value for name, value in asked.items() if value is not None}
    scope = DocumentScope if intake == "document" else OpinionScope
    try:
        query = to_query(scope.model_validate(given))
    except ValidationError as error:
        raise InvalidRecord(describe(error)) from error
    return Export(_FORMATS[out.suffix.lower()], query, with_text)

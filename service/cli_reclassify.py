"""The commands around re-classification: `danvan reclassify start|status|diff|promote|rollback|discard`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import orjson
import sqlalchemy as sa
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from nlp.errors import InputError
from service import reclassifying
from service.reclassifying import Archive, Reclassification, Wish
from service.settings import load_settings
from service.store.diff import Change, Shown
from service.store.errors import NotMigrated
from service.store.query import LabelFilter, Query
from service.store.tables import FACETS

app = typer.Typer()
reclassify_app = typer.Typer(
    help="Read the archive again with another model.", no_args_is_help=True
)
app.add_typer(reclassify_app, name="reclassify")
_OPERATOR = "danvan"  # who asks, in the log of jobs
_POLL_S = 0.5
_OPEN = {"queued", "running"}
_out = Console(markup=False, emoji=False, highlight=False)
_err = Console(stderr=True, markup=False, emoji=False, highlight=False)
_Id = Annotated[str, typer.Argument(metavar="ID", help="as `start` and `status` print it")]
_Json = Annotated[bool, typer.Option("--json", help="as JSON")]


class FacetName(StrEnum):
    """A question that a run answers."""

    task_area = "task_area"
    civic_field = "civic_field"
    sentiment = "sentiment"
    intent = "intent"


@reclassify_app.command()
def start(
    *,
    model: Annotated[str, typer.Option(help="NAME or NAME@VERSION")] = "default",
    q: Annotated[str | None, typer.Option(help="only texts with these words")] = None,
    source: Annotated[str | None, typer.Option(help="only of this source")] = None,
    kind: Annotated[str | None, typer.Option(help="only official or opinion")] = None,
    label: Annotated[
        list[str] | None, typer.Option(help="only with FACET=CODE, also a decision; repeatable")
    ] = None,
    item: Annotated[
        list[str] | None, typer.Option("--id", help="only this item; repeatable")
    ] = None,
    received_from: Annotated[datetime | None, typer.Option(help="from this moment, UTC")] = None,
    received_to: Annotated[datetime | None, typer.Option(help="before this moment, UTC")] = None,
    affected: Annotated[
        bool, typer.Option("--affected", help="only what a change of the taxonomy concerns")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="keep nothing, only count")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="stay until it is done")] = False,
) -> None:
    """Order a re-classification; a worker (`danvan serve`, `danvan worker`) carries it out."""
    query = Query(
        text=q,
        source=source,
        kind=kind,
        labels=tuple(_label(given) for given in label or ()),
        ids=tuple(item) if item else None,
        received_from=_utc(received_from),
        received_to=_utc(received_to),
    )
    with _archive() as archive:
        wish = Wish(model, query, _OPERATOR, affected=affected, dry_run=dry_run)
        found = reclassifying.start(archive, wish)
        _out.print(found.job.id)
        if watch:
            _watch(archive, found)


@reclassify_app.command()
def status(
    job_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="all when left out")] = None,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="stay until it is done")] = False,
) -> None:
    """How far re-classifications are, and which are promoted."""
    with _archive() as archive:
        if job_id is None:
            _show_all(reclassifying.look_at_all(archive))
            return
        found = reclassifying.look(archive, job_id)
        if watch:
            found = _watch(archive, found)
        _show_all([found])


@reclassify_app.command()
def diff(
    job_id: _Id,
    *,
    facet: Annotated[FacetName | None, typer.Option(help="also list items of this facet")] = None,
    old: Annotated[str | None, typer.Option(help="only from this label or decision")] = None,
    new: Annotated[str | None, typer.Option(help="only to this label or decision")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="items to list")] = 10,
    json: _Json = False,
) -> None:
    """What a re-classification changes: from label to label, and with --facet item by item."""
    with _archive() as archive:
        facets = FACETS if facet is None else (facet.value,)
        found = reclassifying.compare(archive, job_id, facets=facets)
        listed: tuple[Change, ...] = ()
        if facet is not None and reclassifying.look(archive, job_id).run is not None:
            shown = Shown(facet.value, old, new, None, limit)
            listed = reclassifying.changes(archive, job_id, shown=shown)
    if json:
        typer.echo(orjson.dumps({"diff": found, "changes": listed}).decode())
        return
    table = Table("facet", "old", "new", "items")
    for step in found.transitions:
        if step.old != step.new:
            table.add_row(step.facet, step.old, step.new, str(step.n_items))
    _out.print(table)
    for agreed in found.agreement:
        if agreed.n_corrected:
            _out.print(
                f"{agreed.facet}: as people said {agreed.n_old_right} before, {agreed.n_new_right}"
                f" after, of {agreed.n_corrected} corrected"
            )
    for change in listed:
        before = (
            " ".join(change.old.answer.codes) or change.old.answer.decision if change.old else "-"
        )
        after = " ".join(change.new.answer.codes) or change.new.answer.decision
        mark = " (corrected by a person)" if change.corrected else ""
        _out.print(f"{change.id} {before} > {after}{mark}: {change.excerpt}", soft_wrap=True)


@reclassify_app.command()
def promote(
    job_id: _Id,
    *,
    facet: Annotated[
        list[FacetName] | None, typer.Option(help="only this facet; repeatable")
    ] = None,
) -> None:
    """Let every view read it from now on, in one step; corrections stay on top."""
    facets = [one.value for one in facet] if facet else FACETS
    with _archive() as archive:
        _show_all([reclassifying.put_on_top(archive, job_id, facets=facets, made_by=_OPERATOR)])


@reclassify_app.command()
def rollback(job_id: _Id) -> None:
    """Go back to what views read before, in one step; corrections stay on top."""
    with _archive() as archive:
        _show_all([reclassifying.take_back(archive, job_id, made_by=_OPERATOR)])


@reclassify_app.command()
def discard(job_id: _Id) -> None:
    """Erase the answers of one that is not promoted, to make room."""
    with _archive() as archive:
        _show_all([reclassifying.discard(archive, job_id)])


@contextmanager
def _archive() -> Iterator[Archive]:
    from service.assembly import open_archive  # the model's libraries take a second to load

    archive = open_archive(load_settings())
    try:
        yield archive
    except sa.exc.DatabaseError as error:
        raise NotMigrated("the database is not ready; run `danvan migrate`") from error
    finally:
        archive.engine.dispose()


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _label(given: str) -> LabelFilter:
    facet, _, code = given.partition("=")
    if facet not in FACETS or not code:
        raise InputError(
            f"--label {given}: write FACET=CODE, where FACET is one of {', '.join(FACETS)}"
        )
    return LabelFilter(facet, code)


def _watch(archive: Archive, found: Reclassification) -> Reclassification:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=_err, transient=True) as progress:
        bar = progress.add_task("texts", total=None)
        while found.job.state in _OPEN:
            done = found.progress.n_done + found.progress.n_failed
            progress.update(bar, completed=done, total=found.job.n_total)
            time.sleep(_POLL_S)
            found = reclassifying.look(archive, found.job.id)
    if found.job.state == "failed":
        raise InputError(f"it failed: {found.job.reason}")
    return found


def _show_all(some: list[Reclassification] | tuple[Reclassification, ...]) -> None:
    table = Table("id", "state", "model", "done", "of", "a second", "facets")
    for found in some:
        progress, run = found.progress, found.run
        table.add_row(
            found.job.id,
            found.state + (" (dry run)" if found.job.params["dry_run"] else ""),
            found.job.params["model"],
            str(progress.n_done),
            "?" if found.job.n_total is None else str(found.job.n_total),
            "" if progress.per_second is None else f"{progress.per_second:.0f}",
            " ".join(run.active) if run else "",
        )
    _out.print(table)

"""Erasing: items past their time, one item at once, and rows that are of no use any more.

`erase` is the one function that takes items away, and it takes away everything that is kept of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from service.store import spool, tables
from service.store.dialect import lock_stack, write_anew, writing
from service.store.errors import StoreError
from service.store.search import purge_index, unindex
from service.store.traits import erase_traits

BATCH = 400  # items in one transaction: a tenth of a second in which other writers wait
_JOBS_KEPT = timedelta(days=90)
_SPOOL_KEPT = timedelta(days=7)
_ENDED = ("done", "failed", "cancelled")
_OF_ITEMS = (
    "items",
    "analyses",
    "answers",
    "label_index",
    "corrections",
    "pictures",
    "traits",
    "repost_buckets",
    "mentions",
    "item_search",
    "restricted",
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some items of one source whose time is over."""

    source: str = ""
    seqs: Sequence[int] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows were of no use any more."""

    jobs: int
    sessions: int
    files: int


def count_due(engine: sa.Engine, *, now: datetime) -> dict[str, int]:
    """How many items of each source are past their time; sources without any are left out."""
    with engine.connect() as connection:
        counts = {
            source: connection.scalar(sa.select(sa.func.count()).where(*is_due)) or 0
            for source, is_due in _conditions(connection, now=now)
        }
    return {source: n_due for source, n_due in counts.items() if n_due}


def find_due(connection: sa.Connection, *, now: datetime) -> Batch:
    """The next items to erase; an empty batch when nothing is due."""
    items = tables.items.c
    for source, is_due in _conditions(connection, now=now):
        oldest = sa.select(items.seq).where(*is_due).order_by(items.received_at).limit(BATCH)
        seqs = connection.scalars(oldest).all()
        if seqs:
            return Batch(source, seqs)
    return Batch()


def _conditions(
    connection: sa.Connection, *, now: datetime
) -> Iterator[tuple[str, tuple[sa.ColumnElement[bool], ...]]]:
    """Each source with the conditions under which an item of it is past its time."""
    sources, items = tables.sources.c, tables.items.c
    kept = sa.select(sources.name, sources.retention_days).order_by(sources.name)
    for source, days in connection.execute(kept).all():
        yield source, (items.source == source, items.received_at <= now - timedelta(days=days))


def erase(connection: sa.Connection, seqs: Sequence[int]) -> int:
    """Erase items: texts, pictures of them, what models and people said, their words in the index.

    At most `BATCH` of them. Whoever writes about one of them meanwhile waits, and then finds it gone.

    Returns:
        how many of them were there.
    """
    items = tables.items
    lock_stack(connection)  # corrections are laid on top under it, by numbers alone
    rows = sa.select(items.c.seq).where(items.c.seq.in_(seqs)).order_by(items.c.seq)
    held = connection.scalars(rows.with_for_update()).all()
    if not held:
        return 0
    unindex(connection, held)
    runs = sa.select(tables.runs.c.id)
    for table in (tables.analyses, tables.answers):
        connection.execute(table.delete().where(table.c.run_id.in_(runs), table.c.seq.in_(held)))
    index = tables.label_index
    for pair in index_keys(connection):
        connection.execute(index.delete().where(*pair, index.c.seq.in_(held)))
    erase_traits(connection, held)
    for table in (tables.corrections, tables.pictures, items):
        connection.execute(table.delete().where(table.c.seq.in_(held)))
    return len(held)


def index_keys(connection: sa.Connection) -> Iterator[tuple[sa.ColumnElement[bool], ...]]:
    """Each facet and code in the index, found by leaps: its key begins with them, and they are few."""
    index = tables.label_index.c
    for facet in tables.FACETS:
        of_facet = index.facet == facet
        code = connection.scalar(sa.select(sa.func.min(index.code)).where(of_facet))
        while code is not None:
            yield of_facet, index.code == code
            later = sa.select(sa.func.min(index.code)).where(of_facet, index.code > code)
            code = connection.scalar(later)


def find_seq(connection: sa.Connection, item_id: str) -> int | None:
    """The number of an item, or None."""
    items = tables.items.c
    found: int | None = connection.scalar(sa.select(items.seq).where(items.id == item_id))
    return found


def wipe(engine: sa.Engine) -> None:
    """Leave no trace of what was erased: neither in the index of words nor in the files.

    Raises:
        StoreError: a reader holds on to the log of the database.
        OperationalError: another process writes for long, or there is no room to write a file anew.
    """
    with writing(engine) as connection:
        purge_index(connection)
    if not write_anew(engine, tables=_OF_ITEMS):
        raise StoreError(
            "the rows are erased, but somebody reads the database for long (a backup?), so its log still"
            " holds what they held; retry the job afterwards"
        )


def forget_ended(connection: sa.Connection, *, now: datetime) -> Forgotten:
    """Take away jobs that ended long ago, sessions that are over, sealed files that nobody will read.

    Kept are the jobs that made a run, and the last retention: it tells how far the clock was right.
    """
    jobs, sessions, runs = tables.jobs, tables.sessions, tables.runs
    made_a_run = sa.select(runs.c.job_id).where(runs.c.job_id.is_not(None))
    last = sa.select(sa.func.max(jobs.c.started_at)).where(*is_done_retention()).scalar_subquery()
    is_last = sa.and_(*is_done_retention(), jobs.c.started_at == last)
    old_jobs = (
        jobs.c.state.in_(_ENDED),
        jobs.c.finished_at < now - _JOBS_KEPT,
        jobs.c.id.not_in(made_a_run),
        sa.not_(is_last),
    )
    return Forgotten(
        connection.execute(jobs.delete().where(*old_jobs)).rowcount,
        connection.execute(sessions.delete().where(sessions.c.expires_at <= now)).rowcount,
        spool.clear(connection, before=now - _SPOOL_KEPT),
    )


def is_done_retention() -> tuple[sa.ColumnElement[bool], ...]:
    """The condition on `jobs` for retentions that were carried out."""
    return (tables.jobs.c.kind == "retention", tables.jobs.c.state == "done")

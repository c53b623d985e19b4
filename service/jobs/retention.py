"""Retention: every day what is past its time is erased for good; one item at once where somebody must.

Rows go first, in small transactions. What they leave behind in the index of words and in the files goes when
all of them are gone. A clock that has jumped erases nothing: see `service.store.signs`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from nlp.errors import DanvanError
from service.auth import Caller
from service.jobs.files import erase_exports
from service.jobs.orders import submit_daily, submit_within
from service.jobs.seam import Context, Json, Kind, Run, Shard
from service.store import restricted, tables
from service.store.access import Entry, add_entries
from service.store.days import day_of
from service.store.dialect import is_full, writing
from service.store.errors import NotFound
from service.store.jobs import Job
from service.store.retention import (
    count_due,
    erase,
    find_due,
    find_seq,
    forget_ended,
    is_done_retention,
    wipe,
)
from service.store.signs import find_gap
from service.store.traits import forget_buckets

KIND, WIPING_KIND = "retention", "wiping"
_DAY_BEGINS = timedelta(hours=18)  # in UTC: one o'clock at night in Vietnam


class ClockJumped(DanvanError):  # noqa: N818 - says what seems to have happened
    """The time that has passed since the last sign of life may be no time at all."""


class NoRoom(DanvanError):  # noqa: N818 - says what is missing
    """There is no room to write the database anew."""


def order_daily(ctx: Context) -> None:
    """See to it that retention is carried out once a day; may be called every few seconds."""
    submit_daily(ctx.engine, KIND, now=ctx.now(), day_begins=_DAY_BEGINS)


def check_clock(engine: sa.Engine, *, now: datetime, max_jump_days: float) -> None:
    """See whether the clock can be believed.

    Raises:
        ClockJumped: for too long nothing was heard of this service.
    """
    with engine.connect() as connection:
        gap = find_gap(connection, now=now, longest=timedelta(days=max_jump_days))
    if gap is not None:
        raise ClockJumped(
            f"nothing was erased: between {gap.since:%Y-%m-%d %H:%M} and {gap.until:%Y-%m-%d %H:%M} UTC"
            " nothing was heard of this service, so the clock may have jumped; if the clock is right,"
            " say so with `danvan retention --confirm`"
        )


def plan(ctx: Context, job: Job) -> Iterable[Shard]:
    """One shard, up to the moment of planning; refused while the clock cannot be believed."""
    now = ctx.now()
    if not job.params.get("confirmed"):
        check_clock(ctx.engine, now=now, max_jump_days=ctx.settings.retention_max_jump_days)
    return [Shard(now.isoformat(), size=sum(count_due(ctx.engine, now=now).values()))]


def shard(ctx: Context, run: Run) -> Json:
    """Erase what is due, the oldest first; how many items of which source."""
    moment = datetime.fromisoformat(run.data)
    erased: Counter[str] = Counter()
    while True:
        run.check()
        with writing(ctx.engine) as connection:
            due = find_due(connection, now=moment)
            if not due.seqs:
                return dict(erased)
            n_erased = erase(connection, due.seqs)
            run.report(n_erased, within=connection)
        erased[due.source] += n_erased


def finish(ctx: Context, job: Job, *, results: Sequence[Json]) -> Json:
    """Wipe out what the erased rows left behind; take away old exports, jobs and sessions."""
    now = ctx.now()
    with writing(ctx.engine) as connection:
        # not in the result: it would tell a small count of these to whoever may see jobs
        n_restricted = restricted.forget_due(connection, now=now)
        forget_buckets(connection, today=day_of(None, received_at=now))
    if job.n_total or n_restricted or _was_left_undone(ctx.engine):
        _wipe(ctx.engine)
    oldest_export = now - timedelta(days=ctx.settings.export_days)
    n_exports = erase_exports(ctx.settings.exports_folder, before=oldest_export)
    with writing(ctx.engine) as connection:
        forgotten = forget_ended(connection, now=now)
    return {
        "erased": results[0],
        "exports": n_exports,
        "jobs": forgotten.jobs,
        "sessions": forgotten.sessions,
        "files": forgotten.files,
    }


RETENTION = Kind(plan, shard, finish)


def _was_left_undone(engine: sa.Engine) -> bool:
    """Whether a job that had to wipe has failed since the last retention that was carried out."""
    jobs = tables.jobs.c
    done_at = sa.select(sa.func.max(jobs.finished_at)).where(*is_done_retention()).scalar_subquery()
    undone = (
        jobs.kind.in_((KIND, WIPING_KIND)),
        jobs.state.in_(("failed", "cancelled")),
        sa.or_(done_at.is_(None), jobs.finished_at >= done_at),
    )
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.exists().where(*undone))) is True


def erase_item(engine: sa.Engine, item_id: str, *, by: Caller, now: datetime) -> None:
    """Erase one item at once, whatever its time; a worker wipes out what it leaves behind.

    Raises:
        NotFound: no item has this id.
    """
    with writing(engine) as connection:
        seq = find_seq(connection, item_id)
        if seq is None or not erase(connection, [seq]):
            raise NotFound("no item has this id; it may have been deleted")
        add_entries(connection, [Entry(now, by.name, "item.erased", item_id)])
        order_wiping(connection, asked_by=by.name, now=now)


def erase_overdue(connection: sa.Connection, now: datetime) -> None:
    """Erase what is past its time in the transaction of a restore: a backup may be older than that."""
    n_erased = 0
    while (due := find_due(connection, now=now)).seqs:
        n_erased += erase(connection, due.seqs)
    n_erased += restricted.forget_due(connection, now=now)
    if n_erased:
        order_wiping(connection, asked_by="console", now=now)


def order_wiping(connection: sa.Connection, *, asked_by: str, now: datetime) -> None:
    """Order a wiping, unless one is ordered that cannot begin before this transaction has ended."""
    jobs = tables.jobs.c
    waiting = sa.select(jobs.id).where(jobs.kind == WIPING_KIND, jobs.state == "queued")
    if connection.scalar(waiting.limit(1).with_for_update()) is None:
        submit_within(connection, WIPING_KIND, params={}, asked_by=asked_by, now=now)


def _plan_wiping(ctx: Context, job: Job) -> Iterable[Shard]:
    return [Shard(None)]


def _carry_out_wiping(ctx: Context, run: Run) -> Json:
    """Take away every export, as each may hold what was erased, and what the rows left behind."""
    n_exports = erase_exports(ctx.settings.exports_folder, before=None)
    _wipe(ctx.engine)
    run.report(1)
    return n_exports


def _sum_up_wiping(ctx: Context, job: Job, *, results: Sequence[Json]) -> Json:
    return {"exports": results[0]}


WIPING = Kind(_plan_wiping, _carry_out_wiping, _sum_up_wiping)


def _wipe(engine: sa.Engine) -> None:
    try:
        wipe(engine)
    except sa.exc.OperationalError as error:
        if not is_full(error):
            raise
        raise NoRoom(
            "the rows are erased, but there is no room to write the database anew, so the file still has"
            " traces of them; make room for it once more and retry the job"
        ) from error

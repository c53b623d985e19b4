"""Opinions that were taken in and wait to be read: stretches of the archive, as they stand."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from service.jobs.archive import plan_stretches, read_each
from service.jobs.orders import submit_within
from service.jobs.seam import Context, Json, Kind, Run, Shard
from service.jobs.upload import desk_of
from service.store import tables
from service.store.dialect import writing
from service.store.intake import append_answers
from service.store.jobs import Job
from service.store.query import Query

KIND = "reading"


def order(connection: sa.Connection, *, asked_by: str, now: datetime) -> str:
    """See to it that what waits is read; a job that has no plan yet will find what came since.

    Returns:
        the id of the job.
    """
    jobs = tables.jobs.c
    unplanned = (jobs.kind == KIND, jobs.state == "queued", jobs.n_total.is_(None))
    queued: str | None = connection.scalar(sa.select(jobs.id).where(*unplanned).limit(1))
    if queued is not None:
        return queued
    return submit_within(connection, KIND, params={}, asked_by=asked_by, now=now).id


def order_forgotten(ctx: Context) -> None:
    """Order what has waited for long, in case whoever took it in died before it could.

    What a job has set aside is not ordered again by itself.
    """
    engine, now = ctx.engine, ctx.now()
    before = now - timedelta(seconds=2 * ctx.settings.worker_dead_after_s)
    items, jobs = tables.items.c, tables.jobs.c
    is_aside = sa.exists().where(tables.job_faults.c.subject == items.id)
    waits = (items.run_id.is_(None), items.received_at < before, ~is_aside)
    forgotten = sa.select(items.seq).where(*waits)
    open_job = sa.select(jobs.id).where(jobs.kind == KIND, jobs.state.in_(["queued", "running"]))
    recent = sa.select(jobs.id).where(jobs.kind == KIND, jobs.created_at > before)
    with engine.connect() as connection:
        some = [connection.scalar(query.limit(1)) for query in (forgotten, open_job, recent)]
    if some[0] is not None and some[1] is None and some[2] is None:
        with writing(engine) as connection:
            order(connection, asked_by="danvan", now=now)


def plan(ctx: Context, job: Job) -> Iterable[Shard]:
    """Stretches of the archive in which items wait."""
    return plan_stretches(ctx.engine, Query(waits=True))


def shard(ctx: Context, run: Run) -> Json:
    """Read what waits in one stretch; what another has read meanwhile is passed over."""
    start, end = run.data
    desk = desk_of(ctx)
    items = tables.items
    query = Query(waits=True, from_seq=start, to_seq=end)
    for chunk in read_each(ctx.engine, query, pipeline=desk.pipeline, run=run):
        with writing(ctx.engine) as connection:
            append_answers(
                connection,
                chunk.analyses,
                run_id=desk.run_id,
                parents=desk.pipeline.taxonomy.parents,
            )
            waiting = (items.c.seq.in_(chunk.analyses), items.c.run_id.is_(None))
            connection.execute(items.update().where(*waiting).values(run_id=desk.run_id))
            run.report(len(chunk.analyses), within=connection)
    return None


def finish(ctx: Context, job: Job, *, results: Sequence[Json]) -> Json:
    """Nothing is left to do."""
    return None


READING = Kind(plan, shard, finish)

"""Jobs as people see them: what was asked for, how far it is, what became of it.

A job is a row of ours and nothing else; how workers come to carry it out is their business. So asking
for one can be part of any transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

import sqlalchemy as sa

from service.store.dialect import insert_new, writing
from service.store.errors import Conflict, NotFound
from service.store.tables import job_faults, job_shards, jobs

State = Literal["queued", "running", "done", "failed", "cancelled"]
STATES: tuple[str, ...] = get_args(State)
OPEN: tuple[State, ...] = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked for; `attempt` counts how often. `Any`: each kind knows the shape of its own."""

    id: str
    kind: str
    state: State
    params: Mapping[str, Any]
    result: Any
    reason: str | None
    n_total: int | None
    asked_by: str
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is; `per_second` counts what this attempt did since it started."""

    n_done: int = 0
    n_failed: int = 0
    per_second: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """An item that a job set aside."""

    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs; `cursor` is the id of the last one of the page before."""

    state: State | None = None
    kind: str | None = None
    limit: int = 50
    cursor: str | None = None


_COLUMNS = tuple(jobs.c[name] for name in Job.__dataclass_fields__)


def to_job(row: sa.RowMapping) -> Job:
    """A row of `jobs` as the value."""
    return Job(**{name: row[name] for name in Job.__dataclass_fields__})


def add_job(
    connection: sa.Connection,
    kind: str,
    *,
    job_id: str,
    params: Mapping[str, Any],
    asked_by: str,
    now: datetime,
) -> Job:
    """Ask for a job; an id that is taken keeps its first job, which is given back as it is."""
    row = {
        "id": job_id,
        "kind": kind,
        "state": "queued",
        "params": dict(params),
        "asked_by": asked_by,
        "created_at": now,
    }
    connection.execute(insert_new(connection, jobs), row)
    return to_job(connection.execute(_by_id(job_id)).mappings().one())


def read_job(engine: sa.Engine, job_id: str) -> Job:
    """One job.

    Raises:
        NotFound: no job has this id.
    """
    with engine.connect() as connection:
        row = connection.execute(_by_id(job_id)).mappings().first()
    if row is None:
        raise NotFound("no job has this id; /v1/jobs lists them")
    return to_job(row)


def read_jobs(engine: sa.Engine, ids: Collection[str]) -> dict[str, Job]:
    """The jobs of these ids, by id; those that are not there are left out."""
    query = sa.select(*_COLUMNS).where(jobs.c.id.in_(ids))
    with engine.connect() as connection:
        return {row["id"]: to_job(row) for row in connection.execute(query).mappings()}


def list_jobs(engine: sa.Engine, query: JobQuery) -> tuple[Job, ...]:
    """Jobs, newest first; those after the cursor's when there is one."""
    newest = sa.select(*_COLUMNS).order_by(jobs.c.created_at.desc(), jobs.c.id.desc())
    if query.state is not None:
        newest = newest.where(jobs.c.state == query.state)
    if query.kind is not None:
        newest = newest.where(jobs.c.kind == query.kind)
    with engine.connect() as connection:
        if query.cursor is not None:
            last = connection.scalar(sa.select(jobs.c.created_at).where(jobs.c.id == query.cursor))
            if last is None:
                return ()
            place = sa.tuple_(sa.literal(last, jobs.c.created_at.type), query.cursor)
            newest = newest.where(sa.tuple_(jobs.c.created_at, jobs.c.id) < place)
        rows = connection.execute(newest.limit(query.limit)).mappings()
        return tuple(to_job(row) for row in rows)


def measure(engine: sa.Engine, some: Sequence[Job], *, now: datetime) -> dict[str, Progress]:
    """How far each of these jobs is, by id."""
    ids = [job.id for job in some]
    of_this_attempt = sa.case(
        (job_shards.c.attempt == jobs.c.attempt, job_shards.c.n_done), else_=0
    )
    done = (
        sa.select(jobs.c.id, sa.func.sum(job_shards.c.n_done), sa.func.sum(of_this_attempt))
        .join(job_shards, job_shards.c.job_id == jobs.c.id)
        .where(jobs.c.id.in_(ids))
        .group_by(jobs.c.id)
    )
    failed = (
        sa.select(job_faults.c.job_id, sa.func.count())
        .where(job_faults.c.job_id.in_(ids))
        .group_by(job_faults.c.job_id)
    )
    with engine.connect() as connection:
        n_done = {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(done)}
        n_failed = {row[0]: int(row[1]) for row in connection.execute(failed)}
    return {
        job.id: _progress(
            job, *n_done.get(job.id, (0, 0)), n_failed=n_failed.get(job.id, 0), now=now
        )
        for job in some
    }


def _progress(job: Job, n_done: int, n_now: int, *, n_failed: int, now: datetime) -> Progress:
    if job.started_at is None:
        return Progress(n_done, n_failed)
    elapsed_s = ((job.finished_at or now) - job.started_at).total_seconds()
    per_second = n_now / elapsed_s if elapsed_s > 0 else None
    if job.state != "running" or not per_second or job.n_total is None:
        return Progress(n_done, n_failed, per_second)
    n_left = max(job.n_total - n_done - n_failed, 0)
    return Progress(n_done, n_failed, per_second, n_left / per_second)


def list_faults(engine: sa.Engine, job_id: str, *, limit: int) -> tuple[Fault, ...]:
    """The items that a job set aside, in the order of their ids."""
    of_job = job_faults.c.job_id == job_id
    query = sa.select(job_faults.c.subject, job_faults.c.reason).where(of_job)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(job_faults.c.subject).limit(limit))
        return tuple(Fault(*row) for row in rows)


def cancel_job(engine: sa.Engine, job_id: str, *, now: datetime) -> Job:
    """End a job that has not ended; its shards under way notice between two chunks.

    Raises:
        NotFound: no job has this id.
        Conflict: it has ended already.
    """
    ended = jobs.update().where(jobs.c.id == job_id, jobs.c.state.in_(OPEN))
    with writing(engine) as connection:
        n_ended = connection.execute(ended.values(state="cancelled", finished_at=now)).rowcount
    job = read_job(engine, job_id)
    if not n_ended:
        raise Conflict(f"the job has ended already: {job.state}")
    return job


def retry_job(engine: sa.Engine, job_id: str) -> Job:
    """Go on with a failed or cancelled job: what is missing is asked for again, what is done stays.

    Raises:
        NotFound: no job has this id.
        Conflict: it is under way, or done.
    """
    again = jobs.update().where(jobs.c.id == job_id, jobs.c.state.in_(("failed", "cancelled")))
    fresh = {"state": "queued", "sent": False, "reason": None, "finished_at": None, "deaths": 0}
    missing = sa.and_(job_shards.c.job_id == job_id, job_shards.c.state != "done")
    shards = sa.select(job_shards.c.shard).where(missing)
    with writing(engine) as connection:
        n_again = connection.execute(again.values(attempt=jobs.c.attempt + 1, **fresh)).rowcount
        if n_again:
            faults = job_faults.delete().where(
                job_faults.c.job_id == job_id, job_faults.c.shard.in_(shards)
            )
            connection.execute(faults)
            waiting = {"state": "waiting", "deaths": 0, "trying": None, "reason": None}
            connection.execute(job_shards.update().where(missing).values(**waiting))
    job = read_job(engine, job_id)
    if not n_again:
        raise Conflict(f"only a failed or cancelled job can be retried; this one is {job.state}")
    return job


def _by_id(job_id: str) -> sa.Select[Any]:
    return sa.select(*_COLUMNS).where(jobs.c.id == job_id)

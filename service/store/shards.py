"""The parts of a job, as the runner sees them.

Each beginning of a shard is a *go* with a number. Whatever a runner writes is fenced by it: when the
shard has been begun again elsewhere, the old runner's rows match nothing any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from service.store.dialect import Then, insert_new, writing
from service.store.jobs import OPEN, Job, State, to_job
from service.store.tables import job_faults, job_shards, jobs

CAREFUL_AFTER = 2  # goes that ended their process, before items are tried one by one
_ROWS_AT_ONCE = 500
_KILLER = "its process ended while this item was being worked on"


@dataclass(frozen=True, slots=True)
class Go:
    """One beginning of a shard. `deaths` counts the goes before this one that ended without a word."""

    job: Job
    shard: int
    number: int
    deaths: int
    data: Any  # the kind that planned it knows its shape
    aside: frozenset[str]


@dataclass(frozen=True, slots=True)
class Tally:
    """How the shards of a job stand: numbers still waiting, the first failure, results in order."""

    waiting: tuple[int, ...]
    reason: str | None
    results: tuple[Any, ...]


def begin_job(engine: sa.Engine, job_id: str, *, attempt: int, now: datetime) -> Job | None:
    """Set a job running; None when it was cancelled or asked for again meanwhile."""
    queued = jobs.c.state == "queued"
    started = sa.case((queued, sa.literal(now, jobs.c.started_at.type)), else_=jobs.c.started_at)
    begun = (
        jobs.update()
        .where(jobs.c.id == job_id, jobs.c.attempt == attempt, jobs.c.state.in_(OPEN))
        .values(state="running", started_at=started)
        .returning(*jobs.c)
    )
    with writing(engine) as connection:
        row = connection.execute(begun).mappings().first()
    return None if row is None else to_job(row)


def is_running(engine: sa.Engine, job_id: str, *, attempt: int) -> bool:
    """Whether this attempt of the job is still wanted."""
    with engine.connect() as connection:
        return bool(connection.scalar(sa.select(_running(job_id, attempt=attempt))))


def count_death(engine: sa.Engine, job: Job) -> int:
    """Note that planning or summing up begins; gives how often that has ended its process before."""
    counted = jobs.update().where(jobs.c.id == job.id).values(deaths=jobs.c.deaths + 1)
    with writing(engine) as connection:
        n_deaths: int = connection.execute(counted.returning(jobs.c.deaths)).scalar_one()
    return n_deaths - 1


def forget_deaths(engine: sa.Engine, job: Job) -> None:
    """Planning or summing up has ended in good order."""
    with writing(engine) as connection:
        connection.execute(jobs.update().where(jobs.c.id == job.id).values(deaths=0))


def save_plan(engine: sa.Engine, job: Job, plan: Sequence[tuple[Any, int]]) -> None:
    """Keep the shards, as pairs of data and size, unless a plan is there already."""
    rows = [
        {"job_id": job.id, "shard": n, "data": data, "size": size, "state": "waiting"}
        for n, (data, size) in enumerate(plan)
    ]
    unplanned = jobs.update().where(jobs.c.id == job.id, jobs.c.n_total.is_(None))
    with writing(engine) as connection:
        n_total = sum(size for _, size in plan)
        if connection.execute(unplanned.values(n_total=n_total)).rowcount:
            for start in range(0, len(rows), _ROWS_AT_ONCE):
                connection.execute(job_shards.insert(), rows[start : start + _ROWS_AT_ONCE])


def tally(engine: sa.Engine, job: Job) -> Tally:
    """How the shards of a job stand."""
    columns = (job_shards.c.shard, job_shards.c.state, job_shards.c.result, job_shards.c.reason)
    query = sa.select(*columns).where(job_shards.c.job_id == job.id).order_by(job_shards.c.shard)
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return Tally(
        waiting=tuple(row.shard for row in rows if row.state == "waiting"),
        reason=next((row.reason for row in rows if row.state == "failed"), None),
        results=tuple(row.result for row in rows if row.state == "done"),
    )


def end_job(
    engine: sa.Engine,
    job: Job,
    state: State,
    *,
    now: datetime,
    result: object = None,
    reason: str | None = None,
    then: Then = lambda connection: None,
) -> None:
    """Say what became of a job, unless it was cancelled or asked for again meanwhile.

    `then` is done in the same transaction, if it says so.
    """
    mine = (jobs.c.id == job.id, jobs.c.attempt == job.attempt, jobs.c.state.in_(OPEN))
    what = {"state": state, "result": result, "reason": reason, "finished_at": now, "deaths": 0}
    with writing(engine) as connection:
        if connection.execute(jobs.update().where(*mine).values(**what)).rowcount:
            then(connection)


def begin_shard(engine: sa.Engine, job_id: str, *, attempt: int, shard: int) -> Go | None:
    """Begin a shard; None when it has ended or its job is not wanted any more.

    The death is counted before it can happen, and taken back by `let_go` or `end_shard`. An item that the
    last go was at when it died is set aside here.
    """
    begun = (
        job_shards.update()
        .where(job_shards.c.job_id == job_id, job_shards.c.shard == shard)
        .where(job_shards.c.state == "waiting")
        .values(attempt=attempt, go=job_shards.c.go + 1, deaths=job_shards.c.deaths + 1, n_done=0)
        .returning(*job_shards.c)
    )
    wanted = sa.select(jobs).where(jobs.c.id == job_id, _running(job_id, attempt=attempt))
    with writing(engine) as connection:
        found = connection.execute(wanted).mappings().first()
        row = found and connection.execute(begun).mappings().first()
        if found is None or row is None:
            return None
        if row["trying"] is not None:
            killer = {"job_id": job_id, "shard": shard, "subject": row["trying"], "reason": _KILLER}
            connection.execute(insert_new(connection, job_faults), killer)
            settled = {"trying": None, "deaths": CAREFUL_AFTER + 1}
            connection.execute(_shard(job_id, shard).values(**settled))
        of_shard = (job_faults.c.job_id == job_id, job_faults.c.shard == shard)
        aside = connection.scalars(sa.select(job_faults.c.subject).where(*of_shard)).all()
    # a death whose cause is known is settled, yet others may follow
    n_deaths = CAREFUL_AFTER if row["trying"] is not None else row["deaths"] - 1
    return Go(to_job(found), shard, row["go"], n_deaths, row["data"], frozenset(aside))


def has(engine: sa.Engine, go: Go) -> bool:
    """Whether this go is still the last one of its shard, and its job wanted."""
    last = sa.exists().where(*_fence(go))
    with engine.connect() as connection:
        running = _running(go.job.id, attempt=go.job.attempt)
        return bool(connection.scalar(sa.select(sa.and_(last, running))))


def count_done(connection: sa.Connection, go: Go, n: int) -> bool:
    """Add to the items done; False when the shard was begun again elsewhere."""
    counted = job_shards.update().where(*_fence(go)).values(n_done=job_shards.c.n_done + n)
    return connection.execute(counted).rowcount == 1


def set_aside(engine: sa.Engine, go: Go, *, subject: str, reason: str) -> None:
    """Note an item that the job goes on without."""
    fault = {"job_id": go.job.id, "shard": go.shard, "subject": subject, "reason": reason}
    with writing(engine) as connection:
        connection.execute(insert_new(connection, job_faults), fault)


def note_trying(engine: sa.Engine, go: Go, subject: str | None) -> bool:
    """Note which item is about to be tried, or that none is; False when begun again elsewhere."""
    noted = job_shards.update().where(*_fence(go)).values(trying=subject)
    with writing(engine) as connection:
        return connection.execute(noted).rowcount == 1


def let_go(engine: sa.Engine, go: Go) -> None:
    """End a go in good order without ending the shard: this was no death."""
    back = {"deaths": job_shards.c.deaths - 1, "trying": None}
    with writing(engine) as connection:
        connection.execute(job_shards.update().where(*_fence(go)).values(**back))


def end_shard(
    engine: sa.Engine, go: Go, *, result: object = None, reason: str | None = None
) -> None:
    """Say what became of a shard, unless it was begun again elsewhere; with a reason it failed."""
    state = "done" if reason is None else "failed"
    what = {"state": state, "result": result, "reason": reason, "trying": None, "deaths": 0}
    with writing(engine) as connection:
        connection.execute(job_shards.update().where(*_fence(go)).values(**what))


def _running(job_id: str, *, attempt: int) -> sa.Exists:
    return sa.exists().where(
        jobs.c.id == job_id, jobs.c.attempt == attempt, jobs.c.state == "running"
    )


def _shard(job_id: str, shard: int) -> sa.Update:
    return job_shards.update().where(job_shards.c.job_id == job_id, job_shards.c.shard == shard)


def _fence(go: Go) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        job_shards.c.job_id == go.job.id,
        job_shards.c.shard == go.shard,
        job_shards.c.go == go.number,
        job_shards.c.state == "waiting",
    )

"""The processes that carry out jobs, and which jobs they have taken from the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

import sqlalchemy as sa

from service.store.dialect import insert_new, writing
from service.store.jobs import OPEN
from service.store.tables import jobs, workers

Attempt = tuple[str, int]  # the id of a job, and how often it was asked for


def reach(engine: sa.Engine) -> None:
    """Ask whether the database is there; raises what the driver raises when it is not."""
    with engine.connect() as connection:
        connection.execute(sa.select(1))


@dataclass(frozen=True, slots=True)
class Seat:
    """The place of one worker. `started_at` tells it from the process that had the id before."""

    id: str
    started_at: datetime


def take_seat(engine: sa.Engine, host: str, *, now: datetime, dead_after_s: float) -> Seat:
    """The first of `<host>-1`, `<host>-2`, ... that no live worker has."""
    stale = sa.or_(
        workers.c.state != "live", workers.c.beat_at < now - timedelta(seconds=dead_after_s)
    )
    for number in count(1):
        seat = Seat(f"{host}-{number}", now)
        if _sit_down(engine, seat, free=stale):
            break
    return seat


def take_name(engine: sa.Engine, name: str, *, now: datetime) -> Seat:
    """The seat of this name, from whoever has it: a worker that has lost its seat ends."""
    seat = Seat(name, now)
    _sit_down(engine, seat, free=sa.true())
    return seat


def _sit_down(engine: sa.Engine, seat: Seat, *, free: sa.ColumnElement[bool]) -> bool:
    live = {"state": "live", "started_at": seat.started_at, "beat_at": seat.started_at}
    with writing(engine) as connection:
        new = insert_new(connection, workers).returning(workers.c.id)
        if connection.execute(new, {"id": seat.id, **live}).first() is not None:
            return True
        taken = workers.update().where(workers.c.id == seat.id, free)
        return connection.execute(taken.values(**live)).rowcount == 1


def beat(engine: sa.Engine, seat: Seat, *, now: datetime) -> bool:
    """Say that the worker lives, even if it was taken for dead; False when its seat has gone to another."""
    return _set(engine, seat, state="live", beat_at=now)


def leave(engine: sa.Engine, seat: Seat) -> None:
    """Leave what is not finished to the others."""
    _set(engine, seat, state="stopped")


def _set(engine: sa.Engine, seat: Seat, **values: object) -> bool:
    mine = workers.update().where(workers.c.id == seat.id, workers.c.started_at == seat.started_at)
    with writing(engine) as connection:
        return connection.execute(mine.values(**values)).rowcount == 1


def list_beats(engine: sa.Engine) -> dict[str, datetime]:
    """The last beat of every worker that counts as live."""
    query = sa.select(workers.c.id, workers.c.beat_at).where(workers.c.state == "live")
    with engine.connect() as connection:
        return {row.id: row.beat_at for row in connection.execute(query)}


def bury(engine: sa.Engine, still: Mapping[str, datetime]) -> int:
    """Declare dead whoever has stopped, and those of `still` who have not beaten since.

    Returns:
        How many this call declared dead; of two callers at a time only one counts each.
    """
    found = 0
    gone = [workers.c.state == "stopped"]
    gone += [
        sa.and_(workers.c.id == name, workers.c.state == "live", workers.c.beat_at == beat_at)
        for name, beat_at in still.items()
    ]
    for each in gone:
        with writing(engine) as connection:
            found += connection.execute(workers.update().where(each).values(state="dead")).rowcount
    return found


def forget_workers(engine: sa.Engine, *, before: datetime) -> None:
    """Take away the rows of workers that have been dead for long: each container has another name."""
    long_dead = (workers.c.state == "dead", workers.c.beat_at < before)
    with writing(engine) as connection:
        connection.execute(workers.delete().where(*long_dead))


def list_unsent(engine: sa.Engine, *, limit: int) -> tuple[Attempt, ...]:
    """Jobs that were asked for and that no queue has yet, oldest first."""
    query = (
        sa.select(jobs.c.id, jobs.c.attempt)
        .where(jobs.c.state == "queued", jobs.c.sent.is_(False))
        .order_by(jobs.c.created_at)
        .limit(limit)
    )
    with engine.connect() as connection:
        return tuple((row.id, row.attempt) for row in connection.execute(query))


def list_sent(engine: sa.Engine) -> tuple[Attempt, ...]:
    """Jobs that a queue has and that have not ended."""
    query = sa.select(jobs.c.id, jobs.c.attempt).where(jobs.c.state.in_(OPEN), jobs.c.sent)
    with engine.connect() as connection:
        return tuple((row.id, row.attempt) for row in connection.execute(query))


def mark_sent(engine: sa.Engine, some: Sequence[Attempt]) -> None:
    """A queue has these now."""
    _mark(engine, some, sent=True)


def send_again(engine: sa.Engine, some: Sequence[Attempt]) -> None:
    """The queue has lost these: they are to be sent once more, from where they are."""
    again = {"sent": False, "state": "queued", "attempt": jobs.c.attempt + 1}
    _mark(engine, some, **again)


def give_up(engine: sa.Engine, some: Sequence[Attempt], *, reason: str, now: datetime) -> None:
    """The queue has ended these without a word."""
    _mark(engine, some, state="failed", reason=reason, finished_at=now)


def _mark(engine: sa.Engine, some: Sequence[Attempt], **values: object) -> None:
    with writing(engine) as connection:
        for job_id, attempt in some:
            mine = (jobs.c.id == job_id, jobs.c.attempt == attempt, jobs.c.state.in_(OPEN))
            connection.execute(jobs.update().where(*mine).values(**values))

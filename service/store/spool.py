"""Files that wait to be read, sealed. They are gone when they are read, and in no backup."""

from datetime import datetime

import sqlalchemy as sa

from service.store.dialect import insert_new, writing
from service.store.tables import jobs, spool


def put(connection: sa.Connection, job_id: str, *, sealed: bytes, now: datetime) -> None:
    """Keep a sealed file for a job; part of the transaction that asks for the job. Twice is once."""
    row = {"job_id": job_id, "sealed": sealed, "created_at": now}
    connection.execute(insert_new(connection, spool), row)


def get(engine: sa.Engine, job_id: str) -> bytes | None:
    """The sealed file of a job; None when it is gone."""
    with engine.connect() as connection:
        found: bytes | None = connection.scalar(
            sa.select(spool.c.sealed).where(spool.c.job_id == job_id)
        )
    return found


def drop(engine: sa.Engine, job_id: str) -> None:
    """Forget the file of a job."""
    with writing(engine) as connection:
        connection.execute(spool.delete().where(spool.c.job_id == job_id))


def clear(connection: sa.Connection, *, before: datetime) -> int:
    """Forget files that nobody will read: their job is done or gone, or they came before a moment."""
    waiting = sa.select(jobs.c.id).where(jobs.c.state.in_(["queued", "running", "failed"]))
    unread = sa.or_(spool.c.job_id.not_in(waiting), spool.c.created_at < before)
    return connection.execute(spool.delete().where(unread)).rowcount

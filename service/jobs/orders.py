"""Asking for jobs, and changing one's mind. Nothing here carries anything out."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from service.actions import new_id
from service.jobs.seam import Json
from service.store.dialect import writing
from service.store.jobs import Job, add_job
from service.store.tables import jobs


def submit(
    engine: sa.Engine,
    kind: str,
    *,
    params: Mapping[str, Json],
    asked_by: str,
    now: datetime,
    job_id: str | None = None,
) -> Job:
    """Ask for a job. A worker finds it within a second; when none runs, it waits for one.

    `params` hold ids and names, never texts. A `job_id` that was used before gives back that job as it
    is: asking twice is asking once.
    """
    with writing(engine) as connection:
        return submit_within(
            connection, kind, params=params, asked_by=asked_by, now=now, job_id=job_id
        )


def submit_within(
    connection: sa.Connection,
    kind: str,
    *,
    params: Mapping[str, Json],
    asked_by: str,
    now: datetime,
    job_id: str | None = None,
) -> Job:
    """Ask for a job in a transaction of the caller's: both happen, or neither."""
    chosen = job_id or new_id(now)
    return add_job(connection, kind, job_id=chosen, params=params, asked_by=asked_by, now=now)


def submit_daily(engine: sa.Engine, kind: str, *, now: datetime, day_begins: timedelta) -> None:
    """Ask for a job once a day that begins so long after midnight in UTC; may be called every few seconds."""
    job_id = f"{kind}-{now - day_begins:%Y-%m-%d}"
    with engine.connect() as connection:
        is_ordered = connection.scalar(sa.select(jobs.c.id).where(jobs.c.id == job_id))
    if is_ordered is None:
        submit(engine, kind, params={}, asked_by="danvan", now=now, job_id=job_id)

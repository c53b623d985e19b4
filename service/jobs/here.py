"""Carrying a job out at once and in this process, for the command line: the same steps, the same rows."""

import threading
import time
from collections.abc import Mapping
from contextlib import suppress

from service.jobs.orders import submit_within
from service.jobs.runner import Runner
from service.jobs.seam import Context, Interrupted, Json, Kind
from service.store.dialect import writing
from service.store.jobs import OPEN, Job, read_job
from service.store.tables import jobs

_LOOK_S = 0.5


def carry_out_here(
    ctx: Context, kind: str, *, params: Mapping[str, Json], asked_by: str, kinds: Mapping[str, Kind]
) -> Job:
    """Ask for a job and do it at once; the job as it ended.

    Workers leave it alone, and only take it over when it takes long or this process ends before it is done.
    """
    with writing(ctx.engine) as connection:
        job = submit_within(connection, kind, params=params, asked_by=asked_by, now=ctx.now())
        connection.execute(jobs.update().where(jobs.c.id == job.id).values(sent=True))
    return carry_out(ctx, job, kinds=kinds)


def carry_out(ctx: Context, job: Job, *, kinds: Mapping[str, Kind]) -> Job:
    """Do a job that was asked for, unless a worker is quicker; the job as it ended."""
    with suppress(Interrupted):
        _do(Runner(ctx, kinds, threading.Event()), job)
    ended = read_job(ctx.engine, job.id)
    while ended.state in OPEN:  # a worker has it now
        time.sleep(_LOOK_S)
        ended = read_job(ctx.engine, job.id)
    return ended


def _do(runner: Runner, job: Job) -> None:
    parts = runner.plan(job.id, attempt=job.attempt)
    for part in parts or ():
        runner.carry_out(job.id, attempt=job.attempt, shard=part)
    if parts is not None:
        runner.finish(job.id, attempt=job.attempt)

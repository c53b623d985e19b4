"""Workers with a kind of job made for tests: real processes, begun in a moment by a fork server.

`count` writes one row an item. Its parameters say how many items each shard has, and what happens
meanwhile.
"""

import os
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa

from nlp.errors import InputError
from nlp.pipeline import Pipeline
from service.jobs import flow, runner
from service.jobs.seam import Context, Json, Kind, Run, Shard
from service.jobs.worker import run_worker
from service.settings import Settings
from service.store.dialect import insert_new, open_engine, writing
from service.store.jobs import Job
from tests.service.rules import RulePipeline

CHUNK = 5
FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["tests.service.jobs.worker"])
counted = sa.Table(
    "counted",
    sa.MetaData(),
    sa.Column("item", sa.Integer, primary_key=True),
    sa.Column("pid", sa.Integer, nullable=False),
)


def plan(ctx: Context, job: Job) -> Iterable[Shard]:
    """A shard for each of `sizes`."""
    if "unplannable" in job.params:
        raise InputError("nothing can be planned of this")
    start = 0
    for size in job.params["sizes"]:
        yield Shard([start, start + size], size)
        start += size


def count(ctx: Context, run: Run) -> Json:
    """Write the items of the shard in chunks; one by one where a careful hand is needed."""
    items = [n for n in range(*run.data) if str(n) not in run.aside]
    if run.careful:
        for n in items:
            run.check()
            with run.trying(str(n)):
                _write(ctx, run, [n])
    else:
        for start in range(0, len(items), CHUNK):
            run.check()
            _write(ctx, run, items[start : start + CHUNK])
    return len(items)


def _write(ctx: Context, run: Run, items: Sequence[int]) -> None:
    _meanwhile(run.job.params, items)
    good = [n for n in items if n != run.job.params.get("bad")]
    rows = [{"item": n, "pid": os.getpid()} for n in good]
    if len(good) < len(items):
        run.set_aside(str(run.job.params["bad"]), "it is bad")
    with writing(ctx.engine) as connection:
        connection.execute(insert_new(connection, counted), rows)
        run.report(len(rows), within=connection)


def _meanwhile(params: Mapping[str, Any], items: Sequence[int]) -> None:
    time.sleep(params.get("slow_s", 0.0))
    if params.get("killer") in items:
        os.kill(os.getpid(), signal.SIGKILL)
    if params.get("broken") in items and not Path(params["mended"]).exists():
        raise ValueError("a text that nobody may see")
    if params.get("shaky") in items:
        marks = Path(params["marks"])
        with marks.open("a") as file:
            file.write("x")
        if marks.stat().st_size <= params["n_shaky"]:
            raise sa.exc.OperationalError("SELECT", {}, Exception("away"))


def meet(ctx: Context, run: Run) -> Json:
    """Wait until as many others have come as `n_guests` says."""
    place = Path(run.job.params["place"])
    (place / run.job.id).touch()
    while len(list(place.iterdir())) < run.job.params["n_guests"]:
        run.check()
        time.sleep(0.02)
    return 1


def total(ctx: Context, job: Job, *, results: Sequence[Json]) -> Json:
    """Sum up."""
    return {"n": sum(results), "model": ctx.pipeline().provenance.model}


KINDS = {"count": Kind(plan, count, total), "meeting": Kind(plan, meet, total, waits=True)}


def work(settings: Mapping[str, Any], name: str, version: str) -> None:
    """Be a worker."""
    flow.VERSION = version
    runner._PAUSES_S = (0.1, 0.2)
    all_settings = Settings(**settings)
    engine = open_engine(all_settings.database_url)
    ctx = Context(engine, all_settings, build=lambda _: cast(Pipeline, RulePipeline()))
    run_worker(ctx, name=name, kinds=KINDS, chores=[])

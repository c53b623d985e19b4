"""Opinions of a file that come in loads: a sealed load is a job, a block of it a shard, for any worker.

Who hands a load in has not masked it: it waits sealed, and whoever opens it hands it to the intake at once,
which knows what it has by source and name. So a block that is done twice is kept once.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from itertools import accumulate

import orjson
import sqlalchemy as sa

from nlp.errors import InputError
from service.feeds.entries import Entry, to_opinion
from service.jobs.orders import submit_within
from service.jobs.seam import Context, Json, Kind, Run, Shard
from service.jobs.upload import desk_of
from service.opinions import Outcome, store_opinions
from service.sealing import Sealer
from service.store import spool
from service.store.dialect import writing
from service.store.errors import Conflict
from service.store.jobs import OPEN, Job, read_jobs, retry_job

KIND = "batch"
_QUICK = 1  # a level of zlib: texts shrink to a third at a hundred megabytes a second
_COUNTED = ("accepted", "duplicate", "refused")


@dataclass(frozen=True)
class Load:
    """Some blocks of opinions for one source. Its name says what it holds: the same load is the same job."""

    source: str
    blocks: Sequence[Sequence[Entry]]

    @cached_property
    def packed(self) -> bytes:
        """All entries, a line of JSON each."""
        return b"\n".join(orjson.dumps(entry) for block in self.blocks for entry in block)

    @property
    def job_id(self) -> str:
        """The id of the job that takes it in."""
        digest = sha256(self.source.encode() + b"\n" + self.packed)
        return f"{KIND}-{digest.hexdigest()[:32]}"

    def __len__(self) -> int:
        return sum(map(len, self.blocks))


def order(
    engine: sa.Engine, load: Load, *, sealer: Sealer, asked_by: str, now: datetime, again: bool
) -> Job:
    """Hand a load in. One that was done before is left alone, unless `again`; one that failed is retried.

    Raises:
        SealError: no key to seal it with can be had.
    """
    job_id = f"{load.job_id}-{now:%Y%m%dT%H%M%S%f}" if again else load.job_id
    known = read_jobs(engine, [job_id]).get(job_id)
    if known is not None and known.state in {"done", *OPEN}:
        return known
    sealed = sealer.seal(zlib.compress(load.packed, _QUICK))
    params = {"source": load.source, "blocks": [len(block) for block in load.blocks]}
    with writing(engine) as connection:
        job = submit_within(
            connection, KIND, params=params, asked_by=asked_by, now=now, job_id=job_id
        )
        spool.put(connection, job_id, sealed=sealed, now=now)
    if job.state in {"failed", "cancelled"}:
        with suppress(Conflict):  # somebody else was quicker
            return retry_job(engine, job_id)
    return job


def plan(ctx: Context, job: Job) -> Iterable[Shard]:
    """A shard for each block: from which entry to which."""
    sizes = job.params["blocks"]
    ends = accumulate(sizes)
    return [Shard([end - size, end], size) for size, end in zip(sizes, ends, strict=True)]


def shard(ctx: Context, run: Run) -> Json:
    """Take in one block; how many were new, known and refused."""
    start, end = run.data
    desk, source = desk_of(ctx), run.job.params["source"]
    entries = [one for one in _open(ctx, run.job)[start:end] if one.place not in run.aside]
    tally: Counter[str] = Counter()
    at_once = 1 if run.careful else desk.limits.max_batch
    for some in (entries[at : at + at_once] for at in range(0, len(entries), at_once)):
        run.check()
        good = [to_opinion(one, source=source) for one in some if one.fault is None]
        with run.trying(some[0].place) if run.careful else nullcontext():
            outcomes = iter(store_opinions(desk, good))
        n_refused = 0
        for one in some:
            outcome = next(outcomes) if one.fault is None else Outcome("error", reason=one.fault)
            tally[outcome.status] += 1
            if outcome.status == "error":
                n_refused += 1
                run.set_aside(one.place, outcome.reason or "")
        run.report(len(some) - n_refused)
    return [tally["accepted"], tally["duplicate"], tally["error"]]


def finish(ctx: Context, job: Job, *, results: Sequence[Json]) -> Json:
    """Forget the sealed load, and sum up."""
    spool.drop(ctx.engine, job.id)
    columns = zip(*results, strict=True)
    return {name: sum(column) for name, column in zip(_COUNTED, columns, strict=True)}


BATCH = Kind(plan, shard, finish)


def _open(ctx: Context, job: Job) -> list[Entry]:
    sealed = spool.get(ctx.engine, job.id)
    if sealed is None:
        raise InputError("the load is gone; run the batch again")
    lines = zlib.decompress(ctx.settings.sealer.open(sealed)).split(b"\n")
    return [_entry(orjson.loads(line)) for line in lines]


def _entry(row: Json) -> Entry:
    posted_at = row["posted_at"] and datetime.fromisoformat(row["posted_at"])
    return Entry(**row | {"posted_at": posted_at})

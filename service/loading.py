"""A file of opinions on its way into the store: handed to workers in sealed loads, and waited for.

Only so many loads are on their way that every worker has work: neither memory nor the store fills up with a
file, however large. What was handed in stays when this process ends; the same file again goes on from there.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from service.auth import CONSOLE
from service.feeds.entries import Entry, read_moment
from service.jobs.batch import Load, order
from service.records import Record, read_records
from service.settings import Settings
from service.store.errors import UnknownSource
from service.store.jobs import OPEN, Job, measure, read_jobs
from service.store.views import list_sources
from service.store.vitals import read_vitals

BLOCK = 1_000  # opinions: a second or two of work
BLOCK_CHARS = 1_000_000
LOAD = 20  # blocks
_LOADS_AHEAD = 2
_WORKERS_A_LOAD = 8  # so each finds two blocks
_LOOK_S = 0.5
_OFFICIAL = "the record is an official document, no opinion; hand it in at /v1/documents"


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a file is: opinions handed in, done, and how many workers there are for the rest."""

    n_handed: int
    n_done: int
    n_workers: int


@dataclass(slots=True)
class Outcome:
    """What became of a file: opinions by `accepted`, `duplicate`, `refused` and `before`; loads that failed.

    `before` are opinions of loads that an earlier run of the same file had done.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failed: list[Job] = field(default_factory=list)


def load_file(
    engine: sa.Engine,
    path: Path,
    *,
    source: str,
    settings: Settings,
    report: Callable[[Standing], None],
    again: bool = False,
) -> Outcome:
    """Hand a file to the workers of a store and wait until all of it is done; a bad record costs only itself.

    Raises:
        InputError: the file cannot be read.
        UnknownSource: the source is not registered.
        SealError: no key to seal loads with can be had.
    """
    if source not in {one.name for one in list_sources(engine)}:
        raise UnknownSource(f"the source {source!r} is not registered; register it at /v1/sources")
    watch = _Watch(engine, settings.worker_dead_after_s, report)
    entries = _entries(path, max_chars=settings.max_opinion_chars)
    for load in _loads(entries, source=source):
        now = datetime.now(UTC)
        job = order(
            engine, load, sealer=settings.sealer, asked_by=CONSOLE.name, now=now, again=again
        )
        watch.add(job, size=len(load))
    watch.wait(at_most=0)
    return watch.outcome


@dataclass(slots=True)
class _Watch:
    """The loads that are on their way."""

    engine: sa.Engine
    dead_after_s: float
    report: Callable[[Standing], None]
    outcome: Outcome = field(default_factory=Outcome)
    _open: dict[str, int] = field(default_factory=dict)
    _n_handed: int = 0
    _n_done: int = 0

    def add(self, job: Job, *, size: int) -> None:
        """Look after one more, and wait while there are enough."""
        self._n_handed += size
        if job.state == "done":
            self.outcome.counts["before"] += size
            self._n_done += size
        else:
            self._open[job.id] = size
            n_workers = self._look()
            self.wait(at_most=_LOADS_AHEAD + n_workers // _WORKERS_A_LOAD)

    def wait(self, *, at_most: int) -> None:
        """Wait until no more than so many are on their way."""
        while len(self._open) > at_most:
            time.sleep(_LOOK_S)
            self._look()

    def _look(self) -> int:
        """Take note of what has ended; how many workers there are."""
        now = datetime.now(UTC)
        found = read_jobs(self.engine, list(self._open))
        for job in [job for job in found.values() if job.state not in OPEN]:
            self._n_done += self._open.pop(job.id)
            if job.state == "done":
                self.outcome.counts.update(job.result)
            else:
                self.outcome.failed.append(job)
        under_way = measure(self.engine, [found[job_id] for job_id in self._open], now=now)
        n_now = sum(one.n_done + one.n_failed for one in under_way.values())
        n_workers = read_vitals(self.engine, now=now, dead_after_s=self.dead_after_s).n_workers
        self.report(Standing(self._n_handed, self._n_done + n_now, n_workers))
        return n_workers


def _entries(path: Path, *, max_chars: int) -> Iterator[Entry]:
    now = datetime.now(UTC)
    for record in read_records(path):
        yield _entry(record, max_chars=max_chars, now=now)


def _entry(record: Record, *, max_chars: int, now: datetime) -> Entry:
    """A record for the intake; one without a name of its own goes by its text."""
    place = f"line {record.number}"
    fault = record.error or (_OFFICIAL if record.kind == "official" else None)
    if len(record.text) > max_chars:
        fault = f"the text has {len(record.text)} characters; at most {max_chars} are read"
    try:
        posted_at = read_moment(record.posted_at or "", now=now)
    except ValueError as error:
        fault = fault or str(error)
    if fault is not None:
        return Entry(place, fault=fault)
    text = record.text.encode("utf-8", "replace").decode("utf-8")  # half a character is none
    return Entry(place, text, "" if record.id == place else record.id, posted_at)


def _loads(entries: Iterator[Entry], *, source: str) -> Iterator[Load]:
    blocks: list[list[Entry]] = []
    for block in _blocks(entries):
        blocks.append(block)
        if len(blocks) == LOAD:
            yield Load(source, blocks)
            blocks = []
    if blocks:
        yield Load(source, blocks)


def _blocks(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    block: list[Entry] = []
    n_chars = 0
    for entry in entries:
        block.append(entry)
        n_chars += len(entry.text)
        if len(block) == BLOCK or n_chars >= BLOCK_CHARS:
            yield block
            block, n_chars = [], 0
    if block:
        yield block

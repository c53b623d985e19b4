"""The seam: what a kind of job is. The table of kinds is `kinds.py`.

A kind is three functions. `plan` cuts the work into shards, `shard` does one of them, `finish` sums up.
Everything else (queues, retries, crashes, progress, cancelling) is the business of `service/jobs`.

What `shard` must keep to:

- **It may run again** after a crash, and in rare cases twice at a time. Write so that doing it twice
  leaves the same rows; what is found done already is reported like what is done now.
- **Chunks.** Before each chunk call `run.check()`; it raises `Interrupted` when the job was cancelled or
  the worker is to end. Let that pass.
- **Progress.** After each chunk `run.report(n)`, best inside the transaction that writes the chunk:
  `run.report(n, within=connection)`. That also rolls back what a runner writes that was given up for dead.
- **Bad items.** `run.set_aside(item_id, reason)` instead of raising; items in `run.aside` are passed over.
- **`run.careful`** is true after the shard has killed its process twice. Then go item by item, each in
  `with run.trying(item_id):`, so that the killer is known and set aside.
- Parameters, results and reasons hold ids, names and counts, never a text.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import sqlalchemy as sa

from nlp.pipeline import Pipeline
from service.settings import Settings
from service.store.jobs import Job

Json = Any  # what orjson takes; the kind that wrote it knows its shape
_PIPELINES_KEPT = 2  # a model is a hundred megabytes


class Interrupted(BaseException):
    """The job was cancelled, its worker is to end, or another runner has taken over.

    No `Exception`, so that no `except Exception` of a kind keeps it back.
    """


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of a job: `data` says which, small and JSON; `size` is the number of items, for progress."""

    data: Json
    size: int = 1


@dataclass(frozen=True, slots=True)
class Context:
    """What every kind needs. `build` makes the pipeline that settings name."""

    engine: sa.Engine
    settings: Settings
    build: Callable[[Settings], Pipeline]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _built: OrderedDict[tuple[str, str], Pipeline] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def pipeline(self, *, model: str | None = None, taxonomy: str | None = None) -> Pipeline:
        """The pipeline of a model (`NAME` or `NAME@VERSION`) and pack; built once, the last two are kept.

        Raises:
            ArtifactError, TaxonomyError, CorpusError: one of them is missing or damaged.
        """
        names = (model or self.settings.model, taxonomy or self.settings.taxonomy)
        with self._lock:
            if names not in self._built:
                update = {"model": names[0], "taxonomy": names[1]}
                self._built[names] = self.build(self.settings.model_copy(update=update))
            self._built.move_to_end(names)
            while len(self._built) > _PIPELINES_KEPT:
                self._built.popitem(last=False)
            return self._built[names]


class Run(Protocol):
    """One shard being carried out, as its kind sees it."""

    @property
    def job(self) -> Job:
        """The job; `job.params` are what was asked."""

    @property
    def data(self) -> Json:
        """The `data` of the shard."""

    @property
    def careful(self) -> bool:
        """Whether the shard has killed its process: go item by item, each in `trying`."""

    @property
    def aside(self) -> frozenset[str]:
        """Items of this shard that are set aside already: pass over them."""

    def check(self) -> None:
        """Call before each chunk.

        Raises:
            Interrupted: stop here; what was not done is done later or by another.
        """

    def report(self, n_done: int, *, within: sa.Connection | None = None) -> None:
        """So many items more are done; `within` counts them in the transaction that wrote them.

        Raises:
            Interrupted: another runner has this shard now; the transaction must not be committed.
        """

    def set_aside(self, subject: str, reason: str) -> None:
        """Go on without this item; `reason` is one sentence without any text of it."""

    def trying(self, subject: str) -> AbstractContextManager[None]:
        """Note durably that this item is about to be tried; if the process dies inside, it is set aside."""


class _Finish(Protocol):
    def __call__(self, ctx: Context, job: Job, *, results: Sequence[Json]) -> Json:
        """Sum up."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of job is carried out.

    `plan` gives at most some thousands of shards; it may run again before the first shard starts.
    `finish` gets the results of the shards in their order (of those that did not fail), may run again,
    and gives the result of the job. A job of one shard starts at once, beside the big ones; of those
    that compute one at a time, while kinds that only wait for others say so by `waits`.
    """

    plan: Callable[[Context, Job], Iterable[Shard]]
    shard: Callable[[Context, Run], Json]
    finish: _Finish = lambda ctx, job, *, results: None
    waits: bool = False

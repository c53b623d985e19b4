"""Carrying out the parts of a job: planning, shards, summing up; what fails, stops or dies meanwhile."""

import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import orjson
import sqlalchemy as sa
import structlog

from nlp.errors import DanvanError
from service.jobs.seam import Context, Interrupted, Json, Kind
from service.jobs.webhooks import Event, emit
from service.store import shards
from service.store.dialect import is_away, writing
from service.store.jobs import Job, read_job
from service.store.shards import CAREFUL_AFTER, Go, Tally

T = TypeVar("T")

_TROUBLE = (sa.exc.SQLAlchemyError, OSError)
_PAUSES_S = (1.0, 2.0)  # between three tries
_LONGEST_PAUSE_S = 10.0
_DEATHS_BORNE = 5
_LOOK_S = 0.2
_log = structlog.get_logger()


class Failed(DanvanError):  # noqa: N818 - the state has this name
    """A part of a job cannot be done; the message says why, in a sentence for people."""


@dataclass(frozen=True, slots=True)
class ShardRun:
    """One go of a shard, as its kind sees it; see `seam.Run`."""

    engine: sa.Engine
    go: Go
    stop: threading.Event

    @property
    def job(self) -> Job:
        """The job."""
        return self.go.job

    @property
    def data(self) -> Json:
        """Which shard."""
        return self.go.data

    @property
    def careful(self) -> bool:
        """Whether to go item by item."""
        return self.go.deaths >= CAREFUL_AFTER

    @property
    def aside(self) -> frozenset[str]:
        """Items to pass over."""
        return self.go.aside

    def check(self) -> None:
        """Stop here if need be."""
        if self.stop.is_set() or not shards.has(self.engine, self.go):
            raise Interrupted

    def report(self, n_done: int, *, within: sa.Connection | None = None) -> None:
        """Count items done."""
        if within is not None:
            counted = shards.count_done(within, self.go, n_done)
        else:
            with writing(self.engine) as connection:
                counted = shards.count_done(connection, self.go, n_done)
        if not counted:
            raise Interrupted

    def set_aside(self, subject: str, reason: str) -> None:
        """Go on without an item."""
        shards.set_aside(self.engine, self.go, subject=subject, reason=reason)

    @contextmanager
    def trying(self, subject: str) -> Iterator[None]:
        """Note durably what is being tried."""
        if not shards.note_trying(self.engine, self.go, subject):
            raise Interrupted
        try:
            yield
        finally:
            shards.note_trying(self.engine, self.go, None)


@dataclass(frozen=True, slots=True)
class Runner:
    """Carries out parts of jobs in this process until `stop` is set; `bodies` names those under way."""

    ctx: Context
    kinds: Mapping[str, Kind]
    stop: threading.Event
    bodies: set[str] = field(default_factory=set)
    _small_jobs: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _idle: threading.Condition = field(default_factory=threading.Condition, repr=False)
    _working: set[int] = field(default_factory=set, repr=False)

    def plan(self, job_id: str, *, attempt: int) -> tuple[int, ...] | None:
        """Cut the job into shards, once; the numbers of those to be done, None when it has ended."""
        with self._at_work():
            job = self._begin(job_id, attempt=attempt)
            if job is None:
                return None
            if job.n_total is None and not self._stage(job, partial(self._plan, job)):
                return None
            return self._patiently(partial(shards.tally, self.ctx.engine, job)).waiting

    def carry_out(self, job_id: str, *, attempt: int, shard: int) -> None:
        """Do one shard, unless it is done or not wanted any more. Whatever comes of it is in the store.

        Raises:
            Interrupted: the worker is to end; the shard is for another.
        """
        last: Go | None = None

        def begin_and_do() -> None:
            nonlocal last
            begin = partial(
                shards.begin_shard, self.ctx.engine, job_id, attempt=attempt, shard=shard
            )
            last = self._patiently(begin)
            if last is not None:
                self._do(last)

        with self._at_work():
            try:
                self._tried(begin_and_do)
            except Interrupted:
                if self.stop.is_set():
                    raise
            except Failed as failure:
                if last is not None:
                    _log.warning("shard_failed", job=job_id, shard=shard, reason=str(failure))
                    end = partial(shards.end_shard, self.ctx.engine, last, reason=str(failure))
                    self._patiently(end)

    def carry_out_small(self, job_id: str, *, attempt: int, shard: int) -> None:
        """Do the only shard of a job beside the big ones: of kinds that compute one such at a time.

        Raises:
            Interrupted: the worker is to end; the shard is for another.
        """
        job = self._patiently(partial(read_job, self.ctx.engine, job_id))
        kind = self.kinds.get(job.kind)
        with nullcontext() if kind is not None and kind.waits else self._one_at_a_time():
            self.carry_out(job_id, attempt=attempt, shard=shard)

    def finish(self, job_id: str, *, attempt: int) -> None:
        """Sum up and end the job."""
        with self._at_work():
            job = self._begin(job_id, attempt=attempt)
            if job is None:
                return
            state = self._patiently(partial(shards.tally, self.ctx.engine, job))
            reason = state.reason
            if reason is None and state.waiting:
                reason = f"shard {state.waiting[0]} ended without a word; retry the job"
            if reason is None:
                self._stage(job, partial(self._finish, job, state))
            else:
                self._fail(job, reason)

    @contextmanager
    def answering_for(self, body: str, *, job_id: str, attempt: int) -> Iterator[None]:
        """Let no error out to where its message would be logged: the job fails of it, by type and place."""
        self.bodies.add(body)
        try:
            yield
        except Exception as error:  # what nobody thought of
            job = self._begin(job_id, attempt=attempt)
            if job is not None:
                self._fail(job, describe(error))
        finally:
            self.bodies.discard(body)

    def drain(self, timeout_s: float) -> bool:
        """Wait until nothing is being carried out; False when that took too long."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._working, timeout_s)

    def is_wanted(self, job_id: str, *, attempt: int) -> bool:
        """Whether the job has neither ended nor been asked for again."""
        ask = partial(shards.is_running, self.ctx.engine, job_id, attempt=attempt)
        return self._patiently(ask)

    def _begin(self, job_id: str, *, attempt: int) -> Job | None:
        """The job, if it is still to be carried out."""
        begin = partial(
            shards.begin_job, self.ctx.engine, job_id, attempt=attempt, now=self.ctx.now()
        )
        return self._patiently(begin)

    def _plan(self, job: Job) -> None:
        planned = self._stoppable(self._kind(job).plan(self.ctx, job))
        plan = [(part.data, part.size) for part in planned]
        self._patiently(partial(shards.save_plan, self.ctx.engine, job, plan))

    def _finish(self, job: Job, state: Tally) -> None:
        result = _as_json(self._kind(job).finish(self.ctx, job, results=state.results))
        self._end(job, "done", result=result)

    def _do(self, go: Go) -> None:
        if go.deaths >= _DEATHS_BORNE:
            raise Failed(f"shard {go.shard} has ended its process {go.deaths} times")
        run = ShardRun(self.ctx.engine, go, self.stop)
        try:
            result = _as_json(self._kind(go.job).shard(self.ctx, run))
        except BaseException:
            self._patiently(partial(shards.let_go, self.ctx.engine, go))
            raise
        self._patiently(partial(shards.end_shard, self.ctx.engine, go, result=result))

    def _stage(self, job: Job, action: Callable[[], None]) -> bool:
        """Plan or sum up; False when that failed, and the job with it."""
        n_deaths = self._patiently(partial(shards.count_death, self.ctx.engine, job))
        try:
            if n_deaths >= _DEATHS_BORNE:
                raise Failed(f"planning or summing up has ended its process {n_deaths} times")
            self._tried(action)
        except Failed as failure:
            self._fail(job, str(failure))
            return False
        finally:
            self._patiently(partial(shards.forget_deaths, self.ctx.engine, job))
        return True

    def _tried(self, action: Callable[[], None]) -> None:
        """Do it; what may pass by itself is tried three times.

        Raises:
            Failed: it did not pass, or cannot.
        """
        for pause_s in (*_PAUSES_S, None):
            try:
                action()
                return
            except Exception as error:  # a kind may raise anything, and others' jobs must go on
                if pause_s is None or not _may_pass(error):
                    raise Failed(describe(error)) from error
                self._rest(pause_s, because=error)

    def _patiently(self, action: Callable[[], T]) -> T:
        """Read or write the store, for as long as it takes: a lost database comes back."""
        pause_s = 0.5
        while True:
            try:
                return action()
            except _TROUBLE as error:
                if not _may_pass(error):
                    raise
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
                self._rest(pause_s, because=error)

    def _rest(self, pause_s: float, *, because: Exception) -> None:
        _log.warning("job_waits", error=type(because).__name__, seconds=pause_s)
        if self.stop.wait(pause_s):
            raise Interrupted from because

    def _fail(self, job: Job, reason: str) -> None:
        _log.warning("job_failed", job=job.id, kind=job.kind, reason=reason)
        self._end(job, "failed", reason=reason)

    def _end(
        self,
        job: Job,
        state: Literal["done", "failed"],
        *,
        result: Json = None,
        reason: str | None = None,
    ) -> None:
        """Say what became of a job, and have everybody told who asked for it."""
        now = self.ctx.now()
        facts = {"job_id": job.id, "kind": job.kind}
        event: Event = "job.done" if state == "done" else "job.failed"
        tell = partial(emit, event=event, data=facts, now=now)
        end = partial(shards.end_job, self.ctx.engine, job, state, result=result, reason=reason)
        self._patiently(partial(end, now=now, then=tell))

    def _kind(self, job: Job) -> Kind:
        if job.kind not in self.kinds:
            raise Failed(f"this version of danvan has no kind of job {job.kind!r}")
        return self.kinds[job.kind]

    def _stoppable(self, parts: Iterable[T]) -> Iterator[T]:
        for part in parts:
            if self.stop.is_set():
                raise Interrupted
            yield part

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        while not self._small_jobs.acquire(timeout=_LOOK_S):
            if self.stop.is_set():
                raise Interrupted
        try:
            yield
        finally:
            self._small_jobs.release()

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        if self.stop.is_set():
            raise Interrupted
        me = threading.get_ident()
        with self._idle:
            self._working.add(me)
        try:
            yield
        finally:
            with self._idle:
                self._working.discard(me)
                self._idle.notify_all()


def describe(error: Exception) -> str:
    """An error in a sentence: those raised on purpose speak for themselves, others tell type and place.

    The message of another error may quote a text and is never shown.
    """
    if isinstance(error, DanvanError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def _may_pass(error: Exception) -> bool:
    return is_away(error) or isinstance(error, OSError)


def _as_json(value: Json) -> Json:
    """The value, sure to be storable.

    Raises:
        TypeError: it is no JSON; the kind is at fault.
    """
    orjson.dumps(value)
    return value

"""What a worker does beside its work: it beats, takes over from the dead, and brings jobs to the queue."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from service.jobs import flow
from service.jobs.runner import Runner, describe
from service.jobs.seam import Context
from service.store import workers
from service.store.workers import Seat

_LONGEST_PAUSE_S = 10.0
_SENT_AT_ONCE = 200
_REMEMBERED = timedelta(days=1)
_NEVER = (None, 0.0)
_NO_WORD = "the job ended without a word; retry it"
_log = structlog.get_logger()


@dataclass(slots=True)
class Keeper:
    """The rounds of one worker. `lost_seat` says that another process has taken its place."""

    runner: Runner
    seat: Seat
    chores: Sequence[Callable[[Context], None]] = ()
    lost_seat: bool = False
    _seen: dict[str, tuple[datetime, float]] = field(default_factory=dict)
    _looked_at: float = 0.0
    _beat_due: float = 0.0
    _inspection_due: float = 0.0

    @property
    def ctx(self) -> Context:
        """The context of the jobs."""
        return self.runner.ctx

    def keep(self) -> None:
        """Go round until the worker is to end; a database that is away is waited for."""
        pause_s = self.ctx.settings.worker_poll_s
        while not self.runner.stop.wait(pause_s):
            try:
                self.go_round()
                pause_s = self.ctx.settings.worker_poll_s
            except Exception as error:  # without its rounds a worker would be taken for dead
                pause_s = min(max(pause_s * 2, 0.5), _LONGEST_PAUSE_S)
                _log.warning("keeper_waits", reason=describe(error), seconds=pause_s)

    def go_round(self) -> None:
        """One round: what is due now."""
        now = time.monotonic()
        if now >= self._beat_due:
            self._beat()
            self._look_after_others()
            self._beat_due = now + self.ctx.settings.heartbeat_s
        self._send()
        if now >= self._inspection_due:
            self._inspection_due = now + self.ctx.settings.worker_dead_after_s
            self._inspect()
            self.do_chores()

    def _beat(self) -> None:
        if not workers.beat(self.ctx.engine, self.seat, now=self.ctx.now()):
            _log.error("seat_lost", worker=self.seat.id)
            self.lost_seat = True
            self.runner.stop.set()

    def _look_after_others(self) -> None:
        """Take over from workers that have stopped, or whose beat has not moved for too long.

        How long is measured by our own clock alone, as those of several hosts never agree, and only
        while we were looking: after a while without the database nobody has beaten.
        """
        longest_s = self.ctx.settings.worker_dead_after_s
        beats, now = workers.list_beats(self.ctx.engine), time.monotonic()
        known = self._seen if now - self._looked_at < longest_s / 2 else {}
        self._looked_at = now
        self._seen = {
            name: known[name] if known.get(name, _NEVER)[0] == beat_at else (beat_at, now)
            for name, beat_at in beats.items()
        }
        still = {name: at for name, (at, since) in self._seen.items() if now - since > longest_s}
        if workers.bury(self.ctx.engine, still):
            self._take_over()

    def _take_over(self) -> None:
        n_taken = flow.take_over(workers.list_beats(self.ctx.engine))
        _log.info("taken_over", worker=self.seat.id, shards_and_jobs=n_taken)

    def _send(self) -> None:
        """Bring what was asked for to the queue; that it is there is noted afterwards."""
        unsent = workers.list_unsent(self.ctx.engine, limit=_SENT_AT_ONCE)
        if unsent:
            # enough shards of one job to keep every worker busy, few enough to let others in between
            window = 2 * len(workers.list_beats(self.ctx.engine)) + 2
            for attempt in unsent:
                flow.send(attempt, window=window)
            workers.mark_sent(self.ctx.engine, unsent)

    def _inspect(self) -> None:
        """Set right what no single round sees: take-overs cut short, a queue lost or restored, old rows."""
        ctx, now = self.ctx, self.ctx.now()
        flow.take_over(workers.list_beats(ctx.engine))
        long_ago = now - timedelta(seconds=2 * ctx.settings.worker_dead_after_s)
        flow.pick_up(self.runner, worker_id=self.seat.id, before=long_ago)
        lost, given_up = flow.inspect(workers.list_sent(ctx.engine))
        workers.send_again(ctx.engine, lost)
        workers.give_up(ctx.engine, given_up, reason=_NO_WORD, now=now)
        flow.forget_workflows(before=now - _REMEMBERED)
        workers.forget_workers(ctx.engine, before=now - _REMEMBERED)

    def do_chores(self) -> None:
        """Do what is to be seen to now and then, each for itself."""
        for chore in self.chores:
            try:
                chore(self.ctx)
            except Exception as error:  # others' chores must be done
                _log.warning("chore_failed", chore=chore.__name__, reason=describe(error))

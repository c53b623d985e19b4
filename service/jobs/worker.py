"""`danvan worker`: one process that carries out jobs until it is told to end."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa
import structlog

from service.jobs import flow
from service.jobs.keeper import Keeper
from service.jobs.kinds import CHORES, KINDS
from service.jobs.runner import Runner
from service.jobs.seam import Context, Kind
from service.store import workers
from service.store.errors import NotMigrated
from service.store.migrate import migrate
from service.store.workers import Seat

_PATIENCE_S = 30.0
_LAST_ROUND_S = 5.0
_LONGEST_PAUSE_S = 10.0
_log = structlog.get_logger()


def run_worker(
    ctx: Context,
    *,
    name: str | None = None,
    kinds: Mapping[str, Kind] = KINDS,
    chores: Sequence[Callable[[Context], None]] = CHORES,
    until: Callable[[], object] | None = None,
) -> None:
    """Carry out jobs until a signal comes or `until` returns. Ends the process: exit code 0 or 1.

    Without a name the worker takes the first seat of this host that is free; a name is taken from
    whoever has it.

    Raises:
        StoreError: the database is of a newer version.
    """
    stop = threading.Event()
    _heed_signals(stop)
    if until is not None:
        threading.Thread(target=_stop_after, args=(until, stop), daemon=True).start()
    if not _await_store(ctx.engine, stop):
        return
    if ctx.settings.migrate_on_start:
        migrate(ctx.settings.database_url)
        flow.migrate_queue(ctx.settings.database_url)
    seat = _take_seat(ctx, name)
    runner = Runner(ctx, kinds, stop)
    take_nothing_new = flow.launch(runner, worker_id=seat.id)
    _log.info("worker_started", worker=seat.id)
    keeper = Keeper(runner, seat, chores)
    rounds = threading.Thread(target=keeper.keep, name="keeper", daemon=True)
    rounds.start()
    stop.wait()
    take_nothing_new()
    drained = runner.drain(_PATIENCE_S)
    rounds.join(_LAST_ROUND_S)  # a beat after leaving would call the worker live again
    _leave(ctx.engine, seat)
    _log.info("worker_ended", worker=seat.id, in_good_order=drained)
    # parents that wait for the shards of others sleep in threads that nothing can wake
    _end_process(0 if drained and not keeper.lost_seat else 1)


def _heed_signals(stop: threading.Event) -> None:
    def heed(number: int, frame: object) -> None:
        if stop.is_set():
            _end_process(128 + number)
        stop.set()

    signal.signal(signal.SIGTERM, heed)
    signal.signal(signal.SIGINT, heed)


def _stop_after(until: Callable[[], object], stop: threading.Event) -> None:
    until()
    stop.set()


def _await_store(engine: sa.Engine, stop: threading.Event) -> bool:
    """Wait for the database; False when the worker is to end before it came."""
    pause_s = 0.5
    while not stop.is_set():
        try:
            workers.reach(engine)
        except sa.exc.DBAPIError as error:
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            _log.warning("store_away", error=type(error).__name__, seconds=pause_s)
            stop.wait(pause_s)
        else:
            return True
    return False


def _take_seat(ctx: Context, name: str | None) -> Seat:
    dead_after_s = ctx.settings.worker_dead_after_s
    try:
        if name is not None:
            return workers.take_name(ctx.engine, name, now=ctx.now())
        host = socket.gethostname()
        return workers.take_seat(ctx.engine, host, now=ctx.now(), dead_after_s=dead_after_s)
    except sa.exc.DatabaseError as error:
        raise NotMigrated("the database is not ready; run `danvan migrate`") from error


def _leave(engine: sa.Engine, seat: Seat) -> None:
    try:
        workers.leave(engine, seat)
    except sa.exc.DBAPIError as error:  # others find out by the beat
        _log.warning("store_away", error=type(error).__name__)


def _end_process(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

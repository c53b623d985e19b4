"""The access log of what is read: written behind the back of the reader, who never waits for it.

What changes something is logged in its own transaction (`service/auth.py`). Reading writes nothing, and
must neither wait for a writer nor fail on a full disk: its lines are gathered here and written by a thread.
"""

import threading
from collections import deque
from datetime import datetime

import sqlalchemy as sa
import structlog

from service.auth import Caller
from service.store.access import Entry, add_entries
from service.store.dialect import writing

_MAX_WAITING = 10_000
_log = structlog.get_logger()


class Journal:
    """Lines on their way into the access log; those that come together are written in one go."""

    def __init__(self, engine: sa.Engine, *, max_waiting: int = _MAX_WAITING) -> None:
        self._engine = engine
        self._waiting: deque[Entry] = deque()
        self._max_waiting = max_waiting
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None

    def note(self, caller: Caller, *, action: str, subject: str, now: datetime) -> None:
        """Have a line written soon; `subject` is the id of a thing, never a text."""
        with self._lock:
            self._waiting.append(Entry(now, caller.name, action, subject))
            self._drop_excess()
            if self._writer is None or not self._writer.is_alive():
                self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
                self._writer.start()

    def settle(self, timeout_s: float) -> None:
        """Wait until what was noted is written, or has failed."""
        writer = self._writer
        if writer is not None:
            writer.join(timeout_s)

    def close(self) -> None:
        """Write what still waits; what cannot be written is lost, and that is logged."""
        self.settle(5.0)
        self._write()
        if self._waiting:
            _log.error("access_log_lost", n_lines=len(self._waiting))

    def _write(self) -> None:
        """Write until nothing waits. What fails waits for the next line that is noted."""
        while True:
            with self._lock:
                some = list(self._waiting)
                self._waiting.clear()
                if not some:
                    self._writer = None
                    return
            if not self._try(some):
                break
        with self._lock:
            self._waiting.extendleft(reversed(some))
            self._drop_excess()
            self._writer = None

    def _drop_excess(self) -> None:
        n_lost = len(self._waiting) - self._max_waiting
        for _ in range(n_lost):
            self._waiting.popleft()
        if n_lost > 0:
            _log.error("access_log_lost", n_lines=n_lost)

    def _try(self, entries: list[Entry]) -> bool:
        try:
            with writing(self._engine) as connection:
                add_entries(connection, entries)
        except sa.exc.DataError:  # trying again would fail again, and hold up the lines behind
            _log.error("access_log_lost", n_lines=len(entries))
        except sa.exc.SQLAlchemyError as error:
            _log.error("access_log_failed", n_lines=len(entries), error=type(error).__name__)
            return False
        return True

"""Answers that several people ask for within minutes are worked out once."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, TypeVar

_KEPT = timedelta(minutes=5)
_MOST = 64  # answers
T = TypeVar("T")


@dataclass(slots=True)
class _Place:
    """Where an answer is put; whoever holds `lock` works it out. `Any`: what templates show."""

    made_at: datetime
    lock: Lock = field(default_factory=Lock)
    answer: Any = None
    is_made: bool = False


class Memory:
    """A small store of answers in this process, the one asked for longest ago goes first."""

    def __init__(self, *, kept: timedelta = _KEPT, most: int = _MOST) -> None:
        self._kept, self._most = kept, most
        self._places: OrderedDict[Hashable, _Place] = OrderedDict()
        self._lock = Lock()

    def recall(self, key: Hashable, make: Callable[[], T], *, now: datetime) -> tuple[T, datetime]:
        """The answer under a key and when it was made; whoever asks meanwhile waits for it.

        What `make` raises goes to its caller, and the next one tries anew.
        """
        place = self._place(key, now=now)
        with place.lock:
            if not place.is_made:
                place.answer, place.is_made = make(), True
            return place.answer, place.made_at

    def _place(self, key: Hashable, *, now: datetime) -> _Place:
        with self._lock:
            place = self._places.get(key)
            if place is None or now - place.made_at >= self._kept:
                place = self._places[key] = _Place(now)
            self._places.move_to_end(key)
            while len(self._places) > self._most:
                self._places.popitem(last=False)
            return place

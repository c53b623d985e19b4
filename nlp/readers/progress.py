"""How far a long reading has come, for whoever waits for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[int, int], None]
_listeners: list[Listener] = []


def report(*, done: int, of: int) -> None:
    """Tell the listeners that `done` of `of` pages are recognised."""
    for listener in _listeners:
        listener(done, of)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Call `listener` with each report while the block runs."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)

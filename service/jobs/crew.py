"""Processes that another process keeps for its jobs: begun again when they die, ended with it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import structlog

COMMAND = (sys.executable, "-m", "service", "worker", "--tied")
_PATIENCE_S = 40.0  # a little longer than the worker's own
_LONGEST_PAUSE_S = 60.0
_LOOK_S = 0.2
_AS_OURS: Mapping[str, str] = {}
_log = structlog.get_logger()


@contextmanager
def keep_crew(
    commands: Sequence[Sequence[str]], *, settings: Mapping[str, str] = _AS_OURS
) -> Iterator[None]:
    """Keep a process of each command alive while the block runs, with these variables beside our own.

    Each child holds the other end of a pipe to us as its standard input. Should this process die without
    a word, the pipe closes, and the child ends by itself.
    """
    stop = threading.Event()
    threads = [
        threading.Thread(target=_tend, args=(command, stop, {**os.environ, **settings}))
        for command in commands
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def run_crew(commands: Sequence[Sequence[str]], *, settings: Mapping[str, str] = _AS_OURS) -> None:
    """Keep a process of each command alive until SIGTERM or SIGINT."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    with keep_crew(commands, settings=settings):
        told.wait()


def _tend(command: Sequence[str], stop: threading.Event, environment: Mapping[str, str]) -> None:
    pause_s = 0.5
    while not stop.is_set():
        began = time.monotonic()
        # a session of its own: Ctrl+C is for us, and we tell the child
        child = subprocess.Popen(  # noqa: S603 - our own program
            command, stdin=subprocess.PIPE, start_new_session=True, env=environment
        )
        with child:
            while child.poll() is None and not stop.wait(_LOOK_S):
                pass
            if stop.is_set():
                _end(child)
                return
        lived_long = time.monotonic() - began > _LONGEST_PAUSE_S
        pause_s = 1.0 if lived_long else min(pause_s * 2, _LONGEST_PAUSE_S)
        _log.warning("worker_died", code=child.returncode, again_in_s=pause_s)
        stop.wait(pause_s)


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.kill()

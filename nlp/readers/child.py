"""Files from outside are parsed in a child process that can be killed.

The child is forked from a clean server process, has a limit on memory and processor time, and answers in
JSON: nothing a hostile file makes of the child is ever unpickled here.
"""

import base64
import json
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from threading import Lock
from types import ModuleType
from typing import Any

from nlp import errors
from nlp.readers import read_file
from nlp.readers.pages import Bounds, Drawn, draw_pages
from nlp.readers.progress import Listener, listening
from nlp.readers.rows import Asked, Row, read_rows
from nlp.types import Block, Document, Place

_MIB = 1024 * 1024
_MAX_WRITTEN_BYTES = 1024 * _MIB  # of any one file, such as what an Office file is converted to
_ROWS_AT_ONCE = 200
_CPU_STEPS = 20  # a long scan is read in many steps of `timeout_s` each
_main_hidden = Lock()


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost; `timeout_s` begins anew with each pair of pages that is recognised."""

    timeout_s: float = 30.0
    memory_bytes: int = 1536 * _MIB


def read_in_child(
    data: bytes, *, name: str, limits: Limits | None = None, listener: Listener | None = None
) -> Document:
    """Do `read_file` in a child process; `listener` hears how many pages of how many are recognised.

    Raises:
        InputError: as `read_file`; TooLarge also when the child ran out of time or memory;
            UnreadableFile when the file killed the parser.
    """
    limits = limits or Limits()
    with _child(data, name=name, limits=limits) as pipe:
        answer = _wait(pipe, limits=limits, listener=listener)
    return _decode(answer)


def rows_in_child(
    data: bytes, *, name: str, asked: Asked, limits: Limits | None = None
) -> Generator[tuple[Row, ...]]:
    """Do `read_rows` in a child process, some rows at a time; it waits while they are made use of.

    Raises:
        InputError: as `read_rows`, and as `read_in_child`; rows before it have been given then.
    """
    limits = limits or Limits()
    with _child(data, name=name, limits=limits, asked=asked) as pipe:
        while "rows" in (answer := _wait(pipe, limits=limits, listener=None)):
            yield tuple(Row(**row) for row in answer["rows"])
    _refuse(answer)


def draw_in_child(
    data: bytes, *, name: str, bounds: Bounds, limits: Limits | None = None
) -> Generator[Drawn]:
    """Do `draw_pages` in a child process; each page may take `timeout_s`.

    Raises:
        InputError: as `draw_pages`, and as `read_in_child`; pages before it have been given then.
    """
    limits = limits or Limits()
    with _child(data, name=name, limits=limits, asked=bounds) as pipe:
        while "webp" in (answer := _wait(pipe, limits=limits, listener=None)):
            answer["webp"] = base64.b64decode(answer["webp"])
            yield Drawn(**answer)
    _refuse(answer)


@contextmanager
def _child(
    data: bytes, *, name: str, limits: Limits, asked: Asked | Bounds | None = None
) -> Iterator[Connection]:
    """A child at work on a file; its answers come through the pipe."""
    context = _context()
    ours, theirs = context.Pipe()
    # ours, as a child that is killed cannot clean up behind itself
    with tempfile.TemporaryDirectory(prefix="danvan-", ignore_cleanup_errors=True) as place:
        child = context.Process(
            target=_work, args=(theirs, name, place, limits, asked), daemon=True
        )
        with _without_main():
            child.start()
        theirs.close()
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # it may refuse before it has all
                ours.send_bytes(data)
            yield ours
        except (EOFError, ConnectionResetError) as error:
            raise errors.UnreadableFile("the file broke its reader; it is damaged") from error
        finally:
            _kill(child)
            ours.close()


def _wait(pipe: Connection, *, limits: Limits, listener: Listener | None) -> dict[str, Any]:
    """The answer of the child, behind its reports of progress."""
    while pipe.poll(limits.timeout_s):
        answer: dict[str, Any] = json.loads(pipe.recv_bytes())
        if "done" not in answer:
            return answer
        if listener:
            listener(answer["done"], answer["of"])
    raise errors.TooLarge(f"the file took longer than {limits.timeout_s:g} s to read")


def _kill(child: ForkServerProcess) -> None:
    """End the child and what it started (recognition runs as a program of its own)."""
    if child.pid is not None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    child.join()


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["nlp.readers.child", "docx", "pypdfium2", "selectolax.lexbor"])
    return context


@contextmanager
def _without_main() -> Iterator[None]:
    """Keep the child from importing the program that runs us: a second a file, for nothing.

    Source: CPython issue 126631 (the server of 3.11 cannot load it once for all children).
    """
    with _main_hidden:
        main = sys.modules["__main__"]
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main


def _work(
    pipe: Connection, name: str, place: str, limits: Limits, asked: Asked | Bounds | None
) -> None:
    os.setsid()  # a group of its own, so that all of it can be killed
    os.environ["TMPDIR"] = tempfile.tempdir = place
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MAX_WRITTEN_BYTES, _MAX_WRITTEN_BYTES))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    seconds = max(1, round(limits.timeout_s)) * _CPU_STEPS  # should the parent be gone
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def tell(done: int, of: int) -> None:
        pipe.send_bytes(json.dumps({"done": done, "of": of}).encode())

    try:
        data = pipe.recv_bytes()
        with listening(tell):
            for part in _answers(data, name=name, asked=asked):
                pipe.send_bytes(json.dumps(part, default=_plain).encode())
        answer = b"{}"
    except errors.InputError as error:
        answer = _refusal(type(error).__name__, str(error))
    except (MemoryError, RecursionError):
        answer = _refusal("TooLarge", "the file needs more memory than one file may use")
    except Exception:  # a parser's surprise is the file's fault, and is said so
        answer = _refusal("UnreadableFile", "the file broke its reader; it is damaged")
    pipe.send_bytes(answer)


def _answers(data: bytes, *, name: str, asked: Asked | Bounds | None) -> Iterator[Any]:
    """The whole document, its rows or its pages, in parts. `Any`: it becomes JSON."""
    if asked is None:
        yield {"doc": read_file(data, name=name)}
    elif isinstance(asked, Bounds):
        yield from draw_pages(data, name=name, bounds=asked)
    else:
        rows = read_rows(data, name=name, asked=asked)
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            yield {"rows": some}


def _plain(value: Any) -> Any:
    """Bytes in base 64, a slotted dataclass by its fields. `Any`: whatever JSON does not know."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return {name: getattr(value, name) for name in value.__slots__}


def _refusal(error: str, detail: str) -> bytes:
    return json.dumps({"error": error, "detail": detail}).encode()


def _decode(answer: dict[str, Any]) -> Document:
    """Rebuild what the child found. `Any`: it is JSON from the other side of a pipe."""
    _refuse(answer)
    doc = answer["doc"]
    blocks = tuple(Block(**block) for block in doc["blocks"])
    places = tuple(Place(**place) for place in doc["places"])
    return Document(doc["text"], blocks, doc["media_type"], tuple(doc["issues"]), places)


def _refuse(answer: dict[str, Any]) -> None:
    """Raise what the child could not do. `Any`: as above."""
    if "error" in answer:
        raise getattr(errors, answer["error"])(answer["detail"])

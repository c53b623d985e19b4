"""Files from outside are parsed in a child process that can be killed.

The child is forked from a clean server process, has a limit on memory and processor time, and answers in
JSON: nothing a hostile file makes of the child is ever unpickled here.
"""

import json
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from threading import Lock
from types import ModuleType
from typing import Any

from nlp import errors
from nlp.readers import read_file
from nlp.readers.progress import Listener, listening
from nlp.types import Block, Document, Place

_MIB = 1024 * 1024
_MAX_WRITTEN_BYTES = 1024 * _MIB  # of any one file, such as what an Office file is converted to
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
    context = _context()
    ours, theirs = context.Pipe()
    # ours, as a child that is killed cannot clean up behind itself
    with tempfile.TemporaryDirectory(prefix="danvan-", ignore_cleanup_errors=True) as place:
        child = context.Process(target=_work, args=(theirs, name, place, limits), daemon=True)
        with _without_main():
            child.start()
        theirs.close()
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # it may refuse before it has all
                ours.send_bytes(data)
            answer = _wait(ours, limits=limits, listener=listener)
        except (EOFError, ConnectionResetError) as error:
            raise errors.UnreadableFile("the file broke its reader; it is damaged") from error
        finally:
            ours.close()
            _kill(child)
    return _decode(answer)


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


def _work(pipe: Connection, name: str, place: str, limits: Limits) -> None:
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
        with listening(tell):
            doc = read_file(pipe.recv_bytes(), name=name)
        answer = json.dumps({"doc": doc}, default=_fields).encode()
    except errors.InputError as error:
        answer = _refusal(type(error).__name__, str(error))
    except (MemoryError, RecursionError):
        answer = _refusal("TooLarge", "the file needs more memory than one file may use")
    except Exception:  # a parser's surprise is the file's fault, and is said so
        answer = _refusal("UnreadableFile", "the file broke its reader; it is damaged")
    pipe.send_bytes(answer)


def _fields(value: Any) -> dict[str, Any]:
    """The fields of a slotted dataclass. `Any`: whatever JSON does not know."""
    return {name: getattr(value, name) for name in value.__slots__}


def _refusal(error: str, detail: str) -> bytes:
    return json.dumps({"error": error, "detail": detail}).encode()


def _decode(answer: dict[str, Any]) -> Document:
    """Rebuild what the child found. `Any`: it is JSON from the other side of a pipe."""
    if "error" in answer:
        raise getattr(errors, answer["error"])(answer["detail"])
    doc = answer["doc"]
    blocks = tuple(Block(**block) for block in doc["blocks"])
    places = tuple(Place(**place) for place in doc["places"])
    return Document(doc["text"], blocks, doc["media_type"], tuple(doc["issues"]), places)

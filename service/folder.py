"""Many files at once: folders, archives and mail, read side by side, each failure for itself."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from nlp.errors import InputError, TooLarge
from nlp.readers.child import Limits, read_in_child
from nlp.readers.containers import Part, is_container, unpack
from nlp.types import Document

_READERS = 2  # files read at a time, each in a process of its own
_AHEAD = 8  # files held while the first of them is analysed
_JUNK = (".", "~$", "__MACOSX")


@dataclass(frozen=True, slots=True)
class Read:
    """A file that was read, or why it was not."""

    name: str
    doc: Document | None = None
    error: str | None = None


def is_many(path: Path) -> bool:
    """Whether a path stands for many files: a folder, an archive, a message with attachments."""
    if path.is_dir():
        return True
    return path.suffix.lower() in {".zip", ".eml"} and path.is_file()


def count_files(paths: Sequence[Path]) -> int:
    """How many files there are to read, archives counted as one."""
    return sum(1 for path in paths for _ in _files(path))


def read_all(
    paths: Sequence[Path],
    *,
    limits: Limits,
    max_bytes: int,
    report: Callable[[str], None] = lambda name: None,
) -> Iterator[Read]:
    """Read every file under some paths, in the order of their names.

    Args:
        paths: files, folders, archives.
        limits: what one file may cost.
        max_bytes: the largest file that is read.
        report: is told the name of each file of the disk when it is done.
    """

    def read(part: Part) -> Read:
        if part.error:
            return Read(part.name, error=str(part.error))
        try:
            return Read(part.name, read_in_child(part.data, name=part.name, limits=limits))
        except InputError as error:
            return Read(part.name, error=str(error))

    with ThreadPoolExecutor(_READERS) as readers:
        waiting: list[Future[Read]] = []
        parts = _parts(paths, max_bytes=max_bytes, report=report)
        while True:
            ahead = islice(parts, _AHEAD - len(waiting))
            waiting += [readers.submit(read, part) for part in ahead]
            if not waiting:
                return
            yield waiting.pop(0).result()


def _parts(
    paths: Sequence[Path], *, max_bytes: int, report: Callable[[str], None]
) -> Iterator[Part]:
    for root in paths:
        for path in _files(root):
            name = str(path.relative_to(root)) if root.is_dir() else path.name
            try:
                yield from _opened(path, name=name, max_bytes=max_bytes)
            except InputError as error:
                yield Part(name, error=error)
            except OSError as error:
                yield Part(name, error=InputError(error.strerror or "it cannot be opened"))
            report(name)


def _opened(path: Path, *, name: str, max_bytes: int) -> Iterator[Part]:
    size = path.stat().st_size
    if size > max_bytes:
        raise TooLarge(f"the file has {size} bytes; at most {max_bytes} are read")
    data = path.read_bytes()
    if not is_container(data, name=path.name):
        yield Part(name, data)
        return
    for part in unpack(data, name=path.name):
        inside = name if part.name == path.name else f"{name}/{part.name}"
        yield Part(inside, part.data, part.error)


def _files(root: Path) -> Iterator[Path]:
    """The files of a folder and those below it in the order of their names; hidden ones are left out."""
    if not root.is_dir():
        yield root
        return
    for path in sorted(root.rglob("*")):
        below = path.relative_to(root).parts
        if path.is_file() and not any(part.startswith(_JUNK) for part in below):
            yield path

"""A watched folder of tables. Nothing in it is moved, changed or deleted.

A file is read when it lies still: it is a minute old, or as it was at the last look. What it held is known by
the hash of its bytes, so that one that is changed is read again, and one under another name is not.
"""

import os
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from nlp.errors import InputError, InvalidRecord, TooLarge
from nlp.privacy import mask
from nlp.readers.child import Limits, rows_in_child
from nlp.readers.rows import TABLES
from service.feeds.entries import Columns, State, Step, Unreachable, entry_of

COLUMNS = Columns(("text",), "external_id", "posted_at")
STILL = timedelta(minutes=1)
_SHOWN_CHARS = 60


@dataclass(frozen=True, slots=True)
class Reading:
    """What to read of the files and how; one may have `max_bytes`, and is waited for until it lies still."""

    columns: Columns
    limits: Limits
    max_bytes: int
    now: datetime
    still: timedelta | None = STILL


def find_folder(root: Path, address: str) -> Path:
    """The folder of this name under the root for folders, there or not.

    Raises:
        InvalidRecord: it lies elsewhere, be it by a link.
    """
    try:
        base = root.resolve()
        folder = (base / address).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a loop of links, a NUL
        raise InvalidRecord("the folder has no usable name") from error
    if not folder.is_relative_to(base):
        raise InvalidRecord("the folder must lie below DANVAN_FEEDS_FOLDER; name it from there")
    return folder


def look(folder: Path, state: State, *, reading: Reading) -> Generator[Step]:
    """What is new in the files of a folder, file by file; one that cannot be read is named with the reason.

    Raises:
        Unreachable: the folder cannot be opened.
    """
    try:
        paths = sorted(p for p in folder.iterdir() if _is_meant(p))
    except OSError as error:
        raise Unreachable(f"the folder cannot be opened: {error.strerror}") from error
    done, stamps, here = set(state.get("done", ())), state.get("seen", {}), set[str]()
    seen: dict[str, list[int]] = {}
    for path in paths:
        try:
            name, stamp = sha256(os.fsencode(path.name)).hexdigest()[:16], _stamp(path.lstat())
            seen[name] = stamp
            _check(path, stamp=stamp, max_bytes=reading.max_bytes)
            if stamps.get(name) != stamp and not _is_old(stamp, reading=reading):
                continue
            data = _read(path, stamp=stamp)
            digest = sha256(data or b"").hexdigest()
            here.add(digest)
            if data is None or digest in done:
                continue
            for rows in rows_in_child(
                data, name=path.name, asked=reading.columns.asked, limits=reading.limits
            ):
                yield Step([entry_of(r, columns=reading.columns, now=reading.now) for r in rows])
        except (InputError, OSError) as error:
            reason = str(error) if isinstance(error, InputError) else str(error.strerror)
            yield Step(faults={mask(path.name)[:_SHOWN_CHARS]: reason})
            continue
        done.add(digest)
        yield Step(state={"done": sorted(done), "seen": dict(stamps)})
    yield Step(state={"done": sorted(done & here), "seen": seen})


def _is_meant(path: Path) -> bool:
    """Whether a file may be a table; what begins with these signs is a program's own, and half written."""
    return path.suffix.lower() in TABLES and not path.name.startswith((".", "~"))


def _stamp(found: os.stat_result) -> list[int]:
    return [found.st_size, found.st_mtime_ns]


def _is_old(stamp: list[int], *, reading: Reading) -> bool:
    age_s = reading.now.timestamp() - stamp[1] / 1e9
    return reading.still is None or age_s >= reading.still.total_seconds()


def _check(path: Path, *, stamp: list[int], max_bytes: int) -> None:
    """Refuse what is not read.

    Raises:
        InvalidRecord: it is a link, or no file.
        TooLarge: it is larger than a file may be.
    """
    if path.is_symlink() or not path.is_file():
        raise InvalidRecord("it is a link or no file; put the file itself there")
    if stamp[0] > max_bytes:
        raise TooLarge(f"the file has {stamp[0]} bytes; at most {max_bytes} are read")


def _read(path: Path, *, stamp: list[int]) -> bytes | None:
    """The bytes of a file, None where it changes under our eyes."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        data = file.read(stamp[0] + 1)
        is_still = _stamp(os.fstat(file.fileno())) == stamp and len(data) == stamp[0]
    return data if is_still else None

"""The folder of exports: files made whole, for their owner alone, and taken away in time."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from nlp.errors import InputError

_ENDINGS = (".csv", ".xlsx", ".jsonl", ".part")


def export_file(folder: Path, job_id: str, *, ending: str) -> Path:
    """Where the file of an export lies, once it is made."""
    return folder / f"{job_id}.{ending}"


@contextmanager
def made_whole(target: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of `target` when the block ends well; else nothing is left of it.

    Raises:
        InputError: there is no such folder.
        OSError: it cannot be written, or somebody took it away meanwhile.
    """
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "xb", opener=_for_owner) as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(target)
    except FileNotFoundError as error:
        if target.parent.is_dir():
            raise
        raise InputError(f"{target.parent}: no such folder; make it first") from error
    finally:
        part.unlink(missing_ok=True)


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def make_folder(folder: Path) -> None:
    """Make the folder of exports, for its owner alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def erase_exports(
    folder: Path, *, before: datetime | None = None, of_job: str | None = None
) -> int:
    """Take away the exports written before a moment, or those of one job, whole ones and parts; or all.

    Returns:
        how many files there were.
    """
    if not folder.is_dir():
        return 0
    n_erased = 0
    for file in folder.iterdir():
        is_chosen = file.suffix in _ENDINGS and (of_job is None or file.stem.startswith(of_job))
        if is_chosen and (before is None or _written_at(file) < before.timestamp()):
            file.unlink(missing_ok=True)
            n_erased += 1
    return n_erased


def _written_at(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:  # another worker was quicker
        return float("inf")

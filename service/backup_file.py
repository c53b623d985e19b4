"""The file of a backup: a ZIP with a member of lines for each table, and a manifest that vouches for them.

It is written beside its place and moved there when it is whole; it is read with its hashes, and whatever is
wrong with it is told in one sentence.
"""

import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from fcntl import LOCK_EX, LOCK_NB, flock
from hashlib import sha256
from importlib.metadata import version
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, Annotated, Literal, cast

import sqlalchemy as sa
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from service.store import dump
from service.store.errors import BackupError
from service.store.migrate import revisions

_MANIFEST = "manifest.json"
_MAX_MANIFEST_BYTES = 1024 * 1024
_MAX_LINE_BYTES = 256 * 1024 * 1024
_READ_BYTES = 1024 * 1024
_ENCRYPTED = 1  # a flag of a member
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    OverflowError,
    NotImplementedError,  # a member packed in a way we never do
)


class Table(BaseModel):
    """One table in a backup."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z_]{1,63}$")]
    columns: dict[Annotated[str, Field(pattern=r"^[a-z_0-9]{1,63}$")], dump.Kind]
    rows: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @property
    def member(self) -> str:
        """The name of its member in the ZIP."""
        return f"{self.name}.jsonl"

    @property
    def shape(self) -> dump.Shape:
        """What its lines are."""
        return dump.Shape(self.name, self.columns)


class Manifest(BaseModel):
    """What a backup says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["danvan-backup"] = "danvan-backup"
    format_version: Literal[1] = 1
    danvan: str
    revision: str
    made_at: AwareDatetime
    tables: tuple[Table, ...]

    @property
    def n_rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables)


@contextmanager
def becoming(path: Path) -> Iterator[IO[bytes]]:
    """A file for its owner alone that takes its name when it is whole, and is gone when it is not."""
    part = path.with_name(f"{path.name}.part")
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w+b") as file:
            _claim(file, part)
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                part.rename(path)
            except BaseException:
                part.unlink()
                raise
        _sync_folder(path.parent)
    except OSError as error:
        told = (error.strerror or "refused").lower()
        raise BackupError(f"{path} cannot be written: {told}; nothing of it was left") from error


def _claim(file: IO[bytes], part: Path) -> None:
    """Have the file for this process alone, what an interrupted backup left in it gone."""
    try:
        flock(file, LOCK_EX | LOCK_NB)
    except BlockingIOError as error:
        raise BackupError(f"{part} is being written by another backup") from error
    os.fchmod(file.fileno(), 0o600)
    file.truncate(0)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write(file: IO[bytes], connection: sa.Connection, *, now: datetime) -> Manifest:
    """Write everything that a connection sees, as one snapshot when it is one."""
    with _packing(file) as archive:
        tables = tuple(_write_table(archive, connection, shape) for shape in dump.shapes())
        manifest = Manifest(
            danvan=version("danvan"), revision=revisions()[0], made_at=now, tables=tables
        )
        archive.writestr(_MANIFEST, manifest.model_dump_json(indent=1))
    return manifest


@contextmanager
def _packing(file: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """A ZIP being written. When that fails it is not closed: closing would write once more."""
    archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
    try:
        yield archive
    except BaseException:
        archive.fp = None
        raise
    archive.close()


def _write_table(archive: zipfile.ZipFile, connection: sa.Connection, shape: dump.Shape) -> Table:
    digest, n_rows = sha256(), 0
    with archive.open(f"{shape.name}.jsonl", "w", force_zip64=True) as member:
        for line in dump.dump_rows(connection, shape):
            member.write(line)
            digest.update(line)
            n_rows += 1
    return Table(
        name=shape.name, columns=dict(shape.columns), rows=n_rows, sha256=digest.hexdigest()
    )


@contextmanager
def opened(file: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """A backup and its manifest; whatever turns out to be wrong with the file is told in one sentence."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive, _read_manifest(archive, file)
    except _DAMAGED as error:
        raise BackupError(
            f"{file} is no backup of danvan, or is damaged; nothing was changed"
        ) from error
    except OSError as error:
        told = (error.strerror or "refused").lower()
        raise BackupError(f"{file} cannot be read: {told}") from error


def _read_manifest(archive: zipfile.ZipFile, file: Path) -> Manifest:
    names = archive.namelist()
    if _MANIFEST not in names or archive.getinfo(_MANIFEST).file_size > _MAX_MANIFEST_BYTES:
        raise zipfile.BadZipFile
    if any(member.flag_bits & _ENCRYPTED for member in archive.infolist()):
        raise zipfile.BadZipFile
    manifest = Manifest.model_validate_json(archive.read(_MANIFEST))
    if sorted(names) != sorted([_MANIFEST, *(table.member for table in manifest.tables)]):
        raise zipfile.BadZipFile
    if manifest.revision not in revisions():
        raise BackupError(
            f"{file} was made by danvan {manifest.danvan}, whose schema {manifest.revision} "
            "is not known here; install that version or a newer one"
        )
    return manifest


def read_lines(archive: zipfile.ZipFile, table: Table) -> Iterator[bytes]:
    """The lines of a table; at their end it is known whether they are what was written."""
    digest, n_rows = sha256(), 0
    with archive.open(table.member) as member:
        reader = BufferedReader(cast(RawIOBase, member), _READ_BYTES)
        while line := reader.readline(_MAX_LINE_BYTES):
            digest.update(line)
            n_rows += 1
            yield line
    if (n_rows, digest.hexdigest()) != (table.rows, table.sha256):
        raise zipfile.BadZipFile

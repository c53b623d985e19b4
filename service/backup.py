"""Backups: the whole store as one portable file, and back into any empty database.

The file is a ZIP with a member of lines for each table and, last, a manifest that says what they are and
how many, with a SHA-256 of each. It is made from one snapshot while others go on writing, and takes its
name only when it is whole. It holds everything the database does, hashes of passwords among it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from zipfile import BadZipFile

import sqlalchemy as sa

from service.backup_file import Manifest, becoming, opened, read_lines, write
from service.store import dump, tables
from service.store.dialect import file_of, is_full, open_engine, snapshot, writing
from service.store.errors import BackupError, StoreError
from service.store.migrate import check_current, revision_of, upgrade
from service.store.search import index_texts, unindex

Hook = Callable[[sa.Connection, datetime], None]

_SEEDED = {"sources": 2}  # rows that migrations put in
_INDEXED_ITEMS = 50  # at a time: a text may have megabytes
_READ_BYTES = 1024 * 1024
_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"danvan-(\d{8}T\d{6}Z)\.zip(\.part)?")


def index_anew(connection: sa.Connection, now: datetime) -> None:
    """Make the index of words anew from the texts, whatever it holds."""
    items, last = tables.items.c, -1
    some = sa.select(items.seq, items.text).order_by(items.seq).limit(_INDEXED_ITEMS)
    while rows := connection.execute(some.where(items.seq > last)).all():
        unindex(connection, [row.seq for row in rows])
        index_texts(connection, ((row.seq, row.text) for row in rows))
        last = rows[-1].seq


# Done in the transaction of a restore, in this order, when its rows are in and the schema is of this
# version: make anew what is derived, delete what must not be kept any more. (Jobs that were under way are
# taken up by the workers, who see that their queue does not know them.)
AFTER_RESTORE: tuple[Hook, ...] = (index_anew,)


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made; `sha256` is of the whole file, to be kept elsewhere."""

    path: Path
    n_rows: int
    n_bytes: int
    sha256: str


def make_backup(url: str, out: Path, *, now: datetime) -> Made:
    """Write everything into one new file; `out` may also be a folder, in which it gets a dated name.

    Raises:
        BackupError: the file is there already, or cannot be written.
        StoreError: the database cannot be read or is not at the schema of this version.
    """
    path = out / f"danvan-{now.astimezone(UTC):{_STAMP}}.zip" if out.is_dir() else out
    if path.exists():
        raise BackupError(f"{path} is there already; name a new file")
    source = file_of(url)
    if source is not None and not source.exists():
        raise StoreError(f"there is no database at {source}; DANVAN_DATABASE_URL names it")
    engine = open_engine(url)
    try:
        with becoming(path) as file, snapshot(engine) as connection:
            check_current(connection)
            manifest = write(file, connection, now=now)
    except sa.exc.SQLAlchemyError as error:
        raise StoreError(f"the database cannot be read ({type(error).__name__})") from error
    finally:
        engine.dispose()
    with path.open("rb") as whole:
        digest = sha256()
        while chunk := whole.read(_READ_BYTES):
            digest.update(chunk)
    return Made(path, manifest.n_rows, path.stat().st_size, digest.hexdigest())


def rotate(folder: Path, *, keep_days: int, now: datetime) -> tuple[Path, ...]:
    """Delete the backups in a folder that are older than so many days, by the moment in their names.

    Only names that `make_backup` gives are looked at, what an interrupted one left among them.

    Returns:
        What was deleted.
    """
    oldest = now - timedelta(days=keep_days)
    gone = []
    for path in sorted(folder.iterdir()):
        name = _NAME.fullmatch(path.name)
        if name and datetime.strptime(name[1], _STAMP).replace(tzinfo=UTC) < oldest:
            path.unlink()
            gone.append(path)
    return tuple(gone)


def verify_backup(file: Path) -> Manifest:
    """Read a whole backup and compare it with its hashes; nothing is written anywhere.

    Raises:
        BackupError: the file is no whole backup, or one of a newer version.
    """
    with opened(file) as (archive, manifest):
        for table in manifest.tables:
            for _ in read_lines(archive, table):
                pass
    return manifest


def restore_backup(
    url: str, file: Path, *, now: datetime, after: Sequence[Hook] = AFTER_RESTORE
) -> Manifest:
    """Bring a backup into an empty database of any kind: all of it, or nothing at all.

    The hashes are verified before anything is touched. A database without tables is first brought to the
    schema of the backup, and in the end to that of this version.

    Raises:
        BackupError: the file is no whole backup or of a newer version, or the database is not empty.
        StoreError: the database cannot be written.
    """
    verify_backup(file)
    engine = open_engine(url)
    try:
        with writing(engine) as connection:
            manifest = _fill(connection, file)
            dump.settle_numbers(connection)
            upgrade(connection)
            for hook in after:
                hook(connection, now)
    except sa.exc.SQLAlchemyError as error:
        raise _not_written(error) from error
    finally:
        engine.dispose()
    return manifest


def _fill(connection: sa.Connection, file: Path) -> Manifest:
    with opened(file) as (archive, manifest):
        _prepare(connection, manifest)
        for table in manifest.tables:
            dump.load_rows(connection, table.shape, read_lines(archive, table))
    return manifest


def _prepare(connection: sa.Connection, manifest: Manifest) -> None:
    """Bring an empty database to the schema of the backup.

    Raises:
        BackupError: it is not empty, or the backup does not hold what that schema has.
    """
    found = revision_of(connection)
    if not dump.columns_of(connection):
        upgrade(connection, manifest.revision)
    elif found != manifest.revision or not dump.is_blank(connection, given=_SEEDED):
        raise BackupError(
            "the database is not empty; name a new one with DANVAN_DATABASE_URL (one that was only "
            f"migrated will do where it is at revision {manifest.revision})"
        )
    there = dump.columns_of(connection)
    given = {table.name: frozenset(table.columns) for table in manifest.tables}
    known = {shape.name for shape in dump.shapes()}
    if any(there.get(name) != columns for name, columns in given.items()) or (
        known & there.keys() > given.keys()
    ):
        raise BadZipFile
    dump.clear(connection, reversed(given))


def _not_written(error: sa.exc.SQLAlchemyError) -> StoreError:
    if is_full(error):
        return StoreError("there is no room left for the database; nothing was changed")
    return StoreError(
        f"the database refused the rows ({type(error).__name__}); nothing was changed"
    )

"""The one file that knows which database it is: opening, transactions, and what SQL spells differently."""

import errno
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from service.store.errors import NotMigrated, StoreError

_T = TypeVar("_T")
_BUSY_TIMEOUT_MS = 10_000
_LOT = 800  # SQLite takes at most 999 parameters in old builds
_WRITES = "danvan_writes"
_ALONE = "danvan_alone"
_SCHEMA_LOCK = 6_431_822_290  # any number that is nobody else's
_REPOSTS_LOCK = 6_431_822_291
# libpq's own: a server that went away without a word is noticed in half a minute, not in hours
_PATIENCE: Mapping[str, int] = {
    "connect_timeout": 5,
    "keepalives_idle": 20,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_SQLITE_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}
_POSTGRESQL_FULL = "53100"


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A moment with its time zone; SQLite forgets zones, so UTC is stored and given back."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Bring to UTC; a moment without a zone is refused."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give the zone back."""
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC)


def open_engine(url: str) -> sa.Engine:
    """Open the database; a SQLite file and its folder are made when absent.

    Parameters never show in error messages: they are documents.

    Raises:
        StoreError: the folder of a SQLite file cannot be made.
    """
    address = sa.make_url(url)
    is_sqlite = address.get_backend_name() == "sqlite"
    if is_sqlite:
        _make_folder(Path(address.database or ""))
    engine = sa.create_engine(
        address,
        hide_parameters=True,
        pool_pre_ping=not is_sqlite,
        connect_args={} if is_sqlite else _patience(address),
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=_from_json,
    )
    if is_sqlite:
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        _watch_file(engine, Path(address.database or ""))
    return engine


@contextmanager
def opened(url: str) -> Iterator[sa.Engine]:
    """The database for one command, let go of at its end.

    Raises:
        NotMigrated: it is not at the schema of this version.
        StoreError: the folder of a SQLite file cannot be made.
    """
    engine = open_engine(url)
    try:
        yield engine
    except sa.exc.DatabaseError as error:
        raise NotMigrated("the database is not ready; run `danvan migrate`") from error
    finally:
        engine.dispose()


def _patience(address: sa.URL) -> dict[str, int]:
    return {name: value for name, value in _PATIENCE.items() if name not in address.query}


def _from_json(value: Any) -> Any:
    """The value of a JSON column. `Any`: SQLite keeps a lone number as a number, and not as its text."""
    return orjson.loads(value) if isinstance(value, str | bytes) else value


def file_of(url: str) -> Path | None:
    """The file of a SQLite database, there or not; None of a PostgreSQL one."""
    address = sa.make_url(url)
    return Path(address.database or "") if address.get_backend_name() == "sqlite" else None


def _make_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make the folder of {file}: {error.strerror}") from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Set up one connection. `Any`: a driver's connection has no common type."""
    connection.isolation_level = None  # the driver's own BEGIN comes too late; see _begin_sqlite
    for pragma in (
        f"busy_timeout={_BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "secure_delete=ON",  # what is deleted is overwritten at once; see also write_anew
    ):
        connection.execute(f"PRAGMA {pragma}")


def _watch_file(engine: sa.Engine, file: Path) -> None:
    """Let go of a SQLite file that was moved, deleted or replaced, which no error would ever tell.

    Without it what is accepted goes on into a file that has no name any more. Once it was there, a file
    that is missing is not made anew: it comes back, or somebody has to look. A new file is for its owner
    alone. The log that the old file leaves behind goes too, or SQLite would play it into the new one.
    """

    def make(_dialect: object, _record: object, _args: object, _options: object) -> None:
        if was_there.is_set() and not file.exists():
            raise sqlite3.OperationalError("unable to open database file")
        with suppress(OSError):  # it is there, or SQLite will say what is wrong
            os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))

    def note(_connection: object, record: Any) -> None:
        was_there.set()
        record.info["file"] = _identity(file)

    def compare(_connection: object, record: Any, _proxy: object) -> None:
        if record.info["file"] == _identity(file):
            record.info["log"] = _identity(_log_of(file))
            return
        _drop_log(file, left=record.info.get("log"))
        raise sa.exc.DisconnectionError("the database file was replaced")

    was_there = threading.Event()
    for event, listener in (("do_connect", make), ("connect", note), ("checkout", compare)):
        sa.event.listen(engine, event, listener)


def _log_of(file: Path) -> Path:
    return file.with_name(f"{file.name}-wal")


def _drop_log(file: Path, *, left: tuple[int, int] | None) -> None:
    """Take away the log that a replaced file has left; a file that is gone may come back and need it."""
    if file.exists() and left is not None and left == _identity(_log_of(file)):
        for own in (_log_of(file), file.with_name(f"{file.name}-shm")):
            own.unlink(missing_ok=True)


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _begin_sqlite(connection: sa.Connection) -> None:
    # A transaction that reads first and writes later fails at once when another writer came between;
    # one that says so at the start waits its turn.
    options = connection.get_execution_options()
    if not options.get(_ALONE):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITES) else "BEGIN")


def is_full(error: BaseException | None) -> bool:
    """Whether there was no room left to write: a full disk or quota, or a database at its limit."""
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else None
    code, state = getattr(cause, "sqlite_errorcode", None), getattr(cause, "sqlstate", None)
    return code in _SQLITE_FULL or state == _POSTGRESQL_FULL


def is_away(error: BaseException) -> bool:
    """Whether the database could not be reached, or went away in the middle."""
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.TimeoutError)


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that reads everything as it is at its first query, while others go on writing."""
    options: dict[str, Any] = {}  # `Any`: each option has a type of its own
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


Then = Callable[[sa.Connection], None]  # what belongs to a transaction that somebody else opens


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that writes: all of it or nothing."""
    with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        yield connection


def write_anew(engine: sa.Engine, *, tables: Sequence[str]) -> bool:
    """Take what was deleted out of the files of the database as well.

    SQLite overwrites what it deletes but leaves some copies that it made when it moved rows, so the file is
    written anew. That takes room for it once more, and writers wait meanwhile. PostgreSQL clears the tables
    for reuse: there the bytes go when something else is written to their place.

    Returns:
        False when a reader holds on to SQLite's log, which then still has what was deleted.

    Raises:
        OperationalError: another process writes for long, or there is no room.
    """
    is_sqlite = engine.dialect.name == "sqlite"
    options: dict[str, Any] = {_ALONE: True} if is_sqlite else {"isolation_level": "AUTOCOMMIT"}
    with engine.connect().execution_options(**options) as connection:
        if not is_sqlite:
            connection.exec_driver_sql(f"VACUUM {', '.join(tables)}")
            return True
        connection.exec_driver_sql("VACUUM")
        is_held: int = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one()
        return not is_held


def describe(connection: sa.Connection) -> str:
    """Which database in which version."""
    numbers = connection.dialect.server_version_info or ()
    return f"{connection.dialect.name} {'.'.join(map(str, numbers))}"


def has_search(connection: sa.Connection) -> bool:
    """Whether the database can search in full text: SQLite only where it was built with FTS5."""
    if is_postgresql(connection):
        return True
    options = connection.exec_driver_sql("PRAGMA compile_options").scalars()
    return "ENABLE_FTS5" in options


def is_postgresql(connection: sa.Connection) -> bool:
    """Whether the database is PostgreSQL; else it is SQLite."""
    return connection.dialect.name == "postgresql"


def lock_schema(connection: sa.Connection) -> None:
    """Migrate alone until this transaction ends; on SQLite whoever writes is alone anyway."""
    if is_postgresql(connection):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SCHEMA_LOCK)))


def lock_reposts(connection: sa.Connection) -> None:
    """Look for re-posts alone until this transaction ends: two that come at once must see each other."""
    if is_postgresql(connection):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_REPOSTS_LOCK)))


def lock_stack(connection: sa.Connection) -> None:
    """Keep others from moving the stack until this transaction ends; on SQLite it writes alone anyway."""
    if is_postgresql(connection):
        connection.exec_driver_sql("LOCK TABLE active_runs IN SHARE ROW EXCLUSIVE MODE")


def count_on(connection: sa.Connection, *, tables: Sequence[str], column: str = "id") -> None:
    """Let a table count on from its highest number after rows came in with their numbers given."""
    if is_postgresql(connection):
        for table in tables:
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'),"  # noqa: S608 - names of ours
                f" (SELECT COALESCE(MAX({column}), 0) + 1 FROM {table}), false)"
            )


def json_of_text(connection: sa.Connection, text: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The value of a JSON column that is given as its text and kept to the byte."""
    return sa.cast(text, sa.JSON) if is_postgresql(connection) else text


def lots(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """So many at a time that a statement can name them."""
    yield from (values[start : start + _LOT] for start in range(0, len(values), _LOT))


def insert_new(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that passes over rows whose key is taken."""
    if is_postgresql(connection):
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()

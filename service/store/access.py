"""Keys, staff, sessions and the access log. Of what opens a door only hashes are kept."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

import sqlalchemy as sa

from service.store import tables
from service.store.dialect import insert_new

_KEY = tuple(column for column in tables.api_keys.c if column.name != "sha256")
_ENTRY = tuple(column for column in tables.access_log.c if column.name != "id")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of a program without its secret; `id` is the public first part of it."""

    id: str
    label: str
    role: str
    created_at: datetime
    expires_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Staff:
    """Who may sign in, by a password or as `subject` of the identity provider; neither once it ended."""

    name: str
    role: str
    created_at: datetime
    password_hash: str | None = field(default=None, repr=False)
    subject: str | None = field(default=None, repr=False)
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in. `sha256` is the hash of the cookie, `csrf` what their forms must bear."""

    sha256: str = field(repr=False)
    staff: str
    csrf: str = field(repr=False)
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the access log: who did what to which thing."""

    at: datetime
    actor: str
    action: str
    subject: str


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which lines of the access log; `cursor` is the number of the last line of the page before.

    `actors`: of any of these; of everybody when there are none.
    """

    actors: tuple[str, ...] = ()
    subject: str | None = None
    cursor: int | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some lines, newest first, and the cursor of the next page; None on the last."""

    entries: tuple[Entry, ...]
    next_cursor: int | None


def is_claimed(connection: sa.Connection) -> bool:
    """Whether there ever was a key or a member of staff; ended ones count."""
    found = (sa.exists(sa.select(table)) for table in (tables.api_keys, tables.staff))
    return bool(connection.scalar(sa.select(sa.or_(*found))))


def add_key(connection: sa.Connection, key: ApiKey, *, sha256: str) -> bool:
    """Keep a new key by its hash; False when its id is taken."""
    new = insert_new(connection, tables.api_keys).returning(tables.api_keys.c.id)
    return connection.scalar(new, {**asdict(key), "sha256": sha256}) is not None


def find_key(connection: sa.Connection, key_id: str) -> tuple[ApiKey, str] | None:
    """A key and its hash, whether it still opens or not."""
    query = sa.select(tables.api_keys).where(tables.api_keys.c.id == key_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    return ApiKey(**{column.name: row[column] for column in _KEY}), row["sha256"]


def list_keys(connection: sa.Connection) -> tuple[ApiKey, ...]:
    """Every key there ever was, oldest first."""
    query = sa.select(*_KEY).order_by(tables.api_keys.c.created_at, tables.api_keys.c.id)
    return tuple(ApiKey(**row) for row in connection.execute(query).mappings())


def end_key(connection: sa.Connection, key_id: str, *, now: datetime) -> bool:
    """End a key; False when it had ended before, or there is none."""
    keys = tables.api_keys
    change = keys.update().where(keys.c.id == key_id, keys.c.ended_at.is_(None))
    return connection.execute(change.values(ended_at=now)).rowcount == 1


def find_staff(
    connection: sa.Connection, *, name: str | None = None, subject: str | None = None
) -> Staff | None:
    """A member of staff by one of the two, ended or not."""
    column, value = ("name", name) if name is not None else ("subject", subject)
    query = sa.select(tables.staff).where(tables.staff.c[column] == value)
    row = connection.execute(query).mappings().first()
    return None if row is None else Staff(**row)


def list_staff(connection: sa.Connection) -> tuple[Staff, ...]:
    """Everybody there ever was, by name."""
    query = sa.select(tables.staff).order_by(tables.staff.c.name)
    return tuple(Staff(**row) for row in connection.execute(query).mappings())


def hold_admins(connection: sa.Connection) -> tuple[str, ...]:
    """Who may administer; none of them is ended by others before this transaction is over."""
    staff = tables.staff.c
    query = sa.select(staff.name).where(staff.role == "admin", staff.ended_at.is_(None))
    return tuple(connection.scalars(query.order_by(staff.name).with_for_update()))


def put_staff(connection: sa.Connection, staff: Staff) -> None:
    """Write a member of staff over whoever had the name, and end their sessions."""
    row, named = asdict(staff), tables.staff.c.name == staff.name
    end_sessions(connection, staff.name)
    if connection.execute(tables.staff.update().where(named).values(row)).rowcount == 0:
        connection.execute(tables.staff.insert(), row)


def renew_hash(connection: sa.Connection, staff: Staff, *, password_hash: str) -> None:
    """Replace the hash of the same password, unless it was changed meanwhile; sessions go on."""
    table = tables.staff
    same = sa.and_(table.c.name == staff.name, table.c.password_hash == staff.password_hash)
    connection.execute(table.update().where(same).values(password_hash=password_hash))


def add_session(connection: sa.Connection, session: Session) -> None:
    """Keep a new session, and forget those whose time is over."""
    over = tables.sessions.c.expires_at <= session.created_at
    connection.execute(tables.sessions.delete().where(over))
    connection.execute(tables.sessions.insert(), asdict(session))


def find_session(connection: sa.Connection, sha256: str) -> tuple[Session, str] | None:
    """A session and the role of whose it is; None when that person has left."""
    sessions, staff = tables.sessions, tables.staff
    query = (
        sa.select(sessions, staff.c.role)
        .join(staff, staff.c.name == sessions.c.staff)
        .where(sessions.c.sha256 == sha256, staff.c.ended_at.is_(None))
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    return Session(**{column.name: row[column] for column in sessions.c}), row["role"]


def end_session(connection: sa.Connection, sha256: str) -> None:
    """Forget one session."""
    connection.execute(tables.sessions.delete().where(tables.sessions.c.sha256 == sha256))


def end_sessions(connection: sa.Connection, name: str) -> None:
    """Forget every session of one person."""
    connection.execute(tables.sessions.delete().where(tables.sessions.c.staff == name))


def add_entries(connection: sa.Connection, entries: Sequence[Entry]) -> None:
    """Write lines into the access log."""
    if entries:
        connection.execute(tables.access_log.insert(), [asdict(entry) for entry in entries])


def list_entries(connection: sa.Connection, query: LogQuery) -> LogPage:
    """One page of the access log; one line more is read to know whether there is another page."""
    log = tables.access_log.c
    asked = (
        (query.subject, log.subject.__eq__),
        (query.cursor, log.id.__lt__),
    )
    conditions = [compare(value) for value, compare in asked if value is not None]
    if query.actors:
        conditions.append(log.actor.in_(query.actors))
    statement = sa.select(log.id, *_ENTRY).where(*conditions)
    rows = connection.execute(statement.order_by(log.id.desc()).limit(query.limit + 1)).all()
    shown = rows[: query.limit]
    entries = tuple(Entry(*row[1:]) for row in shown)
    return LogPage(entries, shown[-1].id if len(rows) > query.limit else None)

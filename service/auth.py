"""Who may do what: roles, keys of programs, staff with their sessions, and what is written down of it.

A key is 256 random bits: there is nothing to guess, so a plain SHA-256 of it is kept and one lookup
answers. A password is what a person remembers: it is kept as argon2id, and checking it is slow on purpose.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa
import structlog

from nlp.errors import InputError, InvalidRecord
from nlp.text import to_nfc
from service.store import access
from service.store.access import ApiKey, Entry, Session, Staff
from service.store.dialect import writing
from service.store.errors import Conflict, NotFound

if TYPE_CHECKING:
    from pwdlib import PasswordHash

Scope = Literal["intake", "read", "review", "analyse", "admin"]
Role = Literal["intake", "reader", "reviewer", "analyst", "admin"]

_READER: frozenset[Scope] = frozenset({"read"})
_REVIEWER: frozenset[Scope] = _READER | {"review", "intake"}
_ANALYST: frozenset[Scope] = _REVIEWER | {"analyse"}
ROLES: Mapping[Role, frozenset[Scope]] = {
    "intake": frozenset({"intake"}),
    "reader": _READER,
    "reviewer": _REVIEWER,
    "analyst": _ANALYST,
    "admin": _ANALYST | {"admin"},
}
MIN_PASSWORD_CHARS = 12
_MAX_PASSWORD_CHARS = 1000
_NAME_CHARS = 32
_KEY = re.compile(r"dv_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_STAFF_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_SUBJECT = re.compile(r"[\x20-\x7e]{1,255}")  # OpenID Connect Core 1.0, section 2: `sub`
_LABEL = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
_log = structlog.get_logger()


class Unauthenticated(InputError):  # noqa: N818 - says what the caller is
    """The request bears no key or session that opens."""

    headers: Mapping[str, str] = {"www-authenticate": "Bearer"}

    def __init__(self) -> None:
        super().__init__("send a key that is valid as `Authorization: Bearer ...`, or sign in")


class MissingScope(InputError):  # noqa: N818 - says what the caller lacks
    """The caller is known but may not do this."""


class StaleForm(InputError):  # noqa: N818 - says what was sent
    """A form does not bear the token of the session it was sent in."""


class WrongField(InvalidRecord):
    """What was given for a person cannot be; `field` names which part of it."""

    def __init__(self, field: str, told: str) -> None:
        super().__init__(told)
        self.field = field


class LastAdmin(Conflict):
    """Nobody would be left who may let people in."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the access log names them, and what they may do.

    `csrf` is set where the browser sends the proof by itself, so that forms must bear a token beside it.
    """

    name: str
    scopes: frozenset[Scope]
    csrf: str | None = field(default=None, repr=False)

    @property
    def short_name(self) -> str:
        """The name without what kind of caller it is: `lan` of `staff:lan`."""
        return self.name.partition(":")[2] or self.name


# Whoever asks where nobody has to say who they are, and whoever may use the command line.
ANYONE = Caller("anyone", ROLES["admin"])
CONSOLE = Caller("console", ROLES["admin"])


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made: the only moment at which `key` is known."""

    info: ApiKey
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has just begun: the only moment at which `cookie` is known."""

    session: Session
    cookie: str = field(repr=False)


def role_of(name: str) -> Role:
    """The role with this name.

    Raises:
        InvalidRecord: there is none.
    """
    for role in ROLES:
        if role == name:
            return role
    raise InvalidRecord(f"there is no such role; the roles are {', '.join(ROLES)}")


def is_claimed(engine: sa.Engine) -> bool:
    """Whether there ever was a key or a member of staff; until then the service belongs to its machine."""
    with engine.connect() as connection:
        return access.is_claimed(connection)


def make_key(
    engine: sa.Engine,
    label: str,
    *,
    role: Role,
    by: Caller,
    now: datetime,
    days: int | None = None,
    key_id: str | None = None,
) -> NewKey:
    """Make a key for a program; without `days` it holds until it is revoked.

    A form that may be sent twice bears a `key_id` (`new_key_id`), so that it makes one key.

    Raises:
        InvalidRecord: the label is empty, too long, or holds control characters; no such id can be.
        Conflict: there is a key with this id.
    """
    if not _LABEL.fullmatch(label):
        raise InvalidRecord("the label of a key is one line of 1 to 64 characters")
    key_id = new_key_id() if key_id is None else key_id
    if not _KEY_ID.fullmatch(key_id):
        raise InvalidRecord("the id of a key is 8 digits of 0-9a-f")
    key = f"dv_{key_id}_{secrets.token_urlsafe(32)}"
    expires_at = None if days is None else now + timedelta(days=days)
    info = ApiKey(key_id, label, role, created_at=now, expires_at=expires_at)
    with writing(engine) as connection:
        if not access.add_key(connection, info, sha256=_hash(key)):
            raise Conflict("this key was made before; it is shown only once")
        access.add_entries(connection, [Entry(now, by.name, "key.made", f"key:{key_id}")])
    return NewKey(info, key)


def new_key_id() -> str:
    """The public part of a key that is not made yet."""
    return secrets.token_hex(4)


def list_keys(engine: sa.Engine) -> tuple[ApiKey, ...]:
    """Every key there ever was, oldest first."""
    with engine.connect() as connection:
        return access.list_keys(connection)


def revoke_key(engine: sa.Engine, key_id: str, *, by: Caller, now: datetime) -> ApiKey:
    """End a key at once; one that has ended stays as it is.

    Raises:
        NotFound: no key has this id.
    """
    with writing(engine) as connection:
        if access.end_key(connection, key_id, now=now):
            access.add_entries(connection, [Entry(now, by.name, "key.revoked", f"key:{key_id}")])
        found = access.find_key(connection, key_id)
    if found is None:
        raise NotFound("no key has this id; the list of keys has them all")
    return found[0]


def caller_of_key(engine: sa.Engine, key: str, *, now: datetime) -> Caller | None:
    """Whose key this is; None when it opens nothing (any more)."""
    form = _KEY.fullmatch(key)
    if form is None:
        return None
    with engine.connect() as connection:
        found = access.find_key(connection, form[1])
    if found is None:
        return None
    info, kept = found
    is_over = info.ended_at is not None or (info.expires_at is not None and info.expires_at <= now)
    if is_over or not compare_digest(kept, _hash(key)):
        return None
    return Caller(f"key:{info.id}", _scopes_of(info.role))


def add_staff(
    engine: sa.Engine,
    name: str,
    *,
    role: Role,
    by: Caller,
    now: datetime,
    password: str | None = None,
    subject: str | None = None,
) -> None:
    """Let somebody sign in, by a password or as a subject of the identity provider.

    A name that has ended may be given again.

    Raises:
        WrongField: the name, the password or the role cannot be used, or not just one proof is given.
        Conflict: the name or the subject is taken.
    """
    if not _STAFF_NAME.fullmatch(name):
        raise WrongField("name", "a name is 1 to 32 of a-z, 0-9, point, dash and underscore")
    if "read" not in ROLES[role]:
        raise WrongField(
            "role", f"the role {role} is for keys: a person who may not read sees no page"
        )
    if (password is None) == (subject is None):
        raise WrongField("password", "somebody signs in either by a password or as a subject")
    if subject is not None and not _SUBJECT.fullmatch(subject):
        raise WrongField(
            "subject", "a subject is 1 to 255 ASCII characters, as the provider writes it"
        )
    hashed = None if password is None else _hash_password(password)
    with writing(engine) as connection:
        before = access.find_staff(connection, name=name)
        if before is not None and before.ended_at is None:
            raise Conflict(f"{name} is there already; end them first to change their role")
        if subject is not None and access.find_staff(connection, subject=subject) is not None:
            raise Conflict("the subject is bound to somebody else; end them first")
        staff = Staff(name, role, now, password_hash=hashed, subject=subject)
        _write_staff(connection, staff, Entry(now, by.name, "staff.added", f"staff:{name}"))


def end_staff(engine: sa.Engine, name: str, *, by: Caller, now: datetime) -> None:
    """Let somebody sign in no more, and end their sessions at once.

    The command line may end the last administrator: it can also add the next one.

    Raises:
        NotFound: nobody has this name, or they have ended already.
        LastAdmin: nobody else may administer.
    """
    with writing(engine) as connection:
        before = _find(connection, name)
        if by != CONSOLE and access.hold_admins(connection) == (name,):
            raise LastAdmin(f"{name} is the only administrator; let another one in first")
        staff = replace(before, password_hash=None, subject=None, ended_at=now)
        _write_staff(connection, staff, Entry(now, by.name, "staff.ended", f"staff:{name}"))


def set_password(engine: sa.Engine, name: str, *, password: str, by: Caller, now: datetime) -> None:
    """Give somebody another password, and end their sessions.

    Raises:
        NotFound: nobody has this name, or they have ended.
        WrongField: the password is too short.
        Conflict: they sign in at the identity provider.
    """
    hashed = _hash_password(password)
    with writing(engine) as connection:
        before = _find(connection, name)
        if before.subject is not None:
            raise Conflict(f"{name} signs in at the identity provider and has no password here")
        staff = replace(before, password_hash=hashed)
        _write_staff(connection, staff, Entry(now, by.name, "staff.password", f"staff:{name}"))


def has_admin(engine: sa.Engine) -> bool:
    """Whether somebody who may administer can sign in."""
    return any(staff.role == "admin" and staff.ended_at is None for staff in list_staff(engine))


def list_staff(engine: sa.Engine) -> tuple[Staff, ...]:
    """Everybody there ever was, by name."""
    with engine.connect() as connection:
        return access.list_staff(connection)


def sign_in(
    engine: sa.Engine,
    name: str,
    *,
    password: str,
    now: datetime,
    life: timedelta,
    before: str | None = None,
) -> SignedIn | None:
    """Begin a session in place of that of the cookie `before`; None when name and password do not match.

    An unknown name costs one check of a password like a known one, so that the time tells nothing.
    """
    decoy, password = _decoy(), to_nfc(password)
    with engine.connect() as connection:
        staff = access.find_staff(connection, name=to_staff_name(name))
    kept = staff.password_hash if staff is not None and staff.password_hash else decoy
    is_right, renewed = _hasher().verify_and_update(password, kept)
    if staff is None or kept == decoy or not is_right:
        return None
    if renewed is not None:
        with writing(engine) as connection:
            access.renew_hash(connection, staff, password_hash=renewed)
        staff = replace(staff, password_hash=renewed)
    return _begin(engine, staff, now=now, life=life, before=before)


def sign_in_subject(
    engine: sa.Engine,
    subject: str,
    *,
    now: datetime,
    life: timedelta,
    before: str | None = None,
) -> SignedIn | None:
    """Begin a session for whom the identity provider vouches for; None when nobody here is bound to it."""
    with engine.connect() as connection:
        staff = access.find_staff(connection, subject=subject)
    return None if staff is None else _begin(engine, staff, now=now, life=life, before=before)


def to_staff_name(typed: str) -> str:
    """The name that somebody means who types ` Lan`."""
    return to_nfc(typed).strip().lower()[:_NAME_CHARS]


def caller_of_session(engine: sa.Engine, cookie: str, *, now: datetime) -> Caller | None:
    """Who is signed in under this cookie; None when nobody is (any more)."""
    with engine.connect() as connection:
        found = access.find_session(connection, _hash(cookie))
    if found is None or found[0].expires_at <= now:
        return None
    session, role = found
    return Caller(f"staff:{session.staff}", _scopes_of(role), session.csrf)


def sign_out(engine: sa.Engine, cookie: str) -> None:
    """End the session of this cookie."""
    with writing(engine) as connection:
        access.end_session(connection, _hash(cookie))


def record(engine: sa.Engine, caller: Caller, *, action: str, subject: str, now: datetime) -> None:
    """Write down who did what to which thing: ids and names of things, never a text.

    A log that cannot be written stops nobody: that is logged, and the work goes on.
    """
    try:
        with writing(engine) as connection:
            access.add_entries(connection, [Entry(now, caller.name, action, subject)])
    except sa.exc.SQLAlchemyError as error:
        _log.error("access_log_failed", action=action, error=type(error).__name__)


def _begin(
    engine: sa.Engine, staff: Staff, *, now: datetime, life: timedelta, before: str | None
) -> SignedIn | None:
    cookie, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    session = Session(_hash(cookie), staff.name, csrf, now, now + life)
    with writing(engine) as connection:
        if access.find_staff(connection, name=staff.name) != staff:
            return None  # they were ended, or got another password, while this one was checked
        if before is not None:
            access.end_session(connection, _hash(before))
        access.add_session(connection, session)
        entry = Entry(now, f"staff:{staff.name}", "staff.signed_in", f"staff:{staff.name}")
        access.add_entries(connection, [entry])
    return SignedIn(session, cookie)


def _find(connection: sa.Connection, name: str) -> Staff:
    staff = access.find_staff(connection, name=name)
    if staff is None or staff.ended_at is not None:
        raise NotFound("nobody of this name may sign in; `danvan staff list` has them all")
    return staff


def _write_staff(connection: sa.Connection, staff: Staff, entry: Entry) -> None:
    access.put_staff(connection, staff)
    access.add_entries(connection, [entry])


def _scopes_of(kept: str) -> frozenset[Scope]:
    """The scopes of a stored role; one that this version does not know may do nothing."""
    return next((scopes for role, scopes in ROLES.items() if role == kept), frozenset())


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _hash_password(password: str) -> str:
    password = to_nfc(password)  # the same letters typed on another keyboard are the same password
    if not MIN_PASSWORD_CHARS <= len(password) <= _MAX_PASSWORD_CHARS:
        raise WrongField(
            "password",
            f"a password has {MIN_PASSWORD_CHARS} to {_MAX_PASSWORD_CHARS} characters; a sentence is best",
        )
    return _hasher().hash(password)


@cache
def _hasher() -> "PasswordHash":
    from pwdlib import PasswordHash  # compiled code that only signing in needs

    return PasswordHash.recommended()


@cache
def _decoy() -> str:
    """The hash of a password that nobody knows."""
    return _hasher().hash(secrets.token_urlsafe(32))

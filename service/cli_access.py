"""`danvan keys` and `danvan staff`: who may use the service. The one place that needs no key itself."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import sqlalchemy as sa
import typer
from rich.console import Console
from rich.table import Table

from nlp.errors import InvalidRecord
from service import auth
from service.auth import CONSOLE, Role
from service.settings import load_settings
from service.store.dialect import opened
from service.store.migrate import migrate

app = typer.Typer()
keys_app = typer.Typer(help="Keys of programs that use the API.", no_args_is_help=True)
staff_app = typer.Typer(help="People who may sign in at the page.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
app.add_typer(staff_app, name="staff")
_out = Console(markup=False, emoji=False, highlight=False)
_err = Console(stderr=True, markup=False, emoji=False, highlight=False)

_RoleOption = Annotated[Role, typer.Option(help="what may be done")]
_FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="read the password from standard input")
]


@keys_app.command("create")
def create_key(
    label: Annotated[str, typer.Argument(help="what the key is for")],
    *,
    role: _RoleOption,
    expires_days: Annotated[int | None, typer.Option(min=1, max=3650, help="valid so long")] = None,
) -> None:
    """Make a key and print it, this once: only its hash is kept."""
    with _store() as engine:
        made = auth.make_key(
            engine, label, role=role, by=CONSOLE, now=datetime.now(UTC), days=expires_days
        )
    _out.print(made.key, soft_wrap=True)
    _err.print(f"key {made.info.id} of role {role}; keep it now, it is not shown again")


@keys_app.command("list")
def list_keys() -> None:
    """List every key there ever was, without what opens."""
    with _store() as engine:
        keys = auth.list_keys(engine)
    now = datetime.now(UTC)
    rows = [
        (key.id, key.label, key.role, _state(key.ended_at, key.expires_at, now=now)) for key in keys
    ]
    _print_table(("id", "label", "role", "state"), rows)


@keys_app.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(metavar="ID", help="its 8 digits")]) -> None:
    """End a key: from the next request on it opens nothing."""
    with _store() as engine:
        auth.revoke_key(engine, key_id, by=CONSOLE, now=datetime.now(UTC))
    _err.print(f"key {key_id} opens nothing any more", soft_wrap=True)


@staff_app.command("add")
def add_staff(
    name: Annotated[str, typer.Argument(help="to sign in with: a-z, 0-9, point, dash, underscore")],
    *,
    role: _RoleOption,
    subject: Annotated[
        str | None, typer.Option(help="`sub` at the identity provider, in place of a password")
    ] = None,
    password_stdin: _FromStdin = False,
) -> None:
    """Let somebody sign in; the password is asked for twice."""
    password = None if subject is not None else _ask_password(from_stdin=password_stdin)
    with _store() as engine:
        auth.add_staff(
            engine,
            name,
            role=role,
            by=CONSOLE,
            now=datetime.now(UTC),
            password=password,
            subject=subject,
        )
    _err.print(f"{name} may sign in with the role {role}", soft_wrap=True)


@staff_app.command("list")
def list_staff() -> None:
    """List everybody there ever was."""
    with _store() as engine:
        everybody = auth.list_staff(engine)
    rows = [
        (
            staff.name,
            staff.role,
            "provider" if staff.subject is not None else "password",
            _state(staff.ended_at, None, now=staff.created_at),
        )
        for staff in everybody
    ]
    _print_table(("name", "role", "signs in by", "state"), rows)


@staff_app.command("end")
def end_staff(name: Annotated[str, typer.Argument(help="who may sign in no more")]) -> None:
    """Let somebody sign in no more; where they are signed in, they are signed out at once."""
    with _store() as engine:
        auth.end_staff(engine, name, by=CONSOLE, now=datetime.now(UTC))
    _err.print(f"{name} may not sign in any more", soft_wrap=True)


@staff_app.command("password")
def set_password(
    name: Annotated[str, typer.Argument(help="whose password")],
    *,
    password_stdin: _FromStdin = False,
) -> None:
    """Give somebody another password; where they are signed in, they are signed out."""
    password = _ask_password(from_stdin=password_stdin)
    with _store() as engine:
        auth.set_password(engine, name, password=password, by=CONSOLE, now=datetime.now(UTC))
    _err.print(f"{name} has another password", soft_wrap=True)


@contextmanager
def _store() -> Iterator[sa.Engine]:
    """The database of the settings, at the newest schema unless the settings say otherwise."""
    settings = load_settings()
    if settings.migrate_on_start:
        migrate(settings.database_url)
    with opened(settings.database_url) as engine:
        yield engine


def _ask_password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InvalidRecord("there is no terminal to ask for the password; use --password-stdin")
    question = f"Password (at least {auth.MIN_PASSWORD_CHARS} characters)"
    password: str = typer.prompt(question, hide_input=True, confirmation_prompt=True, err=True)
    return password


def _state(ended_at: datetime | None, expires_at: datetime | None, *, now: datetime) -> str:
    if ended_at is not None:
        return f"ended {ended_at:%Y-%m-%d}"
    if expires_at is not None:
        return f"{'expired' if expires_at <= now else 'until'} {expires_at:%Y-%m-%d}"
    return "valid"


def _print_table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    table = Table(*heads, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    _out.print(table)

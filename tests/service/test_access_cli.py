"""`danvan keys` and `danvan staff`: what they print, what they refuse, and that they show no secret."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from service import auth
from service.store import tables
from service.store.dialect import open_engine
from tests.conftest import ROOT
from tests.service.commands import Danvan, Outcome, commanding

PASSWORD = "mười hai con giáp"  # noqa: S105 - nobody's


@pytest.fixture
def danvan(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Danvan]:
    """Run `danvan` with these arguments on a new database; `stdin` is what is typed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    with commanding(monkeypatch, capsys) as run:
        yield run


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_engine(f"sqlite:///{tmp_path}/data/danvan.db")
    yield engine
    engine.dispose()


def one_sentence(outcome: Outcome) -> bool:
    return outcome.code == 1 and outcome.err.strip().count("\n") == 0 and len(outcome.err) > 20


def test_a_key_is_printed_once_and_opens(danvan: Danvan, engine: sa.Engine) -> None:
    made = danvan("keys", "create", "trang web", "--role", "intake", "--expires-days", "30")
    listed = danvan("keys", "list")

    key = made.out.strip()
    assert re.fullmatch(r"dv_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", key)
    caller = auth.caller_of_key(engine, key, now=datetime.now(UTC))
    assert caller is not None
    assert caller.scopes == frozenset({"intake"})
    assert key not in made.err + listed.out
    until = datetime.now(UTC) + timedelta(days=30)
    assert listed.out.split() == [
        *("id", "label", "role", "state"),
        *(key[3:11], "trang", "web", "intake", "until", f"{until:%Y-%m-%d}"),
    ]


def test_a_revoked_key_stays_in_the_list(danvan: Danvan, engine: sa.Engine) -> None:
    key = danvan("keys", "create", "a", "--role", "admin").out.strip()

    assert danvan("keys", "revoke", key[3:11]).code == 0

    assert auth.caller_of_key(engine, key, now=datetime.now(UTC)) is None
    assert "ended" in danvan("keys", "list").out


def test_an_unknown_key_is_told(danvan: Danvan) -> None:
    assert one_sentence(danvan("keys", "revoke", "00000000"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "create", "a"),
        ("keys", "create", "a", "--role", "emperor"),
        ("keys", "create", "a", "--role", "reader", "--expires-days", "0"),
        ("staff", "add", "lan"),
    ],
)
def test_wrong_usage_is_told(danvan: Danvan, arguments: tuple[str, ...]) -> None:
    assert danvan(*arguments).code == 2


def test_somebody_may_sign_in_with_the_password_from_standard_input(
    danvan: Danvan, engine: sa.Engine
) -> None:
    added = danvan(
        "staff", "add", "lan", "--role", "reviewer", "--password-stdin", stdin=f"{PASSWORD}\n"
    )

    signed_in = auth.sign_in(
        engine, "lan", password=PASSWORD, now=datetime.now(UTC), life=timedelta(hours=1)
    )
    assert signed_in is not None
    assert PASSWORD not in added.out + added.err
    with engine.connect() as connection:
        kept = connection.scalar(sa.select(tables.staff.c.password_hash))
    assert str(kept).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.usefixtures("quick_passwords")
def test_who_there_is_is_listed(danvan: Danvan) -> None:
    danvan("staff", "add", "lan", "--role", "reviewer", "--password-stdin", stdin=PASSWORD)
    danvan("staff", "add", "minh", "--role", "reader", "--subject", "8f3a")

    danvan("staff", "end", "lan")

    lines = [line.split() for line in danvan("staff", "list").out.splitlines()[1:]]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert lines == [
        ["lan", "reviewer", "password", "ended", today],
        ["minh", "reader", "provider", "valid"],
    ]


@pytest.mark.usefixtures("quick_passwords")
def test_another_password_is_set(danvan: Danvan, engine: sa.Engine) -> None:
    danvan("staff", "add", "lan", "--role", "reader", "--password-stdin", stdin=PASSWORD)

    assert danvan("staff", "password", "lan", "--password-stdin", stdin="một câu khác").code == 0

    now, life = datetime.now(UTC), timedelta(hours=1)
    assert auth.sign_in(engine, "lan", password=PASSWORD, now=now, life=life) is None
    assert auth.sign_in(engine, "lan", password="một câu khác", now=now, life=life) is not None


@pytest.mark.parametrize(
    "arguments",
    [
        ("staff", "add", "lan", "--role", "reader", "--password-stdin"),
        ("staff", "add", "lan", "--role", "reader"),
        ("staff", "add", "Lan Anh", "--role", "reader", "--subject", "s"),
        ("staff", "add", "lan", "--role", "intake", "--subject", "s"),
        ("staff", "end", "nobody"),
        ("staff", "password", "nobody", "--password-stdin"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(danvan: Danvan, arguments: tuple[str, ...]) -> None:
    assert one_sentence(danvan(*arguments, stdin="ngắn quá"))


def test_a_database_that_was_not_migrated_is_told(
    danvan: Danvan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DANVAN_MIGRATE_ON_START", "false")

    outcome = danvan("keys", "list")

    assert one_sentence(outcome)
    assert "danvan migrate" in outcome.err


@pytest.mark.slow
@pytest.mark.parametrize(("access", "told"), [("auto", "keys create"), ("open", "everybody")])
def test_the_service_is_not_opened_to_others_by_mistake(
    tiny_models: Path, tmp_path: Path, access: str, told: str
) -> None:
    settings = {"MODELS_FOLDER": str(tiny_models), "MODEL": "tiny", "ACCESS": access}
    environment = {f"DANVAN_{name}": value for name, value in settings.items()}

    ended = subprocess.run(
        [sys.executable, "-m", "service", "serve", "--host", "0.0.0.0", "--port", "0"],  # noqa: S104
        cwd=tmp_path,
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ended.returncode == 1
    assert ended.stdout == ""
    assert told in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


def test_what_is_done_here_is_logged(danvan: Danvan, engine: sa.Engine) -> None:
    danvan("keys", "create", "a", "--role", "reader")

    with engine.connect() as connection:
        [line] = connection.execute(sa.select(tables.access_log)).all()
    assert (line.actor, line.action) == ("console", "key.made")


@pytest.mark.slow
def test_a_password_is_asked_for_twice_and_not_shown(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "service", "staff", "add", "lan", "--role", "reader"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,  # else the password would be asked for at the terminal of the tests
    ) as process:
        os.close(theirs)
        shown = b""
        for question, answer in (
            (b"characters): ", PASSWORD),
            (b"confirmation: ", f"{PASSWORD}!"),
            (b"characters): ", PASSWORD),
            (b"confirmation: ", PASSWORD),
        ):
            shown += read_until(ours, question)
            os.write(ours, f"{answer}\n".encode())
        shown += read_until(ours, b"role reader\r\n")
        code = process.wait(30)
    os.close(ours)

    assert code == 0
    assert PASSWORD.encode() not in shown


def read_until(terminal: int, end: bytes) -> bytes:
    """What is shown up to these bytes."""
    shown = b""
    while not shown.endswith(end):
        shown += os.read(terminal, 1)
    return shown

"""Keys, staff and sessions; run on SQLite, and on PostgreSQL where its programs are installed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from nlp.errors import InvalidRecord
from service import auth
from service.auth import CONSOLE, ROLES
from service.store import tables
from service.store.access import LogQuery, list_entries
from service.store.errors import Conflict, NotFound

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
LIFE = timedelta(hours=12)
pytestmark = pytest.mark.usefixtures("quick_passwords")
PASSWORD = "mười hai con giáp"  # noqa: S105 - nobody's


def add(engine: sa.Engine, name: str = "lan", *, subject: str | None = None) -> None:
    password = PASSWORD if subject is None else None
    auth.add_staff(
        engine, name, role="reviewer", by=CONSOLE, now=NOON, password=password, subject=subject
    )


def sign_in(
    engine: sa.Engine, name: str = "lan", *, password: str = PASSWORD
) -> auth.SignedIn | None:
    return auth.sign_in(engine, name, password=password, now=NOON, life=LIFE)


def everything(engine: sa.Engine) -> str:
    """Every value of every table of access."""
    kept = (tables.api_keys, tables.staff, tables.sessions, tables.access_log)
    with engine.connect() as connection:
        return repr([connection.execute(sa.select(table)).all() for table in kept])


def log(engine: sa.Engine) -> list[tuple[str, str, str]]:
    with engine.connect() as connection:
        entries = list_entries(connection, LogQuery()).entries
    return [(entry.actor, entry.action, entry.subject) for entry in reversed(entries)]


def test_a_key_opens_what_its_role_may(engine: sa.Engine) -> None:
    made = auth.make_key(engine, "trang web", role="intake", by=CONSOLE, now=NOON)

    caller = auth.caller_of_key(engine, made.key, now=LATER)

    assert caller is not None
    assert (caller.name, caller.scopes) == (f"key:{made.info.id}", frozenset({"intake"}))
    assert caller.csrf is None


def test_the_secret_of_a_key_is_not_kept(engine: sa.Engine) -> None:
    made = auth.make_key(engine, "a", role="reader", by=CONSOLE, now=NOON)

    assert made.key.rpartition("_")[2] not in everything(engine)
    assert made.key not in repr(made)


@pytest.mark.parametrize(
    "change",
    [
        lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"),
        lambda key: "dv_00000000" + key[11:],
        lambda key: key + " ",
        lambda key: key.upper(),
        lambda key: "",
    ],
)
def test_another_key_opens_nothing(engine: sa.Engine, change: Callable[[str], str]) -> None:
    made = auth.make_key(engine, "a", role="admin", by=CONSOLE, now=NOON)

    assert auth.caller_of_key(engine, change(made.key), now=NOON) is None


def test_a_revoked_key_opens_nothing_from_then_on(engine: sa.Engine) -> None:
    made = auth.make_key(engine, "a", role="admin", by=CONSOLE, now=NOON)

    ended = auth.revoke_key(engine, made.info.id, by=CONSOLE, now=LATER)

    assert ended.ended_at == LATER
    assert auth.caller_of_key(engine, made.key, now=LATER) is None
    assert auth.revoke_key(engine, made.info.id, by=CONSOLE, now=LATER + LIFE) == ended
    assert [key.ended_at for key in auth.list_keys(engine)] == [LATER]


def test_a_key_that_is_made_twice_is_made_once(engine: sa.Engine) -> None:
    key_id = auth.new_key_id()
    made = auth.make_key(engine, "a", role="reader", by=CONSOLE, now=NOON, key_id=key_id)

    with pytest.raises(Conflict):
        auth.make_key(engine, "b", role="admin", by=CONSOLE, now=LATER, key_id=key_id)

    assert auth.list_keys(engine) == (made.info,)
    assert len(log(engine)) == 1


def test_the_last_administrator_is_ended_by_the_command_line_only(engine: sa.Engine) -> None:
    boss = auth.Caller("staff:an", ROLES["admin"])
    for name in ("an", "binh"):
        auth.add_staff(engine, name, role="admin", by=CONSOLE, now=NOON, password=PASSWORD)
    auth.end_staff(engine, "binh", by=boss, now=LATER)

    with pytest.raises(auth.LastAdmin):
        auth.end_staff(engine, "an", by=boss, now=LATER)
    assert auth.has_admin(engine)
    auth.end_staff(engine, "an", by=CONSOLE, now=LATER)

    assert not auth.has_admin(engine)


def test_revoking_what_is_no_key_is_told(engine: sa.Engine) -> None:
    with pytest.raises(NotFound):
        auth.revoke_key(engine, "00000000", by=CONSOLE, now=NOON)


def test_a_key_ends_with_its_days(engine: sa.Engine) -> None:
    made = auth.make_key(engine, "a", role="reader", by=CONSOLE, now=NOON, days=1)
    last = NOON + timedelta(days=1)

    assert auth.caller_of_key(engine, made.key, now=last - timedelta(seconds=1)) is not None
    assert auth.caller_of_key(engine, made.key, now=last) is None


@pytest.mark.parametrize("label", ["", "a" * 65, "a\nb", "\x1b[31m"])
def test_a_label_is_one_line(engine: sa.Engine, label: str) -> None:
    with pytest.raises(InvalidRecord, match="label"):
        auth.make_key(engine, label, role="reader", by=CONSOLE, now=NOON)


def test_who_knows_the_password_is_signed_in(engine: sa.Engine) -> None:
    add(engine)

    signed_in = sign_in(engine)

    assert signed_in is not None
    caller = auth.caller_of_session(engine, signed_in.cookie, now=LATER)
    assert caller is not None
    assert (caller.name, caller.short_name, caller.scopes) == (
        "staff:lan",
        "lan",
        ROLES["reviewer"],
    )
    assert caller.csrf == signed_in.session.csrf


def test_neither_password_nor_cookie_is_kept(engine: sa.Engine) -> None:
    add(engine)
    signed_in = sign_in(engine)

    kept = everything(engine)

    assert signed_in is not None
    assert "$argon2id$" in kept
    assert signed_in.cookie not in kept
    assert PASSWORD not in kept


@pytest.mark.parametrize(
    ("name", "password"),
    [
        (" Lan ", PASSWORD),
        # the same letters as another keyboard sends them
        ("lan", "mu\u031bo\u031b\u0300i hai con gia\u0301p"),
    ],
)
def test_a_name_and_password_may_be_typed_in_other_ways(
    engine: sa.Engine, name: str, password: str
) -> None:
    add(engine)

    assert sign_in(engine, name, password=password) is not None


@pytest.mark.parametrize(
    ("name", "password"),
    [("lan", PASSWORD + "."), ("lan", ""), ("mai", PASSWORD), ("", ""), ("an", PASSWORD)],
)
def test_nobody_else_is_signed_in(engine: sa.Engine, name: str, password: str) -> None:
    add(engine)
    add(engine, "an", subject="s-1")

    assert sign_in(engine, name, password=password) is None


@pytest.mark.parametrize("name", ["lan", "an", "nobody"])
def test_an_unknown_name_costs_the_same_work(engine: sa.Engine, name: str) -> None:
    add(engine)
    add(engine, "an", subject="s-1")
    sign_in(engine, "nobody")
    hasher = auth._hasher()

    with patch.object(hasher, "verify_and_update", wraps=hasher.verify_and_update) as verify:
        sign_in(engine, name, password="sai mật khẩu rồi")

    assert verify.call_count == 1
    assert verify.call_args.args[1].startswith("$argon2id$v=19$m=64,t=2,p=1$")


def test_a_session_ends_with_its_hours(engine: sa.Engine) -> None:
    add(engine)
    signed_in = sign_in(engine)

    assert signed_in is not None
    assert auth.caller_of_session(engine, signed_in.cookie, now=NOON + LIFE) is None


def test_signing_out_ends_the_session(engine: sa.Engine) -> None:
    add(engine)
    first, second = sign_in(engine), sign_in(engine)
    assert first is not None
    assert second is not None

    auth.sign_out(engine, first.cookie)

    assert auth.caller_of_session(engine, first.cookie, now=NOON) is None
    assert auth.caller_of_session(engine, second.cookie, now=NOON) is not None


def test_sessions_that_are_over_are_forgotten(engine: sa.Engine) -> None:
    add(engine)
    sign_in(engine)

    auth.sign_in(engine, "lan", password=PASSWORD, now=NOON + LIFE, life=LIFE)

    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.sessions)) == 1


def test_who_has_ended_is_out_at_once(engine: sa.Engine) -> None:
    add(engine)
    signed_in = sign_in(engine)
    assert signed_in is not None

    auth.end_staff(engine, "lan", by=CONSOLE, now=LATER)

    assert auth.caller_of_session(engine, signed_in.cookie, now=LATER) is None
    assert sign_in(engine) is None
    with pytest.raises(NotFound):
        auth.end_staff(engine, "lan", by=CONSOLE, now=LATER)


def test_who_ends_while_the_password_is_checked_does_not_get_in(engine: sa.Engine) -> None:
    add(engine)
    hasher = auth._hasher()

    def check(*_: str) -> tuple[bool, None]:
        auth.end_staff(engine, "lan", by=CONSOLE, now=LATER)
        return True, None

    with patch.object(hasher, "verify_and_update", check):
        assert sign_in(engine) is None


def test_a_name_that_has_ended_can_be_given_again_with_another_role(engine: sa.Engine) -> None:
    add(engine)
    auth.end_staff(engine, "lan", by=CONSOLE, now=LATER)

    auth.add_staff(engine, "lan", role="reader", by=CONSOLE, now=LATER, password="một câu dài hơn")

    assert sign_in(engine) is None
    signed_in = sign_in(engine, password="một câu dài hơn")
    assert signed_in is not None
    caller = auth.caller_of_session(engine, signed_in.cookie, now=LATER)
    assert caller is not None
    assert caller.scopes == ROLES["reader"]


def test_another_password_ends_the_sessions(engine: sa.Engine) -> None:
    add(engine)
    signed_in = sign_in(engine)
    assert signed_in is not None

    auth.set_password(engine, "lan", password="một câu dài hơn", by=CONSOLE, now=LATER)

    assert auth.caller_of_session(engine, signed_in.cookie, now=LATER) is None
    assert sign_in(engine) is None
    assert sign_in(engine, password="một câu dài hơn") is not None


def test_a_hash_of_weaker_settings_is_renewed_when_it_is_used(engine: sa.Engine) -> None:
    from pwdlib.hashers.argon2 import Argon2Hasher

    add(engine)
    weak = Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    with engine.begin() as connection:
        connection.execute(tables.staff.update().values(password_hash=weak))

    assert sign_in(engine) is not None

    assert "m=64,t=2" in everything(engine)
    assert sign_in(engine) is not None


@pytest.mark.parametrize("password", ["", "mười một ch", "a" * 1001, "e\u0301" * 11])
def test_a_password_of_another_length_is_refused(engine: sa.Engine, password: str) -> None:
    with pytest.raises(InvalidRecord, match="12 to 1000") as caught:
        auth.add_staff(engine, "lan", role="admin", by=CONSOLE, now=NOON, password=password)

    assert password not in str(caught.value) or not password


@pytest.mark.parametrize("name", ["", "Lan", "lan anh", "lân", "a" * 33, "-a", "a\n"])
def test_a_name_is_plain(engine: sa.Engine, name: str) -> None:
    with pytest.raises(InvalidRecord, match="name"):
        auth.add_staff(engine, name, role="admin", by=CONSOLE, now=NOON, password=PASSWORD)


def test_a_person_who_could_see_no_page_is_refused(engine: sa.Engine) -> None:
    with pytest.raises(InvalidRecord, match="intake"):
        auth.add_staff(engine, "lan", role="intake", by=CONSOLE, now=NOON, password=PASSWORD)


@pytest.mark.parametrize("subject", ["", "s" * 256, "lân", "a\nb"])
def test_a_subject_is_as_the_standard_says(engine: sa.Engine, subject: str) -> None:
    with pytest.raises(InvalidRecord, match="subject"):
        add(engine, subject=subject)


@pytest.mark.parametrize(("password", "subject"), [(None, None), (PASSWORD, "s-1")])
def test_just_one_proof_is_taken(
    engine: sa.Engine, password: str | None, subject: str | None
) -> None:
    with pytest.raises(InvalidRecord, match="either"):
        auth.add_staff(
            engine, "a", role="admin", by=CONSOLE, now=NOON, password=password, subject=subject
        )


def test_a_name_and_a_subject_are_taken_once(engine: sa.Engine) -> None:
    add(engine, "lan", subject="s-1")

    with pytest.raises(Conflict, match="lan"):
        add(engine, "lan")
    with pytest.raises(Conflict, match="bound"):
        add(engine, "mai", subject="s-1")
    with pytest.raises(Conflict, match="provider"):
        auth.set_password(engine, "lan", password=PASSWORD, by=CONSOLE, now=NOON)


def test_a_subject_is_free_again_when_its_person_has_ended(engine: sa.Engine) -> None:
    add(engine, "lan", subject="s-1")
    auth.end_staff(engine, "lan", by=CONSOLE, now=LATER)

    add(engine, "mai", subject="s-1")

    signed_in = auth.sign_in_subject(engine, "s-1", now=LATER, life=LIFE)
    assert signed_in is not None
    assert signed_in.session.staff == "mai"
    assert auth.sign_in_subject(engine, "s-2", now=LATER, life=LIFE) is None


def test_the_service_is_claimed_by_the_first_key_and_stays_so(engine: sa.Engine) -> None:
    assert not auth.is_claimed(engine)

    made = auth.make_key(engine, "a", role="reader", by=CONSOLE, now=NOON)
    auth.revoke_key(engine, made.info.id, by=CONSOLE, now=NOON)

    assert auth.is_claimed(engine)


def test_the_service_is_claimed_by_the_first_person(engine: sa.Engine) -> None:
    add(engine, subject="s-1")
    auth.end_staff(engine, "lan", by=CONSOLE, now=NOON)

    assert auth.is_claimed(engine)


def test_every_change_is_logged_with_who_made_it(engine: sa.Engine) -> None:
    made = auth.make_key(engine, "a", role="reader", by=CONSOLE, now=NOON)
    auth.revoke_key(engine, made.info.id, by=auth.Caller("staff:mai", ROLES["admin"]), now=NOON)
    add(engine)
    sign_in(engine, password="sai mật khẩu rồi")
    sign_in(engine)
    auth.set_password(engine, "lan", password=PASSWORD, by=CONSOLE, now=NOON)
    auth.end_staff(engine, "lan", by=CONSOLE, now=NOON)

    assert log(engine) == [
        ("console", "key.made", f"key:{made.info.id}"),
        ("staff:mai", "key.revoked", f"key:{made.info.id}"),
        ("console", "staff.added", "staff:lan"),
        ("staff:lan", "staff.signed_in", "staff:lan"),
        ("console", "staff.password", "staff:lan"),
        ("console", "staff.ended", "staff:lan"),
    ]


def test_a_log_that_cannot_be_written_stops_nobody(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE access_log")

    with capture_logs() as told:
        auth.record(engine, CONSOLE, action="run.promoted", subject="7", now=NOON)

    assert [line["event"] for line in told] == ["access_log_failed"]


def test_pages_of_the_log_follow_each_other(engine: sa.Engine) -> None:
    for number in range(5):
        auth.record(engine, CONSOLE, action="a", subject=str(number), now=NOON)

    with engine.connect() as connection:
        first = list_entries(connection, LogQuery(limit=3))
        second = list_entries(connection, LogQuery(limit=3, cursor=first.next_cursor))

    assert [entry.subject for entry in (*first.entries, *second.entries)] == list("43210")
    assert second.next_cursor is None


def test_a_role_of_another_version_may_do_nothing(engine: sa.Engine) -> None:
    made = auth.make_key(engine, "a", role="admin", by=CONSOLE, now=NOON)
    with engine.begin() as connection:
        connection.execute(tables.api_keys.update().values(role="emperor"))

    caller = auth.caller_of_key(engine, made.key, now=NOON)

    assert caller is not None
    assert caller.scopes == frozenset()

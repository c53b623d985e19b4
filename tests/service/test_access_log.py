"""What was opened is written down, and neither a slow nor a full store keeps anybody from reading."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from service import journal as journal_module
from service.auth import CONSOLE
from service.journal import Journal
from service.store.access import LogQuery, list_entries
from service.store.dialect import open_engine, writing
from service.store.migrate import migrate

NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    url = f"sqlite:///{tmp_path}/store.db"
    migrate(url)
    engine = open_engine(url)
    yield engine
    engine.dispose()


def subjects(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return [entry.subject for entry in list_entries(connection, LogQuery()).entries][::-1]


def store(client: TestClient) -> str:
    row = {"source": "demo", "external_id": "1", "text": "đường hỏng"}
    stored: str = client.post("/v1/opinions", json=[row]).json()["results"][0]["id"]
    return stored


@pytest.mark.parametrize("path", ["/v1/documents/{}", "/v1/opinions/{}", "/documents/{}"])
def test_opening_an_item_is_logged(client: TestClient, path: str) -> None:
    item_id = store(client)

    client.get(path.format(item_id))

    [line] = client.get("/v1/access-log").json()["items"]
    assert (line["actor"], line["action"], line["subject"]) == ("anyone", "item.opened", item_id)


@pytest.mark.parametrize("item_id", ["0" * 32, "chuyện riêng"])
def test_what_was_not_there_is_not_logged(client: TestClient, item_id: str) -> None:
    client.get(f"/v1/documents/{item_id}")

    assert client.get("/v1/access-log").json() == {"items": [], "next_cursor": None}


def test_pages_of_the_log_follow_each_other(client: TestClient) -> None:
    item_id = store(client)
    for _ in range(3):
        client.get(f"/v1/documents/{item_id}")

    first = client.get("/v1/access-log?limit=2").json()
    second = client.get(f"/v1/access-log?limit=2&cursor={first['next_cursor']}").json()

    moments = [line["at"] for line in (*first["items"], *second["items"])]
    assert moments == sorted(moments, reverse=True)
    assert (len(moments), second["next_cursor"]) == (3, None)


def test_the_log_tells_who_saw_one_item_and_what_one_caller_did(client: TestClient) -> None:
    item_id = store(client)
    client.get(f"/v1/documents/{item_id}")
    client.post("/v1/keys", json={"label": "a", "role": "reader"})

    def lines(query: str) -> list[str]:
        found = client.get(f"/v1/access-log?{query}").json()["items"]
        return [line["action"] for line in found]

    assert lines(f"subject={item_id}") == ["item.opened"]
    assert lines("actor=anyone") == ["key.made", "item.opened"]
    assert lines("actor=staff:lan") == []


@pytest.mark.parametrize("query", ["cursor=x", "cursor=" + "9" * 19, "limit=0", "who=me"])
def test_a_wrong_query_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/v1/access-log?{query}").status_code == 422


def test_reading_does_not_wait_for_a_writer(engine: sa.Engine) -> None:
    journal = Journal(engine)
    noted = threading.Event()

    def note() -> None:
        journal.note(CONSOLE, action="item.opened", subject="1", now=NOW)
        noted.set()

    with writing(engine):
        threading.Thread(target=note).start()

        assert noted.wait(2.0)
    journal.settle(10.0)

    assert subjects(engine) == ["1"]


def test_lines_come_in_their_order(engine: sa.Engine) -> None:
    journal = Journal(engine)
    for number in range(200):
        journal.note(CONSOLE, action="item.opened", subject=str(number), now=NOW)

    journal.settle(10.0)

    assert subjects(engine)[-50:] == [str(number) for number in range(150, 200)]
    with engine.connect() as connection:
        entries = connection.exec_driver_sql("SELECT count(*) FROM access_log").scalar_one()
    assert entries == 200


def test_on_a_full_disk_reading_goes_on_and_the_lines_wait(engine: sa.Engine) -> None:
    journal = Journal(engine, max_waiting=2)
    full = sa.exc.OperationalError("", {}, Exception("database or disk is full"))

    with patch.object(journal_module, "add_entries", side_effect=full), capture_logs() as told:
        for number in range(4):
            journal.note(CONSOLE, action="item.opened", subject=str(number), now=NOW)
            journal.settle(10.0)
    journal.note(CONSOLE, action="item.opened", subject="4", now=NOW)
    journal.settle(10.0)

    assert subjects(engine) == ["3", "4"]
    assert {line["event"] for line in told} == {"access_log_failed", "access_log_lost"}


def test_a_line_that_can_never_be_written_holds_up_no_other(engine: sa.Engine) -> None:
    journal = Journal(engine)
    too_long = sa.exc.DataError("", {}, Exception("too long"))
    with patch.object(journal_module, "add_entries", side_effect=too_long), capture_logs() as told:
        journal.note(CONSOLE, action="item.opened", subject="1", now=NOW)
        journal.settle(10.0)

    journal.note(CONSOLE, action="item.opened", subject="2", now=NOW)
    journal.settle(10.0)

    assert subjects(engine) == ["2"]
    assert [line["event"] for line in told] == ["access_log_lost"]


def test_what_still_waits_is_written_at_the_end(engine: sa.Engine) -> None:
    journal = Journal(engine)
    away = sa.exc.OperationalError("", {}, Exception("locked"))
    with patch.object(journal_module, "add_entries", side_effect=away):
        journal.note(CONSOLE, action="item.opened", subject="1", now=NOW)
        journal.settle(10.0)

    journal.close()

    assert subjects(engine) == ["1"]


def test_reading_goes_on_when_the_log_cannot_be_written(client: TestClient) -> None:
    item_id = store(client)
    away = sa.exc.OperationalError("", {}, Exception("full"))

    with patch.object(journal_module, "add_entries", side_effect=away):
        assert client.get(f"/v1/documents/{item_id}").status_code == 200

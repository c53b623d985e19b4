"""The database goes, the disk is full, the clock jumps: it is told, nothing is lost, it is over by itself."""

import resource
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.actions import Desk
from service.store import tables
from service.store.dialect import open_engine, writing
from tests.postgres import Server, find_programs, serving
from tests.service.processes import Served, served

KIB = 1024
JSON = {"content-type": "application/json"}


def opinion(number: int, *, text: str = "Đường hỏng.") -> dict[str, str]:
    return {"source": "demo", "external_id": f"n{number}", "text": text}


def is_problem(answer: httpx2.Response, status: int, name: str) -> bool:
    """Whether it is this problem, told in one sentence."""
    body = answer.json()
    return (
        (answer.status_code, body["status"]) == (status, status)
        and answer.headers["content-type"] == "application/problem+json"
        and body["type"] == f"urn:danvan:problem:{name}"
        and "\n" not in body["detail"]
    )


@pytest.fixture
def server() -> Iterator[Server]:
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with serving(programs) as server:
        yield server


@pytest.fixture
def on_postgresql(server: Server, tiny_models: Path) -> Iterator[Served]:
    settings = {"database_url": server.url, "models_folder": tiny_models, "model": "tiny"}
    with served({**settings, "access": "open", "rate_limit": "100000/second"}) as running:
        yield running


@dataclass
class Feeder:
    """Sends opinions one after the other, and notes what became of them."""

    url: str
    accepted: set[str] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    got_through: Event = field(default_factory=Event)
    enough: Event = field(default_factory=Event)

    def run(self) -> None:
        for number in count():
            if self.enough.is_set():
                break
            answer = httpx2.post(f"{self.url}/v1/opinions", json=[opinion(number)], timeout=60)
            if answer.status_code == 200:
                self.accepted.add(answer.json()["results"][0]["id"])
                self.got_through.set()
            else:
                self.refused.add(answer.status_code)


@pytest.mark.slow
def test_a_database_that_goes_and_comes_back_costs_nothing_that_was_accepted(
    server: Server, on_postgresql: Served
) -> None:
    url = on_postgresql.url
    feeder = Feeder(url)
    thread = Thread(target=feeder.run)
    thread.start()
    assert feeder.got_through.wait(60)

    server.stop()
    answers = [httpx2.get(url + path, timeout=60) for path in ("/readyz", "/v1/documents")]
    alive, metrics = (httpx2.get(url + path, timeout=60) for path in ("/healthz", "/metrics"))
    feeder.got_through.clear()
    server.start()
    came_back = feeder.got_through.wait(60)
    feeder.enough.set()
    thread.join()

    assert all(is_problem(answer, 503, "store-unavailable") for answer in answers)
    assert alive.status_code == 200
    assert "danvan_store_up 0.0" in metrics.text
    assert came_back
    assert feeder.refused <= {503}
    assert httpx2.get(f"{url}/readyz").status_code == 200
    assert feeder.accepted <= stored_ids(server.url)
    assert on_postgresql.end() == 0


def stored_ids(url: str) -> set[str]:
    engine = open_engine(url)
    with engine.connect() as connection:
        found = set(connection.scalars(sa.select(tables.items.c.id)))
    engine.dispose()
    return found


def test_a_database_that_was_not_migrated_is_not_ready(client: TestClient, desk: Desk) -> None:
    before = client.get("/readyz")
    with writing(desk.engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")

    answer = client.get("/readyz")

    assert before.status_code == 200
    assert is_problem(answer, 503, "not-migrated")
    assert "danvan migrate" in answer.json()["detail"]


def test_a_database_of_a_newer_version_is_not_ready(client: TestClient, desk: Desk) -> None:
    with writing(desk.engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    answer = client.get("/readyz")

    assert is_problem(answer, 503, "not-migrated")
    assert "newer version" in answer.json()["detail"]


def test_a_file_that_goes_and_comes_back_is_found_again(client: TestClient, desk: Desk) -> None:
    file = Path(desk.engine.url.database or "")
    client.post("/v1/opinions", json=[opinion(1)])

    file.rename(file.with_name("moved"))
    away = [client.get("/readyz"), client.post("/v1/opinions", json=[opinion(2)])]
    is_there = file.exists()
    file.with_name("moved").rename(file)
    back = client.post("/v1/opinions", json=[opinion(2)])

    assert all(is_problem(answer, 503, "store-unavailable") for answer in away)
    assert {answer.headers["retry-after"] for answer in away} == {"5"}
    assert not is_there  # an empty one in its place would look like a loss of everything
    assert back.json()["accepted"] == 1
    assert client.get("/readyz").status_code == 200
    assert len(client.get("/v1/opinions").json()["items"]) == 2


def test_a_file_put_in_its_place_is_the_one_that_counts(client: TestClient, desk: Desk) -> None:
    file = Path(desk.engine.url.database or "")
    with sa.create_engine(desk.engine.url).connect() as connection:
        connection.exec_driver_sql(f"VACUUM INTO '{file.with_name('copy')}'")
        connection.engine.dispose()
    client.post("/v1/opinions", json=[opinion(1)])

    file.with_name("copy").rename(file)

    assert client.get("/v1/opinions").json()["items"] == []
    assert client.post("/v1/opinions", json=[opinion(2)]).json()["accepted"] == 1


@pytest.fixture
def in_little_room(tmp_path: Path, tiny_models: Path) -> Iterator[Served]:
    """The service where no file may grow beyond a size, which can be raised as it runs."""
    settings = {
        "database_url": f"sqlite:///{tmp_path}/store.db",
        "models_folder": tiny_models,
        "model": "tiny",
        "access": "open",
        "rate_limit": "100000/second",
    }
    limit = "import resource as r; r.setrlimit(r.RLIMIT_FSIZE, (1_000_000, r.RLIM_INFINITY))"
    with served(settings, before=limit) as running:
        yield running


@pytest.mark.slow
def test_a_full_disk_is_told_and_leaves_nothing_half(
    in_little_room: Served, tmp_path: Path
) -> None:
    url, texts = in_little_room.url, "Đường liên thôn hỏng đã ba tháng. " * 100

    answers = []
    for start in range(0, 4_000, 20):
        rows = [opinion(number, text=f"{number}. {texts}") for number in range(start, start + 20)]
        answers.append(httpx2.post(f"{url}/v1/opinions", json=rows, timeout=60))
        if answers[-1].status_code != 200:
            break
    upload = {"file": ("a.txt", b"a" * 3_000_000)}
    large = httpx2.post(f"{url}/v1/documents", files=upload, timeout=60)
    reading = httpx2.get(f"{url}/v1/opinions?limit=1", timeout=60)
    n_kept = 20 * (len(answers) - 1)
    n_stored = len(stored_ids(f"sqlite:///{tmp_path}/store.db"))
    resource.prlimit(in_little_room.process.pid, resource.RLIMIT_FSIZE, (-1, -1))
    again = httpx2.post(f"{url}/v1/opinions", content=answers[-1].request.content, headers=JSON)

    assert len(answers) > 1
    assert is_problem(answers[-1], 507, "store-full")
    assert is_problem(large, 507, "store-full")
    assert reading.status_code == 200
    assert n_stored == n_kept
    assert again.json()["accepted"] == 20
    assert in_little_room.end() == 0


def test_a_database_at_its_limit_is_told(client: TestClient, desk: Desk) -> None:
    def limit(connection: Any, *_: object) -> None:  # a driver's connection has no common type
        connection.execute("PRAGMA max_page_count=1")  # which SQLite raises to what is there

    desk.engine.dispose()
    sa.event.listen(desk.engine, "connect", limit)
    rows = [opinion(number, text=f"{number} " * 400) for number in range(100)]

    full = client.post("/v1/opinions", json=rows)
    file = {"file": ("a.txt", "\n".join(f"Ngõ {n} ngập." for n in range(5_000)).encode())}
    page = client.post("/documents", files=file, headers={"accept": "text/html"})
    n_stored = len(client.get("/v1/opinions").json()["items"])
    desk.engine.dispose()
    sa.event.remove(desk.engine, "connect", limit)
    again = client.post("/v1/opinions", json=rows)

    assert is_problem(full, 507, "store-full")
    assert (page.status_code, "hết chỗ lưu" in page.text) == (507, True)
    assert n_stored == 0
    assert again.json()["accepted"] == 100


def test_a_clock_that_is_set_back_loses_and_doubles_nothing(
    app: FastAPI, client: TestClient
) -> None:
    desk: Desk = app.state.desk
    first = client.post("/v1/opinions", json=[opinion(n) for n in range(5)]).json()
    app.state.desk = replace(desk, now=lambda: desk.now() - timedelta(days=400))

    second = client.post("/v1/opinions", json=[opinion(n) for n in range(3, 8)]).json()
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get("/v1/opinions", params={"limit": "2", **cursor}).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert (second["accepted"], second["duplicate"]) == (3, 2)
    ids = {row["id"] for row in first["results"] + second["results"]}
    assert (len(seen), set(seen)) == (8, ids)
    assert client.get("/readyz").status_code == 200
    assert client.get("/metrics").status_code == 200

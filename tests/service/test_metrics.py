"""What Prometheus is told: what happened, in words that hold nothing of what was asked."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from service.actions import Desk
from service.store import tables
from service.store.dialect import writing
from service.store.vitals import read_vitals

CANARY = "bimat0901234567"
Labels = dict[str, str]


def scrape(client: TestClient) -> dict[str, list[tuple[Labels, float]]]:
    """The samples by name."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found: dict[str, list[tuple[Labels, float]]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((dict(sample.labels), sample.value))
    return found


def counted(client: TestClient, **labels: str) -> float:
    samples = scrape(client).get("danvan_http_requests_total", [])
    return sum(value for found, value in samples if labels.items() <= found.items())


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/healthz", "/healthz", "200"),
        ("GET", f"/v1/documents/{CANARY}", "/v1/documents/{item_id}", "404"),
        ("GET", f"/documents/{CANARY}?q={CANARY}", "/documents/{item_id}", "404"),
        ("GET", f"/{CANARY}", "none", "404"),
        ("GET", f"/v1/documents/{CANARY}/", "none", "307"),
        ("DELETE", "/v1/documents", "/v1/documents", "405"),
        ("POST", "/v1/analyze", "/v1/analyze", "415"),
        ("GET", "/static/app.css", "/static", "200"),
        ("GET", "/openapi.json", "/openapi.json", "200"),
    ],
)
def test_a_request_is_counted_by_its_template(
    client: TestClient, method: str, path: str, route: str, status: str
) -> None:
    client.request(method, path, follow_redirects=False)

    assert counted(client, method=method, route=route, status=status) == 1


def test_what_the_guard_refuses_is_counted(client: TestClient) -> None:
    client.post("/v1/analyze", content=b"{}", headers={"content-length": "9" * 9})

    assert counted(client, route="/v1/analyze", status="413") == 1


def test_a_failure_is_counted(client: TestClient) -> None:
    client.post("/v1/analyze", json={"text": "hỏng máy"})

    assert counted(client, route="/v1/analyze", status="500") == 1


def test_no_label_holds_anything_of_a_request(client: TestClient) -> None:
    client.request(CANARY.upper(), f"/{CANARY}")
    client.get(f"/v1/documents?source={CANARY}", headers={"x-request-id": CANARY, "host": CANARY})
    client.get(f"/static/{CANARY}.css")
    client.post("/v1/documents", files={"file": (f"{CANARY}.txt", CANARY)})
    client.post("/v1/analyze", json={"text": f"hỏng máy {CANARY}", "id": CANARY})

    assert CANARY.lower() not in client.get("/metrics").text.lower()
    assert counted(client, method="OTHER", route="none", status="404") == 1


def test_buckets_tell_milliseconds_and_seconds_apart(client: TestClient) -> None:
    client.get("/healthz")

    samples = scrape(client)["danvan_http_request_seconds_bucket"]
    bounds = {float(labels["le"]) for labels, _ in samples}
    assert sum(0.001 <= bound <= 0.5 for bound in bounds) >= 8
    assert {1.0, 5.0, 30.0} <= bounds


def test_requests_under_way_are_told(client: TestClient) -> None:
    [(_, in_flight)] = scrape(client)["danvan_http_requests_in_flight"]

    assert in_flight == 1  # the one that asks


def test_the_process_and_the_model_are_told(client: TestClient, desk: Desk) -> None:
    samples = scrape(client)

    [(labels, value)] = samples["danvan_model_info"]
    assert (labels["model"], labels["taxonomy_version"], value) == ("rules", "1.0.0", 1)
    assert samples["process_start_time_seconds"][0][1] > 0


def job(desk: Desk, number: int, *, state: str, age_s: float) -> dict[str, object]:
    made = desk.now() - timedelta(seconds=age_s)
    return {
        "id": f"job{number}",
        "kind": "test",
        "state": state,
        "params": {},
        "asked_by": "test",
        "created_at": made,
    }


def test_jobs_and_workers_are_told(client: TestClient, desk: Desk) -> None:
    jobs = [("queued", 100), ("queued", 500), ("running", 900), ("done", 5_000)]
    now = desk.now()
    beats = {"a": ("live", 1), "b": ("live", 1_000), "c": ("stopped", 1)}
    with writing(desk.engine) as connection:
        for number, (state, age_s) in enumerate(jobs):
            row = job(desk, number, state=state, age_s=age_s)
            connection.execute(tables.jobs.insert(), row)
        for name, (state, age_s) in beats.items():
            beat_at = now - timedelta(seconds=age_s)
            row = {"id": name, "state": state, "started_at": beat_at, "beat_at": beat_at}
            connection.execute(tables.workers.insert(), row)

    samples = scrape(client)

    assert samples["danvan_store_up"] == [({}, 1)]
    assert {labels["state"]: value for labels, value in samples["danvan_jobs"]} == {
        "queued": 2,
        "running": 1,
        "done": 1,
        "failed": 0,
        "cancelled": 0,
    }
    assert samples["danvan_workers_live"] == [({}, 1)]
    [(_, oldest)] = samples["danvan_jobs_oldest_queued_seconds"]
    assert 490 < oldest < 520


def test_a_clock_that_was_set_back_makes_no_negative_age(desk: Desk) -> None:
    with writing(desk.engine) as connection:
        connection.execute(tables.jobs.insert(), job(desk, 1, state="queued", age_s=-3_600))

    vitals = read_vitals(desk.engine, now=desk.now(), dead_after_s=30)

    assert vitals.oldest_queued_s == 0


@pytest.fixture
def lost(client: TestClient, desk: Desk) -> Iterator[TestClient]:
    """The service when its database is gone."""
    desk.engine.dispose()
    file = Path(desk.engine.url.database or "")
    file.rename(file.with_name("moved"))
    yield client
    file.with_name("moved").rename(file)


def test_a_lost_database_leaves_the_rest(lost: TestClient) -> None:
    samples = scrape(lost)

    assert samples["danvan_store_up"] == [({}, 0)]
    assert "danvan_jobs" not in samples
    assert samples["danvan_http_requests_in_flight"]


def test_a_database_without_tables_leaves_the_rest(client: TestClient, desk: Desk) -> None:
    with writing(desk.engine) as connection:
        connection.execute(sa.text("DROP TABLE workers"))

    assert scrape(client)["danvan_store_up"] == [({}, 0)]

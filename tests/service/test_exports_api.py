"""`/v1/exports`: ordered, fetched, erased; refused where it cannot be made."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.actions import Desk
from service.jobs.here import carry_out
from service.jobs.kinds import KINDS
from service.jobs.seam import Context
from service.settings import Settings
from service.store import tables
from service.store.jobs import JobQuery, list_jobs


@pytest.fixture
def work(desk: Desk, settings: Settings) -> Callable[[], None]:
    """Do every export that waits, as a worker would."""
    ctx = Context(desk.engine, settings, build=lambda _: desk.pipeline)

    def do() -> None:
        for job in list_jobs(desk.engine, JobQuery(kind="export", state="queued")):
            assert carry_out(ctx, job, kinds=KINDS).state == "done"

    return do


def post_opinion(client: TestClient) -> None:
    rows = [{"source": "demo", "external_id": "1", "text": "Đường hỏng."}]
    assert client.post("/v1/opinions", json=rows).status_code == 200


def test_an_export_is_ordered_and_fetched(
    client: TestClient, work: Callable[[], None], desk: Desk
) -> None:
    post_opinion(client)

    ordered = client.post("/v1/exports", json={"format": "csv", "intake": "opinion"})
    job_id = ordered.json()["job_id"]
    early = client.get(f"/v1/exports/{job_id}/file")
    work()
    fetched = client.get(f"/v1/exports/{job_id}/file")
    client.app.state.journal.settle(5)  # type: ignore[attr-defined]  # an application of ours

    assert (ordered.status_code, ordered.headers["location"]) == (202, f"/v1/jobs/{job_id}")
    assert early.status_code == 409
    assert fetched.status_code == 200
    assert fetched.headers["content-type"] == "text/csv; charset=utf-8"
    assert fetched.headers["content-disposition"] == (f'attachment; filename="danvan-{job_id}.csv"')
    assert "LV03" in fetched.text
    with desk.engine.connect() as connection:
        log = tables.access_log.c
        entries = connection.execute(sa.select(log.action, log.subject).order_by(log.id)).all()
    assert [tuple(entry) for entry in entries] == [
        ("export.ordered", job_id),
        ("export.fetched", job_id),
    ]


def test_a_file_that_was_erased_is_told_from_one_that_never_was(
    client: TestClient, work: Callable[[], None], settings: Settings
) -> None:
    ordered = client.post("/v1/exports", json={"format": "jsonl", "intake": "document"}).json()
    work()
    for file in settings.exports_folder.iterdir():
        file.unlink()

    gone = client.get(f"/v1/exports/{ordered['job_id']}/file")
    never = client.get(f"/v1/exports/{'0' * 32}/file")

    assert (gone.status_code, never.status_code) == (404, 404)
    assert "order it again" in gone.json()["detail"]
    assert "no job has this id" in never.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {"format": "csv"},
        {"format": "pdf", "intake": "opinion"},
        {"format": "csv", "intake": "opinion", "dated_from": "2026-01-01"},
        {"format": "csv", "intake": "opinion", "cursor": "5"},
        {"format": "csv", "intake": "document", "author": "x"},
        {"format": "csv", "intake": "document", "dated_from": 5},
    ],
)
def test_an_export_that_cannot_be_made_is_refused(client: TestClient, body: object) -> None:
    assert client.post("/v1/exports", json=body).status_code == 422


def test_filters_of_the_api_become_those_of_the_store(client: TestClient, desk: Desk) -> None:
    body = {
        "format": "xlsx",
        "intake": "opinion",
        "with_text": True,
        "q": "đường",
        "civic_field": "LV03",
        "decision": "labelled",
        "received_from": "2026-01-01T00:00:00+07:00",
    }
    client.post("/v1/exports", json=body)

    with desk.engine.connect() as connection:
        params = connection.scalar(sa.select(tables.jobs.c.params))
    assert params == {
        "format": "xlsx",
        "with_text": True,
        "query": {
            "kind": "opinion",
            "text": "đường",
            "labels": [
                {"facet": "civic_field", "code": "LV03"},
                {"facet": "civic_field", "code": "labelled"},
            ],
            "received_from": (datetime(2026, 1, 1, tzinfo=UTC) - timedelta(hours=7))
            .isoformat()
            .replace("+00:00", "Z"),
        },
    }

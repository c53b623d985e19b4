"""`/v1/jobs` and `danvan jobs`: seeing jobs and changing one's mind."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from service.actions import Desk
from service.cli import app as danvan
from service.jobs.orders import submit
from service.settings import Settings
from service.store import shards
from service.store.dialect import writing

BEFORE = datetime(2026, 1, 5, 7, 0, tzinfo=UTC)  # an hour before the clock of `desk` begins


@pytest.fixture
def job_id(desk: Desk) -> str:
    """A job that runs, with ten of forty items done and one set aside."""
    job = submit(desk.engine, "counting", params={"run": 7}, asked_by="staff:lan", now=BEFORE)
    running = shards.begin_job(desk.engine, job.id, attempt=1, now=BEFORE)
    assert running is not None
    shards.save_plan(desk.engine, running, [(0, 40)])
    go = shards.begin_shard(desk.engine, job.id, attempt=1, shard=0)
    assert go is not None
    with writing(desk.engine) as connection:
        shards.count_done(connection, go, 10)
    shards.set_aside(desk.engine, go, subject="item-3", reason="it cannot be read")
    return job.id


def body(client: TestClient, path: str, **query: str | int) -> dict[str, Any]:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_job_tells_how_far_it_is(client: TestClient, job_id: str) -> None:
    found = body(client, f"/v1/jobs/{job_id}")

    assert found["state"] == "running"
    assert (found["n_done"], found["n_failed"], found["n_total"]) == (10, 1, 40)
    assert found["faults"] == [{"subject": "item-3", "reason": "it cannot be read"}]
    assert found["params"] == {"run": 7}
    assert found["seconds_left"] > 0


def test_jobs_are_listed_page_by_page(client: TestClient, desk: Desk, job_id: str) -> None:
    newer = submit(desk.engine, "counting", params={}, asked_by="key:x", now=datetime.now(UTC))

    first = body(client, "/v1/jobs", limit=1)
    second = body(client, "/v1/jobs", limit=1, cursor=first["next_cursor"])

    assert [job["id"] for job in first["jobs"] + second["jobs"]] == [newer.id, job_id]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "n_found"),
    [({"state": "running"}, 1), ({"state": "done"}, 0), ({"kind": "counting"}, 1), ({}, 1)],
)
def test_jobs_are_filtered(
    client: TestClient, job_id: str, query: dict[str, str], n_found: int
) -> None:
    assert len(body(client, "/v1/jobs", **query)["jobs"]) == n_found


def test_a_job_is_cancelled_once_and_then_retried(client: TestClient, job_id: str) -> None:
    path = f"/v1/jobs/{job_id}"

    assert client.post(f"{path}/cancel").json()["state"] == "cancelled"
    assert client.post(f"{path}/cancel").status_code == 409
    assert client.post(f"{path}/retry").json()["state"] == "queued"
    assert client.post(f"{path}/retry").status_code == 409


@pytest.mark.parametrize("path", ["/v1/jobs/nobody", "/v1/jobs/nobody/cancel"])
def test_an_unknown_job_is_not_found(client: TestClient, path: str) -> None:
    answer = client.post(path) if path.endswith("cancel") else client.get(path)

    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:danvan:problem:not-found"


def test_the_command_line_shows_cancels_and_retries(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, job_id: str
) -> None:
    monkeypatch.setenv("DANVAN_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str) -> str:
        ended = CliRunner().invoke(danvan, ["jobs", *words], catch_exceptions=False)
        assert ended.exit_code == 0, ended.output
        return ended.output

    assert job_id in run("list", "--state", "running")
    assert job_id not in run("list", "--state", "done")
    assert json.loads(run("show", job_id))["faults"][0]["subject"] == "item-3"
    run("cancel", job_id)
    assert json.loads(run("show", job_id))["state"] == "cancelled"
    run("retry", job_id)
    assert json.loads(run("show", job_id))["state"] == "queued"

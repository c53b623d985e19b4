"""`/v1/reclassifications`: ordered, looked at, compared, promoted, taken back, discarded."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import ValidationError

from models.registry import ModelInfo
from nlp.pipeline import Pipeline
from service import auth
from service.actions import Desk
from service.api.reclassifications import ScopeIn
from service.app import create_app
from service.auth import CONSOLE, Role
from service.jobs.seam import Context
from service.settings import Settings
from service.store.jobs import Job, cancel_job
from tests.service.archive import Model, carry_out
from tests.service.rules import RulePipeline
from tests.service.shelf import says_field

BASE = "/v1/reclassifications"
ROWS = ("đường hỏng", "rác ở chợ", "gì đó")
INFO = ModelInfo("rules", "2", "0" * 64, "ct07", "1.0.0", Path())
JSON = dict[str, Any]  # an answer


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A service with three opinions and a second model, which puts all of them under LV05."""
    desk: Desk = app.state.desk
    app.state.desk = replace(desk, models=lambda: (INFO, replace(INFO, version="1")))
    with TestClient(app) as client:
        rows = [
            {"source": "demo", "external_id": str(n), "text": text} for n, text in enumerate(ROWS)
        ]
        assert client.post("/v1/opinions", json=rows).json()["accepted"] == 3
        yield client


Work = Callable[[str], Job]


@pytest.fixture
def work(app: FastAPI, settings: Settings) -> Work:
    """What a worker does."""
    model = Model(version="2", change=says_field("LV05"))
    desk: Desk = app.state.desk
    context = Context(desk.engine, settings, lambda _: cast(Pipeline, model), now=desk.now)
    return lambda job_id: carry_out(context, job_id)


def order(client: TestClient, **body: Any) -> JSON:
    answer = client.post(BASE, json={"model": "rules@2", **body})
    assert answer.status_code == 202, answer.text
    found: JSON = answer.json()
    assert answer.headers["location"] == f"{BASE}/{found['id']}"
    return found


def fields(client: TestClient) -> list[str | None]:
    items = client.get("/v1/opinions").json()["items"]
    return [item["labels"]["civic_field"]["primary"] for item in items]


def test_one_is_ordered_and_told_of(client: TestClient, work: Work) -> None:
    made = order(
        client, scope={"q": "duong", "kind": "opinion", "received_from": "2026-01-01T00:00:00Z"}
    )

    assert (made["state"], made["model"], made["dry_run"], made["facets"]) == (
        "queued",
        "rules@2",
        False,
        [],
    )
    assert (made["taxonomy"], made["taxonomy_version"]) == ("ct07", "1.0.0")
    assert made["scope"]["text"] == "duong"
    work(made["id"])
    done = client.get(f"{BASE}/{made['id']}").json()
    assert (done["state"], done["n_total"], done["n_done"], done["n_failed"]) == ("done", 1, 1, 0)
    assert client.get(BASE).json() == {"reclassifications": [done]}
    assert client.get(f"/v1/jobs/{made['id']}").json()["kind"] == "reclassification"


def test_promoting_and_rolling_back_change_what_is_read(client: TestClient, work: Work) -> None:
    before = client.get("/v1/opinions").json()
    job_id = order(client)["id"]
    work(job_id)
    assert client.get("/v1/opinions").json() == before

    promoted = client.post(f"{BASE}/{job_id}/promote").json()
    assert (promoted["state"], sorted(promoted["facets"])) == (
        "promoted",
        ["civic_field", "intent", "sentiment", "task_area"],
    )
    assert fields(client) == ["LV05"] * 3
    assert len(client.get("/v1/opinions?civic_field=LV05").json()["items"]) == 3

    back = client.post(f"{BASE}/{job_id}/rollback").json()
    assert (back["state"], back["facets"]) == ("done", [])
    assert client.get("/v1/opinions").json() == before


def test_some_facets_are_promoted_alone(client: TestClient, work: Work) -> None:
    job_id = order(client)["id"]
    work(job_id)

    promoted = client.post(f"{BASE}/{job_id}/promote", json={"facets": ["intent", "intent"]})

    assert (promoted.status_code, promoted.json()["facets"]) == (200, ["intent"])
    assert fields(client) == [None, "LV02", "LV03"]


def test_a_diff_counts_and_lists_what_changes(client: TestClient, work: Work) -> None:
    job_id = order(client)["id"]
    work(job_id)

    whole = client.get(f"{BASE}/{job_id}/diff").json()
    one = client.get(f"{BASE}/{job_id}/diff?facet=civic_field&old=LV03").json()

    assert {step["facet"] for step in whole["transitions"]} == {
        "task_area",
        "civic_field",
        "sentiment",
        "intent",
    }
    assert (whole["changes"], whole["next_cursor"]) == ([], None)
    assert len(one["transitions"]) == 3
    [change] = one["changes"]
    assert change["excerpt"] == "đường hỏng"
    assert (change["old"]["decision"], change["corrected"]) == ("labelled", False)
    assert change["old"]["labels"][0]["evidence"] == [{"start": 0, "end": 5}]
    assert [label["code"] for label in change["new"]["labels"]] == ["LV05"]


def test_changes_are_listed_page_by_page(client: TestClient, work: Work) -> None:
    job_id = order(client)["id"]
    work(job_id)
    path = f"{BASE}/{job_id}/diff?facet=civic_field&limit=2"

    first = client.get(path).json()
    second = client.get(f"{path}&cursor={first['next_cursor']}").json()

    shown = [change["excerpt"] for page in (first, second) for change in page["changes"]]
    assert shown == list(reversed(ROWS))
    assert second["next_cursor"] is None


def test_a_dry_run_has_counts_and_no_items(client: TestClient, work: Work) -> None:
    made = order(client, dry_run=True)
    work(made["id"])

    diff = client.get(f"{BASE}/{made['id']}/diff").json()

    assert made["taxonomy"] is None
    assert {"facet": "civic_field", "old": "LV03", "new": "LV05", "n_items": 1} in diff[
        "transitions"
    ]
    assert diff["agreement"] == []
    for answer in (
        client.get(f"{BASE}/{made['id']}/diff?facet=civic_field"),
        client.post(f"{BASE}/{made['id']}/promote"),
        client.delete(f"{BASE}/{made['id']}"),
    ):
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:danvan:problem:conflict")


def test_one_that_is_not_promoted_is_discarded(client: TestClient, work: Work) -> None:
    job_id = order(client)["id"]
    work(job_id)
    client.post(f"{BASE}/{job_id}/promote")
    assert client.delete(f"{BASE}/{job_id}").status_code == 409
    client.post(f"{BASE}/{job_id}/rollback")

    gone = client.delete(f"{BASE}/{job_id}")

    assert (gone.status_code, gone.json()["state"]) == (200, "discarded")
    assert client.post(f"{BASE}/{job_id}/promote").status_code == 409
    assert client.get(f"{BASE}/{job_id}/diff").json()["transitions"] == []


def test_a_cancelled_one_goes_on_when_it_is_retried(
    client: TestClient, work: Work, desk: Desk
) -> None:
    job_id = order(client)["id"]
    cancel_job(desk.engine, job_id, now=desk.now())
    assert client.get(f"{BASE}/{job_id}").json()["state"] == "cancelled"
    assert client.post(f"{BASE}/{job_id}/promote").status_code == 409

    client.post(f"/v1/jobs/{job_id}/retry")
    work(job_id)

    assert client.post(f"{BASE}/{job_id}/promote").json()["state"] == "promoted"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"model": "none"}, 404),
        ({"model": "rules@9"}, 404),
        ({"model": "../x"}, 422),
        ({"model": "rules", "scope": {"limit": 3}}, 422),
        ({"model": "rules", "scope": {"ids": ["x"]}}, 422),
        ({"model": "rules", "scope": {"intake": "fax"}}, 422),
        ({"model": "rules", "scope": {"received_from": 5}}, 422),
        ({"model": "rules", "scope": {"q": "\ud800"}}, 422),
        ({"model": "rules", "scope": {"affected": True}}, 409),
        ({}, 422),
        ({"model": "rules", "dry": True}, 422),
    ],
)
def test_what_cannot_be_ordered_is_refused(client: TestClient, body: JSON, status: int) -> None:
    # json.dumps escapes the half of a surrogate pair that one question holds
    headers = {"content-type": "application/json"}
    answer = client.post(BASE, content=json.dumps(body), headers=headers)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.get(BASE).json() == {"reclassifications": []}


def test_a_scope_has_at_most_ten_thousand_ids() -> None:
    ids = [f"{number:032x}" for number in range(10_001)]

    assert ScopeIn(ids=ids[1:]).query().ids == tuple(ids[1:])
    with pytest.raises(ValidationError, match="at most 10000"):
        ScopeIn(ids=ids)


def test_a_body_that_is_no_json_is_refused(client: TestClient) -> None:
    text = {"content-type": "text/plain"}

    assert client.post(BASE, content="model=rules", headers=text).status_code == 415


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/diff"),
        ("POST", "/promote"),
        ("POST", "/rollback"),
        ("DELETE", ""),
    ],
)
def test_an_unknown_one_is_not_found(client: TestClient, method: str, path: str) -> None:
    unknown = client.request(method, f"{BASE}/{'f' * 32}{path}")
    malformed = client.request(method, f"{BASE}/x{path}")

    assert (unknown.status_code, malformed.status_code) == (404, 422)


@pytest.mark.parametrize(
    "query",
    ["facet=tone", "facet=intent&limit=0", "facet=intent&cursor=x", "old=%2A", "limit=201", "a=1"],
)
def test_a_wrong_question_about_a_diff_is_refused(
    client: TestClient, work: Work, query: str
) -> None:
    job_id = order(client)["id"]

    assert client.get(f"{BASE}/{job_id}/diff?{query}").status_code == 422


@pytest.mark.parametrize("facets", [[], ["tone"], "intent"])
def test_unknown_facets_are_not_promoted(client: TestClient, work: Work, facets: object) -> None:
    job_id = order(client)["id"]
    work(job_id)

    assert client.post(f"{BASE}/{job_id}/promote", json={"facets": facets}).status_code == 422


@pytest.mark.parametrize(
    ("role", "reads", "moves"), [("intake", 403, 403), ("reader", 200, 403), ("analyst", 200, 409)]
)
def test_readers_look_and_analysts_move(
    settings: Settings, pipeline: RulePipeline, role: Role, reads: int, moves: int
) -> None:
    app = create_app(
        settings.model_copy(update={"access": "keys"}), pipeline=cast(Pipeline, pipeline)
    )
    desk: Desk = app.state.desk
    app.state.desk = replace(desk, models=lambda: (INFO,))
    now = datetime.now(UTC)
    roles: set[Role] = {"analyst", role}
    keys = {
        name: auth.make_key(desk.engine, "test", role=name, by=CONSOLE, now=now).key
        for name in roles
    }
    with TestClient(app) as client:
        client.headers["authorization"] = f"Bearer {keys['analyst']}"
        job_id = order(client, dry_run=True)["id"]
        client.headers["authorization"] = f"Bearer {keys[role]}"

        looked = [
            client.get(BASE + path).status_code for path in ("", f"/{job_id}", f"/{job_id}/diff")
        ]
        ordered = client.post(BASE, json={"model": "rules"}).status_code
        moved = [
            client.post(f"{BASE}/{job_id}/{move}").status_code for move in ("promote", "rollback")
        ]
        discarded = client.delete(f"{BASE}/{job_id}").status_code

    assert looked == [reads] * 3
    assert ordered == (202 if moves == 409 else 403)
    assert [*moved, discarded] == [moves] * 3


def test_of_several_versions_of_a_pack_the_one_that_labels_is_told(app: FastAPI) -> None:
    desk: Desk = app.state.desk
    newer = replace(desk.pipeline.taxonomy, version="1.10.0")
    other = replace(newer, name="other")
    packs = (other, newer, replace(other, version="1.9.0"), desk.pipeline.taxonomy)
    app.state.desk = replace(desk, taxonomies=lambda: packs)
    with TestClient(app) as client:
        listed = client.get("/v1/taxonomies").json()
        shown = [client.get(f"/v1/taxonomies/{name}").json() for name in ("ct07", "other")]

    assert [pack["active"] for pack in listed] == [False, False, False, True]
    assert [pack["version"] for pack in shown] == ["1.0.0", "1.10.0"]


def test_who_asked_is_kept_by_name(client: TestClient) -> None:
    made = order(client)

    assert made["asked_by"] == "anyone"
    assert re.fullmatch(r"[0-9a-f]{32}", made["id"])

"""`/v1/items`: a reviewer puts one facet right, takes it back, and is told what cannot be."""

from typing import cast

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from nlp.pipeline import Pipeline
from service.actions import Desk
from service.app import create_app
from service.auth import CONSOLE, make_key
from service.settings import Settings
from service.store import tables
from tests.service.rules import RulePipeline

OPINION = "đường hỏng"
DIRECTIVE = "CHỈ THỊ\nvề thủ tục hành chính"


@pytest.fixture
def opinion(client: TestClient) -> str:
    row = {"source": "demo", "external_id": "1", "text": OPINION}
    stored: str = client.post("/v1/opinions", json=[row]).json()["results"][0]["id"]
    return stored


@pytest.fixture
def directive(client: TestClient) -> str:
    answer = client.post("/v1/documents", files={"file": ("a.txt", DIRECTIVE.encode())})
    stored: str = answer.json()["id"]
    return stored


def test_any_item_is_opened_by_its_id(client: TestClient, opinion: str, directive: str) -> None:
    for item_id, door in ((opinion, "opinions"), (directive, "documents")):
        answer = client.get(f"/v1/items/{item_id}")

        assert answer.json() == client.get(f"/v1/{door}/{item_id}").json()
        assert answer.json()["corrections"] == []


def test_a_correction_shows_at_once_with_its_history(client: TestClient, opinion: str) -> None:
    body = {"facet": "civic_field", "codes": ["LV02", "LV05"]}

    answer = client.patch(f"/v1/items/{opinion}/labels", json=body)

    item = answer.json()
    assert answer.status_code == 200
    assert item == client.get(f"/v1/items/{opinion}").json()
    verdict = item["analysis"]["civic_field"]
    assert (verdict["decision"], verdict["primary"]) == ("labelled", "LV02")
    assert [label["code"] for label in verdict["labels"]] == ["LV02", "LV05"]
    [said] = item["corrections"]
    assert said.pop("made_at").startswith("2026-01-05T08:")
    assert said == {
        "facet": "civic_field",
        "decision": "labelled",
        "codes": ["LV02", "LV05"],
        "taxonomy_version": "1.0.0",
        "made_by": "anyone",
    }


def test_the_history_has_the_newest_first(client: TestClient, opinion: str) -> None:
    for body in (
        {"facet": "sentiment", "codes": ["positive"]},
        {"facet": "civic_field", "decision": "none_of_these"},
        {"facet": "sentiment", "decision": "withdrawn"},
    ):
        answer = client.patch(f"/v1/items/{opinion}/labels", json=body)

    decisions = [said["decision"] for said in answer.json()["corrections"]]
    assert decisions == ["withdrawn", "none_of_these", "labelled"]
    assert answer.json()["analysis"]["sentiment"]["label"] == "negative"
    assert answer.json()["analysis"]["civic_field"]["decision"] == "none_of_these"


def test_a_second_reader_sees_the_model_alone(client: TestClient, opinion: str) -> None:
    before = client.get(f"/v1/items/{opinion}").json()
    client.patch(f"/v1/items/{opinion}/labels", json={"facet": "intent", "codes": ["praise"]})

    blind = client.get(f"/v1/items/{opinion}?blind=true").json()

    assert blind == before
    assert client.get(f"/v1/items/{opinion}").json() != before


def test_the_area_of_a_document_can_be_corrected(client: TestClient, directive: str) -> None:
    body = {"facet": "task_area", "codes": ["DV4.3", "DV3.5"]}

    answer = client.patch(f"/v1/items/{directive}/labels", json=body)

    assert answer.json()["analysis"]["task_area"]["primary"] == "DV4.3"
    listed = client.get("/v1/documents?task_area=DV4.3").json()["items"]
    assert [item["id"] for item in listed] == [directive]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"facet": "civic_field", "codes": ["LV99"]}, "not all can be given"),
        ({"facet": "civic_field", "codes": ["DV3.5"]}, "not all can be given"),
        ({"facet": "task_area", "codes": ["DV3"]}, "not all can be given"),
        ({"facet": "task_area", "codes": ["DV4.3"]}, "not all can be given"),
        ({"facet": "task_area", "codes": ["DV1.1"]}, "not all can be given"),
        ({"facet": "civic_field", "codes": ["LV01", "LV02", "LV03"]}, "at most 2"),
        ({"facet": "civic_field", "codes": ["LV01", "LV01"]}, "none of them twice"),
        ({"facet": "sentiment", "codes": ["negative", "positive"]}, "at most 1"),
        ({"facet": "civic_field", "codes": ["LV00"]}, "decision none_of_these"),
        ({"facet": "sentiment", "decision": "none_of_these"}, "always has one"),
        ({"facet": "intent", "decision": "none_of_these"}, "always has one"),
        ({"facet": "task_area", "codes": []}, "at least 1 item"),
        ({"facet": "task_area", "codes": ["DV3.5"] * 4}, "at most 3 items"),
        ({"facet": "tone", "codes": ["cause"]}, "facet"),
        ({"facet": "civic_field", "decision": "abstain"}, "decision"),
        ({"facet": "civic_field", "codes": ["LV02"], "decision": "withdrawn"}, "unknown key"),
        ({"facet": "civic_field"}, "codes"),
        ({"codes": ["LV02"]}, "facet"),
        ([], "labels"),
    ],
)
def test_what_cannot_be_said_of_an_opinion_is_refused(
    client: TestClient, opinion: str, body: object, message: str
) -> None:
    answer = client.patch(f"/v1/items/{opinion}/labels", json=body)

    assert answer.status_code == 422
    assert message in answer.json()["detail"]
    assert client.get(f"/v1/items/{opinion}").json()["corrections"] == []


@pytest.mark.parametrize("facet", ["civic_field", "sentiment", "intent"])
def test_a_document_has_no_facets_of_opinions(
    client: TestClient, directive: str, facet: str
) -> None:
    body = {"facet": facet, "decision": "withdrawn"}

    answer = client.patch(f"/v1/items/{directive}/labels", json=body)

    assert answer.status_code == 422
    assert "only task_area can be corrected" in answer.json()["detail"]


def test_a_text_of_no_known_kind_has_no_labels_to_correct(client: TestClient) -> None:
    stored = client.post("/v1/documents", files={"file": ("a.txt", b"12 34 56 78")}).json()

    answer = client.patch(
        f"/v1/items/{stored['id']}/labels", json={"facet": "task_area", "codes": ["DV3.5"]}
    )

    assert (stored["kind"], answer.status_code) == ("unknown", 422)


@pytest.mark.parametrize(
    ("expected", "status"), [(["LV03"], 200), (["LV02"], 409), ([], 409), (["LV03", "LV02"], 409)]
)
def test_a_reviewer_who_saw_other_labels_is_told(
    client: TestClient, opinion: str, expected: list[str], status: int
) -> None:
    body = {"facet": "civic_field", "codes": ["LV05"], "expected": expected}

    answer = client.patch(f"/v1/items/{opinion}/labels", json=body)

    assert answer.status_code == status
    assert len(client.get(f"/v1/items/{opinion}").json()["corrections"]) == (status == 200)


def test_where_nothing_was_asserted_nothing_is_expected(client: TestClient) -> None:
    row = {"source": "demo", "external_id": "2", "text": "không rõ chuyện gì"}
    [stored] = client.post("/v1/opinions", json=[row]).json()["results"]
    body = {"facet": "civic_field", "codes": ["LV05"], "expected": []}

    answers = [client.patch(f"/v1/items/{stored['id']}/labels", json=body) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 409]


def test_there_is_nothing_to_take_back_before_a_word(client: TestClient, opinion: str) -> None:
    body = {"facet": "intent", "decision": "withdrawn"}

    answer = client.patch(f"/v1/items/{opinion}/labels", json=body)

    assert (answer.status_code, answer.json()["title"]) == (409, "Conflict")


@pytest.mark.parametrize("item_id", ["f" * 32, "1", "%00"])
def test_an_unknown_item_is_not_found(client: TestClient, item_id: str) -> None:
    body = {"facet": "intent", "codes": ["praise"]}

    assert client.get(f"/v1/items/{item_id}").status_code == 404
    assert client.patch(f"/v1/items/{item_id}/labels", json=body).status_code == 404


def test_an_item_that_waits_to_be_read_is_not_corrected(
    client: TestClient, desk: Desk, opinion: str
) -> None:
    items = tables.items
    with desk.engine.begin() as connection:
        connection.execute(sa.update(items).values(run_id=None))

    answer = client.patch(
        f"/v1/items/{opinion}/labels", json={"facet": "intent", "codes": ["praise"]}
    )

    assert answer.status_code == 409
    assert "waits to be read" in answer.json()["detail"]


def test_labels_of_a_taxonomy_version_that_is_gone_are_not_corrected(
    client: TestClient, desk: Desk, opinion: str
) -> None:
    runs = tables.runs
    with desk.engine.begin() as connection:
        connection.execute(sa.update(runs).values(taxonomy_version="0.9.0"))

    answer = client.patch(
        f"/v1/items/{opinion}/labels", json={"facet": "intent", "codes": ["praise"]}
    )

    assert answer.status_code == 409
    assert "ct07 0.9.0 is not at hand" in answer.json()["detail"]


def test_a_correction_bears_the_name_of_its_caller_and_is_written_down(
    settings: Settings, pipeline: RulePipeline
) -> None:
    app = create_app(
        settings.model_copy(update={"access": "keys"}), pipeline=cast(Pipeline, pipeline)
    )
    desk: Desk = app.state.desk
    keys = {
        role: make_key(desk.engine, "bàn dân vận", role=role, by=CONSOLE, now=desk.now())
        for role in ("reviewer", "reader", "admin")
    }
    row = {"source": "demo", "external_id": "1", "text": OPINION}
    body = {"facet": "intent", "codes": ["praise"]}

    with TestClient(app) as client:
        name = f"key:{keys['reviewer'].info.id}"
        bearer = {role: {"authorization": f"Bearer {made.key}"} for role, made in keys.items()}
        sent = client.post("/v1/opinions", json=[row], headers=bearer["reviewer"])
        path = f"/v1/items/{sent.json()['results'][0]['id']}"
        refused = client.patch(f"{path}/labels", json=body, headers=bearer["reader"])
        kept = client.patch(f"{path}/labels", json=body, headers=bearer["reviewer"])
        log = client.get(f"/v1/access-log?actor={name}", headers=bearer["admin"])

    assert (refused.status_code, kept.status_code) == (403, 200)
    assert kept.json()["corrections"][0]["made_by"] == name
    assert [line["action"] for line in log.json()["items"]] == ["item.corrected"]
    desk.engine.dispose()

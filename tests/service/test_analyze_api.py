"""`POST /v1/analyze`: answers in order, keeps nothing."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlp.pipeline import Request
from nlp.readers import from_text
from service.actions import Desk, analyze_texts
from service.limits import Limits
from service.store.query import Query
from service.store.views import list_items
from tests.service.rules import RulePipeline


def test_one_text_gives_one_analysis(client: TestClient) -> None:
    text = "CHỈ THỊ về thủ tục hành chính"

    answer = client.post("/v1/analyze", json={"text": text, "id": "a-1"})

    expected = RulePipeline().analyze(Request("a-1", from_text(text)))
    assert answer.status_code == 200
    assert answer.json() == json.loads(json.dumps(asdict(expected)))


def test_several_texts_are_answered_in_their_order(client: TestClient) -> None:
    texts = [{"text": "đường hỏng"}, {"text": "rác", "id": "x"}, {"text": "CHỈ THỊ"}]

    results = client.post("/v1/analyze", json={"texts": texts}).json()["results"]

    assert [(r["id"], r["kind"]) for r in results] == [
        ("1", "opinion"),
        ("x", "opinion"),
        ("3", "official"),
    ]


def test_nothing_is_kept(client: TestClient, desk: Desk) -> None:
    client.post("/v1/analyze", json={"text": "đường hỏng"})

    assert list_items(desk.engine, Query()).items == ()


@pytest.mark.parametrize("kind", ["auto", "opinion"])
def test_a_discipline_clause_is_never_seen_in_an_opinion(client: TestClient, kind: str) -> None:
    text = "Đề nghị giữ nghiêm kỷ cương khi tiếp công dân"

    answer = client.post("/v1/analyze", json={"text": text, "kind": kind})

    assert answer.json()["kind"] == "opinion"
    assert "DV4.3" not in answer.text


@pytest.mark.parametrize("kind", ["auto", "opinion"])
def test_the_model_never_reads_personal_data_of_an_opinion(
    client: TestClient, pipeline: RulePipeline, kind: str
) -> None:
    client.post("/v1/analyze", json={"text": "đường hỏng, gọi 0912345678", "kind": kind})

    assert pipeline.seen[-1] == "đường hỏng, gọi ••••••••••"


def test_an_official_text_is_read_as_it_stands(client: TestClient, pipeline: RulePipeline) -> None:
    client.post("/v1/analyze", json={"text": "CHỈ THỊ, liên hệ 0912345678"})

    assert pipeline.seen == ["CHỈ THỊ, liên hệ 0912345678"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": 1}, "text"),
        ({"text": "a", "kind": "letter"}, "kind"),
        ({"texts": []}, "texts"),
        ({"texts": [{"text": "a"}, {}]}, "texts.1.text"),
        ({"text": "a", "author": "Nguyễn Thị Bí Mật"}, "author"),
        (["a"], "value"),
    ],
)
def test_a_wrong_body_is_told_by_field_without_its_value(
    client: TestClient, body: object, field: str
) -> None:
    answer = client.post("/v1/analyze", json=body)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert "Bí Mật" not in answer.text


def test_more_texts_than_allowed_are_refused(client: TestClient) -> None:
    answer = client.post("/v1/analyze", json={"texts": [{"text": "a"}] * 257})

    assert (answer.status_code, answer.json()["detail"]) == (
        413,
        "257 texts in one request; at most 256",
    )


@pytest.mark.parametrize(("kind", "status"), [("opinion", 413), ("official", 200)])
def test_an_opinion_may_be_less_long_than_a_document(
    client: TestClient, kind: str, status: int
) -> None:
    answer = client.post("/v1/analyze", json={"text": "a" * 2_001, "kind": kind})

    assert answer.status_code == status


@given(text=st.text(max_size=80))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_any_text_is_answered_with_spans_inside_it(desk: Desk, text: str) -> None:
    wide = replace(desk, limits=Limits())
    doc = from_text(text)

    [analysis] = analyze_texts(wide, [Request("x", doc)])

    answer: dict[str, Any] = asdict(analysis)
    assert all(0 <= s["start"] <= s["end"] <= len(doc.text) for s in answer["segments"])

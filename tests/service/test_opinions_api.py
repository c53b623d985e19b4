"""`/v1/opinions`: each row for itself, masked, idempotent."""

import json
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.actions import Desk
from service.limits import Limits
from service.opinions import Opinion, store_opinions
from service.store.query import Query
from service.store.views import list_items
from tests.service.rules import RulePipeline

JSON = {"content-type": "application/json"}
NDJSON = {"content-type": "application/x-ndjson"}


def row(number: int, text: str = "Đường thôn hỏng", **more: object) -> dict[str, object]:
    return {"source": "demo", "external_id": str(number), "text": text, **more}


def send(client: TestClient, *rows: object) -> list[dict[str, Any]]:
    # json.dumps escapes the half of a surrogate pair that one row holds
    answer = client.post("/v1/opinions", content=json.dumps(rows), headers=JSON)
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def test_an_opinion_is_kept_with_its_analysis(client: TestClient) -> None:
    [result] = send(client, row(1, posted_at="2026-01-04T09:00:00+07:00"))

    stored = client.get(f"/v1/opinions/{result['id']}").json()
    assert stored["analysis"]["civic_field"]["primary"] == "LV03"
    assert stored["posted_at"] == "2026-01-04T02:00:00.000000Z"


def test_sending_again_changes_nothing(client: TestClient) -> None:
    [first] = send(client, row(1))

    [again] = send(client, row(1))

    assert (again["status"], again["id"]) == ("duplicate", first["id"])
    assert len(client.get("/v1/opinions").json()["items"]) == 1


def test_another_text_under_the_same_name_is_an_error(client: TestClient) -> None:
    [first] = send(client, row(1))

    [other] = send(client, row(1, "một ý kiến khác"))

    assert (other["status"], other["id"]) == ("error", first["id"])
    assert "another text" in other["reason"]


def test_a_row_twice_in_one_request_is_kept_once(client: TestClient) -> None:
    results = send(client, row(1), row(1), row(1, "khác"))

    assert [result["status"] for result in results] == ["accepted", "duplicate", "error"]


BAD_ROWS = (
    (row(9, source="nobody"), "the source is not registered"),
    (row(9, text=""), "the text is empty"),
    (row(9, text=" \u200b\n"), "the text is empty"),
    (row(9, text="a" * 2_001), "the text has 2001 characters; at most 2000"),
    (row(9, text="hỏng máy"), "could not be analysed"),
    (row(9, external_id=""), "external_id: "),
    (row(9, external_id="a\x00"), "external_id: "),
    (row(9, posted_at="hôm qua"), "posted_at: "),
    (row(9, posted_at="2026-01-04T09:00:00"), "posted_at: "),
    (row(9, posted_at="0001-01-01T00:00:00+07:00"), "posted_at: "),
    (row(9, external_id="\ud800"), "external_id: "),
    (row(9, source="\ud800"), "source: "),
    ({"source": "demo"}, "external_id: Field required; text: Field required"),
    ("một chuỗi", "value: "),
)


@pytest.mark.parametrize(("bad", "reason"), BAD_ROWS)
def test_a_bad_row_keeps_no_good_one_out(client: TestClient, bad: object, reason: str) -> None:
    results = send(client, row(1), bad, row(2))

    assert [result["status"] for result in results] == ["accepted", "error", "accepted"]
    assert results[1]["reason"].startswith(reason) or reason in results[1]["reason"]


@pytest.mark.parametrize("key", ["author", "user", "name", "phone", "email", "facebook_id"])
def test_a_key_that_names_an_author_is_refused_without_its_value(
    client: TestClient, key: str
) -> None:
    answer = client.post("/v1/opinions", json=[row(1, **{key: "Nguyễn Thị Bí Mật"})])

    [result] = answer.json()["results"]
    assert result["reason"] == f"{key}: unknown key, refused"
    assert "Bí Mật" not in answer.text
    assert client.get("/v1/opinions").json()["items"] == []


def test_personal_data_is_masked_before_anything_reads_it(
    client: TestClient, desk: Desk, pipeline: RulePipeline
) -> None:
    data = ("0912 345 678", "a.b@thu.vn", "001099001234")

    [result] = send(client, row(1, f"Đường hỏng, gọi {', '.join(data)}"))

    with desk.engine.connect() as connection:
        dump = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    seen = [dump, client.get(f"/v1/opinions/{result['id']}").text, *pipeline.seen]
    assert not any(secret in text for secret in data for text in seen)


def test_a_name_that_tells_a_person_is_kept_as_a_hash(client: TestClient, desk: Desk) -> None:
    [first] = send(client, row(1) | {"external_id": "0912345678"})
    [again] = send(client, row(1) | {"external_id": "0912345678"})

    assert (again["status"], again["id"]) == ("duplicate", first["id"])
    stored = client.get(f"/v1/opinions/{first['id']}").text
    assert "0912345678" not in stored
    assert '"external_id":"sha256:' in stored


def test_lines_are_taken_each_for_itself(client: TestClient) -> None:
    lines = [
        json.dumps(row(1)).encode(),
        b"",
        b'{"broken',
        b'{"text": "\xff"}',
        b"[" * 100_000,
        json.dumps(row(2)).encode(),
    ]

    answer = client.post("/v1/opinions", content=b"\n".join(lines), headers=NDJSON).json()

    assert (answer["accepted"], answer["error"]) == (2, 3)
    assert answer["results"][1]["reason"] == "the line is not valid JSON in UTF-8"


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"\xff[]", 400), (b"[" * 100_000, 400), (b"{}", 422)]
)
def test_a_body_that_is_no_array_is_refused(client: TestClient, body: bytes, status: int) -> None:
    answer = client.post("/v1/opinions", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("query", "n_found"),
    [
        ("", 3),
        ("civic_field=LV03", 2),
        ("sentiment=negative", 1),
        ("civic_field=LV03&sentiment=negative", 1),
        ("intent=complaint", 3),
        ("intent=praise", 0),
        ("decision=none_of_these", 1),
        ("source=web_upload", 0),
    ],
)
def test_opinions_are_found_by(client: TestClient, query: str, n_found: int) -> None:
    send(client, row(1), row(2, "đường đẹp"), row(3, "Xin chào"))

    assert len(client.get(f"/v1/opinions?{query}").json()["items"]) == n_found


def test_many_rows_go_through_in_batches(desk: Desk, pipeline: RulePipeline) -> None:
    small = replace(desk, limits=Limits(max_batch=4))

    outcomes = store_opinions(small, [Opinion("demo", str(i), "đường") for i in range(10)])

    assert {outcome.status for outcome in outcomes} == {"accepted"}
    assert len(list_items(desk.engine, Query()).items) == 10


def test_a_text_that_breaks_the_pipeline_is_the_only_one_lost(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = ["đường", "rác", "hỏng máy", "xin chào"]

    outcomes = store_opinions(desk, [Opinion("demo", t, t) for t in texts])

    assert [o.status for o in outcomes] == ["accepted", "accepted", "error", "accepted"]
    assert "hỏng máy" not in capsys.readouterr().out


def test_a_source_must_be_registered_first(client: TestClient) -> None:
    source = {
        "name": "hotline",
        "channel": "hotline",
        "legal_basis": "Luật Tiếp công dân 2013",
        "retention_days": 365,
    }
    [before] = send(client, row(1, source="hotline"))

    registered = client.post("/v1/sources", json=source)

    [after] = send(client, row(1, source="hotline"))
    assert [before["status"], after["status"]] == ["error", "accepted"]
    assert registered.status_code == 201
    assert client.post("/v1/sources", json=source).status_code == 200
    assert client.post("/v1/sources", json={**source, "retention_days": 1}).status_code == 409
    assert source in client.get("/v1/sources").json()


def test_a_discipline_clause_is_never_stored_for_an_opinion(
    client: TestClient, app: FastAPI
) -> None:
    [result] = send(client, row(1, "Giữ nghiêm kỷ cương khi tiếp công dân"))

    assert "DV4.3" not in client.get(f"/v1/opinions/{result['id']}").text
    assert client.get("/v1/documents?task_area=DV4.3").json()["items"] == []

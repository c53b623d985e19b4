"""What reads like a denunciation is sealed at every door, and found in no list."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.actions import KEPT_APART
from service.store import tables
from service.store.restricted import count_waiting
from tests.service.flows import Scene, a_scene

ACCUSES = "Tôi tố cáo trưởng thôn 5 xã Hòa Lũng ăn chặn tiền hỗ trợ bão số 6, bắt dân ký nhận đủ."
DANGER = "Ông hàng xóm say rượu đang cầm dao rượt vợ con ngoài ngõ, bà con sợ không dám can. Công an tới gấp!"
PLAIN = "Đèn đường trước chợ hỏng đã hai tuần, tối đi lại rất nguy hiểm, đề nghị phường cho sửa."


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with a_scene(request, tmp_path, database=request.param) as scene:
        yield scene


def send(client: TestClient, *texts: str, prefer: str = "") -> list[dict[str, Any]]:
    rows = [
        {"source": "demo", "external_id": str(number), "text": text}
        for number, text in enumerate(texts)
    ]
    headers = {"prefer": prefer} if prefer else {}
    results: list[dict[str, Any]] = client.post("/v1/opinions", json=rows, headers=headers).json()[
        "results"
    ]
    return results


def waiting(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return count_waiting(connection)


@pytest.mark.parametrize("prefer", ["", "respond-async"], ids=["at-once", "later"])
def test_it_is_accepted_and_kept_apart(client: TestClient, app: FastAPI, prefer: str) -> None:
    told, plain = send(client, ACCUSES, PLAIN, prefer=prefer)

    listed = client.get("/v1/opinions").json()["items"]
    assert (told["status"], told["reason"]) == ("accepted", KEPT_APART)
    assert (plain["status"], plain["reason"]) == ("accepted", None)
    assert [item["id"] for item in listed] == [plain["id"]]
    assert client.get(f"/v1/opinions/{told['id']}").status_code == 404
    assert waiting(app.state.desk.engine) == 1


def test_sending_it_again_is_a_duplicate(client: TestClient, app: FastAPI) -> None:
    [first] = send(client, ACCUSES)

    [again] = send(client, ACCUSES)

    assert (again["status"], again["id"]) == ("duplicate", first["id"])
    assert waiting(app.state.desk.engine) == 1


def test_whoever_sends_what_tells_of_danger_is_told_to_pass_it_on(client: TestClient) -> None:
    [told] = send(client, DANGER)

    assert told["reason"].endswith("it tells of danger to life, so pass it on yourself at once")


def test_a_file_is_kept_apart_too(client: TestClient, app: FastAPI) -> None:
    answer = client.post(
        "/v1/documents",
        files={"file": ("don.txt", ACCUSES.encode())},
        data={"kind": "opinion", "source": "web_upload"},
    )

    assert answer.status_code == 422
    assert answer.json()["detail"] == KEPT_APART
    assert client.get("/v1/documents").json()["items"] == []
    assert waiting(app.state.desk.engine) == 1


def test_no_word_of_it_stands_in_the_store(client: TestClient, app: FastAPI) -> None:
    send(client, ACCUSES)

    with app.state.desk.engine.connect() as connection:
        kept = [
            str(row)
            for table in tables.metadata.sorted_tables
            for row in connection.execute(sa.select(table))
        ]
    assert not any("Hòa Lũng" in row for row in kept)


def test_texts_from_before_the_rules_are_read_by_them(scene: Scene) -> None:
    ids = scene.keep(ACCUSES, PLAIN, f"Nhờ chia sẻ. {PLAIN}")

    scene.carry_out("traits")

    with scene.engine.connect() as connection:
        left = connection.scalars(sa.select(tables.items.c.id).order_by(tables.items.c.seq)).all()
        groups = connection.scalars(sa.select(tables.traits.c.group_seq)).all()
    assert left == ids[1:]
    assert len(groups) == 2
    assert len(set(groups)) == 1
    assert waiting(scene.engine) == 1

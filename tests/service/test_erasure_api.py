"""`DELETE /v1/items/{item_id}`: whoever must can erase one item, and that is written down."""

import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.actions import Desk
from service.store import tables


def keep(client: TestClient) -> str:
    rows = [{"source": "demo", "external_id": "1", "text": "Đường hỏng."}]
    item_id: str = client.post("/v1/opinions", json=rows).json()["results"][0]["id"]
    return item_id


def test_an_erased_item_is_found_nowhere(client: TestClient) -> None:
    item_id = keep(client)

    answer = client.delete(f"/v1/items/{item_id}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert client.get(f"/v1/opinions/{item_id}").status_code == 404
    assert client.get("/v1/opinions?q=duong").json()["items"] == []
    assert client.delete(f"/v1/items/{item_id}").status_code == 404


def test_the_same_text_can_be_handed_in_again(client: TestClient) -> None:
    client.delete(f"/v1/items/{keep(client)}")

    assert client.get(f"/v1/opinions/{keep(client)}").status_code == 200


def test_who_erased_what_is_written_down_and_a_worker_wipes_it_out(
    client: TestClient, desk: Desk
) -> None:
    item_id = keep(client)

    client.delete(f"/v1/items/{item_id}")

    log, jobs = tables.access_log.c, tables.jobs.c
    with desk.engine.connect() as connection:
        entries = connection.execute(sa.select(log.actor, log.action, log.subject)).all()
        ordered = connection.execute(sa.select(jobs.kind, jobs.state, jobs.asked_by)).all()
    assert [tuple(entry) for entry in entries] == [("anyone", "item.erased", item_id)]
    assert [tuple(job) for job in ordered] == [("wiping", "queued", "anyone")]

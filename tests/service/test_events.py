"""Whoever asked for it is told that a job has ended, and that views read another run."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from service import reclassifying
from service.store import tables
from service.store.access import LogQuery, list_entries
from service.store.dialect import writing
from service.store.errors import Conflict
from service.store.webhooks import Webhook, add_webhook
from tests.service.archive import BOTH, Model, Room, address_of, fresh_store
from tests.service.shelf import NOON, says_field

EVENTS = ("job.done", "run.promoted", "run.rolled_back")


@pytest.fixture(params=BOTH)
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    """One opinion, a model `2`, and a receiver of three events."""
    with fresh_store(address_of(request, tmp_path)) as engine:
        room = Room(engine)
        room.bring("đường hỏng")
        room.models["2"] = Model(version="2", change=says_field("LV02"))
        hook = Webhook("f" * 32, "https://example.org/", EVENTS, created_at=NOON, secret="whsec_")
        with writing(engine) as connection:
            add_webhook(connection, hook)
        yield room


def told(room: Room) -> list[str]:
    jobs = tables.jobs.c
    query = sa.select(jobs.params).where(jobs.kind == "webhook").order_by(jobs.created_at, jobs.id)
    with room.engine.connect() as connection:
        return sorted(params["message"]["event"] for params in connection.scalars(query))


def test_the_end_of_a_job_is_told(room: Room) -> None:
    room.read("2")

    assert told(room) == ["job.done"]


def test_promoting_and_going_back_are_told(room: Room) -> None:
    job_id = room.read("2")

    room.put_on_top(job_id)
    reclassifying.take_back(room.archive, job_id, made_by="key:1")

    assert told(room) == ["job.done", "run.promoted", "run.rolled_back"]


def test_promoting_and_going_back_stand_in_the_access_log(room: Room) -> None:
    job_id = room.read("2")

    room.put_on_top(job_id)
    with pytest.raises(Conflict):
        room.put_on_top(job_id)
    reclassifying.take_back(room.archive, job_id, made_by="key:1")

    with room.engine.connect() as connection:
        lines = list_entries(connection, LogQuery()).entries
    assert [(line.actor, line.action, line.subject) for line in lines] == [
        ("key:1", "run.rolled_back", job_id),
        ("staff:an", "run.promoted", job_id),
    ]


def test_what_was_refused_is_told_nobody(room: Room) -> None:
    job_id = room.read("2")
    room.put_on_top(job_id)

    with pytest.raises(Conflict):
        room.put_on_top(job_id)

    assert told(room) == ["job.done", "run.promoted"]

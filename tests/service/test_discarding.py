"""What a run said is erased where nobody reads it, and nothing is added to it afterwards."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service import reclassifying
from service.reclassifying import discard
from service.store import tables
from service.store.errors import Conflict
from service.store.jobs import cancel_job, retry_job
from tests.service.archive import (
    BOTH,
    Part,
    Room,
    fields,
    run_of,
    two_models,
)


@pytest.fixture(params=BOTH)
def room(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Room]:
    with two_models(request, tmp_path, monkeypatch) as room:
        yield room


def test_discarding_gives_the_room_back_and_nothing_else(room: Room) -> None:
    kept, gone = room.read("2"), room.read("5")
    before = room.everything()
    sizes = room.sizes()

    found = discard(room.archive, gone)

    after = room.sizes()
    assert found.state == "discarded"
    assert (sizes["answers"] - after["answers"], sizes["analyses"] - after["analyses"]) == (4, 4)
    with room.engine.connect() as connection:
        for table in (tables.answers, tables.analyses, tables.label_index):
            mine = table.c.run_id == run_of(room, gone).id
            assert connection.scalar(sa.select(sa.func.count()).where(mine)) == 0
    assert room.everything() == before
    room.put_on_top(kept)
    assert fields(room) == ["LV02"] * 4


def test_what_views_read_is_not_discarded(room: Room) -> None:
    job_id = room.read("2")
    room.put_on_top(job_id, "intent")

    with pytest.raises(Conflict, match="roll it back or cancel it first"):
        discard(room.archive, job_id)

    room.take_back(job_id)
    discard(room.archive, job_id)


def test_what_is_being_made_is_not_discarded_until_it_is_cancelled(room: Room) -> None:
    part = Part(room.context, room.order("2"))
    part.do((part.plan() or (0,))[0])
    with pytest.raises(Conflict):
        discard(room.archive, part.job_id)

    cancel_job(room.engine, part.job_id, now=room.move().at)
    discard(room.archive, part.job_id)

    assert reclassifying.look(room.archive, part.job_id).state == "discarded"


def test_what_was_discarded_can_be_neither_promoted_nor_gone_on_with(room: Room) -> None:
    part = Part(room.context, room.order("2"))
    part.do((part.plan() or (0,))[0])
    cancel_job(room.engine, part.job_id, now=room.move().at)
    discard(room.archive, part.job_id)
    sizes = room.sizes()

    with pytest.raises(Conflict, match="is discarded; only a complete"):
        room.put_on_top(part.job_id)
    retry_job(room.engine, part.job_id)
    job = room.carry_out(part.job_id)

    assert job.state == "failed"
    assert "start another re-classification" in (job.reason or "")
    assert room.sizes()["answers"] == sizes["answers"]
    discard(room.archive, part.job_id)  # as often as somebody likes


def test_a_shard_under_way_adds_nothing_to_what_was_discarded(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Part(room.context, room.order("2"))
    first = (part.plan() or (0,))[0]
    analyze_all = room.models["2"].analyze_all

    def discard_meanwhile(requests: Any) -> Any:
        cancel_job(room.engine, part.job_id, now=room.move().at)
        discard(room.archive, part.job_id)
        return analyze_all(requests)

    monkeypatch.setattr(room.models["2"], "analyze_all", discard_meanwhile)
    part.do(first)

    with room.engine.connect() as connection:
        mine = tables.answers.c.run_id == run_of(room, part.job_id).id
        assert connection.scalar(sa.select(sa.func.count()).where(mine)) == 0

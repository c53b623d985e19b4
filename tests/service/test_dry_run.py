"""A dry run says what a run would say, and leaves nothing behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service import reclassifying
from service.jobs import archive
from service.store.errors import Conflict
from service.store.query import Query
from tests.service.archive import BOTH, Model, Room, address_of, fresh_store
from tests.service.shelf import says_field

TEXTS = ("đường hỏng", "rác ùn ở chợ", "xin chào", "đường xấu, rác nhiều", "gì đó", "đường bẩn")


@pytest.fixture(params=BOTH)
def room(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Room]:
    """Six opinions in shards of four numbers, and a second model that puts all under LV02."""
    monkeypatch.setattr(archive, "_STRETCH", 4)
    monkeypatch.setattr(archive, "_CHUNK_ROWS", 3)
    with fresh_store(address_of(request, tmp_path)) as engine:
        room = Room(engine)
        for text in TEXTS:
            room.bring(text)
        room.models["2"] = Model(version="2", change=says_field("LV02"))
        yield room


def test_a_dry_run_keeps_nothing(room: Room) -> None:
    before, seen = room.sizes(), room.everything()

    job_id = room.read("2", dry_run=True)

    after = room.sizes()
    own = {"jobs", "job_shards"}
    assert {name: n for name, n in after.items() if name not in own} == {
        name: n for name, n in before.items() if name not in own
    }
    assert room.everything() == seen
    assert reclassifying.look(room.archive, job_id).run is None


def test_a_dry_run_says_what_the_run_would_say(room: Room) -> None:
    below = room.read("2", Query(text="duong"))
    room.put_on_top(below)
    room.say(1, "LV05")
    room.models["3"] = Model(version="3", change=says_field(None))

    dry, run = room.read("3", dry_run=True), room.read("3")

    said, would_say = (reclassifying.compare(room.archive, one).transitions for one in (run, dry))
    assert set(would_say) == set(said)
    assert len(would_say) == len(said)
    only = reclassifying.compare(room.archive, dry, facets=["intent"]).transitions
    assert only == tuple(step for step in would_say if step.facet == "intent")


def test_a_dry_run_names_some_items_of_each_change(room: Room) -> None:
    job = room.carry_out(room.order("2", dry_run=True))

    examples = job.result["examples"]
    assert {int(item, 16) for item in examples["civic_field:LV03:LV02"]} <= {1, 4, 6}
    assert examples["civic_field:none_of_these:LV02"] == [f"{3:032x}"]
    assert "civic_field:LV02:LV02" not in examples


@pytest.mark.parametrize("action", ["put_on_top", "take_back"])
def test_a_dry_run_can_be_neither_promoted_nor_rolled_back(room: Room, action: str) -> None:
    job_id = room.read("2", dry_run=True)

    with pytest.raises(Conflict, match="a dry run keeps no answers"):
        getattr(room, action)(job_id)

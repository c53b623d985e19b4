"""Promote and rollback: one step for every view, back to exactly what was, whatever goes on meanwhile."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service import reclassifying
from service.store import runs, tables
from service.store.dialect import writing
from service.store.errors import Conflict, NotFound
from service.store.jobs import cancel_job
from service.store.query import LabelFilter, Query
from service.store.runs import forget_run, promote, roll_back
from service.store.views import read_item
from tests.service.archive import (
    BOTH,
    Model,
    Part,
    Room,
    fields,
    run_of,
    two_models,
)
from tests.service.rules import PACK
from tests.service.shelf import RENAMED, SPLIT, says_field


@pytest.fixture(params=BOTH)
def room(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Room]:
    with two_models(request, tmp_path, monkeypatch) as room:
        yield room


AS_BEFORE = ["LV03", "LV02", "LV03", "abstain"]


def test_promoting_changes_what_lists_filters_searches_and_items_show(room: Room) -> None:
    room.put_on_top(room.read("2"))

    assert fields(room) == ["LV02"] * 4
    assert (room.found("LV02"), room.found("LV03")) == ([4, 3, 2, 1], [])
    assert room.found("abstain") == []
    searched = room.items(Query(text="duong"))
    assert [item.labels["civic_field"].primary for item in searched] == ["LV02", "LV02"]
    assert room.numbers(Query(text="duong", labels=(LabelFilter("civic_field", "LV02"),))) == [3, 1]
    assert room.opened(1).analysis["civic_field"]["primary"] == "LV02"
    assert room.opened(1).analysis["provenance"]["model_version"] == "2"


def test_rolling_back_brings_back_exactly_what_was(room: Room) -> None:
    room.say(2, "LV04")
    before = room.everything()
    job_id = room.read("2")

    room.put_on_top(job_id)
    assert room.everything() != before
    room.take_back(job_id)

    assert room.everything() == before
    assert reclassifying.look(room.archive, job_id).state == "done"


def test_what_was_rolled_back_can_be_promoted_again(room: Room) -> None:
    job_id = room.read("2")
    room.put_on_top(job_id)
    promoted = room.everything()
    room.take_back(job_id)

    room.put_on_top(job_id)

    assert room.everything() == promoted
    assert reclassifying.look(room.archive, job_id).state == "promoted"


def test_the_run_promoted_last_is_read_first(room: Room) -> None:
    some, everything = room.read("5", Query(text="duong")), room.read("2")

    room.put_on_top(everything)
    room.put_on_top(some)
    assert fields(room) == ["LV05", "LV02", "LV05", "LV02"]

    room.take_back(some)
    room.take_back(everything)
    room.put_on_top(some)
    room.put_on_top(everything)
    assert fields(room) == ["LV02"] * 4


def test_the_lower_of_two_runs_can_be_rolled_back(room: Room) -> None:
    lower, upper = room.read("2"), room.read("5", Query(text="duong"))
    room.put_on_top(upper)
    alone = room.everything()
    room.take_back(upper)
    room.put_on_top(lower)
    room.put_on_top(upper)

    room.take_back(lower)

    assert fields(room) == ["LV05", "LV02", "LV05", "abstain"]
    assert room.everything() == alone


def test_one_facet_can_be_promoted_alone_and_another_later(room: Room) -> None:
    job_id = room.read("2")
    before = room.everything()

    room.put_on_top(job_id, "sentiment")
    assert fields(room) == AS_BEFORE
    assert run_of(room, job_id).active == ("sentiment",)
    assert room.opened(1).analysis["provenance"]["model_version"] == "1"

    room.put_on_top(job_id, "civic_field", "civic_field")
    assert fields(room) == ["LV02"] * 4
    assert room.opened(1).analysis["civic_field"]["primary"] == "LV02"
    assert room.opened(1).analysis["provenance"]["model_version"] == "1"
    assert run_of(room, job_id).active == ("civic_field", "sentiment")

    room.take_back(job_id)
    assert room.everything() == before


def test_who_moved_the_stack_is_kept(room: Room) -> None:
    job_id = room.read("2")
    room.put_on_top(job_id, "intent", "sentiment")
    room.take_back(job_id)

    log = tables.promotions.c
    with room.engine.connect() as connection:
        rows = connection.execute(
            sa.select(log.action, log.facets, log.made_by).order_by(log.id)
        ).all()
    assert [tuple(row) for row in rows] == [
        ("promote", ["intent", "sentiment"], "staff:an"),
        ("rollback", ["intent", "sentiment"], "staff:an"),
    ]


def test_new_items_are_read_by_the_run_that_read_them_first(room: Room) -> None:
    room.put_on_top(room.read("2"))

    room.bring("đường mới")

    assert room.field_of(5) == "LV03"
    assert room.found("LV03") == [5]


def test_corrections_stay_on_top(room: Room) -> None:
    room.say(1, "LV04")
    job_id = room.read("2")

    room.put_on_top(job_id)
    assert fields(room) == ["LV04", "LV02", "LV02", "LV02"]
    room.say(2, "LV06")
    room.take_back(job_id)

    assert fields(room) == ["LV04", "LV06", "LV03", "abstain"]


@pytest.mark.parametrize(("newer", "shown"), [(RENAMED, "LV30"), (SPLIT, "LV32")])
def test_corrections_follow_the_taxonomy_of_the_run_on_top(
    room: Room, newer: Any, shown: str
) -> None:
    room.packs = runs.packs_of([PACK, newer])
    room.models["3"] = Model(version="3", taxonomy=newer, change=says_field("LV32"))
    room.say(2, "LV03")
    before = room.everything()
    job_id = room.read("3")

    room.put_on_top(job_id)
    assert room.field_of(2) == shown  # of a split nobody can know; the model's answer shows
    room.take_back(job_id)

    assert room.everything() == before


def test_a_run_whose_taxonomy_is_gone_is_not_promoted_over_corrections(room: Room) -> None:
    room.models["3"] = Model(version="3", taxonomy=RENAMED)
    room.say(1, "LV04")
    job_id = room.read("3")
    before = room.everything()

    with pytest.raises(Conflict, match=r"ct07 1\.1\.0 is not at hand"):
        room.put_on_top(job_id)

    assert room.everything() == before
    assert run_of(room, job_id).active == ()


def test_a_run_that_is_not_complete_is_not_promoted(room: Room) -> None:
    queued, halfway, cancelled = (room.order("2") for _ in range(3))
    part = Part(room.context, halfway)
    part.do((part.plan() or (0,))[0])
    cancel_job(room.engine, cancelled, now=room.move().at)

    for job_id in (queued, halfway, cancelled):
        with pytest.raises(Conflict, match="only a complete re-classification is promoted"):
            room.put_on_top(job_id)
    assert fields(room) == AS_BEFORE


def test_a_run_is_promoted_once(room: Room) -> None:
    job_id = room.read("2")
    room.put_on_top(job_id, "intent")

    for facets in ((), ("intent",), ("sentiment", "intent")):
        with pytest.raises(Conflict, match="is promoted already"):
            room.put_on_top(job_id, *facets)


def test_what_is_not_promoted_cannot_be_rolled_back(room: Room) -> None:
    job_id = room.read("2")

    with pytest.raises(Conflict, match="nothing to roll back"):
        room.take_back(job_id)


@pytest.mark.parametrize("facets", [[], ["tone"], ["intent", "none"]])
def test_an_unknown_facet_is_refused(room: Room, facets: list[str]) -> None:
    run = run_of(room, room.read("2"))

    with pytest.raises(NotFound, match="a facet is one of"):
        promote(room.engine, run.id, facets=facets, move=room.move(), packs=room.packs)


def test_an_unknown_run_is_refused(room: Room) -> None:
    with pytest.raises(NotFound):
        promote(room.engine, 999, move=room.move(), packs=room.packs)
    with pytest.raises(NotFound):
        roll_back(room.engine, 999, move=room.move(), packs=room.packs)
    with pytest.raises(NotFound):
        forget_run(room.engine, 999)
    for act in (room.put_on_top, room.take_back):
        with pytest.raises(NotFound, match="no job has this id"):
            act("f" * 32)


def test_the_runs_of_intake_and_of_people_can_be_neither_promoted_nor_discarded(room: Room) -> None:
    room.say(1, "LV04")
    with room.engine.connect() as connection:
        others = connection.scalars(sa.select(tables.runs.c.id)).all()

    assert len(others) == 2
    for run_id in others:
        with pytest.raises(Conflict):
            promote(room.engine, run_id, move=room.move(), packs=room.packs)
        with pytest.raises(Conflict):
            roll_back(room.engine, run_id, move=room.move(), packs=room.packs)
        with pytest.raises(Conflict):
            forget_run(room.engine, run_id)


def test_another_kind_of_job_is_no_re_classification(room: Room) -> None:
    from service.jobs.waiting import order

    with writing(room.engine) as connection:
        job_id = order(connection, asked_by="staff:an", now=room.move().at)

    with pytest.raises(NotFound, match="no re-classification has this id"):
        reclassifying.look(room.archive, job_id)


@contextmanager
def meanwhile(*loops: Callable[[], None]) -> Iterator[None]:
    """Let each be done over and over in a thread of its own; what fails there fails here."""
    over = threading.Event()
    faults: list[BaseException] = []

    def repeat(act: Callable[[], None]) -> None:
        try:
            while not over.is_set():
                act()
        except BaseException as error:  # handed on to the test
            faults.append(error)

    threads = [threading.Thread(target=repeat, args=(act,)) for act in loops]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(60)
    assert faults == []


@pytest.mark.slow
def test_promoting_while_others_add_and_read_is_one_step_for_everybody(room: Room) -> None:
    job_id = room.read("2")
    first_four = [f"{number:032x}" for number in room.texts]
    seen: set[tuple[str | None, ...]] = set()
    n_added = 0

    def add_one() -> None:
        nonlocal n_added
        n_added += 1
        room.bring("đường mới")

    def look() -> None:
        page = room.items(Query(ids=tuple(first_four)))
        seen.add(tuple(item.labels["civic_field"].primary for item in page))
        whole = read_item(room.engine, first_four[0])
        assert whole is not None
        assert whole.analysis["civic_field"]["primary"] in {"LV02", "LV03"}

    with meanwhile(add_one, look):
        for _ in range(8):
            room.put_on_top(job_id)
            room.take_back(job_id)
        room.put_on_top(job_id)

    assert seen <= {(None, "LV03", "LV02", "LV03"), ("LV02",) * 4}
    assert len(room.texts) == 4 + n_added
    assert len(room.numbers(Query(limit=10_000))) == 4 + n_added
    assert (
        len(room.numbers(Query(labels=(LabelFilter("civic_field", "LV03"),), limit=10_000)))
        == n_added
    )


@pytest.mark.slow
def test_two_who_promote_at_once_are_one_after_the_other(room: Room) -> None:
    jobs = [room.read("2"), room.read("5")]
    gate = threading.Barrier(2)

    def move(job_id: str) -> None:
        gate.wait()
        room.put_on_top(job_id)

    threads = [threading.Thread(target=move, args=(job_id,)) for job_id in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    active = tables.active_runs.c
    with room.engine.connect() as connection:
        ranks = connection.execute(sa.select(active.facet, active.rank)).all()
    assert sorted(rank for _, rank in ranks) == [1] * 4 + [2] * 4
    assert len(set(map(tuple, ranks))) == 8

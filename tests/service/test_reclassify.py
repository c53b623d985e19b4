"""A model reads again what is stored: all of it, none of it twice, and no view notices."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from nlp.errors import InputError
from nlp.types import Analysis
from service import reclassifying
from service.jobs import archive
from service.store import tables
from service.store.dialect import writing
from service.store.errors import Conflict, NotFound
from service.store.jobs import Job, cancel_job, list_faults, read_job, retry_job
from service.store.query import LabelFilter, Query
from service.store.retention import erase
from service.store.stack import read_stack
from service.store.views import read_item
from tests.service.archive import BOTH, Model, Part, Room, address_of, fresh_store
from tests.service.rules import PACK
from tests.service.shelf import NOON, says_field

TEXTS = (
    "đường hỏng",
    "rác ùn ở chợ",
    "CHỈ THỊ\nvề thủ tục hành chính",
    "xin chào",
    "đường xấu, rác nhiều",
    "gì đó",
    "đường bẩn",
    "kỷ cương, đường hỏng",
    "tiếp công dân",
)


@pytest.fixture(params=BOTH)
def room(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Room]:
    """Nine texts in shards of four numbers, and a second model that puts every opinion under LV02."""
    monkeypatch.setattr(archive, "_STRETCH", 4)
    monkeypatch.setattr(archive, "_CHUNK_ROWS", 3)
    with fresh_store(address_of(request, tmp_path)) as engine:
        room = Room(engine)
        for text in TEXTS:
            room.bring(text, intake="document" if "CHỈ THỊ" in text else "opinion")
        room.models["2"] = Model(version="2", change=of_opinions(says_field("LV02")))
        yield room


def of_opinions(change: Callable[[Analysis], Analysis]) -> Callable[[Analysis], Analysis]:
    return lambda analysis: change(analysis) if analysis.kind == "opinion" else analysis


def run_id_of(room: Room, job_id: str) -> int:
    run = reclassifying.look(room.archive, job_id).run
    assert run is not None
    return run.id


def answered(room: Room, job_id: str) -> list[int]:
    """The numbers of the items that a run has answered."""
    answers, items = tables.answers.c, tables.items.c
    query = (
        sa.select(items.id)
        .join(tables.answers, answers.seq == items.seq)
        .where(answers.run_id == run_id_of(room, job_id))
        .order_by(items.seq)
    )
    with room.engine.connect() as connection:
        return [int(item_id, 16) for item_id in connection.scalars(query)]


def state_of(room: Room, job_id: str) -> str:
    return reclassifying.look(room.archive, job_id).state


def test_a_run_over_everything_answers_every_item_and_changes_no_view(room: Room) -> None:
    before = room.everything()

    job = room.carry_out(room.order("2"))

    assert answered(room, job.id) == list(room.texts)
    assert room.everything() == before
    progress = reclassifying.look(room.archive, job.id).progress
    assert (job.state, job.n_total, progress.n_done, progress.n_failed) == ("done", 9, 9, 0)


def test_what_was_ordered_is_told_before_anybody_works(room: Room) -> None:
    job_id = room.order("2", Query(kind="opinion", received_from=NOON))

    found = reclassifying.look(room.archive, job_id)
    assert (found.state, found.job.asked_by) == ("queued", "staff:an")
    assert found.run is not None
    assert (found.run.model, found.run.model_version, found.run.state) == ("rules", "2", "building")
    assert found.job.params["scope"] == {
        "kind": "opinion",
        "received_from": "2026-01-05T12:00:00Z",
        "to_seq": room.seq(9) + 1,
    }


def test_re_classifications_are_listed_newest_first(room: Room) -> None:
    first, dry = room.read("2"), room.read("2", dry_run=True)

    found = reclassifying.look_at_all(room.archive)

    assert [(one.job.id, one.run is None) for one in found] == [(dry, True), (first, False)]


def test_a_model_that_answers_to_its_name_is_the_newest(room: Room) -> None:
    for version in ("9", "10", "10+corrections.3"):
        room.models[version] = Model(version=version)

    made = reclassifying.start(room.archive, reclassifying.Wish("rules", Query(), "staff:an"))

    assert made.job.params["model"] == "rules@10"


@pytest.mark.parametrize("name", ["rules@7", "none", "@2"])
def test_an_unknown_model_is_refused(room: Room, name: str) -> None:
    with pytest.raises(NotFound, match="no model has this name and version"):
        reclassifying.start(room.archive, reclassifying.Wish(name, Query(), "staff:an"))
    assert reclassifying.look_at_all(room.archive) == []


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        (Query(ids=(f"{2:032x}", f"{7:032x}", "f" * 32)), [2, 7]),
        (Query(ids=()), []),
        (Query(text="duong"), [1, 5, 7, 8]),
        (Query(text='"duong hong"'), [1, 8]),
        (Query(text="!"), []),
        (Query(kind="official"), [3]),
        (Query(intake="opinion", source="demo", text="rac"), [2, 5]),
        (Query(labels=(LabelFilter("civic_field", "LV03"),)), [1, 5, 7, 8]),
        (Query(labels=(LabelFilter("civic_field", "abstain"),)), [6, 9]),
        (Query(labels=(LabelFilter("task_area", "DV3"),)), [3, 9]),
        (Query(any_of=(LabelFilter("sentiment", "negative"), LabelFilter("intent", "praise"))), [1, 8]),
        (Query(received_from=NOON + timedelta(hours=3), received_to=NOON + timedelta(hours=5)), [3, 4]),
        (Query(dated_from=NOON.date().replace(year=2021, month=1)), [3]),
        (Query(cursor="3", limit=1), [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ],
)  # fmt: skip
def test_a_run_reads_what_is_in_its_scope(room: Room, query: Query, numbers: list[int]) -> None:
    job = room.carry_out(room.order("2", query))

    assert answered(room, job.id) == numbers
    assert (job.state, job.n_total) == ("done", len(numbers))


def test_a_run_over_labels_follows_what_people_said(room: Room) -> None:
    room.say(2, "LV03")
    room.say(1, "LV05")

    job_id = room.read("2", Query(labels=(LabelFilter("civic_field", "LV03"),)))

    assert answered(room, job_id) == [2, 5, 7, 8]


def test_items_that_come_in_while_it_runs_are_in_the_run(room: Room) -> None:
    part = Part(room.context, room.order("2"))
    [first, *others] = part.plan() or ()
    room.bring("đường mới")
    part.do(first)
    room.bring("rác mới")
    for number in others:
        part.do(number)
    room.bring("gì nữa")

    part.finish()

    job = read_job(room.engine, part.job_id)
    assert answered(room, part.job_id) == list(room.texts)
    assert (job.state, job.result["n_late"]) == ("done", 3)


def test_items_that_come_in_out_of_scope_are_not(room: Room) -> None:
    part = Part(room.context, room.order("2", Query(text="duong")))
    for number in part.plan() or ():
        part.do(number)
    room.bring("đường mới")
    room.bring("rác mới")

    part.finish()

    assert answered(room, part.job_id) == [1, 5, 7, 8, 10]


def test_items_erased_while_it_runs_are_left_out(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = room.models["2"]
    analyze_all = model.analyze_all

    def erase_meanwhile(requests: Any) -> Any:
        found = analyze_all(requests)
        drop(room, 1, 9)
        return found

    monkeypatch.setattr(model, "analyze_all", erase_meanwhile)

    job_id = room.read("2")
    room.put_on_top(job_id)

    assert answered(room, job_id) == [2, 3, 4, 5, 6, 7, 8]
    assert state_of(room, job_id) == "promoted"
    assert room.numbers(Query()) == [8, 7, 6, 5, 4, 3, 2]
    assert room.found("LV02") == [8, 7, 6, 5, 4, 2]


def drop(room: Room, *numbers: int) -> None:
    items = tables.items.c
    with writing(room.engine) as connection:
        ids = [f"{number:032x}" for number in numbers]
        seqs = connection.scalars(sa.select(items.seq).where(items.id.in_(ids))).all()
        erase(connection, seqs)


@pytest.mark.parametrize("is_late", [False, True], ids=["planned", "late"])
def test_a_text_that_breaks_the_model_is_set_aside_and_the_run_completes(
    room: Room, is_late: bool
) -> None:
    if not is_late:
        bring_unreadable(room)
    part = Part(room.context, room.order("2"))
    for number in part.plan() or ():
        part.do(number)
    if is_late:
        bring_unreadable(room)

    part.finish()

    [fault] = list_faults(room.engine, part.job_id, limit=9)
    assert (fault.subject, fault.reason) == (f"{10:032x}", "the model could not read this text")
    assert read_job(room.engine, part.job_id).state == "done"
    assert answered(room, part.job_id) == list(range(1, 10))
    assert reclassifying.look(room.archive, part.job_id).progress.n_failed == 1
    room.put_on_top(part.job_id)
    assert room.field_of(10) == "LV03"


def bring_unreadable(room: Room) -> None:
    """A tenth text, which the model of then could read and that of now cannot."""
    room.bring("đường hỏng")
    items = tables.items
    with writing(room.engine) as connection:
        mine = items.c.id == f"{10:032x}"
        connection.execute(items.update().where(mine).values(text="đường hỏng máy"))


def test_a_shard_that_is_begun_again_leaves_the_same_rows(room: Room) -> None:
    part = Part(room.context, room.order("2"))
    shards = part.plan() or ()
    part.do(shards[0])
    before = room.sizes()
    redo(room, part.job_id, shards[0])

    part.do(shards[0])

    assert room.sizes() == before
    for number in shards[1:]:
        part.do(number)
    part.finish()
    assert answered(room, part.job_id) == list(room.texts)


def redo(room: Room, job_id: str, number: int) -> None:
    """As after a crash: what the shard wrote is there, that it was done is not."""
    mine = (tables.job_shards.c.job_id == job_id, tables.job_shards.c.shard == number)
    with writing(room.engine) as connection:
        connection.execute(tables.job_shards.update().where(*mine).values(state="waiting"))


def test_a_cancelled_run_is_taken_up_where_it_was(room: Room) -> None:
    part = Part(room.context, room.order("2"))
    shards = part.plan() or ()
    part.do(shards[0])
    cancel_job(room.engine, part.job_id, now=NOON)
    part.do(shards[1])
    part.finish()
    assert (state_of(room, part.job_id), answered(room, part.job_id)) == ("cancelled", [1, 2, 3])

    retry_job(room.engine, part.job_id)
    job = room.carry_out(part.job_id)

    assert job.state == "done"
    assert answered(room, part.job_id) == list(room.texts)
    room.put_on_top(part.job_id)


def test_a_run_cancelled_while_it_is_summed_up_is_not_complete(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Part(room.context, room.order("2"))
    for number in part.plan() or ():
        part.do(number)
    room.bring("đường mới")
    model = room.models["2"]
    analyze_all = model.analyze_all

    def cancel_meanwhile(requests: Any) -> Any:
        cancel_job(room.engine, part.job_id, now=NOON)
        return analyze_all(requests)

    monkeypatch.setattr(model, "analyze_all", cancel_meanwhile)
    part.finish()

    assert state_of(room, part.job_id) == "cancelled"
    with pytest.raises(Conflict, match="only a complete re-classification"):
        room.put_on_top(part.job_id)
    monkeypatch.undo()
    retry_job(room.engine, part.job_id)
    room.carry_out(part.job_id)
    room.put_on_top(part.job_id)


def test_a_worker_with_other_files_of_the_model_refuses(room: Room) -> None:
    job_id = room.order("2")
    room.models["2"] = Model(version="2", sha256="1" * 64)

    job = room.carry_out(job_id)

    assert job.state == "failed"
    assert "is not the one the run was started with" in (job.reason or "")
    assert answered(room, job_id) == []
    with pytest.raises(Conflict, match="only a complete"):
        room.put_on_top(job_id)


def test_the_same_text_model_and_taxonomy_give_the_same_bytes(room: Room) -> None:
    first, second = room.read("2"), room.read("2")

    def stored(job_id: str) -> list[Any]:
        rows = tables.analyses.c
        query = sa.select(rows.seq, rows.analysis, rows.headline, rows.dated).order_by(rows.seq)
        with room.engine.connect() as connection:
            mine = connection.execute(query.where(rows.run_id == run_id_of(room, job_id)))
            return [tuple(row) for row in mine]

    assert stored(first) == stored(second)
    assert len(stored(first)) == len(TEXTS)


def test_a_restricted_area_never_shows_for_an_opinion(room: Room) -> None:
    job_id = room.read("2")
    room.put_on_top(job_id)

    mine = tables.analyses.c.run_id == run_id_of(room, job_id)
    with room.engine.connect() as connection:
        whole = connection.scalars(sa.select(tables.analyses.c.analysis).where(mine)).all()
    assert room.found("DV4.3", facet="task_area") == []
    assert len(whole) == len(TEXTS)
    assert not any("DV4.3" in text for text in whole)


def test_what_waits_is_read_by_a_run_and_waits_again_when_that_is_gone(room: Room) -> None:
    items = tables.items
    with writing(room.engine) as connection:  # as it is while an opinion waits
        connection.execute(items.update().where(items.c.seq == room.seq(1)).values(run_id=None))
    job_id = room.read("2")
    room.put_on_top(job_id)
    assert room.opened(1).analysis["civic_field"]["primary"] == "LV02"

    room.take_back(job_id)

    stored = read_item(room.engine, f"{1:032x}")
    assert stored is not None
    assert stored.analysis == {}


def test_where_a_taxonomy_has_not_changed_nothing_is_affected(room: Room) -> None:
    with pytest.raises(Conflict, match="leave out `affected` to read all again"):
        room.order("2", affected=True)


def test_both_versions_of_a_taxonomy_must_be_at_hand(room: Room) -> None:
    room.models["3"] = Model(version="3", taxonomy=replace(PACK, version="1.1.0"))

    with pytest.raises(InputError, match="both versions of the taxonomy pack"):
        room.order("3", affected=True)


def test_a_run_over_nothing_is_complete_and_says_nothing(room: Room) -> None:
    job: Job = room.carry_out(room.order("2", Query(source="nobody")))

    assert (job.state, job.n_total) == ("done", 0)
    assert reclassifying.compare(room.archive, job.id).transitions == ()
    room.put_on_top(job.id)
    with room.engine.connect() as connection:
        assert read_stack(connection).of("intent") == (run_id_of(room, job.id),)

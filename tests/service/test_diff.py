"""What a run would change, counted and item by item, and whether people would agree."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from nlp.taxonomy import Taxonomy
from nlp.types import Analysis, CategoryResult, Guess
from service import reclassifying
from service.jobs import archive
from service.reclassifying import changes, compare
from service.store import tables
from service.store.dialect import writing
from service.store.diff import NOT_READ, Agreement, Change, Shown, Transition, transitions
from service.store.errors import Conflict, NotFound
from service.store.records import Answer, answer_row
from service.store.runs import packs_of
from service.store.stack import HUMAN_RANK
from tests.service.archive import BOTH, Model, Part, Room, address_of, another_database, fresh_store
from tests.service.rules import PACK
from tests.service.shelf import NOON, RENAMED, SPLIT, as_it_is, says_field
from tests.service.shelf import Change as Say

TEXTS = ("đường hỏng", "rác ở chợ", "đường, rác", "gì đó")


@pytest.fixture(params=BOTH)
def room(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Room]:
    """LV03; LV02; LV03 LV02; abstain: and a model that says LV02 of all, without evidence."""
    monkeypatch.setattr(archive, "_STRETCH", 3)
    with fresh_store(address_of(request, tmp_path)) as engine:
        room = Room(engine)
        for text in TEXTS:
            room.bring(text)
        room.models["2"] = Model(version="2", change=says_field("LV02"))
        yield room


def steps(room: Room, job_id: str, *, facet: str = "civic_field") -> dict[tuple[str, str], int]:
    found = compare(room.archive, job_id, facets=[facet]).transitions
    return {(step.old, step.new): step.n_items for step in found}


def listed(room: Room, job_id: str, **shown: object) -> list[Change]:
    asked = Shown("civic_field", **shown)  # type: ignore[arg-type] # a value for each field
    return list(changes(room.archive, job_id, shown=asked))


def numbers(found: list[Change]) -> list[int]:
    return [int(change.id, 16) for change in found]


def agreed(room: Room, job_id: str, *, facet: str = "civic_field") -> Agreement:
    [found] = compare(room.archive, job_id, facets=[facet]).agreement
    return found


def test_labels_are_counted_from_old_to_new_the_most_frequent_first(room: Room) -> None:
    found = compare(room.archive, room.read("2"), facets=["civic_field"]).transitions

    assert found == (
        Transition("civic_field", "LV03", "LV02", 2),
        Transition("civic_field", "LV02", "LV02", 1),
        Transition("civic_field", "abstain", "LV02", 1),
    )


def test_every_facet_is_compared_unless_one_is_asked_for(room: Room) -> None:
    found = compare(room.archive, room.read("2"))

    assert [one.facet for one in found.agreement] == list(tables.FACETS)
    assert {step.facet for step in found.transitions} == set(tables.FACETS)


def test_what_is_compared_with_is_what_stands_below_and_not_the_run_itself(room: Room) -> None:
    job_id = room.read("2")
    before = steps(room, job_id)

    room.put_on_top(job_id)
    assert steps(room, job_id) == before

    room.models["5"] = Model(version="5", change=says_field("LV05"))
    assert steps(room, room.read("5")) == {("LV02", "LV05"): 4}


def test_corrections_are_no_part_of_the_comparison(room: Room) -> None:
    job_id = room.read("2")
    before = steps(room, job_id)

    room.say(1, "LV07")

    assert steps(room, job_id) == before


def test_items_that_change_are_listed_newest_first_with_their_evidence(room: Room) -> None:
    found = listed(room, room.read("2"))

    assert numbers(found) == [4, 3, 1]
    both, first = found[1], found[2]
    assert both.old is not None
    assert both.excerpt == TEXTS[2]
    assert (both.old.answer.codes, both.new.answer.codes) == (("LV03", "LV02"), ("LV02",))
    assert first.old is not None
    assert first.old.labels == [
        {"code": "LV03", "probability": 0.91, "evidence": [{"start": 0, "end": 5}]}
    ]
    assert first.new.labels == [{"code": "LV02", "probability": 0.91, "evidence": []}]
    assert first.corrected is False


def test_a_second_label_that_changes_is_a_change(room: Room) -> None:
    def only_first(analysis: Analysis) -> Analysis:
        labels = analysis.civic_field.labels[:1]
        return replace(analysis, civic_field=replace(analysis.civic_field, labels=labels))

    room.models["3"] = Model(version="3", change=only_first)
    job_id = room.read("3")

    assert numbers(listed(room, job_id)) == [3]
    assert steps(room, job_id) == {
        ("LV03", "LV03"): 2,
        ("LV02", "LV02"): 1,
        ("abstain", "abstain"): 1,
    }


def test_a_model_that_says_the_same_changes_nothing(room: Room) -> None:
    room.models["3"] = Model(version="3", change=as_it_is)

    assert listed(room, room.read("3")) == []


def test_a_decision_that_becomes_another_is_a_change(room: Room) -> None:
    room.models["3"] = Model(version="3", change=says_none())

    found = listed(room, room.read("3"), old="abstain", new="none_of_these")

    assert numbers(found) == [4]


def says_none() -> Say:
    verdict = CategoryResult("none_of_these", guess=Guess("LV02", 0.1))
    return lambda analysis: replace(analysis, civic_field=verdict)


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ({"old": "LV03"}, [3, 1]),
        ({"old": "abstain"}, [4]),
        ({"new": "LV02"}, [4, 3, 1]),
        ({"new": "LV03"}, []),
        ({"old": "LV03", "new": "LV02"}, [3, 1]),
        ({"limit": 2}, [4, 3]),
    ],
)
def test_changes_are_chosen_by_their_labels(
    room: Room, shown: dict[str, object], found: list[int]
) -> None:
    assert numbers(listed(room, room.read("2"), **shown)) == found


def test_changes_are_listed_page_by_page(room: Room) -> None:
    job_id = room.read("2")

    first = listed(room, job_id, limit=2)
    second = listed(room, job_id, limit=2, below=first[-1].seq)

    assert numbers(first) + numbers(second) == [4, 3, 1]


def test_what_nobody_had_read_is_a_change_from_nothing(room: Room) -> None:
    items = tables.items
    with writing(room.engine) as connection:
        connection.execute(items.update().where(items.c.seq == room.seq(2)).values(run_id=None))
    job_id = room.read("2")

    assert steps(room, job_id)[NOT_READ, "LV02"] == 1
    [change] = listed(room, job_id, old=NOT_READ)
    assert (numbers([change]), change.old) == ([2], None)


def test_a_change_that_a_person_has_decided_is_marked(room: Room) -> None:
    room.say(1, "LV02")
    room.say(4, "positive", facet="sentiment")

    found = listed(room, room.read("2"))

    assert {
        number: change.corrected for number, change in zip(numbers(found), found, strict=True)
    } == {
        4: False,
        3: False,
        1: True,
    }


def test_agreement_counts_what_people_corrected(room: Room) -> None:
    room.say(1, "LV02")
    room.say(2, "LV02")
    room.say(3, "LV09")
    room.say(4, "positive", facet="sentiment")
    job_id = room.read("2")

    assert agreed(room, job_id) == Agreement("civic_field", 3, n_old_right=1, n_new_right=2)
    assert agreed(room, job_id, facet="sentiment") == Agreement("sentiment", 1, 0, 0)
    assert agreed(room, job_id, facet="intent") == Agreement("intent", 0, 0, 0)


def test_a_doubt_is_no_none_of_these(room: Room) -> None:
    room.say(4, "-")
    room.models["3"] = Model(version="3", change=says_none())

    assert agreed(room, room.read("3")) == Agreement("civic_field", 1, 0, 1)


def test_agreement_is_the_same_when_the_run_is_promoted(room: Room) -> None:
    room.say(1, "LV02")
    job_id = room.read("2")
    before = agreed(room, job_id)

    room.put_on_top(job_id)

    assert agreed(room, job_id) == before


@pytest.mark.parametrize(
    ("newer", "code", "expected"),
    [(RENAMED, "LV30", (2, 1, 1)), (SPLIT, "LV31", (1, 0, 0))],
    ids=["renamed", "split"],
)
def test_agreement_carries_over_what_people_said(
    room: Room, newer: Taxonomy, code: str, expected: tuple[int, int, int]
) -> None:
    room.packs = packs_of([PACK, newer])
    room.say(1, "LV03")
    room.say(2, "LV05")
    room.models["3"] = Model(version="3", taxonomy=newer, change=says_field(code))

    assert agreed(room, room.read("3")) == Agreement("civic_field", *expected)


def test_of_a_taxonomy_that_is_gone_nothing_can_be_told(room: Room) -> None:
    room.say(1, "LV03")
    room.models["3"] = Model(version="3", taxonomy=RENAMED)

    assert agreed(room, room.read("3")) == Agreement("civic_field", 0, 0, 0)


def test_a_dry_run_lists_no_items(room: Room) -> None:
    with pytest.raises(Conflict, match="a dry run keeps no answers"):
        listed(room, room.read("2", dry_run=True))


def test_an_unknown_one_is_not_compared(room: Room) -> None:
    with pytest.raises(NotFound):
        compare(room.archive, "f" * 32)


def test_half_a_run_is_compared_as_far_as_it_is(room: Room) -> None:
    part = Part(room.context, room.order("2"))
    part.do((part.plan() or (0,))[0])

    assert sum(steps(room, part.job_id).values()) == 2
    assert reclassifying.look(room.archive, part.job_id).state == "running"


# Which label each run says of an item: nothing, a doubt, one label, another.
LABELS = [None, "abstain", "A", "B", "A B"]
ITEM = st.tuples(*[st.sampled_from(LABELS) for _ in range(4)])


@pytest.fixture(scope="module", params=BOTH)
def empty(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[sa.Engine]:
    """A store in which every example is rolled back."""
    url = address_of(request, tmp_path_factory.mktemp("diff"))
    if request.param == "postgresql":
        url = another_database(url, "diff")
    with fresh_store(url) as engine:
        yield engine


@given(st.lists(ITEM, max_size=8), st.booleans())
@tries(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counts_are_those_that_a_loop_would_find(
    empty: sa.Engine, rows: list[tuple[str | None, ...]], is_promoted: bool
) -> None:
    """`rows`: of each item what the first run, one promoted on it, the new one and a person say."""
    with empty.connect() as connection:  # nothing of it is kept
        write(connection, rows, is_promoted=is_promoted)

        found = transitions(connection, 3, facet="civic_field")

    expected = Counter(
        (primary(promoted or first), primary(new)) for first, promoted, new, _ in rows if new
    )
    assert {(step.old, step.new): step.n_items for step in found} == expected
    assert [step.n_items for step in found] == sorted(expected.values(), reverse=True)


def primary(label: str | None) -> str:
    return label.split()[0] if label else NOT_READ


def write(
    connection: sa.Connection, rows: list[tuple[str | None, ...]], *, is_promoted: bool
) -> None:
    kinds = ("intake", "reclassification", "reclassification", "human")
    words = ("model", "model_version", "model_sha256", "taxonomy", "taxonomy_version")
    run = dict.fromkeys((*words, "code_version", "made_by", "state"), "x")
    connection.execute(
        tables.runs.insert(),
        [
            {**run, "id": number, "kind": kind, "scope": {}, "created_at": NOON}
            for number, kind in enumerate(kinds, start=1)
        ],
    )
    ranks = {2: 1, 4: HUMAN_RANK} | ({3: 2} if is_promoted else {})
    connection.execute(
        tables.active_runs.insert(),
        [
            {"facet": "civic_field", "rank": rank, "run_id": run_id}
            for run_id, rank in ranks.items()
        ],
    )
    for seq, said in enumerate(rows, start=1):
        connection.execute(tables.items.insert(), item(seq, first=said[0]))
        for run_id, label in enumerate(said, start=1):
            if label is not None:
                answers = {"civic_field": answer(label)}
                connection.execute(
                    tables.answers.insert(), answer_row(answers, seq=seq, run_id=run_id)
                )


def answer(label: str) -> Answer:
    return Answer("abstain") if label == "abstain" else Answer("labelled", tuple(label.split()))


def item(seq: int, *, first: str | None) -> dict[str, object]:
    return {
        "seq": seq,
        "id": f"{seq:032x}",
        "intake": "opinion",
        "kind": "opinion",
        "text": "x",
        "text_sha256": "x",
        "media_type": "text/plain",
        "blocks": [],
        "issues": [],
        "places": [],
        "source": "demo",
        "external_id": str(seq),
        "received_at": NOON,
        "run_id": 1 if first else None,
    }

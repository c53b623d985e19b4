"""A person's word stands whatever models say, whatever the taxonomy becomes; nothing of it is ever lost."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from service import reviewing
from service.actions import Desk, open_item
from service.store import tables
from service.store.corrections import (
    UNCARRIED,
    Correction,
    Given,
    latest,
    read_layer,
    standing_words,
)
from service.store.dialect import writing
from service.store.errors import Conflict, NotFound
from service.store.retention import erase
from service.store.runs import packs_of
from service.store.views import Stored, read_item
from tests.service.rules import PACK
from tests.service.shelf import NOON, RENAMED, RULES, SPLIT, Shelf, as_it_is, says_field


def uncarried(shelf: Shelf) -> list[int]:
    """What waits for a person because its label has no place any more."""
    index = tables.label_index.c
    with shelf.engine.connect() as connection:
        layer = read_layer(connection)
        query = sa.select(index.seq).where(
            index.code == UNCARRIED, index.run_id == (layer.run_id if layer else 0)
        )
        seqs = set(connection.scalars(query))
    return [number for number in shelf.texts if shelf.seq(number) in seqs]


def test_a_corrected_item_is_found_under_its_new_label_and_not_under_the_old(shelf: Shelf) -> None:
    shelf.store("đường hỏng", "đường xấu")

    shelf.say(1, "LV02")

    assert (shelf.found("LV02"), shelf.found("LV03")) == ([1], [2])
    assert (shelf.field_of(1), shelf.field_of(2)) == ("LV02", "LV03")


def test_the_other_facets_stay_the_models(shelf: Shelf) -> None:
    shelf.store("đường hỏng")

    shelf.say(1, "LV02")
    shelf.say(1, "positive", facet="sentiment")

    assert shelf.field_of(1) == "LV02"
    assert shelf.field_of(1, facet="sentiment") == "positive"
    assert shelf.field_of(1, facet="intent") == "complaint"
    assert shelf.found("LV02") == [1]


def test_a_correction_of_an_area_is_found_by_the_area_above_it(shelf: Shelf) -> None:
    shelf.store("thủ tục hành chính")

    shelf.say(1, "DV2.3", facet="task_area")

    assert shelf.found("DV2", facet="task_area") == shelf.found("DV2.3", facet="task_area") == [1]
    assert shelf.found("DV3", facet="task_area") == []


def test_none_of_these_is_found_as_that_decision(shelf: Shelf) -> None:
    shelf.store("đường hỏng", "xin chào")

    shelf.say(1, "-")

    assert shelf.found("none_of_these") == [2, 1]
    assert shelf.found("LV03") == []


def test_the_newest_word_counts_whoever_says_it(shelf: Shelf) -> None:
    shelf.store("đường hỏng")

    shelf.say(1, "LV02", by="staff:lan")
    shelf.say(1, "LV04 LV05", by="staff:minh")

    assert shelf.field_of(1) == "LV04 LV05"
    assert (shelf.found("LV02"), shelf.found("LV05")) == ([], [1])


def test_a_word_taken_back_gives_the_item_back_to_the_model(shelf: Shelf) -> None:
    shelf.store("đường hỏng")
    shelf.say(1, "LV02")

    shelf.say(1, "undo")

    assert (shelf.field_of(1), shelf.found("LV03"), shelf.found("LV02")) == ("LV03", [1], [])


def test_taking_back_shows_what_was_said_before(shelf: Shelf) -> None:
    shelf.store("đường hỏng")
    for codes in ("LV02", "LV04", "undo"):
        shelf.say(1, codes)

    assert (shelf.field_of(1), shelf.found("LV02")) == ("LV02", [1])


def test_nobody_takes_back_anothers_word(shelf: Shelf) -> None:
    shelf.store("đường hỏng")
    shelf.say(1, "LV02", by="staff:lan")

    with pytest.raises(Conflict, match="no correction of yours"):
        shelf.say(1, "undo", by="staff:minh")

    assert shelf.field_of(1) == "LV02"


def test_taking_back_an_older_word_leaves_the_newer_one(shelf: Shelf) -> None:
    shelf.store("đường hỏng")
    shelf.say(1, "LV02", by="staff:lan")
    shelf.say(1, "LV04", by="staff:minh")

    shelf.say(1, "undo", by="staff:lan")

    assert shelf.field_of(1) == "LV04"


def test_the_whole_analysis_shows_the_correction_with_the_evidence_of_the_same_label(
    shelf: Shelf,
) -> None:
    shelf.store("đường hỏng")
    shelf.say(1, "LV02 LV03")

    stored = read_item(shelf.engine, f"{1:032x}")

    assert stored is not None
    assert stored.analysis["civic_field"]["primary"] == "LV02"
    assert stored.analysis["civic_field"]["labels"] == [
        {"code": "LV02", "probability": 1.0, "evidence": []},
        {"code": "LV03", "probability": 1.0, "evidence": [{"start": 0, "end": 5}]},
    ]
    assert [said.codes for said in stored.corrections] == [("LV02", "LV03")]


def test_the_models_view_shows_no_correction(shelf: Shelf) -> None:
    shelf.store("đường hỏng")
    shelf.say(1, "LV02")

    stored = read_item(shelf.engine, f"{1:032x}", corrected=False)

    assert stored is not None
    assert stored.analysis["civic_field"]["primary"] == "LV03"
    assert stored.corrections == ()


def test_a_correction_stands_over_every_run_before_and_after(shelf: Shelf) -> None:
    shelf.store("đường hỏng", "đường xấu")
    first, second = (shelf.read_again(says_field(f"LV0{n}"), version=str(n)) for n in (4, 5))
    shelf.promote(first)
    shelf.say(1, "LV02")

    shelf.promote(second)

    assert (shelf.field_of(1), shelf.field_of(2)) == ("LV02", "LV05")
    shelf.roll_back(second)
    assert (shelf.field_of(1), shelf.field_of(2)) == ("LV02", "LV04")
    shelf.roll_back(first)
    assert (shelf.field_of(1), shelf.field_of(2)) == ("LV02", "LV03")


def test_a_word_said_between_promotion_and_rollback_stands_after_it(shelf: Shelf) -> None:
    shelf.store("đường hỏng")
    run_id = shelf.read_again(says_field("LV04"))
    shelf.promote(run_id)

    shelf.say(1, "LV02")
    shelf.roll_back(run_id)

    assert shelf.field_of(1) == "LV02"


def test_a_renamed_label_is_carried_forward_and_back(shelf: Shelf) -> None:
    shelf.packs = packs_of([PACK, RENAMED])
    shelf.store("rác", "rác")
    shelf.say(1, "LV03 LV05")
    run_id = shelf.read_again(says_field("LV30"), taxonomy=RENAMED)

    shelf.promote(run_id)

    assert (shelf.field_of(1), shelf.field_of(2)) == ("LV30 LV05", "LV30")
    assert (shelf.found("LV30"), shelf.found("LV03")) == ([2, 1], [])
    shelf.roll_back(run_id)
    assert (shelf.field_of(1), shelf.field_of(2)) == ("LV03 LV05", "LV02")
    assert (shelf.found("LV03"), shelf.found("LV30")) == ([1], [])


def test_a_word_under_the_new_taxonomy_is_carried_back(shelf: Shelf) -> None:
    shelf.packs = packs_of([PACK, RENAMED])
    shelf.store("rác")
    shelf.say(1, "LV05")
    run_id = shelf.read_again(says_field("LV02"), taxonomy=RENAMED)
    shelf.promote(run_id)
    shelf.say(1, "LV30")

    shelf.roll_back(run_id)

    assert (shelf.field_of(1), uncarried(shelf)) == ("LV03", [])


def test_a_split_label_goes_to_review_and_shows_the_model(shelf: Shelf) -> None:
    shelf.packs = packs_of([PACK, SPLIT])
    shelf.store("rác", "rác", "rác")
    shelf.say(1, "LV03")
    shelf.say(2, "LV05")
    shelf.say(3, "-")
    run_id = shelf.read_again(says_field("LV31"), taxonomy=SPLIT)

    shelf.promote(run_id)

    assert [shelf.field_of(n) for n in (1, 2, 3)] == ["LV31", "LV05", "none_of_these"]
    assert uncarried(shelf) == [1]
    shelf.roll_back(run_id)
    assert (shelf.field_of(1), uncarried(shelf)) == ("LV03", [])


def test_answering_a_split_label_anew_ends_its_review(shelf: Shelf) -> None:
    shelf.packs = packs_of([PACK, SPLIT])
    shelf.store("rác")
    shelf.say(1, "LV03")
    shelf.say(1, "positive", facet="sentiment")
    shelf.promote(shelf.read_again(says_field("LV31"), taxonomy=SPLIT))
    assert uncarried(shelf) == [1]

    shelf.say(1, "neutral", facet="sentiment")
    assert uncarried(shelf) == [1]
    shelf.say(1, "LV32")

    assert (shelf.field_of(1), uncarried(shelf)) == ("LV32", [])
    assert shelf.field_of(1, facet="sentiment") == "neutral"


def test_taking_back_to_a_word_that_cannot_be_carried_goes_to_review(shelf: Shelf) -> None:
    shelf.packs = packs_of([PACK, SPLIT])
    shelf.store("rác")
    shelf.say(1, "LV03")
    shelf.promote(shelf.read_again(says_field("LV31"), taxonomy=SPLIT))
    shelf.say(1, "LV32")

    shelf.say(1, "undo")

    assert (shelf.field_of(1), uncarried(shelf)) == ("LV31", [1])


def test_a_run_of_a_pack_that_is_not_at_hand_is_not_promoted_over_corrections(shelf: Shelf) -> None:
    shelf.store("rác")
    shelf.say(1, "LV03")
    run_id = shelf.read_again(says_field("LV30"), taxonomy=RENAMED)

    with pytest.raises(Conflict, match=r"ct07 1\.1\.0 is not at hand"):
        shelf.promote(run_id)

    assert shelf.field_of(1) == "LV03"


def test_without_corrections_no_layer_is_laid(shelf: Shelf) -> None:
    shelf.packs = packs_of([PACK, RENAMED])
    shelf.store("rác")

    shelf.promote(shelf.read_again(says_field("LV30"), taxonomy=RENAMED))

    with shelf.engine.connect() as connection:
        assert read_layer(connection) is None


def test_many_items_with_several_facets_are_all_carried(shelf: Shelf) -> None:
    shelf.packs = packs_of([PACK, RENAMED])
    n = 1_100  # more than two batches
    shelf.store(*(f"rác số {i}" for i in range(n)))
    first = shelf.seq(1)
    with shelf.engine.begin() as connection:
        row = {
            "decision": "labelled",
            "taxonomy": "ct07",
            "taxonomy_version": "1.0.0",
            "made_by": "staff:lan",
            "made_at": NOON,
        }
        said = (("civic_field", "LV03"), ("sentiment", "positive"))
        rows = [
            row | {"seq": first + i, "facet": facet, "codes": [code]}
            for i in range(n)
            for facet, code in said
        ]
        connection.execute(tables.corrections.insert(), rows)
    shelf.say(n, "positive", facet="sentiment")

    shelf.promote(shelf.read_again(says_field("LV02"), taxonomy=RENAMED, only=1))

    answers = tables.answers.c
    with shelf.engine.connect() as connection:
        layer = read_layer(connection)
        assert layer is not None
        query = sa.select(answers.civic_field_codes, answers.sentiment_codes, sa.func.count())
        mine = query.where(answers.run_id == layer.run_id)
        found = connection.execute(mine.group_by(*query.selected_columns[:2])).all()
    assert [tuple(row) for row in found] == [("LV30", "positive", n)]


def test_words_said_at_once_about_facets_of_one_item_are_all_kept(shelf: Shelf) -> None:
    shelf.store("đường hỏng")
    words = [("LV02", "civic_field"), ("positive", "sentiment"), ("praise", "intent")]
    words += [("DV3.8", "task_area")]

    with ThreadPoolExecutor(len(words)) as pool:
        said = [pool.submit(shelf.say, 1, codes, facet=facet) for codes, facet in words]
    for one in said:
        one.result()

    assert [shelf.field_of(1, facet=facet) for _, facet in words] == [c for c, _ in words]
    runs = tables.runs.c
    with shelf.engine.connect() as connection:
        layers = connection.scalars(sa.select(runs.id).where(runs.kind == "human")).all()
    assert len(layers) == 1


def test_words_said_while_a_run_is_promoted_are_all_kept(shelf: Shelf) -> None:
    shelf.packs = packs_of([PACK, RENAMED])
    numbers = range(1, 13)
    shelf.store(*("rác" for _ in numbers))
    shelf.say(1, "LV05")
    run_id = shelf.read_again(says_field("LV02"), taxonomy=RENAMED)

    with ThreadPoolExecutor(4) as pool:
        said = [pool.submit(shelf.say, number, "LV05") for number in numbers]
        said.append(pool.submit(shelf.promote, run_id))
    for one in said:
        one.result()

    assert {shelf.field_of(number) for number in numbers} == {"LV05"}


def test_an_erased_item_takes_its_corrections_with_it(shelf: Shelf) -> None:
    shelf.store("rác", "rác")
    shelf.say(1, "LV03")
    shelf.say(2, "LV05")

    erased = shelf.seq(1)
    with writing(shelf.engine) as connection:
        erase(connection, [erased])

    with shelf.engine.connect() as connection:
        kept = [words for words in latest(connection) if words]
        layer = read_layer(connection)
        assert layer is not None
        index = tables.label_index.c
        left = connection.scalars(sa.select(index.seq).where(index.run_id == layer.run_id)).all()
    assert [words[0].codes for words in kept] == [("LV05",)]
    assert erased not in left


def test_an_item_erased_after_it_was_opened_is_not_corrected(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.store("rác")

    def open_and_erase(desk: Desk, item_id: str) -> Stored:
        opened = open_item(desk, item_id)
        with writing(desk.engine) as connection:
            erase(connection, [opened.seq])
        return opened

    monkeypatch.setattr(reviewing, "open_item", open_and_erase)

    with pytest.raises(NotFound):
        shelf.say(1, "LV05")

    with shelf.engine.connect() as connection:
        assert list(latest(connection)) == []


def word(decision: Given, by: str, code: str = "LV01") -> Correction:
    codes = (code,) if decision == "labelled" else ()
    return Correction(1, "civic_field", decision, codes, "ct07", "1.0.0", by, NOON)


@given(
    st.lists(
        st.builds(
            word,
            st.sampled_from(["labelled", "none_of_these", "withdrawn"]),
            st.sampled_from(["staff:lan", "staff:minh"]),
            st.sampled_from(["LV01", "LV02"]),
        ),
        max_size=12,
    )
)
def test_what_stands_of_a_person_is_what_that_person_alone_would_leave(
    log: list[Correction],
) -> None:
    standing = standing_words(log)

    for name in ("staff:lan", "staff:minh"):
        alone = standing_words([said for said in log if said.made_by == name])
        assert [said for said in standing if said.made_by == name] == list(alone)
        depth = 0
        for said in log:
            if said.made_by == name:
                depth = max(0, depth - 1) if said.decision == "withdrawn" else depth + 1
        assert len(alone) == depth


def test_a_newer_intake_model_does_not_hide_a_correction(shelf: Shelf) -> None:
    shelf.store("đường hỏng")
    shelf.say(1, "LV02")

    shelf.store("đường xấu", provenance=replace(RULES, model_version="2"), change=as_it_is)

    assert (shelf.field_of(1), shelf.field_of(2)) == ("LV02", "LV03")

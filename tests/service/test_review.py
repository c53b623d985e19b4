"""What to look at next: the most useful first, nothing twice, nothing that the reader has answered."""

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from nlp.types import Analysis, AssignedLabel, CategoryResult, Guess, Span
from service.review_queue import Entry, next_to_review, one_of_each, use_of
from service.store import review
from service.store.records import Answer
from service.store.review import READ_TWICE, Candidate, Reason, Wanted
from service.store.runs import packs_of
from service.store.tables import FACETS
from tests.service.rules import PACK
from tests.service.shelf import SPLIT, Shelf, says_field

FIELD = ("civic_field",)
SURE = "đường hỏng"  # the rules assert its field with 0.91, its sentiment with 0.8


def queue(
    shelf: Shelf,
    *,
    by: str = "staff:lan",
    facets: tuple[str, ...] = FIELD,
    kind: str | None = None,
    source: str | None = None,
    limit: int = 20,
    turn: int = 0,
) -> list[Entry]:
    wanted = Wanted(by, facets, kind, source, turn)
    return list(next_to_review(shelf.desk, wanted, limit=limit))


def numbers(entries: list[Entry]) -> list[int]:
    return [int(entry.id, 16) for entry in entries]


WORDS = (
    "nước yếu",
    "đèn tắt",
    "chợ ồn",
    "vỉa hè bẩn",
    "bụi quá",
    "cây đổ",
    "trường xa",
    "thuế cao",
)


def test_an_abstention_is_shown_with_the_guess(shelf: Shelf) -> None:
    shelf.store(SURE)
    shelf.store("nước yếu", change=says_field(None, probability=0.3))

    [entry] = queue(shelf)

    assert (int(entry.id, 16), entry.kind, entry.excerpt) == (2, "opinion", "nước yếu")
    assert (entry.facet, entry.reasons, entry.n_similar) == ("civic_field", ("abstained",), 0)
    assert (entry.model.decision, entry.model.guess, entry.model.probability) == (
        "abstain",
        "LV02",
        0.3,
    )
    assert (entry.model.labels, entry.other, entry.earlier) == ((), None, None)


def test_a_close_call_is_shown_with_its_evidence(shelf: Shelf) -> None:
    label = AssignedLabel("LV02", 0.55, (Span(0, 4),))

    def unsure(analysis: Analysis) -> Analysis:
        verdict = CategoryResult("labelled", "LV02", Guess("LV02", 0.55), (label,))
        return replace(analysis, civic_field=verdict)

    shelf.store("nước yếu", change=unsure)

    [entry] = queue(shelf)

    assert entry.reasons == ("unsure",)
    assert entry.model.labels == (
        {"code": "LV02", "probability": 0.55, "evidence": [{"start": 0, "end": 4}]},
    )


def test_the_least_sure_comes_first(shelf: Shelf) -> None:
    for text, probability in zip(WORDS, (0.5, 0.2, 0.4, 0.3), strict=False):
        shelf.store(text, change=says_field(None, probability=probability))

    assert numbers(queue(shelf)) == [2, 4, 3, 1]
    assert numbers(queue(shelf, limit=2)) == [2, 4]


def test_of_equals_the_newest_comes_first(shelf: Shelf) -> None:
    shelf.store(*WORDS[:3], change=says_field(None))

    assert numbers(queue(shelf)) == [3, 2, 1]


def test_an_answered_item_leaves_the_queue_and_comes_back_when_the_word_is_taken_back(
    shelf: Shelf,
) -> None:
    shelf.store("nước yếu", change=says_field(None))

    shelf.say(1, "LV02")
    assert queue(shelf) == queue(shelf, by="staff:minh") == []
    shelf.say(1, "undo")

    assert numbers(queue(shelf)) == [1]


def test_each_facet_stands_for_itself(shelf: Shelf) -> None:
    shelf.store("nước yếu")
    shelf.say(1, "LV02")

    left = queue(shelf, facets=FACETS)

    assert {entry.facet for entry in left} == {"task_area", "sentiment"}


def test_filters_choose_by_kind_and_source(shelf: Shelf) -> None:
    shelf.store("nước yếu", change=says_field(None))

    assert numbers(queue(shelf, kind="opinion", source="demo")) == [1]
    assert queue(shelf, kind="official") == queue(shelf, source="web_upload") == []


def test_a_run_that_is_not_promoted_and_disagrees_is_shown_with_its_answer(shelf: Shelf) -> None:
    shelf.store(SURE, "rác nhiều")
    shelf.read_again(says_field("LV03"))

    [entry] = queue(shelf)

    assert (int(entry.id, 16), entry.reasons) == (2, ("runs_disagree",))
    assert [label["code"] for label in entry.model.labels] == ["LV02"]
    assert entry.other == Answer("labelled", ("LV03",), "LV03", 0.91)


def test_only_the_newest_complete_run_that_is_not_promoted_is_asked(shelf: Shelf) -> None:
    shelf.store(SURE)
    shelf.read_again(says_field("LV05"), version="2")
    promoted = shelf.read_again(says_field("LV03"), version="3")
    assert queue(shelf) == []

    shelf.promote(promoted)

    assert [entry.other and entry.other.codes for entry in queue(shelf)] == [("LV05",)]


def test_disagreement_about_old_items_comes_up_too(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review, "_COMPARED", 6)
    shelf.store(*(f"rác {i} {word}" for i in range(3) for word in WORDS))
    shelf.read_again(says_field("LV03"))

    seen = {number for turn in range(100) for number in numbers(queue(shelf, turn=turn))}

    assert seen == set(shelf.texts)


def test_what_a_person_answered_is_no_disagreement_of_models(shelf: Shelf) -> None:
    shelf.store("rác nhiều")
    shelf.read_again(says_field("LV03"))
    shelf.say(1, "LV05")

    assert queue(shelf) == []


def test_a_word_lost_to_a_split_comes_first_even_for_who_said_it(shelf: Shelf) -> None:
    shelf.packs = packs_of([PACK, SPLIT])
    shelf.store("rác nhiều")
    shelf.store("nước yếu", change=says_field(None, probability=0.1))
    shelf.say(1, "LV03", by="staff:lan")
    shelf.promote(shelf.read_again(says_field("LV31"), taxonomy=SPLIT, only=1))

    first, second = queue(shelf, by="staff:lan")

    assert (int(first.id, 16), first.reasons, first.use) == (1, ("migration",), 1.0)
    assert first.earlier is not None
    assert (first.earlier.codes, first.earlier.taxonomy_version) == (("LV03",), "1.0.0")
    assert int(second.id, 16) == 2
    shelf.say(1, "LV32")
    assert numbers(queue(shelf, by="staff:lan")) == [2]


def read_twice(shelf: Shelf) -> int:
    """The number of an item that a second person reads."""
    shelf.store(*(f"đường {word}" for word in WORDS), *WORDS)
    return next(number for number in shelf.texts if shelf.seq(number) % READ_TWICE == 0)


def test_one_corrected_item_in_ten_is_read_by_a_second_person_who_does_not_see_the_first(
    shelf: Shelf,
) -> None:
    number = read_twice(shelf)
    for other in shelf.texts:
        shelf.say(other, "LV05", by="staff:lan")

    [entry] = queue(shelf, by="staff:minh")

    assert (int(entry.id, 16), entry.reasons) == (number, ("second_reading",))
    assert "LV05" not in repr(entry)
    assert queue(shelf, by="staff:lan") == []


def test_a_second_reading_ends_when_a_second_person_has_answered(shelf: Shelf) -> None:
    number = read_twice(shelf)
    shelf.say(number, "LV05", by="staff:lan")
    shelf.say(number, "LV05", by="staff:minh")

    readers = ("staff:lan", "staff:minh", "staff:hoa")
    mine = [entry for by in readers for entry in queue(shelf, by=by)]

    assert number not in numbers(mine)


def test_who_took_a_word_back_may_read_again(shelf: Shelf) -> None:
    number = read_twice(shelf)
    shelf.say(number, "LV05", by="staff:lan")
    shelf.say(number, "LV04", by="staff:minh")
    shelf.say(number, "undo", by="staff:minh")

    mine = {int(e.id, 16): e.reasons for e in queue(shelf, by="staff:minh")}

    assert "second_reading" in mine[number]


def test_nearly_the_same_texts_stand_there_once(shelf: Shelf) -> None:
    text = "đèn đường trước trạm y tế phường tắt cả tuần nay mà gọi mãi không ai sửa"
    texts = (text, text.replace("tuần", "tháng"), text.upper() + "!!!", "nước yếu")
    shelf.store(*texts, change=says_field(None))

    entries = queue(shelf)

    assert [(int(e.id, 16), e.n_similar) for e in entries] == [(4, 0), (3, 2)]


def test_nothing_old_is_out_of_reach_for_good(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review, "_NEWEST", (2, 3))
    monkeypatch.setattr(review, "_FURTHER", (2, 2))
    shelf.store(*(f"{i} {word}" for i in range(5) for word in WORDS), change=says_field(None))
    n_rows = len(shelf.texts)

    answered = []
    for turn in range(4 * n_rows):
        for number in numbers(queue(shelf, turn=turn)):
            shelf.say(number, "LV02")
            answered.append(number)

    assert sorted(answered) == list(range(1, n_rows + 1))


def doubt(
    probability: float, *codes: str, reason: Reason = "abstained", other: str = ""
) -> Candidate:
    said = Answer("labelled" if codes else "abstain", codes, "LV01", probability)
    another = Answer("labelled", tuple(other.split())) if other else None
    reasons: tuple[Reason, ...] = (reason, "runs_disagree") if other else (reason,)
    return Candidate(1, "civic_field", "opinion", 1, said, reasons, another)


def use(candidate: Candidate, *labels: float, facet: str = "civic_field") -> float:
    rows = [{"code": "x", "probability": probability} for probability in labels]
    return use_of(candidate, facet=PACK.facets[facet], labels=rows)


def test_of_labels_that_exclude_each_other_the_best_of_n_is_weighed_against_chance() -> None:
    assert use(doubt(1 / 18)) == pytest.approx(0.8)
    assert use(doubt(1.0)) == 0
    assert use(doubt(0.5)) == pytest.approx(0.8 * 0.5 * 18 / 17, abs=1e-3)


def test_of_independent_labels_even_odds_are_the_greatest_doubt() -> None:
    assert use(doubt(0.5), facet="task_area") == pytest.approx(0.8)
    assert use(doubt(0.2), facet="task_area") == use(doubt(0.8), facet="task_area")


def test_of_two_asserted_labels_the_margin_counts() -> None:
    narrow = use(doubt(0.5, "LV01", "LV02", reason="unsure"), 0.45, 0.5)

    assert narrow == pytest.approx(0.8 * 0.95, abs=1e-3)


def test_reasons_add_up_and_never_pass_one() -> None:
    alone, both = use(doubt(0.5)), use(doubt(0.5, other="LV02"))

    assert alone < both <= 1
    assert both == pytest.approx(1 - (1 - alone) * (1 - 0.9), abs=1e-3)


def test_the_more_labels_two_models_share_the_less_they_disagree() -> None:
    apart = use(doubt(1.0, "LV01", other="LV02"))
    overlapping = use(doubt(1.0, "LV01", other="LV01 LV02"))

    assert (apart, overlapping) == (0.9, 0.45)


texts = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.lists(st.sampled_from(["đường", "hỏng", "rác", "nước", "đèn"]), max_size=6).map(
            " ".join
        ),
    ),
    max_size=20,
)


@given(texts, st.integers(min_value=1, max_value=25))
def test_each_text_is_chosen_or_stood_for_at_most_once(
    pairs: list[tuple[str, str]], n: int
) -> None:
    chosen = one_of_each(pairs, n=n)

    assert len(chosen) <= n
    assert list(chosen) == sorted(chosen)
    assert len(chosen) + sum(chosen.values()) <= len(pairs)
    if len(chosen) < n:
        assert len(chosen) + sum(chosen.values()) == len(pairs)
    spoken = [pairs[place] for place in chosen if pairs[place][1]]
    assert len(set(spoken)) == len(spoken)


def test_the_same_text_in_two_facets_is_asked_about_twice() -> None:
    assert one_of_each([("a", "rác ùn ở chợ"), ("b", "rác ùn ở chợ")], n=5) == {0: 0, 1: 0}


def test_texts_that_share_a_few_words_are_different() -> None:
    pair = [("a", "rác ùn ở chợ đã ba hôm"), ("a", "rác ùn ở chợ do ai đổ thế")]

    assert one_of_each(pair, n=5) == {0: 0, 1: 0}


def test_the_route_shows_entries_as_described(client: TestClient) -> None:
    rows = [{"source": "demo", "external_id": str(i), "text": t} for i, t in enumerate(WORDS)]
    client.post("/v1/opinions", json=rows)

    every = client.get("/v1/review").json()["entries"]
    some = client.get("/v1/review?facet=civic_field&kind=opinion&source=demo&limit=3").json()

    assert {entry["facet"] for entry in every} == {"task_area", "civic_field", "sentiment"}
    assert [entry["reasons"] for entry in some["entries"]] == [["abstained"]] * 3
    assert set(some["entries"][0]) == {
        "id",
        "kind",
        "excerpt",
        "facet",
        "reasons",
        "use",
        "n_similar",
        "model",
        "other",
        "earlier",
    }


@pytest.mark.parametrize("query", ["facet=tone", "kind=unknown", "limit=0", "limit=101", "x=1"])
def test_a_wrong_filter_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/v1/review?{query}").status_code == 422

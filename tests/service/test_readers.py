"""How far people agree: with each other and with the model, and never a figure of one person."""

from dataclasses import asdict

from fastapi.testclient import TestClient

from service.readers import AgainstModel, FacetAgreement, agreement_of
from service.store.runs import packs_of
from tests.service.rules import PACK
from tests.service.shelf import RENAMED, SPLIT, Shelf, says_field


def of_fields(shelf: Shelf) -> FacetAgreement:
    found = {one.facet: one for one in agreement_of(shelf.desk)}
    assert list(found) == ["task_area", "civic_field", "sentiment", "intent"]
    return found["civic_field"]


def test_before_the_first_correction_there_is_nothing_to_tell(shelf: Shelf) -> None:
    shelf.store("đường hỏng")

    assert of_fields(shelf) == FacetAgreement("civic_field", None, ())


def test_readers_are_compared_over_the_items_that_two_have_answered(shelf: Shelf) -> None:
    shelf.store(*(f"đường {i}" for i in range(5)))
    a, b = "LV02", "LV04"
    for number, (lan, minh) in enumerate(((a, a), (b, b), (a, b), (b, b)), start=1):
        shelf.say(number, lan, by="staff:lan")
        shelf.say(number, minh, by="staff:minh")
    shelf.say(5, "LV02", by="staff:lan")

    between = of_fields(shelf).between_readers

    assert between is not None
    # Krippendorff 2011: 1 - (n - 1) * o_AB / (n_A * n_B) with n = 8, o_AB = 1, n_A = 3, n_B = 5
    assert (between.n, between.same, between.alpha) == (4, 0.75, round(1 - 7 / 15, 3))
    assert between.low <= between.alpha <= between.high <= 1


def test_a_readers_last_word_counts_and_one_taken_back_does_not(shelf: Shelf) -> None:
    shelf.store("đường hỏng", "đường xấu")
    for codes in ("LV04", "LV02"):
        shelf.say(1, codes, by="staff:lan")
    shelf.say(1, "LV02", by="staff:minh")
    shelf.say(2, "LV02", by="staff:lan")
    shelf.say(2, "LV04", by="staff:minh")
    shelf.say(2, "undo", by="staff:minh")

    between = of_fields(shelf).between_readers

    assert between is not None
    assert (between.n, between.same) == (1, 1.0)


def test_words_under_two_versions_of_the_taxonomy_are_compared_under_the_newer(
    shelf: Shelf,
) -> None:
    shelf.packs = packs_of([PACK, RENAMED])
    shelf.store("rác")
    shelf.say(1, "LV03", by="staff:lan")
    shelf.promote(shelf.read_again(says_field("LV02"), taxonomy=RENAMED))
    shelf.say(1, "LV30", by="staff:minh")

    between = of_fields(shelf).between_readers

    assert between is not None
    assert (between.n, between.same) == (1, 1.0)


def test_words_that_have_no_place_any_more_are_left_out(shelf: Shelf) -> None:
    shelf.packs = packs_of([PACK, SPLIT])
    shelf.store("rác")
    shelf.say(1, "LV03", by="staff:lan")
    shelf.promote(shelf.read_again(says_field("LV31"), taxonomy=SPLIT))
    shelf.say(1, "LV32", by="staff:minh")

    assert of_fields(shelf).between_readers is None


def test_people_are_counted_against_the_model_by_its_label(shelf: Shelf) -> None:
    shelf.store("đường 1", "đường 2", "đường 3", "rác", "xin chào 1", "xin chào 2", "nước yếu")
    words = ("LV03", "LV03", "LV02", "LV02", "-", "LV05", "LV05")
    for number, codes in enumerate(words, start=1):
        shelf.say(number, codes, by=("staff:lan", "staff:minh")[number % 2])

    assert of_fields(shelf).against_model == (
        AgainstModel("LV03", n_confirmed=2, n_corrected=1),
        AgainstModel("none_of_these", n_confirmed=1, n_corrected=1),
    )


def test_of_two_words_the_one_that_counts_is_held_against_the_model(shelf: Shelf) -> None:
    shelf.store("đường 1", "đường 2")
    shelf.say(1, "LV02", by="staff:lan")
    shelf.say(1, "LV03", by="staff:minh")
    shelf.say(2, "LV03", by="staff:lan")

    assert of_fields(shelf).against_model == (AgainstModel("LV03", 2, 0),)


def test_the_model_is_asked_as_it_answers_now(shelf: Shelf) -> None:
    shelf.store("đường 1", "đường 2")
    shelf.say(1, "LV02", by="staff:lan")
    shelf.say(2, "LV02", by="staff:minh")

    shelf.promote(shelf.read_again(says_field("LV02")))

    assert of_fields(shelf).against_model == (AgainstModel("LV02", 2, 0),)


def test_nothing_is_told_of_one_person_alone(shelf: Shelf) -> None:
    shelf.store("đường 1", "đường 2", "rác")
    shelf.say(1, "LV02", by="staff:lan")
    shelf.say(2, "LV02", by="staff:lan")
    shelf.say(3, "LV02", by="staff:minh")

    found = [asdict(one) for one in agreement_of(shelf.desk)]

    assert all(one["between_readers"] is None for one in found)
    assert all(one["against_model"] == () for one in found)


def test_no_name_of_a_reader_is_told(shelf: Shelf) -> None:
    shelf.store("đường 1", "đường 2")
    names = ("staff:lan", "key:0a1b2c3d")
    for number, order in ((1, names), (2, names[::-1])):
        for by in order:
            shelf.say(number, ("LV03", "LV02")[number - 1], by=by)

    told = repr(agreement_of(shelf.desk))

    assert "n_confirmed=1" in told
    assert "lan" not in told
    assert "0a1b2c3d" not in told


def test_the_route_answers_by_facet(client: TestClient) -> None:
    answer = client.get("/v1/review/agreement")

    assert answer.status_code == 200
    assert [one["facet"] for one in answer.json()["facets"]] == [
        "task_area",
        "civic_field",
        "sentiment",
        "intent",
    ]

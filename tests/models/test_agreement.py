"""Agreement, on answers small enough to count by hand."""

import pytest

from models.agreement import agreement, alpha, is_clear, masi_distance, reliability
from models.corpus import Example
from models.heads import questions_of
from nlp.taxonomy import Taxonomy


def sets(*answers: str) -> list[frozenset[str]]:
    return [frozenset(answer.split()) for answer in answers]


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("a", "a", 0),
        ("", "", 0),
        ("a", "b", 1),
        ("a", "", 1),
        ("a b", "a", 2 / 3),
        ("a b", "b c", 8 / 9),
    ],
)
def test_masi_weighs_overlap_by_its_kind(one: str, other: str, distance: float) -> None:
    [first, second] = sets(one, other)

    assert masi_distance(first, second) == pytest.approx(distance)
    assert masi_distance(second, first) == pytest.approx(distance)


def test_alpha_of_single_labels_is_the_nominal_one() -> None:
    # Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, example B: binary data
    first = sets(*["0", "1", "0", "0", "0", "0", "0", "0", "1", "0"])
    second = sets(*["1", "1", "1", "0", "0", "1", "0", "0", "0", "0"])

    assert alpha(first, second) == pytest.approx(0.095, abs=5e-4)


def test_alpha_is_one_for_equal_answers() -> None:
    assert alpha(sets("a", "b", "a c"), sets("a", "b", "a c")) == pytest.approx(1)
    assert alpha(sets("a", "a"), sets("a", "a")) == 1


# Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, example C: four readers, some missing
FOUR_READERS = (
    *("1 1 1", "2 2 3 2", "3 3 3 3", "3 3 3 3", "2 2 2 2", "1 2 3 4", "4 4 4 4", "1 1 2 1"),
    *("2 2 2 2", "5 5 5", "1 1"),
)


def test_readers_may_be_any_number_a_text() -> None:
    units = [sets(*answers.split()) for answers in FOUR_READERS]

    found = reliability(units)

    assert found.n == 11
    assert found.alpha == 0.743
    pairs = [6 / 6, 3 / 6, 1, 1, 1, 0, 1, 3 / 6, 1, 1, 1]
    assert found.same == round(sum(pairs) / len(pairs), 3)
    assert found.low < found.alpha < found.high <= 1


def test_the_interval_is_the_same_every_time_and_narrows_with_more_texts() -> None:
    units = [sets("a", "a"), sets("b", "b"), sets("a", "b"), sets("b c", "b")]

    few, again, many = reliability(units), reliability(units), reliability(units * 50)

    assert few == again
    assert many.high - many.low < few.high - few.low


def test_readers_who_always_say_the_same_agree_fully() -> None:
    found = reliability([sets("a", "a"), sets("a", "a", "a")])

    assert (found.same, found.alpha, found.low, found.high) == (1, 1, 1, 1)


def opinion(text: str, field: str, sentiment: str = "negative") -> Example:
    return Example(
        text,
        "opinion",
        civic_field=tuple(field.split()),
        sentiment=sentiment,  # type: ignore[arg-type] # one of the three
        intent="other",
    )


def test_only_texts_with_both_labels_count(pack: Taxonomy) -> None:
    first = [opinion("một", "LV01"), opinion("hai", "LV02"), opinion("ba", "LV03")]
    second = {e.sha256: e for e in (opinion("một", "LV01"), opinion("hai", "LV09", "neutral"))}

    report = agreement(first, second, taxonomy=pack)

    assert set(report) == {"civic_field", "task_area_opinion", "sentiment", "intent"}
    assert report["civic_field"]["n"] == 2
    assert report["civic_field"]["same"] == 0.5
    assert report["intent"] == {"n": 2, "same": 1.0, "alpha": 1.0}


def test_a_text_is_clear_by_its_main_label(pack: Taxonomy) -> None:
    fields = next(q for q in questions_of(pack) if q.name == "civic_field")

    assert is_clear(fields, opinion("a", "LV10 LV11"), opinion("a", "LV10"))
    assert not is_clear(fields, opinion("a", "LV10 LV11"), opinion("a", "LV11 LV10"))

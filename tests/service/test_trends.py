"""What is counted, on both databases."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from models.reference import Confusion
from nlp.errors import InputError
from service.monitor.dimensions import Name
from service.monitor.periods import Period, cut, this_monday
from service.monitor.told import Figure, Trend, Trends
from service.monitor.trends import Question, find_trends
from service.store.query import LabelFilter, Query
from service.store.views import list_items
from tests.service.heard import LEXICON, MONDAY, Heard, add_traits, keep
from tests.service.shelf import Shelf, says_field

FORTNIGHT = Period(MONDAY, MONDAY + timedelta(days=14))
NEXT_WEEK = MONDAY + timedelta(days=7)


def ask(engine: sa.Engine, by: Name, then: Name | None = None, **more: object) -> Trends:
    query = Query(kind="opinion", day_from=FORTNIGHT.day_from, day_to=FORTNIGHT.day_to)
    question = Question(query, FORTNIGHT, by, 10, then)
    return find_trends(
        engine,
        replace(question, **more),  # type: ignore[arg-type] # names of the question's own
        lexicon=LEXICON,
        confusions={},
    )


def told(answer: Trends) -> dict[str, int]:
    """The groups that are told."""
    return {own.code: own.figure.count for own in answer.groups if own.figure.count is not None}


def group(answer: Trends, code: str) -> Trend:
    [found] = [own for own in answer.groups if own.code == code]
    return found


def test_each_group_is_told_in_each_week_and_over_all(engine: sa.Engine) -> None:
    keep(engine, [Heard()] * 21 + [Heard(day=NEXT_WEEK)] * 33 + [Heard(fields=("LV02",))] * 9)

    answer = ask(engine, "civic_field")

    roads = group(answer, "LV03")
    assert roads.name == "Giao thông, đường sá, vận tải"
    assert roads.figure.count == 50
    assert [point.figure.count for point in roads.points] == [20, 30]
    assert group(answer, "LV02").figure == Figure(None, suppressed=True)
    assert (answer.total.count, answer.sample.n) == (60, 60)


def test_what_says_the_same_again_counts_once_and_is_shown(engine: sa.Engine) -> None:
    keep(engine, [Heard()] * 20 + [Heard(again_of=1)] * 31)

    figure = group(ask(engine, "civic_field"), "LV03").figure

    assert (figure.count, figure.reposts) == (20, 30)


def test_an_opinion_of_two_fields_counts_in_each(engine: sa.Engine) -> None:
    keep(engine, [Heard(fields=("LV03", "LV02"))] * 20)

    answer = ask(engine, "civic_field")

    assert told(answer) == {"LV02": 20, "LV03": 20}
    assert answer.total.count == 20


def test_areas_count_in_the_area_above_once(engine: sa.Engine) -> None:
    keep(engine, [Heard(areas=("DV3.5", "DV3.7"))] * 20 + [Heard(areas=("DV3.8",))] * 10)

    assert told(ask(engine, "task_area")) == {
        "DV3": 30,
        "DV3.5": 20,
        "DV3.7": 20,
        "DV3.8": 10,
    }


def test_doubts_are_a_group_of_their_own(engine: sa.Engine) -> None:
    keep(engine, [Heard(fields=())] * 20)

    assert told(ask(engine, "civic_field")) == {"abstain": 20}


def test_groups_that_nobody_wrote_about_are_told_like_small_ones(engine: sa.Engine) -> None:
    keep(engine, [Heard()] * 20 + [Heard(fields=("LV02",))] * 5)

    answer = ask(engine, "civic_field")

    small, empty = (group(answer, code).figure for code in ("LV02", "LV05"))
    assert small == empty == Figure(None, suppressed=True)


def test_of_places_only_those_that_are_told_are_there(engine: sa.Engine) -> None:
    known, small = ("ward", "00004"), ("ward", "00008")
    keep(engine, [Heard(places=(known,))] * 20 + [Heard(places=(small,))] * 9)

    [only] = ask(engine, "ward").groups

    assert (only.code, only.name, only.figure.count) == ("00004", "Phường Ba Đình", 20)


def test_a_name_with_two_meanings_counts_for_neither(engine: sa.Engine) -> None:
    keep(engine, [Heard(vague=(("ward", "00004"),))] * 20)

    assert ask(engine, "ward").groups == ()


def test_two_dimensions_cross_and_shares_are_of_the_outer_group(engine: sa.Engine) -> None:
    keep(engine, [Heard()] * 30 + [Heard(sentiment="positive")] * 10 + [Heard(fields=())] * 40)

    roads = group(ask(engine, "civic_field", "sentiment", step="none"), "LV03")

    parts = {part.code: part.figure for part in roads.parts}
    assert (parts["negative"].count, parts["positive"].count) == (30, 10)
    assert parts["negative"].share is not None
    assert parts["negative"].share.value == 0.75
    assert roads.figure.share is not None
    assert roads.figure.share.value == 0.5


def test_papi_groups_fields_and_areas_and_says_that_it_is_no_score(engine: sa.Engine) -> None:
    keep(engine, [Heard(fields=("LV02",))] * 20 + [Heard(fields=("LV05",), areas=("DV3.5",))] * 10)

    answer = ask(engine, "papi")

    assert told(answer) == {"D5": 10, "D6": 10, "D7": 20, "D8": 10}
    assert any("không phải điểm PAPI" in note for note in answer.notes)


def test_a_sample_names_its_sources_and_says_what_it_is_not(engine: sa.Engine) -> None:
    keep(engine, [Heard()] * 20 + [Heard(source="web_upload")] * 3)

    sample = ask(engine, "civic_field").sample

    assert {own.name: own.count for own in sample.sources} == {"demo": 20, "web_upload": None}
    assert "không phải điều tra" in sample.notice
    assert sample.period == FORTNIGHT


def test_other_days_and_documents_do_not_count(engine: sa.Engine, shelf: Shelf) -> None:
    shelf.store("đường hỏng")  # has no traits
    keep(engine, [Heard()] * 20 + [Heard(day=MONDAY - timedelta(days=1))] * 20)

    assert ask(engine, "source").total.count == 20


def test_labels_are_those_that_stand(engine: sa.Engine, shelf: Shelf) -> None:
    shelf.store(*["đường hỏng"] * 24)
    add_traits(engine, [shelf.seq(number) for number in shelf.texts], day=MONDAY)
    shelf.promote(shelf.read_again(says_field("LV05")))
    for number in range(1, 11):
        shelf.say(number, "LV02")

    assert told(ask(engine, "civic_field")) == {"LV02": 10, "LV05": 10}


FILTERS: dict[str, dict[str, object]] = {
    "civic_field": {"labels": (LabelFilter("civic_field", "LV03"),)},
    "task_area": {"labels": (LabelFilter("task_area", "DV3"),)},
    "source": {"source": "web_upload"},
    "ward": {"ward": "00004"},
    "urgency": {"urgency": "life_safety"},
    "channel": {"channel": "phản ánh"},
}


@pytest.mark.parametrize("name", list(FILTERS))
def test_a_filter_counts_what_its_list_shows(engine: sa.Engine, name: str) -> None:
    mixed = [
        Heard(),
        Heard(day=NEXT_WEEK, fields=("LV02", "LV03"), areas=("DV3.5",), source="web_upload"),
        Heard(fields=("LV05",), urgency="life_safety", places=(("ward", "00004"),)),
        Heard(again_of=1, places=(("ward", "00004"),), vague=(("ward", "00008"),)),
    ]
    keep(engine, [own for own in mixed for _ in range(13)])
    query = Query(
        kind="opinion",
        day_from=MONDAY,
        day_to=NEXT_WEEK,
        limit=200,
        **FILTERS[name],  # type: ignore[arg-type] # names of the query's own
    )
    period = Period(MONDAY, NEXT_WEEK)

    answer = ask(engine, "source", query=query, period=period)

    listed = list_items(engine, replace(query, reposts="once")).items
    expected = len(listed) // 10 * 10 + 10 * (len(listed) % 10 >= 5) if len(listed) >= 10 else None
    assert answer.total.count == expected
    assert len(list_items(engine, query).items) >= len(listed)


def test_the_model_s_errors_are_corrected_beside_the_count(engine: sa.Engine) -> None:
    # of a hundred about roads it takes forty for rubbish
    confusion = Confusion(("LV02", "LV03"), ("LV02", "LV03"), ((200, 0), (80, 120)))
    keep(engine, [Heard(fields=("LV02",))] * 40 + [Heard()] * 60)
    query = Query(kind="opinion", day_from=FORTNIGHT.day_from, day_to=FORTNIGHT.day_to)
    question = Question(query, FORTNIGHT, "civic_field", 10)

    answer = find_trends(engine, question, lexicon=LEXICON, confusions={"civic_field": confusion})

    corrected = group(answer, "LV03").figure.corrected
    assert corrected is not None
    assert (corrected.answered, corrected.count) == (60, 100)
    assert corrected.low <= 100 <= corrected.high
    assert group(answer, "LV02").figure.corrected is not None


def test_without_a_measured_model_nothing_is_corrected(engine: sa.Engine) -> None:
    keep(engine, [Heard()] * 60)

    assert group(ask(engine, "civic_field"), "LV03").figure.corrected is None


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"then": "civic_field"}, "another dimension"),
        ({"step": "day", "period": Period(date(2020, 1, 1), date(2026, 1, 1))}, "periods"),
        (
            {
                "step": "day",
                "then": "task_area",
                "period": Period(date(2025, 1, 1), date(2026, 1, 1)),
            },
            "figures",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused(
    engine: sa.Engine, more: dict[str, object], reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        ask(engine, "civic_field", **more)  # type: ignore[arg-type] # names of the question's own


def test_a_week_begins_when_it_does_in_vietnam() -> None:
    sunday_evening = datetime(2026, 1, 4, 17, 30, tzinfo=UTC)  # Monday already in Vietnam

    assert this_monday(sunday_evening) == date(2026, 1, 5)


def test_weeks_begin_on_monday_and_the_ends_may_be_shorter() -> None:
    parts = cut(Period(date(2026, 1, 3), date(2026, 1, 14)), "week")

    assert parts == (
        Period(date(2026, 1, 3), date(2026, 1, 5)),
        Period(date(2026, 1, 5), date(2026, 1, 12)),
        Period(date(2026, 1, 12), date(2026, 1, 14)),
    )


def test_months_begin_on_the_first() -> None:
    parts = cut(Period(date(2026, 1, 20), date(2026, 3, 1)), "month")

    assert [part.day_from for part in parts] == [date(2026, 1, 20), date(2026, 2, 1)]

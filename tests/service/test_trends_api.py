"""`/v1/trends`, and the lists behind its numbers."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings

from service.actions import Desk
from service.monitor.trends import Question
from tests.service.asking import Archive, archives, fill, questions
from tests.service.heard import MONDAY, Heard, keep

WEEK = {"from": str(MONDAY), "to": str(MONDAY + timedelta(days=7))}
WARD = ("ward", "00004")


@pytest.fixture
def heard(desk: Desk) -> None:
    """Groups of 12, so that each is told as 10 and its list has all of them."""
    kinds = [
        Heard(fields=("LV03", "LV02"), areas=("DV3.5",), places=(WARD,)),
        Heard(fields=("LV05",), sentiment="positive", urgency="life_safety"),
        Heard(fields=(), source="web_upload", places=(("body", "cong-an-cap-xa"),)),
        Heard(fields=("LV05",), again_of=13),
        Heard(fields=("LV05",), day=MONDAY + timedelta(days=7)),
    ]
    keep(desk.engine, [kind for kind in kinds for _ in range(12)])


DIMENSIONS = [
    "civic_field", "task_area", "sentiment", "intent", "source", "ward", "body", "channel", "urgency",
    "papi",
]  # fmt: skip


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("by", DIMENSIONS)
def test_each_link_opens_the_opinions_behind_its_number(client: TestClient, by: str) -> None:
    answer = client.get("/v1/trends", params={"by": by, **WEEK}).json()

    told = [own for own in answer["groups"] if not own["figure"]["suppressed"]]
    figures = [answer["total"], *(own["figure"] for own in told)]
    assert told
    for figure in figures:
        n = len(opened(client, figure["list"]))
        assert (n + 5) // 10 * 10 == figure["count"]
        assert n % 12 == 0


@pytest.mark.usefixtures("heard")
def test_a_link_keeps_the_filters_and_crosses_two_dimensions(client: TestClient) -> None:
    asked = {"by": "civic_field", "then": "sentiment", "ward": "00004", **WEEK}

    answer = client.get("/v1/trends", params=asked).json()

    [roads] = [own for own in answer["groups"] if own["code"] == "LV03"]
    [negative] = [part for part in roads["parts"] if part["code"] == "negative"]
    assert len(opened(client, negative["figure"]["list"])) == 12


def opened(client: TestClient, link: str) -> list[object]:
    found: list[object] = client.get(f"{link}&limit=200").json()["items"]
    return found


@pytest.mark.usefixtures("heard")
def test_a_list_with_re_posts_has_them_too(client: TestClient) -> None:
    days = f"day_from={WEEK['from']}&day_to={WEEK['to']}"

    every, once = (
        len(opened(client, f"/v1/opinions?civic_field=LV05&{days}&reposts={reposts}"))
        for reposts in ("all", "once")
    )

    assert (every, once) == (24, 12)


@pytest.mark.usefixtures("heard")
def test_suppressed_groups_have_no_list(client: TestClient) -> None:
    answer = client.get("/v1/trends", params={"by": "civic_field", **WEEK}).json()

    [schools] = [own for own in answer["groups"] if own["code"] == "LV06"]
    assert schools["figure"] == {
        "count": None, "suppressed": True, "reposts": None, "share": None, "interval": None,
        "corrected": None, "list": None,
    }  # fmt: skip


def test_without_days_it_is_the_last_twelve_whole_weeks(client: TestClient) -> None:
    answer = client.get("/v1/trends", params={"by": "source"}).json()

    # the clock of the tests stands on Monday, 5 January 2026
    assert answer["sample"]["period"] == {"day_from": "2025-10-13", "day_to": "2026-01-05"}
    assert len(answer["points"]) == 12


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"by": "author"},
        {"by": "source", "from": "2026-01-05", "to": "2026-01-05"},
        {"by": "source", "q": "x"},
        {"by": "source", "then": "source"},
        {"by": "ward", "ward": "x"},
    ],
)
def test_a_bad_question_is_refused(client: TestClient, asked: dict[str, str]) -> None:
    assert client.get("/v1/trends", params=asked).status_code == 422


def test_an_unknown_dimension_of_papi_is_refused(client: TestClient) -> None:
    assert client.get("/v1/opinions", params={"papi": "D9"}).status_code == 422


def test_small_archives_tell_nothing(client: TestClient, desk: Desk) -> None:
    keep(desk.engine, [Heard()] * 9)

    answer = client.get("/v1/trends", params={"by": "civic_field", **WEEK}).json()

    assert answer["sample"]["n"] is None
    assert all(own["figure"]["suppressed"] for own in answer["groups"])


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(archives(), questions(), questions())
def test_no_two_numbers_of_any_two_answers_differ_by_a_small_group(
    client: TestClient, desk: Desk, archive: Archive, one: Question, other: Question
) -> None:
    fill(desk.engine, archive)

    answers = [client.get("/v1/trends", params=asked(question)) for question in (one, other)]

    assert [answer.status_code for answer in answers] == [200, 200]
    numbers = {n for answer in answers for n in told(answer.json())}
    assert all(abs(n - m) >= 10 for n in numbers for m in numbers if n != m)


def asked(question: Question) -> dict[str, str]:
    days = {"from": str(question.period.day_from), "to": str(question.period.day_to)}
    then = {"then": question.then} if question.then else {}
    return {"by": question.by, "step": question.step, **then, **days, **question.asked}


def told(value: object, *, name: str = "") -> Iterator[int]:
    """Every number of opinions anywhere in an answer."""
    if isinstance(value, dict):
        for key, own in value.items():
            yield from told(own, name=key)
    elif isinstance(value, list):
        for own in value:
            yield from told(own)
    elif isinstance(value, int) and name in {"count", "n", "reposts", "answered"}:
        yield value

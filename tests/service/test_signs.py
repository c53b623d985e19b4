"""A clock that has jumped makes nobody erase anything; time that has passed does."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from service.store.signs import find_gap
from tests.service.flows import START, Scene, a_scene


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with a_scene(request, tmp_path, database=request.param) as scene:
        yield scene


def test_a_clock_that_has_jumped_erases_nothing(scene: Scene) -> None:
    scene.keep("đường hỏng", source=scene.source("brief", days=30))
    scene.carry_out("retention")
    scene.now += timedelta(days=3650)

    job = scene.carry_out("retention")

    assert scene.here() == [1]
    assert job.state == "failed"
    assert job.reason is not None
    assert "between 2026-01-05 12:00 and 2036-01-03 12:00 UTC" in job.reason
    assert "danvan retention --confirm" in job.reason


def test_what_a_wrong_clock_leaves_behind_does_not_make_it_right(scene: Scene) -> None:
    scene.keep("đường hỏng", source=scene.source("brief", days=30))
    scene.carry_out("retention")
    scene.now += timedelta(days=3650)
    scene.keep("đường xấu")

    refused = scene.carry_out("retention")
    scene.pass_days(6)
    later = scene.carry_out("retention")

    assert (refused.state, later.state) == ("failed", "failed")
    assert scene.here() == [1, 2]


def test_a_clock_that_is_right_is_confirmed_once(scene: Scene) -> None:
    scene.keep("đường hỏng", source=scene.source("brief", days=30))
    scene.carry_out("retention")
    scene.now += timedelta(days=60)

    scene.carry_out("retention", confirmed=True)
    confirmed = scene.here()
    scene.pass_days(1)
    following = scene.carry_out("retention")

    assert confirmed == []
    assert following.state == "done"


def test_a_clock_that_is_put_right_again_needs_no_word(scene: Scene) -> None:
    scene.keep("đường hỏng", source=scene.source("brief", days=30))
    scene.carry_out("retention")
    right = scene.now
    scene.now += timedelta(days=3650)
    scene.carry_out("retention")
    scene.now = right + timedelta(days=1)

    job = scene.carry_out("retention")

    assert (job.state, scene.here()) == ("done", [1])


@pytest.mark.parametrize(("days", "state"), [(4, "done"), (4.1, "failed")])
def test_a_long_weekend_is_no_jump(scene: Scene, days: float, state: str) -> None:
    scene.keep("đường hỏng")
    scene.carry_out("retention")
    scene.now += timedelta(days=days)

    assert scene.carry_out("retention").state == state


def test_signs_that_follow_each_other_closely_make_time_believable(scene: Scene) -> None:
    scene.keep("đường hỏng", source=scene.source("brief", days=30))
    scene.carry_out("retention")
    scene.pass_days(90)

    assert scene.carry_out("retention").result["erased"] == {"brief": 1}


def test_before_the_first_retention_the_newest_item_tells(scene: Scene) -> None:
    brief = scene.source("brief", days=30)
    scene.keep("đường hỏng", source=brief)
    scene.now += timedelta(days=40)
    scene.keep("đường xấu", source=brief)
    scene.now += timedelta(days=1)

    assert scene.carry_out("retention").result["erased"] == {"brief": 1}


def test_an_empty_store_has_nothing_to_lose(scene: Scene) -> None:
    assert scene.carry_out("retention").state == "done"


def test_a_gap_ends_where_the_signs_begin_again(scene: Scene) -> None:
    scene.carry_out("retention")
    scene.now += timedelta(days=10)
    scene.keep("đường hỏng")
    scene.now += timedelta(days=1)

    with scene.engine.connect() as connection:
        gap = find_gap(connection, now=scene.now, longest=timedelta(days=4))

    assert gap is not None
    assert (gap.since, gap.until) == (START, START + timedelta(days=10))

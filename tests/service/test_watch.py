"""Looking for rises day by day: what is counted, what raises an alert, and what does not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.auth import CONSOLE
from service.jobs import watch
from service.jobs.kinds import CHORES
from service.jobs.orders import submit
from service.jobs.seam import Context
from service.settings import Settings
from service.store import tables
from service.store.alerts import Alert, AlertQuery, Series, list_alerts, read_counts
from service.store.dialect import writing
from service.store.errors import Conflict
from service.store.jobs import Job
from service.store.webhooks import Webhook, add_webhook
from tests.service.archive import BOTH, address_of, carry_out, fresh_store
from tests.service.listening import Crowd

START = date(2026, 1, 1)
TODAY = START + timedelta(days=100)
BEFORE = TODAY - START  # quiet days
NIGHT = datetime(2026, 4, 11, 20, tzinfo=UTC)  # of the day after, in Vietnam


@pytest.fixture(params=BOTH)
def crowd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Crowd]:
    with fresh_store(address_of(request, tmp_path)) as engine:
        yield Crowd(engine)


def context(crowd: Crowd, *, now: datetime = NIGHT, **more: Any) -> Context:
    url = crowd.engine.url.render_as_string(hide_password=False)

    def build(_: Settings) -> Any:
        raise AssertionError("counting needs no model")

    return Context(crowd.engine, Settings(database_url=url, **more), build, now=lambda: now)


def look(crowd: Crowd, *, first: date = TODAY, last: date = TODAY, **more: Any) -> Job:
    ctx = context(crowd, now=NIGHT + (last - TODAY), **more)
    params = {"from": first.isoformat(), "to": last.isoformat()}
    job = submit(crowd.engine, "watch", params=params, asked_by="console", now=ctx.now())
    done = carry_out(ctx, job.id)
    assert done.state == "done", done.reason
    return done


def alerts(crowd: Crowd) -> dict[str, Alert]:
    with crowd.engine.connect() as connection:
        found = list_alerts(connection, AlertQuery(limit=200))
    return {alert.series.key: alert for alert in found}


def test_quiet_days_raise_nothing(crowd: Crowd) -> None:
    crowd.murmur(START, BEFORE.days + 1)

    look(crowd)

    assert alerts(crowd) == {}


def test_a_rise_in_a_field_raises_an_alert_of_the_field_and_of_what_holds_it(crowd: Crowd) -> None:
    for field in ("LV01", "LV03"):
        crowd.murmur(START, BEFORE.days, field=field)
    crowd.murmur(START, BEFORE.days, source="other", a_day=60, field=None)
    crowd.say(TODAY, 10, field="LV01")
    crowd.say(TODAY, 45, source="other", field="LV03", negative=True)

    look(crowd)

    found = alerts(crowd)
    assert set(found) == {"civic_field:LV03", "civic_field:LV03:negative"}
    assert found["civic_field:LV03"].observed == 45
    assert found["civic_field:LV03"].expected == pytest.approx(12, rel=0.3)


@pytest.mark.parametrize("kind", ["province", "ward", "body"])
def test_a_rise_at_a_place_raises_an_alert_of_it(crowd: Crowd, kind: str) -> None:
    crowd.murmur(START, BEFORE.days + 1, a_day=60)
    crowd.say(TODAY, 15, places=[(kind, "x-1", 1)])

    look(crowd)

    assert set(alerts(crowd)) == {f"{kind}:x-1"}


def test_a_ward_is_called_by_its_name_and_province(crowd: Crowd) -> None:
    crowd.murmur(START, BEFORE.days + 1, a_day=60)
    crowd.say(TODAY, 15, places=[("ward", "00004", 1)])

    look(crowd)

    assert alerts(crowd)["ward:00004"].label == "Phường Ba Đình, Thành phố Hà Nội"


def test_a_name_that_may_mean_several_places_counts_for_none(crowd: Crowd) -> None:
    crowd.murmur(START, BEFORE.days + 1, a_day=60)
    crowd.say(TODAY, 15, places=[("ward", "00004", 2), ("ward", "00008", 2)])

    look(crowd)

    assert alerts(crowd) == {}


def test_no_series_is_of_a_person(crowd: Crowd) -> None:
    crowd.murmur(START, BEFORE.days + 1, a_day=60)
    crowd.say(TODAY, 15, places=[("person", "nguyen-van-a", 1)])

    look(crowd)

    assert alerts(crowd) == {}
    with crowd.engine.connect() as connection:
        cells = list(read_counts(connection, first=START, last=TODAY))
    assert {cell.series.kind for cell in cells} == {"all", "civic_field", "source"}
    with pytest.raises(ValueError, match="only opinions by field"):
        Series("person", "nguyen-van-a")  # type: ignore[arg-type] # what must be refused


def test_fewer_than_the_smallest_group_raise_nothing(crowd: Crowd) -> None:
    crowd.murmur(START, BEFORE.days + 1, a_day=60)
    crowd.say(TODAY, 9, places=[("ward", "00004", 1)])

    look(crowd)

    assert alerts(crowd) == {}


def test_what_is_said_again_is_one_opinion_and_the_volume_of_its_source(crowd: Crowd) -> None:
    crowd.murmur(START, BEFORE.days)
    [first] = crowd.say(TODAY, 1)
    crowd.say(TODAY, 80, again=first)

    look(crowd)

    assert set(alerts(crowd)) == {"source:demo"}


def test_a_source_gone_mad_raises_no_alert_but_its_own(crowd: Crowd) -> None:
    crowd.murmur(START, BEFORE.days + 1)
    crowd.murmur(START, BEFORE.days, source="feed")
    crowd.say(TODAY, 300, source="feed")

    look(crowd)

    assert set(alerts(crowd)) == {"source:feed"}


def test_a_source_with_half_as_much_again_still_counts_in_other_series(crowd: Crowd) -> None:
    crowd.murmur(START, BEFORE.days, a_day=60, field=None)
    crowd.say(TODAY, 60)
    crowd.say(TODAY, 60, field=None)

    look(crowd)

    found = alerts(crowd)
    assert {"source:demo", "civic_field:LV03"} <= set(found)
    assert found["civic_field:LV03"].left_out == ()


def test_an_alert_says_which_source_was_left_out(crowd: Crowd) -> None:
    crowd.murmur(START, BEFORE.days)
    crowd.murmur(START, BEFORE.days, source="other", a_day=60, field=None)
    crowd.murmur(START, BEFORE.days, source="feed")
    crowd.say(TODAY, 45, source="other")
    crowd.say(TODAY, 300, source="feed")

    look(crowd)

    assert alerts(crowd)["civic_field:LV03"].left_out == ("feed",)
    assert alerts(crowd)["civic_field:LV03"].observed == 45


def test_a_source_whose_alert_was_acknowledged_counts_again(crowd: Crowd) -> None:
    crowd.murmur(START, BEFORE.days + 1)
    crowd.murmur(START, BEFORE.days, source="feed")
    crowd.say(TODAY, 300, source="feed")
    look(crowd)
    acknowledge(crowd, alerts(crowd)["source:feed"])

    look(crowd)

    assert set(alerts(crowd)) == {"source:feed", "all", "civic_field:LV03"}


def test_a_new_source_is_no_rise(crowd: Crowd) -> None:
    crowd.murmur(START, BEFORE.days + 1)
    crowd.murmur(TODAY - timedelta(days=20), 21, source="new", a_day=80)

    look(crowd, first=TODAY - timedelta(days=20))

    assert alerts(crowd) == {}


def test_a_young_store_raises_nothing(crowd: Crowd) -> None:
    crowd.murmur(TODAY - timedelta(days=40), 40)
    crowd.say(TODAY, 300)

    look(crowd)

    assert alerts(crowd) == {}


def test_while_a_series_stays_high_its_alert_moves_on(crowd: Crowd) -> None:
    crowd.murmur(START, BEFORE.days)
    crowd.murmur(START, BEFORE.days, source="other", a_day=60, field=None)
    for days in range(3):
        crowd.say(TODAY + timedelta(days=days), 45, source="other")

    jobs = [
        look(crowd, first=TODAY + timedelta(days=days), last=TODAY + timedelta(days=days))
        for days in range(3)
    ]

    [alert] = [one for one in alerts(crowd).values() if one.series.kind == "civic_field"]
    assert (alert.day, alert.last_day) == (TODAY, TODAY + timedelta(days=2))
    assert [job.result["alerts"] for job in jobs] == [1, 0, 0]


def test_looking_at_many_days_finds_what_looking_each_day_finds(crowd: Crowd) -> None:
    crowd.murmur(START, BEFORE.days)
    crowd.murmur(START, BEFORE.days + 3, source="other", a_day=60, field=None)
    for days in range(3):
        crowd.say(TODAY + timedelta(days=days), 45)

    look(crowd, first=TODAY - timedelta(days=5), last=TODAY + timedelta(days=2))

    assert alerts(crowd)["source:demo"].day == TODAY
    assert alerts(crowd)["source:demo"].last_day == TODAY + timedelta(days=2)


def test_looking_twice_raises_once(crowd: Crowd) -> None:
    crowd.murmur(START, BEFORE.days)
    crowd.say(TODAY, 100)
    look(crowd)
    before = alerts(crowd)

    again = look(crowd)

    assert before.keys() == {"source:demo"}
    assert again.result["alerts"] == 0
    assert alerts(crowd) == before


def test_whoever_asked_is_told_of_an_alert_by_rounded_figures(crowd: Crowd) -> None:
    hook = Webhook("f" * 32, "https://example.org/", ("alert.raised",), NIGHT, secret="whsec_")
    with writing(crowd.engine) as connection:
        add_webhook(connection, hook)
    crowd.murmur(START, BEFORE.days)
    crowd.say(TODAY, 104)

    look(crowd)

    jobs = tables.jobs.c
    with crowd.engine.connect() as connection:
        query = sa.select(jobs.params).where(jobs.kind == "webhook")
        [message] = [params["message"] for params in connection.scalars(query)]
    assert message["event"] == "alert.raised"
    assert message["data"] == {
        "alert_id": alerts(crowd)["source:demo"].id,
        "series": "source:demo",
        "day": TODAY.isoformat(),
        "n_days": 1,
        "observed": 100,
        "expected": 10,
    }


def test_the_first_look_is_at_yesterday_and_the_six_days_before(crowd: Crowd) -> None:
    ctx = context(crowd)
    job = submit(crowd.engine, "watch", params={}, asked_by="console", now=NIGHT)

    done = carry_out(ctx, job.id)

    assert done.result == {"from": "2026-04-05", "to": "2026-04-11", "alerts": 0}


def test_the_next_look_goes_on_where_the_last_one_ended(crowd: Crowd) -> None:
    look(crowd, first=TODAY - timedelta(days=30), last=TODAY - timedelta(days=10))
    job = submit(crowd.engine, "watch", params={}, asked_by="console", now=NIGHT)

    done = carry_out(context(crowd), job.id)

    first = TODAY - timedelta(days=9) - timedelta(days=6)
    assert (done.result["from"], done.result["to"]) == (first.isoformat(), TODAY.isoformat())


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-04-12", "2026-04-12"), ("2026-04-10", "2026-04-09"), ("2024-01-01", "2026-04-01")],
)
def test_days_that_cannot_be_looked_at_are_refused(crowd: Crowd, first: str, last: str) -> None:
    params = {"from": first, "to": last}
    job = submit(crowd.engine, "watch", params=params, asked_by="console", now=NIGHT)

    done = carry_out(context(crowd), job.id)

    assert done.state == "failed"
    assert done.reason == "look at 1 to 366 days that are over, the first one first"


def test_a_look_is_ordered_once_a_day(crowd: Crowd) -> None:
    assert watch.order_watch in CHORES
    for hours in (0, 1, 24):
        watch.order_watch(context(crowd, now=NIGHT + timedelta(hours=hours)))

    jobs = tables.jobs.c
    with crowd.engine.connect() as connection:
        ids = connection.scalars(sa.select(jobs.id).order_by(jobs.id)).all()
    assert ids == ["watch-2026-04-11", "watch-2026-04-12"]


def test_an_alert_is_acknowledged_once_and_its_note_is_masked(crowd: Crowd) -> None:
    crowd.murmur(START, BEFORE.days)
    crowd.say(TODAY, 100)
    look(crowd)

    seen = acknowledge(crowd, alerts(crowd)["source:demo"], note="gọi 0912345678")

    assert seen.state == "acknowledged"
    assert "0912345678" not in (seen.note or "")
    assert alerts(crowd)["source:demo"] == replace(seen)
    with pytest.raises(Conflict):
        acknowledge(crowd, seen)


def acknowledge(crowd: Crowd, alert: Alert, *, note: str | None = None) -> Alert:
    return watch.acknowledge(crowd.engine, alert.id, by=CONSOLE, note=note, at_least=10, now=NIGHT)

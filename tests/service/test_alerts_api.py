"""Alerts over the wire and on the command line: rounded, in words, with examples, acknowledged once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.access import Need, demand_of
from service.actions import Desk
from service.api import alerts
from service.monitor.alerts import reason_of
from service.store.alerts import Alert, Series, add_alert
from service.store.dialect import open_engine, writing
from service.store.migrate import migrate
from tests.service.commands import Danvan, commanding
from tests.service.listening import Crowd

DAY = date(2026, 1, 4)
ALERT = Alert(
    "a" * 32,
    Series("civic_field", "LV03", negative=True),
    DAY,
    DAY,
    observed=44,
    expected=11.6,
    n_days=1,
    p=1e-7,
    label="Lĩnh vực Đường sá, cảm xúc tiêu cực",
    left_out=("feed",),
    raised_at=datetime(2026, 1, 5, 1, tzinfo=UTC),
)


def keep(desk: Desk, **changes: Any) -> Alert:
    alert = replace(ALERT, **changes)
    with writing(desk.engine) as connection:
        assert add_alert(connection, alert)
    return alert


def test_an_alert_is_told_in_rounded_figures(client: TestClient, desk: Desk) -> None:
    keep(desk)

    [told] = client.get("/v1/alerts").json()["alerts"]

    assert (told["observed"], told["expected"]) == (40, 10)
    assert (told["kind"], told["code"], told["sentiment"]) == ("civic_field", "LV03", "negative")
    assert told["state"] == "open"
    assert "44" not in told["reason"]
    assert "p" not in told


def test_the_reason_is_a_sentence(client: TestClient, desk: Desk) -> None:
    keep(desk, expected=3.2)

    [told] = client.get("/v1/alerts").json()["alerts"]

    assert told["reason"] == (
        "Lĩnh vực Đường sá, cảm xúc tiêu cực: ngày 04/01/2026 có khoảng 40 ý kiến, mức thường thấy "
        "trong một ngày là dưới 10; mức tăng này rất hiếm khi là ngẫu nhiên. "
        "Không tính các nguồn đang có lượng tin tăng bất thường: feed."
    )


def test_the_reason_of_a_source_says_that_it_is_left_alone_until_somebody_looks() -> None:
    alert = replace(ALERT, series=Series("source", "feed"), left_out=(), n_days=7)

    seen = replace(alert, acknowledged_at=alert.raised_at)

    assert "không được tính vào các cảnh báo khác" in reason_of(alert, k=10)
    assert "không được tính" not in reason_of(seen, k=10)
    assert "bảy ngày đến hết 04/01/2026" in reason_of(seen, k=10)


def test_an_alert_of_too_few_is_not_told(client: TestClient, desk: Desk) -> None:
    keep(desk, observed=9)

    assert client.get("/v1/alerts").json()["alerts"] == []
    assert client.get(f"/v1/alerts/{ALERT.id}").status_code == 404
    assert client.post(f"/v1/alerts/{ALERT.id}/acknowledge", json={}).status_code == 404


def test_an_alert_shows_five_opinions_that_differ(client: TestClient, desk: Desk) -> None:
    keep(desk)
    crowd = Crowd(desk.engine)
    said = crowd.say(DAY, 8, negative=True, text="gọi 0912345678, đường hỏng")
    crowd.say(DAY, 3, negative=True, again=said[0])
    crowd.say(DAY, 3, negative=True, source="feed")
    crowd.say(DAY, 3)
    crowd.say(DAY - timedelta(days=1), 3, negative=True)

    examples = client.get(f"/v1/alerts/{ALERT.id}").json()["examples"]

    ids = {example["id"] for example in examples}
    assert len(ids) == 5
    assert ids <= {f"{seq:032x}" for seq in said}
    assert not any("0912345678" in example["excerpt"] for example in examples)


@pytest.mark.parametrize(
    "series",
    [
        Series("all"),
        Series("civic_field", "LV03"),
        Series("civic_field", "LV03", negative=True),
        Series("province", "01"),
        Series("ward", "00004"),
        Series("body", "so-y-te"),
        Series("source", "feed"),
    ],
)
def test_the_list_of_an_alert_holds_what_was_counted(
    client: TestClient, desk: Desk, series: Series
) -> None:
    keep(desk, series=series, n_days=7)
    crowd = Crowd(desk.engine)
    places = [("province", "01", 1), ("ward", "00004", 1), ("body", "so-y-te", 1)]
    for days in range(9):  # from a day too late to a day too early
        day = DAY + timedelta(days=1 - days)
        crowd.say(day, 1, negative=True, places=places, source="feed")
    crowd.say(DAY, 1, source="demo", field="LV01" if series.kind != "all" else "LV03")
    told = client.get(f"/v1/alerts/{ALERT.id}").json()

    listed = client.get(told["opinions"]).json()["items"]

    assert len(listed) == (8 if series.kind == "all" else 7)


def test_readers_read_alerts_and_reviewers_acknowledge_them() -> None:
    asked = {getattr(route, "path", ""): demand_of(route) for route in alerts.router.routes}

    scopes = {path: demand.scope for path, demand in asked.items() if isinstance(demand, Need)}

    assert scopes == {
        "/v1/alerts": "read",
        "/v1/alerts/{alert_id}": "read",
        "/v1/alerts/{alert_id}/acknowledge": "review",
    }


def test_alerts_are_filtered_and_paged(client: TestClient, desk: Desk) -> None:
    for number in range(5):
        day = DAY - timedelta(days=number)
        moment = ALERT.raised_at - timedelta(days=number)
        keep(desk, id=f"{number}" * 32, day=day, raised_at=moment)
    client.post(f"/v1/alerts/{'1' * 32}/acknowledge", json={})

    def ids(**asked: Any) -> str:
        page = client.get("/v1/alerts", params=asked).json()
        return "".join(alert["id"][0] for alert in page["alerts"])

    assert ids() == "01234"
    assert ids(state="open") == "0234"
    assert ids(state="acknowledged") == "1"
    assert ids(**{"from": "2026-01-01", "to": "2026-01-03"}) == "23"
    first = client.get("/v1/alerts", params={"limit": 2}).json()
    assert ids(cursor=first["next_cursor"], limit=3) == "234"


def test_an_alert_is_acknowledged_with_a_masked_note(client: TestClient, desk: Desk) -> None:
    keep(desk)
    path = f"/v1/alerts/{ALERT.id}/acknowledge"

    seen = client.post(path, json={"note": "đã báo 0912345678"})

    assert seen.json()["state"] == "acknowledged"
    assert "0912345678" not in seen.json()["note"]
    assert client.post(path, json={}).status_code == 409
    log = client.get("/v1/access-log", params={"subject": ALERT.id}).json()["items"]
    assert [line["action"] for line in log] == ["alert.acknowledged"]


@pytest.mark.parametrize("alert_id", ["0" * 32, "chuyện"])
def test_an_alert_that_is_not_there_is_said_so(client: TestClient, alert_id: str) -> None:
    assert client.get(f"/v1/alerts/{alert_id}").status_code in {404, 422}


@pytest.fixture
def danvan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Danvan]:
    url = f"sqlite:///{tmp_path}/store.db"
    monkeypatch.setenv("DANVAN_DATABASE_URL", url)
    migrate(url)
    engine = open_engine(url)
    with writing(engine) as connection:
        assert add_alert(connection, ALERT)
    engine.dispose()
    with commanding(monkeypatch, capsys, "alerts") as run:
        yield run


def test_the_command_line_lists_and_acknowledges(danvan: Danvan) -> None:
    listed = danvan("list", "--state", "open")
    seen = danvan("acknowledge", ALERT.id, "--note", "đã xem")

    assert ALERT.label in listed.out
    assert seen.code == 0
    assert danvan("list", "--state", "open").out == ""


def test_the_command_line_looks(danvan: Danvan) -> None:
    ended = danvan("look", "--from", "2026-01-01", "--to", "2026-01-02")

    assert ended.out.strip() == "2026-01-01 to 2026-01-02: 0 new alerts"


@pytest.mark.parametrize("days", [("--from", "hôm qua"), ("--to", "2999-01-01")])
def test_the_command_line_refuses_days_that_are_none(danvan: Danvan, days: tuple[str, str]) -> None:
    ended = danvan("look", *days)

    assert ended.code == 1
    assert ended.err.startswith("danvan: ")

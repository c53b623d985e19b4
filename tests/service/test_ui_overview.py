"""The overview and its alerts: what is told, what is kept back, where each number leads, who may do what."""

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import cast

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from nlp.pipeline import Pipeline
from service import auth
from service.access import Need, demand_of
from service.actions import Desk
from service.app import create_app
from service.settings import Settings
from service.store import tables
from service.store.alerts import Series, add_alert
from service.store.dialect import writing
from service.ui import alerts, overview
from service.ui.memory import Memory
from service.ui.overview import read_days
from tests.service.heard import MONDAY, Heard, keep
from tests.service.html import words
from tests.service.listening import Crowd
from tests.service.rules import RulePipeline
from tests.service.test_alerts_api import ALERT

HTML = {"accept": "text/html"}
LAST_WEEK = MONDAY - timedelta(days=7)
NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
REPORT = """CHỈ THỊ
Về thủ tục hành chính
Kết quả đạt được nhiều mặt
Tuy nhiên còn chậm ở nhiều nơi"""
WARD = ("ward", "00004")
PROVINCE = ("province", "01")


def part(client: TestClient, name: str, **asked: str) -> str:
    answer = client.get("/overview/figures", params={"part": name, **asked}, headers=HTML)
    assert answer.status_code == 200, answer.text
    return answer.text


def links(html: str, text: str) -> list[str]:
    """The addresses of links that show this text."""
    found = re.findall(r'<a[^>]* href="([^"]*)"[^>]*>([^<]*)</a>', html)
    return [unescape(address) for address, shown in found if shown.strip() == text]


def keep_alert(desk: Desk, **changes: object) -> None:
    with writing(desk.engine) as connection:
        assert add_alert(connection, replace(ALERT, **changes))  # type: ignore[arg-type] # as the alert


@pytest.fixture
def heard(desk: Desk) -> None:
    kinds = [
        Heard(day=LAST_WEEK, places=(WARD, PROVINCE)),
        Heard(day=LAST_WEEK, fields=("LV05",), sentiment="positive"),
        Heard(day=LAST_WEEK - timedelta(days=7), source="web_upload"),
    ]
    rare = [Heard(day=LAST_WEEK, fields=("LV06",))] * 9
    keep(desk.engine, [kind for kind in kinds for _ in range(12)] + rare)


def test_the_frame_comes_without_figures_and_leads_to_them_with_and_without_script(
    client: TestClient,
) -> None:
    frame = client.get("/", headers=HTML).text

    asked = re.findall(r'hx-get="(/overview/figures\?part=\w+)" hx-trigger="load"', frame)
    assert len(asked) == 5
    assert all(client.get(address).status_code == 200 for address in asked)
    [*ways] = {unescape(way) for way in re.findall(r'href="(/\?whole=1[^"]*)"', frame)}
    whole = client.get(ways[0], headers=HTML).text
    assert "hx-get" not in whole
    assert "Nơi được nói đến nhiều nhất" in whole


@pytest.mark.usefixtures("heard")
def test_the_whole_page_has_what_the_parts_have(client: TestClient) -> None:
    whole = client.get("/", params={"whole": "1"}, headers=HTML).text

    for name in ("came", "fields", "places", "limits", "trust"):
        assert words(part(client, name)) in words(whole)


@pytest.mark.usefixtures("heard")
def test_what_came_in_stands_by_week_and_opens_its_lists(client: TestClient) -> None:
    client.post("/documents", files={"file": ("a.txt", REPORT.encode())})

    shown = part(client, "came")

    assert "Văn bản chính thức 1 0 0 0 0" in words(shown)
    assert "web_upload dưới 10 dưới 10 10" in words(shown)
    [documents] = links(shown, "1")
    assert "Chỉ thị 07-CT/TU" in words(client.get(documents, headers=HTML).text)
    [opened, *_] = links(shown, "30")
    assert f"day_from={LAST_WEEK}" in opened


@pytest.mark.usefixtures("heard")
def test_fields_and_feelings_are_told_in_a_table_whose_numbers_open_lists(
    client: TestClient,
) -> None:
    shown = part(client, "fields")

    assert "Giao thông, đường sá, vận tải 20 dưới 10 dưới 10 dưới 10 20" in words(shown)
    [opinions, *_] = [link for link in links(shown, "20") if "sentiment=negative" in link]
    assert "civic_field=LV03" in opinions
    assert client.get(opinions, headers=HTML).status_code == 200


@pytest.mark.usefixtures("heard")
def test_a_small_group_is_in_no_number_of_the_table_or_the_charts(client: TestClient) -> None:
    shown = part(client, "fields")

    rows = [words(row) for row in re.findall(r"<tr>.*?</tr>", shown, re.DOTALL)]
    assert not any("Y tế" in row for row in rows)
    charts = [json.loads(unescape(chart)) for chart in re.findall(r"data-chart='([^']*)'", shown)]
    numbers = {n for chart in charts for series in chart["series"] for n in series["values"]}
    assert numbers <= {None, 10, 20}
    assert 9 not in numbers


@pytest.mark.usefixtures("heard")
def test_a_chart_has_its_numbers_intervals_and_lists(client: TestClient) -> None:
    shown = part(client, "fields")

    stacked, *trends = (
        json.loads(unescape(chart)) for chart in re.findall(r"data-chart='([^']*)'", shown)
    )
    assert stacked["kind"] == "bars"
    assert stacked["series"][0]["values"][0] == 20
    assert stacked["series"][0]["links"][0].startswith("/opinions?")
    [roads] = trends
    assert [n for n in roads["series"][0]["values"] if n] == [10, 10]
    assert roads["series"][0]["low"][0] == 0
    assert roads["series"][0]["high"][0] == 9  # not told: anything below the smallest group
    assert "Bảng ngay dưới" in roads["about"]


def test_a_field_whose_line_would_be_one_dot_or_none_is_told_in_words(
    client: TestClient, desk: Desk
) -> None:
    weeks = [LAST_WEEK - timedelta(days=7 * n) for n in range(3)]
    roads = [Heard(day=week) for week in weeks for _ in range(10)]
    once = [Heard(day=weeks[1], fields=("LV05",))] * 12
    never = [Heard(day=week, fields=("LV06",)) for week in weeks for _ in range(5)]
    keep(desk.engine, [*roads, *once, *never])

    shown = part(client, "fields")

    charts = [json.loads(unescape(chart)) for chart in re.findall(r"data-chart='([^']*)'", shown)]
    assert [chart["kind"] for chart in charts] == ["bars", "lines"]
    told = words(shown).partition("Chưa đủ số để vẽ theo thời gian")[2]
    assert "chỉ 1 trên 12 tuần có từ 10 ý kiến tiêu cực trở lên: 22/12–28/12 ( 10 )." in told
    assert "Y tế, an toàn thực phẩm : không tuần nào có đủ 10 ý kiến tiêu cực." in told
    assert "Hãy chọn khoảng dài hơn" in told
    [*opened] = [link for link in links(shown, "10") if f"day_from={weeks[1]}" in link]
    assert any("civic_field=LV05" in link for link in opened)


def test_one_stretch_is_no_trend(client: TestClient, desk: Desk) -> None:
    keep(desk.engine, [Heard(day=LAST_WEEK)] * 12)

    shown = part(client, "fields", **{"from": str(LAST_WEEK), "to": str(LAST_WEEK)})

    assert "theo thời gian" not in words(shown)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("name", ["came", "fields", "places"])
def test_every_figure_says_what_it_is_made_from(client: TestClient, name: str) -> None:
    shown = words(part(client, name))

    assert "Không phải điều tra." in shown
    assert "không suy ra tỷ lệ cho toàn thể người dân" in shown
    assert "web_upload (" in shown
    assert "Số liệu lúc 15:0" in shown


@pytest.mark.usefixtures("heard")
def test_places_are_named_with_their_province(client: TestClient) -> None:
    shown = words(part(client, "places"))

    assert "Phường Ba Đình Thành phố Hà Nội 10" in shown
    assert "Thành phố Hà Nội 10" in shown


def test_without_anything_the_parts_say_what_to_do(client: TestClient) -> None:
    assert "Tải văn bản hoặc ý kiến lên" in part(client, "came")
    assert "Hãy chọn khoảng dài hơn" in part(client, "fields")
    assert "Không có văn bản chính thức nào" in part(client, "limits")
    assert "Không có cảnh báo nào chưa xem" in client.get("/").text


def test_limitations_lead_to_their_passages(client: TestClient) -> None:
    client.post("/documents", files={"file": ("a.txt", REPORT.encode())})
    client.post("/documents", files={"file": ("b.txt", b"CH\xe1\xbb\x88 TH\xe1\xbb\x8a xin")})

    shown = part(client, "limits")

    assert "Máy đọc 2 văn bản chính thức mới nhất" in words(shown)
    assert "chỉ số hài lòng DV3.5 1 1" in words(shown)
    [address] = links(shown, "1")
    listed = client.get(address, headers=HTML).text
    [passage] = links(listed, "Tuy nhiên còn chậm ở nhiều nơi")
    opened = client.get(passage, headers=HTML).text
    assert '<mark id="can-cu">Tuy nhiên còn chậm ở nhiều nơi</mark>' in opened


def test_passages_without_an_area_are_not_lost(client: TestClient) -> None:
    text = "CHỈ THỊ xin chào\nTuy nhiên còn chậm"
    client.post("/documents", files={"file": ("a.txt", text.encode())})

    shown = part(client, "limits")

    assert "Chưa rõ mảng 1 1" in words(shown)
    [address] = links(shown, "1")
    assert "Tuy nhiên còn chậm" in client.get(address, headers=HTML).text


def test_citizens_are_no_reports(client: TestClient) -> None:
    client.post("/opinions", data={"text": "Tuy nhiên đường hỏng"})

    assert "Không có văn bản chính thức nào" in part(client, "limits")


def test_the_model_is_said_to_be_unmeasured(client: TestClient) -> None:
    assert "chưa có số liệu đối chiếu" in part(client, "trust")


@pytest.mark.parametrize(
    ("day_from", "day_to", "period"),
    [
        ("", "", ("2025-10-13", "2026-01-04")),
        ("2025-12-01", "", ("2025-12-01", "2026-01-04")),
        ("", "2025-12-07", ("2025-09-15", "2025-12-07")),
        ("2025-12-07", "2025-12-07", ("2025-12-07", "2025-12-07")),
    ],
)
def test_days_are_chosen_with_the_last_one_included(
    day_from: str, day_to: str, period: tuple[str, str]
) -> None:
    asked = read_days(day_from, day_to, now=NOW)

    assert (str(asked.period.day_from), str(asked.last)) == period
    assert not asked.is_wrong


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("Tháng này", "from=2026-01-01&to=2026-01-05"),
        ("Tháng trước", "from=2025-12-01&to=2025-12-31"),
        ("4 tuần qua", "from=2025-12-08&to=2026-01-04"),
    ],
)
def test_days_often_asked_for_are_one_press_away(client: TestClient, name: str, days: str) -> None:
    [address] = links(client.get("/", headers=HTML).text, name)

    shown = client.get(address, headers=HTML).text

    assert address == f"/?{days}#khoang"
    assert re.findall(r'<a[^>]* aria-current="true">([^<]*)</a>', shown) == [name]


@pytest.mark.parametrize(
    ("day_from", "day_to"),
    [
        ("2025-12-02", "2025-12-01"),
        ("hôm qua", ""),
        ("2020-01-01", "2025-01-01"),
        ("", "9999-12-31"),
    ],
)
def test_wrong_days_are_explained_and_stay_in_the_form(
    client: TestClient, day_from: str, day_to: str
) -> None:
    answer = client.get("/", params={"from": day_from, "to": day_to}, headers=HTML)

    assert answer.status_code == 422
    assert "Ngày chưa đúng" in answer.text
    assert f'value="{day_from}"' in answer.text
    asked = {"part": "fields", "from": day_from, "to": day_to}
    assert client.get("/overview/figures", params=asked, headers=HTML).status_code == 422


@pytest.mark.usefixtures("heard")
def test_chosen_days_are_those_of_the_figures(client: TestClient) -> None:
    days = {"from": str(LAST_WEEK - timedelta(days=7)), "to": str(LAST_WEEK - timedelta(days=1))}
    frame = client.get("/", params=days).text

    [address] = re.findall(r'hx-get="([^"]*part=fields[^"]*)"', frame)
    shown = client.get(unescape(address)).text

    assert "Giao thông, đường sá, vận tải 10 dưới 10" in words(shown)


def test_figures_are_worked_out_once_for_all_who_ask(client: TestClient, desk: Desk) -> None:
    before = part(client, "came")
    keep(desk.engine, [Heard(day=LAST_WEEK)] * 12)

    assert part(client, "came") == before


# The alerts.


def test_open_alerts_stand_first_with_their_reasons(client: TestClient, desk: Desk) -> None:
    keep_alert(desk)
    keep_alert(desk, id="b" * 32, series=Series("all"), observed=9)

    shown = client.get("/", headers=HTML).text

    assert "Ngày 04/01/2026 có khoảng 40 ý kiến" in words(shown)
    assert (
        words(shown).count("Lĩnh vực Đường sá, cảm xúc tiêu cực") == 2
    )  # once it is read out only
    assert f'href="/alerts/{ALERT.id}"' in shown
    assert "b" * 32 not in shown


def test_alerts_are_listed_filtered_and_paged(client: TestClient, desk: Desk) -> None:
    for number in range(21):
        day = ALERT.day - timedelta(days=number)
        raised = ALERT.raised_at - timedelta(days=number)
        keep_alert(desk, id=f"{number:032x}", day=day, raised_at=raised)
    client.post(f"/alerts/{0:032x}/acknowledge")

    first = client.get("/alerts").text

    assert ids(first) == list(range(20))
    [older] = links(first, "Xem các mục cũ hơn")
    assert ids(client.get(older).text) == [20]
    assert ids(client.get("/alerts", params={"state": "acknowledged"}).text) == [0]
    assert ids(client.get("/alerts", params={"state": "open"}).text) == list(range(1, 21))


def ids(html: str) -> list[int]:
    return sorted({int(one, 16) for one in re.findall(r"/alerts/([0-9a-f]{32})", html)})


def test_an_alert_shows_masked_examples(client: TestClient, desk: Desk) -> None:
    keep_alert(desk)
    crowd = Crowd(desk.engine)
    said = crowd.say(ALERT.day, 8, negative=True, text="gọi 0912345678, đường hỏng")

    shown = client.get(f"/alerts/{ALERT.id}", headers=HTML).text

    found = re.findall(r'href="/opinions/([0-9a-f]{32})"', shown)
    assert len(found) == 5
    assert set(found) <= {f"{seq:032x}" for seq in said}
    assert "0912345678" not in shown
    [opinions] = links(shown, "Các ý kiến trong cảnh báo này")
    assert opinions.startswith("/opinions?")


def test_a_later_high_day_is_told_as_what_the_tests_have_seen(
    client: TestClient, desk: Desk
) -> None:
    later = ALERT.day + timedelta(days=1)
    keep_alert(desk, last_day=later)

    shown = words(client.get(f"/alerts/{ALERT.id}", headers=HTML).text)

    assert f"Đến hết {later:%d/%m/%Y} vẫn còn cao, tính riêng ngày đó hoặc gộp cả bảy ngày" in shown


def test_an_alert_is_acknowledged_with_a_masked_note(client: TestClient, desk: Desk) -> None:
    keep_alert(desk)

    answer = client.post(
        f"/alerts/{ALERT.id}/acknowledge",
        data={"note": "đã báo 0912345678"},
        follow_redirects=False,
    )

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/alerts/{ALERT.id}?told=acknowledged"
    shown = client.get(answer.headers["location"], headers=HTML).text
    assert "Đã ghi nhận là có người xem." in shown
    assert "đã báo ••••••••••" in shown
    assert "0912345678" not in shown
    log = client.get("/v1/access-log", params={"subject": ALERT.id}).json()["items"]
    assert [line["action"] for line in log] == ["alert.acknowledged"]


def test_what_was_written_is_not_lost_where_somebody_was_quicker(
    client: TestClient, desk: Desk
) -> None:
    keep_alert(desk)
    path = f"/alerts/{ALERT.id}/acknowledge"
    client.post(path, data={"note": "một"})

    answer = client.post(path, data={"note": "hai <b>"}, headers=HTML)

    assert answer.status_code == 409
    assert "Người khác vừa xác nhận cảnh báo này trước" in answer.text
    assert "<blockquote>hai &lt;b&gt;</blockquote>" in answer.text


def test_a_note_that_is_too_long_stays_in_its_field(client: TestClient, desk: Desk) -> None:
    keep_alert(desk)

    answer = client.post(
        f"/alerts/{ALERT.id}/acknowledge", data={"note": "dài " * 600}, headers=HTML
    )

    assert answer.status_code == 422
    assert "Ghi chú dài quá 2.000 ký tự" in answer.text
    assert f">{('dài ' * 600).strip()}</textarea>" in answer.text


def test_an_alert_of_too_few_is_nowhere(client: TestClient, desk: Desk) -> None:
    keep_alert(desk, observed=9)

    assert client.get(f"/alerts/{ALERT.id}", headers=HTML).status_code == 404
    assert client.post(f"/alerts/{ALERT.id}/acknowledge", headers=HTML).status_code == 404
    assert ALERT.id not in client.get("/alerts").text


def test_readers_read_and_reviewers_acknowledge() -> None:
    routes = [*overview.router.routes, *alerts.router.routes]
    asked = {getattr(route, "path", ""): demand_of(route) for route in routes}

    scopes = {path: demand.scope for path, demand in asked.items() if isinstance(demand, Need)}

    assert scopes.pop("/alerts/{alert_id}/acknowledge") == "review"
    assert set(scopes.values()) == {"read"}
    assert len(scopes) == 5


@pytest.fixture
def reader(app: FastAPI, settings: Settings) -> Iterator[TestClient]:
    """Somebody who may only read, in the same store."""
    asked = settings.model_copy(update={"access": "keys"})
    guarded = create_app(asked, pipeline=cast(Pipeline, RulePipeline()))
    desk: Desk = app.state.desk
    key = auth.make_key(desk.engine, "lan", role="reader", by=auth.CONSOLE, now=NOW).key
    guarded.state.desk.engine.dispose()
    guarded.state.desk = desk
    with TestClient(guarded, headers={"authorization": f"Bearer {key}"}) as client:
        yield client


def seal(desk: Desk, n: int) -> None:
    """Keep so many texts that read like a denunciation."""
    rows = [
        {"id": f"{i:032x}", "source": "demo", "external_id": str(i), "received_at": NOW}
        for i in range(n)
    ]
    with writing(desk.engine) as connection:
        connection.execute(sa.insert(tables.restricted), rows)


def test_who_may_only_read_is_told_who_may_do_the_rest(reader: TestClient, desk: Desk) -> None:
    keep_alert(desk)
    seal(desk, 12)

    alert = reader.get(f"/alerts/{ALERT.id}", headers=HTML).text
    trust = part(reader, "trust")

    assert "<form" not in alert.partition("<main")[2]
    assert "Người có quyền Duyệt" in alert
    assert "tố cáo" not in trust
    assert reader.post(f"/alerts/{ALERT.id}/acknowledge", headers=HTML).status_code == 403


def test_denunciations_are_told_by_month_to_analysts(client: TestClient, desk: Desk) -> None:
    seal(desk, 12)

    shown = words(part(client, "trust"))

    assert "01/2026 10 dưới 10" in shown
    assert "chỉ đếm theo tháng" in shown


# What remembers the figures.


def test_an_answer_is_kept_for_some_minutes() -> None:
    memory = Memory(kept=timedelta(minutes=5))
    made = iter(range(9))

    def recall(minutes: int) -> int:
        return memory.recall("a", lambda: next(made), now=NOW + timedelta(minutes=minutes))[0]

    assert [recall(0), recall(4), recall(5), recall(9), recall(10)] == [0, 0, 1, 1, 2]


def test_the_answer_asked_for_longest_ago_is_forgotten_first() -> None:
    memory = Memory(most=2)
    made: list[str] = []

    for key in ("a", "b", "a", "c", "a", "b"):
        memory.recall(key, lambda key=key: made.append(key), now=NOW)  # type: ignore[misc] # a default

    assert made == ["a", "b", "c", "b"]


def test_who_asks_meanwhile_waits_for_the_same_answer() -> None:
    memory = Memory()
    n_made = 0
    begun, go_on = threading.Event(), threading.Event()

    def make() -> int:
        nonlocal n_made
        n_made += 1
        begun.set()
        assert go_on.wait(5)
        return n_made

    found: list[int] = []

    def ask() -> None:
        found.append(memory.recall("a", make, now=NOW)[0])

    threads = [threading.Thread(target=ask) for _ in range(5)]
    threads[0].start()
    assert begun.wait(5)
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join()

    assert found == [1] * 5


def test_a_failure_is_not_remembered() -> None:
    memory = Memory()

    with pytest.raises(ZeroDivisionError):
        memory.recall("a", lambda: 1 // 0, now=NOW)

    assert memory.recall("a", lambda: date(2026, 1, 5), now=NOW)[0] == date(2026, 1, 5)

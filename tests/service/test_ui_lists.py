"""The lists: their filters stand in the address and mean what they mean in `/v1`."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import cast
from urllib.parse import quote, urlencode

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from httpx2 import Response

from nlp.gazetteer import Gazetteer
from nlp.pipeline import Pipeline
from service import auth
from service.actions import Desk
from service.app import create_app
from service.auth import CONSOLE, Role
from service.schemas import DocumentFilter, OpinionFilter
from service.settings import Settings
from service.store.dialect import writing
from service.store.jobs import read_job
from service.store.query import Query
from service.store.tables import traits
from service.store.traits import read_trait_summaries
from service.store.views import list_items
from service.ui.choices import choices_of_documents, choices_of_opinions
from service.ui.filters import read_filter, settle
from tests.service import html
from tests.service.heard import MONDAY, Heard, add_traits, keep
from tests.service.rules import RulePipeline

HTML = {"accept": "text/html"}
PASSWORD = "mười hai con giáp"  # noqa: S105 - nobody's
DIRECTIVE = "CHỈ THỊ\nVề thủ tục hành chính"
BA_DINH, HANOI = "00004", "01"


def get(client: TestClient, path: str, **asked: str) -> Response:
    address = f"{path}?{urlencode(asked)}" if asked else path
    return client.get(address, headers=HTML, follow_redirects=False)


def words(answer: Response) -> str:
    return html.words(answer.text)


def listed(answer: Response) -> list[int]:
    """The numbers of the opinions of `heard` that a page lists."""
    links = re.findall(r'<a href="/opinions/([0-9a-f]{32})"', answer.text)
    return [int(link, 16) for link in links]


def upload(client: TestClient, text: str, *, name: str = "a.txt") -> None:
    answer = client.post("/documents", files={"file": (name, text.encode())}, headers=HTML)
    assert answer.status_code == 200, answer.text


# what the address means


def test_documents_of_offices_come_first_and_all_are_one_link_away(client: TestClient) -> None:
    upload(client, DIRECTIVE)
    upload(client, "Kính gửi phường, đường hỏng lắm", name="thu.txt")

    usual = get(client, "/documents")
    [every] = re.findall(r'href="([^"]*)">Xem tất cả các loại', usual.text)
    all_of_them = get(client, unescape(every))

    assert "Chỉ thị 07-CT/TU" in words(usual)
    assert "đường hỏng" not in words(usual)
    assert 'value="official" selected' in usual.text
    assert every == "/documents?kind=all"
    assert "Chỉ thị 07-CT/TU" in words(all_of_them)
    assert "đường hỏng" in words(all_of_them)
    assert "Xem tất cả các loại" not in all_of_them.text


def test_an_address_that_asks_for_something_means_every_kind_as_for_programs(
    client: TestClient,
) -> None:
    upload(client, "Kính gửi phường, đường hỏng lắm", name="thu.txt")

    assert "đường hỏng" in words(get(client, "/documents", q="đường hỏng"))
    assert "đường hỏng" in words(get(client, "/documents", q="đường hỏng", kind="all"))


def test_a_form_that_asks_for_every_kind_gets_it(client: TestClient) -> None:
    asked = get(client, "/documents", form="1", kind="", q="")

    assert asked.headers["location"] == "/documents?kind=all"


@pytest.mark.parametrize(
    "asked",
    [
        {"civic_field": "LV02"},
        {"sentiment": "positive"},
        {"task_area": "DV3"},
        {"urgency": "life_safety"},
        {"ward": BA_DINH},
        {"province": HANOI, "ward": BA_DINH},
        {"reposts": "once"},
        {"day_from": "2026-01-06", "day_to": "2026-01-08"},
        {"received_from": "2026-01-06T00:00:00+07:00"},
        {"papi": "D7"},
        {"group": f"{1:032x}"},
        {"channel": "phản ánh", "intent": "complaint", "decision": "labelled", "source": "demo"},
    ],
)
def test_an_address_finds_what_the_same_one_finds_for_programs(
    client: TestClient, desk: Desk, asked: dict[str, str]
) -> None:
    keep(desk.engine, _MIXED)

    page = get(client, "/opinions", **asked)
    answer = client.get("/v1/opinions", params=asked).json()

    assert page.status_code == 200
    shown = set(listed(page))
    assert shown
    assert shown == {int(item["id"], 16) for item in answer["items"]} - _folded(asked, shown)


_MIXED = [
    Heard(places=(("ward", BA_DINH), ("province", HANOI))),
    Heard(fields=("LV02",), areas=("DV3.5",), day=MONDAY + timedelta(1)),
    Heard(sentiment="positive", urgency="life_safety", places=(("ward", BA_DINH),)),
    Heard(again_of=1, day=MONDAY + timedelta(2)),
]


def _folded(asked: dict[str, str], shown: set[int]) -> set[int]:
    """The first of the two that say the same stands behind the second where both are found."""
    return {1} if 4 in shown and "group" not in asked else set()


def test_documents_are_found_by_the_date_they_bear_and_by_words(client: TestClient) -> None:
    upload(client, DIRECTIVE)

    found = get(client, "/documents", q="thu tuc", dated_from="2021-10-01", dated_to="2021-10-02")
    missed = get(client, "/documents", dated_from="2021-10-02")

    assert "Chỉ thị 07-CT/TU Ngày 01/10/2021" in words(found)
    assert "Không có mục nào khớp" in words(missed)


def test_a_form_is_led_to_the_address_that_says_what_it_asks(client: TestClient) -> None:
    sent = {"form": "1", "q": " ", "civic_field": "LV03", "day_from": "", "day_until": "2026-01-11"}

    answer = get(client, "/opinions", **sent)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/opinions?civic_field=LV03&day_to=2026-01-12"


def test_a_last_day_belongs_to_what_is_found_and_is_shown_again(
    client: TestClient, desk: Desk
) -> None:
    keep(desk.engine, [Heard(day=date(2026, 1, 11)), Heard(day=date(2026, 1, 12))])

    page = client.get("/opinions?form=1&day_until=2026-01-11", headers=HTML)

    assert listed(page) == [1]
    assert re.search(r'name="day_until" value="2026-01-11"', page.text)
    assert "Đến hết ngày: 11/01/2026" in words(page)


def test_days_may_be_typed_as_people_write_them() -> None:
    settled = settle({"received_from": "5/1/2026", "received_until": "31/12/2026"})

    assert settled == {
        "received_from": "2026-01-05T00:00:00+07:00",
        "received_to": "2027-01-01T00:00:00+07:00",
    }


@pytest.mark.parametrize(
    "typed", ["31/02/2026", "2026-02-31", "5/1", "a/b/c", "9999-12-31", "²/1/2026"]
)
def test_what_is_no_day_stays_as_it_was_typed(typed: str) -> None:
    assert settle({"day_until": typed}) == {"day_to": typed}


@pytest.mark.parametrize(
    ("sent", "settled"),
    [
        ({"province": HANOI, "ward": BA_DINH}, {"ward": BA_DINH}),
        ({"province": "79", "ward": BA_DINH}, {"province": "79"}),
        ({"province": "", "ward": BA_DINH}, {}),
        ({"province": HANOI, "ward": ""}, {"province": HANOI}),
    ],
)
def test_a_form_means_the_ward_wherever_it_is_named(
    desk: Desk, sent: dict[str, str], settled: dict[str, str]
) -> None:
    places: Gazetteer = desk.rules.gazetteer

    assert settle({"form": "1", **sent}, places=places) == settled


def test_a_link_to_a_ward_and_a_province_keeps_both(desk: Desk) -> None:
    linked = {"province": HANOI, "ward": BA_DINH}

    assert settle(linked, places=desk.rules.gazetteer) == linked


# what cannot be read


@pytest.mark.parametrize(
    ("path", "asked", "told"),
    [
        ("/opinions", {"day_from": "hôm qua"}, "Từ ngày: đây không phải là một ngày"),
        ("/opinions", {"day_from": "2026-01-05", "day_to": "2026-01-05"}, "phải trước hoặc trùng"),
        ("/opinions", {"sentiment": "furious"}, "Cảm xúc: giá trị này không dùng được"),
        ("/opinions", {"papi": "D9"}, "PAPI: giá trị này không dùng được"),
        ("/opinions", {"q": "a" * 201}, "dài quá 200 ký tự"),
        ("/opinions", {"cursor": "x"}, "Hãy bấm Lọc để xem lại từ đầu"),
        ("/opinions", {"author": "x"}, "điều kiện “author” mà trang này không có"),
        ("/documents", {"dated_to": "mai"}, "Ban hành đến hết ngày: đây không phải là một ngày"),
        ("/documents", {"received_from": "0001-01-01"}, "Nhận từ ngày: đây không phải là một ngày"),
        ("/documents", {"received_to": "9999-12-31T23:59:59-12:00"}, "đây không phải là một ngày"),
    ],
)
def test_a_bad_value_is_told_beside_the_form(
    client: TestClient, path: str, asked: dict[str, str], told: str
) -> None:
    answer = get(client, path, **asked)

    assert answer.status_code == 422
    assert told in words(answer)
    assert f'<form id="loc" class="panel list-filters" method="get" action="{path}"' in answer.text


def test_a_day_that_is_none_stays_in_its_field(client: TestClient) -> None:
    page = get(client, "/opinions", day_from="hôm qua", q="đường").text

    assert '<input type="text" id="o-day_from" name="day_from" value="hôm qua"' in page
    assert 'name="q" value="đường"' in page


def test_a_code_that_nothing_is_called_by_is_told_and_looked_for(client: TestClient) -> None:
    answer = get(client, "/opinions", civic_field="LV99")

    assert answer.status_code == 200
    assert "danh mục đang dùng không có mã “LV99”" in words(answer)
    assert '<option value="LV99" selected>' in answer.text


def test_markup_in_the_address_is_never_markup(client: TestClient) -> None:
    evil = "\"'><img src=x>"

    for path, name in (("/opinions", "q"), ("/opinions", "day_from"), ("/documents", evil)):
        assert "<img" not in get(client, path, **{name: evil}).text.replace('<img src="/static', "")


# what is shown


def test_without_items_the_list_says_where_they_come_from(client: TestClient) -> None:
    assert "Chưa có ý kiến nào" in words(get(client, "/opinions"))
    assert "Chưa có văn bản nào" in words(get(client, "/documents"))
    assert 'href="/upload"' in get(client, "/documents").text


def test_where_nothing_fits_the_list_says_what_to_change(client: TestClient, desk: Desk) -> None:
    keep(desk.engine, [Heard()])

    page = get(client, "/opinions", q="xyz", civic_field="LV02")

    assert "Hãy bỏ bớt một điều kiện" in words(page)
    assert 'href="/opinions?q=xyz" aria-label="Bỏ điều kiện Lĩnh vực: Môi trường' in page.text


def test_paging_keeps_the_filters_and_counts_nothing(client: TestClient, desk: Desk) -> None:
    keep(desk.engine, [Heard() for _ in range(45)])

    first = get(client, "/opinions", civic_field="LV03")
    [older] = re.findall(r'rel="next" href="([^"]*)"', first.text)
    second = client.get(unescape(older), headers=HTML)
    [oldest] = re.findall(r'rel="next" href="([^"]*)"', second.text)
    last = client.get(unescape(oldest), headers=HTML)

    assert unescape(older).startswith("/opinions?civic_field=LV03&cursor=")
    assert [len(listed(page)) for page in (first, second, last)] == [20, 20, 5]
    assert "20 mục đầu" in words(first)
    assert "20 mục tiếp theo" in words(second)
    assert "5 mục cuối" in words(last)
    assert 'href="/opinions?civic_field=LV03"' in last.text


def test_a_line_shows_what_a_clerk_looks_for(client: TestClient, desk: Desk) -> None:
    keep(desk.engine, [Heard(urgency="life_safety")])

    shown = words(get(client, "/opinions"))

    assert (
        "ý kiến 1 Đe dọa tính mạng, an toàn Giao thông, đường sá, vận tải Tiêu cực"
        " Đăng ngày 05/01/2026 demo"
    ) in shown


def test_a_document_shows_its_number_and_whether_it_waits(client: TestClient) -> None:
    upload(client, DIRECTIVE)
    upload(client, "CHỈ THỊ không có gì", name="b.txt")

    shown = words(get(client, "/documents"))

    assert "Chỉ thị 07-CT/TU Ngày 01/10/2021" in shown
    assert "Cải cách hành chính, chuyển đổi số, chỉ số hài lòng Nhận lúc" in shown
    assert "Chưa đủ căn cứ, cần người xem Nhận lúc" in shown


def test_reposts_stand_as_one_that_opens_them_all(client: TestClient, desk: Desk) -> None:
    keep(desk.engine, [Heard(), Heard(again_of=1), Heard(), Heard(again_of=1)])

    page = get(client, "/opinions")
    [link] = re.findall(r'href="(/opinions\?group=[0-9a-f]{32})"', page.text)

    assert listed(page) == [4, 3]
    assert "4 mục, mới nhận trước. Đã gộp 2 tin đăng lại" in words(page)
    assert "Đăng lại 2 lần" in words(page)
    assert listed(client.get(link, headers=HTML)) == [4, 2, 1]


def test_wards_are_those_of_the_province(client: TestClient) -> None:
    without, chosen = get(client, "/opinions"), get(client, "/opinions", province=HANOI)
    of_ward = get(client, "/opinions", ward=BA_DINH)

    assert "Chọn tỉnh, thành phố trước" in words(without)
    assert f'<option value="{BA_DINH}">Phường Ba Đình</option>' in chosen.text
    assert f'<option value="{HANOI}" selected>' in of_ward.text
    assert f'<option value="{BA_DINH}" selected>' in of_ward.text


def test_areas_are_chosen_by_name_within_their_groups(desk: Desk) -> None:
    documents = choices_of_documents(desk)["task_area"]
    opinions = choices_of_opinions(desk, province=None)["task_area"]

    assert [group.choices[0].code for group in documents] == [f"DV{i}" for i in range(1, 8)]
    assert "DV4.3" in {choice.code for group in documents for choice in group.choices}
    assert "DV4.3" not in {choice.code for group in opinions for choice in group.choices}


def test_bodies_stand_in_the_order_of_a_dictionary(desk: Desk) -> None:
    [bodies] = choices_of_opinions(desk, province=None)["body"]

    names = [choice.name for choice in bodies.choices]

    assert names.index("Cục Thuế") < names.index("Đảng ủy") < names.index("Điện lực")


def test_every_filter_of_programs_has_its_words_and_its_field(client: TestClient) -> None:
    for path, model in (("/opinions", OpinionFilter), ("/documents", DocumentFilter)):
        page = get(client, path).text

        for name in model.model_fields.keys() - {"cursor", "limit", "group"}:
            assert f'id="o-{name}"' in page, name


# htmx


def test_htmx_is_told_the_address_and_takes_what_is_told(client: TestClient) -> None:
    asked = client.get("/opinions?form=1&q=&sentiment=negative", headers={"hx-request": "true"})
    wrong = client.get("/opinions?form=1&day_from=x", headers={"hx-request": "true"})

    assert (asked.status_code, asked.headers["hx-push-url"]) == (
        200,
        "/opinions?sentiment=negative",
    )
    assert (wrong.status_code, "đây không phải là một ngày" in wrong.text) == (200, True)


# as a file


def test_a_list_is_ordered_as_a_file(client: TestClient, desk: Desk) -> None:
    keep(desk.engine, [Heard()])
    page = get(client, "/opinions", channel="phản ánh", cursor="9")
    [action] = re.findall(r'<form method="post" action="([^"]*)"', page.text)

    answer = client.post(unescape(action), data={"file_format": "xlsx"}, follow_redirects=False)

    assert unescape(action) == f"/opinions/export?{urlencode({'channel': 'phản ánh'})}"
    assert answer.status_code == 303
    job_id = answer.headers["location"].removeprefix("/jobs/").partition("?")[0]
    job = read_job(desk.engine, job_id)
    assert (job.kind, job.params["format"], job.params["with_text"]) == ("export", "xlsx", False)
    assert job.params["query"] == {"kind": "opinion", "channel": "phản ánh"}


@pytest.mark.parametrize("asked", ["day_from=x", f"group={1:032x}", "papi=D7"])
def test_what_no_file_can_hold_leads_back_to_the_list(client: TestClient, asked: str) -> None:
    answer = client.post(
        f"/opinions/export?{asked}", data={"file_format": "csv"}, follow_redirects=False
    )

    assert (answer.status_code, answer.headers["location"]) == (303, f"/opinions?{asked}")


def test_documents_are_ordered_as_a_file(client: TestClient, desk: Desk) -> None:
    answer = client.post(
        f"/documents/export?q={quote('đất đai')}",
        data={"file_format": "csv"},
        follow_redirects=False,
    )

    job_id = answer.headers["location"].removeprefix("/jobs/").partition("?")[0]
    query = read_job(desk.engine, job_id).params["query"]
    assert query == {"intake": "document", "text": "đất đai"}


@pytest.mark.usefixtures("quick_passwords")
@pytest.mark.parametrize(("role", "n_forms", "status"), [("analyst", 1, 303), ("reader", 0, 403)])
def test_a_file_is_offered_to_who_may_order_it(
    settings: Settings, pipeline: RulePipeline, role: Role, n_forms: int, status: int
) -> None:
    closed = settings.model_copy(update={"access": "keys"})
    app = create_app(closed, pipeline=cast(Pipeline, pipeline))
    engine, now = app.state.desk.engine, datetime.now(UTC)
    auth.add_staff(engine, "lan", role=role, by=CONSOLE, now=now, password=PASSWORD)
    keep(engine, [Heard()])
    with TestClient(app, follow_redirects=False) as client:
        client.post("/sign-in", data={"name": "lan", "password": PASSWORD}, headers=HTML)
        page = client.get("/opinions", headers=HTML).text
        [token] = set(re.findall(r'name="csrf" value="([^"]+)"', page))

        sent = {"file_format": "csv", "csrf": token}
        answer = client.post("/opinions/export", data=sent, headers=HTML)

    assert page.count('action="/opinions/export"') == n_forms
    assert page.count('name="csrf"') == n_forms + 1  # the other is the one that signs out
    assert answer.status_code == status


# below the page


def test_a_group_is_found_by_any_of_its_items(engine: sa.Engine) -> None:
    keep(engine, [Heard(), Heard(again_of=1), Heard()])

    for seq in (1, 2):
        found = list_items(engine, Query(kind="opinion", group=f"{seq:032x}"))
        assert [int(item.id, 16) for item in found.items] == [2, 1]
    assert list_items(engine, Query(kind="opinion", group="0" * 32)).items == ()


def test_reposts_are_counted_up_to_a_thousand(engine: sa.Engine) -> None:
    keep(engine, [Heard(), Heard(), Heard(again_of=2)])
    add_traits(engine, range(4, 1005), day=MONDAY)
    with writing(engine) as connection:
        connection.execute(traits.update().where(traits.c.seq > 3).values(group_seq=1))

    found = read_trait_summaries(engine, [f"{seq:032x}" for seq in (1, 2, 3, 9)])

    told = {int(item, 16): (own.n_reposts, own.has_more) for item, own in found.items()}
    assert told == {1: (1000, True), 2: (1, False), 3: (1, False)}


def test_a_filter_without_words_asks_for_everything() -> None:
    asked = read_filter(OpinionFilter, {}, path="/opinions", choices={})

    assert (asked.filter, asked.address(), asked.chips) == (
        OpinionFilter.model_validate({}),
        "/opinions",
        (),
    )

"""Báo cáo: the form keeps what was typed, the page shows the report, files are those of the page."""

import io
import re
from datetime import date, timedelta
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import docx
import openpyxl
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from service.actions import Desk
from tests.service import html
from tests.service.heard import Heard, add_traits, keep
from tests.service.shelf import Shelf

HTML = {"accept": "text/html"}
DECEMBER = date(2025, 12, 3)  # the clock of the tests stands in January 2026
WARD = ("ward", "00004")


@pytest.fixture
def heard(desk: Desk) -> None:
    kinds = [
        Heard(day=DECEMBER, fields=("LV03",), places=(WARD,)),
        Heard(day=DECEMBER + timedelta(days=1), fields=("LV05",), sentiment="positive"),
    ]
    keep(desk.engine, [kind for kind in kinds for _ in range(30)])


def get(client: TestClient, path: str = "/reports", **asked: str | list[str]) -> Response:
    """The form with the report in it, as who has no script sees it; or another path."""
    whole = {"whole": "1"} if path == "/reports" else {}
    return client.get(f"{path}?{urlencode(whole | asked, doseq=True)}", headers=HTML)


def follow(client: TestClient, page: Response) -> Response:
    """The report that a page with the form alone loads into itself."""
    [address] = re.findall(r'hx-get="(/reports/figures\?[^"]*)"', page.text)
    return client.get(unescape(address), headers=HTML | {"hx-request": "true"})


def words(answer: Response) -> str:
    return html.words(answer.text)


def field_of(answer: Response, name: str) -> str:
    [value] = re.findall(rf'<input[^>]*name="{name}" value="([^"]*)"', answer.text)
    return unescape(value)


@pytest.mark.usefixtures("heard")
def test_the_page_shows_the_last_month_without_script(client: TestClient) -> None:
    shown = words(get(client))

    assert "tổng hợp ý kiến người dân tháng 12 năm 2025" in shown
    assert "khoảng 60 ý kiến" in shown
    assert "không phải điều tra" in shown
    assert "Nhãn do máy gợi ý" in shown


@pytest.mark.usefixtures("heard")
def test_the_form_comes_first_and_the_report_after_it(client: TestClient) -> None:
    address = "/reports?stretch=last_month&ward=00004&signer=An&form_sent=1&part=fields&part=places"
    page = client.get(address, headers=HTML)

    figures = follow(client, page)

    assert page.status_code == figures.status_code == 200
    assert "khoảng 30 ý kiến" not in words(page)
    assert "Đang lập báo cáo" in words(page)
    assert '<article class="report" id="bao-cao">' in figures.text
    assert "Xã, phường: Phường Ba Đình, Hà Nội" in words(figures)
    sections = re.findall(r'<h3 id="phan-(\w+)"', figures.text)
    assert sections == ["received", "fields", "places", "method"]
    [back] = re.findall(r'<a href="(/reports\?[^"]*)">Bỏ giới hạn này', figures.text)
    assert parse_qs(urlsplit(unescape(back)).query)["signer"] == ["An"]


@pytest.mark.usefixtures("heard")
def test_who_has_no_script_finds_the_same_report_behind_a_link(client: TestClient) -> None:
    page = client.get("/reports?stretch=last_month&signer=An", headers=HTML)
    [link] = re.findall(r'<a href="(/reports\?[^"]*whole=1[^"]*)"', page.text)

    whole = client.get(unescape(link), headers=HTML)

    assert "khoảng 60 ý kiến" in words(whole)
    assert "hx-get" not in whole.text
    assert '<input type="hidden" name="whole" value="1">' in whole.text  # the next one comes so too
    assert field_of(whole, "signer") == "An"


@pytest.mark.usefixtures("heard")
def test_what_follows_from_the_report_comes_with_it(client: TestClient) -> None:
    figures = follow(client, client.get("/reports", headers=HTML)).text

    assert 'hx-swap-oob="innerHTML:#bao-cao-tin"' in figures
    assert 'formaction="/reports/report.docx" form="bao-cao-form"' in figures


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("ward", ["", "Phường Không Có"])
def test_the_wards_that_opinions_name_are_offered_at_once(client: TestClient, ward: str) -> None:
    page = client.get("/reports", params={"ward": ward}, headers=HTML).text

    [names] = re.findall(r'<datalist id="o-ward-goi-y">(.*?)</datalist>', page)
    assert names == '<option value="Phường Ba Đình, Hà Nội"></option>'


def test_a_ward_that_too_few_opinions_name_is_not_offered(client: TestClient, desk: Desk) -> None:
    keep(desk.engine, [Heard(day=DECEMBER, places=(WARD,))] * 4)

    page = client.get("/reports", headers=HTML).text

    assert '<datalist id="o-ward-goi-y"></datalist>' in page


def test_the_days_of_each_stretch_stand_beside_it(client: TestClient) -> None:
    page = client.get("/reports", headers=HTML).text

    choices = page[page.index('<select id="o-stretch"') :].partition("</select>")[0]
    assert re.findall(r"<option[^>]*>([^<]*)</option>", choices) == [
        "Tháng trước: 01/12–31/12/2025",
        "Tháng này: 01/01–05/01",
        "Tuần trước: 29/12/2025–04/01",
        "Tuần này: 05/01",
        "Quý trước: 01/10–31/12/2025",
        "Quý này: 01/01–05/01",
        "Theo ngày tự chọn",
    ]


@pytest.mark.usefixtures("heard")
def test_a_number_opens_its_opinions(client: TestClient) -> None:
    page = get(client).text

    [link] = re.findall(r'<a class="figure" href="(/opinions\?civic_field=LV03[^"]*)"', page)[:1]
    assert client.get(unescape(link), headers=HTML).status_code == 200


@pytest.mark.usefixtures("heard")
def test_a_name_leads_to_the_report_of_it_alone_and_back(client: TestClient) -> None:
    page = get(client, stretch="last_month", signer="Trưởng ban").text
    [link] = re.findall(r'<a href="(/reports\?[^"]*ward=00004[^"]*)"', page)

    alone = client.get(unescape(link), headers=HTML)

    assert "Xã, phường: Phường Ba Đình, Hà Nội" in words(alone)
    assert "khoảng 30 ý kiến" in words(alone)
    assert field_of(alone, "signer") == "Trưởng ban"
    [back] = re.findall(r'<a href="(/reports\?[^"]*)">Bỏ giới hạn này', alone.text)
    assert "ward" not in parse_qs(urlsplit(unescape(back)).query)


def test_a_period_without_opinions_says_what_to_do(client: TestClient) -> None:
    shown = words(get(client, stretch="last_quarter"))

    assert "Kỳ này có quá ít ý kiến để nêu số" in shown
    assert "Hãy chọn kỳ dài hơn" in shown


@pytest.mark.parametrize(
    ("asked", "place", "told"),
    [
        ({"from": "2026-01-05"}, "from", "Hãy điền cả hai ô"),
        ({"from": "2026-01-05", "to": "2026-01-04"}, "to", "đang trước"),
        ({"from": "mai", "to": "2026-01-04"}, "from", "Ngày không hợp lệ"),
        ({"stretch": "days"}, "from", "Hãy điền cả hai ô"),
        ({"ward": "Phường Không Có"}, "ward", "Không có địa bàn"),
        ({"ward": "Bà Đính, Ha Noii"}, "ward", "Gần giống: Phường Ba Đình, Hà Nội"),
        ({"ward": "Xã Tân Tiến"}, "ward", "Hãy ghi thêm tỉnh, thành phố"),
        ({"civic_field": "LV99"}, "civic_field", "Lựa chọn này không có"),
    ],
)
@pytest.mark.parametrize(
    ("path", "whole"), [("/reports", ""), ("/reports", "1"), ("/reports/report.docx", "")]
)
def test_what_cannot_be_read_is_told_and_the_form_stays(
    client: TestClient, asked: dict[str, str], place: str, told: str, path: str, whole: str
) -> None:
    answer = get(client, path, signer="Trưởng ban", whole=whole, **asked)

    assert answer.status_code == 422
    assert f'href="#o-{place}"' in answer.text
    assert f'id="o-{place}"' in answer.text
    assert told in words(answer)
    assert field_of(answer, "signer") == "Trưởng ban"
    assert "hx-get" not in answer.text


def test_figures_of_a_wrong_form_say_what_is_wrong(client: TestClient) -> None:
    answer = get(client, "/reports/figures", stretch="days")

    assert answer.status_code == 422
    assert "data-fault" in answer.text
    assert "Hãy điền cả hai ô" in words(answer)


def test_a_day_that_is_filled_in_is_meant(client: TestClient) -> None:
    asked = {"from": "2025-12-01", "to": "2025-12-07"}
    answer = get(client, stretch="last_week", **asked)

    assert "từ ngày 01/12/2025 đến hết ngày 07/12/2025" in words(answer)
    assert '<option value="days" selected>' in answer.text


def test_parts_that_are_not_ticked_are_left_out(client: TestClient) -> None:
    usual, chosen, none = (
        get(client).text,
        get(client, form_sent="1", part="fields").text,
        get(client, form_sent="1").text,
    )

    sections = r'<h3 id="phan-(\w+)"'
    assert "examples" not in re.findall(sections, usual)
    assert re.findall(sections, chosen) == ["received", "fields", "method"]
    assert re.findall(sections, none) == ["received", "method"]


@pytest.mark.usefixtures("heard")
def test_files_bear_what_was_asked(client: TestClient) -> None:
    asked = {"stretch": "last_month", "form": "party", "body_name": "Ban Dân vận", "number": "7"}

    files = {end: get(client, f"/reports/report.{end}", **asked) for end in ("docx", "xlsx", "csv")}

    assert {answer.status_code for answer in files.values()} == {200}
    for ending, answer in files.items():
        name = f'attachment; filename="bao-cao-2025-12-01-2025-12-31.{ending}"'
        assert answer.headers["content-disposition"] == name
    head = docx.Document(io.BytesIO(files["docx"].content)).tables[0]
    told = " ".join(cell.text for cell in head.rows[0].cells)
    assert "BAN DÂN VẬN" in told
    assert "Số 7-BC/……" in told
    assert "ĐẢNG CỘNG SẢN VIỆT NAM" in told
    assert len(openpyxl.load_workbook(io.BytesIO(files["xlsx"].content)).sheetnames) > 5
    assert files["csv"].content.startswith(b"\xef\xbb\xbf")


def test_another_kind_of_file_is_refused(client: TestClient) -> None:
    assert client.get("/reports/report.exe", headers=HTML).status_code == 422


@pytest.mark.usefixtures("heard")
def test_who_took_a_file_is_in_the_access_log(client: TestClient) -> None:
    get(client)
    get(client, "/reports/report.csv")

    [line] = client.get("/v1/access-log").json()["items"]
    assert (line["action"], line["subject"]) == ("report.fetched", "2025-12-01:2026-01-01:csv")


def test_quotes_are_shown_when_asked_for_masked_and_noted(client: TestClient, desk: Desk) -> None:
    shelf = Shelf(desk.engine)
    shelf.store(*(f"đường trước nhà hỏng đã ba tháng nay, số {n}" for n in range(12)))
    add_traits(desk.engine, [shelf.seq(n) for n in shelf.texts], day=DECEMBER)

    asked = {"form_sent": "1", "part": ["fields", "examples"]}
    page = client.get(f"/reports?{urlencode(asked, doseq=True)}", headers=HTML)
    assert client.get("/v1/access-log").json()["items"] == []  # the form alone quotes nothing
    quoted = follow(client, page)

    assert quoted.text.count("<q>") == 5
    assert 'href="/opinions/0000' in quoted.text
    [line] = client.get("/v1/access-log").json()["items"]
    assert line["subject"] == "2025-12-01:2026-01-01:page:quotes"


def test_what_is_typed_is_never_markup(client: TestClient) -> None:
    evil = "\"'><script>alert(1)</script>"

    page = get(client, ward=evil, signer=evil, source=evil, **{"from": evil})

    assert "<script>alert" not in page.text
    assert evil in unescape(page.text)


def test_the_letterhead_is_stored_nowhere(client: TestClient, desk: Desk) -> None:
    get(client, "/reports/report.docx", signer="Chủ tịch Không Ai Biết")

    with desk.engine.connect() as connection:
        script = connection.connection.driver_connection.iterdump()  # type: ignore[union-attr]
        assert "Không Ai Biết" not in "\n".join(script)

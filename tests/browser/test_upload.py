"""Many files in a real browser: each in its row, and none lost when the line or the server gives way."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from playwright.sync_api import Browser, Dialog, FilePayload, Page, Route, expect

from nlp.pipeline import Pipeline
from service.app import create_app
from service.settings import Settings
from tests.browser.conftest import CHROMIUM, serving
from tests.service.rules import RulePipeline

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/danvan.db")
    app = create_app(settings, pipeline=cast(Pipeline, RulePipeline()))
    with serving(app) as address:
        context = browser.new_context(viewport={"width": 360, "height": 800}, base_url=address)
        page = context.new_page()
        page.goto("/upload")
        yield page
        context.close()


def files(n: int) -> list[FilePayload]:
    return [
        FilePayload(name=f"{i}.txt", mimeType="text/plain", buffer=f"CHỈ THỊ số {i}".encode())
        for i in range(n)
    ]


def send(page: Page, payloads: list[FilePayload]) -> None:
    page.set_input_files("#tep", payloads)
    page.get_by_role("button", name="Phân tích tệp").click()


def test_each_of_many_files_is_told_and_the_list_can_be_saved(page: Page) -> None:
    bad = FilePayload(name="hong.docx", mimeType="", buffer=b"no zip")
    twin = FilePayload(name="ban-sao.md", mimeType="", buffer="CHỈ THỊ số 1\n".encode())

    send(page, [*files(6), bad])
    expect(page.locator(".sum")).to_have_text("7 trên 7 tệp: 6 xong, 1 lỗi")
    send(page, [twin])
    expect(page.locator(".sum")).to_have_text("8 trên 8 tệp: 6 xong, 1 trùng, 1 lỗi")
    page.get_by_label("Chỉ hiện tệp cần xem").check()

    expect(page.locator(".rows li:visible .name")).to_have_text(["hong.docx"])
    expect(
        page.get_by_text("1 tệp chưa nhận được, gửi lại như cũ cũng không được.")
    ).to_be_visible()
    expect(page.get_by_role("button", name="Gửi lại")).to_have_count(0)  # it would be refused again
    with page.expect_download() as saved:
        page.get_by_role("button", name="Lưu danh sách").click()
    table = list(csv.reader(io.StringIO(saved.value.path().read_text("utf-8-sig"))))
    assert table[0] == ["Tệp", "Kết quả", "Chi tiết", "Đường dẫn"]
    assert table[1][:2] == ["0.txt", "Xong"]
    assert table[7][1] == "Chưa nhận"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_an_archive_of_which_some_was_not_read_is_among_what_is_to_be_seen(page: Page) -> None:
    broken = (
        '<div class="outcome" data-state="partial"><span class="badge warn">Cần xem</span> '
        '<a href="/jobs/1">Gói tệp: 18 xong, 2 lỗi</a></div>'
    )
    whole = FilePayload(name="1.txt", mimeType="text/plain", buffer="CHỈ THỊ".encode())
    packed = FilePayload(name="goi.zip", mimeType="application/zip", buffer=b"PK")

    def answer(route: Route) -> None:
        if b'"goi.zip"' in (route.request.post_data_buffer or b""):
            route.fulfill(status=200, content_type="text/html; charset=utf-8", body=broken)
        else:
            route.continue_()

    page.route("**/documents", answer)

    send(page, [whole, packed])

    expect(page.locator(".sum")).to_have_text("2 trên 2 tệp: 1 xong, 1 gói có tệp lỗi")
    page.get_by_label("Chỉ hiện tệp cần xem").check()
    expect(page.locator(".rows li:visible .name")).to_have_text(["goi.zip"])


def test_nothing_is_lost_when_the_line_breaks_or_the_server_says_to_wait(page: Page) -> None:
    answers = iter(["broken", "429", "401", "500"])

    def fail(route: Route) -> None:
        answer = next(answers, "")
        if answer == "broken":
            route.abort("connectionreset")
        elif answer:
            route.fulfill(status=int(answer), headers={"retry-after": "1"}, body="")
        else:
            route.continue_()

    page.route("**/documents", fail)

    send(page, files(5))
    page.get_by_role("button", name="Gửi tiếp").click()
    expect(page.locator(".sum")).to_have_text("5 trên 5 tệp: 4 xong, 1 lỗi", timeout=20_000)
    page.get_by_role("button", name="Gửi lại 1 tệp").click()

    expect(page.locator(".sum")).to_have_text("5 trên 5 tệp: 5 xong")


def test_two_files_are_sent_at_a_time_and_leaving_meanwhile_asks_first(page: Page) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.route("**/documents", lambda route: None)  # never answered
    send(page, files(3))
    expect(page.get_by_text("Chờ gửi")).to_have_count(1)

    page.evaluate("location.assign('/')")
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Dừng gửi").click()

    assert asked == ["beforeunload"]
    expect(page.get_by_text("Chưa gửi", exact=True)).to_have_count(1)

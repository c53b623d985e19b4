"""Báo cáo in a real browser, on a phone: choose days, look, take a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import docx
import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from nlp.pipeline import Pipeline
from service.app import create_app
from service.settings import Settings
from tests.browser.conftest import CHROMIUM, serving, silent
from tests.service.heard import MONDAY, Heard, keep
from tests.service.rules import RulePipeline

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


PHONE: ViewportSize = {"width": 360, "height": 800}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("reports")
    settings = Settings(database_url=f"sqlite:///{folder}/danvan.db", access="open")
    app = create_app(settings, pipeline=cast(Pipeline, RulePipeline()))
    keep(app.state.desk.engine, [Heard(fields=("LV03",), day=MONDAY)] * 30)
    with serving(app) as address:
        yield address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The report of the last month; its console must stay silent."""
    with silent(browser, address, viewport=PHONE) as page:
        page.goto("/reports")
        yield page


def test_days_are_chosen_and_the_same_report_is_taken(page: Page, tmp_path: Path) -> None:
    page.get_by_label("Từ ngày").fill("2026-01-01")
    page.get_by_label("Đến hết ngày").fill("2026-01-31")
    expect(page.get_by_label("Kỳ báo cáo")).to_have_value("days")
    page.get_by_text("Thể thức văn bản Word").click()
    page.get_by_label("Cơ quan ban hành").fill("Ban Dân vận")

    page.get_by_role("button", name="Xem báo cáo").click()
    expect(page.locator("#bao-cao")).to_contain_text("khoảng 30 ý kiến")
    with page.expect_download() as taken:
        page.get_by_role("button", name="Văn bản Word").first.click()

    assert taken.value.suggested_filename == "bao-cao-2026-01-01-2026-01-31.docx"
    file = tmp_path / "a.docx"
    taken.value.save_as(file)
    assert "BAN DÂN VẬN" in docx.Document(str(file)).tables[0].rows[0].cells[0].text
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_report_is_told_to_have_come_and_its_charts_are_drawn(page: Page) -> None:
    page.goto("/reports?from=2026-01-01&to=2026-01-31")

    expect(page.get_by_role("status").nth(1)).to_have_text(
        "Báo cáo đã lập xong: Tình hình tiếp nhận, tổng hợp ý kiến người dân "
        "từ ngày 01/01/2026 đến hết ngày 31/01/2026."
    )
    expect(page.locator("[data-chart] .canvas canvas")).to_have_count(2)
    expect(page.locator("form ~ article.report ~ .actions button")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_report_that_cannot_be_made_is_no_longer_awaited(browser: Browser, address: str) -> None:
    page = browser.new_page(base_url=address)
    page.route("**/reports/figures*", lambda route: route.abort())

    page.goto("/reports")

    expect(page.locator("#bao .failed")).to_be_visible()
    expect(page.get_by_text("Đang lập báo cáo")).to_have_count(0)
    expect(page.get_by_role("link", name="Mở trang có sẵn báo cáo")).to_be_visible()
    page.context.close()


def test_without_script_a_link_leads_to_reports_that_are_whole(
    browser: Browser, address: str
) -> None:
    with silent(browser, address, viewport=PHONE, java_script_enabled=False) as page:
        page.goto("/reports?from=2026-01-01&to=2026-01-31")
        page.get_by_role("link", name="Mở trang có sẵn báo cáo").click()
        expect(page.locator("#bao-cao")).to_contain_text("khoảng 30 ý kiến")

        page.get_by_role("button", name="Xem báo cáo").click()
        expect(page.locator("#bao-cao")).to_contain_text("khoảng 30 ý kiến")


def test_another_stretch_empties_the_days(page: Page) -> None:
    page.get_by_label("Từ ngày").fill("2026-01-01")

    page.get_by_label("Kỳ báo cáo").select_option("last_week")

    expect(page.get_by_label("Từ ngày")).to_have_value("")

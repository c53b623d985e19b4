"""Báo cáo in a real browser, on a phone: choose days, look, take a file."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import docx
import pytest
from playwright.sync_api import Browser, Page, expect

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


@pytest.fixture
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The report of the last month; its console must stay silent."""
    folder = tmp_path_factory.mktemp("reports")
    settings = Settings(database_url=f"sqlite:///{folder}/danvan.db", access="open")
    app = create_app(settings, pipeline=cast(Pipeline, RulePipeline()))
    keep(app.state.desk.engine, [Heard(fields=("LV03",), day=MONDAY)] * 30)
    phone = {"width": 360, "height": 800}
    with serving(app) as address, silent(browser, address, viewport=phone) as page:
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


def test_another_stretch_empties_the_days(page: Page) -> None:
    page.get_by_label("Từ ngày").fill("2026-01-01")

    page.get_by_label("Kỳ báo cáo").select_option("last_week")

    expect(page.get_by_label("Từ ngày")).to_have_value("")

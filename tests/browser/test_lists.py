"""The lists in a real browser: they follow the form, keep the focus, and work without script."""

from collections.abc import Iterator
from datetime import timedelta
from typing import cast

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
OPINIONS = [
    Heard(places=(("ward", "00004"),)),
    Heard(sentiment="positive", day=MONDAY + timedelta(1)),
    Heard(fields=("LV02",), day=MONDAY + timedelta(2)),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("lists")
    settings = Settings(database_url=f"sqlite:///{folder}/danvan.db", access="open")
    app = create_app(settings, pipeline=cast(Pipeline, RulePipeline()))
    keep(app.state.desk.engine, OPINIONS)
    with serving(app) as address:
        yield address


@pytest.fixture(params=[1280, 360], ids=["desk", "phone"])
def page(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The list of opinions; its console must stay silent."""
    with silent(browser, address, viewport={"width": request.param, "height": 900}) as page:
        page.goto("/opinions")
        yield page


def test_the_list_follows_the_form_and_the_address_says_so(page: Page, address: str) -> None:
    page.get_by_label("Cảm xúc").select_option(label="Tích cực")

    expect(page.locator("#danh-sach li")).to_have_count(1)
    expect(page.locator("#dem")).to_have_text("1 mục, mới nhận trước")
    expect(page).to_have_url(f"{address}/opinions?sentiment=positive")
    page.get_by_role("link", name="Bỏ điều kiện Cảm xúc").click()
    expect(page.locator("#danh-sach li")).to_have_count(3)


def test_the_wards_follow_the_province_while_words_are_typed(page: Page, address: str) -> None:
    page.get_by_text("Thêm điều kiện").click()
    page.get_by_label("Tỉnh, thành phố").select_option(label="Thành phố Hà Nội")
    page.get_by_label("Xã, phường").select_option(label="Phường Ba Đình")

    expect(page).to_have_url(f"{address}/opinions?ward=00004")
    page.get_by_role("searchbox").press_sequentially("khong co", delay=20)

    expect(page.get_by_text("Hãy bỏ bớt một điều kiện")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.get_by_role("searchbox")).to_have_value("khong co")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert page.viewport_size is not None
    assert width <= page.viewport_size["width"]


def test_the_list_is_filtered_without_script(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=address)
    page = context.new_page()
    page.goto("/opinions")

    page.get_by_label("Lĩnh vực").select_option("LV02")
    page.get_by_label("Đến hết ngày", exact=True).fill("2026-01-07")
    page.get_by_role("button", name="Lọc").click()

    page.wait_for_url("**/opinions?civic_field=LV02&day_to=2026-01-08")
    expect(page.locator("#danh-sach li")).to_have_count(1)
    context.close()

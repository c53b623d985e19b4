"""Duyệt by the keyboard alone, in a real browser."""

from collections.abc import Iterator
from typing import cast

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from nlp.pipeline import Pipeline
from service.app import create_app
from service.settings import Settings
from tests.browser.conftest import CHROMIUM, serving, silent
from tests.service.rules import RulePipeline

TEXTS = ("nước yếu", "đèn tắt", "chợ ồn", "cây đổ")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@pytest.fixture
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The queue of fields, on a phone; its console must stay silent."""
    folder = tmp_path_factory.mktemp("review")
    settings = Settings(database_url=f"sqlite:///{folder}/danvan.db", access="open")
    with serving(create_app(settings, pipeline=cast(Pipeline, RulePipeline()))) as address:
        rows = [{"source": "demo", "external_id": text, "text": text} for text in TEXTS]
        httpx2.post(f"{address}/v1/opinions", json=rows).raise_for_status()
        with silent(browser, address, viewport={"width": 360, "height": 800}) as page:
            page.goto("/review?facet=civic_field")
            yield page


def test_a_queue_is_worked_through_by_keys(page: Page) -> None:
    text, last = page.locator(".review-words"), page.locator(".review-last strong")
    expect(text).to_have_text("cây đổ")

    page.keyboard.press("1")
    expect(text).to_have_text("chợ ồn")
    expect(last).to_have_text("Giao thông, đường sá, vận tải")
    page.keyboard.press("Space")
    expect(text).to_have_text("đèn tắt")
    page.keyboard.press("0")
    expect(text).to_have_text("nước yếu")
    page.keyboard.press("z")
    expect(text).to_have_text("đèn tắt")
    page.keyboard.press("z")
    expect(text).to_have_text("cây đổ")

    expect(page.locator("#cau-hoi")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_any_category_is_found_without_marks_and_keys_rest_while_typing(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("y te")
    expect(page.locator("#danh-muc-1")).to_have_value("LV06")
    page.keyboard.type("1 z")

    expect(page.locator(".review-words")).to_have_text("cây đổ")
    expect(page.locator("[data-found]")).not_to_be_empty()
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")

    expect(page.locator(".review-last strong")).to_have_text("Y tế, an toàn thực phẩm")


@pytest.mark.parametrize("width", [360, 1280])
def test_the_table_of_keys_is_seen_when_it_is_asked_for(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.keyboard.press("?")

    expect(page.locator("#phim")).to_be_in_viewport(ratio=0.99)


def test_keys_can_be_turned_off_for_good(page: Page) -> None:
    page.keyboard.press("?")
    page.get_by_label("Dùng phím tắt").click()
    page.reload()
    page.locator("h1").click()
    page.keyboard.press("1")

    page.wait_for_timeout(300)
    expect(page.locator(".review-words")).to_have_text("cây đổ")
    expect(page.locator(".review-last")).to_have_count(0)

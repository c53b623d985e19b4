"""The pages in a real browser, served by a real server."""

from collections.abc import Iterator
from typing import cast

import pytest
from playwright.sync_api import (
    Browser,
    FilePayload,
    Page,
    expect,
)

from nlp.pipeline import Pipeline
from service.app import create_app
from service.settings import Settings
from tests.browser.conftest import CHROMIUM, serving, silent
from tests.service.rules import RulePipeline

DIRECTIVE = """THÀNH ỦY
CHỈ THỊ
về nâng cao chất lượng tiếp công dân

Công tác tiếp công dân đạt nhiều kết quả.
Tuy nhiên, thủ tục hành chính ở một số nơi còn rườm rà.
Thành ủy yêu cầu các cấp rút ngắn thời gian giải quyết.
"""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("browser")
    settings = Settings(database_url=f"sqlite:///{folder}/danvan.db")
    app = create_app(settings, pipeline=cast(Pipeline, RulePipeline()))
    with serving(app) as address:
        yield address


@pytest.fixture(params=[1280, 360], ids=["desk", "phone"])
def page(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A first page whose console must stay silent: a violated CSP would be told there."""
    with silent(browser, address, viewport={"width": request.param, "height": 900}) as page:
        page.goto("/upload")
        yield page


def upload(page: Page) -> None:
    file = FilePayload(name="chi-thi.txt", mimeType="text/plain", buffer=DIRECTIVE.encode())
    page.set_input_files("#tep", [file])
    page.get_by_role("button", name="Phân tích tệp").click()
    page.wait_for_url("**/documents/*")


def test_a_label_lights_its_words(page: Page) -> None:
    upload(page)

    page.get_by_role("link", name="Cải cách hành chính").click()

    page.wait_for_selector("mark")
    assert page.locator("mark").all_inner_texts() == ["thủ tục hành chính"]
    expect(page.locator("mark")).to_be_in_viewport()


def test_a_label_works_by_keyboard_and_keeps_the_focus(page: Page) -> None:
    upload(page)
    page.get_by_role("link", name="Tiếp công dân").focus()

    page.keyboard.press("Enter")
    page.wait_for_selector("mark")
    page.keyboard.press("Enter")

    page.wait_for_selector("mark", state="detached")


def test_the_chosen_file_is_named_in_the_form(page: Page) -> None:
    file = FilePayload(name="bao-cao.txt", mimeType="text/plain", buffer=b"a")

    page.set_input_files("#tep", [file])

    assert page.locator("[data-file-name]").inner_text() == "bao-cao.txt"


def test_an_opinion_is_pasted_and_read(page: Page) -> None:
    page.get_by_label("Nội dung ý kiến").fill("Đường hỏng, gọi 0912345678")
    page.get_by_role("button", name="Phân tích ý kiến").click()

    page.get_by_role("link", name="Tiêu cực").click()

    page.wait_for_selector("mark")
    assert page.locator("mark").inner_text() == "hỏng"
    assert "••••••••••" in page.locator(".text").inner_text()


def test_nothing_is_wider_than_the_screen(page: Page) -> None:
    upload(page)

    width = page.evaluate("document.documentElement.scrollWidth")

    assert page.viewport_size is not None
    assert width <= page.viewport_size["width"]


def test_the_pages_work_without_script(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=address)
    page = context.new_page()
    page.goto("/upload")
    upload(page)

    page.get_by_role("link", name="Cải cách hành chính").click()

    page.wait_for_url("**show=task_area*")
    assert page.locator("mark").all_inner_texts() == ["thủ tục hành chính"]
    context.close()

"""The page of one item in a real browser: labels put right without leaving it, evidence on the picture."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect

from nlp.pipeline import Pipeline
from service.actions import Desk, Upload, store_document
from service.app import create_app
from service.opinions import store_pasted
from service.settings import Settings
from tests import rendered
from tests.browser.conftest import CHROMIUM, serving, silent
from tests.service.rules import RulePipeline

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    folder = tmp_path_factory.mktemp("item")
    settings = Settings(database_url=f"sqlite:///{folder}/danvan.db", access="open")
    return create_app(settings, pipeline=cast(Pipeline, RulePipeline()))


@pytest.fixture(scope="module")
def address(app: FastAPI) -> Iterator[str]:
    with serving(app) as address:
        yield address


@pytest.fixture(params=[1280, 360], ids=["desk", "phone"])
def page(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page whose console must stay silent."""
    with silent(browser, address, viewport={"width": request.param, "height": 900}) as page:
        yield page


def violations(page: Page) -> list[str]:
    # evaluated by the debugger, which the page's policy does not bind
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = json.loads(
        page.evaluate("async () => JSON.stringify(await axe.run(document))")
    )
    return [f"{rule['id']}: {rule['nodes'][0]['html']}" for rule in found["violations"]]


def test_a_label_is_put_right_and_taken_back_on_the_page(app: FastAPI, page: Page) -> None:
    desk: Desk = app.state.desk
    stored = store_pasted(desk, f"Đường hỏng, rộng {page.viewport_size}")
    path = f"/opinions/{stored.id}"
    page.goto(path)
    facet = page.locator("#phan-civic_field")

    facet.get_by_role("button", name="Sửa").click()
    expect(page.locator("#sua-gi")).to_be_focused()
    assert violations(page) == []
    facet.get_by_role("button", name="Môi trường").click()

    expect(facet.locator("h2")).to_contain_text("người đã sửa")
    expect(facet.locator("h2")).to_be_focused()
    expect(page.locator("#bao")).to_have_text("Đã sửa nhãn.")
    assert page.url.endswith(path)
    assert violations(page) == []

    facet.get_by_role("button", name="Lấy lại như cũ").click()

    expect(facet.locator("h2")).to_contain_text("máy gợi ý")
    expect(page.locator("#bao")).to_have_text("Đã lấy lại như cũ.")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert page.viewport_size is not None
    assert width <= page.viewport_size["width"]


def test_a_reader_in_the_middle_of_a_long_text_stays_there_while_putting_a_label_right(
    app: FastAPI, page: Page
) -> None:
    text = "CHỈ THỊ\nvề thủ tục hành chính, tiếp công dân\n" + "Các cấp ủy thực hiện.\n\n" * 300
    upload = Upload(f"{text}{page.viewport_size}".encode(), "dai.txt", "official")
    stored, _ = store_document(app.state.desk, upload)
    page.goto(f"/documents/{stored.id}")
    facet = page.locator("#phan-task_area")
    begin = facet.get_by_role("button", name="Sửa")
    page.evaluate("window.scrollTo(0, 600)")
    if page.viewport_size == {"width": 360, "height": 900}:
        begin.scroll_into_view_if_needed()  # there the labels stand above the text
    place = page.evaluate("window.scrollY")

    begin.click()

    expect(page.locator("#sua-gi")).to_be_focused()
    expect(page.locator("#sua-gi")).to_be_in_viewport()
    assert abs(page.evaluate("window.scrollY") - place) <= 2

    facet.get_by_role("button", name="Đúng là").or_(facet.locator(".guesses button")).first.click()

    expect(facet.locator("h2")).to_be_focused()
    expect(facet.locator("h2")).to_be_in_viewport()
    expect(facet.locator(".told")).to_be_in_viewport()
    assert abs(page.evaluate("window.scrollY") - place) <= 2


def test_evidence_is_lit_on_the_picture_of_its_page(app: FastAPI, page: Page) -> None:
    upload = Upload(rendered.directive_pdf(), "chi-thi.pdf", "official")
    stored, _ = store_document(app.state.desk, upload)
    page.goto(f"/documents/{stored.id}")

    page.locator("#phan-task_area .lit-link").first.click()

    expect(page.locator("#ban-goc rect").first).to_be_visible()
    box = page.locator("#ban-goc rect").first.bounding_box()
    picture = page.locator("#ban-goc .picture:has(rect)").first.bounding_box()
    assert box is not None
    assert picture is not None
    assert picture["x"] <= box["x"] + 2
    assert box["x"] + box["width"] <= picture["x"] + picture["width"] + 2
    assert violations(page) == []
    width = page.evaluate("document.documentElement.scrollWidth")
    assert page.viewport_size is not None
    assert width <= page.viewport_size["width"]

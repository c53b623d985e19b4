"""Quản trị with a real browser, which judges patterns and whether words fit."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from playwright.sync_api import Browser, Page

from nlp.pipeline import Pipeline
from service.app import create_app
from service.settings import Settings
from tests.browser.conftest import CHROMIUM, serving, silent
from tests.service.rules import RulePipeline

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A page on the screen of an office; its console must stay silent."""
    settings = Settings(database_url=f"sqlite:///{tmp_path}/danvan.db", access="open")
    app = create_app(settings, pipeline=cast(Pipeline, RulePipeline()))
    with (
        serving(app) as address,
        silent(browser, address, viewport={"width": 1280, "height": 800}) as page,
    ):
        yield page


def test_the_name_of_a_source_is_judged_as_it_is_typed(page: Page) -> None:
    page.goto("/admin/sources")
    name = page.locator("#o-name")

    name.press_sequentially("duong_day-nong.2")
    is_right = name.evaluate("own => own.validity.valid")
    name.fill("đường dây")
    is_wrong = name.evaluate("own => own.validity.patternMismatch")

    assert (is_right, is_wrong) == (True, True)


def test_the_roles_of_a_key_can_be_read_whole(page: Page) -> None:
    page.goto("/admin/keys")

    hidden = page.locator("#k-vai").evaluate(
        """own => {
          const style = getComputedStyle(own), pen = document.createElement("canvas").getContext("2d");
          pen.font = style.font;
          const room = own.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
          const texts = Array.from(own.options, (one) => one.text);
          return texts.filter((text) => pen.measureText(text).width > room);
        }"""
    )

    assert hidden == []

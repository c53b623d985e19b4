"""The overview in a real browser: figures follow the frame, charts are drawn, and lead to their lists."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import cast

import pytest
from playwright.sync_api import Browser, Page, expect

from nlp.pipeline import Pipeline
from service.app import create_app
from service.settings import Settings
from service.store.days import VIETNAM
from tests.browser.conftest import CHROMIUM, serving, silent
from tests.service.heard import Heard, keep
from tests.service.rules import RulePipeline

# where the first part of the first bar is, from the corner of its canvas
_IN_BAR = """() => {
  const canvas = document.querySelector("[data-chart] .canvas");
  return echarts.getInstanceByDom(canvas).convertToPixel({ xAxisIndex: 0, yAxisIndex: 0 }, [10, 0]);
}"""
_COLOUR = """() => {
  const canvas = document.querySelector("[data-chart] .canvas");
  return echarts.getInstanceByDom(canvas).getOption().series[0].color;
}"""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("overview")
    settings = Settings(database_url=f"sqlite:///{folder}/danvan.db")
    app = create_app(settings, pipeline=cast(Pipeline, RulePipeline()))
    today = datetime.now(VIETNAM).date()
    days = [today - timedelta(days=14 + 7 * n % 14) for n in range(40)]  # in two weeks
    fields = (("LV03", "LV02"), ("LV03",))
    keep(app.state.desk.engine, [Heard(day=day, fields=own) for own in fields for day in days])
    with serving(app) as address:
        yield address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The overview with its figures; its console must stay silent, or the CSP was violated."""
    with silent(browser, address, color_scheme="light") as page:
        page.goto("/")
        page.wait_for_selector(".waiting", state="detached")
        yield page


def test_charts_are_drawn_described_and_stand_above_their_numbers(page: Page) -> None:
    drawn = page.locator("[data-chart] .canvas canvas")

    expect(drawn).to_have_count(3)
    described = page.locator("[data-chart] .canvas").first.get_attribute("aria-label") or ""
    assert "Bảng ngay dưới biểu đồ" in described
    expect(page.locator("[data-chart] + details")).to_have_count(3)


def test_a_press_on_a_bar_opens_its_list(page: Page) -> None:
    page.wait_for_selector("[data-chart] canvas")
    x, y = page.evaluate(_IN_BAR)

    page.locator("[data-chart] .canvas").first.click(position={"x": x, "y": y})

    page.wait_for_url("**/opinions?*sentiment=negative*")
    assert "civic_field=LV03" in page.url


def test_charts_follow_the_dark(page: Page) -> None:
    page.wait_for_selector("[data-chart] canvas")
    light = page.evaluate(_COLOUR)

    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(100)

    assert page.evaluate(_COLOUR) != light

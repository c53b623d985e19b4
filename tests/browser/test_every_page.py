"""What holds for every page: for every reader, on a phone, without script, in the dark, light to load."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response

from tests.browser.board import Board, at_work
from tests.browser.conftest import CHROMIUM

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
PAGES = (
    *("/", "/alerts", "/upload", "/jobs", "/documents", "/documents/*", "/opinions", "/opinions/*"),
    *("/review", "/review/agreement", "/reclassifications", "/reports"),
    *("/admin", "/admin/sources", "/admin/models", "/admin/models/default/0.3.0"),
    *("/admin/taxonomies", "/admin/taxonomies/ct07/1.0.0"),
    *("/admin/keys", "/admin/people", "/admin/log"),
)
MAX_BYTES = 300_000  # of a page with all it loads, ECharts apart
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with at_work(tmp_path_factory.mktemp("board")) as board:
        yield board


@pytest.fixture(scope="module", params=["light", "dark"])
def page(request: pytest.FixtureRequest, browser: Browser, board: Board) -> Iterator[Page]:
    page = board.sign_in(browser, "quan-tri", color_scheme=request.param)
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def phone(browser: Browser, board: Board) -> Iterator[Page]:
    page = board.sign_in(browser, "quan-tri", viewport={"width": 360, "height": 740})
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def scriptless(browser: Browser, board: Board) -> Iterator[Page]:
    page = board.sign_in(browser, "quan-tri", java_script_enabled=False)
    yield page
    page.context.close()


def go_to(page: Page, path: str) -> None:
    """Open a page and wait until its figures are there; `*` stands for the newest item of a list."""
    if path.endswith("/*"):
        page.goto(path[:-2])
        link = page.locator(f"#danh-sach a[href^='{path[:-1]}']").first.get_attribute("href")
        assert link is not None
        path = link
    page.goto(path)
    page.wait_for_load_state("networkidle")


def violations(page: Page) -> list[str]:
    """What axe finds wrong: the rule, and where."""
    # evaluated by the debugger, which the page's policy does not bind
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = json.loads(
        page.evaluate("async () => JSON.stringify(await axe.run(document))")
    )
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(page: Page, path: str) -> None:
    go_to(page, path)

    assert violations(page) == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_a_phone(phone: Page, path: str) -> None:
    go_to(phone, path)

    assert phone.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("path", PAGES)
def test_a_page_reads_without_script(scriptless: Page, path: str) -> None:
    go_to(scriptless, path)

    assert scriptless.locator("h1").count() == 1
    assert len(scriptless.locator("main").inner_text()) > 80


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_light_and_its_console_silent(
    browser: Browser, board: Board, page: Page, path: str
) -> None:
    told: list[str] = []
    sizes: dict[str, int] = {}

    def weigh(response: Response) -> None:
        if "echarts" not in response.url:
            sizes[response.url] = len(response.body())

    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("response", weigh)

    go_to(page, path)

    assert told == []
    assert sum(sizes.values()) < MAX_BYTES, sizes


@pytest.mark.parametrize("path", PAGES)
def test_every_control_can_be_reached_by_keyboard_and_shows_it(page: Page, path: str) -> None:
    go_to(page, path)
    n_controls = page.locator(
        "a[href]:visible, button:visible, input:not([type=hidden]):visible, select:visible, "
        "textarea:visible, summary:visible"
    ).count()
    seen: list[str] = []
    for _ in range(min(n_controls, 60)):
        page.keyboard.press("Tab")
        told = page.evaluate(
            """() => {
              const own = document.activeElement, style = getComputedStyle(own);
              const face = own.nextElementSibling ? getComputedStyle(own.nextElementSibling) : style;
              const lit = (s) => s.outlineStyle !== "none" || s.boxShadow !== "none";
              return [own.tagName + "#" + own.id + "." + own.className,
                      lit(style) || lit(face) || style.textDecorationLine.includes("underline")
                      || style.backgroundColor !== "rgba(0, 0, 0, 0)"];
            }"""
        )
        seen.append(told[0])
        assert told[1], f"{told[0]} does not show that it has the focus"

    assert "BODY#." not in seen[:-1], "the focus leaves the page before its end"

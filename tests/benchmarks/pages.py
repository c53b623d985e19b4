"""How soon each page is seen, in a real browser, with everything in the store.

Run: python -m tests.benchmarks.pages DATABASE_URL [PATH...]. It serves the store in this process (no worker)
and opens each page three times in a fresh tab of Chromium; told is the median of when something is first
painted, of when all is there, and how many kB were loaded, ECharts apart.
"""

import statistics
import sys
from collections.abc import Sequence

from playwright.sync_api import Browser, sync_playwright

from service.app import create_app
from service.settings import Settings
from tests.browser.conftest import ARGS, CHROMIUM, serving

PAGES = (
    *(
        "/",
        "/alerts",
        "/upload",
        "/jobs",
        "/documents",
        "/opinions",
        "/opinions?sentiment=negative",
    ),
    *("/review", "/reclassifications", "/reports", "/admin", "/admin/sources"),
    "/admin/taxonomies/ct07/1.0.0",
)
_ROUNDS = 3
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"
_WEIGHT = (
    "performance.getEntriesByType('resource').filter(one => !one.name.includes('echarts'))"
    ".concat(performance.getEntriesByType('navigation')).reduce((sum, one) => sum + one.decodedBodySize, 0)"
)


def main(url: str, paths: Sequence[str]) -> None:
    """Print one table."""
    app = create_app(Settings(database_url=url, access="open", migrate_on_start=False))
    sys.stdout.write("| page | first paint, ms | whole, ms | kB |\n| --- | --- | --- | --- |\n")
    with serving(app) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        for path in paths:
            rounds = [_look(browser, address + path) for _ in range(_ROUNDS)]
            paint, whole, n_bytes = (statistics.median(own) for own in zip(*rounds, strict=True))
            sys.stdout.write(f"| `{path}` | {paint:.0f} | {whole:.0f} | {n_bytes / 1000:.0f} |\n")
            sys.stdout.flush()
        browser.close()


def _look(browser: Browser, url: str) -> tuple[float, float, float]:
    page = browser.new_page()
    page.set_default_timeout(120_000)
    page.goto(url)
    page.wait_for_load_state("networkidle")
    whole = page.evaluate(
        "Math.max(...performance.getEntries().map(one => one.responseEnd ?? one.startTime))"
    )
    found = page.evaluate(_PAINT), whole, page.evaluate(_WEIGHT)
    page.close()
    return found


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] or PAGES)

"""How soon each page is seen, in a real browser, with everything in the store.

Run: python -m tests.benchmarks.pages DATABASE_URL [PATH...]. It serves the store in this process (no worker)
and opens each page three times in a fresh tab of Chromium. Told is when something is first painted and when
all is there, at the first visit, which works out figures to be remembered for five minutes, and as median of
the three; and how many kB were loaded, ECharts apart.
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
    *("/review", "/reclassifications", "/reports", "/reports?stretch=last_quarter"),
    *("/admin", "/admin/sources"),
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
    sys.stdout.write("| page | first paint, ms: once, median | whole, ms: once, median | kB |\n")
    sys.stdout.write("| --- | --- | --- | --- |\n")
    with serving(app) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        for path in paths:
            rounds = [_look(browser, address + path) for _ in range(_ROUNDS)]
            paint, whole, n_bytes = (statistics.median(own) for own in zip(*rounds, strict=True))
            once = [f"{own:.0f}" for own in rounds[0][:2]]
            sys.stdout.write(
                f"| `{path}` | {once[0]}, {paint:.0f} | {once[1]}, {whole:.0f} | {n_bytes / 1000:.0f} |\n"
            )
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

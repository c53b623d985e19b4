"""Signing in with a real browser, which decides itself when a cookie is shown."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import cast

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from nlp.pipeline import Pipeline
from service import auth
from service.app import create_app
from service.auth import CONSOLE
from service.settings import Settings
from tests.browser.conftest import CHROMIUM, serving
from tests.browser.test_chromium import DIRECTIVE
from tests.service.rules import RulePipeline

PASSWORD = "mười hai con giáp"  # noqa: S105 - nobody's
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("browser")
    settings = Settings(database_url=f"sqlite:///{folder}/danvan.db", access="keys")
    app = create_app(settings, pipeline=cast(Pipeline, RulePipeline()))
    now = datetime.now(UTC)
    auth.add_staff(
        app.state.desk.engine, "lan", role="reviewer", by=CONSOLE, now=now, password=PASSWORD
    )
    with serving(app) as address:
        yield address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page whose console must stay silent: a violated CSP would be told there."""
    context = browser.new_context(base_url=address)
    page = context.new_page()
    told: list[str] = []
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on(
        "console",
        # the browser itself says so of each answer of 4xx
        lambda message: (
            None if "Failed to load resource" in message.text else told.append(message.text)
        ),
    )
    yield page
    context.close()
    assert told == []


def sign_in(page: Page, *, password: str = PASSWORD) -> None:
    page.get_by_label("Tên đăng nhập").fill("lan")
    page.get_by_label("Mật khẩu").fill(password)
    page.keyboard.press("Enter")


@contextmanager
def elsewhere(link: str) -> Iterator[str]:
    """A page of another site (`localhost` is another one than `127.0.0.1`) with a link."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(f'<a href="{link}">link</a>'.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_clerk_signs_in_works_and_leaves(page: Page) -> None:
    page.goto("/upload")
    sign_in(page)
    file = FilePayload(name="chi-thi.txt", mimeType="text/plain", buffer=DIRECTIVE.encode())
    page.set_input_files("#tep", [file])
    page.get_by_role("button", name="Phân tích tệp").click()
    page.wait_for_url("**/documents/*")
    document = page.url

    page.get_by_role("button", name="Đăng xuất").click()

    expect(page.get_by_role("heading", name="Đăng nhập")).to_be_visible()
    page.goto(document)
    assert "/sign-in?next=/documents/" in page.url


def test_a_wrong_password_can_be_typed_again_at_once(page: Page) -> None:
    page.goto("/upload")
    sign_in(page, password="sai")
    expect(page.get_by_role("alert")).to_contain_text("không đúng")
    expect(page.get_by_label("Mật khẩu")).to_be_focused()

    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    expect(page.get_by_role("button", name="Đăng xuất")).to_be_visible()


def test_a_link_of_another_site_leads_straight_to_its_page(page: Page, address: str) -> None:
    page.goto("/upload")
    sign_in(page)
    expect(page.get_by_role("button", name="Đăng xuất")).to_be_visible()

    with elsewhere(f"{address}/?cursor={'f' * 32}") as other_site:
        page.goto(other_site)
        page.get_by_role("link", name="link").click()

        page.wait_for_url(f"{address}/?cursor=*")
    expect(page.get_by_role("button", name="Đăng xuất")).to_be_visible()


def test_when_the_session_has_ended_a_label_leads_to_the_sign_in_page(page: Page) -> None:
    page.goto("/upload")
    sign_in(page)
    page.get_by_label("Nội dung ý kiến").fill("Đường hỏng")
    page.get_by_role("button", name="Phân tích ý kiến").click()
    page.wait_for_url("**/opinions/*")
    page.context.clear_cookies()

    page.get_by_role("link", name="Tiêu cực").click()

    page.wait_for_url("**/sign-in?next=/opinions/**")
    sign_in(page)
    page.wait_for_selector("mark")


def test_the_sign_in_page_fits_a_phone(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 640}, base_url=address)
    page = context.new_page()
    page.goto("/upload")

    width = page.evaluate("document.documentElement.scrollWidth")

    assert width <= 360
    expect(page.get_by_role("button", name="Đăng nhập")).to_be_in_viewport()
    context.close()

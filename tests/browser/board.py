"""A board at work: the service as `danvan serve` starts it, with the demo's store and four people."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, BrowserContext, Page

from service import auth
from service.auth import CONSOLE, Role
from service.demo import store_all
from service.pipelines import build_pipeline
from service.settings import Settings
from service.store.dialect import opened
from tests.conftest import ROOT

PASSWORD = "mười hai con giáp"  # noqa: S105 - nobody's
PEOPLE: dict[str, Role] = {
    "lan": "reviewer",
    "minh": "reader",
    "phuc": "analyst",
    "quan-tri": "admin",
}
SAMPLES = [
    ROOT / "corpus" / "samples" / "chi-thi-mau.md",
    ROOT / "corpus" / "samples" / "y-kien-mau.jsonl",
]
_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Board:
    """Where it is served, and from which folder."""

    address: str
    folder: Path

    def sign_in(self, browser: Browser, name: str, **options: object) -> Page:
        """A page of a new browser session after signing in; what its console says is kept in `told`."""
        context: BrowserContext = browser.new_context(base_url=self.address, **options)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto("/sign-in")
        page.locator("input[name=name]").fill(name)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("form[action='/sign-in'] button").click()
        page.wait_for_url(f"{self.address}/")
        return page


@contextmanager
def at_work(folder: Path) -> Iterator[Board]:
    """Store what the demo stores, let four people in, and serve."""
    url = f"sqlite:///{folder}/danvan.db"
    settings = Settings(database_url=url)
    before = Path.cwd()
    os.chdir(folder)  # the demo makes its folder of data where it is called
    try:
        store_all(SAMPLES, settings=settings, pipeline=build_pipeline(settings))
    finally:
        os.chdir(before)
    with opened(url) as engine:
        for name, role in PEOPLE.items():
            auth.add_staff(
                engine, name, role=role, by=CONSOLE, now=datetime.now(UTC), password=PASSWORD
            )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = os.environ | {
        "DANVAN_DATABASE_URL": url,
        "DANVAN_EXPORTS_FOLDER": str(folder / "exports"),
        "DANVAN_RATE_LIMIT": "1000000/second",
    }
    command = [sys.executable, "-m", "service", "serve", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            _wait_for(f"http://127.0.0.1:{port}/readyz", server)
            yield Board(f"http://127.0.0.1:{port}", folder)
        finally:
            server.terminate()
            server.wait(timeout=30)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        assert server.poll() is None, "the server has ended"
        try:
            with urlopen(url, timeout=2):  # noqa: S310 - our own server
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise AssertionError("the server does not answer")

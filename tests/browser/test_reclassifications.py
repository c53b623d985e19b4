"""Phân loại lại in a real browser: the page follows the reading by itself."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import httpx2
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect

from models.registry import ModelInfo
from nlp.pipeline import Pipeline
from service.app import create_app
from service.jobs.seam import Context
from service.settings import Settings
from tests.browser.conftest import CHROMIUM, serving, silent
from tests.service.archive import Model, carry_out
from tests.service.rules import RulePipeline
from tests.service.shelf import says_field

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/danvan.db", access="open")
    app = create_app(settings, pipeline=cast(Pipeline, RulePipeline()))
    info = ModelInfo("rules", "2", "0" * 64, "ct07", "1.0.0", Path())
    app.state.desk = replace(app.state.desk, models=lambda: (info,))
    return app


@pytest.fixture
def page(browser: Browser, app: FastAPI) -> Iterator[Page]:
    """The screen on a phone, with one opinion to read again; its console must stay silent."""
    with serving(app) as address:
        row = {"source": "demo", "external_id": "1", "text": "đường hỏng"}
        httpx2.post(f"{address}/v1/opinions", json=[row]).raise_for_status()
        with silent(browser, address, viewport={"width": 360, "height": 800}) as page:
            page.goto("/reclassifications")
            yield page


def test_a_run_is_followed_compared_promoted_and_taken_back(page: Page, app: FastAPI) -> None:
    page.get_by_role("button", name="Chạy", exact=True).click()
    page.wait_for_url("**told=ordered")
    job_id = page.url.rpartition("/")[2].partition("?")[0]
    model = cast(Pipeline, Model(version="2", change=says_field("LV05")))
    carry_out(Context(app.state.desk.engine, app.state.settings, lambda _: model), job_id)

    changed = page.get_by_role("link", name="1", exact=True)
    expect(changed).to_be_visible(timeout=10_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="Xem trước khi áp dụng").click()
    page.get_by_role("button", name="Áp dụng").click()

    expect(page.locator("#bao")).to_have_text("Đã áp dụng kết quả mới.")
    expect(page.locator("#tien-do")).to_contain_text("đang dùng")
    page.get_by_role("button", name="Quay lại").click()
    page.get_by_role("button", name="Quay lại", exact=True).click()
    expect(page.locator("#tien-do")).to_contain_text("chưa áp dụng")

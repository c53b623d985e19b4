"""The day of each of three people, from sign-in to the report they take away, with the default model.

Pictures of what they saw are left in `test-artifacts/days`.
"""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import docx
import httpx2
import openpyxl
import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from service import auth
from service.auth import CONSOLE
from service.store.dialect import opened
from tests.browser.board import Board, at_work
from tests.browser.conftest import CHROMIUM
from tests.conftest import ROOT
from tests.own_documents import own_documents, to_docx

PICTURES = ROOT / "test-artifacts" / "days"
PATIENCE_MS = 120_000
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed"),
]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with at_work(tmp_path_factory.mktemp("board")) as board:
        yield board


def shot(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / f"{name}.png")


def menu(page: Page, name: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
    expect(page.locator("h1")).to_be_visible()


def take(page: Page, button: str) -> bytes:
    """What the browser saves when a button of the report is pressed."""
    with page.expect_download(timeout=PATIENCE_MS) as saved:
        page.get_by_role("button", name=button).first.click()
    return Path(saved.value.path()).read_bytes()


def test_staff_read_correct_find_and_report(browser: Browser, board: Board) -> None:
    page = board.sign_in(browser, "lan")
    shot(page, "staff-1-overview")
    hand_in(page)
    light_and_correct(page)
    find_and_report(page)
    page.context.close()


def hand_in(page: Page) -> None:
    """A plan, and a file that cannot be read; then the page of the plan."""
    menu(page, "Tải lên")
    plan = next(own for own in own_documents() if own.id == "ke-hoach-01")
    files = [
        FilePayload(name="ke-hoach.docx", mimeType=WORD, buffer=to_docx(plan)),
        FilePayload(name="hong.docx", mimeType=WORD, buffer=b"no zip"),
    ]
    page.set_input_files("#tep", files)
    page.get_by_role("button", name="Phân tích tệp").click()
    expect(page.locator(".sum")).to_have_text("2 trên 2 tệp: 1 xong, 1 lỗi", timeout=PATIENCE_MS)
    shot(page, "staff-2-uploaded")

    page.locator(".rows a[href^='/documents/']").first.click()
    page.wait_for_url("**/documents/*")
    expect(page.locator("h1")).to_contain_text("Kế hoạch")
    expect(page.get_by_role("heading", name="Việc được giao")).to_be_visible()


def light_and_correct(page: Page) -> None:
    """The words of the first label; then another label, and back."""
    page.locator("aside .lit-link").first.click()
    expect(page.locator("mark").first).to_be_in_viewport()
    shot(page, "staff-3-evidence")

    facet = page.locator("#phan-task_area")
    page.locator("#sua-task_area").click()
    facet.locator("section.edit button").first.click()
    expect(page.locator("#bao")).to_contain_text("Đã sửa nhãn")
    expect(facet).to_contain_text("người đã sửa")
    shot(page, "staff-4-corrected")
    facet.get_by_role("button", name="Lấy lại như cũ").click()
    expect(facet).to_contain_text("máy gợi ý")


def find_and_report(page: Page) -> None:
    """The plan by words without marks; then the report of a quarter as a letter."""
    menu(page, "Văn bản")
    page.locator("#o-q").fill("ke hoach")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=ke*")
    expect(page.locator("#danh-sach li").first).to_contain_text("Kế hoạch")
    shot(page, "staff-5-found")

    menu(page, "Báo cáo")
    page.get_by_label("Kỳ báo cáo").select_option("last_quarter")
    page.get_by_role("button", name="Xem báo cáo").click()
    expect(page.locator("#bao-cao")).to_contain_text("không phải điều tra")
    shot(page, "staff-6-report")
    letter = docx.Document(io.BytesIO(take(page, "Văn bản Word")))
    words = "\n".join(one.text for one in letter.paragraphs)
    assert "BÁO CÁO" in words
    assert "không phải điều tra" in words


def test_the_monitoring_board_is_warned_looks_and_never_sees_who(
    browser: Browser, board: Board
) -> None:
    with opened(f"sqlite:///{board.folder}/danvan.db") as engine:
        key = auth.make_key(engine, "cổng", role="intake", by=CONSOLE, now=datetime.now(UTC)).key
    text = "Tôi là Đỗ Thị Mận, số 0912 345 678. Vỉa hè phố tôi bị đào lên ba tháng chưa lấp lại."
    row = {"source": "demo", "external_id": "cong-1", "text": text}
    answer = httpx2.post(
        f"{board.address}/v1/opinions", json=[row], headers={"authorization": f"Bearer {key}"}
    )
    assert answer.json()["results"][0]["status"] == "accepted"
    page = board.sign_in(browser, "minh")
    look_at_the_alert(page)
    open_the_list_behind_a_number(page)

    menu(page, "Ý kiến")
    page.locator("#o-q").fill("dao len ba thang")
    page.keyboard.press("Enter")
    page.locator("#danh-sach a").first.click()
    page.wait_for_url("**/opinions/*")
    shown = page.locator("main").inner_text()
    assert "Vỉa hè" in shown
    assert "Mận" not in shown
    assert "0912" not in shown
    shot(page, "board-4-opinion")

    menu(page, "Báo cáo")
    book = openpyxl.load_workbook(io.BytesIO(take(page, "Bảng tính Excel")))
    assert any("không phải điều tra" in str(cell.value) for cell in cells_of(book))
    page.context.close()


def look_at_the_alert(page: Page) -> None:
    """A reader sees why it was raised and its examples; to acknowledge it is not theirs."""
    for _ in range(60):  # the worker looks for rises when it begins its first day
        page.goto("/alerts")
        if page.locator("#danh-sach li").count():
            break
        page.wait_for_timeout(1_000)
    expect(page.locator("#danh-sach")).to_contain_text("Giao thông")
    shot(page, "board-1-alerts")
    page.get_by_role("link", name="Xem ví dụ").first.click()
    expect(page.get_by_role("heading", name="Vì sao có cảnh báo")).to_be_visible()
    expect(page.get_by_role("button", name="Xác nhận đã xem")).to_have_count(0)  # a reader may not
    shot(page, "board-2-alert")


def open_the_list_behind_a_number(page: Page) -> None:
    """The overview draws its charts; a number leads to its opinions."""
    page.goto("/")
    expect(page.locator("figure.chart canvas, figure.chart svg").first).to_be_visible(
        timeout=PATIENCE_MS
    )
    shot(page, "board-3-overview")
    page.locator("a.figure[href^='/opinions?']").first.click()
    page.wait_for_url("**/opinions?*")
    expect(page.locator("#danh-sach li").first).to_be_visible()


def test_the_analyst_reads_all_again_and_need_not_promote_what_is_the_same(
    browser: Browser, board: Board
) -> None:
    page = board.sign_in(browser, "phuc")
    menu(page, "Phân loại lại")
    page.get_by_role("button", name="Xem thử trên một mẫu").click()
    expect(page.locator("#tien-do")).to_contain_text("xem thử xong", timeout=PATIENCE_MS)
    shot(page, "analyst-1-tried")

    menu(page, "Phân loại lại")
    page.get_by_role("button", name="Chạy", exact=True).click()
    expect(page.locator("#tien-do")).to_contain_text("đọc xong", timeout=PATIENCE_MS)
    page.reload()
    expect(page.locator("[data-diff] table, [data-diff] p").first).to_be_visible()
    shot(page, "analyst-2-diff")

    expect(page.locator("[data-diff]")).to_contain_text("giống hệt nhãn đang dùng")
    expect(page.get_by_role("button", name="Xem trước khi áp dụng")).to_have_count(0)
    shot(page, "analyst-3-same")

    menu(page, "Duyệt")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("1")
    expect(page.locator(".review-last")).to_be_visible()
    page.keyboard.press("z")
    shot(page, "analyst-5-review")

    menu(page, "Báo cáo")
    assert take(page, "Dữ liệu dạng bảng").startswith(b"\xef\xbb\xbf")
    page.context.close()


def cells_of(book: openpyxl.Workbook) -> Iterator[openpyxl.cell.Cell]:
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            yield from row

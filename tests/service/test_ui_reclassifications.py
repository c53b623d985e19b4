"""Phân loại lại: tried, run, watched, compared, promoted, taken back and discarded by plain forms."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from models.registry import ModelInfo
from nlp.pipeline import Pipeline
from service.actions import Desk
from service.jobs.seam import Context
from service.reclassifying import Wish, archive_of, look_at_all, start
from service.reviewing import Word, correct_item
from service.settings import Settings
from service.store.jobs import Job
from service.store.query import Query
from service.store.tables import FACETS
from tests.service.archive import Model, carry_out
from tests.service.html import words
from tests.service.shelf import says_field

HTML = {"accept": "text/html"}
BASE = "/reclassifications"
ROWS = ("đường hỏng", "rác ở chợ", "gì đó")
INFO = ModelInfo("rules", "2", "0" * 64, "ct07", "1.0.0", Path())


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """Three opinions, and a second model that puts all of them under LV05."""
    desk: Desk = app.state.desk
    app.state.desk = replace(desk, models=lambda: (replace(INFO, version="1"), INFO))
    with TestClient(app) as client:
        rows = [{"source": "demo", "external_id": text, "text": text} for text in ROWS]
        assert client.post("/v1/opinions", json=rows).json()["accepted"] == 3
        yield client


Work = Callable[[str], Job]


@pytest.fixture
def work(app: FastAPI, settings: Settings) -> Work:
    """What a worker does."""
    model = Model(version="2", change=says_field("LV05"))
    desk: Desk = app.state.desk
    context = Context(desk.engine, settings, lambda _: cast(Pipeline, model), now=desk.now)
    return lambda job_id: carry_out(context, job_id)


def order(client: TestClient, *, do: str = "run", **form: str) -> str:
    """Send the form; the id of what was ordered."""
    asked = {"model": "rules@2", "do": do, **form}
    answer = client.post(BASE, data=asked, headers=HTML, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0].rpartition("/")[2]


def done(client: TestClient, work: Work, **form: str) -> str:
    job_id = order(client, **form)
    work(job_id)
    return job_id


def page(client: TestClient, path: str = "", **headers: str) -> str:
    answer = client.get(BASE + path, headers={**HTML, **headers})
    assert answer.status_code == 200, answer.text
    return answer.text


def press(client: TestClient, path: str, **form: str | list[str]) -> str:
    answer = client.post(BASE + path, data=form, headers=HTML)
    assert answer.status_code == 200, answer.text
    return words(answer.text)


def fields(client: TestClient) -> list[str | None]:
    items = client.get("/v1/opinions").json()["items"]
    return [item["labels"]["civic_field"]["primary"] for item in items]


def test_the_first_page_says_what_it_is_for_and_what_to_do(client: TestClient) -> None:
    shown = words(page(client))

    assert "Chưa áp dụng thì mọi trang vẫn như cũ." in shown
    assert "rules 2, bộ phân loại ct07 1.0.0" in shown
    assert "rules 1, bộ phân loại ct07 1.0.0 – đang đọc mục mới" in shown
    assert "Chưa có lần nào." in shown


def test_a_trial_counts_on_a_sample_and_keeps_nothing(client: TestClient, work: Work) -> None:
    job_id = done(client, work, do="try")

    shown = words(page(client, f"/{job_id}"))
    diff = page(client, f"/{job_id}/diff")

    assert "Xem thử rules 2" in shown
    assert "mẫu 3 mục" in shown
    assert "Áp dụng kết quả mới" not in shown + words(diff)
    assert '<option value="rules@2" selected>' in page(client, "?model=rules%402&kind=&source=")
    assert "3 trên 3 mục đổi nhãn chính (100%)." in words(diff)
    assert "Giao thông, đường sá, vận tải Giáo dục, đào tạo 1 mục 1" in words(diff)
    assert re.search(r'href="/opinions/[0-9a-f]{32}"', diff)
    assert "không phải kết quả điều tra" in diff
    assert fields(client) == [None, "LV02", "LV03"]


def test_a_sample_is_spread_over_what_was_asked_for(client: TestClient, desk: Desk) -> None:
    rows = [{"source": "demo", "external_id": str(n), "text": f"số {n}"} for n in range(10)]
    client.post("/v1/opinions", json=rows)
    wish = Wish("rules@2", Query(source="demo"), "test", dry_run=True, sample=5)

    drawn = start(archive_of(desk), wish).job.params["scope"]["ids"]

    every = [item["id"] for item in client.get("/v1/opinions").json()["items"]]
    assert [every.index(item_id) for item_id in drawn] == [0, 2, 5, 7, 10]


def test_one_is_run_watched_and_compared(client: TestClient, work: Work) -> None:
    job_id = order(client, kind="opinion", source="demo", first="2026-01-01", last="2026-01-31")
    scope = "Ý kiến; nguồn demo; nhận từ 01/01/2026; đến hết 31/01/2026"

    waiting = page(client, f"/{job_id}")
    work(job_id)
    part = client.get(f"{BASE}/{job_id}", headers={**HTML, "hx-request": "true"})
    shown, diff = words(page(client, f"/{job_id}")), words(page(client, f"/{job_id}/diff"))

    assert 'hx-trigger="every 2s"' in waiting
    assert "Chưa có tiến trình xử lý nào chạy" in waiting
    assert part.headers["hx-redirect"] == f"{BASE}/{job_id}"
    assert part.text.lstrip().startswith('<section id="tien-do"')
    assert "đọc xong, chưa áp dụng" in shown
    assert scope in shown
    assert "Không nhãn nào người đã sửa bị mất" in diff
    assert "Máy chưa đủ căn cứ Giáo dục, đào tạo 1" in diff
    assert f"rules 2 – {scope} đọc xong, chưa áp dụng đã đọc 3 mục" in words(page(client))


def test_what_people_corrected_is_told_and_kept(client: TestClient, work: Work, desk: Desk) -> None:
    item_id = client.get("/v1/opinions").json()["items"][0]["id"]
    correct_item(desk, item_id, Word("civic_field", "labelled", ("LV05",)), made_by="staff:lan")
    job_id = done(client, work)

    diff = words(page(client, f"/{job_id}/diff"))
    changes = words(page(client, f"/{job_id}/changes?facet=civic_field&old=abstain&new=LV05"))

    assert "Trong 1 mục người đã sửa, máy trả lời giống người ở 0 mục theo cách cũ và 1" in diff
    assert "gì đó Từ Máy chưa đủ căn cứ Thành Giáo dục, đào tạo (91%)" in changes
    assert "Người đã sửa: nhãn của người vẫn giữ" in changes


def test_items_that_change_come_page_by_page(client: TestClient, work: Work) -> None:
    rows = [{"source": "demo", "external_id": str(n), "text": f"đường {n}"} for n in range(25)]
    client.post("/v1/opinions", json=rows)
    job_id = done(client, work)

    first = page(client, f"/{job_id}/changes?facet=civic_field&old=LV03")
    [link] = re.findall(r'href="(/reclassifications/[^"]*below=\d+)"', first)
    second = client.get(unescape(link), headers=HTML).text

    assert first.count("<dl") == 20
    assert second.count("<dl") == 6
    assert "below=" not in second


def test_promoting_says_what_will_change_and_can_be_taken_back(
    client: TestClient, work: Work
) -> None:
    job_id = done(client, work)

    asked = page(client, f"/{job_id}/promote?facet=civic_field&facet=intent")
    assert "Lĩnh vực đời sống 3 trên 3 mục đổi nhãn chính (100%)." in words(asked)
    assert "Mục đích Không mục nào trong 3 mục đổi nhãn chính." in words(asked)
    assert fields(client) == [None, "LV02", "LV03"]
    chosen = re.findall(r'type="hidden" name="facet" value="(\w+)"', asked)
    told = press(client, f"/{job_id}/promote", facet=chosen)
    assert "Đã áp dụng kết quả mới." in told
    assert "Đang dùng ở: Lĩnh vực đời sống; Mục đích" in told
    assert fields(client) == ["LV05"] * 3

    asked = page(client, f"/{job_id}/rollback")
    assert "3 trên 3 mục trở lại nhãn máy trước đó." in words(asked)
    assert "Đã quay lại kết quả cũ." in press(client, f"/{job_id}/rollback")
    assert fields(client) == [None, "LV02", "LV03"]


def test_what_changes_nothing_is_not_offered(client: TestClient, work: Work) -> None:
    job_id = done(client, work)
    press(client, f"/{job_id}/promote", facet=list(FACETS))
    same = done(client, work)

    shown = page(client, f"/{same}") + page(client, f"/{same}/diff")

    assert f'action="/reclassifications/{same}/promote"' not in shown
    assert "Kết quả giống hệt nhãn đang dùng" in words(shown)


def test_one_model_that_is_in_use_is_said_to_change_nothing(
    client: TestClient, app: FastAPI
) -> None:
    own = replace(INFO, version="1")
    told = "Chỉ có một mô hình và nó đang dùng; đọc lại sẽ không đổi gì."
    assert told not in page(client)

    app.state.desk = replace(app.state.desk, models=lambda: (own,))

    assert told in page(client)


def test_what_an_earlier_model_has_read_may_change(
    client: TestClient, work: Work, app: FastAPI
) -> None:
    press(client, f"/{done(client, work)}/promote", facet=list(FACETS))

    app.state.desk = replace(app.state.desk, models=lambda: (replace(INFO, version="1"),))

    assert "Chỉ có một mô hình" not in page(client)


def test_discarding_asks_first(client: TestClient, work: Work) -> None:
    job_id = done(client, work)
    assert "Áp dụng kết quả mới" in page(client, f"/{job_id}/diff")

    assert "bị xóa hẳn, không lấy lại được" in page(client, f"/{job_id}/discard")
    told = press(client, f"/{job_id}/discard")

    assert "đã xóa kết quả" in told
    assert "Áp dụng kết quả mới" not in told + page(client, f"/{job_id}/diff")


def test_one_is_stopped_and_gone_on_with(client: TestClient, work: Work) -> None:
    job_id = order(client)

    stopped = press(client, f"/{job_id}/cancel")
    again = press(client, f"/{job_id}/retry")
    work(job_id)

    assert "Phần đã đọc vẫn còn, có thể chạy tiếp." in stopped
    assert "Chờ đến lượt." in again
    assert "đọc xong, chưa áp dụng" in page(client, f"/{job_id}")


@pytest.mark.parametrize(
    ("form", "status", "told"),
    [
        ({"affected": "on"}, 409, "không làm nhãn nào hiểu khác đi"),
        ({"model": "rules@9"}, 422, "Hãy chọn mô hình khác."),
        ({"first": "2026-02-01", "last": "2026-01-01"}, 422, "Ngày chưa đúng"),
        ({"first": "hôm nay"}, 422, "Ngày chưa đúng"),
        ({"first": "2031-02-01"}, 409, "Không có mục nào trong phạm vi này"),
        ({"first": "2031-02-01", "do": "try"}, 409, "Không có mục nào trong phạm vi này"),
    ],
)
def test_what_cannot_be_done_is_told_and_the_form_kept(
    client: TestClient, desk: Desk, form: dict[str, str], status: int, told: str
) -> None:
    asked = {"model": "rules@2", "source": "demo", "do": "run", **form}
    answer = client.post(BASE, data=asked, headers=HTML)

    assert answer.status_code == status
    assert told in answer.text
    assert '<option value="demo" selected>' in answer.text
    assert all(value in answer.text for value in form.values() if value != "rules@9")
    assert look_at_all(archive_of(desk)) == []


@pytest.mark.parametrize("what", ["promote", "rollback"])
def test_what_is_not_possible_is_not_asked_about(client: TestClient, what: str) -> None:
    job_id = order(client)

    assert client.get(f"{BASE}/{job_id}/{what}", headers=HTML).status_code == 409
    assert client.get(f"{BASE}/{'0' * 32}/{what}", headers=HTML).status_code == 404

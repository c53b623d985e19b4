"""Duyệt: the next item, decided by plain forms or by htmx, undone, passed over, and never twice."""

import re
from html import unescape
from itertools import cycle
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from service.actions import Desk, open_item
from service.reviewing import Word, correct_item
from service.store.review import READ_TWICE
from tests.service.html import words

HTML = {"accept": "text/html"}
HTMX = {**HTML, "hx-request": "true"}
FIELD = "facet=civic_field"
TEXTS = ("nước yếu", "đèn tắt", "chợ ồn")


def keep(client: TestClient, *texts: str) -> list[str]:
    """Store opinions; their ids, the newest first."""
    rows = [{"source": "demo", "external_id": text, "text": text} for text in texts]
    answer = client.post("/v1/opinions", json=rows)
    assert answer.json()["accepted"] == len(rows)
    return [item["id"] for item in client.get("/v1/opinions").json()["items"]]


def shown_id(html: str) -> str:
    found = re.search(r'class="review-choices" method="post" action="/review/([0-9a-f]{32})', html)
    assert found is not None
    return found[1]


def action_of(html: str, form: str = "review-choices") -> str:
    found = re.search(rf'class="{form}" method="post" action="([^"]*)"', html)
    assert found is not None
    return unescape(found[1])


def decide(client: TestClient, page: str, *codes: str, **fields: str) -> str:
    """Press a button of the page as a browser without script does; the page that comes then."""
    seen = re.search(r'name="seen" value="([^"]*)"', page)
    [facet] = re.findall(r'name="facet" value="([^"]*)"', choices(page))
    form = {"facet": facet, "code": list(codes), **({"seen": seen[1]} if seen else {}), **fields}
    answer = client.post(action_of(page), data=form, headers=HTML)
    assert answer.status_code == 200, answer.text
    return answer.text


def choices(page: str) -> str:
    return page.partition('class="review-choices"')[2].partition("</form>")[0]


def corrections(desk: Desk, item_id: str) -> list[tuple[str, str, tuple[str, ...]]]:
    return [
        (word.facet, word.decision, word.codes) for word in open_item(desk, item_id).corrections
    ]


def test_the_next_item_is_asked_about_in_plain_words(client: TestClient) -> None:
    keep(client, "Nước yếu, gọi 0912345678")

    shown = words(client.get(f"/review?{FIELD}", headers=HTML).text)

    for part in (
        "Ý kiến này nói về lĩnh vực nào?",
        "Máy chưa đủ căn cứ để tự gán nhãn, nên hỏi người.",
        "1 Giao thông, đường sá, vận tải 20%",
        "0 Không thuộc lĩnh vực nào",
        "Hôm nay mọi người đã duyệt 0 nhãn. Còn 1 nhãn chờ duyệt.",
        "••••••••••",
    ):
        assert part in shown
    assert "0912345678" not in shown


def test_the_words_for_the_first_guess_are_lit(client: TestClient, desk: Desk) -> None:
    [item_id] = keep(client, "xin chào đường")

    page = client.get(f"/review?at={item_id}c", headers=HTML).text

    assert "<mark>đường</mark>" in page
    assert "Mục này được mở lại để xem." in words(page)


def test_a_decision_is_kept_and_the_next_item_shown(client: TestClient, desk: Desk) -> None:
    newest, *_ = keep(client, *TEXTS)
    page = client.get(f"/review?{FIELD}", headers=HTML).text
    assert shown_id(page) == newest

    after = decide(client, page, "LV02")

    assert corrections(desk, newest) == [("civic_field", "labelled", ("LV02",))]
    assert shown_id(after) != newest
    assert "Vừa ghi: Môi trường, rác thải" in words(after)
    assert "Hôm nay mọi người đã duyệt 1 nhãn. Còn 2 nhãn chờ duyệt." in words(after)


def test_htmx_gets_the_next_item_alone_and_the_address_of_it(client: TestClient) -> None:
    newest, *_ = keep(client, *TEXTS)
    page = client.get(f"/review?{FIELD}", headers=HTML).text

    form = {"facet": "civic_field", "code": "none", "seen": "-"}
    answer = client.post(action_of(page), data=form, headers=HTMX)

    assert answer.text.lstrip().startswith('<section id="duyet">')
    assert shown_id(answer.text) != newest
    asked = parse_qs(urlsplit(answer.headers["hx-replace-url"]).query)
    assert asked == {"facet": ["civic_field"], "done": [f"{newest}c"]}
    assert "Không thuộc lĩnh vực nào" in words(answer.text).partition("Vừa ghi:")[2]


def test_several_categories_are_chosen_from_the_whole_list(client: TestClient, desk: Desk) -> None:
    [item_id] = keep(client, "nước yếu")
    page = client.get(f"/review?{FIELD}", headers=HTML).text
    assert page.count('<option value="LV17">') == 2

    decide(client, page, "LV17", "")
    decide(client, client.get(f"/review?at={item_id}c", headers=HTML).text, "LV05", "LV17")

    assert corrections(desk, item_id)[0] == ("civic_field", "labelled", ("LV05", "LV17"))


def test_areas_of_a_document_stand_under_those_above_them(client: TestClient) -> None:
    client.post("/documents", files={"file": ("a.txt", b"CH\xe1\xbb\x88 TH\xe1\xbb\x8a 1")})

    page = client.get("/review?kind=official", headers=HTML).text

    assert "Văn bản này chủ yếu nói về mảng công tác nào?" in page
    assert '<optgroup label="Dân chủ ở cơ sở">' in page


def test_a_feeling_cannot_be_none_and_has_no_long_list(client: TestClient) -> None:
    keep(client, "nước yếu")

    page = client.get("/review?facet=sentiment", headers=HTML).text

    assert choices(page).count("<button") == 3
    assert 'value="none"' not in page
    assert "<select" not in page.partition('id="duyet"')[2]


def test_undoing_brings_the_item_back(client: TestClient, desk: Desk) -> None:
    newest, *_ = keep(client, *TEXTS)
    after = decide(client, client.get(f"/review?{FIELD}", headers=HTML).text, "LV02")

    action = action_of(after, "review-last")
    back = client.post(action, data={"facet": "civic_field"}, headers=HTML).text

    assert corrections(desk, newest)[0] == ("civic_field", "withdrawn", ())
    assert shown_id(back) == newest
    assert "Đã lấy lại như cũ." in back
    assert "Vừa ghi" not in back
    again = client.post(action, data={"facet": "civic_field"}, headers=HTML)
    assert "Không còn gì để hoàn tác" in again.text


def test_what_is_passed_over_is_not_shown_again_and_nothing_is_kept(
    client: TestClient, desk: Desk
) -> None:
    ids = keep(client, *TEXTS)
    page, seen = client.get(f"/review?{FIELD}", headers=HTML).text, list[str]()
    for _ in TEXTS:
        seen.append(shown_id(page))
        [link] = re.findall(r'data-skip [^>]*href="([^"]*)"', page)
        page = client.get(unescape(link), headers=HTML).text

    assert sorted(seen) == sorted(ids)
    assert "Không còn mục nào cần xem theo cách lọc này." in page
    [link] = re.findall(r'href="([^"]*)">Xem lại 3 mục', page)
    assert shown_id(client.get(unescape(link), headers=HTML).text) == seen[0]
    assert not any(corrections(desk, item_id) for item_id in ids)


def test_an_empty_queue_says_what_comes_next(client: TestClient) -> None:
    shown = words(client.get("/review", headers=HTML).text)

    assert "Đã duyệt hết." in shown
    assert "Về Tổng quan" in shown


@pytest.mark.parametrize("headers", [HTML, HTMX])
def test_a_conflict_is_told_and_the_item_shown_anew(
    client: TestClient, desk: Desk, headers: dict[str, str]
) -> None:
    newest, *_ = keep(client, *TEXTS)
    page = client.get(f"/review?{FIELD}", headers=HTML).text
    other = Word("civic_field", "labelled", ("LV05",))
    correct_item(desk, newest, other, made_by="staff:minh")

    form = {"facet": "civic_field", "code": "LV02", "seen": "-"}
    answer = client.post(action_of(page), data=form, headers=headers)

    assert answer.status_code == 200
    assert len(corrections(desk, newest)) == 1
    assert shown_id(answer.text) == newest
    shown = words(answer.text)
    assert "Có người vừa ghi nhãn mục này trước bạn" in shown
    assert "Hiện người đã ghi: “Giáo dục, đào tạo”." in shown
    assert 'name="seen" value="LV05"' in answer.text


def test_pressing_twice_is_no_conflict(client: TestClient, desk: Desk) -> None:
    newest, *_ = keep(client, *TEXTS)
    page = client.get(f"/review?{FIELD}", headers=HTML).text

    decide(client, page, "LV02")
    again = decide(client, page, "LV02")

    assert len(corrections(desk, newest)) == 1
    assert "trước bạn" not in again


def test_a_second_reader_sees_nothing_of_the_first(client: TestClient, desk: Desk) -> None:
    ids = keep(client, *(f"việc số {n} {word}" for n in range(4) for word in TEXTS))
    seqs = {item_id: open_item(desk, item_id).seq for item_id in ids}
    [number] = [item_id for item_id, seq in seqs.items() if seq % READ_TWICE == 0]
    correct_item(desk, number, Word("civic_field", "labelled", ("LV05",)), made_by="staff:minh")

    page = client.get("/review?reason=second_reading", headers=HTML).text

    assert shown_id(page) == number
    assert "Đọc lần hai" in page
    assert 'name="seen"' not in page
    assert "người đã ghi" not in page
    assert f'href="/opinions/{number}"' not in page
    decide(client, page, "LV04")
    assert corrections(desk, number)[0] == ("civic_field", "labelled", ("LV04",))


def test_an_item_that_is_gone_is_told(client: TestClient) -> None:
    newest, *_ = keep(client, *TEXTS)
    page = client.get(f"/review?{FIELD}", headers=HTML).text
    client.delete(f"/v1/items/{newest}")

    after = decide(client, page, "LV02")

    assert "Mục đó không còn nữa" in after
    assert shown_id(after) != newest
    assert client.get(f"/review?at={newest}c", headers=HTML).status_code == 200


def test_nothing_chosen_is_told(client: TestClient) -> None:
    keep(client, "nước yếu")
    page = client.get(f"/review?{FIELD}", headers=HTML).text

    answer = client.post(action_of(page), data={"facet": "civic_field", "code": ""}, headers=HTML)

    assert answer.status_code == 422


@pytest.mark.parametrize(
    "query", ["kind=x", "facet=tone", "reason=x", "at=x", "done=x", "passed=x"]
)
def test_a_wrong_address_is_told(client: TestClient, query: str) -> None:
    assert client.get(f"/review?{query}", headers=HTML).status_code == 422


def test_what_was_shown_and_changed_stands_in_the_access_log(client: TestClient) -> None:
    newest, *_ = keep(client, *TEXTS)
    page = client.get(f"/review?{FIELD}", headers=HTML).text
    decide(client, page, "LV02")

    lines = client.get(f"/v1/access-log?subject={newest}").json()["items"]

    assert {line["action"] for line in lines} == {"item.opened", "item.corrected"}


def test_agreement_is_told_in_words_and_of_nobody(client: TestClient, desk: Desk) -> None:
    ids = keep(client, *(f"rác số {n} {word}" for n in range(2) for word in TEXTS))
    both = ("staff:lan", "staff:minh")
    for item_id, names in zip(ids, cycle((both, both[::-1])), strict=False):
        for name in names:
            correct_item(desk, item_id, Word("civic_field", "labelled", ("LV02",)), made_by=name)

    shown = words(client.get("/review/agreement", headers=HTML).text)

    assert "Lĩnh vực đời sống 6 100% 1 (trong khoảng 1 đến 1) Thống nhất tốt" in shown
    assert "Chưa có mục nào được hai người đọc." in shown
    assert "Môi trường, rác thải, không khí, ngập úng 6 0" in shown
    assert "lan" not in shown.split()
    assert "minh" not in shown.split()

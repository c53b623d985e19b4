"""The page of one item: what it says, what people say of it, and how it ends."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from typing import cast

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from nlp.pipeline import Pipeline, Request
from nlp.readers import from_text
from nlp.readers.pages import Drawn
from nlp.types import Analysis, Field, HintEvidence, Hints, Metadata, Place, Span, TextQuality
from service import auth
from service.actions import Desk, open_item
from service.app import create_app
from service.auth import CONSOLE, Role
from service.reviewing import Word, correct_item
from service.settings import Settings
from service.store import tables
from service.store.dialect import writing
from service.store.intake import add
from service.store.pictures import keep_pages
from service.store.records import NewItem
from tests.service.html import words
from tests.service.rules import PACK, RulePipeline
from tests.service.shelf import NOON, Change

HTML = {"accept": "text/html"}
DIRECTIVE = "CHỈ THỊ\nVề thủ tục hành chính\nTuy nhiên còn chậm"


def keep(
    desk: Desk,
    text: str,
    *,
    number: int = 1,
    places: tuple[Place, ...] = (),
    posted_at: datetime | None = None,
    change: Change = lambda analysis: analysis,
) -> str:
    """Store a text that the rules have read; `change` makes something else of what they said."""
    doc = replace(from_text(text), places=places)
    analysis = change(RulePipeline().analyze(Request(f"{number:032x}", doc)))
    item = NewItem(
        id=f"{number:032x}",
        intake="opinion" if analysis.kind == "opinion" else "document",
        kind=analysis.kind,
        doc=doc,
        source="demo",
        external_id=str(number),
        received_at=NOON + timedelta(hours=number),
        posted_at=posted_at,
    )
    add(desk.engine, [(item, analysis)], run_id=desk.run_id, parents=PACK.parents)
    return item.id


def numbered(analysis: Analysis) -> Analysis:
    """A document that bears the number which the rules find cited."""
    return replace(analysis, metadata=Metadata(canonical=Field("25-NQ/TW", None, None)))


def page(client: TestClient, item_id: str, *, door: str = "opinions", **asked: str) -> str:
    answer = client.get(f"/{door}/{item_id}", params=asked, headers=HTML)
    assert answer.status_code == 200, answer.text
    return answer.text


def say(client: TestClient, item_id: str, **said: str | list[str]) -> tuple[int, str]:
    """What is answered to a form about a label, and where it leads."""
    form = {"facet": "civic_field", **said}
    answer = client.post(
        f"/items/{item_id}/labels", data=form, headers=HTML, follow_redirects=False
    )
    return answer.status_code, answer.headers.get("location", "")


def fields_of(desk: Desk, item_id: str) -> list[str]:
    labels = open_item(desk, item_id).analysis["civic_field"]["labels"]
    return [label["code"] for label in labels]


# ---- put right, and taken back


def test_a_label_is_put_right_in_two_presses(client: TestClient, desk: Desk) -> None:
    item_id = keep(desk, "đường hỏng")
    first = page(client, item_id)
    [link] = re.findall(r'id="sua-civic_field"[^>]* href="([^"]*)"', first)

    form = client.get(unescape(link), headers=HTML).text
    status, address = say(client, item_id, code="LV02", seen="LV03")

    assert 'name="seen" value="LV03"' in form
    assert re.search(r'<button[^>]*name="code" value="LV02"', form)
    assert (status, address) == (
        303,
        f"/opinions/{item_id}?told=corrected&about=civic_field#phan-civic_field",
    )
    assert fields_of(desk, item_id) == ["LV02"]
    shown = words(client.get(address, headers=HTML).text)
    assert "Đã sửa nhãn." in shown
    assert "người đã sửa" in shown


def test_it_is_taken_back_in_one(client: TestClient, desk: Desk) -> None:
    item_id = keep(desk, "đường hỏng")
    say(client, item_id, code="LV02", seen="LV03")
    assert "Lấy lại như cũ" in words(page(client, item_id))

    _, address = say(client, item_id, decision="withdrawn", seen="LV02")

    assert "told=undone" in address
    assert fields_of(desk, item_id) == ["LV03"]
    assert "Lấy lại như cũ" not in words(page(client, item_id)).replace("lấy lại như cũ", "")


def test_the_machine_is_confirmed_in_one_press(client: TestClient, desk: Desk) -> None:
    item_id = keep(desk, "đường hỏng")
    shown = page(client, item_id)
    assert "Máy gán đúng: Lĩnh vực đời sống" in shown

    _, address = say(client, item_id, code="LV03", seen="LV03")

    assert "told=confirmed" in address
    [said] = open_item(desk, item_id).corrections
    assert (said.decision, said.codes) == ("labelled", ("LV03",))
    assert "người đã xác nhận" in words(page(client, item_id))
    assert "Máy gán đúng: Lĩnh vực đời sống" not in page(client, item_id)


@pytest.mark.parametrize(
    ("code", "told"), [("LV02", "người đã sửa"), ("LV03", "người đã xác nhận")]
)
def test_a_list_tells_whose_label_it_shows(
    client: TestClient, desk: Desk, code: str, told: str
) -> None:
    item_id = keep(desk, "đường hỏng")
    before = words(client.get("/opinions", headers=HTML).text)

    say(client, item_id, code=code, seen="LV03")

    shown = words(client.get("/opinions", headers=HTML).text)
    assert shown.count(told) == 1
    assert "người đã" not in before


def test_the_page_of_an_opinion_tells_when_it_was_posted(client: TestClient, desk: Desk) -> None:
    item_id = keep(desk, "đường hỏng", posted_at=NOON)

    assert f"Đăng ngày {NOON:%d/%m/%Y}" in words(page(client, item_id))


def test_that_none_fits_is_said_and_confirmed(client: TestClient, desk: Desk) -> None:
    item_id = keep(desk, "xin chào")

    say(client, item_id, code="none", seen="")

    [said] = open_item(desk, item_id).corrections
    assert said.decision == "none_of_these"


def test_several_fields_are_kept_in_their_order_each_once(client: TestClient, desk: Desk) -> None:
    item_id = keep(desk, "đường hỏng")

    say(client, item_id, code=["LV05", "LV02", "LV05", ""], seen="LV03")

    assert fields_of(desk, item_id) == ["LV05", "LV02"]


def test_the_lists_begin_with_what_stands_and_offer_no_group(
    client: TestClient, desk: Desk
) -> None:
    item_id = keep(desk, DIRECTIVE)

    form = page(client, item_id, door="documents", edit="task_area")

    assert '<option value="DV3.5" selected>' in form
    assert 'value="DV3"' not in form
    assert '<optgroup label="Dân vận của cơ quan nhà nước, chính quyền">' in form
    assert form.count("<select") == 3


def test_what_a_colleague_said_meanwhile_is_shown_and_not_overwritten(
    client: TestClient, desk: Desk
) -> None:
    item_id = keep(desk, "đường hỏng")
    correct_item(desk, item_id, Word("civic_field", "labelled", ("LV05",)), made_by="staff:lan")

    status, address = say(client, item_id, code="LV02", seen="LV03")
    shown = client.get(address, headers=HTML).text

    assert status == 303
    assert fields_of(desk, item_id) == ["LV05"]
    assert "lượt của bạn chưa được ghi" in words(shown)
    assert 'name="seen" value="LV05"' in shown
    assert "Lấy lại như cũ" not in words(shown)
    assert "lan" not in re.findall(r"\w+", words(shown))


def test_a_button_pressed_twice_has_done_its_work(client: TestClient, desk: Desk) -> None:
    item_id = keep(desk, "đường hỏng")

    for _ in range(2):
        _, address = say(client, item_id, code="LV02", seen="LV03")

    assert "told=corrected" in address
    assert len(open_item(desk, item_id).corrections) == 1


def test_nothing_to_take_back_is_told(client: TestClient, desk: Desk) -> None:
    item_id = keep(desk, "đường hỏng")

    status, address = say(client, item_id, decision="withdrawn", seen="LV03")

    assert (status, "told=not_undone" in address) == (303, True)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"code": ""}, 422),
        ({}, 422),
        ({"code": "DV3.5"}, 422),
        ({"facet": "tone", "code": "cause"}, 422),
        ({"facet": "sentiment", "code": "none", "seen": "negative"}, 422),
        ({"decision": "gone"}, 422),
    ],
)
def test_what_cannot_be_said_is_refused(
    client: TestClient, desk: Desk, said: dict[str, str], status: int
) -> None:
    item_id = keep(desk, "đường hỏng")

    assert say(client, item_id, **{"seen": "LV03", **said})[0] == status
    assert open_item(desk, item_id).corrections == ()


def test_an_item_that_is_gone_is_told(client: TestClient) -> None:
    answer = client.post(
        f"/items/{'0' * 32}/labels", data={"facet": "civic_field", "code": "LV02"}, headers=HTML
    )

    assert (answer.status_code, "Không tìm thấy" in answer.text) == (404, True)


@pytest.mark.parametrize("facet", ["sentiment", "tone", "x", ""])
def test_a_facet_that_cannot_be_put_right_has_no_form(
    client: TestClient, desk: Desk, facet: str
) -> None:
    item_id = keep(desk, DIRECTIVE)

    assert "Nhãn nào đúng?" not in page(client, item_id, door="documents", edit=facet)


def test_an_area_of_a_paragraph_is_read_without_pointing_at_it(
    client: TestClient, desk: Desk
) -> None:
    def with_area(own: Analysis) -> Analysis:
        return replace(
            own, segments=tuple(replace(one, task_area=("DV3.5",)) for one in own.segments)
        )

    item_id = keep(desk, DIRECTIVE, change=with_area)

    text = words(page(client, item_id, door="documents")).partition("Toàn văn")[2]

    assert "Cải cách hành chính, chuyển đổi số, chỉ số hài lòng DV3.5" in text


def test_what_was_said_is_told_without_who_said_it(client: TestClient, desk: Desk) -> None:
    item_id = keep(desk, "đường hỏng")
    correct_item(desk, item_id, Word("civic_field", "labelled", ("LV02",)), made_by="staff:thi-na")
    correct_item(desk, item_id, Word("civic_field", "withdrawn"), made_by="staff:thi-na")
    correct_item(desk, item_id, Word("civic_field", "none_of_these"), made_by="staff:thi-na")

    shown = page(client, item_id)

    assert "thi-na" not in shown
    told = words(shown)
    assert "Lịch sử sửa nhãn (3)" in told
    for part in ("lấy lại như cũ", "Không thuộc lĩnh vực nào", "theo bộ phân loại 1.0.0"):
        assert part in told


def test_only_what_was_said_is_written_into_the_access_log(
    client: TestClient, app: FastAPI, desk: Desk
) -> None:
    item_id = keep(desk, "đường hỏng")

    say(client, item_id, code="DV3.5", seen="LV03")
    say(client, item_id, code="LV02", seen="LV03")

    app.state.journal.settle(5.0)
    log = tables.access_log.c
    with desk.engine.connect() as connection:
        lines = connection.execute(sa.select(log.subject).where(log.action == "item.corrected"))
        assert lines.scalars().all() == [item_id]


# ---- what stands beside the text


def test_hints_light_their_words(client: TestClient, desk: Desk) -> None:
    hints = Hints(
        "phản ánh",
        "life_safety",
        ("place", "time"),
        HintEvidence(channel=(), urgency=(Span(6, 10),)),
    )
    item_id = keep(desk, "Đường hỏng", change=lambda own: replace(own, hints=hints))

    shown = page(client, item_id, show="hint:urgency")

    assert '<mark id="can-cu">hỏng</mark>' in shown
    told = words(shown)
    for part in ("Phản ánh", "Đe dọa tính mạng, an toàn", "nơi xảy ra, thời gian"):
        assert part in told


def test_a_cited_document_that_is_there_is_one_link_away(client: TestClient, desk: Desk) -> None:
    citing = keep(desk, DIRECTIVE, number=1)
    there = keep(desk, "CHỈ THỊ hai", number=2, change=numbered)

    shown = page(client, citing, door="documents")

    assert f'<a href="/documents/{there}">' in shown
    assert "Có trong kho:" in shown


def test_a_number_that_many_bear_is_said_to_be_so(client: TestClient, desk: Desk) -> None:
    citing = keep(desk, DIRECTIVE, number=1)
    for n in range(2, 7):
        keep(desk, f"CHỈ THỊ {n}", number=n, change=numbered)

    shown = words(page(client, citing, door="documents"))

    assert "Trong kho có nhiều văn bản cùng số, ký hiệu" in shown
    assert "Xem mọi văn bản nhắc đến số này" in shown


@pytest.mark.parametrize(
    ("issue", "told"),
    [
        ("ocr", "Nội dung được nhận dạng từ ảnh quét"),
        ("decoded_cp1258", "chuyển mã theo phỏng đoán (decoded_cp1258)"),
    ],
)
def test_what_is_wrong_with_the_text_is_told_in_words(
    client: TestClient, desk: Desk, issue: str, told: str
) -> None:
    quality = TextQuality(readable=True, issues=(issue,))
    item_id = keep(desk, DIRECTIVE, change=lambda own: replace(own, text_quality=quality))

    assert told in words(page(client, item_id, door="documents"))


def test_pages_are_shown_with_what_is_lit_on_them(client: TestClient, desk: Desk) -> None:
    places = (Place(8, 29, 1, 0.1, 0.2, 0.9, 0.22),)
    item_id = keep(desk, DIRECTIVE, places=places)
    with writing(desk.engine) as connection:
        keep_pages(connection, open_item(desk, item_id).seq, [Drawn(1, 1000, 1400, b"RIFF")])

    dark = page(client, item_id, door="documents")
    lit = page(client, item_id, door="documents", show="task_area:DV3.5")

    picture = (
        f'<img src="/documents/{item_id}/pages/1.webp" loading="lazy" width="1000" height="1400"'
    )
    assert picture in dark
    assert "<rect" not in dark
    assert '<svg viewBox="0 0 1000 1400"' in lit
    assert lit.count("<rect") == 1
    assert "Xem chỗ này trên bản gốc, trang 1" in words(lit)


def test_without_pages_there_is_no_such_section(client: TestClient, desk: Desk) -> None:
    assert "Bản gốc" not in words(page(client, keep(desk, DIRECTIVE), door="documents"))


# ---- who may do what


@pytest.mark.parametrize(("role", "may"), [("reader", False), ("reviewer", True)])
def test_only_who_may_review_is_offered_to(settings: Settings, role: Role, may: bool) -> None:
    guarded = settings.model_copy(update={"access": "keys"})
    app = create_app(guarded, pipeline=cast(Pipeline, RulePipeline()))
    desk: Desk = app.state.desk
    item_id = keep(desk, "đường hỏng")
    key = auth.make_key(desk.engine, role, role=role, by=CONSOLE, now=desk.now()).key

    with TestClient(app) as client:
        client.headers["authorization"] = f"Bearer {key}"
        shown = page(client, item_id, edit="civic_field")
    desk.engine.dispose()

    assert ("Nhãn nào đúng?" in shown) == may
    assert ("Sửa: Cảm xúc" in shown) == may
    assert "Xóa hẳn mục này" not in shown


# ---- the end of an item


def test_an_item_is_erased_after_a_second_question(client: TestClient, desk: Desk) -> None:
    item_id = keep(desk, "đường hỏng, nhà ông Sáu")
    assert f'href="/items/{item_id}/erase"' in page(client, item_id)

    asked = client.get(f"/items/{item_id}/erase", headers=HTML).text
    unsure = client.post(f"/items/{item_id}/erase", headers=HTML)
    sure = client.post(f"/items/{item_id}/erase", data={"sure": "yes"}, headers=HTML)

    assert "ông Sáu" not in asked
    assert "Chưa xóa" in unsure.text
    assert "Đã xóa hẳn mục đó." in sure.text
    assert client.get(f"/opinions/{item_id}", headers=HTML).status_code == 404

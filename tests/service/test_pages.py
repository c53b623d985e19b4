"""The pages work with plain forms and links, and say in Vietnamese what went wrong."""

import re
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service import ui
from tests.service.html import words

HTML = {"accept": "text/html"}
DIRECTIVE = """CHỈ THỊ
Về thủ tục hành chính
Kết quả đạt được nhiều mặt
Tuy nhiên còn chậm
Thành ủy yêu cầu khắc phục"""


def upload(client: TestClient, text: str, *, name: str = "a.txt") -> str:
    answer = client.post("/documents", files={"file": (name, text.encode())}, headers=HTML)
    assert answer.status_code == 200, answer.text
    return answer.text


def paste(client: TestClient, text: str) -> str:
    answer = client.post("/opinions", data={"text": text}, headers=HTML)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_an_upload_leads_to_its_page(client: TestClient) -> None:
    answer = client.post(
        "/documents", files={"file": ("a.txt", DIRECTIVE.encode())}, follow_redirects=False
    )

    assert answer.status_code == 303
    assert re.fullmatch(r"/documents/[0-9a-f]{32}", answer.headers["location"])


def test_a_document_is_shown_with_its_form_labels_and_tone(client: TestClient) -> None:
    shown = words(upload(client, DIRECTIVE))

    for part in (
        "Chỉ thị 07-CT/TU",
        "01/10/2021",
        "Cải cách hành chính, chuyển đổi số, chỉ số hài lòng DV3.5 91%",
        "Các ban Đảng",
        "Văn bản không ghi",
        "Hạn chế, tồn tại Tuy nhiên còn chậm",
        "Chỉ đạo, nhiệm vụ Thành ủy yêu cầu khắc phục",
        "Ban Dân vận",
        "hằng năm",
        "25-NQ/TW",
        "Mô hình rules 1",
    ):
        assert part in shown


def test_an_opinion_is_shown_masked_with_its_labels(client: TestClient) -> None:
    shown = words(paste(client, "Đường hỏng, gọi 0912345678"))

    for part in (
        "Giao thông, đường sá, vận tải LV03",
        "Tiêu cực",
        "Phàn nàn, phản ánh",
        "••••••••••",
    ):
        assert part in shown
    assert "0912345678" not in shown


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Xin chào", "Không thuộc lĩnh vực nào"),
        ("bình thường", "Chưa đủ căn cứ, cần người xem Gần nhất là “Giao thông"),
    ],
)
def test_no_label_is_explained_in_words(client: TestClient, text: str, told: str) -> None:
    assert told in words(paste(client, text))


def test_a_document_outside_all_areas_is_told_so(client: TestClient) -> None:
    assert "Không thuộc mảng nào" in words(upload(client, "CHỈ THỊ xin chào"))


def test_a_text_of_no_kind_is_told_so(client: TestClient) -> None:
    assert "Chưa nhận ra đây là văn bản hay ý kiến" in words(upload(client, "12 34 56"))


def test_a_label_lights_its_words_without_script(client: TestClient) -> None:
    page = upload(client, DIRECTIVE)
    [link] = re.findall(r'href="([^"]*show=task_area[^"]*)"', page)

    lit = client.get(unescape(link)).text

    assert '<mark id="can-cu">thủ tục hành chính</mark>' in lit
    assert 'aria-current="true"' in lit


def test_text_of_a_document_is_never_markup(client: TestClient) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x>"
    pages_shown = [
        upload(client, f"CHỈ THỊ {evil}", name=f"{evil}.txt"),
        paste(client, f"đường {evil}"),
        client.get("/").text,
        client.get("/documents/x", params={"show": evil}, headers=HTML).text,
    ]

    for page in pages_shown:
        assert "<script>" not in page
        assert "<img src=x" not in page
    assert evil in unescape(pages_shown[0])


@pytest.mark.parametrize(
    ("name", "data", "status", "told"),
    [
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 415, "Chưa đọc được loại tệp này"),
        ("a.docx", b"no zip", 422, "Không đọc được tệp"),
        ("a.txt", b"a" * 100_001, 413, "Nội dung quá lớn"),
        ("a.txt", b"a" * 300_000, 413, "Nội dung quá lớn"),
    ],
)
def test_a_bad_file_is_explained_beside_the_forms(
    client: TestClient, name: str, data: bytes, status: int, told: str
) -> None:
    answer = client.post("/documents", files={"file": (name, data)}, headers=HTML)

    assert answer.status_code == status
    assert told in answer.text
    assert 'action="/documents"' in answer.text


@pytest.mark.parametrize(
    ("path", "told"),
    [("/documents", "Thiếu hoặc sai nội dung"), ("/opinions", "Thiếu hoặc sai nội dung")],
)
def test_a_form_without_content_is_explained(client: TestClient, path: str, told: str) -> None:
    answer = client.post(path, data={}, headers=HTML)

    assert (answer.status_code, told in answer.text) == (422, True)


def test_an_empty_opinion_is_explained(client: TestClient) -> None:
    answer = client.post("/opinions", data={"text": " \n"}, headers=HTML)

    assert (answer.status_code, "Chưa nhận được nội dung này" in answer.text) == (422, True)


def test_the_same_opinion_again_is_the_same_page(client: TestClient) -> None:
    first, again = (
        client.post("/opinions", data={"text": "đường hỏng"}, follow_redirects=False)
        for _ in range(2)
    )

    assert first.headers["location"] == again.headers["location"]


def test_the_lists_show_what_came_last_first(client: TestClient) -> None:
    paste(client, "đường hỏng")
    paste(client, "đường ngập")
    upload(client, DIRECTIVE)

    opinions, documents = (
        words(client.get(path, headers=HTML).text) for path in ("/opinions", "/documents")
    )

    assert opinions.index("đường ngập") < opinions.index("đường hỏng")
    assert "Giao thông, đường sá, vận tải" in opinions
    assert "Chỉ thị 07-CT/TU" in documents


def test_older_items_are_one_link_away(client: TestClient) -> None:
    for i in range(21):
        paste(client, f"đường hỏng {i}")
    [link] = re.findall(r'href="(/opinions\?cursor=[^"]*)"', client.get("/opinions").text)

    assert "đường hỏng 0" in client.get(link).text


def test_an_unknown_page_is_told_to_people_and_to_programs(client: TestClient) -> None:
    assert "Không tìm thấy" in client.get("/documents/x", headers=HTML).text
    assert client.get("/v1/x", headers=HTML).headers["content-type"] == "application/problem+json"


def test_no_page_holds_script_or_style_in_line() -> None:
    for template in Path(ui.__file__).parent.rglob("templates/*.html"):
        source = template.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son\w+=|hx-on|javascript:", source), template.name
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", source)), template.name

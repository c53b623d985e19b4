"""Paragraphs: roles, headings, task numbers, and paragraphs cut by a page break."""

import pytest

from nlp.structure import Registers, read_structure
from nlp.structure.markers import advance, find_marker, task_number
from nlp.text import fold
from nlp.types import Block, Document, Paragraph
from tests.structure.papers import LETTER, PARTY_PLAN, STATE_DECISION, document

LONG = "Các cơ quan nhà nước tiếp tục đổi mới nội dung, phương thức thực hiện công tác dân vận, có lúc chưa"


def paragraphs(text: str, registers: Registers) -> list[tuple[str, str, str | None]]:
    doc = document(text)
    found = read_structure(doc, registers=registers).paragraphs
    return [(doc.text[p.start : p.end], p.role, p.task_number) for p in found]


def roles(text: str, registers: Registers) -> dict[str, str]:
    return {words: role for words, role, _ in paragraphs(text, registers)}


def test_every_zone_of_a_plan_has_its_role(registers: Registers) -> None:
    found = roles(PARTY_PLAN, registers)

    assert found["*"] == found["-----"] == found["với Nhân dân năm 2024"] == "letterhead"
    assert found["I. MỤC ĐÍCH, YÊU CẦU"] == found["1. Mục đích"] == "heading"
    assert found["Nâng cao nhận thức của cán bộ, đảng viên."] == "body"
    assert found["Kế hoạch này phổ biến đến chi bộ./."] == "closing"
    assert found["- Lưu VP."] == found["(2 bản)"] == "recipients"
    assert found["K/T TRƯỞNG BAN"] == found["Nguyễn Văn Mẫu"] == "signature"


def test_the_basis_of_a_decision_ends_where_it_decides(registers: Registers) -> None:
    found = roles(STATE_DECISION, registers)

    assert found["CHỦ TỊCH ỦY BAN NHÂN DÂN TỈNH"] == "letterhead"
    assert found["Theo đề nghị của Giám đốc Sở Nội vụ."] == "basis"
    assert found["QUYẾT ĐỊNH:"] == "heading"
    assert found["Điều 1. Phê duyệt danh mục 12 dịch vụ công kèm theo Quyết định này."] == "body"
    assert found["Điều 2. Điều khoản thi hành"] == "heading"


def test_the_addressees_of_a_letter_are_recipients(registers: Registers) -> None:
    assert roles(LETTER, registers)["Kính gửi: Thuế tỉnh Lâm Đồng."] == "recipients"


def test_tasks_are_numbered_by_their_path(registers: Registers) -> None:
    numbers = {words[:12]: number for words, _, number in paragraphs(PARTY_PLAN, registers)}

    assert numbers["I. MỤC ĐÍCH,"] == "I"
    assert numbers["Nâng cao nhậ"] == "I.1"
    assert numbers["a) Bố trí ki"] == "II.2.a"
    assert numbers["3. Đề nghị Ủ"] == "II.3"
    assert numbers["Kế hoạch này"] is None


def test_an_annex_begins_its_own_numbers(registers: Registers) -> None:
    numbers = {words: number for words, _, number in paragraphs(STATE_DECISION, registers)}

    assert numbers["2. Chánh Văn phòng chịu trách nhiệm thi hành Quyết định này./."] == "2.2"
    assert numbers["1. Cấp bản sao giấy tờ hộ tịch"] == "1"


def test_the_heading_of_a_paragraph_is_the_nearest_above(registers: Registers) -> None:
    doc = document(PARTY_PLAN)
    found = read_structure(doc, registers=registers).paragraphs

    headings = {
        doc.text[p.start : p.start + 9]: doc.text[p.heading.start : p.heading.end]
        for p in found
        if p.heading
    }

    assert headings["Nâng cao "] == "1. Mục đích"
    assert headings["2. Sở Nội"] == "II. NỘI DUNG"


def test_an_unnumbered_paragraph_stays_in_the_task_above(registers: Registers) -> None:
    text = "1. Các cấp ủy lãnh đạo.\nPhát huy vai trò người đứng đầu.\n2. Tổ chức thực hiện."

    assert [number for *_, number in paragraphs(text, registers)] == ["1", "1", "2"]


@pytest.mark.parametrize("change", [str, str.lower, str.upper])
def test_a_paragraph_cut_by_a_page_break_is_one(registers: Registers, change: type[str]) -> None:
    text = change(f"1. {LONG}\n\n\n\nsự hiệu quả, kịp thời.\n2. Rà soát quy chế.")

    found = paragraphs(text, registers)

    assert [number for *_, number in found] == ["1", "2"]
    assert found[0][0].lower().endswith("kịp thời.")


def test_a_page_number_between_the_halves_does_not_part_them(registers: Registers) -> None:
    text = f"{LONG}\n- 12 -\nsự hiệu quả, kịp thời.\nĐoạn sau là một đoạn khác."

    assert [words[-5:] for words, *_ in paragraphs(text, registers)] == ["thời.", "khác."]


@pytest.mark.parametrize(
    "following",
    ["2. Rà soát quy chế.", "- Rà soát quy chế.", "a) Rà soát quy chế.", "Điều 3. Rà soát."],
)
def test_a_numbered_line_is_never_the_rest_of_a_paragraph(
    registers: Registers, following: str
) -> None:
    assert len(paragraphs(f"{LONG}\n{following}", registers)) == 2


def test_a_short_line_without_a_stop_is_not_joined(registers: Registers) -> None:
    text = "Kết quả đạt được\nCông tác dân vận có chuyển biến.\nHạn chế còn nhiều."

    assert len(paragraphs(text, registers)) == 3


def test_a_line_that_stops_at_a_comma_goes_on_however_short(registers: Registers) -> None:
    text = "1. Bộ trưởng, Thủ trưởng cơ quan,\nChủ tịch tỉnh chỉ đạo.\n2. Rà soát quy chế."

    assert len(paragraphs(text, registers)) == 2


def test_cells_of_a_table_are_not_joined(registers: Registers) -> None:
    text = f"{LONG}\nmột ô khác của bảng"
    doc = Document(text, (Block(0, len(LONG), "cell"), Block(len(LONG) + 1, len(text), "cell")))

    assert len(read_structure(doc, registers=registers).paragraphs) == 2


def test_wrapped_lines_of_one_paragraph_are_one(registers: Registers) -> None:
    text = (
        "Các cơ quan nhà nước tiếp tục đổi mới nội\ndung, phương thức thực hiện công tác dân vận,\n"
        "chú trọng các vấn đề liên quan đến dân sinh\ncủa Nhân dân."
    )

    assert len(paragraphs(text, registers)) == 1


def test_a_block_with_line_breaks_is_one_paragraph(registers: Registers) -> None:
    text = "Dân biết, dân bàn\ndân làm, dân kiểm tra."
    doc = Document(text, (Block(0, len(text)),))

    assert read_structure(doc, registers=registers).paragraphs == (Paragraph(0, len(text), "body"),)


def test_text_without_the_form_is_body(registers: Registers) -> None:
    text = "Đường trước nhà tôi ngập ba ngày nay.\nMong các cấp quan tâm."

    assert set(roles(text, registers).values()) == {"body"}


@pytest.mark.parametrize("text", [PARTY_PLAN, STATE_DECISION, LETTER])
def test_lower_case_changes_no_paragraph_and_no_role(registers: Registers, text: str) -> None:
    doc = document(text)
    lowered = Document(doc.text.lower(), doc.blocks)

    assert (
        read_structure(lowered, registers=registers).paragraphs
        == read_structure(doc, registers=registers).paragraphs
    )


@pytest.mark.parametrize(
    ("line", "level", "label"),
    [
        ("Điều 12. Phạm vi", "article", "12"),
        ("Chương II", "part", ""),
        ("IV. NỘI DUNG", "roman", "IV"),
        ("II - NỘI DUNG", "roman", "II"),
        ("3. Sở Nội vụ", "arabic", "3"),
        ("3.Sở Nội vụ", "arabic", "3"),
        ("2.1. Sở Nội vụ", "decimal", "2.1"),
        ("1) Sở Nội vụ", "bracket", "1"),
        ("đ) Sở Nội vụ", "letter", "đ"),
        ("B. NỘI DUNG", "initial", "b"),
        ("- Sở Nội vụ", "bullet", ""),
    ],
)
def test_a_line_is_marked_by_what_it_begins_with(line: str, level: str, label: str) -> None:
    marker = find_marker(line, fold(line))

    assert marker is not None
    assert (marker.level, marker.label) == (level, label)


@pytest.mark.parametrize(
    "line",
    ["30.000 đồng mỗi hộ", "Điều 5 Nghị định này", "Mục tiêu chung", "2025 là năm bản lề", ""],
)
def test_a_line_of_prose_has_no_mark(line: str) -> None:
    assert find_marker(line, fold(line)) is None


def test_a_decimal_number_holds_the_numbers_above_it() -> None:
    path: tuple[tuple[str, str], ...] = ()
    numbers = []
    for line in ("II. Nhiệm vụ", "1. Chung", "1.1. Sở", "a) Chủ trì", "1.2. Phường", "2. Riêng"):
        marker = find_marker(line, fold(line))
        path = advance(path, marker) if marker else path
        numbers.append(task_number(path))

    assert numbers == ["II", "II.1", "II.1.1", "II.1.1.a", "II.1.2", "II.2"]

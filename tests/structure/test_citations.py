"""Citations: every mention of another document, with what the mention tells."""

import pytest

from nlp.structure import Registers, read_structure
from nlp.types import Citation
from tests.structure.papers import STATE_DECISION, document


def citations(text: str, registers: Registers) -> tuple[Citation, ...]:
    return read_structure(document(text), registers=registers).citations


def only(text: str, registers: Registers) -> Citation:
    (citation,) = citations(text, registers)
    return citation


@pytest.mark.parametrize(
    ("mention", "canonical", "kind", "date"),
    [
        ("Nghị quyết số 25-NQ/TW ngày 03/6/2013", "25-NQ/TW", "Nghị quyết", "2013-06-03"),
        ("Quy định 124-QĐ/TW ngày 02/02/2018", "124-QĐ/TW", "Quy định", "2018-02-02"),
        (
            "Quyết định số 45/QĐ-UBND ngày 03 tháng 02 năm 2026",
            "45/QĐ-UBND",
            "Quyết định",
            "2026-02-03",
        ),
        ("Nghị quyết số 97/QH14 ngày 27/11/2019", "97/QH14", "Nghị quyết", "2019-11-27"),
        ("Công điện số 12/CĐ-TTg, ngày 5/9/2025", "12/CĐ-TTg", "Công điện", "2025-09-05"),
        ("Nghị định 59/2023/NĐ-CP", "59/2023/NĐ-CP", "Nghị định", None),
        ("số 63/2010/NĐ-CP ngày 08/6/2010", "63/2010/NĐ-CP", "Nghị định", "2010-06-08"),
        ("số 8004/BNNMT-ĐCKS ngày 17/10/2025", "8004/BNNMT-ĐCKS", "Văn bản", "2025-10-17"),
        (
            "Thông báo kết luận số 49/TB-VPCP ngày 07/02/2024",
            "49/TB-VPCP",
            "Thông báo",
            "2024-02-07",
        ),
        (
            "Thông báo số 569/TB-VPCP của Văn phòng Chính phủ ngày 22/10/2025",
            "569/TB-VPCP",
            "Thông báo",
            "2025-10-22",
        ),
    ],
)
def test_a_numbered_mention_tells_kind_number_and_date(
    registers: Registers, mention: str, canonical: str, kind: str, date: str | None
) -> None:
    found = only(f"Thực hiện {mention} về công tác dân vận.", registers)

    assert (found.canonical, found.kind, found.date) == (canonical, kind, date)


def test_the_span_of_a_mention_runs_from_kind_to_date(registers: Registers) -> None:
    text = "Theo Chỉ thị số 16/CT-TTg ngày 16/5/2016 của Thủ tướng."

    found = only(text, registers)

    assert text[found.start : found.end] == "Chỉ thị số 16/CT-TTg ngày 16/5/2016"


def test_a_subject_is_taken_from_quotation_marks_only(registers: Registers) -> None:
    text = (
        "Kết luận số 114-KL/TW ngày 14/7/2015 của Ban Bí thư về “Nâng cao hiệu quả”, "
        "Quyết định số 23-QĐ/TW ngày 30/7/2021 về việc ban hành Quy chế."
    )

    assert [c.subject for c in citations(text, registers)] == ["Nâng cao hiệu quả", None]


def test_a_list_shares_the_date_behind_it(registers: Registers) -> None:
    text = "Theo Quyết định số 217-QĐ/TW, Quyết định số 218-QĐ/TW ngày 12/12/2013."

    found = citations(text, registers)

    assert [c.date for c in found] == ["2013-12-12", "2013-12-12"]
    assert not any(c.ambiguous for c in found)


def test_a_number_in_a_list_has_the_kind_named_before_it(registers: Registers) -> None:
    text = "Các Luật số 43/2024/QH15, số 47/2024/QH15 và số 58/2024/QH15 có hiệu lực."

    assert [c.kind for c in citations(text, registers)] == ["Luật", "Luật", "Luật"]


@pytest.mark.parametrize(
    ("mention", "ambiguous"),
    [
        ("Nghị quyết số 15-NQ/TU", True),
        ("Kế hoạch số 45/KH-UBND", True),
        ("Nghị quyết số 15-NQ/TU ngày 04/5/2021", False),
        ("Nghị định số 59/2023/NĐ-CP", False),
        ("Luật Đất đai", True),
        ("Luật Đất đai năm 2024", False),
        ("Luật Hòa giải, đối thoại tại Tòa án", False),
    ],
)
def test_a_mention_without_its_year_is_ambiguous(
    registers: Registers, mention: str, ambiguous: bool
) -> None:
    assert only(f"Thực hiện {mention}.", registers).ambiguous is ambiguous


def test_a_later_mention_means_the_document_first_dated(registers: Registers) -> None:
    text = "Theo Chỉ thị số 16/CT-TTg ngày 16/5/2016.\nCác nhiệm vụ nêu tại Chỉ thị số 16/CT-TTg."

    first, later = citations(text, registers)

    assert (later.date, later.ambiguous) == (first.date, False)


@pytest.mark.parametrize(
    ("mention", "canonical", "subject", "date"),
    [
        (
            "Luật Hòa giải, đối thoại tại Tòa án",
            None,
            "Hòa giải, đối thoại tại Tòa án",
            None,
        ),
        ("Luật Đất đai 2024", "Luật Đất đai 2024", "Đất đai", None),
        (
            "Luật Viễn thông số 24/2023/QH15 ngày 24/11/2023",
            "24/2023/QH15",
            "Viễn thông",
            "2023-11-24",
        ),
        ("Luật Nông nghiệp xanh", None, "Nông nghiệp xanh", None),
        (
            "Luật sửa đổi, bổ sung một số điều của Luật Đất đai số 43/2024/QH15",
            "43/2024/QH15",
            "sửa đổi, bổ sung một số điều của Luật Đất đai",
            None,
        ),
    ],
)
def test_a_law_is_cited_by_its_name(
    registers: Registers,
    mention: str,
    canonical: str | None,
    subject: str,
    date: str | None,
) -> None:
    found = only(f"Thực hiện {mention}.", registers)

    assert (found.kind, found.canonical, found.subject, found.date) == (
        "Luật",
        canonical,
        subject,
        date,
    )


@pytest.mark.parametrize(
    "text",
    [
        "Xử lý theo quy định của pháp luật và giữ kỷ luật, kỷ cương.",
        "Luật này có hiệu lực từ ngày 01/7/2025.",
        "Luật sư trình bày ý kiến.",
        "Diện tích 12/15-20 ha, giá 30.000 đồng/tháng, số 5/tháng.",
        "Số nhà 12/5A, đường 3-2, tổ 12/KP4.",
        "Mã hồ sơ 220725-17 ngày 02/01/2026.",
    ],
)
def test_words_that_only_look_like_documents_are_none(registers: Registers, text: str) -> None:
    assert citations(text, registers) == ()


def test_a_session_of_two_terms_is_two_resolutions(registers: Registers) -> None:
    text = "Thực hiện Nghị quyết Trung ương 4 (khóa XI, XII)."

    found = citations(text, registers)

    assert [c.canonical for c in found] == [
        "Nghị quyết Trung ương 4 khóa XI",
        "Nghị quyết Trung ương 4 khóa XII",
    ]
    assert {text[c.start : c.end] for c in found} == {"Nghị quyết Trung ương 4 (khóa XI, XII)"}


@pytest.mark.parametrize(
    ("mention", "canonical"),
    [
        ("Nghị quyết Trung ương 5 khóa X", "Nghị quyết Trung ương 5 khóa X"),
        (
            "Nghị quyết Hội nghị lần thứ tư Ban Chấp hành Trung ương khóa XII",
            "Nghị quyết Trung ương 4 khóa XII",
        ),
        ("Nghị quyết Đại hội XIII của Đảng", "Nghị quyết Đại hội XIII"),
    ],
)
def test_a_session_or_congress_is_named_in_one_way(
    registers: Registers, mention: str, canonical: str
) -> None:
    assert only(f"Quán triệt {mention}.", registers).canonical == canonical


def test_the_own_number_is_no_citation(registers: Registers) -> None:
    found = citations(STATE_DECISION, registers)

    assert [c.canonical or c.subject for c in found] == ["Tổ chức chính quyền địa phương"]


def test_without_capitals_the_registers_spell_the_number(registers: Registers) -> None:
    text = "thực hiện quyết định số 23-qđ/tw ngày 30/7/2021 và chỉ thị số 16/ct-ttg."

    assert [c.canonical for c in citations(text, registers)] == ["23-QĐ/TW", "16/CT-TTg"]

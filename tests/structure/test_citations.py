"""Citations: every mention of another document, with what the mention tells."""

import re
import unicodedata

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
        (
            "Quyết định số 217-QĐ/TW của Bộ Chính trị, ngày 12/12/2013",
            "217-QĐ/TW",
            "Quyết định",
            "2013-12-12",
        ),
        ("Nghị định số142/2018/NĐ-CP", "142/2018/NĐ-CP", "Nghị định", None),
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
            "58/2020/QH14",
            "Hòa giải, đối thoại tại Tòa án",
            None,
        ),
        ("Luật Đất đai 2024", "31/2024/QH15", "Đất đai", None),
        ("Luật Đất đai ngày 18 tháng 01 năm 2024", "31/2024/QH15", "Đất đai", "2024-01-18"),
        ("Luật Đất đai (số 31/2024/QH15)", "31/2024/QH15", "Đất đai", None),
        ("Luật Đất đai năm 1993", "Luật Đất đai 1993", "Đất đai", None),
        ("Luật Đất đai", None, "Đất đai", None),
        (
            "Luật Thực hiện dân chủ ở cơ sở năm 2022",
            "10/2022/QH15",
            "Thực hiện dân chủ ở cơ sở",
            None,
        ),
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
        (
            "Luật sửa đổi, bổ sung một số điều của Luật Giáo dục đại học năm 2018",
            "Luật sửa đổi, bổ sung một số điều của Luật Giáo dục đại học 2018",
            "sửa đổi, bổ sung một số điều của Luật Giáo dục đại học",
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
        "Thực hiện pháp luật về đất đai; phát hiện pháp luật còn vướng mắc.",
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

    assert [c.canonical or c.subject for c in found] == ["72/2025/QH15"]


def test_an_amending_law_does_not_take_the_number_of_another_document(registers: Registers) -> None:
    text = "Luật sửa đổi, bổ sung một số điều của 15 luật về rừng nêu tại số 74/TB-VPCP ngày 02/3/2026."

    assert [(c.kind, c.canonical) for c in citations(text, registers)] == [
        ("Thông báo", "74/TB-VPCP")
    ]


def test_neither_number_of_a_joint_document_is_a_citation(registers: Registers) -> None:
    text = STATE_DECISION.replace("45 /QĐ-UBND", "45/KH-SYT - 67/KH-SNV").replace("45/QĐ", "45/KH")

    assert "67/KH-SNV" not in {c.canonical for c in citations(text, registers)}


def test_without_capitals_the_registers_spell_the_number(registers: Registers) -> None:
    text = "thực hiện quyết định số 23-qđ/tw ngày 30/7/2021 và chỉ thị số 16/ct-ttg."

    assert [c.canonical for c in citations(text, registers)] == ["23-QĐ/TW", "16/CT-TTg"]


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        (
            "các Nghị quyết số 18-NQ/TW, số 19-NQ/TW ngày 25/10/2017",
            [("18-NQ/TW", "2017-10-25"), ("19-NQ/TW", "2017-10-25")],
        ),
        (
            "các Quyết định số 217 và 218-QĐ/TW ngày 12/12/2013",
            [("217-QĐ/TW", "2013-12-12"), ("218-QĐ/TW", "2013-12-12")],
        ),
        (
            "Luật Nhà ở, Luật Kinh doanh bất động sản năm 2023",
            [("27/2023/QH15", None), ("29/2023/QH15", None)],
        ),
        # No Land Law has the year of the list, so which one is meant stays open.
        ("Luật Đất đai, Luật Nhà ở năm 2023", [(None, None), ("27/2023/QH15", None)]),
    ],
)
def test_a_list_shares_its_kind_its_symbol_and_its_date_or_year(
    registers: Registers, text: str, cited: list[tuple[str | None, str | None]]
) -> None:
    found = citations(f"Thực hiện {text}.", registers)

    assert [(c.canonical, c.date) for c in found] == cited


def test_each_number_of_a_list_has_its_own_span(registers: Registers) -> None:
    text = "Theo các Nghị quyết số 18, số 19-NQ/TW ngày 25/10/2017."

    found = citations(text, registers)

    assert [text[c.start : c.end] for c in found] == [
        "Nghị quyết số 18",
        "số 19-NQ/TW ngày 25/10/2017",
    ]


@pytest.mark.parametrize(
    ("mention", "ambiguous"),
    [
        ("Nghị quyết số 18-NQ/TW", True),
        ("Nghị quyết số 18-NQ/TW khóa XII", False),
        (
            "Nghị quyết số 18-NQ/TW của Hội nghị lần thứ sáu Ban Chấp hành Trung ương khóa XII",
            False,
        ),
    ],
)
def test_a_term_tells_which_party_number_is_meant(
    registers: Registers, mention: str, ambiguous: bool
) -> None:
    assert only(f"Thực hiện {mention}.", registers).ambiguous is ambiguous


@pytest.mark.parametrize(
    ("mention", "canonical"),
    [
        ("Nghị quyết Trung ương bảy khóa XII", "Nghị quyết Trung ương 7 khóa XII"),
        ("Nghị quyết Hội nghị Trung ương lần thứ 6 khóa XII", "Nghị quyết Trung ương 6 khóa XII"),
        (
            "Nghị quyết Đại hội đại biểu Đảng bộ tỉnh lần thứ XX",
            "Nghị quyết Đại hội Đảng bộ tỉnh XX",
        ),
        (
            "Nghị quyết Đại hội XVII Đảng bộ Thành phố",
            "Nghị quyết Đại hội Đảng bộ Thành phố XVII",
        ),
    ],
)
def test_sessions_in_words_and_congresses_of_a_province_are_named(
    registers: Registers, mention: str, canonical: str
) -> None:
    assert only(f"Quán triệt {mention}.", registers).canonical == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("Theo Nghị định số 59/2023/NĐ-CP. Căn cứ Nghị định nêu trên, thực hiện.", "59/2023/NĐ-CP"),
        ("Theo Nghị quyết số 08/NQ-CP ngày 02/3/2026. Thực hiện Nghị quyết trên.", "08/NQ-CP"),
        (
            "Theo Luật Trẻ em và Nghị định 56/2017/NĐ-CP; theo các văn bản nói trên.",
            "56/2017/NĐ-CP",
        ),
        (
            "Theo Công văn số 12/SNV-VP ngày 02/3/2026 và Luật Trẻ em; theo văn bản nêu trên.",
            "12/SNV-VP",
        ),
        ("Luật Đất đai năm 2024 quy định: “Người sử dụng đất theo Luật này.”", "31/2024/QH15"),
        (
            "Luật Trẻ em năm 2016 ghi: “theo Luật Giáo dục năm 2019 và Luật này”.",
            "102/2016/QH13",
        ),
    ],
)
def test_words_that_point_back_mean_the_last_document_of_the_kind(
    registers: Registers, text: str, canonical: str
) -> None:
    pointer = citations(text, registers)[-1]

    assert re.search(r"(?:trên|này)$", text[pointer.start : pointer.end])
    assert (pointer.canonical, pointer.ambiguous) == (canonical, "các văn bản" in text)


def test_a_pointer_is_ambiguous_after_two_of_the_kind(registers: Registers) -> None:
    text = "Theo Nghị định 56/2017/NĐ-CP và Nghị định 59/2023/NĐ-CP.\nThực hiện Nghị định nêu trên."

    pointer = citations(text, registers)[-1]

    assert (pointer.canonical, pointer.ambiguous) == ("59/2023/NĐ-CP", True)


@pytest.mark.parametrize(
    "words",
    [
        "Chỉ thị này phổ biến đến chi bộ.",
        "Kế hoạch này thay Chương trình trên.",
        "Thực hiện Chỉ thị trên địa bàn Thành phố.",
        "Căn cứ quy định nêu trên, xử lý hồ sơ.",
    ],
)
def test_the_document_itself_and_common_words_point_to_no_other(
    registers: Registers, words: str
) -> None:
    text = (
        "Theo Chỉ thị số 16/CT-TTg ngày 16/5/2016, Kế hoạch số 5/KH-UBND ngày 02/3/2026 và "
        f"Quy định số 11-QĐi/TW ngày 18/02/2019.\n{words}"
    )

    assert len(citations(text, registers)) == 3


def test_a_law_named_later_is_the_version_named_before(registers: Registers) -> None:
    text = "Theo Luật Đất đai năm 2013.\nHồ sơ theo Luật Đất đai."

    assert [c.canonical for c in citations(text, registers)] == ["45/2013/QH13", "45/2013/QH13"]


def test_a_number_left_open_by_a_draft_is_a_citation_without_number(registers: Registers) -> None:
    found = only("Thực hiện Kế hoạch số ......-KH/TU của Thành ủy.", registers)

    assert (found.kind, found.canonical, found.number, found.ambiguous) == (
        "Kế hoạch",
        None,
        None,
        True,
    )


_MIXED = (
    "Thực hiện các Nghị quyết số 18, 19-NQ/TW ngày 25/10/2017, Luật Đất đai năm 2024, Luật Bình đẳng giới, "
    "Chỉ thị số 16/CT-TTg ngày 16/5/2016, Nghị quyết Trung ương 4 khóa XII; theo Chỉ thị nêu trên."
)


@pytest.mark.parametrize("text", [_MIXED.lower(), unicodedata.normalize("NFD", _MIXED)])
def test_lower_case_and_nfd_give_the_same(registers: Registers, text: str) -> None:
    found = [(c.canonical, c.kind, c.date, c.ambiguous) for c in citations(text, registers)]

    wanted = [(c.canonical, c.kind, c.date, c.ambiguous) for c in citations(_MIXED, registers)]
    assert found == wanted
    assert len(found) == 7


def test_each_number_of_the_register_of_laws_is_of_its_year(registers: Registers) -> None:
    strange = [
        (name, year, number)
        for name, versions in registers.laws.items()
        for year, number in versions.items()
        if number and f"/{year}/" not in number
    ]

    assert strange == []
    assert (
        sum(bool(number) for versions in registers.laws.values() for number in versions.values())
        > 100
    )

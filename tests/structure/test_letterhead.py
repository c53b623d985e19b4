"""Metadata: what the head of a paper says, and nothing it does not say."""

import pytest

from nlp.structure import Registers, read_structure
from nlp.types import Metadata
from tests.structure.papers import LETTER, PARTY_PLAN, STATE_DECISION, document


def metadata(text: str, registers: Registers) -> Metadata:
    return read_structure(document(text), registers=registers).metadata


def values(text: str, registers: Registers) -> dict[str, str | tuple[str, ...] | None]:
    found = metadata(text, registers)
    return {
        name: field.value if (field := getattr(found, name)) else None
        for name in Metadata.__slots__
    }


def test_a_party_plan_gives_every_field(registers: Registers) -> None:
    assert values(PARTY_PLAN, registers) == {
        "kind": "Kế hoạch",
        "number": "45",
        "symbol": "KH/BDVTU",
        "canonical": "45-KH/BDVTU",
        "date": "2024-03-05",
        "place": "Hà Nội",
        "issuer": "Ban Dân vận Thành ủy Hà Nội",
        "subject": "tổ chức hội nghị đối thoại với Nhân dân năm 2024",
        "signer": "Nguyễn Văn Mẫu",
        "signer_title": "Phó Trưởng Ban Thường trực",
        "recipients": (
            "Thường trực Thành ủy (để báo cáo)",
            "Các quận, huyện, thị ủy",
            "Lưu VP",
        ),
    }


def test_a_state_decision_with_the_right_column_first_gives_every_field(
    registers: Registers,
) -> None:
    assert values(STATE_DECISION, registers) == {
        "kind": "Quyết định",
        "number": "45",
        "symbol": "QĐ-UBND",
        "canonical": "45/QĐ-UBND",
        "date": "2026-02-03",
        "place": "Phú Thọ",
        "issuer": "Ủy ban nhân dân tỉnh Phú Thọ",
        "subject": "VỀ VIỆC PHÊ DUYỆT DANH MỤC DỊCH VỤ CÔNG THUỘC THẨM QUYỀN CỦA SỞ NỘI VỤ",
        "signer": "Trần Thị Mẫu",
        "signer_title": "Phó Chủ tịch",
        "recipients": ("Như Điều 2", "Lưu: VT"),
    }


def test_a_letter_is_known_without_a_title(registers: Registers) -> None:
    found = metadata(LETTER, registers)

    assert found.kind is not None
    assert (found.kind.value, found.kind.inferred) == ("Công văn", True)
    assert values(LETTER, registers)["subject"] == "lệ phí trước bạ đối với nhà, đất"
    assert values(LETTER, registers)["issuer"] == "Cục Thuế"


def test_each_explicit_value_has_the_span_that_proves_it(registers: Registers) -> None:
    text = document(STATE_DECISION).text
    found = metadata(STATE_DECISION, registers)

    proofs = {
        name: text[field.start : field.end]
        for name in ("kind", "number", "canonical", "date", "place", "signer", "signer_title")
        if (field := getattr(found, name))
    }

    assert proofs == {
        "kind": "QUYẾT ĐỊNH",
        "number": "45",
        "canonical": "45 /QĐ-UBND",
        "date": "ngày 03 tháng 02 năm 2026",
        "place": "Phú Thọ",
        "signer": "Trần Thị Mẫu",
        "signer_title": "PHÓ CHỦ TỊCH",
    }


@pytest.mark.parametrize(
    ("line", "canonical", "symbol"),
    [
        ("Số 07- CT/TU", "07-CT/TU", "CT/TU"),
        ("Số 07 - CT/TU", "07-CT/TU", "CT/TU"),
        ("Số: 45 /KH-UBND", "45/KH-UBND", "KH-UBND"),
        ("Số: 53/2022/NĐ-CP", "53/2022/NĐ-CP", "NĐ-CP"),
        ("Luật số: 24/2018/QH14", "24/2018/QH14", "QH14"),
        ("Số: 66.4/2025/NQ-CP", "66.4/2025/NQ-CP", "NQ-CP"),
        ("Số: 123/SVHTT&DL-VP", "123/SVHTT&DL-VP", "SVHTT&DL-VP"),
        ("Số: 12/QÐ-UBND", "12/QĐ-UBND", "QĐ-UBND"),
    ],
)
def test_stray_spaces_and_letters_of_a_number_are_repaired(
    registers: Registers, line: str, canonical: str, symbol: str
) -> None:
    found = values(f"{line}\nHà Nội, ngày 01 tháng 10 năm 2021\nBÁO CÁO\nkết quả năm", registers)

    assert (found["canonical"], found["symbol"]) == (canonical, symbol)


def test_number_and_date_may_share_a_line_and_break_over_lines(registers: Registers) -> None:
    text = """\
TỈNH ỦY QUẢNG NINH ĐẢNG CỘNG SẢN VIỆT NAM
BAN TUYÊN GIÁO
*
Số 15-HD/
BTGTU Quảng Ninh, ngày 15
tháng 3 năm 2024
HƯỚNG DẪN
sinh hoạt chi bộ
"""

    found = values(text, registers)

    assert found["canonical"] == "15-HD/BTGTU"
    assert found["date"] == "2024-03-15"
    assert found["issuer"] == "Ban Tuyên giáo Tỉnh ủy Quảng Ninh"


def test_marks_of_markdown_and_tables_are_tolerated(registers: Registers) -> None:
    text = """\
**ỦY BAN NHÂN DÂN**
**TỈNH CAO BẰNG**
-------
|
**CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM**
Độc lập - Tự do - Hạnh phúc
---------------
|
|
Số: 88/KH-UBND
|
*Cao Bằng, ng**ày 09 tháng 01 năm 2026*
|
**KẾ HOẠCH**
**Cải cách hành chính**
----
"""

    found = values(text, registers)

    assert found["canonical"] == "88/KH-UBND"
    assert found["date"] == "2026-01-09"
    assert found["issuer"] == "Ủy ban nhân dân tỉnh Cao Bằng"
    assert found["subject"] == "Cải cách hành chính"


@pytest.mark.parametrize(
    "dating",
    ["Hà Nội, ngày     tháng     năm 2026", "Hà Nội, ngày … tháng … năm 2026"],
)
def test_the_blanks_of_a_draft_stay_blank(registers: Registers, dating: str) -> None:
    text = (
        f"ỦY BAN NHÂN DÂN\nTHÀNH PHỐ HÀ NỘI\nSố:      /KH-UBND\n{dating}\nKẾ HOẠCH\nChuyển đổi số"
    )

    found = values(text, registers)

    assert (found["number"], found["canonical"], found["date"]) == (None, None, None)
    assert (found["symbol"], found["place"]) == ("KH-UBND", "Hà Nội")


def test_an_impossible_date_is_none(registers: Registers) -> None:
    text = "Số: 1/KH-UBND\nHà Nội, ngày 31 tháng 02 năm 2026\nKẾ HOẠCH\nnăm 2026"

    assert values(text, registers)["date"] is None


def test_a_number_in_the_subject_is_not_the_papers_own(registers: Registers) -> None:
    text = "QUYẾT ĐỊNH\nBãi bỏ Quyết định\nsố 10/2016/QĐ-UBND ngày 21/3/2016\nĐiều 1. Bãi bỏ."

    found = values(text, registers)

    assert found["kind"] == "Quyết định"
    assert found["canonical"] is None


def test_a_lost_head_leaves_its_fields_empty(registers: Registers) -> None:
    text = (
        "CHỈ THỊ\nCỦA BAN THƯỜNG VỤ THÀNH ỦY\nvề công tác tiếp dân\n"
        "Trong thời gian qua, công tác tiếp dân được quan tâm.\n1. Các cấp ủy tăng cường lãnh đạo."
    )

    found = metadata(text, registers)

    assert found.canonical is None
    assert found.date is None
    assert found.issuer is not None
    assert (found.issuer.value, found.issuer.inferred) == ("Ban Thường vụ Thành ủy", True)


def test_the_place_completes_an_inferred_issuer(registers: Registers) -> None:
    text = (
        "Số 09-CT/TU\nHà Nội, ngày 02 tháng 3 năm 2022\nCHỈ THỊ\ncủa Ban Thường vụ Thành ủy\nvề X"
    )

    assert values(text, registers)["issuer"] == "Ban Thường vụ Thành ủy Hà Nội"


@pytest.mark.parametrize(
    ("place", "issuer"), [("Quảng Ninh", "Tỉnh ủy Quảng Ninh"), ("Hà Nội", "Thành ủy Hà Nội")]
)
def test_the_symbol_tells_an_issuer_when_nothing_else_does(
    registers: Registers, place: str, issuer: str
) -> None:
    text = f"Số 03-KL/TU\n{place}, ngày 02 tháng 3 năm 2022\nKẾT LUẬN\nvề X"

    assert values(text, registers)["issuer"] == issuer


def test_a_consolidated_text_is_told_by_its_symbol(registers: Registers) -> None:
    text = "VĂN PHÒNG QUỐC HỘI\nSố: 7/VBHN-VPQH\nHà Nội, ngày 16 tháng 9 năm 2024\nLUẬT\nĐẤT ĐAI"

    assert values(text, registers)["kind"] == "Văn bản hợp nhất"


def test_a_law_without_a_date_has_the_day_it_was_passed(registers: Registers) -> None:
    text = (
        "QUỐC HỘI\nLuật số: 10/2022/QH15\nLUẬT\nTHỰC HIỆN DÂN CHỦ\nĐiều 1. Phạm vi\n"
        "Luật này được Quốc hội thông qua ngày 10 tháng 11 năm 2022."
    )

    found = metadata(text, registers)

    assert found.date is not None
    assert (found.date.value, found.date.inferred) == ("2022-11-10", True)


def test_a_note_on_the_annex_tells_the_number_of_a_headless_letter(registers: Registers) -> None:
    text = (
        "Kính gửi: Các phường.\nĐề nghị các phường báo cáo.\nNơi nhận:\n- Như trên;\n- Lưu: VT.\n"
        "PHỤ LỤC\n(Kèm theo Công văn số 77/SNV-CCVC ngày 05/3/2026 của Sở Nội vụ)"
    )

    found = metadata(text, registers)

    assert found.canonical is not None
    assert (found.canonical.value, found.canonical.inferred) == ("77/SNV-CCVC", True)
    assert values(text, registers)["issuer"] == "Sở Nội vụ"


def test_a_citizens_petition_is_no_letter_of_an_office(registers: Registers) -> None:
    text = (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc\nĐƠN KIẾN NGHỊ\n"
        "Kính gửi: UBND phường Ba Đình\nTôi mong phường sửa đường."
    )

    found = values(text, registers)

    assert (found["kind"], found["canonical"], found["recipients"]) == (None, None, None)


def test_plain_prose_has_no_metadata(registers: Registers) -> None:
    found = values("Đường trước nhà tôi ngập ba ngày nay.\nMong các cấp quan tâm.", registers)

    assert set(found.values()) == {None}


def test_lower_case_text_gives_the_same_number_kind_and_date(registers: Registers) -> None:
    found = values(STATE_DECISION.lower(), registers)

    assert (found["canonical"], found["kind"]) == ("45/QĐ-UBND", "Quyết định")
    assert (found["date"], found["signer_title"]) == ("2026-02-03", "Phó Chủ tịch")
    assert (found["signer"], found["issuer"]) == ("trần thị mẫu", "Ủy ban nhân dân tỉnh Phú Thọ")


def head(*left: str, place: str = "Cao Bằng", title: str = "BÁO CÁO\nKết quả năm 2026") -> str:
    """A head of the State form: the left column above the right one."""
    return "\n".join([*left, _MOTTO, f"{place}, ngày 02 tháng 3 năm 2026", title])


_MOTTO = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nĐộc lập - Tự do - Hạnh phúc"


@pytest.mark.parametrize(
    ("lines", "issuer"),
    [
        (("UBND TỈNH CAO BẰNG", "SỞ NỘI VỤ"), "Sở Nội vụ tỉnh Cao Bằng"),
        (("ỦY BAN NHÂN DÂN TỈNH", "SỞ XÂY DỰNG"), "Sở Xây dựng tỉnh Cao Bằng"),
        (("ỦY BAN NHÂN DÂN TỈNH", "SỞ Y TẾ TỈNH CAO BẰNG"), "Sở Y tế tỉnh Cao Bằng"),
        (("UBND TỈNH CAO BẰNG", "SỞ Y TẾ CAO BẰNG"), "Sở Y tế Cao Bằng"),
        (
            ("UBND TỈNH CAO BẰNG", "SỞ NÔNG NGHIỆP VÀ", "MÔI TRƯỜNG"),
            "Sở Nông nghiệp và Môi trường tỉnh Cao Bằng",
        ),
        (
            ("UBND TỈNH CAO BẰNG", "SỞ LAO ĐỘNG - THƯƠNG BINH", "VÀ XÃ HỘI"),
            "Sở Lao động - Thương binh và Xã hội tỉnh Cao Bằng",
        ),
        (
            ("UBND TỈNH CAO BẰNG", "BAN QUẢN LÝ DỰ ÁN ĐẦU TƯ"),
            "Ban Quản lý dự án đầu tư tỉnh Cao Bằng",
        ),
        (
            ("UBND TỈNH CAO BẰNG", "SỞ Y TẾ - SỞ NỘI VỤ"),
            "Sở Y tế - Sở Nội vụ tỉnh Cao Bằng",
        ),
        (("UBND XÃ BẢN NGÀ", "TRƯỜNG MẦM NON BẢN NGÀ"), "Trường Mầm non Bản Ngà"),
        (("UBND XÃ BẢN NGÀ",), "Ủy ban nhân dân xã Bản Ngà"),
        (("UBND HUYỆN HẠ", "UBND XÃ BẢN NGÀ"), "Ủy ban nhân dân xã Bản Ngà"),
        (("HĐND XÃ BẢN NGÀ",), "Hội đồng nhân dân xã Bản Ngà"),
        (("UBND TỈNH CAO BẰNG", "VĂN PHÒNG"), "Văn phòng Ủy ban nhân dân tỉnh Cao Bằng"),
        (
            ("ĐẢNG BỘ TỈNH CAO BẰNG", "ĐẢNG ỦY CÁC CƠ QUAN ĐẢNG TỈNH"),
            "Đảng ủy các cơ quan Đảng tỉnh Cao Bằng",
        ),
        (
            ("ỦY BAN NHÂN DÂN XÃ BẢN NGÀ", "BAN CHỈ ĐẠO CHUYỂN ĐỔI SỐ XÃ"),
            "Ban Chỉ đạo chuyển đổi số xã Bản Ngà",
        ),
    ],
)
def test_the_issuer_is_the_lower_body_with_its_place(
    registers: Registers, lines: tuple[str, ...], issuer: str
) -> None:
    found = values(head(*lines, "Số: 12/BC-MAU"), registers)

    assert found["issuer"] == issuer


def test_two_columns_may_stand_side_by_side(registers: Registers) -> None:
    text = (
        "ĐẢNG BỘ TỈNH CAO BẰNG          ĐẢNG CỘNG SẢN VIỆT NAM\n"
        "ĐẢNG ỦY CÁC CƠ QUAN\nĐẢNG TỈNH\n*\n"
        "Số: 02-CT/ĐU          Ngày 20 tháng 01 năm 2026\nCHỈ THỊ\nvề tiếp dân"
    )

    found = values(text, registers)

    assert (found["issuer"], found["date"]) == (
        "Đảng ủy các cơ quan Đảng tỉnh Cao Bằng",
        "2026-01-20",
    )


def test_the_motto_between_the_lines_of_a_name_is_no_part_of_it(registers: Registers) -> None:
    text = (
        f"ỦY BAN NHÂN DÂN        {_MOTTO.splitlines()[0]}\nXÃ BẢN NGÀ      {_MOTTO.splitlines()[1]}\n"
        "Số: 2/BC-UBND\nBÁO CÁO\nnăm 2026"
    )

    assert values(text, registers)["issuer"] == "Ủy ban nhân dân xã Bản Ngà"


def test_joint_issuers_may_fill_a_long_line(registers: Registers) -> None:
    names = (
        "BỘ TÀI CHÍNH - BỘ GIÁO DỤC VÀ ĐÀO TẠO - BỘ KHOA HỌC VÀ CÔNG NGHỆ - BỘ TƯ PHÁP - BỘ Y TẾ"
    )

    assert values(head(names, "Số: 1/BC-LB"), registers)["issuer"] == (
        "Bộ Tài chính - Bộ Giáo dục và Đào tạo - Bộ Khoa học và Công nghệ - Bộ Tư pháp - Bộ Y tế"
    )


@pytest.mark.parametrize("place", ["TP. Huế", "Tp Huế", "Thành phố Huế", "TX. Bản Ngà"])
def test_a_place_is_kept_as_printed(registers: Registers, place: str) -> None:
    found = values(
        head("ỦY BAN NHÂN DÂN", "PHƯỜNG BẢN NGÀ", "Số: 1/BC-UBND", place=place), registers
    )

    assert found["place"] == place


def test_the_city_above_a_date_is_no_part_of_its_place(registers: Registers) -> None:
    text = "Số: 1/BC-UBND\nUBND THÀNH PHỐ\nHuế, ngày 02 tháng 3 năm 2026\nBÁO CÁO\nnăm 2026"

    assert values(text, registers)["place"] == "Huế"


@pytest.mark.parametrize(
    "lines",
    [
        (
            "Số: 5/SNV-CCVC",
            "V/v rà soát hồ sơ, tài liệu lưu trữ của các cơ quan trước khi bàn giao cho xã",
        ),
        (
            "Số: 5/SNV-CCVC V/v rà soát hồ sơ, tài liệu lưu trữ của các cơ quan trước khi bàn giao cho xã",
        ),
        (
            "V/v rà soát hồ sơ, tài liệu lưu trữ",
            "của các cơ quan",
            "trước khi bàn giao cho xã",
            "Số: 5/SNV-CCVC",
        ),
    ],
)
def test_a_letter_says_at_length_what_it_is_about(
    registers: Registers, lines: tuple[str, ...]
) -> None:
    text = head(
        "UBND TỈNH", "CAO BẰNG", "SỞ NỘI VỤ", *lines, title="Kính gửi: Các xã.\nĐề nghị các xã."
    )

    found = values(text, registers)

    assert found["subject"] == (
        "rà soát hồ sơ, tài liệu lưu trữ của các cơ quan trước khi bàn giao cho xã"
    )
    assert (found["canonical"], found["issuer"]) == ("5/SNV-CCVC", "Sở Nội vụ tỉnh Cao Bằng")


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("TỜ TRÌNH\nV/v đề nghị hỗ trợ", "đề nghị hỗ trợ"),
        ("TỜ TRÌNH\nVề việc đề nghị hỗ trợ", "Về việc đề nghị hỗ trợ"),
        (
            "THÔNG BÁO\nkết quả kiểm tra\nQua kiểm tra, 5 hộ đã ký. Ủy ban nhân dân xã thông báo:",
            "kết quả kiểm tra",
        ),
        (
            "THÔNG BÁO\nkết quả kiểm tra\nSáng 03/3/2026, đoàn đã kiểm tra các hộ",
            "kết quả kiểm tra",
        ),
        (
            "KẾ HOẠCH\nvận động Nhân dân\ntrong năm 2026 tại TP. Huế",
            "vận động Nhân dân trong năm 2026 tại TP. Huế",
        ),
        (
            "BÁO CÁO\nKẾT QUẢ TIẾP DÂN\nTRONG NĂM 2025\nTừ năm 2025, xã đã có phòng riêng\nđể tiếp dân",
            "KẾT QUẢ TIẾP DÂN TRONG NĂM 2025",
        ),
        (
            "QUYẾT ĐỊNH BỔ NHIỆM CHỦ TỊCH ỦY BAN NHÂN DÂN TỈNH\nCăn cứ Luật X;",
            "BỔ NHIỆM CHỦ TỊCH ỦY BAN NHÂN DÂN TỈNH",
        ),
        ("BÁO CÁO\nkết quả tiếp dân\ntừ năm 2025", "kết quả tiếp dân từ năm 2025"),
        ("CHỈ THỊ\nCỦA CHÍNH PHỦ VỀ TIẾP DÂN", "VỀ TIẾP DÂN"),
        (
            "LUẬT CỦA QUỐC HỘI SỐ 12/BC-MAU VỀ ĐO ĐẠC Đo đạc là việc của toàn dân.",
            "VỀ ĐO ĐẠC",
        ),
        ("LUẬT ĐO ĐẠC SỐ 12/BC-MAU NGÀY 02/3/2026 CỦA QUỐC HỘI", "ĐO ĐẠC"),
        ("LUẬT [Được hướng dẫn bởi Nghị định 1]\nĐO ĐẠC [Được hướng dẫn]", "ĐO ĐẠC"),
        ("LUẬT [Được hướng dẫn bởi Nghị định 1] ĐO ĐẠC [Có hiệu lực] LỜI NÓI ĐẦU Ta", "ĐO ĐẠC"),
        (
            "QUYẾT ĐỊNH BAN HÀNH MỨC HỖ TRỢ NĂM 2026 CHỦ TỊCH ỦY BAN NHÂN DÂN TỈNH\nCăn cứ Luật X;",
            "BAN HÀNH MỨC HỖ TRỢ NĂM 2026",
        ),
        (
            "QUYẾT ĐỊNH\nVỀ QUYỀN HẠN CỦA CHỦ TỊCH ỦY BAN NHÂN DÂN TỈNH\nCăn cứ Luật X;",
            "VỀ QUYỀN HẠN CỦA CHỦ TỊCH ỦY BAN NHÂN DÂN TỈNH",
        ),
    ],
)
def test_a_subject_ends_where_something_else_begins(
    registers: Registers, title: str, subject: str
) -> None:
    text = head("ỦY BAN NHÂN DÂN TỈNH", "CAO BẰNG", "Số: 12/BC-MAU", title=title)

    assert values(text, registers)["subject"] == subject


def test_a_consolidated_text_keeps_the_kind_it_consolidates(registers: Registers) -> None:
    text = head("VĂN PHÒNG QUỐC HỘI", "Số: 7/VBHN-VPQH", title="LUẬT\nĐO ĐẠC")

    assert values(text, registers)["subject"] == "LUẬT ĐO ĐẠC"


def test_the_term_of_the_assembly_may_stand_apart(registers: Registers) -> None:
    found = values(head("QUỐC HỘI", "Luật số: 75/2006/QH 11", title="LUẬT\nĐO ĐẠC"), registers)

    assert (found["canonical"], found["symbol"]) == ("75/2006/QH11", "QH11")

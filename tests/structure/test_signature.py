"""Signatures and recipients: told by their place and form, never invented."""

import pytest

from nlp.structure import Registers, read_structure
from nlp.types import Field, Metadata
from tests.structure.papers import STATE_DECISION, document

BODY = "Điều 1. Phê duyệt kế hoạch.\n"


def metadata(text: str, registers: Registers) -> Metadata:
    return read_structure(document(text), registers=registers).metadata


def value(field: Field | None) -> str | tuple[str, ...] | None:
    return field.value if field else None


@pytest.mark.parametrize(
    ("block", "signer", "title"),
    [
        ("T/M BAN THƯỜNG VỤ\nBÍ THƯ\n\n\nTrần Văn Mẫu", "Trần Văn Mẫu", "Bí thư"),
        ("KT. BỘ TRƯỞNG\nTHỨ TRƯỞNG\nLê Thị Mẫu", "Lê Thị Mẫu", "Thứ trưởng"),
        (
            "TM. ỦY BAN\nNHÂN DÂN\nKT. CHỦ TỊCH\nPHÓ CHỦ TỊCH\nTrần Mẫu",
            "Trần Mẫu",
            "Phó Chủ tịch",
        ),
        ("KT.\nCHỦ TỊCH\nPHÓ CHỦ TỊCH\nTrần\nVăn Mẫu", "Trần Văn Mẫu", "Phó Chủ tịch"),
        ("KT. BỘ TRƯỞNG,\nCHỦ NHIỆM\nPHÓ CHỦ NHIỆM\nĐỗ Văn Mẫu", "Đỗ Văn Mẫu", "Phó Chủ nhiệm"),
        ("T/L BAN THƯỜNG VỤ\nCHÁNH VĂN PHÒNG\nLê Văn Mẫu", "Lê Văn Mẫu", "Chánh Văn phòng"),
        (
            "KT. TRƯỞNG BAN\nPHÓ TRƯỞNG BAN\nPHÓ THỦ TƯỚNG\nLê Thị Mẫu",
            "Lê Thị Mẫu",
            "Phó Trưởng ban",
        ),
        ("KT. CỤC TRƯỞNG\nPHÓ CỤC TRƯỞNG\nĐại tá Lê Văn Mẫu", "Lê Văn Mẫu", "Phó Cục trưởng"),
        ("GIÁM ĐỐC\n(Đã ký)\nY Thông Mẫu", "Y Thông Mẫu", "Giám đốc"),
        ("Q. GIÁM ĐỐC\nLê Văn Mẫu", "Lê Văn Mẫu", "Q. Giám đốc"),
        ("CHỦ TỊCH\nLÊ VĂN MẪU", "LÊ VĂN MẪU", "Chủ tịch"),
        ("TM. CHÍNH PHỦ THỦ TƯỚNG Lê Văn Mẫu", "Lê Văn Mẫu", "Thủ tướng"),
        (
            "TM. BAN CHỈ ĐẠO\nTRƯỞNG BAN\nCHỦ TỊCH ỦY BAN NHÂN DÂN XÃ\nLê Mẫu",
            "Lê Mẫu",
            "Trưởng ban",
        ),
        ("BỘ TRƯỞNG, CHỦ NHIỆM\nLê Văn Mẫu", "Lê Văn Mẫu", "Bộ trưởng, Chủ nhiệm"),
        ("TM. ĐOÀN CHỦ TỊCH\nPHÓ CHỦ TỊCH\nLê Văn Mẫu", "Lê Văn Mẫu", "Phó Chủ tịch"),
        ("TM.\nCHÍNH PHỦ KT. THỦ TƯỚNG PHÓ THỦ TƯỚNG Lê Văn Mẫu", "Lê Văn Mẫu", "Phó Thủ tướng"),
    ],
)
def test_the_signer_and_the_title_of_the_signer_are_read(
    registers: Registers, block: str, signer: str, title: str
) -> None:
    found = metadata(f"{BODY}Nơi nhận:\n- Như trên;\n- Lưu: VT.\n{block}", registers)

    assert (value(found.signer), value(found.signer_title)) == (signer, title)


def test_the_signature_may_come_before_the_recipients(registers: Registers) -> None:
    found = metadata(f"{BODY}CHỦ TỊCH\nLê Văn Mẫu\nNơi nhận:\n- Như trên;\n- Lưu: VT.", registers)

    assert value(found.signer) == "Lê Văn Mẫu"
    assert value(found.recipients) == ("Như trên", "Lưu: VT")


def test_a_name_among_the_recipients_is_not_the_signer(registers: Registers) -> None:
    text = f"{BODY}Nơi nhận:\n- PCT Lê Văn Khác;\n- Lưu: VT.\nKT. CHỦ TỊCH\nPHÓ CHỦ TỊCH\nTrần Mẫu"

    assert value(metadata(text, registers).signer) == "Trần Mẫu"


@pytest.mark.parametrize(
    ("line", "signer", "title"),
    [
        (
            "XÁC THỰC VĂN BẢN HỢP NHẤT CHỦ NHIỆM Lê Văn Mẫu\n[1] Luật số 1",
            "Lê Văn Mẫu",
            "Chủ nhiệm",
        ),
        ("Mã: 1804 CHỦ TỊCH QUỐC HỘI Lê Văn Mẫu", "Lê Văn Mẫu", "Chủ tịch Quốc hội"),
        ("Lê Văn Mẫu (Đã ký)", "Lê Văn Mẫu", None),
    ],
)
def test_a_signature_run_together_on_a_line_is_read(
    registers: Registers, line: str, signer: str, title: str | None
) -> None:
    found = metadata(f"{BODY}Luật này có hiệu lực từ ngày ký.\n{line}", registers)

    assert (value(found.signer), value(found.signer_title)) == (signer, title)


def test_an_annex_may_be_run_on_to_the_signature(registers: Registers) -> None:
    text = (
        f"{STATE_DECISION.split('TM. ỦY')[0]}KT. CHỦ TỊCH PHÓ CHỦ TỊCH Lê Văn Mẫu Phụ lục I "
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM Độc lập - Tự do - Hạnh phúc\nĐơn xin"
    )

    found = metadata(text, registers)

    assert (value(found.signer), value(found.signer_title)) == ("Lê Văn Mẫu", "Phó Chủ tịch")


def test_a_draft_names_the_title_of_its_signer_alone(registers: Registers) -> None:
    text = f"{BODY}Nơi nhận:\n- Chi bộ;\n- Lưu.\nT/M BAN THƯỜNG VỤ\nBÍ THƯ"

    found = metadata(text, registers)

    assert (found.signer, value(found.signer_title)) == (None, "Bí thư")


@pytest.mark.parametrize(
    "text",
    [
        f"{BODY}Nơi nhận:\n- Lưu: VT.\nCHỦ TỊCH",
        f"{BODY}Ủy ban giao CHỦ TỊCH Lê Văn Mẫu",
        f"{BODY}Người làm đơn (đã ký)",
        f"{BODY}Chủ tịch Ủy ban nhân dân tỉnh\nchịu trách nhiệm thi hành.",
        "Chủ tịch phường nói chuyện với bà con.\nBà con rất vui.",
    ],
)
def test_without_a_name_there_is_no_signer(registers: Registers, text: str) -> None:
    assert metadata(text, registers).signer is None


def test_the_forms_of_an_annex_are_not_the_papers_own(registers: Registers) -> None:
    text = f"{BODY}PHỤ LỤC I\nMẪU ĐƠN\nNơi nhận:\n- Lưu: hồ sơ.\nGIÁM ĐỐC\nLê Văn Khác"

    found = metadata(text, registers)

    assert (found.signer, found.recipients) == (None, None)


@pytest.mark.parametrize(
    ("lines", "recipients"),
    [
        ("- Như trên:\n- Lưu: VT, CS (2b).", ("Như trên", "Lưu: VT, CS (2b)")),
        ("- Các đơn vị\ntrực thuộc;\n- Lưu VT", ("Các đơn vị trực thuộc", "Lưu VT")),
        (
            "- Văn phòng:\n+ Phòng Tổng hợp;\n+ Lưu: VT.\n05 bản.",
            ("Văn phòng", "Phòng Tổng hợp", "Lưu: VT"),
        ),
        ("Như trên\nLưu: VT", ("Như trên", "Lưu: VT")),
        ("- Như trên;\n- Lưu: VT.\nNgười đánh máy:", ("Như trên", "Lưu: VT")),
        ("- (4);\n- Lưu: VT.", ("Lưu: VT",)),
        ("- Chi bộ;\nĐể báo cáo:\n- Tỉnh ủy;\n- Lưu.", ("Chi bộ", "Để báo cáo", "Tỉnh ủy", "Lưu")),
    ],
)
def test_recipients_are_one_string_a_line(
    registers: Registers, lines: str, recipients: tuple[str, ...]
) -> None:
    found = metadata(f"{BODY}Nơi nhận:\n{lines}\nGIÁM ĐỐC\nLê Văn Mẫu", registers)

    assert value(found.recipients) == recipients


def test_a_telegram_names_its_recipients_first(registers: Registers) -> None:
    text = (
        "THỦ TƯỚNG CHÍNH PHỦ\nSố: 5/CĐ-TTg\nHà Nội, ngày 09 tháng 9 năm 2025\nCÔNG ĐIỆN\n"
        "về ứng phó bão\nTHỦ TƯỚNG CHÍNH PHỦ điện:\n- Các bộ;\n- Các tỉnh.\nHiện nay, bão mạnh."
    )
    structure = read_structure(document(text), registers=registers)

    assert value(structure.metadata.recipients) == ("Các bộ", "Các tỉnh")
    assert structure.paragraphs[-1].role == "body"

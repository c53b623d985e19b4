"""What tells who a citizen is never passes; what may not be said of a citizen's text is withheld."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.privacy import MASK, find_personal_data, mask, mask_parties, withhold
from nlp.readers import from_text
from nlp.text import to_nfc
from nlp.types import (
    Analysis,
    AssignedLabel,
    Block,
    CategoryResult,
    Decision,
    Document,
    Guess,
    IntentResult,
    Provenance,
    Segment,
    SentimentResult,
    TextQuality,
)

PERSONAL = (
    "ten.nguoi+1@thu.example.vn",
    "ten @ thu.example",
    "0912345678",
    "0912.345.678",
    "09-12-34-56-78",
    "+84 912 345 678",
    "(+84)912345678",
    "0084912345678",
    "84 (0)912345678",
    "01234567890",
    "024 3825 1234",
    "(024) 38251234",
    "02438251234",
    "001099001234",
    "001 099 001 234",
)
PUBLIC = (
    "Chỉ thị số 07-CT/TU ngày 01/10/2021",
    "12.500.000.000 đồng",
    "bảo hiểm xã hội giai đoạn 2022 - 2025",
    "1.000.912.345.678 đồng",
    "đường dây nóng 1900 1234",
    "tài khoản bị trừ 19.012.345 đồng",
    "mã hồ sơ H26.12-250612-0021",
    "công ty nợ thuế, mã số thuế 0301234567",
    "hotline của phường 0912 345 678",
    "toạ độ 10.7769, 106.7009",
    "các tổ 03, 05, 07, 09, 10 mất nước",
    "ngày 03/10/2025 12 giờ trưa",
    "năm học 2023-2024 và 2024-2025",
    "Quyết định 0912/QĐ-UBND",
    "từ năm 2021 đến năm 2025",
    "hồ sơ 012345678",
)


@pytest.mark.parametrize("data", PERSONAL)
def test_personal_data_is_covered_to_its_last_character(data: str) -> None:
    masked = mask(f"Tôi gửi {data}, mong phường trả lời.")

    assert masked == f"Tôi gửi {MASK * len(data)}, mong phường trả lời."


@pytest.mark.parametrize("text", PUBLIC)
def test_public_numbers_stay(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    "cue", ["CMND số ", "cmt: ", "Chứng minh nhân dân của tôi là ", "can cuoc cong dan ", "CCCD"]
)
def test_nine_digits_after_a_cue_are_an_identity_number(cue: str) -> None:
    assert mask(f"{cue}012345678 do công an cấp") == f"{cue}{MASK * 9} do công an cấp"


def test_a_number_glued_to_a_word_is_covered() -> None:
    assert mask("sđt0912345678nhé") == f"sđt{MASK * 10}nhé"


def test_each_kind_is_named() -> None:
    kinds = [data.kind for data in find_personal_data("a@b.vn, 0912345678, 001099001234")]

    assert kinds == ["email", "phone", "identity_number"]


@given(st.text(alphabet=st.sampled_from("0123456789.@ -+()aàđĐz\n•")) | st.text())
def test_masking_keeps_every_offset_and_is_done_once(raw: str) -> None:
    text = to_nfc(raw)

    masked = mask(text)

    assert len(masked) == len(text)
    assert all(new in (old, MASK) for old, new in zip(text, masked, strict=True))
    assert mask(masked) == masked
    assert find_personal_data(masked) == ()


@given(st.sampled_from(PERSONAL), st.text(alphabet="aăâđêôơư ,;\n", max_size=20))
def test_personal_data_is_found_in_any_surroundings(data: str, around: str) -> None:
    assert data not in mask(f"{around} {data} {around}")


def opinion(*codes: str, guess: str) -> Analysis:
    labels = tuple(AssignedLabel(code, 0.9, ()) for code in codes)
    decision: Decision = "labelled" if codes else "none_of_these"
    not_asked = CategoryResult("not_applicable")
    return Analysis(
        id="1",
        kind="opinion",
        text_quality=TextQuality(readable=True),
        task_area=CategoryResult(decision, codes[0] if codes else None, Guess(guess, 0.9), labels),
        civic_field=not_asked,
        sentiment=SentimentResult("not_applicable"),
        intent=IntentResult("not_applicable"),
        segments=(Segment(0, 1, codes),),
        metadata=None,
        citations=(),
        duties=(),
        hints=None,
        provenance=Provenance("m", "1", "0", "ct07", "1", "0"),
    )


def test_a_withheld_code_is_nowhere_in_the_analysis() -> None:
    kept = withhold(opinion("DV4.3", "DV3.7", guess="DV4.3"), codes={"DV4.3"})

    assert kept == replace(opinion("DV3.7", guess="x"), task_area=kept.task_area)
    assert (kept.task_area.decision, kept.task_area.primary) == ("labelled", "DV3.7")
    assert kept.task_area.guess is None


def test_an_opinion_with_nothing_left_goes_to_a_person() -> None:
    kept = withhold(opinion("DV4.3", guess="DV4.3"), codes={"DV4.3"})

    assert kept.task_area == CategoryResult("abstain")


@pytest.mark.parametrize("codes", [(), ("DV3.7",)])
def test_an_analysis_without_withheld_codes_stays_as_it_is(codes: tuple[str, ...]) -> None:
    analysis = opinion(*codes, guess="DV3.7")

    assert withhold(analysis, codes={"DV4.3"}) == analysis


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Tôi tên Trần Văn Hùng, ở phố Vọng", "Trần Văn Hùng"),
        ("Tên tôi là Lê Thị Mai ở tổ 5", "Lê Thị Mai"),
        ("Tôi là Nguyễn Văn An, xin phản ánh", "Nguyễn Văn An"),
        ("toi ten la nguyen van an xin phan anh", "nguyen van an"),
        ("tôi tên nguyễn thị thu hà", "nguyễn thị thu hà"),
        ("Họ và tên: PHẠM THỊ HOA", "PHẠM THỊ HOA"),
        ("nhà số 15 ngõ 20", "nhà số 15 ngõ 20"),
        ("Số nhà 12/34B đường Láng", "Số nhà 12/34B"),
    ],
)
def test_who_introduces_himself_is_covered(text: str, hidden: str) -> None:
    assert mask(text) == text.replace(hidden, MASK * len(hidden))


@pytest.mark.parametrize(
    "text",
    [
        "Tôi là giáo viên về hưu",
        "em là lễ tân khách sạn",
        "con là sinh viên năm hai",
        "Tôi là công dân phường Láng",
        "TÔI LÀ NGƯỜI DÂN TỔ 5",
        "tên đường bị ghi sai",
    ],
)
def test_what_somebody_is_stays(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (
            "gọi em không chín một hai, ba bốn năm, sáu bảy tám nhé",
            "không chín một hai, ba bốn năm, sáu bảy tám",
        ),
        (
            "khong chin mot hai ba bon nam sau bay tam la so cua chau",
            "khong chin mot hai ba bon nam sau bay tam",
        ),
        ("zalo o9l2 345 678 nha", "o9l2 345 678"),
        ("sđt 09 một hai 345 sáu 78", "09 một hai 345 sáu 78"),
        (
            "số tôi không chín mươi, bảy trăm mười hai, bốn trăm linh năm, ba",
            "không chín mươi, bảy trăm mười hai, bốn trăm linh năm, ba",
        ),
        ("số căn cước là 001 099 001 234 ạ", "001 099 001 234"),
        ("hộ chiếu C1234567 hết hạn", "C1234567"),
        ("mã số thuế cá nhân 8123456789", "8123456789"),
        ("zalo 09ba bốn 5sáu7 81hai nha", "09ba bốn 5sáu7 81hai"),
        ("nhắn số 0912,345,678 giùm", "0912,345,678"),
        ("gọi 0912345678hai vợ chồng", "0912345678"),
        ("gọi 0913.20x.771, x là sáu", "0913.20x.771"),
        ("stk 0011 0042 88991 Vietcombank", "0011 0042 88991"),
        ("xe biển ba mươi a một hai ba bốn năm", "ba mươi a một hai ba bốn năm"),
        ("ô tô 30A-123.45 đỗ chắn ngõ", "30A-123.45"),
        ("mail lan.anh a còng gmail chấm com", "lan.anh a còng gmail chấm com"),
        ("sinh ngày 12/3/1961 tại xã", "12/3/1961"),
        ("ở phòng 1203 tòa CT2A khu đô thị", "phòng 1203 tòa CT2A"),
        ("thửa đất số 214, tờ bản đồ số 7 của xã", "thửa đất số 214, tờ bản đồ số 7"),
        ("hố ga trước nhà 14 ngõ 5 phố Vọng", "nhà 14 ngõ 5"),
        ("ngõ 95 ngập", "ngõ 95"),
        ("Hàng xóm là bà Hĩm hay đốt rác", "Hĩm"),
        ("bác sĩ Minh khám rất tận tình", "Minh"),
        ("Cảm ơn cô giáo Lan.", "Lan"),
        ("Mong trả lời.\nKính đơn\nTrần Văn Bền", "Trần Văn Bền"),
        ("Người làm chứng: Ngô Văn Tẹo", "Ngô Văn Tẹo"),
        ("cô hiền dạy lớp 3 đánh cháu", "hiền"),
        ("bác sĩ minh khoa nội khám qua loa", "minh"),
        ("ong hung nha ben canh xay trai phep", "hung"),
        ("mình là nhung ở chung cư", "nhung"),
        ("tôi là giàng a sử ở bản trên", "giàng a sử"),
        ("tui là út hiền ở ấp trong", "út hiền"),
        ("bé an 3 tuổi bị bỏng", "an"),
        ("Chị H'Hen Êban sinh con tại trạm", "H'Hen Êban"),
        ("Bên mua: Cồ Thị Sáu", "Cồ Thị Sáu"),
        ("Chồng tôi, Quyết, bị tai nạn", "Quyết"),
        ("Con gái em, Bảo Trân, lớp 1A3, bị bạn đánh", "Bảo Trân"),
        ("Bạn Tường Vy 11A2 bị bắt nạt", "Tường Vy"),
        ("nợ của Hùng sẹo đòi mãi", "Hùng sẹo"),
        ("Thắng ơi ra đây mà xem", "Thắng"),
        ("tôitênĐinhVănLực, bàn phím hỏng", "ĐinhVănLực"),
        ("tên em là Ng. Thị Hoa", "Ng. Thị Hoa"),
        ("gọi điện cho nhà Thêm xây lấn ra đường", "Thêm"),
    ],
)
def test_personal_data_in_every_dress_is_covered(text: str, hidden: str) -> None:
    assert mask(text) == text.replace(hidden, MASK * len(hidden))


@pytest.mark.parametrize(
    "text",
    [
        "Chủ tịch UBND phường Nguyễn Văn Hùng trả lời",
        "đồng chí Lê Thị Mai, Bí thư chi bộ",
        "đường Trần Hưng Đạo, trường Nguyễn Du",
        "phố Bà Triệu và cầu Ông Lãnh",
        "ông ấy với chị hàng xóm",
        "cả tổ dân phố số 5 mất nước, thôn Đoài ngập",
        "trụ sở UBND phường số 12 phố Huế",
        "bệnh viện ở 78 Giải Phóng",
        "gửi về vanthu@hanoi.gov.vn",
        "tuyến 32 bỏ bến, gọi 1022 rồi 113",
        "tôi sinh năm 1961",
        "các cô nuôi dạy trẻ, cô chủ nhiệm, bác bảo vệ, anh cảnh sát khu vực",
        "bà thu tiền rác, chị thu ngân, cô văn thư, bác tài",
        "ba con noi chi phi cao, anh huong suc khoe, co quan nao lo",
        "nhà Văn hóa, khu tập thể Văn Chương, siêu thị Thành Đô",
        "thầy Toán lớp 11 và khối A00 gồm Toán, Lý, Hóa",
        "bé tí đã học tiếng H'Mông",
        "mã hồ sơ H07.33-250801",
    ],
)
def test_what_is_public_stays(text: str) -> None:
    assert mask(text) == text


def test_a_number_told_in_parts_is_covered() -> None:
    text = "số tôi là 0912 34, dạ vâng, rồi đuôi là 5678"

    assert mask(text) == "số tôi là •••••••, dạ vâng, rồi đuôi là ••••"


def test_a_street_before_a_number_stays() -> None:
    assert mask("ở phố Vọng, sđt 0912 345 678") == f"ở phố Vọng, sđt {MASK * 12}"


def test_a_name_is_covered_wherever_it_stands_again() -> None:
    text = "Tôi là Đỗ Thị Mận. Sổ ghi tên Mận, giấy ghi Đỗ Thị Mận."

    assert "Mận" not in mask(text)


def test_each_of_a_list_of_names_is_covered() -> None:
    text = "Nhóm gồm Khoa, Bo, Tít và Hưng hay tụ tập"

    assert mask(text) == "Nhóm gồm ••••, ••, ••• và •••• hay tụ tập"


def test_a_name_that_stands_again_without_diacritics_is_covered() -> None:
    text = "Tôi là Đỗ Thị Mận, sổ in thành DO THI MAN."

    assert mask(text) == "Tôi là ••••••••••, sổ in thành ••••••••••."


def test_a_number_dictated_with_halts_is_covered() -> None:
    text = "Ghi hộ bác: 0383 61... khoan, để bác đeo kính... 7 042"

    assert mask(text) == "Ghi hộ bác: •••••••... khoan, để bác đeo kính... •••••"


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "0 ",
        "1",
        "A ",
        "An, ",
        "H'",
        "N.",
        "anh ba ",
        "1ba",
        "tên ",
        "ngõ 5 ",
        "không ",
        "a.",
        "ông An và ",
    ],
)
def test_a_long_run_of_one_thing_takes_linear_time(unit: str) -> None:
    text = unit * (50_000 // len(unit))

    assert len(mask(text)) == len(text)


DECISION = """QUYẾT ĐỊNH
Về việc giải quyết khiếu nại của bà Trần Thị Bưởi
Xét đơn của bà Trần Thị Bưởi, căn cước số 001161004321, trú tại số nhà 12, ngõ 5 đường Láng.
Giao đồng chí Nguyễn Văn Mạnh, chuyên viên, điện thoại 0912345678, trả lời bà TRẦN THỊ BƯỞI.
Trụ sở: số 2 phố Hàng Bài; hồ sơ số 0012345678; giai đoạn 2022 - 2025.
PHÓ CHỦ TỊCH
Lê Thị Mẫu"""


def test_of_an_official_document_private_persons_are_covered_and_officials_stay() -> None:
    covered = mask_parties(from_text(DECISION))

    assert len(covered) == len(DECISION)
    for personal in ("Bưởi", "BƯỞI", "001161004321", "số nhà 12"):
        assert personal not in covered
    for line in (3, 4, 5, 6):
        kept = DECISION.split("\n")[line].replace("TRẦN THỊ BƯỞI", MASK * 13)
        assert covered.split("\n")[line] == kept


@pytest.mark.parametrize(
    "line",
    [
        "Ông Nguyễn Văn Quýt, sinh ngày 02/03/1971, được hỗ trợ một lần.",
        "Hộ ông Nguyễn Văn Quýt, số nhà 7 ngõ 20 phố Vọng, bàn giao 12 m2 đất.",
        "Chuyển cho ông Nguyễn Văn Quýt, tài khoản số 19031234567018 ngân hàng BIDV.",
    ],
)
def test_a_name_beside_a_birthday_a_dwelling_or_an_account_is_a_private_persons(line: str) -> None:
    assert "Quýt" not in mask_parties(from_text(f"THÔNG BÁO\n{line}\nNguyễn Văn Quýt ký nhận."))


def test_the_row_of_a_table_is_read_as_one() -> None:
    cells = ["1", "Ông Nguyễn Văn Quýt", "CCCD 001161004321", "12 m2"]
    text, blocks = "DANH SÁCH\n", []
    for column, cell in enumerate(cells):
        blocks.append(
            Block(len(text), len(text) + len(cell), "cell", table=0, row=0, column=column)
        )
        text += cell + "\n"

    covered = mask_parties(Document(text, tuple(blocks)))

    assert "Quýt" not in covered
    assert "001161004321" not in covered
    assert covered.endswith("\n12 m2\n")


@given(st.text())
def test_covering_persons_of_a_document_moves_nothing_and_is_done_once(text: str) -> None:
    covered = mask_parties(from_text(to_nfc(text)))

    assert len(covered) == len(from_text(to_nfc(text)).text)
    assert mask_parties(from_text(covered)) == from_text(covered).text

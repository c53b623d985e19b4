"""Duties: who must do what, by when, how often, reporting to whom."""

import pytest

from nlp.structure import Registers, read_structure
from nlp.types import Duty
from tests.structure.papers import LETTER, PARTY_PLAN, STATE_DECISION, document

HEAD = "Số 09-CT/TU\nHà Nội, ngày 02 tháng 3 năm 2022\nCHỈ THỊ\nvề công tác tiếp dân\n"


def duties(text: str, registers: Registers) -> tuple[Duty, ...]:
    return read_structure(document(text), registers=registers).duties


def task(words: str, registers: Registers) -> Duty:
    (duty,) = duties(f"{HEAD}1. {words}", registers)
    return duty


def test_a_plan_gives_its_tasks_and_not_its_purpose(registers: Registers) -> None:
    found = [(d.task_number, d.actors) for d in duties(PARTY_PLAN, registers)]

    both = ("Sở Nội vụ", "Sở Tài chính", "UBND các quận, huyện, thị xã")
    assert found == [
        ("II.1", ("Ban Dân vận các quận ủy, huyện ủy",)),
        ("II.2.a", both),
        ("II.2.b", both),
        ("II.3", ("Ủy ban MTTQ Việt Nam Thành phố",)),
    ]


def test_a_duty_spans_its_task(registers: Registers) -> None:
    doc = document(PARTY_PLAN)
    first = read_structure(doc, registers=registers).duties[0]

    assert doc.text[first.text_start : first.text_end].startswith("1. Ban Dân vận các quận ủy")
    assert doc.text[first.text_start : first.text_end].endswith("15/5/2024.")


@pytest.mark.parametrize(
    ("words", "actors"),
    [
        ("Các cấp ủy đảng tăng cường lãnh đạo.", ("Các cấp ủy đảng",)),
        ("Đảng đoàn HĐND Thành phố chỉ đạo giám sát.", ("Đảng đoàn HĐND Thành phố",)),
        (
            "MTTQ và các tổ chức chính trị - xã hội các cấp thực hiện tốt vai trò.",
            ("MTTQ và các tổ chức chính trị - xã hội các cấp",),
        ),
        (
            "Các quận, huyện, thị ủy, Đảng ủy trực thuộc tập trung chỉ đạo.",
            ("Các quận, huyện, thị ủy", "Đảng ủy trực thuộc"),
        ),
        ("Sở Giáo dục và Đào tạo chủ trì.", ("Sở Giáo dục và Đào tạo",)),
        (
            "Ban Tổ chức Thành ủy và Văn phòng HĐND và UBND phối hợp.",
            ("Ban Tổ chức Thành ủy", "Văn phòng HĐND và UBND"),
        ),
        ("Giao Sở Nội vụ theo dõi.", ("Sở Nội vụ",)),
        ("Tiếp tục lãnh đạo việc thực hiện Quy chế.", ()),
        ("Tổ chức thực hiện tốt Quy chế.", ()),
        ("Bảo đảm công khai, minh bạch.", ()),
        ("Phòng, chống lãng phí, nâng cao hiệu quả.", ()),
        ("Số lượng hồ sơ cần giảm.", ()),
    ],
)
def test_actors_are_the_subject_before_the_first_verb(
    registers: Registers, words: str, actors: tuple[str, ...]
) -> None:
    assert task(words, registers).actors == actors


@pytest.mark.parametrize(
    ("words", "actors"),
    [
        (
            "Ban Tiếp công dân tỉnh tiếp công dân thường xuyên tại trụ sở.",
            ("Ban Tiếp công dân tỉnh",),
        ),
        (
            "Chủ tịch Ủy ban nhân dân các xã, phường tiếp công dân ít nhất 02 ngày trong tháng.",
            ("Chủ tịch Ủy ban nhân dân các xã, phường",),
        ),
        (
            "Trung tâm Phục vụ hành chính công tỉnh rút ngắn thời gian giải quyết hồ sơ.",
            ("Trung tâm Phục vụ hành chính công tỉnh",),
        ),
        (
            "Ủy ban nhân dân xã Mỹ Trà Đông cắt giảm 30% thời gian làm thủ tục đất đai.",
            ("Ủy ban nhân dân xã Mỹ Trà Đông",),
        ),
        (
            "Trưởng khu phố 17 chuyển giấy mời đến từng hộ.",
            ("Trưởng khu phố 17",),
        ),
        ("Công an xã túc trực tại chợ phiên.", ("Công an xã",)),
        ("Giao Sở Tài chính cân đối nguồn vốn.", ("Sở Tài chính",)),
        ("Bí thư Huyện ủy Châu Thành dự sinh hoạt chi bộ.", ("Bí thư Huyện ủy Châu Thành",)),
        ("Thường trực Đảng ủy nghe và cho ý kiến.", ("Thường trực Đảng ủy",)),
        (
            "Ủy ban Mặt trận Tổ quốc Việt Nam tìm cách gỡ vướng cho dân.",
            ("Ủy ban Mặt trận Tổ quốc Việt Nam",),
        ),
        (
            "Hội Nông dân xã, Hội Cựu chiến binh xã mỗi đơn vị nhận một tuyến đường.",
            ("Hội Nông dân xã", "Hội Cựu chiến binh xã"),
        ),
        ("Sở Xây dựng cấm tải các tuyến đường bị ngập.", ("Sở Xây dựng",)),
        (
            "Ban Dân vận Tỉnh ủy là cơ quan thường trực, theo dõi việc thực hiện.",
            ("Ban Dân vận Tỉnh ủy",),
        ),
        ("Các thôn họp dân trước khi thu.", ("Các thôn",)),
        (
            "Đề nghị Hội đồng nhân dân tỉnh dành thời gian chất vấn.",
            ("Hội đồng nhân dân tỉnh",),
        ),
        ("Chi bộ các ấp ra nghị quyết chuyên đề.", ("Chi bộ các ấp",)),
        ("Văn phòng Ủy ban nhân dân lo hội trường, âm thanh.", ("Văn phòng Ủy ban nhân dân",)),
        ("Các địa phương không tự đặt thêm giấy tờ.", ("Các địa phương",)),
        ("Tỉnh ủy Đồng Tháp giữ nền nếp giao ban.", ("Tỉnh ủy Đồng Tháp",)),
    ],
)
def test_a_closed_name_ends_before_a_verb_that_no_list_holds(
    registers: Registers, words: str, actors: tuple[str, ...]
) -> None:
    assert task(words, registers).actors == actors


@pytest.mark.parametrize(
    ("words", "actors"),
    [
        (
            "Ủy ban nhân dân các xã, phường ven biển chủ trì di dời dân.",
            ("Ủy ban nhân dân các xã, phường ven biển",),
        ),
        (
            "Các tổ chức chính trị - xã hội cùng cấp phối hợp vận động.",
            ("Các tổ chức chính trị - xã hội cùng cấp",),
        ),
        (
            "Chủ tịch Ủy ban nhân dân các tỉnh, thành phố trực thuộc Trung ương chỉ đạo.",
            ("Chủ tịch Ủy ban nhân dân các tỉnh, thành phố trực thuộc Trung ương",),
        ),
        (
            "Văn phòng Đăng ký đất đai tỉnh rà soát hồ sơ.",
            ("Văn phòng Đăng ký đất đai tỉnh",),
        ),
        (
            "Phòng Đăng ký, Thống kê đất đai tổng hợp số liệu.",
            ("Phòng Đăng ký, Thống kê đất đai",),
        ),
        (
            "Ban Dân chủ, Giám sát và Phản biện xã hội xây dựng kế hoạch.",
            ("Ban Dân chủ, Giám sát và Phản biện xã hội",),
        ),
        (
            "Các đảng ủy xã, phường có dự án đi qua lãnh đạo công tác giải phóng mặt bằng.",
            ("Các đảng ủy xã, phường có dự án đi qua",),
        ),
        ("Đảng ủy Công an tỉnh lãnh đạo.", ("Đảng ủy Công an tỉnh",)),
        ("Ủy ban nhân dân Thành phố ban hành.", ("Ủy ban nhân dân Thành phố",)),
        ("Ủy ban nhân dân cấp xã niêm yết.", ("Ủy ban nhân dân cấp xã",)),
        ("Cấp ủy đảng các cấp lãnh đạo.", ("Cấp ủy đảng các cấp",)),
        (
            "Sở Y tế nơi cơ sở đặt trụ sở chính thẩm định hồ sơ.",
            ("Sở Y tế nơi cơ sở đặt trụ sở chính",),
        ),
        (
            "Bộ Chỉ huy Quân sự tỉnh và các đồn Biên phòng tuần tra.",
            ("Bộ Chỉ huy Quân sự tỉnh và các đồn Biên phòng",),
        ),
        ("Các Tỉnh ủy viên phụ trách địa bàn dự họp.", ("Các Tỉnh ủy viên phụ trách địa bàn",)),
        (
            "Ủy ban nhân dân xã, phường nêu trên hoàn thành việc bàn giao.",
            ("Ủy ban nhân dân xã, phường nêu trên",),
        ),
        ("Ủy ban nhân dân tỉnh đã nhận 12 đơn.", ()),
    ],
)
def test_a_name_goes_on_with_what_completes_it(
    registers: Registers, words: str, actors: tuple[str, ...]
) -> None:
    assert task(words, registers).actors == actors


def test_a_verb_that_no_list_holds_orders_only_where_an_order_is_said(registers: Registers) -> None:
    text = (
        "Số 12-KH/TU\nHà Nội, ngày 02 tháng 3 năm 2022\nKẾ HOẠCH\ntiếp dân\n"
        "1. Công an xã túc trực tại chợ phiên.\n2. Giao Công an xã túc trực tại chợ phiên.\n"
        "3. Thường trực Đảng ủy ghi nhận, sẽ xem xét."
    )

    found = [(duty.task_number, duty.actors) for duty in duties(text, registers)]

    assert found == [("2", ("Công an xã",))]


def test_each_dash_that_names_its_actor_is_a_duty(registers: Registers) -> None:
    text = f"{HEAD}1. Công tác tuyên truyền\n- Báo Thủ đô mở chuyên mục.\n- Sở Nội vụ cung cấp tin."

    found = [(duty.task_number, duty.actors) for duty in duties(text, registers)]

    assert found == [("1", ("Báo Thủ đô",)), ("1", ("Sở Nội vụ",))]


@pytest.mark.parametrize(
    ("words", "deadline"),
    [
        ("Các sở báo cáo trước ngày 30/6/2026.", "2026-06-30"),
        ("Hoàn thành chậm nhất là ngày 05 tháng 9 năm 2026.", "2026-09-05"),
        ("Hoàn thành trong quý II/2026.", "2026-06-30"),
        ("Hoàn thành trong tháng 02 năm 2028.", "2028-02-29"),
        ("Thực hiện Kế hoạch số 12-KH/TU ngày 30/6/2026.", None),
        ("Rà soát văn bản ban hành trước ngày 01/7/2025.", None),
        ("Thực hiện từ ngày 01/7/2026.", None),
        ("Gửi trước ngày 15/12 hằng năm.", None),
        ("Gửi trước ngày 25 hằng tháng.", None),
        ("Hằng tháng, trước ngày 30/6/2026 báo cáo lần đầu.", "2026-06-30"),
        ("Kết quả trước ngày 01/01/2020 chưa cao.", None),
        ("Trong 6 tháng đầu năm 2026, tiếp 42 lượt.", None),
    ],
)
def test_a_deadline_is_a_day_or_period_that_binds(
    registers: Registers, words: str, deadline: str | None
) -> None:
    assert task(words, registers).deadline == deadline


@pytest.mark.parametrize(
    ("words", "recurrence"),
    [
        ("Đưa vào chương trình công tác hàng năm.", "hàng năm"),
        ("Định kỳ sơ kết.", "định kỳ"),
        ("Báo cáo định kỳ 6 tháng, hằng năm.", "định kỳ 6 tháng, hằng năm"),
        ("Giao ban hàng quý.", "hàng quý"),
        ("Họp 6 tháng một lần.", "6 tháng một lần"),
        ("Trong 6 tháng đầu năm, tiếp 42 lượt.", None),
        ("Báo cáo kết quả trước ngày 25 hằng tháng.", "trước ngày 25 hằng tháng"),
        ("Các sở gửi số liệu trước ngày 15/12 hằng năm.", "trước ngày 15/12 hằng năm"),
        ("Gửi trước ngày 15 tháng 12 hàng năm.", "trước ngày 15 tháng 12 hàng năm"),
        ("Chậm nhất là ngày 20 hàng tháng, các xã báo cáo.", "chậm nhất là ngày 20 hàng tháng"),
        ("Báo cáo định kỳ ngày 20 hàng tháng.", "định kỳ ngày 20 hàng tháng"),
        ("Vào ngày 05 hằng tháng, công khai số liệu.", "vào ngày 05 hằng tháng"),
        ("Báo cáo trước 15 giờ hằng ngày.", "trước 15 giờ hằng ngày"),
        ("Gửi trước 16 giờ 30 phút thứ Năm hằng tuần.", "trước 16 giờ 30 phút thứ Năm hằng tuần"),
        ("Giao ban sáng thứ Hai hằng tuần.", "sáng thứ Hai hằng tuần"),
        (
            "Định kỳ trước ngày 20 tháng cuối quý, gửi số liệu.",
            "định kỳ trước ngày 20 tháng cuối quý",
        ),
        (
            "Gửi báo cáo trước ngày 20 của tháng cuối hằng quý.",
            "trước ngày 20 của tháng cuối hằng quý",
        ),
        (
            "Báo cáo trước ngày 10 của tháng đầu quý sau.",
            "trước ngày 10 của tháng đầu quý sau",
        ),
        ("Hằng tháng (trước ngày 25) báo cáo.", "hằng tháng (trước ngày 25)"),
        ("Định kỳ hằng tháng, trước ngày 25, gửi báo cáo.", "định kỳ hằng tháng, trước ngày 25"),
        (
            "Định kỳ hằng quý (trước ngày 20 của tháng cuối quý) báo cáo Tỉnh ủy.",
            "định kỳ hằng quý (trước ngày 20 của tháng cuối quý)",
        ),
        (
            "Định kỳ 6 tháng (trước ngày 15/6), hằng năm (trước ngày 15/12) báo cáo Sở Nội vụ.",
            "định kỳ 6 tháng (trước ngày 15/6), hằng năm (trước ngày 15/12)",
        ),
        (
            "Báo cáo 6 tháng trước ngày 15/6, hằng năm trước ngày 15/12.",
            "6 tháng trước ngày 15/6, hằng năm trước ngày 15/12",
        ),
        ("Nộp trước ngày cuối cùng hằng tháng.", "trước ngày cuối cùng hằng tháng"),
        ("Hằng tháng, trước ngày 30/6/2026 báo cáo lần đầu.", "hằng tháng"),
        ("Thu hồi ngay lô hàng năm 2025.", None),
        ("Dừng đưa hàng ngay khi phát hiện.", None),
        ("Rà soát mỗi quy trình giải quyết.", None),
    ],
)
def test_recurrence_is_in_the_words_of_the_text(
    registers: Registers, words: str, recurrence: str | None
) -> None:
    assert task(words, registers).recurrence == recurrence


@pytest.mark.parametrize(
    ("words", "report_to"),
    [
        (
            "Rút kinh nghiệm, báo cáo với Ban Thường vụ Thành ủy (qua Ban Dân vận Thành ủy).",
            "Ban Thường vụ Thành ủy (qua Ban Dân vận Thành ủy)",
        ),
        ("Định kỳ báo cáo Ban Thường vụ Thành ủy kết quả.", "Ban Thường vụ Thành ủy"),
        ("Báo cáo về Sở Nội vụ trước ngày 15/6/2026.", "Sở Nội vụ"),
        ("Tổng hợp, báo cáo Bộ Tài chính tại hội nghị.", "Bộ Tài chính"),
        ("Báo cáo các cấp có thẩm quyền.", "các cấp có thẩm quyền"),
        ("Báo cáo kết quả thực hiện.", None),
        ("Bồi dưỡng báo cáo viên.", None),
    ],
)
def test_the_report_line_is_the_body_reported_to(
    registers: Registers, words: str, report_to: str | None
) -> None:
    assert task(words, registers).report_to == report_to


def test_a_letter_without_numbers_asks_in_its_paragraphs(registers: Registers) -> None:
    (duty,) = duties(LETTER, registers)

    assert (duty.task_number, duty.actors) == (None, ("Thuế tỉnh Lâm Đồng",))
    assert (duty.deadline, duty.report_to) == ("2026-02-15", "Cục Thuế")


def test_a_decision_orders_those_whom_it_names(registers: Registers) -> None:
    found = [(duty.task_number, duty.actors) for duty in duties(STATE_DECISION, registers)]

    assert found == [("2.2", ("Chánh Văn phòng",))]

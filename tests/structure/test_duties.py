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

"""What tells who a citizen is never passes; what may not be said of a citizen's text is withheld."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.privacy import MASK, find_personal_data, mask, withhold
from nlp.text import to_nfc
from nlp.types import (
    Analysis,
    AssignedLabel,
    CategoryResult,
    Decision,
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
    "1.000.912.345.678 đồng",
    "đường dây nóng 1900 1234",
    "tài khoản 19012345678901",
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
        ("toi ten la nguyen van an xin phan anh", "nguyen van an xin"),
        ("tôi tên nguyễn thị thu hà", "nguyễn thị thu hà"),
        ("Họ và tên: PHẠM THỊ HOA", "PHẠM THỊ HOA"),
        ("nhà số 15 ngõ 20", "15"),
        ("Số nhà 12/34B đường Láng", "12/34B"),
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


def test_a_long_run_of_letters_costs_no_time() -> None:
    assert mask("a" * 200_000) == "a" * 200_000

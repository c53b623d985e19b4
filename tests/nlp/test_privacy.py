"""What tells who a citizen is never passes `mask`; everything else stays where it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.privacy import MASK, find_personal_data, mask
from nlp.text import to_nfc

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

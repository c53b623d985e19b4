"""Whatever is masked keeps its length, is masked once for all, and stays in NFC."""

from hypothesis import given
from hypothesis import strategies as st

from nlp.privacy import MASK, find_personal_data, mask
from nlp.text import to_nfc
from tests.strategies import running_texts, wild_texts

PIECES = (
    "Tôi tên là Đỗ Thị Mận",
    "bà Hĩm",
    "không chín một hai ba bốn năm sáu bảy tám",
    "o9l2 345 678",
    "0945 77",
    "1306",
    "stk 0011 0042 88991",
    "CCCD 001099001234",
    "30A-123.45",
    "12/3/1961",
    "sinh ngày",
    "số 14 ngõ 95",
    "tầng 2",
    "tổ 5",
    "lan a còng gmail chấm com",
    "đường dây nóng",
    "Chủ tịch UBND phường",
    "NGUYỄN VĂN AN",
    "không phải",
    "thành",
    "–",
    MASK * 8,
)
texts = st.one_of(
    st.lists(st.one_of(st.sampled_from(PIECES), running_texts(max_syllables=3)), max_size=12).map(
        " ".join
    ),
    st.lists(st.sampled_from(PIECES), max_size=8).map("\n".join),
    wild_texts(),
)


@given(texts)
def test_masking_covers_in_place_and_once_for_all(raw: str) -> None:
    text = to_nfc(raw)

    masked = mask(text)

    assert all(new in (old, MASK) for old, new in zip(text, masked, strict=True))
    assert mask(masked) == masked
    assert find_personal_data(masked) == ()


@given(texts)
def test_masked_text_is_still_in_nfc(raw: str) -> None:
    masked = mask(to_nfc(raw))

    assert to_nfc(masked) == masked


@given(texts)
def test_everything_found_lies_in_the_text(raw: str) -> None:
    text = to_nfc(raw)

    spans = [data.span for data in find_personal_data(text)]

    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert spans == sorted(spans)

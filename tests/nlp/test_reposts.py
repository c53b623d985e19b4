"""Telling a text that is passed on from another on the same matter."""

from hypothesis import given
from hypothesis import strategies as st

from nlp.reposts import Runs, find_buckets, likeness

LETTER = (
    "Đề nghị phường cho sửa lại đoạn vỉa hè trước cổng chợ, gạch bong tróc đã ba tháng nay, người già đi"
    " lại rất dễ ngã, trời mưa nước bẩn bắn lên quần áo mà hỏi thì không ai trả lời."
)
OTHER = (
    "Tôi phản ánh chuyện cổng chợ kẹt xe mỗi sáng vì người ta dừng mua rau ngay dưới lòng đường, mong"
    " phường cử người nhắc nhở chứ đi làm muộn mãi."
)


def test_a_text_says_the_same_as_itself_without_diacritics_and_case() -> None:
    plain = "DE NGHI PHUONG CHO SUA LAI DOAN VIA HE TRUOC CONG CHO!!!"

    how = likeness(Runs.of("Đề nghị phường cho sửa lại đoạn vỉa hè trước cổng chợ"), Runs.of(plain))

    assert how >= 1


def test_an_excerpt_says_the_same_as_the_whole() -> None:
    assert likeness(Runs.of(LETTER[:110]), Runs.of(LETTER)) >= 1


def test_another_text_on_the_same_matter_does_not() -> None:
    assert likeness(Runs.of(LETTER), Runs.of(OTHER)) < 1


def test_short_texts_with_a_turn_of_phrase_in_common_do_not() -> None:
    one = Runs.of("Các anh cứu hộ làm nhanh quá, chúc các anh luôn bình an")
    other = Runs.of("Bác sĩ trực đêm tận tình lắm, chúc bác sĩ luôn bình an")

    assert likeness(one, other) < 1


def test_a_text_too_short_to_be_told_from_others_is_like_none() -> None:
    short = Runs.of("Đồng ý với bạn")

    assert likeness(short, short) == 0
    assert find_buckets([short]) == [()]


def test_texts_that_say_the_same_share_a_bucket() -> None:
    [one, other, shorter] = find_buckets(
        [Runs.of(LETTER), Runs.of(f"Nhờ mọi người chia sẻ. {LETTER}"), Runs.of(LETTER[:110])]
    )

    assert set(one) & set(other)
    assert set(one) & set(shorter)


def test_texts_on_other_matters_share_none() -> None:
    [one, other] = find_buckets(
        [Runs.of(LETTER), Runs.of("Hồ bơi công cộng của quận đóng cửa cả mùa hè không báo trước")]
    )

    assert not set(one) & set(other)


@given(texts=st.lists(st.text(max_size=200), max_size=5))
def test_buckets_do_not_depend_on_the_other_texts(texts: list[str]) -> None:
    runs = [Runs.of(text) for text in texts]

    assert find_buckets(runs) == [find_buckets([own])[0] for own in runs]


@given(texts=st.lists(st.text(max_size=200), min_size=1, max_size=5))
def test_buckets_fit_a_column_of_whole_numbers(texts: list[str]) -> None:
    found = find_buckets([Runs.of(text) for text in texts])

    assert all(0 <= bucket < 2**63 for own in found for bucket in own)

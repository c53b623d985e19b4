"""Telling a text that is passed on from another on the same matter."""

import pytest
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


WATER = "{} mất nước sạch từ hôm thứ hai, gọi công ty nước không ai nghe máy, nhà có trẻ nhỏ."
LAMP = "Đèn đường {} phường Tây Hồ hỏng đã hai tuần, tối đi lại rất nguy hiểm, đề nghị sửa sớm."
CAMPAIGN = (
    "Tôi là người dân {}. Tôi không đồng ý nâng công suất bãi rác từ 150 tấn lên 400 tấn một ngày. Nước rỉ"
    " rác đã ngấm vào giếng, ruồi nhặng quanh năm, ban đêm mùi hôi không ngủ được. Đề nghị công bố báo cáo"
    " đánh giá tác động, đối thoại trực tiếp với dân và có phương án di dời các hộ trong vòng một cây số."
)


def test_the_same_words_about_another_ward_are_another_matter() -> None:
    one = Runs.of(WATER.format("Phường Cửa Nam"), wards=["00082"])
    other = Runs.of(WATER.format("Phường Hoàn Kiếm"), wards=["00070"])

    assert likeness(one, other) == 0
    assert likeness(one, one) >= 1


def test_a_ward_that_may_be_several_is_another_only_if_none_of_them_is_meant() -> None:
    unsure = Runs.of(WATER.format("Phường Tân Lập"), wards=["1", "2", "3"])

    assert likeness(unsure, Runs.of(WATER.format("P. Tân Lập"), wards=["2"])) >= 1
    assert likeness(unsure, Runs.of(WATER.format("Phường Tân Lộc"), wards=["4"])) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [("tổ 3", "tổ 5"), ("tổ dân phố 3", "TDP 5"), ("ngõ 12", "ngõ 21"), ("cột số 7", "cột số 8")],
)
def test_short_texts_on_two_numbered_spots_are_two_matters(one: str, other: str) -> None:
    assert likeness(Runs.of(LAMP.format(one)), Runs.of(LAMP.format(other))) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [("tổ 3", "tổ 3"), ("tổ 3", "khu nhà tôi"), ("ở tổ 3, ngõ 12", "ngõ 12"), ("tổ 3", "to 3")],
)
def test_a_spot_left_out_or_written_otherwise_is_no_other(one: str, other: str) -> None:
    assert likeness(Runs.of(LAMP.format(one)), Runs.of(LAMP.format(other))) >= 1


def test_a_letter_that_neighbours_pass_on_is_one_campaign() -> None:
    assert likeness(Runs.of(CAMPAIGN.format("thôn 3")), Runs.of(CAMPAIGN.format("thôn 7"))) >= 1


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

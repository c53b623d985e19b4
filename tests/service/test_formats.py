"""Numbers, days and names as in Vietnam."""

from datetime import UTC, date, datetime

import pytest

from service.formats import show_day, show_moment, show_number, show_percent, sort_key


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0"), (1234567, "1.234.567"), (0.25, "0,25"), (-3, "-3"), (2.0, "2")]
)
def test_a_number(number: float, shown: str) -> None:
    assert show_number(number) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "0%"), (0.001, "< 1%"), (0.126, "13%"), (0.999, "> 99%"), (1, "100%")],
)
def test_a_share(share: float, shown: str) -> None:
    assert show_percent(share) == shown


@pytest.mark.parametrize(
    ("day", "shown"),
    [(date(2026, 1, 5), "05/01/2026"), ("2026-01-05", "05/01/2026"), ("2026", "2026"), (None, "")],
)
def test_a_day(day: date | str | None, shown: str) -> None:
    assert show_day(day) == shown


def test_a_moment_is_that_of_vietnam() -> None:
    assert show_moment(datetime(2026, 1, 5, 20, 4, tzinfo=UTC)) == "03:04, 06/01/2026"


def test_names_are_sorted_as_in_a_dictionary() -> None:
    """By letters first (a ă â, d đ, …), by tones only where letters are the same."""
    names = "An Khánh, Ao, Ào, Ảo, Ão, Áo, Ạo, Ăn, Ân Thi, Ba, Ba Đình, Ba Vì, Dương Nội, Đan Phượng, Đống Đa"

    backwards = names.split(", ")[::-1]

    assert sorted(backwards, key=sort_key) == names.split(", ")


def test_digits_come_before_letters_and_case_does_not_count() -> None:
    assert sorted(["tổ b", "Tổ A", "tổ 2", "Tổ 1"], key=sort_key) == [
        "Tổ 1",
        "tổ 2",
        "Tổ A",
        "tổ b",
    ]

"""What is wrong with a text is named, and only that."""

import pytest

from nlp.quality import assess
from nlp.readers import from_text
from nlp.types import Document

GOOD = "Đường trước cổng trường học ngập mỗi khi mưa lớn, đề nghị phường cho khơi cống."


@pytest.mark.parametrize(
    ("text", "issues"),
    [
        (GOOD, ()),
        (
            "Duong truoc cong truong ngap moi khi mua lon, de nghi phuong cho khoi cong.",
            ("no_diacritics",),
        ),
        (GOOD.upper(), ("upper_case",)),
        ("The quick brown fox jumps over the lazy dog every single morning.", ("not_vietnamese",)),
        ("Đường hỏng", ("very_short",)),
        (GOOD.replace("ờ", "\ufffd"), ("replacement_characters",)),
    ],
)
def test_issues_are_named(text: str, issues: tuple[str, ...]) -> None:
    quality = assess(from_text(text))

    assert quality.readable
    assert quality.issues == issues


@pytest.mark.parametrize("text", ["", " \n", "12.345", "😡😡😡", "?!...", "\u0301\u0309"])
def test_a_text_without_words_cannot_be_read(text: str) -> None:
    quality = assess(from_text(text))

    assert not quality.readable
    assert quality.issues == ("no_words",)


def test_what_the_reader_found_is_kept() -> None:
    doc = Document(GOOD, (), issues=("broken_bytes",))

    assert assess(doc).issues == ("broken_bytes",)


def test_a_word_of_ten_thousand_letters_costs_no_more_than_many_words() -> None:
    text = "xin chao cac ban " * 300 + "a" * 14_000

    assert assess(from_text(text)).issues == ("no_diacritics",)

"""Normal form, folding and tone placement, word by word."""

import time
import unicodedata

import pytest

from nlp.text import Aligned, collapse_spaces, fold, lower, normalise, place_tones, to_nfc
from nlp.types import Span


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (unicodedata.normalize("NFD", "Thành ủy Hà Nội"), "Thành ủy Hà Nội"),
        ("một\r\nhai\rba\u2028bốn\x85năm", "một\nhai\nba\nbốn\nnăm"),
        ("\ufeffd\u00adân\u200b v\x00ận", "dân vận"),
        ("a\tb", "a\tb"),
        ("\ud800", "?"),
        ("", ""),
    ],
)
def test_text_is_brought_to_the_stored_form(raw: str, clean: str) -> None:
    assert to_nfc(raw) == clean


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Đường ĐỎ Ở đây", "duong do o day"), ("ỦY", "uy"), ("½ № Straße", "½ № straße"), ("İ", "i")],
)
def test_folding_takes_marks_and_capitals_off(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_a_letter_whose_lower_case_is_longer_stays() -> None:
    assert lower("İSTANBUL") == "İstanbul"


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("hoà", "hòa"),
        ("khoẻ", "khỏe"),
        ("uỷ ban", "ủy ban"),
        ("hoà-bình", "hòa-bình"),
        ("hoà.", "hòa."),
        ("hoà2", "hòa2"),
    ],
)
def test_an_open_syllable_gets_the_older_placement(new: str, old: str) -> None:
    assert place_tones(new) == old
    assert place_tones(old) == old


@pytest.mark.parametrize("word", ["quý", "hoàn", "toán", "khoét", "quỳnh", "hoa", "ngoài"])
def test_a_syllable_with_one_spelling_stays(word: str) -> None:
    assert place_tones(word) == word


def test_the_model_reads_one_form_of_both_spellings() -> None:
    assert normalise("UỶ BAN") == normalise("Ủy ban") == "ủy ban"


def test_runs_of_white_space_become_one_blank_and_lead_back() -> None:
    aligned = collapse_spaces("a \n\t b")

    assert aligned == Aligned("a b", (0, 1, 5, 6))
    assert aligned.to_source(Span(2, 3)) == Span(5, 6)
    assert aligned.to_source(Span(3, 3)) == Span(6, 6)


@pytest.mark.parametrize("span", [Span(-1, 1), Span(2, 1), Span(0, 4)])
def test_a_span_that_is_not_in_the_text_is_refused(span: Span) -> None:
    with pytest.raises(ValueError, match="lies outside 0-3"):
        collapse_spaces("a b").to_source(span)


def test_marks_without_end_cost_no_time() -> None:
    start = time.perf_counter()

    text = to_nfc("a" + "\u0301\u0323" * 200_000)

    assert time.perf_counter() - start < 2
    assert len(text) <= 18
    assert to_nfc(text) == text

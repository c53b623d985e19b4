"""What holds for every text: normal form, lengths, and the way back."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.text import collapse_spaces, fold, lower, normalise, place_tones, to_nfc
from nlp.types import Span
from tests.strategies import LETTERS, running_texts, wild_texts

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates too


@given(ANY_TEXT)
def test_to_nfc_twice_is_to_nfc_once(text: str) -> None:
    once = to_nfc(text)

    assert to_nfc(once) == once
    assert unicodedata.is_normalized("NFC", once)


@given(ANY_TEXT)
def test_nfc_text_can_be_written_and_has_no_hidden_characters(text: str) -> None:
    clean = to_nfc(text)

    assert clean.encode("utf-8").decode("utf-8") == clean
    assert not {"\r", "\x00", "\u200b", "\ufeff", "\u2028"} & set(clean)


@given(st.text(st.characters() | st.sampled_from("\u0130\u03a3I\u0131\u03c2")))
def test_each_character_is_lowered_by_itself(text: str) -> None:
    alone = [char.lower() if len(char.lower()) == 1 else char for char in text]

    assert lower(text) == "".join(alone)


@pytest.mark.parametrize("rewrite", [fold, lower, normalise])
@given(text=ANY_TEXT.map(to_nfc))
def test_a_copy_for_the_model_has_the_length_of_the_text(
    rewrite: Callable[[str], str], text: str
) -> None:
    assert len(rewrite(text)) == len(text)


@given(running_texts())
def test_folding_ignores_case_marks_and_tone_placement(text: str) -> None:
    folded = fold(text)

    assert fold(text.upper()) == folded
    assert fold(normalise(text)) == folded
    assert fold(folded) == folded
    assert not set(folded) & set(LETTERS) - set("abcdeghiklmnopqrstuvxy")


@given(st.text("hqoaeuyòàóáụỷnt12 .,-", max_size=30))
def test_placing_tones_twice_is_placing_them_once(text: str) -> None:
    placed = place_tones(text)

    assert place_tones(placed) == placed
    assert fold(placed) == fold(text)


@given(wild_texts().map(to_nfc))
def test_every_collapsed_character_comes_from_where_it_says(text: str) -> None:
    aligned = collapse_spaces(text)

    assert len(aligned.origin) == len(aligned.text) + 1
    assert "  " not in aligned.text
    for i, char in enumerate(aligned.text):
        source = text[aligned.origin[i]]
        assert source == char or (char == " " and source.isspace())


@given(wild_texts().map(to_nfc), st.data())
def test_a_span_of_inked_characters_goes_back_to_the_same_words(
    text: str, data: st.DataObject
) -> None:
    aligned = collapse_spaces(text)
    start = data.draw(st.integers(0, len(aligned.text)))
    end = data.draw(st.integers(start, len(aligned.text)))

    back = aligned.to_source(Span(start, end))

    assert 0 <= back.start <= back.end <= len(text)
    assert collapse_spaces(text[back.start : back.end]).text == aligned.text[start:end]


@given(running_texts())
def test_a_span_outside_the_text_is_refused(text: str) -> None:
    aligned = collapse_spaces(text)

    with pytest.raises(ValueError, match="lies outside"):
        aligned.to_source(Span(0, len(aligned.text) + 1))

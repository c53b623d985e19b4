"""What the n-grams of a text do not depend on, and where they lead back to."""

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.features import FeatureSpec, extract_ngrams
from nlp.text import fold, lower, place_tones, to_nfc
from tests.strategies import running_texts, syllables, wild_texts

SPEC = FeatureSpec()
# One spelling a column; the last rows have only one: closed syllables, and u after q.
SPELLINGS = (
    ("hòa", "hoà"),
    ("khỏe", "khoẻ"),
    ("ủy", "uỷ"),
    ("thủy", "thuỷ"),
    ("tòa", "toà"),
    ("HÒA", "HOÀ"),
    ("hòa2", "hoà2"),
    ("hoàn", "hoàn"),
    ("quý", "quý"),
    ("toán", "toán"),
)
spelt_twice = st.lists(
    st.tuples(
        st.one_of(st.sampled_from(SPELLINGS), syllables.map(lambda s: (s, s))),
        st.sampled_from([" ", ", ", ".", "\n", "-", "?"]),
    ),
    max_size=20,
)


def keys(text: str) -> list[int]:
    return list(extract_ngrams([text], SPEC).keys.tolist())


@given(spelt_twice)
def test_both_tone_placements_have_the_same_ngrams(
    words: list[tuple[tuple[str, str], str]],
) -> None:
    one = "".join(word[0] + separator for word, separator in words)
    other = "".join(word[1] + separator for word, separator in words)

    assert keys(one) == keys(other)


def unstressed(text: str) -> str:
    """No letter twice in a row, whatever its mark: of a repeated letter only the first is read."""
    letters = fold(text)
    return "".join(
        char
        for i, char in enumerate(text)
        if not (char.isalpha() and i and letters[i] == letters[i - 1])
    )


@given(st.text("hqoaeuyòàóáụỷỵnt12_ .,-\n", max_size=40).map(unstressed))
def test_the_arrays_place_tones_as_the_text_function_does(text: str) -> None:
    assert keys(text) == keys(place_tones(text))


@given(running_texts())
def test_letter_case_changes_no_ngram(text: str) -> None:
    assert keys(text) == keys(text.upper()) == keys(lower(text))


@given(running_texts())
def test_a_decomposed_text_has_the_ngrams_of_its_composed_form(text: str) -> None:
    assert keys(to_nfc(unicodedata.normalize("NFD", text))) == keys(to_nfc(text))


@given(running_texts(), st.sampled_from(["  ", "\n ", "\t", "\u00a0 "]))
def test_more_white_space_changes_no_ngram(text: str, space: str) -> None:
    assert keys(f"{space}{text.replace(' ', space)}{space}") == keys(text)


@given(running_texts())
def test_letters_repeated_for_stress_change_no_ngram(text: str) -> None:
    plain = unstressed(text)
    stressed = "".join(char * 3 if char.isalpha() else char for char in plain)

    assert keys(stressed) == keys(plain)


@given(st.lists(wild_texts().map(to_nfc), max_size=6))
def test_the_ngrams_of_a_text_do_not_depend_on_its_batch(texts: list[str]) -> None:
    batch = extract_ngrams(texts, SPEC)

    for row, text in enumerate(texts):
        assert batch.keys[batch.rows == row].tolist() == keys(text)


@given(wild_texts().map(to_nfc))
def test_tokens_are_the_ink_of_the_text_in_order(text: str) -> None:
    spans = extract_ngrams([text], SPEC).token_spans(0)

    assert "".join(text[s.start : s.end] for s in spans) == "".join(text.split())
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))


@given(wild_texts().map(to_nfc))
def test_every_ngram_lies_within_its_own_text(text: str) -> None:
    ngrams = extract_ngrams(["trước", text, "sau"], SPEC)

    assert (ngrams.firsts <= ngrams.lasts).all()
    assert (ngrams.token_rows[ngrams.firsts] == ngrams.rows).all()
    assert (ngrams.token_rows[ngrams.lasts] == ngrams.rows).all()
    assert (ngrams.starts < ngrams.ends).all()


def test_only_the_first_twenty_thousand_code_points_are_read() -> None:
    text = "một hai " * 2_500

    assert keys(text + "ba") == keys(text)
    assert keys(text[8:] + "ba bốn") != keys(text)


def test_digits_count_by_their_shape_and_letters_by_their_marks() -> None:
    assert keys("năm 2024") == keys("năm 1987")
    assert keys("năm 2024") != keys("năm 198")
    assert keys("nam") != keys("năm")


@pytest.mark.parametrize("texts", [[], [""], ["", ""], [" \n\t"]])
def test_texts_without_ink_have_no_ngrams(texts: list[str]) -> None:
    ngrams = extract_ngrams(texts, SPEC)

    assert ngrams.n_texts == len(texts)
    assert len(ngrams.keys) == len(ngrams.starts) == 0

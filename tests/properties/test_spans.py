"""Sentences, words and blocks are spans of the very text they were found in."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.readers import from_text
from nlp.segmenter import align, hide_long_runs, sentence_pieces
from nlp.sentences import split_sentences
from nlp.text import lower, to_nfc
from nlp.types import Span
from nlp.words import segment_words, widen_to_words
from tests.strategies import running_texts, wild_texts

nfc_texts = st.one_of(running_texts(), wild_texts()).map(to_nfc)


def in_order(spans: tuple[Span, ...]) -> bool:
    return all(before.end <= after.start for before, after in pairwise(spans))


@given(nfc_texts)
def test_every_inked_character_is_in_exactly_one_sentence(text: str) -> None:
    spans = split_sentences(text)

    covered = [i for span in spans for i in range(span.start, span.end)]
    assert in_order(spans)
    assert {i for i, char in enumerate(text) if not char.isspace()} <= set(covered)
    assert all(text[s.start : s.end] == text[s.start : s.end].strip() != "" for s in spans)


@given(running_texts())
def test_letter_case_moves_no_sentence_border(text: str) -> None:
    assert split_sentences(text.upper()) == split_sentences(text) == split_sentences(lower(text))


@given(nfc_texts | st.text(".?! \t…ađ1", max_size=12))
def test_lines_that_are_not_asked_about_are_those_that_underthesea_leaves_whole(text: str) -> None:
    line = hide_long_runs(lower(text)).replace("\n", " ").strip()
    pieces = [span.start for span in align(sentence_pieces(line), text=line)]

    assert [span.start for span in split_sentences(line)] == ([0, *pieces[1:]] if line else [])


@given(nfc_texts)
def test_no_sentence_runs_over_a_line_feed(text: str) -> None:
    assert not any("\n" in text[span.start : span.end] for span in split_sentences(text))


@given(nfc_texts)
def test_words_are_inked_and_in_order(text: str) -> None:
    words = segment_words(text)

    assert in_order(words)
    assert all(text[word.start : word.end].strip() for word in words)
    assert all(0 <= word.start < word.end <= len(text) for word in words)


@given(running_texts())
def test_words_of_plain_text_leave_no_letter_out(text: str) -> None:
    covered = {i for word in segment_words(text) for i in range(word.start, word.end)}

    assert {i for i, char in enumerate(text) if char.isalpha()} <= covered


@given(running_texts(), st.data())
def test_widened_spans_contain_the_old_ones_and_cut_no_word(text: str, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(text)), unique=True, max_size=8).map(sorted))
    spans = tuple(Span(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False))
    words = segment_words(text)

    wide = widen_to_words(spans, words=words)

    assert in_order(wide)
    for span in spans:
        assert any(w.start <= span.start and span.end <= w.end for w in wide)
    for word in words:
        assert not any(w.start < word.start < w.end < word.end for w in wide)
        assert not any(word.start < w.start < word.end for w in wide)


@given(nfc_texts)
def test_blocks_are_trimmed_stretches_of_the_text_with_only_blanks_between(text: str) -> None:
    doc = from_text(text)

    assert doc.text == text
    between = 0
    for block in doc.blocks:
        assert text[block.start : block.end] == text[block.start : block.end].strip() != ""
        assert text[between : block.start].strip() == ""
        between = block.end
    assert text[between:].strip() == ""


@given(running_texts(max_syllables=80))
def test_letter_case_moves_no_block(text: str) -> None:
    assert from_text(text.upper()).blocks == from_text(text).blocks


@pytest.mark.parametrize(
    "text", ["", "\n", "a" * 100_000, "a." * 50_000, "một hai. " * 10_000, "?!" * 50_000]
)
def test_extreme_texts_are_cut_without_loss(text: str) -> None:
    spans = split_sentences(text)

    assert sum(len(text[s.start : s.end].replace(" ", "")) for s in spans) == len(
        text.replace(" ", "").replace("\n", "")
    )

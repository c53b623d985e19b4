"""Words and sentences on known texts; what holds for all texts is in properties/."""

import subprocess
import sys

import pytest

from nlp.segmenter import align, hide_long_runs
from nlp.sentences import split_sentences
from nlp.types import Span
from nlp.words import segment_words, widen_to_words
from tests.conftest import ROOT


def slices(text: str, spans: tuple[Span, ...]) -> list[str]:
    return [text[span.start : span.end] for span in spans]


def test_syllables_of_one_word_are_joined() -> None:
    text = "Ủy ban nhân dân phường giải quyết thủ tục hành chính."

    words = slices(text, segment_words(text))

    assert "thủ tục" in words
    assert "giải quyết" in words


def test_sentences_end_at_full_stops_and_line_feeds_but_not_in_numbers() -> None:
    text = "Đường hỏng đã lâu. Nộp 1.500.000 đồng rồi!\nBao giờ sửa?  Xin cảm ơn"

    assert slices(text, split_sentences(text)) == [
        "Đường hỏng đã lâu.",
        "Nộp 1.500.000 đồng rồi!",
        "Bao giờ sửa?",
        "Xin cảm ơn",
    ]


def test_a_piece_is_found_whatever_the_white_space() -> None:
    assert align(["hành chính", "nhanh"], text="hành \n chính  nhanh") == [
        Span(0, 12),
        Span(14, 19),
    ]


def test_a_piece_that_is_not_in_the_text_is_left_out() -> None:
    assert align(["một", "không có", "hai"], text="một hai") == [Span(0, 3), Span(4, 7)]


def test_offsets_can_be_shifted() -> None:
    assert align(["hai"], text="một hai", offset=10) == [Span(14, 17)]


def test_a_long_run_without_blanks_is_hidden_one_for_one() -> None:
    run = "9." * 100

    hidden = hide_long_runs(f"a {run} b")

    assert hidden == f"a {'x' * 200} b"
    assert hide_long_runs("9." * 99) == "9." * 99


@pytest.mark.parametrize("run", ["9." * 50_000, "a." * 50_000, "😡." * 20_000])
def test_a_hundred_thousand_characters_without_a_blank_are_one_piece(run: str) -> None:
    assert len(split_sentences(run)) == 1
    assert len(segment_words(run)) <= 1


def test_evidence_grows_to_whole_words_and_joins_where_they_touch() -> None:
    words = (Span(0, 7), Span(8, 15), Span(16, 20))

    assert widen_to_words((Span(4, 7),), words=words) == (Span(0, 7),)
    assert widen_to_words((Span(2, 9), Span(12, 14)), words=words) == (Span(0, 15),)
    assert widen_to_words((Span(21, 25),), words=words) == (Span(21, 25),)
    assert widen_to_words((), words=words) == ()


def test_threads_that_come_first_together_all_get_their_words() -> None:
    script = (
        "from concurrent.futures import ThreadPoolExecutor as Pool\n"
        "from nlp.words import segment_words\n"
        "from nlp.sentences import split_sentences\n"
        "texts = ['Công tác dân vận của chính quyền.'] * 16\n"
        "with Pool(8) as pool:\n"
        "    assert len(set(pool.map(segment_words, texts))) == 1\n"
        "    assert len(set(pool.map(split_sentences, texts))) == 1\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)

    assert done.returncode == 0, done.stderr

"""Sentences of a text as spans."""

import re

from nlp.segmenter import align, hide_long_runs, sentence_pieces
from nlp.text import lower
from nlp.types import Span

_INNER_STOP = re.compile(r"[.?!][^.?!\s]|[.?!]\s+\S")  # without one underthesea leaves a line whole


def split_sentences(text: str) -> tuple[Span, ...]:
    """Cut a text into sentences; a line feed always ends one.

    Works on the lower-cased text, so that letter case never moves a border. Every non-blank character
    lies in exactly one span; spans are in order and trimmed.
    """
    spans: list[Span] = []
    offset = 0
    for line in hide_long_runs(lower(text)).split("\n"):
        if line.strip():
            spans.extend(_sentences_of_line(line, offset=offset))
        offset += len(line) + 1
    return tuple(spans)


def _sentences_of_line(line: str, *, offset: int) -> list[Span]:
    """Borders from underthesea; whatever it dropped stays with the sentence before it."""
    if _INNER_STOP.search(line):
        starts = [span.start for span in align(sentence_pieces(line), text=line)]
        starts = [0, *(start for start in starts if start > 0)]
    else:
        starts = [0]
    spans = []
    for start, end in zip(starts, [*starts[1:], len(line)], strict=True):
        body = line[start:end]
        left = start + len(body) - len(body.lstrip())
        right = start + len(body.rstrip())
        if left < right:
            spans.append(Span(offset + left, offset + right))
    return spans

"""Words (từ) of a text as spans: syllables (tiếng) joined by underthesea."""

from nlp.segmenter import align, hide_long_runs, word_pieces
from nlp.text import lower
from nlp.types import Span


def segment_words(text: str) -> tuple[Span, ...]:
    """Segment a text into words, in order and without overlap; punctuation marks are left out.

    Works on the lower-cased text, so that letter case never moves a border.
    """
    lowered = hide_long_runs(lower(text))
    found = align(word_pieces(lowered), text=lowered)
    return tuple(span for word in found if (span := _trim(word, text=text)) is not None)


def _trim(span: Span, *, text: str) -> Span | None:
    """Cut punctuation off both ends; None when nothing is left."""
    start, end = span.start, span.end
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and not text[end - 1].isalnum():
        end -= 1
    return Span(start, end) if start < end else None


def widen_to_words(spans: tuple[Span, ...], *, words: tuple[Span, ...]) -> tuple[Span, ...]:
    """Grow spans to the borders of the words they cut, and join those that then touch.

    Evidence of one syllable ("hình") is shown as the word a reader knows ("mô hình").
    """
    widened: list[Span] = []
    for span in spans:
        cut = [word for word in words if word.start < span.end and span.start < word.end]
        start = min([span.start, *(word.start for word in cut)])
        end = max([span.end, *(word.end for word in cut)])
        if widened and start <= widened[-1].end:
            widened[-1] = Span(widened[-1].start, max(end, widened[-1].end))
        else:
            widened.append(Span(start, end))
    return tuple(widened)

"""What the page of one item shows, cut from its text and Analysis: pure functions, no HTML."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nlp.taxonomy import Taxonomy
from nlp.types import Span
from service.store.records import labels_of
from service.store.views import Stored

Json = Mapping[str, Any]  # parts of a stored Analysis: JSON values of different types
_ASKED = ("civic_field", "sentiment", "intent", "task_area")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that is lit or not; `first` marks the one to scroll to."""

    text: str
    lit: bool = False
    first: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph or sentence with its labels; without a segment it is text between them."""

    pieces: tuple[Piece, ...]
    tone: str | None = None
    sentiment: str | None = None
    areas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelView:
    """An asserted label; `show` asks the page to light its evidence."""

    code: str
    name: str
    probability: float | None
    show: str
    n_evidence: int


@dataclass(frozen=True, slots=True)
class FacetView:
    """A question with its answer; `guess` is shown where nothing is asserted."""

    name: str
    title: str
    decision: str
    labels: tuple[LabelView, ...]
    guess: LabelView | None


def find_lit(analysis: Json, show: str) -> tuple[Span, ...]:
    """The spans to light: `facet:code` for the evidence of a label, `12-45` for a stretch of text."""
    facet, _, code = show.partition(":")
    if facet in _ASKED and analysis:
        labels = labels_of(analysis[facet])
        return tuple(
            Span(span["start"], span["end"])
            for label in labels
            if label["code"] == code
            for span in label["evidence"]
        )
    start, _, end = show.partition("-")
    if start.isdecimal() and end.isdecimal() and len(show) < 20:
        return (Span(int(start), int(end)),)
    return ()


def cut(text: str, within: Span, lit: Sequence[Span]) -> Iterator[Piece]:
    """Cut a stretch of text where the light begins and ends; the pieces join to the stretch.

    `lit` is in reading order; its spans may overlap and reach beyond the stretch.
    """
    at = within.start
    for span in lit:
        start, end = max(span.start, at), min(span.end, within.end)
        if start < end:
            if at < start:
                yield Piece(text[at:start])
            yield Piece(text[start:end], lit=True, first=start == lit[0].start)
            at = end
    if at < within.end:
        yield Piece(text[at : within.end])


def cut_passages(stored: Stored, lit: Sequence[Span]) -> tuple[Passage, ...]:
    """The whole text as passages: each segment, and what stands between them."""
    text, ordered = stored.doc.text, sorted(lit)
    passages: list[Passage] = []
    at = 0
    for segment in stored.analysis.get("segments", ()):
        start, end = segment["start"], segment["end"]
        passages += _between(stored, Span(at, start), lit=ordered)
        pieces = tuple(cut(text, Span(start, end), ordered))
        areas = tuple(segment["task_area"])
        passages.append(Passage(pieces, segment["tone"], segment["sentiment"], areas))
        at = end
    return (*passages, *_between(stored, Span(at, len(text)), lit=ordered))


def _between(stored: Stored, gap: Span, *, lit: Sequence[Span]) -> list[Passage]:
    """Text outside segments. In an opinion even white space counts: its sentences stand in one flow."""
    text = stored.doc.text[gap.start : gap.end]
    if stored.kind != "opinion":
        start = gap.start + len(text) - len(text.lstrip())
        gap = Span(start, start + len(text.strip()))
    return [Passage(tuple(cut(stored.doc.text, gap, lit)))] if gap.start < gap.end else []


def facet_views(analysis: Json, taxonomy: Taxonomy) -> tuple[FacetView, ...]:
    """The questions that were asked of this kind of text, with their answers."""
    return tuple(
        _facet_view(name, analysis[name], taxonomy)
        for name in _ASKED
        if analysis and analysis[name]["decision"] != "not_applicable"
    )


def _facet_view(name: str, answer: Json, taxonomy: Taxonomy) -> FacetView:
    def view(code: str, probability: float | None, n_evidence: int = 0) -> LabelView:
        title = category_name(taxonomy, name, code=code)
        return LabelView(code, title, probability, f"{name}:{code}", n_evidence)

    guess = answer["guess"]
    return FacetView(
        name=name,
        title=taxonomy.facets[name].title,
        decision=answer["decision"],
        labels=tuple(
            view(label["code"], label["probability"], len(label["evidence"]))
            for label in labels_of(answer)
        ),
        guess=view(guess["code"], guess["probability"]) if guess else None,
    )


def category_name(taxonomy: Taxonomy, facet: str, *, code: str) -> str:
    """The Vietnamese name of a category; the code itself when another version of the pack had it."""
    for category in taxonomy.facets[facet].categories:
        if category.code == code:
            return category.name
    return code

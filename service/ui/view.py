"""What the page of one item shows, cut from its text and Analysis: pure functions, no HTML."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nlp.taxonomy import Taxonomy
from nlp.types import Place, Span
from service.store.citations import Bearer, Cited
from service.store.pictures import Page
from service.store.records import as_date, labels_of
from service.store.views import Stored

Json = Mapping[str, Any]  # parts of a stored Analysis: JSON values of different types
_ASKED = ("civic_field", "sentiment", "intent", "task_area")
_HINTS = ("channel", "urgency")


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
    """The spans to light: `facet:code` or `hint:name` for their evidence, `12-45` for a stretch of text."""
    facet, _, code = show.partition(":")
    if facet == "hint":
        return hint_spans(analysis, code)
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


def hint_spans(analysis: Json, name: str) -> tuple[Span, ...]:
    """The words that speak for a hint of triage; none where it holds by default."""
    hints = analysis.get("hints")
    if name not in _HINTS or not hints:
        return ()
    return tuple(Span(span["start"], span["end"]) for span in hints["evidence"][name])


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


@dataclass(frozen=True, slots=True)
class Box:
    """A stretch of a printed line in the pixels of its page."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class PageView:
    """A page as it looks, with the boxes that are lit on it; `first` marks the one to scroll to."""

    number: int
    width: int
    height: int
    boxes: tuple[Box, ...]
    first: bool


def page_views(
    pages: Sequence[Page], places: Sequence[Place], *, lit: Sequence[Span]
) -> tuple[PageView, ...]:
    """The pages of a document with what is lit: of each printed line the part that the words take up.

    A line is known by its box alone. Within it words are taken to be where their share of its characters
    puts them, and a character more is lit on either side.
    """
    sizes = {page.number: page for page in pages}
    boxes: dict[int, list[Box]] = {}
    for place in places:
        if place.page in sizes:
            own = (_box(place, span, page=sizes[place.page]) for span in lit)
            boxes.setdefault(place.page, []).extend(box for box in own if box is not None)
    first = next((page.number for page in pages if boxes.get(page.number)), None)
    return tuple(
        PageView(
            page.number,
            page.width,
            page.height,
            tuple(dict.fromkeys(boxes.get(page.number, ()))),
            first=page.number == first,
        )
        for page in pages
    )


def _box(place: Place, span: Span, *, page: Page) -> Box | None:
    """The part of a printed line that a span lights; all of a line that is printed upright."""
    start, end = max(span.start, place.start), min(span.end, place.end)
    if start >= end:
        return None
    width, height = place.right - place.left, place.bottom - place.top
    left, right = place.left, place.right
    if width * page.width >= height * page.height:
        n_chars = place.end - place.start
        left += width * max(0, start - place.start - 1) / n_chars
        right = place.left + width * min(n_chars, end - place.start + 1) / n_chars
    return Box(
        round(left * page.width, 1),
        round(place.top * page.height, 1),
        round((right - left) * page.width, 1),
        round(height * page.height, 1),
    )


@dataclass(frozen=True, slots=True)
class CitationView:
    """A citation with the stored documents that it may mean; `show` lights its words."""

    name: str
    kind: str
    date: str | None
    subject: str | None
    ambiguous: bool
    show: str
    canonical: str | None
    found: tuple[Bearer, ...] = ()


def cited_in(analysis: Json) -> tuple[Cited, ...]:
    """What is looked for in the store: the numbers that are cited, by their day where it is told."""
    return tuple(
        _cited(citation) for citation in analysis.get("citations", ()) if citation["canonical"]
    )


def _cited(citation: Json) -> Cited:
    return Cited(citation["canonical"], as_date(citation["date"]))


def citation_views(
    analysis: Json, found: Mapping[Cited, tuple[Bearer, ...]]
) -> tuple[CitationView, ...]:
    """The citations in the order of the text."""
    return tuple(
        CitationView(
            name=own["canonical"] or " ".join(filter(None, (own["kind"], own["number"]))),
            kind=own["kind"],
            date=own["date"],
            subject=own["subject"],
            ambiguous=own["ambiguous"],
            show=f"{own['start']}-{own['end']}",
            canonical=own["canonical"],
            found=found.get(_cited(own), ()) if own["canonical"] else (),
        )
        for own in analysis.get("citations", ())
    )

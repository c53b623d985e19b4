"""The values every stage passes on: frozen dataclasses over one immutable NFC text.

Offsets are half-open `[start, end)` and count code points of `Document.text`.
The `Analysis` family mirrors the JSON contract (`service/README.md`) field for field:
`dataclasses.asdict` is the wire form.
"""

from dataclasses import dataclass
from typing import Literal

KindAsked = Literal["auto", "official", "opinion"]
TextKind = Literal["official", "opinion", "unknown"]
Tone = Literal["achievement", "limitation", "cause", "directive", "other"]
Sentiment = Literal["negative", "neutral", "positive"]
Intent = Literal["complaint", "suggestion", "question", "praise", "other"]
Decision = Literal["labelled", "none_of_these", "abstain", "not_applicable"]
BlockKind = Literal["paragraph", "heading", "list_item", "cell"]
Role = Literal["letterhead", "heading", "basis", "body", "closing", "recipients", "signature"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open stretch `[start, end)` of code points."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of the text that the file itself sets apart: a paragraph, a table cell, a heading.

    `page` counts from 1; None where the format has no pages. A cell knows its table (counted from 0 in the
    document), row and column, where the format tells them; several blocks may stand in one cell.
    """

    start: int
    end: int
    kind: BlockKind = "paragraph"
    page: int | None = None
    table: int | None = None
    row: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stretch of the text is printed: its page from 1, and the box of its line.

    `left`, `top`, `right` and `bottom` are shares of the page's width and height, from its top-left corner.
    """

    start: int
    end: int
    page: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Document:
    """What a reader makes of a file.

    `text` is Unicode NFC and never changes. `blocks` are in reading order, do not overlap, and are
    separated in `text` by white space only. `issues` names what is wrong with the text
    (`no_diacritics`, `legacy_encoding`, `ocr`, ...). `places` are the printed lines of formats with pages,
    in the order of the text, so that evidence can be shown on the page.
    """

    text: str
    blocks: tuple[Block, ...]
    media_type: str = "text/plain"
    issues: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A metadata value with the span that proves it.

    `start` and `end` are None when the value is inferred from several places.
    `value` is a tuple only for recipients, one string a line.
    """

    value: str | tuple[str, ...]
    start: int | None
    end: int | None
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class Metadata:
    """The parts of the official form; None is what the text lacks.

    Source: Decree 30/2020/NĐ-CP, art. 8 and annex I; Guideline 36-HD/VPTW (2018) for Party documents.
    """

    kind: Field | None = None
    number: Field | None = None
    symbol: Field | None = None
    canonical: Field | None = None
    date: Field | None = None
    place: Field | None = None
    issuer: Field | None = None
    subject: Field | None = None
    signer: Field | None = None
    signer_title: Field | None = None
    recipients: Field | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A mention of another document; `ambiguous` when the mention fits more than one.

    `date` is ISO 8601 (YYYY-MM-DD).
    """

    canonical: str | None
    kind: str
    number: str | None
    date: str | None
    subject: str | None
    start: int
    end: int
    ambiguous: bool


@dataclass(frozen=True, slots=True)
class Duty:
    """Who must do what, by when or how often, reporting to whom.

    `deadline` is ISO 8601, `recurrence` words of the text such as "trước ngày 25 hằng tháng"; None when the
    text has none.
    """

    task_number: str | None
    actors: tuple[str, ...]
    text_start: int
    text_end: int
    deadline: str | None
    recurrence: str | None
    report_to: str | None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A stretch of an official document with its place in the form.

    A paragraph cut by a page break is one Paragraph over both blocks. `heading` is the nearest heading
    above it; `task_number` the numbered task it belongs to ("3", "II.2.a").
    """

    start: int
    end: int
    role: Role
    heading: Span | None = None
    task_number: str | None = None


@dataclass(frozen=True, slots=True)
class Structure:
    """The official form of a document."""

    metadata: Metadata
    paragraphs: tuple[Paragraph, ...]
    citations: tuple[Citation, ...]
    duties: tuple[Duty, ...]


@dataclass(frozen=True, slots=True)
class Guess:
    """The best single answer whatever the decision; `probability` is calibrated, in [0, 1]."""

    code: str
    probability: float


@dataclass(frozen=True, slots=True)
class AssignedLabel:
    """One asserted category with its proof."""

    code: str
    probability: float
    evidence: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class CategoryResult:
    """The answer of a facet with many categories (task_area, civic_field)."""

    decision: Decision
    primary: str | None = None
    guess: Guess | None = None
    labels: tuple[AssignedLabel, ...] = ()


@dataclass(frozen=True, slots=True)
class SentimentResult:
    """Sentiment of an opinion toward the thing spoken of."""

    decision: Decision
    label: Sentiment | None = None
    guess: Guess | None = None
    mixed: bool = False
    evidence: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class IntentResult:
    """Primary intent of an opinion."""

    decision: Decision
    label: Intent | None = None
    guess: Guess | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A paragraph of an official document or a sentence of an opinion, with its labels."""

    start: int
    end: int
    task_area: tuple[str, ...] = ()
    tone: Tone | None = None
    sentiment: Sentiment | None = None


@dataclass(frozen=True, slots=True)
class TextQuality:
    """Whether the text can be relied on, and what is wrong with it."""

    readable: bool
    issues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HintEvidence:
    """The words that speak for a channel and for an urgency; empty for what holds by default."""

    channel: tuple[Span, ...] = ()
    urgency: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Hints:
    """Triage hints by rules, never a finding about a person (opinions only)."""

    channel: str
    urgency: str
    missing: tuple[str, ...] = ()
    evidence: HintEvidence = HintEvidence()


@dataclass(frozen=True, slots=True)
class Provenance:
    """What made an analysis: the same text under the same provenance gives the same bytes."""

    model: str
    model_version: str
    model_sha256: str
    taxonomy: str
    taxonomy_version: str
    code_version: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """The whole answer for one text: the JSON contract in `service/README.md`."""

    id: str
    kind: TextKind
    text_quality: TextQuality
    task_area: CategoryResult
    civic_field: CategoryResult
    sentiment: SentimentResult
    intent: IntentResult
    segments: tuple[Segment, ...]
    metadata: Metadata | None
    citations: tuple[Citation, ...]
    duties: tuple[Duty, ...]
    hints: Hints | None
    provenance: Provenance

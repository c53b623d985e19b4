"""From an Analysis to the rows that keep it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Literal, get_args

import orjson

from nlp.types import Analysis, Decision, Document, TextKind
from service.store.tables import FACETS

Intake = Literal["document", "opinion"]
HEADLINE = ("kind", "canonical", "date", "issuer", "subject")
NUMBER_CHARS = 200  # of the number of a document by which it is found
UNSURE = "unsure"
_UNSURE_BELOW = 0.6  # probability of an asserted label that was a close call
_DECISIONS = get_args(Decision)
_INDEXED_DECISIONS = ("abstain", "none_of_these")
Row = dict[str, Any]  # a table's row: the columns have different types
Parents = Mapping[str, Mapping[str, str]]  # of each facet: code to the code above it


@dataclass(frozen=True, slots=True)
class Traits:
    """What rules find in a citizen's text without a model; the row of `traits` says what each means.

    `buckets` are empty where a text is too short to be told from others.
    `mentions`: kind and code of each place and body, and how many candidates its name has.
    """

    channel: str
    urgency: str
    n_syllables: int
    plain_share: float
    unknown_share: float
    buckets: tuple[int, ...] = ()
    mentions: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class NewItem:
    """A text on its way into the store; an opinion's `doc` is masked already and it has `traits`."""

    id: str
    intake: Intake
    kind: TextKind
    doc: Document
    source: str
    external_id: str
    received_at: datetime
    file_name: str | None = None
    posted_at: datetime | None = None
    traits: Traits | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run, or a person, says of one facet of an item; `codes` has the primary label first."""

    decision: Decision
    codes: tuple[str, ...] = ()
    guess: str | None = None
    probability: float | None = None

    @property
    def label(self) -> str:
        """The primary label, or the decision where nothing is asserted."""
        return self.codes[0] if self.codes else self.decision


def text_hash(text: str) -> str:
    """SHA-256 of the UTF-8 bytes, in hexadecimal."""
    return sha256(text.encode()).hexdigest()


def item_row(item: NewItem) -> Row:
    """The row of `items`."""
    return {
        "id": item.id,
        "intake": item.intake,
        "kind": item.kind,
        "text": item.doc.text,
        "text_sha256": text_hash(item.doc.text),
        "file_name": item.file_name,
        "media_type": item.doc.media_type,
        "blocks": [asdict(block) for block in item.doc.blocks],
        "issues": list(item.doc.issues),
        "places": [asdict(place) for place in item.doc.places],
        "source": item.source,
        "external_id": item.external_id,
        "received_at": item.received_at,
        "posted_at": item.posted_at,
        "run_id": None,
    }


def analysis_row(analysis: Analysis, *, seq: int, run_id: int) -> Row:
    """The row of `analyses`: the whole answer, and what lists show of it."""
    metadata = analysis.metadata
    fields = {name: getattr(metadata, name, None) for name in HEADLINE}
    headline = {name: field.value if field else None for name, field in fields.items()}
    return {
        "run_id": run_id,
        "seq": seq,
        "analysis": orjson.dumps(analysis).decode(),
        "headline": headline,
        "dated": as_date(headline["date"]),
        "canonical": headline["canonical"] and str(headline["canonical"])[:NUMBER_CHARS],
    }


def as_date(value: object) -> date | None:
    """The day that a text tells in ISO 8601; None where it has no whole one."""
    try:
        return date.fromisoformat(str(value or ""))
    except ValueError:  # the text has no full date
        return None


def answers_of(analysis: Analysis) -> dict[str, Answer]:
    """The answer to each facet."""
    found = {}
    for facet in FACETS:
        verdict = getattr(analysis, facet)
        codes: tuple[str, ...]
        if facet in ("task_area", "civic_field"):
            primary = (verdict.primary,) if verdict.primary else ()
            others = (label.code for label in verdict.labels if label.code != verdict.primary)
            codes = (*primary, *others)
        else:
            codes = (verdict.label,) if verdict.label else ()
        guess = verdict.guess
        found[facet] = Answer(
            verdict.decision,
            codes,
            guess.code if guess else None,
            guess.probability if guess else None,
        )
    return found


def answer_row(answers: Mapping[str, Answer], *, seq: int, run_id: int) -> Row:
    """The row of `answers`; a facet that is not answered stays null."""
    row: Row = {"run_id": run_id, "seq": seq}
    for facet in FACETS:
        answer = answers.get(facet)
        row[f"{facet}_label"] = answer.label if answer else None
        row[f"{facet}_codes"] = " ".join(answer.codes) if answer else None
        row[f"{facet}_guess"] = answer.guess if answer else None
        row[f"{facet}_probability"] = answer.probability if answer else None
    return row


def read_answer(row: Mapping[str, Any], facet: str) -> Answer | None:
    """What a row of `answers` says of a facet; None when it does not answer it."""
    label = row[f"{facet}_label"]
    if label is None:
        return None
    codes = tuple(row[f"{facet}_codes"].split())
    decision: Decision = "labelled" if codes else label
    return Answer(decision, codes, row[f"{facet}_guess"], row[f"{facet}_probability"])


def index_rows(
    answers: Mapping[str, Answer], *, seq: int, run_id: int, parents: Parents
) -> Iterator[Row]:
    """The rows of `label_index`: by what the item is found."""
    for facet, answer in answers.items():
        for code in _found_by(answer, above=parents.get(facet, {})):
            yield {"facet": facet, "code": code, "seq": seq, "run_id": run_id}


def _found_by(answer: Answer, *, above: Mapping[str, str]) -> set[str]:
    codes = {*answer.codes, *(above[code] for code in answer.codes if code in above)}
    if answer.decision in _INDEXED_DECISIONS:
        codes.add(answer.decision)
    if answer.codes and answer.probability is not None and answer.probability < _UNSURE_BELOW:
        codes.add(UNSURE)
    return codes


def labels_of(answer: Mapping[str, Any]) -> list[Row]:
    """The asserted labels of a facet's answer as JSON values; one with a single answer has no list."""
    if "labels" in answer:
        return list(answer["labels"])
    if answer["label"] is None:
        return []
    probability = answer["guess"]["probability"] if answer["guess"] else None
    evidence = answer.get("evidence", ())
    return [{"code": answer["label"], "probability": probability, "evidence": evidence}]

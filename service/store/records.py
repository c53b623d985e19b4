"""From an Analysis to the rows that keep it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Literal

import orjson

from nlp.types import Analysis, Document, TextKind

Intake = Literal["document", "opinion"]
HEADLINE = ("kind", "canonical", "date", "issuer", "subject")
FACETS = ("task_area", "civic_field", "sentiment", "intent")
Row = dict[str, Any]  # a table's row: the columns have different types


@dataclass(frozen=True, slots=True)
class NewItem:
    """A text on its way into the store; an opinion's `doc` is masked already."""

    id: str
    intake: Intake
    kind: TextKind
    doc: Document
    source: str
    external_id: str
    received_at: datetime
    file_name: str | None = None
    posted_at: datetime | None = None


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
    }


def to_json(analysis: Analysis) -> Row:
    """The Analysis as JSON values: the contract of service/README.md."""
    values: Row = orjson.loads(orjson.dumps(analysis))
    return values


def analysis_row(answer: Row, *, run_id: int) -> Row:
    """The row of `analyses`: the whole answer of `to_json`, and what lists show of it."""
    metadata = answer["metadata"] or {}
    headline = {name: (metadata.get(name) or {}).get("value") for name in HEADLINE}
    return {
        "item_id": answer["id"],
        "run_id": run_id,
        "analysis": answer,
        "headline": headline,
        "dated": _as_date(headline["date"]),
    }


def _as_date(value: str | None) -> date | None:
    try:
        return date.fromisoformat(value or "")
    except ValueError:  # the text has no full date
        return None


def label_rows(answer: Row, *, run_id: int) -> Iterator[Row]:
    """The rows of `label_sets`: one for each facet that was asked of this kind of text."""
    for facet in FACETS:
        verdict = answer[facet]
        if verdict["decision"] == "not_applicable":
            continue
        guess = verdict["guess"] or {"code": None, "probability": None}
        yield {
            "item_id": answer["id"],
            "facet": facet,
            "run_id": run_id,
            "decision": verdict["decision"],
            "primary_code": verdict.get("primary", verdict.get("label")),
            "guess_code": guess["code"],
            "guess_probability": guess["probability"],
            "labels": labels_of(verdict),
        }


def labels_of(answer: Mapping[str, Any]) -> list[Row]:
    """The asserted labels of a facet's answer as JSON values; one with a single answer has no list."""
    if "labels" in answer:
        return list(answer["labels"])
    if answer["label"] is None:
        return []
    probability = answer["guess"]["probability"] if answer["guess"] else None
    evidence = answer.get("evidence", ())
    return [{"code": answer["label"], "probability": probability, "evidence": evidence}]

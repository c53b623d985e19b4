"""Citizens' texts on their way in: masked, read by the rules at the door, then kept, or kept apart sealed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Literal

from nlp.errors import InvalidRecord
from nlp.pipeline import Request
from nlp.privacy import mask
from nlp.readers import from_text
from nlp.text import to_nfc
from nlp.types import Analysis, Document
from service.actions import (
    Desk,
    analyze_each,
    keep,
    keep_apart,
    masked,
    new_id,
    open_item,
    why_apart,
)
from service.limits import Limits
from service.monitor.traits import Rules, is_denunciation, read_traits
from service.store import restricted
from service.store.errors import KeptApart
from service.store.intake import Key, Known, find
from service.store.records import NewItem, Traits, text_hash
from service.store.views import Stored, list_sources


@dataclass(frozen=True, slots=True)
class Opinion:
    """A citizen's text as it was sent, not masked yet; `external_id` is its name at the source."""

    source: str
    external_id: str
    text: str
    posted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one opinion; `reason` says why it was not taken, or that it was kept apart."""

    status: Literal["accepted", "duplicate", "error"]
    id: str | None = None
    reason: str | None = None


def store_opinions(
    desk: Desk, opinions: Sequence[Opinion], *, later: bool = False
) -> tuple[Outcome, ...]:
    """Analyse and keep opinions, each for itself: a bad one does not keep a good one out.

    An opinion whose (source, external_id) is known is a duplicate when its text is the same, and an
    error when it is another. With `later` they are kept masked and wait to be read by a worker.
    """
    sources = {source.name for source in list_sources(desk.engine)}
    rows = iter(opinions)
    outcomes: list[Outcome] = []
    while some := list(islice(rows, desk.limits.max_batch)):
        outcomes += _store_some(desk, some, sources=sources, later=later)
    return tuple(outcomes)


def store_pasted(desk: Desk, text: str) -> Stored:
    """Keep an opinion that somebody pasted into the page; the same text again is the same item.

    Raises:
        InvalidRecord: the text is empty or too long.
        KeptApart: it reads like a denunciation.
    """
    covered = mask(to_nfc(text))
    opinion = Opinion("web_upload", f"sha256:{text_hash(covered)}", covered)
    [outcome] = store_opinions(desk, [opinion])
    if outcome.id is None:
        raise InvalidRecord(outcome.reason)
    if outcome.reason is not None:
        raise KeptApart(outcome.reason)
    return open_item(desk, outcome.id)


@dataclass(frozen=True, slots=True)
class _Row:
    """A text with the id it gets if it is the first under its key; with a fault it has no traits."""

    id: str
    key: Key
    doc: Document
    traits: Traits | None = None
    posted_at: datetime | None = None
    fault: str | None = None


def _store_some(
    desk: Desk, opinions: Sequence[Opinion], *, sources: set[str], later: bool
) -> list[Outcome]:
    moment = desk.now()
    rows = [
        _row(opinion, item_id=new_id(moment), sources=sources, limits=desk.limits)
        for opinion in opinions
    ]
    rows = _with_traits(rows, rules=desk.rules)
    good = [row for row in rows if row.fault is None]
    keys = {row.key for row in good}
    with desk.engine.connect() as connection:
        standing, apart = find(connection, keys), restricted.find(connection, keys)
    first = _first_of_each(row for row in good if row.key not in standing.keys() | apart.keys())
    accusing = [row for row in first if _is_denunciation(row)]
    apart |= keep_apart(
        desk, {row.key: (row.id, row.doc.text) for row in accusing}, received_at=moment
    )
    fresh = [row for row in first if not _is_denunciation(row)]
    entries: list[tuple[NewItem, Analysis | None]]
    if later:
        entries = [(_opinion_item(row, received_at=moment), None) for row in fresh]
    else:
        requests = [Request(row.id, row.doc, "opinion") for row in fresh]
        analyses = analyze_each(desk.pipeline, requests)
        entries = [
            (_opinion_item(row, received_at=moment), analyses[row.id])
            for row in fresh
            if row.id in analyses
        ]
    if entries:
        standing |= keep(desk, entries)
    return [_outcome(row, standing=standing.get(row.key), apart=apart.get(row.key)) for row in rows]


def _with_traits(rows: Sequence[_Row], *, rules: Rules) -> list[_Row]:
    good = [row for row in rows if row.fault is None]
    found = iter(read_traits([row.doc.text for row in good], rules=rules))
    return [row if row.fault else replace(row, traits=next(found)) for row in rows]


def _is_denunciation(row: _Row) -> bool:
    return row.traits is not None and is_denunciation(row.traits)


def _first_of_each(rows: Iterable[_Row]) -> tuple[_Row, ...]:
    """Of rows under one key the first, in the order in which they came."""
    first: dict[Key, _Row] = {}
    for row in rows:
        first.setdefault(row.key, row)
    return tuple(first.values())


def _row(opinion: Opinion, *, item_id: str, sources: set[str], limits: Limits) -> _Row:
    doc = masked(from_text(opinion.text))
    fault = None
    if opinion.source not in sources:
        fault = "the source is not registered; register it at /v1/sources"
    elif not doc.text.strip():
        fault = "the text is empty"
    elif len(doc.text) > limits.max_opinion_chars:
        fault = (
            f"the text has {len(doc.text)} characters; at most {limits.max_opinion_chars} are read"
        )
    key = (opinion.source, _impersonal(opinion.external_id))
    return _Row(item_id, key, doc, posted_at=opinion.posted_at, fault=fault)


def _impersonal(external_id: str) -> str:
    """The name of an opinion at its source; one that tells a person (a telephone number) as its hash."""
    if mask(external_id) == external_id:
        return external_id
    return f"sha256:{sha256(external_id.encode()).hexdigest()}"


def _outcome(row: _Row, *, standing: Known | None, apart: str | None) -> Outcome:
    if row.fault is not None:
        return Outcome("error", reason=row.fault)
    if apart is not None and row.traits is not None:
        return Outcome("accepted" if apart == row.id else "duplicate", apart, why_apart(row.traits))
    if standing is None:
        return Outcome("error", reason="the text could not be analysed; this fault has been logged")
    if standing.id == row.id:
        return Outcome("accepted", standing.id)
    if standing.text_sha256 == text_hash(row.doc.text):
        return Outcome("duplicate", standing.id)
    return Outcome("error", standing.id, "another text is stored under this source and external_id")


def _opinion_item(row: _Row, *, received_at: datetime) -> NewItem:
    return NewItem(
        id=row.id,
        intake="opinion",
        kind="opinion",
        doc=row.doc,
        source=row.key[0],
        external_id=row.key[1],
        received_at=received_at,
        posted_at=row.posted_at,
        traits=row.traits,
    )

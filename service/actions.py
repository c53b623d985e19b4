"""The use cases, whoever asks: the API, the web pages or the command line.

Opinions are masked here, before they are analysed: what follows never sees personal data.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from threading import BoundedSemaphore
from typing import Literal

import sqlalchemy as sa
import structlog

from models.registry import ModelInfo
from nlp.errors import InvalidRecord, TooLarge
from nlp.pipeline import Pipeline, Request
from nlp.privacy import mask, withhold
from nlp.readers import from_text
from nlp.readers.child import Limits as ReadLimits
from nlp.readers.child import read_in_child
from nlp.taxonomy import Taxonomy
from nlp.text import to_nfc
from nlp.types import Analysis, Document
from service.sealing import Sealer
from service.store.errors import NotFound, UnknownSource
from service.store.intake import Key, Known, add, find
from service.store.records import NewItem, text_hash
from service.store.views import Stored, list_sources, read_item

KindAsked = Literal["auto", "official", "opinion"]
_ID = re.compile("[0-9a-f]{32}")
_NAME_CHARS = 200
_READERS = 4  # files read at a time within requests; more are left to workers
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one caller may ask for at once."""

    max_upload_bytes: int = 25 * 1024 * 1024
    max_document_chars: int = 2_000_000
    max_opinion_chars: int = 200_000
    max_batch: int = 256
    upload_wait_s: float = 5.0
    reading: ReadLimits = field(default_factory=ReadLimits)


@dataclass(frozen=True, slots=True)
class Desk:
    """What every use case needs; `run_id` is the run that new items join.

    `taxonomies` and `models` look at what lies on the disk now.
    """

    pipeline: Pipeline
    engine: sa.Engine
    run_id: int
    limits: Limits = field(default_factory=Limits)
    taxonomies: Callable[[], tuple[Taxonomy, ...]] = tuple
    models: Callable[[], tuple[ModelInfo, ...]] = tuple
    sealer: Sealer = field(default_factory=lambda: Sealer(Path("data/spool.key")))
    readers: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(_READERS))
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was sent; only the ending of `name` is read."""

    data: bytes
    name: str
    kind: KindAsked = "auto"
    source: str = "web_upload"


@dataclass(frozen=True, slots=True)
class Opinion:
    """A citizen's text as it was sent, not masked yet; `external_id` is its name at the source."""

    source: str
    external_id: str
    text: str
    posted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one opinion; `reason` says why it was not taken."""

    status: Literal["accepted", "duplicate", "error"]
    id: str | None = None
    reason: str | None = None


def analyze_texts(desk: Desk, requests: Sequence[Request]) -> tuple[Analysis, ...]:
    """Analyse without storing anything.

    Raises:
        TooLarge: a text is longer than its kind may be.
    """
    for request in requests:
        _check_length(request.doc, kind=request.kind, limits=desk.limits)
    return tuple(analysis for _, analysis in _analyze_masked(desk.pipeline, requests))


def check_upload(desk: Desk, upload: Upload) -> None:
    """Refuse what will not be read.

    Raises:
        TooLarge: the file is too large.
        UnknownSource: its source is not registered.
    """
    if len(upload.data) > desk.limits.max_upload_bytes:
        raise TooLarge(
            f"the file has {len(upload.data)} bytes; at most {desk.limits.max_upload_bytes} are read"
        )
    _check_source(desk, upload.source)


def find_upload(desk: Desk, upload: Upload) -> str | None:
    """The item of the same file that was handed in before, by its id, or None."""
    key = _upload_key(upload)
    with desk.engine.connect() as connection:
        known = find(connection, [key])
    return known[key].id if key in known else None


def _upload_key(upload: Upload) -> Key:
    return (upload.source, f"sha256:{sha256(upload.data).hexdigest()}:{upload.kind}")


def store_document(desk: Desk, upload: Upload) -> tuple[Stored, bool]:
    """Read, analyse and keep a file; False when the same file had been handed in before.

    Raises:
        InputError: the file cannot be read, is too large, or its source is not registered.
    """
    check_upload(desk, upload)
    known = find_upload(desk, upload)
    if known is not None:
        return open_item(desk, known), False
    doc = read_in_child(upload.data, name=upload.name, limits=desk.limits.reading)
    return keep_document(desk, upload, doc=doc)


def keep_document(desk: Desk, upload: Upload, *, doc: Document) -> tuple[Stored, bool]:
    """Analyse and keep a file that was read; False when the same file had been handed in meanwhile.

    Raises:
        TooLarge: its text is longer than its kind may be.
    """
    _check_length(doc, kind=upload.kind, limits=desk.limits)
    moment = desk.now()
    request = Request(new_id(moment), doc, upload.kind)
    [(doc, analysis)] = _analyze_masked(desk.pipeline, [request])
    source, external_id = key = _upload_key(upload)
    item = NewItem(
        id=request.id,
        intake="document",
        kind=analysis.kind,
        doc=doc,
        source=source,
        external_id=external_id,
        received_at=moment,
        # people name the file of a petition after its author
        file_name=_clean_name(upload.name) if analysis.kind == "official" else None,
    )
    standing = _keep(desk, [(item, analysis)])[key]
    return open_item(desk, standing.id), standing.id == item.id


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
    """
    masked = mask(to_nfc(text))
    opinion = Opinion("web_upload", f"sha256:{text_hash(masked)}", masked)
    [outcome] = store_opinions(desk, [opinion])
    if outcome.id is None:
        raise InvalidRecord(outcome.reason)
    return open_item(desk, outcome.id)


def open_item(desk: Desk, item_id: str, *, corrected: bool = True) -> Stored:
    """One stored item; if not `corrected`, as models alone have it.

    Raises:
        NotFound: no item has this id.
    """
    is_id = _ID.fullmatch(item_id)
    stored = read_item(desk.engine, item_id, corrected=corrected) if is_id else None
    if stored is None:
        raise NotFound("no item has this id; it may have been deleted")
    return stored


@dataclass(frozen=True, slots=True)
class _Row:
    """An opinion of one batch with the id it gets if it is the first under its key."""

    id: str
    key: Key
    doc: Document
    posted_at: datetime | None
    fault: str | None


def _store_some(
    desk: Desk, opinions: Sequence[Opinion], *, sources: set[str], later: bool
) -> list[Outcome]:
    moment = desk.now()
    rows = [
        _row(opinion, item_id=new_id(moment), sources=sources, limits=desk.limits)
        for opinion in opinions
    ]
    good = [row for row in rows if row.fault is None]
    with desk.engine.connect() as connection:
        standing = find(connection, {row.key for row in good})
    fresh = _first_of_each(row for row in good if row.key not in standing)
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
        standing |= _keep(desk, entries)
    return [_outcome(row, standing=standing.get(row.key)) for row in rows]


def _first_of_each(rows: Iterable[_Row]) -> tuple[_Row, ...]:
    """Of rows under one key the first, in the order in which they came."""
    first: dict[Key, _Row] = {}
    for row in rows:
        first.setdefault(row.key, row)
    return tuple(first.values())


def _row(opinion: Opinion, *, item_id: str, sources: set[str], limits: Limits) -> _Row:
    doc = _masked(from_text(opinion.text))
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
    return _Row(item_id, key, doc, opinion.posted_at, fault)


def _impersonal(external_id: str) -> str:
    """The name of an opinion at its source; one that tells a person (a telephone number) as its hash."""
    if mask(external_id) == external_id:
        return external_id
    return f"sha256:{sha256(external_id.encode()).hexdigest()}"


def _outcome(row: _Row, *, standing: Known | None) -> Outcome:
    if row.fault is not None:
        return Outcome("error", reason=row.fault)
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
    )


def _keep(desk: Desk, entries: Sequence[tuple[NewItem, Analysis | None]]) -> dict[Key, Known]:
    return add(desk.engine, entries, run_id=desk.run_id, parents=desk.pipeline.taxonomy.parents)


def analyze_each(pipeline: Pipeline, requests: Sequence[Request]) -> dict[str, Analysis]:
    """The analyses by id; a text that breaks the pipeline is left out, the others are not lost.

    Opinions must be masked already; a restricted category never shows for them.
    """
    if not requests:
        return {}
    try:
        return {analysis.id: analysis for analysis in _analyze(pipeline, requests)}
    except Exception as error:  # one text must not stop a monitoring feed for good
        if len(requests) == 1:
            _log.error("analysis_failed", id=requests[0].id, error=type(error).__name__)
            return {}
    half = len(requests) // 2
    return analyze_each(pipeline, requests[:half]) | analyze_each(pipeline, requests[half:])


def _analyze_masked(
    pipeline: Pipeline, requests: Sequence[Request]
) -> Iterator[tuple[Document, Analysis]]:
    """Analyse; what turns out not to be an official text is masked and then read once more."""
    asked = [
        replace(request, doc=_masked(request.doc)) if request.kind == "opinion" else request
        for request in requests
    ]
    for request, analysis in zip(asked, _analyze(pipeline, asked), strict=True):
        masked = request.doc if analysis.kind == "official" else _masked(request.doc)
        if masked == request.doc:
            yield request.doc, analysis
        else:
            kind: KindAsked = "opinion" if analysis.kind == "opinion" else "auto"
            [again] = _analyze(pipeline, [replace(request, doc=masked, kind=kind)])
            yield masked, again


def _analyze(pipeline: Pipeline, requests: Sequence[Request]) -> list[Analysis]:
    """The analyses in order; a citizen's text never shows a restricted category."""
    categories = pipeline.taxonomy.facets["task_area"].categories
    codes = {category.code for category in categories if category.restricted}
    return [
        analysis if analysis.kind == "official" else withhold(analysis, codes=codes)
        for analysis in pipeline.analyze_all(requests)
    ]


def _masked(doc: Document) -> Document:
    return replace(doc, text=mask(doc.text))


def _check_source(desk: Desk, name: str) -> None:
    if name not in {source.name for source in list_sources(desk.engine)}:
        raise UnknownSource("the source is not registered; register it at /v1/sources")


def _check_length(doc: Document, *, kind: KindAsked, limits: Limits) -> None:
    limit = limits.max_opinion_chars if kind == "opinion" else limits.max_document_chars
    if len(doc.text) > limit:
        raise TooLarge(f"the text has {len(doc.text)} characters; at most {limit} are read")


def _clean_name(name: str) -> str:
    """A file name without folders, control characters and excess."""
    return " ".join(to_nfc(name).replace("\\", "/").rpartition("/")[2].split())[-_NAME_CHARS:]


def new_id(moment: datetime) -> str:
    """32 hexadecimal digits that begin with the moment, so that ids sort by receipt."""
    return f"{int(moment.timestamp() * 1000):012x}{secrets.token_hex(10)}"

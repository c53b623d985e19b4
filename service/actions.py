"""The use cases, whoever asks: the API, the web pages or the command line.

Opinions are masked here, before they are analysed, and official documents where they tell of private
persons: what follows never sees their data. What reads like a denunciation is sealed here and goes no
further.
"""

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import BoundedSemaphore

import sqlalchemy as sa
import structlog

from models.registry import ModelInfo
from nlp.errors import TooLarge
from nlp.pipeline import Pipeline, Request
from nlp.privacy import mask, mask_parties, withhold
from nlp.readers.child import read_in_child
from nlp.readers.pages import has_pages
from nlp.taxonomy import Taxonomy
from nlp.text import to_nfc
from nlp.types import Analysis, Document, KindAsked
from service.drawing import draw_and_keep
from service.limits import Limits
from service.monitor.traits import Rules, is_denunciation, read_traits
from service.sealing import Sealer
from service.store import restricted
from service.store.access import Entry, add_entries
from service.store.dialect import writing
from service.store.errors import KeptApart, NotFound, UnknownSource
from service.store.intake import Key, Known, Source, add, find, register_source
from service.store.records import NewItem, Traits
from service.store.views import Stored, list_sources, read_item

_ID = re.compile("[0-9a-f]{32}")
_NAME_CHARS = 200
KEPT_APART = (
    "the text reads like a denunciation: it is kept sealed, counted and handed over, and neither listed nor"
    " analysed"
)
_URGENT = "; it tells of danger to life, so pass it on yourself at once"
_READERS = 4  # files read at a time within requests; more are left to workers
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Desk:
    """What every use case needs; `run_id` is the run that new items join, `rules` read what comes in.

    `taxonomies` and `models` look at what lies on the disk now.
    """

    pipeline: Pipeline
    engine: sa.Engine
    run_id: int
    rules: Rules
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


def add_source(desk: Desk, source: Source, *, made_by: str) -> bool:
    """Register where texts come from, and log who did. Raises as `store.intake.register_source`."""
    entry = Entry(desk.now(), made_by, "source.made", source.name)
    return register_source(
        desk.engine, source, then=lambda connection: add_entries(connection, [entry])
    )


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
        KeptApart: it reads like a denunciation.
    """
    _check_length(doc, kind=upload.kind, limits=desk.limits)
    moment = desk.now()
    request = Request(new_id(moment), doc, upload.kind)
    source, external_id = key = _upload_key(upload)
    traits = None
    if upload.kind == "opinion":
        traits = _traits_of(desk, masked(doc).text, key=key, moment=moment)
    [(doc, analysis)] = _analyze_masked(desk.pipeline, [request])
    is_public = analysis.kind == "official" and doc == request.doc  # nobody had to be covered
    if traits is None and analysis.kind != "official":
        traits = _traits_of(desk, doc.text, key=key, moment=moment)
    item = NewItem(
        id=request.id,
        intake="document",
        kind=analysis.kind,
        doc=doc,
        source=source,
        external_id=external_id,
        received_at=moment,
        # people name the file of a petition after its author
        file_name=_clean_name(upload.name) if is_public else None,
        traits=traits if analysis.kind == "opinion" else None,
    )
    standing = keep(desk, [(item, analysis)])[key]
    is_new = standing.id == item.id
    # what shows in a picture cannot be masked
    if is_new and is_public and has_pages(doc.media_type):
        with desk.readers:
            draw_and_keep(
                desk.engine,
                standing.seq,
                data=upload.data,
                name=upload.name,
                limits=desk.limits.reading,
            )
    return open_item(desk, standing.id), is_new


def _traits_of(desk: Desk, text: str, *, key: Key, moment: datetime) -> Traits:
    """What the rules find in the masked text of a file; a denunciation goes no further."""
    [traits] = read_traits([text], rules=desk.rules)
    if is_denunciation(traits):
        keep_apart(desk, {key: (new_id(moment), text)}, received_at=moment)
        raise KeptApart(why_apart(traits))
    return traits


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


def why_apart(traits: Traits) -> str:
    """What is said to whoever hands in a text that reads like a denunciation."""
    return KEPT_APART + _URGENT if traits.urgency == "life_safety" else KEPT_APART


def keep_apart(
    desk: Desk, texts: Mapping[Key, tuple[str, str]], *, received_at: datetime
) -> dict[Key, str]:
    """Seal masked texts that read like denunciations, given with their ids; the id that now has each key."""
    if not texts:
        return {}
    with writing(desk.engine) as connection:
        return {
            key: seal_apart(
                connection, key, id=item_id, text=text, sealer=desk.sealer, received_at=received_at
            )
            for key, (item_id, text) in texts.items()
        }


def seal_apart(
    connection: sa.Connection,
    key: Key,
    *,
    id: str,
    text: str,
    sealer: Sealer,
    received_at: datetime,
) -> str:
    """Seal one masked text that reads like a denunciation; the id that now stands under its key."""
    source, external_id = key
    return restricted.put(
        connection,
        id=id,
        source=source,
        external_id=external_id,
        sealed=sealer.seal(text.encode()),
        received_at=received_at,
    )


def keep(desk: Desk, entries: Sequence[tuple[NewItem, Analysis | None]]) -> dict[Key, Known]:
    """Store items with their analyses, those without wait; what now stands under each key."""
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
    """Analyse; what turns out to tell of private persons is masked and then read once more."""
    asked = [
        replace(request, doc=masked(request.doc)) if request.kind == "opinion" else request
        for request in requests
    ]
    for request, analysis in zip(asked, _analyze(pipeline, asked), strict=True):
        is_official = analysis.kind == "official"
        own = _without_parties(request.doc) if is_official else masked(request.doc)
        if own == request.doc:
            yield request.doc, analysis
        else:
            kind: KindAsked = "auto" if analysis.kind == "unknown" else analysis.kind
            [again] = _analyze(pipeline, [replace(request, doc=own, kind=kind)])
            yield own, again


def _analyze(pipeline: Pipeline, requests: Sequence[Request]) -> list[Analysis]:
    """The analyses in order; a citizen's text never shows a restricted category."""
    categories = pipeline.taxonomy.facets["task_area"].categories
    codes = {category.code for category in categories if category.restricted}
    return [
        analysis if analysis.kind == "official" else withhold(analysis, codes=codes)
        for analysis in pipeline.analyze_all(requests)
    ]


def masked(doc: Document) -> Document:
    """The document with personal data covered."""
    return replace(doc, text=mask(doc.text))


def _without_parties(doc: Document) -> Document:
    """The official document with private persons covered."""
    return replace(doc, text=mask_parties(doc))


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

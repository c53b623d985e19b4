"""What people do about labels: put them right, take that back, and see what needs a look.

The rules of a correction stand here; `service.store.corrections` says what of it counts.
"""

from dataclasses import dataclass
from typing import get_args

import sqlalchemy as sa

from nlp.errors import InvalidRecord
from nlp.pipeline import MAX_AREAS, MAX_FIELDS
from nlp.taxonomy import OccursIn, Taxonomy
from service.actions import Desk, open_item
from service.store import tables
from service.store.corrections import Correction, Given, Pack, Packs, keep_correction, lay_on_top
from service.store.dialect import lock_stack, writing
from service.store.errors import Conflict, NotFound
from service.store.runs import packs_of, standing_taxonomy
from service.store.stack import read_answers, read_stack
from service.store.tables import FACETS
from service.store.views import Stored

FACETS_OF: dict[OccursIn, tuple[str, ...]] = {"opinion": FACETS, "official": ("task_area",)}
MAX_CODES = {"task_area": MAX_AREAS, "civic_field": MAX_FIELDS, "sentiment": 1, "intent": 1}
WITH_NONE = ("task_area", "civic_field")  # a text may have none of these categories


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody says of one facet of an item, the primary label first.

    `expected` are the labels that they saw, where they want to be told that others stand by now.
    """

    facet: str
    decision: Given
    codes: tuple[str, ...] = ()
    expected: tuple[str, ...] | None = None


def correct_item(desk: Desk, item_id: str, word: Word, *, made_by: str) -> Stored:
    """Keep what somebody says of an item; views read it from now on, whatever models say.

    Raises:
        NotFound: no item has this id.
        InvalidRecord: the facet or a code does not apply to this kind of text.
        Conflict: other labels stand than were expected, there is nothing to take back, the item waits to be
            read, or the taxonomy version that views read is not at hand.
    """
    packs = packs_at_hand(desk)
    found = open_item(desk, item_id)
    with writing(desk.engine) as connection:
        lock_stack(connection)
        item = _look_up(connection, found.seq)
        _check_seen(connection, item, word)
        pack = _standing_pack(connection, desk)
        if pack not in packs:
            raise Conflict(f"the taxonomy pack {' '.join(pack)} is not at hand; put it back")
        if word.decision != "withdrawn":
            _check_codes(word, kind=item.kind, taxonomy=packs[pack])
        now = desk.now()
        lay_on_top(connection, pack, packs=packs, made_by=made_by, now=now)
        correction = Correction(
            item.seq, word.facet, word.decision, word.codes, *pack, made_by=made_by, made_at=now
        )
        keep_correction(connection, correction, packs=packs)
    return open_item(desk, item_id)


def packs_at_hand(desk: Desk) -> Packs:
    """Every version of a taxonomy pack that lies on the disk, and the one that labels."""
    return packs_of((*desk.taxonomies(), desk.pipeline.taxonomy))


def standing_pack(desk: Desk) -> Taxonomy:
    """The taxonomy version that views read; that of the model where it is not at hand."""
    own = desk.pipeline.taxonomy
    with desk.engine.connect() as connection:
        pack = _standing_pack(connection, desk)
    return own if pack == (own.name, own.version) else packs_at_hand(desk).get(pack, own)


def _standing_pack(connection: sa.Connection, desk: Desk) -> Pack:
    own = desk.pipeline.taxonomy
    return standing_taxonomy(connection, fallback=(own.name, own.version))


@dataclass(frozen=True, slots=True)
class _Item:
    """An item, which nobody erases while the stack is held."""

    seq: int
    kind: OccursIn
    run_id: int


def _look_up(connection: sa.Connection, seq: int) -> _Item:
    items = tables.items.c
    query = sa.select(items.seq, items.kind, items.run_id).where(items.seq == seq)
    row = connection.execute(query).first()
    if row is None:
        raise NotFound("no item has this id; it may have been deleted")
    if row.kind not in get_args(OccursIn):
        raise InvalidRecord("the text is of no known kind; nothing can be said of it")
    if row.run_id is None:
        raise Conflict("the text waits to be read; say what is right once it has been")
    return _Item(*row)


def _check_seen(connection: sa.Connection, item: _Item, word: Word) -> None:
    """Refuse a facet that does not apply, and a word about labels that are no longer there."""
    if word.facet not in FACETS_OF[item.kind]:
        known = ", ".join(FACETS_OF[item.kind])
        raise InvalidRecord(f"facet: of a text of kind {item.kind} only {known} can be corrected")
    if word.expected is not None:
        stack = read_stack(connection)
        said = read_answers(connection, {item.seq: item.run_id}, stack=stack)[item.seq]
        seen = said[word.facet].answer.codes if word.facet in said else ()
        if seen != word.expected:
            raise Conflict("other labels stand by now; open the item again before you change them")


def _check_codes(word: Word, *, kind: OccursIn, taxonomy: Taxonomy) -> None:
    facet = taxonomy.facets[word.facet]
    if word.decision == "none_of_these" and word.facet not in WITH_NONE:
        raise InvalidRecord(f"decision: a text always has one of the categories of {word.facet}")
    if word.decision == "labelled" and not word.codes:
        raise InvalidRecord("codes: give one at least, or the decision none_of_these")
    if len(set(word.codes)) != len(word.codes) or len(word.codes) > MAX_CODES[word.facet]:
        raise InvalidRecord(f"codes: at most {MAX_CODES[word.facet]}, and none of them twice")
    if facet.reject_code in word.codes:
        raise InvalidRecord(f"codes: write the decision none_of_these for {facet.reject_code}")
    if not set(word.codes) <= set(facet.leaves(kind)):
        raise InvalidRecord(
            f"codes: not all can be given to a text of kind {kind} under {taxonomy.name}"
            f" {taxonomy.version}; /v1/taxonomies/{taxonomy.name} lists them"
        )

"""What people said: an append-only log, and on top of the stack a run that holds what of it counts.

Of an item and facet the newest correction counts that was not taken back, under the taxonomy version that
views read. One made under another version is carried over by the migrations of the pack; one that cannot be
is found in the index under `UNCARRIED` and goes to review.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, Literal

import sqlalchemy as sa

from nlp.taxonomy import Taxonomy, carry_codes, version_key
from service.store import tables
from service.store.dialect import insert_new
from service.store.errors import Conflict
from service.store.records import (
    Answer,
    Parents,
    Row,
    answer_row,
    index_rows,
    labels_of,
    read_answer,
)
from service.store.stack import HUMAN_RANK
from service.store.tables import FACETS

Given = Literal["labelled", "none_of_these", "withdrawn"]
Pack = tuple[str, str]  # name and version
Packs = Mapping[Pack, Taxonomy]
UNCARRIED = "uncarried"  # in the index: what a person said has no place in this version
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person said of one facet of an item; `withdrawn` takes the last word of this person back."""

    seq: int
    facet: str
    decision: Given
    codes: tuple[str, ...]
    taxonomy: str
    taxonomy_version: str
    made_by: str
    made_at: datetime


def keep_correction(connection: sa.Connection, correction: Correction, *, packs: Packs) -> None:
    """Keep what a person said and let views show what counts now.

    Part of a transaction that holds the stack (`lock_stack`), under which items are erased too. That the item
    may have these codes is not checked here.

    Raises:
        Conflict: there is nothing to take back.
    """
    before = standing_words(read_history(connection, correction.seq, facet=correction.facet))
    is_undo = correction.decision == "withdrawn"
    if is_undo and correction.made_by not in {word.made_by for word in before}:
        raise Conflict("there is no correction of yours to take back; say what is right instead")
    row = {name: getattr(correction, name) for name in Correction.__slots__}
    connection.execute(tables.corrections.insert(), row | {"codes": list(correction.codes)})
    pack = (correction.taxonomy, correction.taxonomy_version)
    layer = read_layer(connection) or _new_layer(
        connection, pack, made_by=correction.made_by, now=correction.made_at
    )
    words = standing_words([*before, correction])
    said = {word.facet: _answer(word, layer.pack, packs=packs) for word in words[-1:]}
    _say(connection, correction, said, layer=layer, parents=_parents(layer.pack, packs=packs))


def standing_words(log: Iterable[Correction]) -> tuple[Correction, ...]:
    """What is not taken back, oldest first: `withdrawn` takes back the last word of the same person.

    Args:
        log: what was said of one facet of one item, oldest first.
    """
    words: list[Correction] = []
    for said in log:
        if said.decision != "withdrawn":
            words.append(said)
            continue
        own = [place for place, word in enumerate(words) if word.made_by == said.made_by]
        if own:
            del words[own[-1]]
    return tuple(words)


def read_history(
    connection: sa.Connection, seq: int, *, facet: str | None = None
) -> tuple[Correction, ...]:
    """Everything people said of an item, or of one facet of it, oldest first."""
    log = tables.corrections
    query = sa.select(log).where(log.c.seq == seq).order_by(log.c.id)
    if facet is not None:
        query = query.where(log.c.facet == facet)
    return tuple(correction_of(row) for row in connection.execute(query).mappings())


def correction_of(row: Mapping[Any, Any]) -> Correction:
    """A row of the log as a value."""
    values = {name: row[name] for name in Correction.__slots__}
    return Correction(**values | {"codes": tuple(row["codes"])})


def latest(connection: sa.Connection) -> Iterator[tuple[Correction, ...]]:
    """The corrections that count, those of an item at a time, one a facet."""
    log = tables.corrections
    query = sa.select(log).order_by(log.c.seq, log.c.facet, log.c.id)
    said = (correction_of(row) for row in connection.execute(query).mappings())
    for _, own in groupby(said, key=attrgetter("seq")):
        facets = (standing_words(some) for _, some in groupby(own, key=attrgetter("facet")))
        yield tuple(words[-1] for words in facets if words)


@dataclass(frozen=True, slots=True)
class Layer:
    """The run of corrections on top of the stack, and the version of the taxonomy it speaks."""

    run_id: int
    pack: Pack


def read_layer(connection: sa.Connection) -> Layer | None:
    """The layer of corrections; None before the first one."""
    active, runs = tables.active_runs.c, tables.runs.c
    query = (
        sa.select(runs.id, runs.taxonomy, runs.taxonomy_version)
        .join(tables.active_runs, active.run_id == runs.id)
        .where(active.rank == HUMAN_RANK)
        .limit(1)
    )
    row = connection.execute(query).first()
    return Layer(row[0], (row[1], row[2])) if row else None


def as_corrected(verdict: Mapping[str, Any], answer: Answer) -> Row:
    """A facet of an Analysis as a person has it: probability 1, evidence where the model has the same label.

    Args:
        verdict: the facet as the model gave it, JSON values.
        answer: what the person says.
    """
    evidence = {label["code"]: label["evidence"] for label in labels_of(verdict)}
    primary = answer.codes[0] if answer.codes else None
    if "labels" in verdict:
        labels = [
            {"code": code, "probability": 1.0, "evidence": evidence.get(code, [])}
            for code in answer.codes
        ]
        return {**verdict, "decision": answer.decision, "primary": primary, "labels": labels}
    proof = {"evidence": evidence.get(primary, [])} if "evidence" in verdict else {}
    return {**verdict, "decision": answer.decision, "label": primary, **proof}


def lay_on_top(
    connection: sa.Connection, pack: Pack, *, packs: Packs, made_by: str, now: datetime
) -> None:
    """Bring what counts of the corrections to a version of a taxonomy and lay it on top of the stack.

    Part of a transaction that holds the stack; does nothing where the layer has this version.

    Raises:
        Conflict: this version is not at hand, and nothing could be carried over.
    """
    standing = read_layer(connection)
    if standing is None or standing.pack == pack:
        return
    if pack not in packs:
        raise Conflict(f"the taxonomy pack {' '.join(pack)} is not at hand; put it back")
    run_id = _new_layer(connection, pack, made_by=made_by, now=now).run_id
    counting = latest(connection)
    while some := tuple(islice(counting, _BATCH)):
        said = {
            words[0].seq: {word.facet: _answer(word, pack, packs=packs) for word in words}
            for words in some
            if words
        }
        _write(connection, said, run_id=run_id, parents=_parents(pack, packs=packs))


def carried(correction: Correction, pack: Pack, *, packs: Packs) -> tuple[str, ...] | None:
    """The codes of a correction under a version of a pack; None where a person must look again."""
    if (correction.taxonomy, correction.taxonomy_version) == pack:
        return correction.codes
    wanted = packs.get(pack)
    if wanted is None or correction.taxonomy != pack[0]:
        return None
    newest = max(
        (own for (name, _), own in packs.items() if name == pack[0]),
        key=lambda own: version_key(own.version),
    )
    return carry_codes(
        correction.codes,
        facet=correction.facet,
        under=correction.taxonomy_version,
        to=wanted,
        newest=newest,
    )


def _new_layer(connection: sa.Connection, pack: Pack, *, made_by: str, now: datetime) -> Layer:
    run = {
        "kind": "human",
        "model": "people",
        "model_version": "",
        "model_sha256": "",
        "taxonomy": pack[0],
        "taxonomy_version": pack[1],
        "code_version": "",
        "scope": {},
        "state": "live",
        "made_by": made_by,
        "created_at": now,
    }
    runs = tables.runs
    run_id: int = connection.execute(runs.insert().values(run).returning(runs.c.id)).scalar_one()
    active = tables.active_runs
    connection.execute(active.delete().where(active.c.rank == HUMAN_RANK))
    rows = [{"facet": facet, "rank": HUMAN_RANK, "run_id": run_id} for facet in FACETS]
    connection.execute(active.insert(), rows)
    return Layer(run_id, pack)


def _answer(correction: Correction, pack: Pack, *, packs: Packs) -> Answer | None:
    """What a correction says under a version of a pack; None where a person must look again."""
    codes = carried(correction, pack, packs=packs)
    return None if codes is None else Answer("labelled" if codes else "none_of_these", codes)


def _parents(pack: Pack, *, packs: Packs) -> Parents:
    return packs[pack].parents if pack in packs else {}


def _say(
    connection: sa.Connection,
    correction: Correction,
    said: Mapping[str, Answer | None],
    *,
    layer: Layer,
    parents: Parents,
) -> None:
    """Put what counts now of one facet into the layer in place of what counted before."""
    answers, index = tables.answers, tables.label_index
    seq, run_id = correction.seq, layer.run_id
    mine = (answers.c.run_id == run_id, answers.c.seq == seq)
    row = connection.execute(sa.select(answers).where(*mine)).mappings().first()
    found = {facet: read_answer(dict(row), facet) for facet in FACETS} if row else {}
    kept = {facet: answer for facet, answer in found.items() if answer is not None}
    old = index_rows(kept, seq=seq, run_id=run_id, parents=parents)
    for code in (*old, _uncarried(correction.facet, seq=seq, run_id=run_id)):
        same = (index.c[name] == value for name, value in code.items())
        connection.execute(index.delete().where(*same))
    connection.execute(answers.delete().where(*mine))
    kept.pop(correction.facet, None)
    _write(connection, {seq: {**kept, **said}}, run_id=run_id, parents=parents)


def _write(
    connection: sa.Connection,
    said: Mapping[int, Mapping[str, Answer | None]],
    *,
    run_id: int,
    parents: Parents,
) -> None:
    """Write what counts of some items into a layer; None is what could not be carried over."""
    rows, codes = list[Row](), list[Row]()
    for seq, own in said.items():
        answers = {facet: answer for facet, answer in own.items() if answer is not None}
        if answers:
            rows.append(answer_row(answers, seq=seq, run_id=run_id))
        codes += index_rows(answers, seq=seq, run_id=run_id, parents=parents)
        lost = own.keys() - answers.keys()
        codes += (_uncarried(facet, seq=seq, run_id=run_id) for facet in lost)
    for table, new in ((tables.answers, rows), (tables.label_index, codes)):
        if new:
            connection.execute(insert_new(connection, table), new)


def _uncarried(facet: str, *, seq: int, run_id: int) -> Row:
    return {"facet": facet, "code": UNCARRIED, "seq": seq, "run_id": run_id}

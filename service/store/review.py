"""What may need a look: for each reason some items, so many at most, whatever the store holds.

Every walk ends after a number of rows: those of the newest items, and of stretches further back that lie
elsewhere in every turn, so that nothing old is out of reach for good.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

import orjson
import sqlalchemy as sa

from service.store import tables
from service.store.corrections import (
    UNCARRIED,
    Correction,
    read_history,
    read_layer,
    standing_words,
)
from service.store.dialect import lots
from service.store.records import UNSURE, Answer, Row, labels_of, read_answer
from service.store.stack import current_run, read_stack

Reason = Literal["migration", "runs_disagree", "abstained", "unsure", "second_reading"]
Place = tuple[int, str]  # the seq of an item, and a facet
READ_TWICE = 10  # one corrected item in so many is read by a second person
_POOL = 100  # items for each reason and facet
_NEWEST = (300, 1_200)  # rows of an index, one stretch after another until the pool is full
_FURTHER = (400,) * 8  # rows of stretches further back
_COMPARED = 4_000  # items of a run that is not promoted, over all facets
_HIGHEST = 1 << 62  # no item has this number
_GOLDEN = 0.618033988749895  # its multiples spread evenly over the unit interval (Weyl 1916)
_FEW = 2_000  # items; fewer are looked up one by one
_COUNTED = 2_000  # rows of the index looked at to tell how many wait, a facet
_COLUMNS = ("label", "codes", "guess", "probability")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader asks for; `name` is the reader's own. Another `turn` looks at other old items.

    `reason`: only what stands there for it.
    """

    name: str
    facets: tuple[str, ...]
    kind: str | None = None
    source: str | None = None
    turn: int = 0
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One facet of an item that may need a look: what models say of it, and a run that is not promoted."""

    seq: int
    facet: str
    kind: str
    run_id: int
    answer: Answer
    reasons: tuple[Reason, ...]
    other: Answer | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """The beginning of an item."""

    id: str
    beginning: str


def find_candidates(connection: sa.Connection, wanted: Wanted) -> tuple[Candidate, ...]:
    """Everything in the pools, each facet of an item once with all its reasons."""
    pools = _Pools(connection, wanted)
    found: dict[Place, Candidate] = {}
    for facet in wanted.facets:
        for one in pools.all(facet):
            known = found.get((one.seq, facet))
            reasons = tuple(dict.fromkeys((*known.reasons, *one.reasons) if known else one.reasons))
            other = known.other if known and known.other else one.other
            found[one.seq, facet] = Candidate(
                one.seq, facet, one.kind, one.run_id, one.answer, reasons, other
            )
    return tuple(found.values())


def read_texts(connection: sa.Connection, seqs: Sequence[int], *, n_chars: int) -> dict[int, Text]:
    """How the texts of items begin."""
    items = tables.items.c
    beginning = sa.func.substr(items.text, 1, n_chars)
    found: dict[int, Text] = {}
    for some in lots(seqs):
        query = sa.select(items.seq, items.id, beginning).where(items.seq.in_(some))
        found |= {seq: Text(item_id, text) for seq, item_id, text in connection.execute(query)}
    return found


def read_labels(
    connection: sa.Connection, candidates: Iterable[Candidate]
) -> dict[Place, list[Row]]:
    """The labels that models assert, as the Analysis has them: code, probability, evidence."""
    asked: dict[int, dict[int, list[str]]] = {}
    for one in candidates:
        asked.setdefault(one.run_id, {}).setdefault(one.seq, []).append(one.facet)
    analyses = tables.analyses.c
    found: dict[Place, list[Row]] = {}
    for run_id, facets in asked.items():
        for some in lots(list(facets)):
            query = sa.select(analyses.seq, analyses.analysis).where(
                analyses.run_id == run_id, analyses.seq.in_(some)
            )
            for seq, text in connection.execute(query):
                whole = orjson.loads(text)
                found |= {(seq, facet): labels_of(whole[facet]) for facet in facets[seq]}
    return found


def read_lost(connection: sa.Connection, place: Place) -> Correction | None:
    """The word that counts of one facet of an item, under the version it was said in."""
    words = standing_words(read_history(connection, place[0], facet=place[1]))
    return words[-1] if words else None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many answers of models nobody has looked at that are none or not sure; `more` were not counted."""

    n: int
    more: bool


def count_waiting(connection: sa.Connection, wanted: Wanted) -> Waiting:
    """How much there is to do, over the newest items of each facet."""
    stack, items = read_stack(connection), tables.items
    n, more = 0, False
    for facet in wanted.facets:
        index = tables.label_index.c
        doubts = sa.select(index.seq, index.run_id).where(
            index.facet == facet, index.code.in_(("abstain", UNSURE))
        )
        newest = doubts.order_by(index.seq.desc()).limit(_COUNTED).subquery()
        asked = ((wanted.kind, items.c.kind), (wanted.source, items.c.source))
        some = [column == value for value, column in asked if value is not None]
        stands = newest.c.run_id == current_run(stack, facet)
        joined = sa.select(sa.func.count()).select_from(
            newest.join(items, items.c.seq == newest.c.seq)
        )
        n += connection.execute(joined.where(stands, *some)).scalar_one()
        n_rows = sa.select(sa.func.count()).select_from(newest)
        more = more or connection.execute(n_rows).scalar_one() == _COUNTED
    return Waiting(n, more)


class _Pools:
    """The candidates for each reason, as they stand in this transaction."""

    def __init__(self, connection: sa.Connection, wanted: Wanted) -> None:
        self.connection = connection
        self.wanted = wanted
        self.stack = read_stack(connection)
        self.few = _few(connection, wanted)
        self.read_once = self._find_read_once()

    def all(self, facet: str) -> Iterator[Candidate]:
        index, stands = tables.label_index.c, current_run(self.stack, facet)
        reasons: tuple[tuple[Reason, str], ...] = (("abstained", "abstain"), ("unsure", UNSURE))
        for reason, code in reasons:
            walk = _Walk(facet, code, index.run_id == stands, index.run_id)
            if self._asks_for(reason):
                yield from self._by_index(walk, reason=reason)
        layer = read_layer(self.connection)
        if layer is not None and self._asks_for("migration"):
            by_model = current_run(self.stack.of_models(), facet)
            walk = _Walk(facet, UNCARRIED, index.run_id == layer.run_id, by_model)
            yield from self._by_index(walk, reason="migration")
        if layer is not None and self._asks_for("second_reading"):
            yield from self._to_read_twice(facet)
        if self._asks_for("runs_disagree"):
            yield from self._disagreeing(facet)

    def _asks_for(self, reason: Reason) -> bool:
        return self.wanted.reason in {None, reason}

    def _by_index(self, walk: "_Walk", *, reason: Reason) -> list[Candidate]:
        """What is found under a code, the newest first, until there is enough."""
        found: list[Candidate] = []
        way = _Way(tables.label_index.c.seq, walk.key, _NEWEST, _FURTHER)
        for stretch in self._stretches(way):
            query = walk.select().where(stretch)
            found += self._candidates(query, facet=walk.facet, reason=reason)
            if len(found) >= _POOL:
                break
        return found

    def _stretches(self, way: "_Way") -> Iterator[sa.ColumnElement[bool]]:
        """Where to look, one stretch after another: among few items, or along the way."""
        if self.few is not None:
            yield from (way.seq.in_(some) for some in lots(self.few))
            return
        top = _HIGHEST
        for size in way.newest:
            edge = way.edge(self.connection, top, size=size)
            yield way.seq.between(edge, top - 1)
            if edge == 0:
                return
            top = edge
        first = self.wanted.turn * len(way.further)
        for number, size in enumerate(way.further, start=first):
            start = int(top * (number * _GOLDEN % 1)) + 1
            yield way.seq.between(way.edge(self.connection, start, size=size), start - 1)

    def _find_read_once(self) -> dict[str, list[int]]:
        """A tenth of what one other person has answered, by facet, the newest first."""
        log = tables.corrections.c
        one = sa.case((log.decision == "withdrawn", -1), else_=1)
        readers = (
            sa.select(log.seq, log.facet, log.made_by, sa.func.max(log.id).label("last"))
            .where(log.seq % READ_TWICE == 0, log.facet.in_(self.wanted.facets))
            .group_by(log.seq, log.facet, log.made_by)
            .having(sa.func.sum(one) > 0)
            .subquery()
        )
        other = sa.func.min(readers.c.made_by) != self.wanted.name
        query = (
            sa.select(readers.c.facet, readers.c.seq)
            .group_by(readers.c.facet, readers.c.seq)
            .having(sa.func.count() == 1, other)
            .order_by(sa.func.max(readers.c.last).desc())
            .limit(_FEW)
        )
        found: dict[str, list[int]] = {}
        for facet, seq in self.connection.execute(query):
            found.setdefault(facet, []).append(seq)
        return found

    def _to_read_twice(self, facet: str) -> list[Candidate]:
        items, answers = tables.items, tables.answers
        by_model = current_run(self.stack.of_models(), facet)
        stands = sa.and_(answers.c.seq == items.c.seq, answers.c.run_id == by_model)
        said = sa.select(*_said(facet)).select_from(items.join(answers, stands))
        found: list[Candidate] = []
        for some in lots(self.read_once.get(facet, [])):
            query = said.where(items.c.seq.in_(some))
            found += self._candidates(query, facet=facet, reason="second_reading")
            if len(found) >= _POOL:
                break
        return found

    def _disagreeing(self, facet: str) -> list[Candidate]:
        """Where the newest complete run that is not promoted says another thing than a model before it."""
        run_id = self.connection.scalar(_newest_unpromoted())
        if run_id is None:
            return []
        new, items, old = tables.answers.alias("new"), tables.items, tables.answers
        differ = sa.or_(
            new.c[f"{facet}_codes"] != old.c[f"{facet}_codes"],
            new.c[f"{facet}_label"] != old.c[f"{facet}_label"],
        )
        stands = sa.and_(
            old.c.seq == new.c.seq, old.c.run_id == current_run(self.stack, facet, item=items)
        )
        others = (new.c[f"{facet}_{name}"].label(f"other_{name}") for name in _COLUMNS)
        query = (
            sa.select(*_said(facet), *others)
            .select_from(new.join(items, items.c.seq == new.c.seq).join(old, stands))
            .where(new.c.run_id == run_id, differ, old.c.run_id.not_in(self.stack.human))
            .order_by(new.c.seq.desc())
        )
        size = _COMPARED // len(self.wanted.facets) // 2
        way = _Way(new.c.seq, new.c.run_id == run_id, (size,), (size,))
        found: list[Candidate] = []
        for stretch in self._stretches(way):
            found += self._candidates(query.where(stretch), facet=facet, reason="runs_disagree")
            if len(found) >= _POOL:
                break
        return found

    def _candidates(self, query: sa.Select[Any], *, facet: str, reason: Reason) -> list[Candidate]:
        """The first candidates that a query finds, but for those of another kind or source."""
        with self.connection.execute(query) as result:
            wanted = self._wanted(result.mappings(), facet=facet, reason=reason)
            return list(islice(wanted, _POOL))

    def _wanted(
        self, rows: Iterable[Mapping[Any, Any]], *, facet: str, reason: Reason
    ) -> Iterator[Candidate]:
        for row in rows:
            if self.wanted.kind not in {None, row["kind"]}:
                continue
            if self.wanted.source not in {None, row["source"]}:
                continue
            answer = read_answer(row, "said")
            other = read_answer(row, "other") if reason == "runs_disagree" else None
            if answer is not None:
                yield Candidate(
                    row["seq"], facet, row["kind"], row["run_id"], answer, (reason,), other
                )


@dataclass(frozen=True, slots=True)
class _Way:
    """Rows in the order of `seq`, and how many of the newest and of stretches further back to look at."""

    seq: sa.ColumnElement[int]
    rows: sa.ColumnElement[bool]
    newest: tuple[int, ...]
    further: tuple[int, ...]

    def edge(self, connection: sa.Connection, top: int, *, size: int) -> int:
        """Where a stretch of so many rows below `top` ends; 0 where there are fewer."""
        below = sa.select(self.seq).where(self.rows, self.seq < top).order_by(self.seq.desc())
        return connection.scalar(below.offset(size - 1).limit(1)) or 0


@dataclass(frozen=True, slots=True)
class _Walk:
    """A walk along the index: under which code, which rows count, and the run whose answer is shown."""

    facet: str
    code: str
    counts: sa.ColumnElement[bool]
    said_by: sa.ColumnElement[int]

    @property
    def key(self) -> sa.ColumnElement[bool]:
        index = tables.label_index.c
        return sa.and_(index.facet == self.facet, index.code == self.code)

    def select(self) -> sa.Select[Any]:
        index, items, answers = tables.label_index, tables.items, tables.answers
        said = sa.and_(answers.c.seq == index.c.seq, answers.c.run_id == self.said_by)
        joined = index.join(items, items.c.seq == index.c.seq).join(answers, said)
        return (
            sa.select(*_said(self.facet))
            .select_from(joined)
            .where(self.key, self.counts)
            .order_by(index.c.seq.desc())
        )


def _said(facet: str) -> tuple[sa.ColumnElement[Any], ...]:
    items, answers = tables.items.c, tables.answers.c
    own = (answers[f"{facet}_{name}"].label(f"said_{name}") for name in _COLUMNS)
    return (items.seq, items.kind, items.source, answers.run_id, *own)


def _few(connection: sa.Connection, wanted: Wanted) -> list[int] | None:
    """The items of the kind or source asked for, the newest first, where they are few; else None."""
    items = tables.items.c
    for column, value in ((items.source, wanted.source), (items.kind, wanted.kind)):
        if value is not None:
            query = sa.select(items.seq).where(column == value).order_by(items.seq.desc())
            seqs = list(connection.scalars(query.limit(_FEW + 1)))
            if len(seqs) <= _FEW:
                return seqs
    return None


def _newest_unpromoted() -> sa.Select[Any]:
    runs, active = tables.runs.c, tables.active_runs.c
    return sa.select(sa.func.max(runs.id)).where(
        runs.kind == "reclassification",
        runs.state == "complete",
        runs.id.not_in(sa.select(active.run_id)),
    )

"""Which items a query finds, as SQL: one statement that walks along what is rarest and looks the rest up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from service.store import tables
from service.store.query import LabelFilter, Query
from service.store.search import matching
from service.store.stack import WHOLE, Stack, current_run, read_stack

_UNINDEXED = {"labelled", "not_applicable"}
DRAWN_FROM = 50_000  # items that a sample is drawn from
_COUNTED = 5_000  # rows looked at to learn which of several conditions is the rarest
PLACES = ("province", "ward", "body")


def select_items(
    connection: sa.Connection,
    query: Query,
    *,
    stack: Stack,
    columns: Sequence[sa.ColumnElement[Any]],
) -> sa.Select[Any] | None:
    """The statement that finds items, newest first and without limit; None when nothing can be found.

    It walks along the rarest of the conditions that have an index in the order of `seq`, and looks the
    others up: SQLite keeps no statistics that would let it choose by itself.
    """
    items = tables.items.c
    if _is_door_unused(connection, query):
        return None
    drivers = _indexed(query, stack=stack)
    if query.text is not None:
        found = matching(connection, query.text)
        if found is None:
            return None
        drivers.append(_Driver(*found))
    conditions = _conditions(query, stack=stack) + _heard(query)
    bounds = _bounds(connection, query)
    if not drivers:
        within = (compare(items.seq) for compare in bounds)
        return sa.select(*columns).where(*conditions, *within).order_by(items.seq.desc())
    if query.source is not None:
        drivers.append(_by_source(query.source))
    rarest = drivers[0] if len(drivers) == 1 else min(drivers, key=lambda d: _count(connection, d))
    conditions += [_holds(other) for other in drivers if other is not rarest]
    return (
        sa.select(*columns)
        .select_from(rarest.table.join(tables.items, items.seq == rarest.seq))
        .where(*conditions, *rarest.conditions, *(compare(rarest.seq) for compare in bounds))
        .order_by(rarest.seq.desc())
    )


def _is_door_unused(connection: sa.Connection, query: Query) -> bool:
    """Whether nothing came through the door that is asked about: SQLite would look at every item for it."""
    intake = tables.items.c.intake
    if query.intake is None:
        return False
    return (
        connection.execute(sa.select(intake).where(intake == query.intake).limit(1)).first() is None
    )


def draw_ids(connection: sa.Connection, query: Query, *, n: int) -> tuple[str, ...]:
    """The ids of `n` items that a query finds, evenly spread over the newest of them; of fewer all."""
    items = tables.items.c
    found = select_items(
        connection, query, stack=read_stack(connection), columns=(items.seq, items.id)
    )
    if found is None:
        return ()
    ids = [row.id for row in connection.execute(found.limit(DRAWN_FROM))]
    return tuple(ids[place * len(ids) // n] for place in range(n)) if len(ids) > n else tuple(ids)


def conditions_of_opinions(
    connection: sa.Connection, query: Query, *, stack: Stack
) -> list[sa.ColumnElement[bool]]:
    """What holds of the rows of `items` joined with `traits` that a query without words finds.

    Counting reads them all, so nothing is walked along: what a list of `select_items` shows is counted.
    """
    items, traits = tables.items.c, tables.traits.c
    bounds = _bounds(connection, query)
    return [
        *_of_traits(query),
        *_conditions(query, stack=stack),
        *(_holds(driver) for driver in _indexed(query, stack=stack)),
        # on both sides: no database concludes the one from the other
        *(compare(seq) for compare in bounds for seq in (items.seq, traits.seq)),
    ]


@dataclass(frozen=True, slots=True)
class _Driver:
    """A condition that can be walked along in the order of `seq`, or looked up for one item."""

    table: sa.FromClause
    seq: sa.ColumnElement[int]
    conditions: tuple[sa.ColumnElement[bool], ...] = ()


def _indexed(query: Query, *, stack: Stack) -> list[_Driver]:
    """The conditions on labels, places and groups that have an index in the order of `seq`."""
    places = ((kind, getattr(query, kind)) for kind in PLACES)
    return [
        *(_by_group(item_id) for item_id in (query.group,) if item_id is not None),
        *(_by_label(own, stack=stack) for own in query.labels if own.code not in _UNINDEXED),
        *(_by_place(kind, code) for kind, code in places if code is not None),
    ]


def _by_group(item_id: str) -> _Driver:
    """The items that say the same as this one, itself among them."""
    own, its, same = tables.items.alias(), tables.traits.alias(), tables.traits.alias()
    group = sa.select(its.c.group_seq).where(its.c.seq == own.c.seq, own.c.id == item_id)
    return _Driver(same, same.c.seq, (same.c.group_seq == group.scalar_subquery(),))


def _by_place(kind: str, code: str) -> _Driver:
    """The items in which a name means this place or body and can mean no other."""
    named = tables.mentions.alias()
    found = (named.c.kind == kind, named.c.code == code)
    return _Driver(named, named.c.seq, (*found, named.c.n_candidates == 1))


def _by_label(label: LabelFilter, *, stack: Stack) -> _Driver:
    """The items found under a code by the run that stands for them."""
    index = tables.label_index.alias()
    found = (index.c.facet == label.facet, index.c.code == label.code)
    stands = index.c.run_id == current_run(stack, label.facet)
    return _Driver(index, index.c.seq, (*found, stands))


def _by_source(source: str) -> _Driver:
    mine = tables.items.alias()
    return _Driver(mine, mine.c.seq, (mine.c.source == source,))


_Bound = Callable[[sa.ColumnElement[int]], sa.ColumnElement[bool]]


def _bounds(connection: sa.Connection, query: Query) -> list[_Bound]:
    """Between which numbers the items lie, so that a walk along them starts and ends there.

    The moments of receipt and the days say it, though not by themselves: a clock may have been set back.
    """
    items = tables.items.c
    cursor = int(query.cursor) if query.cursor is not None else None
    given = ((_at_least, query.from_seq), (_below, query.to_seq), (_below, cursor))
    found: list[_Bound] = [partial(side, edge) for side, edge in given if edge is not None]
    for column, moments in ((items.seq, _received(query)), (tables.traits.c.seq, _days(query))):
        if moments:
            # an expression, or PostgreSQL walks along all numbers to find the least of some
            seq = column + 0
            span = sa.select(sa.func.min(seq), sa.func.max(seq)).where(*moments)
            first, last = connection.execute(span).one()
            found += [partial(_at_least, first or 0), partial(_below, (last or 0) + 1)]
    return found


def _at_least(edge: int, seq: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    return seq >= edge


def _below(edge: int, seq: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    return seq < edge


def _received(query: Query) -> list[sa.ColumnElement[bool]]:
    received = tables.items.c.received_at
    bounds = ((query.received_from, received.__ge__), (query.received_to, received.__lt__))
    return [compare(value) for value, compare in bounds if value is not None]


def _days(query: Query) -> list[sa.ColumnElement[bool]]:
    day = tables.traits.c.day
    bounds = ((query.day_from, day.__ge__), (query.day_to, day.__lt__))
    return [compare(value) for value, compare in bounds if value is not None]


def _of_traits(query: Query) -> list[sa.ColumnElement[bool]]:
    """What is asked of the row of `traits`."""
    traits = tables.traits.c
    asked = ((query.channel, traits.channel.__eq__), (query.urgency, traits.urgency.__eq__))
    found = _days(query) + [compare(value) for value, compare in asked if value is not None]
    if query.reposts == "once":
        found.append(traits.group_seq == traits.seq)
    return found


def _heard(query: Query) -> list[sa.ColumnElement[bool]]:
    """What is asked of the traits of an item; none are looked up where nothing is."""
    asked = _of_traits(query)
    here = tables.traits.c.seq == tables.items.c.seq
    return [sa.exists().where(here, *asked).correlate(tables.items)] if asked else []


def _holds(driver: _Driver) -> sa.ColumnElement[bool]:
    return (
        sa.exists()
        .where(driver.seq == tables.items.c.seq, *driver.conditions)
        .correlate(tables.items)
    )


def _count(connection: sa.Connection, driver: _Driver) -> int:
    """About how many items a condition finds; counting ends where more makes no difference."""
    plain = driver.conditions[:2]  # not whether it stands: that is slow and mostly true
    some = sa.select(driver.seq).select_from(driver.table).where(*plain).limit(_COUNTED).subquery()
    n_rows: int = connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
    return n_rows


def _conditions(query: Query, *, stack: Stack) -> list[sa.ColumnElement[bool]]:
    items = tables.items.c
    asked = (
        (query.intake, items.intake.__eq__),
        (query.kind, items.kind.__eq__),
        (query.source, items.source.__eq__),
    )
    plain = [compare(value) for value, compare in asked if value is not None] + _received(query)
    if query.ids is not None:
        plain.append(items.id.in_(query.ids))
    if query.unread_by is not None:
        read = tables.answers.c
        plain.append(~sa.exists().where(read.run_id == query.unread_by, read.seq == items.seq))
    if query.waits:
        plain.append(items.run_id.is_(None))
    if query.any_of:
        plain.append(sa.or_(*(_holds(_by_label(own, stack=stack)) for own in query.any_of)))
    unindexed = [own for own in query.labels if own.code in _UNINDEXED]
    return plain + _dated(query, stack=stack) + [_decided(own, stack=stack) for own in unindexed]


def _decided(label: LabelFilter, *, stack: Stack) -> sa.ColumnElement[bool]:
    """A decision that most items have, and that no index is kept of."""
    answers = tables.answers.c
    codes = answers[f"{label.facet}_codes"]
    asserted = codes != ""
    return sa.exists().where(
        answers.run_id == current_run(stack, label.facet),
        answers.seq == tables.items.c.seq,
        asserted if label.code == "labelled" else answers[f"{label.facet}_label"] == label.code,
    )


def _dated(query: Query, *, stack: Stack) -> list[sa.ColumnElement[bool]]:
    if query.dated_from is None and query.dated_to is None:
        return []
    analyses = tables.analyses.c
    bounds = ((query.dated_from, analyses.dated.__ge__), (query.dated_to, analyses.dated.__lt__))
    return [
        sa.exists().where(
            analyses.seq == tables.items.c.seq,
            analyses.run_id == current_run(stack.of_models(), WHOLE),
            *(compare(value) for value, compare in bounds if value is not None),
        )
    ]

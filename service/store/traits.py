"""What rules find in citizens' texts, kept beside them: traits, places, bodies, and who said it first.

Only the first of those that say the same stands in the buckets: a text sent fifty thousand times costs no
more to compare with than one sent once, and nothing drifts from one re-post to the next.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from nlp.reposts import Runs, likeness
from service.store.dialect import insert_new, lock_reposts, lots
from service.store.records import Row, Traits
from service.store.tables import items, mentions, repost_buckets, traits

WINDOW = timedelta(days=60)  # what is said again later is said anew
_CANDIDATES = 50  # with the most buckets in common: a letter may go round in as many wards
_WARD = "ward"
_COUNTED = 1_000  # re-posts of one text; more say nothing more


@dataclass(frozen=True, slots=True)
class Fresh:
    """An item whose traits are to be kept."""

    seq: int
    text: str
    source: str
    day: date
    traits: Traits


@dataclass(frozen=True, slots=True)
class TraitSummary:
    """What a list shows of the traits of an opinion.

    `group` is one number for all that say the same, `n_reposts` how many they are besides the first;
    where `has_more` it is the thousand at which counting ends.
    """

    day: date
    channel: str
    urgency: str
    group: int
    n_reposts: int
    has_more: bool


def read_trait_summaries(engine: sa.Engine, ids: Sequence[str]) -> dict[str, TraitSummary]:
    """The traits of the items of a page, by id; those whose traits were not read are left out."""
    own = traits.c
    query = sa.select(items.c.id, own.day, own.channel, own.urgency, own.group_seq).where(
        own.seq == items.c.seq, items.c.id.in_(ids)
    )
    with engine.connect() as connection:
        rows = connection.execute(query).all()
        again = {
            group: _count_reposts(connection, group) for group in {row.group_seq for row in rows}
        }
    return {
        row.id: TraitSummary(
            day=row.day,
            channel=row.channel,
            urgency=row.urgency,
            group=row.group_seq,
            n_reposts=min(again[row.group_seq], _COUNTED),
            has_more=again[row.group_seq] > _COUNTED,
        )
        for row in rows
    }


def _count_reposts(connection: sa.Connection, group: int) -> int:
    """How many say it besides the first; counting ends where more makes no difference."""
    same = sa.select(traits.c.seq).where(traits.c.group_seq == group).limit(_COUNTED + 2)
    n_rows: int = connection.execute(
        sa.select(sa.func.count()).select_from(same.subquery())
    ).scalar_one()
    return n_rows - 1


def keep_traits(connection: sa.Connection, fresh: Sequence[Fresh]) -> None:
    """Keep the traits of items that stand in the store; those kept before stay as they are."""
    if not fresh:
        return
    heard = [_heard(one) for one in fresh]
    named = [
        {"kind": kind, "code": code, "seq": one.seq, "n_candidates": n_candidates}
        for one in fresh
        for kind, code, n_candidates in one.traits.mentions
    ]
    _insert(connection, mentions, named)
    lock_reposts(connection)  # as late as can be: whoever takes something in elsewhere waits for it
    groups = _find_groups(connection, heard)
    rows = [_row(one, group=groups[one.seq]) for one in fresh]
    buckets = [
        {"bucket": bucket, "seq": one.seq}
        for one in fresh
        if groups[one.seq] == one.seq
        for bucket in one.traits.buckets
    ]
    _insert(connection, traits, rows)
    _insert(connection, repost_buckets, buckets)


def _insert(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    if rows:
        connection.execute(insert_new(connection, table), rows)


def erase_traits(connection: sa.Connection, seqs: Sequence[int]) -> None:
    """Forget the traits of items; of those that say the same the next one is the first from now on."""
    own, heads = traits.c, set(seqs)
    remaining = sa.select(own.group_seq, sa.func.min(own.seq)).where(
        own.group_seq.in_(seqs), own.seq.not_in(seqs)
    )
    for head, following in connection.execute(remaining.group_by(own.group_seq)).all():
        connection.execute(traits.update().where(own.group_seq == head).values(group_seq=following))
        taken = repost_buckets.update().where(repost_buckets.c.seq == head)
        connection.execute(taken.values(seq=following))
    for table in (traits, repost_buckets, mentions):
        connection.execute(table.delete().where(table.c.seq.in_(heads)))


def forget_buckets(connection: sa.Connection, *, today: date) -> int:
    """Take away the buckets of texts too old to be said again."""
    old = sa.select(traits.c.seq).where(traits.c.day < today - WINDOW)
    return connection.execute(repost_buckets.delete().where(repost_buckets.c.seq.in_(old))).rowcount


@dataclass(frozen=True, slots=True)
class _Heard:
    """A text that others may have said before."""

    seq: int
    day: date
    runs: Runs
    buckets: tuple[int, ...] = ()


def _heard(one: Fresh) -> _Heard:
    wards = [code for kind, code, _ in one.traits.mentions if kind == _WARD]
    return _Heard(one.seq, one.day, Runs.of(one.text, wards=wards), one.traits.buckets)


def _row(one: Fresh, *, group: int) -> Row:
    own = one.traits
    return {
        "seq": one.seq,
        "day": one.day,
        "source": one.source,
        "channel": own.channel,
        "urgency": own.urgency,
        "group_seq": group,
        "n_syllables": own.n_syllables,
        "plain_share": own.plain_share,
        "unknown_share": own.unknown_share,
    }


def _find_groups(connection: sa.Connection, heard: Sequence[_Heard]) -> dict[int, int]:
    """The first that said the same, for each text; its own number where nobody did."""
    buckets: dict[int, list[int]] = {}
    wanted = sorted({bucket for one in heard for bucket in one.buckets})
    for bucket, seq in _look_up(connection, wanted):
        buckets.setdefault(bucket, []).append(seq)
    near = {one.seq: _nearest(one, buckets) for one in heard}
    firsts = _read_firsts(connection, sorted({seq for some in near.values() for seq in some}))
    groups: dict[int, int] = {}
    for one in heard:
        # those of the same batch stand in the buckets since their turn
        candidates = [firsts[seq] for seq in _nearest(one, buckets) if seq in firsts]
        groups[one.seq] = _first_to_say(one, candidates)
        if groups[one.seq] == one.seq:
            firsts[one.seq] = one
            for bucket in one.buckets:
                buckets.setdefault(bucket, []).append(one.seq)
    return groups


def _nearest(one: _Heard, buckets: Mapping[int, Sequence[int]]) -> list[int]:
    shared = Counter(seq for bucket in one.buckets for seq in buckets.get(bucket, ()))
    return [seq for seq, _ in shared.most_common(_CANDIDATES)]


def _first_to_say(one: _Heard, candidates: Iterable[_Heard]) -> int:
    """The candidate that is most like it, of several the earliest; its own number where none is the same."""
    found = [
        (how, -other.seq)
        for other in candidates
        if abs(one.day - other.day) <= WINDOW and (how := likeness(one.runs, other.runs)) >= 1
    ]
    return -max(found)[1] if found else one.seq


def _look_up(connection: sa.Connection, wanted: Sequence[int]) -> Iterator[tuple[int, int]]:
    own = repost_buckets.c
    for some in lots(wanted):
        rows = connection.execute(sa.select(own.bucket, own.seq).where(own.bucket.in_(some)))
        yield from ((bucket, seq) for bucket, seq in rows)


def _read_firsts(connection: sa.Connection, seqs: Sequence[int]) -> dict[int, _Heard]:
    found: dict[int, _Heard] = {}
    for some in lots(seqs):
        query = sa.select(traits.c.seq, traits.c.day, items.c.text).where(
            traits.c.seq == items.c.seq, traits.c.seq.in_(some)
        )
        named = sa.select(mentions.c.seq, mentions.c.code).where(
            mentions.c.seq.in_(some), mentions.c.kind == _WARD
        )
        wards: dict[int, list[str]] = {}
        for seq, code in connection.execute(named):
            wards.setdefault(seq, []).append(code)
        for seq, day, text in connection.execute(query):
            found[seq] = _Heard(seq, day, Runs.of(text, wards=wards.get(seq, ())))
    return found

"""Who was first to say it: kept at the door, and what becomes of it when texts are erased."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from nlp.readers import from_text
from nlp.reposts import Runs, find_buckets
from service.store import tables
from service.store.days import day_of
from service.store.dialect import writing
from service.store.intake import add
from service.store.records import NewItem, Traits
from service.store.retention import erase
from service.store.traits import forget_buckets

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
LETTER = (
    "Đề nghị phường cho sửa lại đoạn vỉa hè trước cổng chợ, gạch bong tróc đã ba tháng nay, người già đi"
    " lại rất dễ ngã, trời mưa nước bẩn bắn lên quần áo mà hỏi thì không ai trả lời."
)
SHARED = f"Nhờ mọi người chia sẻ giúp. {LETTER}"
OTHER = "Hồ bơi công cộng của quận đóng cửa cả mùa hè mà không có một dòng thông báo nào ở cổng."


def opinion(text: str, *, number: int, day: int = 0) -> NewItem:
    [buckets] = find_buckets([Runs.of(text)])
    return NewItem(
        id=f"{number:032x}",
        intake="opinion",
        kind="opinion",
        doc=from_text(text),
        source="demo",
        external_id=str(number),
        received_at=NOON + timedelta(days=day),
        traits=Traits("phản ánh", "normal", 40, 0.2, 0.0, buckets, (("ward", "00004", 1),)),
    )


def keep(engine: sa.Engine, *items: NewItem) -> None:
    add(engine, [(item, None) for item in items], run_id=1, parents={})


def groups(engine: sa.Engine) -> Mapping[int, int]:
    """By the numbers of items, not of rows."""
    own, items = tables.traits.c, tables.items.c
    with engine.connect() as connection:
        number = {
            seq: int(key)
            for seq, key in connection.execute(sa.select(items.seq, items.external_id))
        }
        rows = connection.execute(sa.select(own.seq, own.group_seq)).all()
    return {number[seq]: number[group] for seq, group in rows}


def rows_of(engine: sa.Engine, table: sa.Table) -> int:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_a_repost_joins_the_first_that_said_it(engine: sa.Engine) -> None:
    keep(engine, opinion(LETTER, number=1), opinion(OTHER, number=2))

    keep(engine, opinion(SHARED, number=3, day=20))

    assert groups(engine) == {1: 1, 2: 2, 3: 1}


def test_a_repost_in_the_same_batch_joins_too(engine: sa.Engine) -> None:
    keep(engine, opinion(LETTER, number=1), opinion(SHARED, number=2))

    assert groups(engine) == {1: 1, 2: 1}


def test_the_same_words_about_another_ward_are_said_anew(engine: sa.Engine) -> None:
    def about(*wards: str, number: int) -> NewItem:
        item = opinion(LETTER, number=number)
        assert item.traits is not None
        mentions = tuple(("ward", ward, len(wards)) for ward in wards)
        return replace(item, traits=replace(item.traits, mentions=mentions))

    keep(engine, about("00070", number=1), about("00082", number=2))
    keep(engine, about("00082", number=3), about("00070", "00099", number=4), about(number=5))

    assert groups(engine) == {1: 1, 2: 2, 3: 2, 4: 1, 5: 1}


def test_what_is_said_again_after_the_window_is_said_anew(engine: sa.Engine) -> None:
    keep(engine, opinion(LETTER, number=1))

    keep(engine, opinion(LETTER, number=2, day=61))

    assert groups(engine) == {1: 1, 2: 2}


def test_a_letter_sent_a_thousand_times_stands_in_the_buckets_once(engine: sa.Engine) -> None:
    keep(engine, opinion(LETTER, number=1))
    before = rows_of(engine, tables.repost_buckets)

    keep(engine, *(opinion(LETTER, number=number) for number in range(2, 200)))

    assert rows_of(engine, tables.repost_buckets) == before
    assert set(groups(engine).values()) == {1}


def test_the_same_item_again_changes_nothing(engine: sa.Engine) -> None:
    keep(engine, opinion(LETTER, number=1))

    keep(engine, replace(opinion(LETTER, number=1), id="f" * 32))

    assert groups(engine) == {1: 1}


def test_when_the_first_is_erased_the_next_is_the_first(engine: sa.Engine) -> None:
    keep(engine, *(opinion(LETTER, number=number) for number in (1, 2, 3)))

    with writing(engine) as connection:
        erase(connection, [connection.scalar(sa.select(sa.func.min(tables.items.c.seq))) or 0])
    keep(engine, opinion(SHARED, number=4))

    assert groups(engine) == {2: 2, 3: 2, 4: 2}


def test_erasing_takes_everything_away(engine: sa.Engine) -> None:
    keep(engine, opinion(LETTER, number=1), opinion(SHARED, number=2))

    with writing(engine) as connection:
        erase(connection, connection.scalars(sa.select(tables.items.c.seq)).all())

    kept = (tables.traits, tables.repost_buckets, tables.mentions)
    assert [rows_of(engine, table) for table in kept] == [0, 0, 0]


def test_buckets_of_old_texts_are_forgotten(engine: sa.Engine) -> None:
    keep(engine, opinion(LETTER, number=1))

    with writing(engine) as connection:
        forget_buckets(connection, today=date(2026, 6, 1))

    assert rows_of(engine, tables.repost_buckets) == 0
    assert groups(engine) == {1: 1}


@pytest.mark.parametrize(
    ("posted_at", "day"),
    [
        (None, date(2026, 1, 5)),
        (datetime(2026, 1, 3, 16, 59, tzinfo=UTC), date(2026, 1, 3)),
        (datetime(2026, 1, 3, 17, 0, tzinfo=UTC), date(2026, 1, 4)),
        (datetime(2031, 1, 3, 17, 0, tzinfo=UTC), date(2026, 1, 5)),
    ],
    ids=["not-said", "before-midnight", "midnight-in-vietnam", "in-the-future"],
)
def test_a_text_counts_on_its_day_in_vietnam(posted_at: datetime | None, day: date) -> None:
    assert day_of(posted_at, received_at=NOON) == day

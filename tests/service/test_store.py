"""What every store must do; run on SQLite, and on PostgreSQL where its programs are installed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from nlp.pipeline import Request
from nlp.readers import from_text
from nlp.types import Analysis, Place, Provenance
from service.store import tables
from service.store.dialect import open_engine
from service.store.errors import Conflict
from service.store.intake import Source, add, ensure_run, find, register_source
from service.store.migrate import migrate
from service.store.query import LabelFilter, Query
from service.store.records import NewItem
from service.store.views import list_items, list_sources, read_item
from tests.service.rules import PACK, RulePipeline

PARENTS = PACK.parents
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
MODEL_1 = Provenance("rules", "1", "0" * 64, "ct07", "1.0.0", "0.1.0")
MODEL_2 = replace(MODEL_1, model_version="2")


def entry(
    text: str, *, number: int, intake: str = "document", external_id: str | None = None
) -> tuple[NewItem, Analysis]:
    request = Request(f"{number:032x}", from_text(text))
    analysis = RulePipeline().analyze(request)
    item = NewItem(
        id=request.id,
        intake="document" if intake == "document" else "opinion",
        kind=analysis.kind,
        doc=request.doc,
        source="demo",
        external_id=external_id or str(number),
        received_at=NOON + timedelta(hours=number),
        file_name="a.txt",
    )
    return item, analysis


def test_the_migrations_make_the_tables(engine: sa.Engine) -> None:
    def is_ours(name: str | None, kind: str, _parent: object) -> bool:
        return kind != "table" or not (name or "").startswith("item_search")

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_ours})
        differences = compare_metadata(context, tables.metadata)

    assert differences == []


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    migrate(url)

    migrate(url)

    engine = open_engine(url)
    assert [source.name for source in list_sources(engine)] == ["demo", "web_upload"]
    engine.dispose()


def test_no_table_can_hold_an_author() -> None:
    columns = {column.name for table in tables.metadata.tables.values() for column in table.columns}

    assert columns.isdisjoint({"author", "user", "name_of_author", "sender", "phone", "email"})


def test_an_item_comes_back_as_it_went_in(engine: sa.Engine) -> None:
    run_id = ensure_run(engine, MODEL_1, now=NOON)
    item, analysis = entry("CHỈ THỊ\nvề thủ tục hành chính", number=1)
    places = (Place(0, 7, page=2, left=0.4, top=0.1, right=0.6, bottom=0.12),)
    item = replace(item, doc=replace(item.doc, places=places))

    add(engine, [(item, analysis)], run_id=run_id, parents=PARENTS)

    stored = read_item(engine, item.id)
    assert stored is not None
    assert (stored.doc, stored.received_at) == (item.doc, item.received_at)
    assert stored.analysis["task_area"]["labels"][0] == {
        "code": "DV3.5",
        "probability": 0.91,
        "evidence": [{"start": 11, "end": 29}],
    }


def test_an_unknown_id_is_none(engine: sa.Engine) -> None:
    assert read_item(engine, "f" * 32) is None


def test_the_first_item_under_a_key_stays(engine: sa.Engine) -> None:
    run_id = ensure_run(engine, MODEL_1, now=NOON)
    first, second = (entry(text, number=i, external_id="x") for i, text in enumerate("ab"))

    add(engine, [first], run_id=run_id, parents=PARENTS)
    standing = add(engine, [second], run_id=run_id, parents=PARENTS)

    assert standing["demo", "x"].id == first[0].id
    assert read_item(engine, second[0].id) is None


def test_an_unregistered_source_is_refused_whole(engine: sa.Engine) -> None:
    run_id = ensure_run(engine, MODEL_1, now=NOON)
    good, (item, analysis) = entry("tốt", number=1), entry("xấu", number=2)

    with pytest.raises(sa.exc.IntegrityError) as caught:
        add(
            engine,
            [good, (replace(item, source="nobody"), analysis)],
            run_id=run_id,
            parents=PARENTS,
        )

    assert "xấu" not in str(caught.value)
    assert list_items(engine, Query()).items == ()


def test_keys_are_found_by_the_thousand(engine: sa.Engine) -> None:
    run_id = ensure_run(engine, MODEL_1, now=NOON)
    add(engine, [entry("đường hỏng", number=i) for i in range(3)], run_id=run_id, parents=PARENTS)

    with engine.connect() as connection:
        found = find(connection, [("demo", str(i)) for i in range(1000)])

    assert set(found) == {("demo", "0"), ("demo", "1"), ("demo", "2")}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), [4, 3, 2, 1]),
        (Query(kind="opinion"), [4, 3]),
        (Query(intake="document"), [3, 2, 1]),
        (Query(source="web_upload"), []),
        (Query(labels=(LabelFilter("task_area", "DV3"),)), [2, 1]),
        (Query(labels=(LabelFilter("task_area", "DV3.8"),)), [2]),
        (Query(labels=(LabelFilter("civic_field", "abstain"),)), [3]),
        (Query(labels=(LabelFilter("sentiment", "negative"),)), [4]),
        (Query(received_from=NOON + timedelta(hours=2)), [4, 3, 2]),
        (Query(received_to=NOON + timedelta(hours=2)), [1]),
        (Query(dated_from=date(2021, 10, 1), dated_to=date(2021, 10, 2)), [2, 1]),
        (Query(dated_from=date(2021, 10, 2)), []),
    ],
)
def test_a_query_finds_its_items_newest_first(
    engine: sa.Engine, query: Query, expected: list[int]
) -> None:
    run_id = ensure_run(engine, MODEL_1, now=NOON)
    texts = ["CHỈ THỊ thủ tục hành chính", "CHỈ THỊ tiếp công dân", "bình thường", "đường hỏng"]
    intakes = ["document", "document", "document", "opinion"]
    pairs = enumerate(zip(texts, intakes, strict=True), start=1)
    add(
        engine,
        [entry(t, number=i, intake=door) for i, (t, door) in pairs],
        run_id=run_id,
        parents=PARENTS,
    )

    found = list_items(engine, query)

    assert [int(item.id, 16) for item in found.items] == expected


def test_pages_follow_each_other_without_gap_or_repeat(engine: sa.Engine) -> None:
    run_id = ensure_run(engine, MODEL_1, now=NOON)
    add(engine, [entry("đường hỏng", number=i) for i in range(5)], run_id=run_id, parents=PARENTS)

    first = list_items(engine, Query(limit=3))
    add(engine, [entry("đường hỏng", number=9)], run_id=run_id, parents=PARENTS)
    second = list_items(engine, Query(limit=3, cursor=first.next_cursor))

    assert [int(item.id, 16) for item in (*first.items, *second.items)] == [4, 3, 2, 1, 0]
    assert second.next_cursor is None


def test_the_same_provenance_is_the_same_run(engine: sa.Engine) -> None:
    assert ensure_run(engine, MODEL_1, now=NOON) == ensure_run(engine, MODEL_1, now=NOON)
    assert ensure_run(engine, MODEL_1, now=NOON) != ensure_run(engine, MODEL_2, now=NOON)


def test_items_of_a_new_model_are_seen_beside_the_old(engine: sa.Engine) -> None:
    old_run, new_run = (ensure_run(engine, m, now=NOON) for m in (MODEL_1, MODEL_2))

    add(engine, [entry("đường hỏng", number=1)], run_id=old_run, parents=PARENTS)
    add(engine, [entry("đường hỏng", number=2)], run_id=new_run, parents=PARENTS)

    found = list_items(engine, Query(labels=(LabelFilter("civic_field", "LV03"),)))
    assert [item.labels["civic_field"].primary for item in found.items] == ["LV03", "LV03"]


def test_a_source_is_registered_once(engine: sa.Engine) -> None:
    source = Source("hotline", "hotline", "Luật Tiếp công dân 2013", 365)

    assert register_source(engine, source)
    assert not register_source(engine, source)
    with pytest.raises(Conflict, match="hotline"):
        register_source(engine, replace(source, retention_days=1))

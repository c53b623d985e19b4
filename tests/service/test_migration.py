"""A database of the first version is brought to this one: the same items, labels, order and findings."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import orjson
import pytest
import sqlalchemy as sa

from nlp.pipeline import Request
from nlp.readers import from_text
from nlp.types import Analysis, AssignedLabel, CategoryResult, Guess
from service.store import tables
from service.store.dialect import writing
from service.store.intake import ensure_run
from service.store.migrate import migrate, revision_of, revisions, upgrade
from service.store.query import LabelFilter, Query
from service.store.views import list_items, read_item
from tests.service.archive import BOTH, Room, address_of, fresh_store
from tests.service.rules import RulePipeline
from tests.service.shelf import NOON, RULES

DIRECTIVE = "CHỈ THỊ\nvề thủ tục hành chính, đất đai"
# In the order of receipt, by the numbers in their ids; the rows were written in another order.
TEXTS = {1: DIRECTIVE, 2: "đường hỏng", 3: "rác, đường", 4: "xin chào", 5: "gì đó", 6: "đất đai"}
WRITTEN = (4, 1, 6, 2, 5, 3)
ANSWERED = {1: (1,), 2: (1,), 3: (1, 2), 4: (2,), 5: (2,), 6: ()}  # by which runs


@pytest.fixture(params=BOTH)
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    """A database as 0002 left it: two models, the first of which was active again; brought up to date."""
    url = address_of(request, tmp_path)
    with fresh_store(url, migrated=False) as engine:
        with writing(engine) as connection:
            upgrade(connection, "0002")
            fill(connection)
        migrate(url)
        yield Room(engine, texts=dict(TEXTS))


def fill(connection: sa.Connection) -> None:
    """Rows as the first version wrote them."""
    run = (
        "INSERT INTO runs VALUES (:id, 'rules', :version, :sha256, 'ct07', '1.0.0', '0.1.0', 'live',"
        " 'live', '2026-01-05 12:00:00')"
    )
    for number in (1, 2):
        values = {"id": number, "version": str(number), "sha256": "0" * 64}
        connection.execute(sa.text(run), values)
    for facet in tables.FACETS:
        connection.execute(sa.text("INSERT INTO active_runs VALUES (:facet, 1)"), {"facet": facet})
    for number in WRITTEN:
        _keep(connection, number)


def _keep(connection: sa.Connection, number: int) -> None:
    text = TEXTS[number]
    intake = "document" if "CHỈ THỊ" in text else "opinion"
    item = {
        "id": f"{number:032x}",
        "intake": intake,
        "kind": "official" if intake == "document" else "opinion",
        "text": text,
        "file_name": "chi-thi.txt" if intake == "document" else None,
        "blocks": orjson.dumps([{"kind": "paragraph", "start": 0, "end": len(text)}]).decode(),
        "external_id": str(number),
        "received_at": f"2026-01-05 {number:02}:00:00.000000",
        "posted_at": "2026-01-04 09:00:00.000000" if intake == "opinion" else None,
    }
    connection.execute(
        sa.text(
            "INSERT INTO items (id, intake, kind, text, text_sha256, file_name, media_type, blocks,"
            " issues, source, external_id, received_at, posted_at) VALUES (:id, :intake, :kind, :text,"
            " 'x', :file_name, 'text/plain', :blocks, '[]', 'demo', :external_id, :received_at,"
            " :posted_at)"
        ),
        item,
    )
    for run_id in ANSWERED[number]:
        _answer(connection, number, run_id=run_id)


def said(number: int, *, run_id: int) -> Analysis:
    """What a run of then said: the second one puts everything under LV05, and is not sure."""
    kind = "official" if number == 1 else "opinion"
    request = Request(f"{number:032x}", from_text(TEXTS[number]), kind)  # type: ignore[arg-type]
    analysis = RulePipeline(version=str(run_id)).analyze(request)
    if run_id == 1:
        return analysis
    labels = (AssignedLabel("LV03", 0.3, ()), AssignedLabel("LV05", 0.5, ()))
    verdict = CategoryResult("labelled", "LV05", Guess("LV05", 0.5), labels)
    return replace(analysis, civic_field=verdict)


def _answer(connection: sa.Connection, number: int, *, run_id: int) -> None:
    analysis = said(number, run_id=run_id)
    is_document = number == 1
    headline = {
        "kind": "Chỉ thị" if is_document else None,
        "canonical": "07-CT/TU" if is_document else None,
        "date": "2021-10-01" if is_document else None,
        "issuer": None,
        "subject": None,
    }
    key = {"item": f"{number:032x}", "run": run_id}
    connection.execute(
        sa.text("INSERT INTO analyses VALUES (:item, :run, :analysis, :headline, :dated)"),
        key
        | {
            "analysis": orjson.dumps(analysis).decode(),
            "headline": orjson.dumps(headline).decode(),
            "dated": "2021-10-01" if is_document else None,
        },
    )
    area = analysis.task_area
    connection.execute(
        sa.text(
            "INSERT INTO label_sets VALUES (:item, 'task_area', :run, :decision, :primary, NULL, NULL,"
            " '[]')"
        ),
        key | {"decision": area.decision, "primary": area.primary},
    )
    for label in area.labels:
        connection.execute(
            sa.text("INSERT INTO label_codes VALUES ('task_area', :code, :item, :run)"),
            key | {"code": label.code},
        )


def found(room: Room, query: Query) -> list[int]:
    return [int(item.id, 16) for item in list_items(room.engine, query).items]


def by(facet: str, code: str) -> Query:
    return Query(labels=(LabelFilter(facet, code),))


def test_items_keep_their_order_and_all_that_is_known_of_them(room: Room) -> None:
    page = list_items(room.engine, Query()).items

    assert [int(item.id, 16) for item in page] == [6, 5, 4, 3, 2, 1]
    document, opinion = page[-1], page[-2]
    assert (document.file_name, document.kind, document.posted_at) == (
        "chi-thi.txt",
        "official",
        None,
    )
    assert document.headline["canonical"] == "07-CT/TU"
    assert opinion.received_at == datetime(2026, 1, 5, 2, tzinfo=UTC)
    assert opinion.posted_at == datetime(2026, 1, 4, 9, tzinfo=UTC)


def test_texts_and_their_analyses_are_those_that_were_stored(room: Room) -> None:
    for number, run_id in ((1, 1), (2, 1), (4, 2)):
        stored = read_item(room.engine, f"{number:032x}")
        assert stored is not None
        assert stored.doc.text == TEXTS[number]
        assert stored.doc.blocks[0].end == len(TEXTS[number])
        assert stored.analysis == orjson.loads(orjson.dumps(said(number, run_id=run_id)))


def test_an_item_that_two_models_had_read_is_shown_as_before(room: Room) -> None:
    assert room.field_of(3) == "LV03 LV02"
    assert room.opened(3).analysis["provenance"]["model_version"] == "1"
    assert found(room, by("civic_field", "LV02")) == [3]


def test_an_item_that_the_active_model_had_not_read_is_shown_as_before(room: Room) -> None:
    assert room.field_of(4) == "LV05 LV03"
    assert room.opened(4).analysis["provenance"]["model_version"] == "2"


def test_an_item_that_nobody_had_read_waits(room: Room) -> None:
    assert room.opened(6).analysis == {}
    assert found(room, Query(waits=True)) == [6]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        (by("task_area", "DV3.5"), [1]),
        (by("task_area", "DV3"), [1]),
        (by("civic_field", "LV03"), [5, 4, 3, 2]),
        (by("civic_field", "LV05"), [5, 4]),
        (by("civic_field", "unsure"), [5, 4]),
        (by("civic_field", "labelled"), [5, 4, 3, 2]),
        (by("civic_field", "not_applicable"), [1]),
        (by("task_area", "none_of_these"), [4]),
        (by("task_area", "abstain"), [5, 3, 2]),
        (by("sentiment", "negative"), [2]),
        (by("intent", "complaint"), [5, 4, 3, 2]),
        (Query(dated_from=date(2021, 10, 1), dated_to=date(2021, 10, 2)), [1]),
        (Query(text="dat dai"), [6, 1]),
        (Query(text='"ĐẤT ĐAI"', kind="official"), [1]),
        (Query(received_to=datetime(2026, 1, 5, 3, tzinfo=UTC)), [2, 1]),
    ],
)
def test_items_are_found_as_before(room: Room, query: Query, numbers: list[int]) -> None:
    assert found(room, query) == numbers


def test_every_table_of_then_is_gone_and_the_rest_is_there(room: Room) -> None:
    names = set(sa.inspect(room.engine).get_table_names())

    assert set(tables.metadata.tables) <= names
    assert not {name for name in names if name.startswith(("old_", "label_sets", "label_codes"))}
    with room.engine.connect() as connection:
        assert revision_of(connection) == revisions()[0]


def test_the_same_model_goes_on_in_its_run(room: Room) -> None:
    same = replace(RULES, model_version="2")

    assert ensure_run(room.engine, same, now=NOON) == 2
    assert ensure_run(room.engine, replace(RULES, model_version="3"), now=NOON) == 3


def test_what_comes_in_afterwards_is_the_newest(room: Room) -> None:
    room.bring("đường mới, đất đai")

    assert found(room, Query()) == [7, 6, 5, 4, 3, 2, 1]
    assert found(room, Query(text="dat dai")) == [7, 6, 1]


def test_what_was_brought_over_can_be_corrected_and_re_classified(room: Room) -> None:
    room.say(2, "LV07")
    job_id = room.read("1")

    room.put_on_top(job_id)

    assert (room.field_of(2), room.field_of(4), room.field_of(6)) == (
        "LV07",
        "none_of_these",
        "abstain",
    )


@pytest.mark.parametrize("database", BOTH)
def test_an_empty_database_of_then_is_brought_up_to_date(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    if database == "postgresql":
        url = request.getfixturevalue("postgres_url")
    with fresh_store(url, migrated=False) as engine:
        with writing(engine) as connection:
            upgrade(connection, "0002")

        migrate(url)

        assert list_items(engine, Query()).items == ()
        assert ensure_run(engine, RULES, now=NOON) == 1

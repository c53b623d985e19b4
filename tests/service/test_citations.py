"""A citation leads to the document that bears its number, and says so where several do."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from nlp.pipeline import Request
from nlp.readers import from_text
from nlp.types import Field, Metadata
from service.store.citations import MAX_BEARERS, Cited, find_cited
from service.store.dialect import open_engine, writing
from service.store.intake import add, ensure_run
from service.store.migrate import migrate, upgrade
from service.store.records import NewItem
from tests.service.rules import PACK, RulePipeline
from tests.service.shelf import NOON, RULES

AUGUST = date(2026, 8, 5)


def keep(engine: sa.Engine, number: int, canonical: str | None, *, dated: str | None) -> str:
    """A document of this number and day; its id."""
    request = Request(f"{number:032x}", from_text(f"CHỈ THỊ {number}"))
    analysis = RulePipeline().analyze(request)
    metadata = Metadata(
        kind=Field("Kế hoạch", None, None),
        canonical=Field(canonical, None, None) if canonical else None,
        date=Field(dated, None, None) if dated else None,
        issuer=Field(f"Ủy ban nhân dân xã {number}", None, None),
    )
    item = NewItem(
        id=request.id,
        intake="document",
        kind="official",
        doc=request.doc,
        source="demo",
        external_id=str(number),
        received_at=NOON + timedelta(hours=number),
    )
    run_id = ensure_run(engine, RULES, now=NOON)
    entry = (item, replace(analysis, metadata=metadata))
    add(engine, [entry], run_id=run_id, parents=PACK.parents)
    return request.id


def ids(engine: sa.Engine, *wanted: Cited, beside: int = 0) -> list[list[str]]:
    found = find_cited(engine, wanted, beside=beside)
    return [[one.id for one in found.get(cited, ())] for cited in wanted]


def test_each_number_finds_what_bears_it(engine: sa.Engine) -> None:
    first = keep(engine, 1, "45/KH-UBND", dated="2026-08-05")
    second = keep(engine, 2, "07-CT/TU", dated=None)
    keep(engine, 3, None, dated="2026-08-05")

    found = ids(engine, Cited("45/KH-UBND"), Cited("07-CT/TU"), Cited("8/QĐ-TTg"))

    assert found == [[first], [second], []]


def test_a_day_tells_documents_of_one_number_apart(engine: sa.Engine) -> None:
    keep(engine, 1, "45/KH-UBND", dated="2025-08-05")
    second = keep(engine, 2, "45/KH-UBND", dated="2026-08-05")

    assert ids(engine, Cited("45/KH-UBND", AUGUST)) == [[second]]


def test_several_that_bear_a_number_are_told_the_latest_first_and_not_all(
    engine: sa.Engine,
) -> None:
    kept = [keep(engine, n, "45/KH-UBND", dated=f"2026-0{n}-01") for n in range(1, 7)]

    [found] = ids(engine, Cited("45/KH-UBND"))

    assert found == kept[::-1][: MAX_BEARERS + 1]


def test_a_document_is_no_answer_to_itself(engine: sa.Engine) -> None:
    keep(engine, 1, "45/KH-UBND", dated=None)

    assert ids(engine, Cited("45/KH-UBND"), beside=1) == [[]]


def test_a_document_may_cite_more_than_one_statement_holds(engine: sa.Engine) -> None:
    last = keep(engine, 1, "600/KH-UBND", dated=None)

    found = ids(engine, *(Cited(f"{n}/KH-UBND") for n in range(1, 601)))

    assert found == [[]] * 599 + [[last]]


def test_nothing_cited_asks_nothing(engine: sa.Engine) -> None:
    assert find_cited(engine, [], beside=0) == {}


def test_an_index_finds_the_numbers(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    migrate(url)
    engine = open_engine(url)
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT seq FROM analyses WHERE canonical = ? AND dated = ?",
            ("45/KH-UBND", "2026-08-05"),
        )
        steps = " ".join(str(step) for step in plan)
    engine.dispose()

    assert "ix_analyses_canonical (canonical=? AND dated=?)" in steps


@pytest.mark.parametrize("headline", ['{"canonical": "07-CT/TU"}', '{"canonical": null}'])
def test_documents_that_are_there_already_get_their_numbers(tmp_path: Path, headline: str) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/store.db")
    with writing(engine) as connection:
        upgrade(connection, "0006")
        connection.execute(
            sa.text("INSERT INTO analyses (run_id, seq, analysis, headline) VALUES (1, 1, '', :h)"),
            {"h": headline},
        )
        upgrade(connection)

    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT canonical FROM analyses").scalars().all()
    engine.dispose()

    assert found == (["07-CT/TU"] if "CT" in headline else [None])

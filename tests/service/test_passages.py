"""Passages by tone: of official documents of a time, the newest ones, with the areas they belong to."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from nlp.pipeline import Request
from nlp.readers import from_text
from service.store.intake import add, ensure_run
from service.store.passages import Found, find_passages, read_quotes
from service.store.records import NewItem
from tests.service.rules import PACK, RulePipeline
from tests.service.shelf import NOON, RULES

SLOW = "Tuy nhiên còn chậm"


@pytest.fixture
def reports(engine: sa.Engine) -> sa.Engine:
    """A report of each hour: one of an area, one of none, one without limitations; and an opinion."""
    texts = (
        f"CHỈ THỊ\nVề thủ tục hành chính\n{SLOW}",
        f"CHỈ THỊ xin chào\n{SLOW}",
        "CHỈ THỊ\nVề tiếp công dân",
        SLOW,
    )
    entries = []
    for number, text in enumerate(texts, start=1):
        request = Request(f"{number:032x}", from_text(text), "auto")
        analysis = RulePipeline().analyze(request)
        item = NewItem(
            id=request.id,
            intake="document" if analysis.kind == "official" else "opinion",
            kind=analysis.kind,
            doc=request.doc,
            source="demo",
            external_id=str(number),
            received_at=NOON + timedelta(hours=number),
        )
        entries.append((item, analysis))
    run_id = ensure_run(engine, RULES, now=NOON)
    add(engine, entries, run_id=run_id, parents=PACK.parents)
    return engine


def find(engine: sa.Engine, *, hours: int = 9, limit: int = 9) -> Found:
    with engine.connect() as connection:
        return find_passages(
            connection,
            tone="limitation",
            received_from=NOON,
            received_to=NOON + timedelta(hours=hours),
            limit=limit,
        )


def test_passages_belong_to_the_main_area_of_their_document(reports: sa.Engine) -> None:
    found = find(reports)

    areas = [[passage.areas for passage in own.passages] for own in found.documents]
    assert areas == [[()], [("DV3.5",)]]
    assert (found.n_read, found.is_all) == (3, True)


def test_the_newest_are_read_and_it_is_said_that_there_are_more(reports: sa.Engine) -> None:
    found = find(reports, limit=2)

    assert [int(own.id, 16) for own in found.documents] == [2]
    assert (found.n_read, found.is_all) == (2, False)


def test_only_the_documents_of_the_time_are_read(reports: sa.Engine) -> None:
    assert [int(own.id, 16) for own in find(reports, hours=2).documents] == [1]


def test_quotes_are_the_beginnings_of_the_passages(reports: sa.Engine) -> None:
    found = find(reports)

    with reports.connect() as connection:
        quotes = read_quotes(connection, found.documents, n_chars=9)

    assert set(quotes.values()) == {SLOW[:9]}
    assert len(quotes) == 2

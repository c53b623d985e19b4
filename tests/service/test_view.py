"""The text of a page is the whole text, cut where the light begins and ends."""

import json
from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.pipeline import Request
from nlp.readers import from_text
from nlp.types import Span
from service.store.views import Stored
from service.ui.view import Piece, category_name, cut, cut_passages, facet_views, find_lit
from tests.service.rules import PACK, RulePipeline

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def stored(text: str) -> Stored:
    doc = from_text(text)
    analysis = RulePipeline().analyze(Request("1", doc))
    values = json.loads(json.dumps(asdict(analysis)))
    plain = ("1", "document", analysis.kind, None, "text/plain", "demo", "1", NOON, None)
    return Stored(*plain, doc=doc, analysis=values, seq=1)


spans = st.builds(
    lambda start, size: Span(start, start + size),
    st.integers(min_value=0, max_value=30),
    st.integers(min_value=0, max_value=10),
)


@given(st.text(max_size=30), st.lists(spans), spans)
def test_the_pieces_join_to_the_stretch(text: str, lit: list[Span], within: Span) -> None:
    start, end = min(within.start, len(text)), min(within.end, len(text))

    pieces = list(cut(text, Span(start, end), sorted(lit)))

    assert "".join(piece.text for piece in pieces) == text[start:end]
    covered = {i for span in lit for i in range(span.start, span.end)}
    is_lit = [piece.lit for piece in pieces for _ in piece.text]
    assert is_lit == [i in covered for i in range(start, end)]
    assert sum(piece.first for piece in pieces) <= 1


def test_light_that_began_before_is_not_first() -> None:
    assert list(cut("abcd", Span(2, 4), [Span(1, 3)])) == [Piece("c", lit=True), Piece("d")]


def test_the_passages_of_an_opinion_join_to_its_text() -> None:
    text = "  Đường hỏng.\n\nRác nhiều.  "

    passages = cut_passages(stored(text), [])

    joined = "".join(piece.text for passage in passages for piece in passage.pieces)
    assert joined == from_text(text).text


def test_what_stands_between_the_segments_of_a_document_is_shown() -> None:
    document = stored("CHỈ THỊ\n\nTuy nhiên còn chậm\n\nNơi nhận: như trên")
    document.analysis["segments"].pop(0)

    passages = cut_passages(document, [])

    assert [(p.pieces[0].text, p.tone) for p in passages[:2]] == [
        ("CHỈ THỊ", None),
        ("Tuy nhiên còn chậm", "limitation"),
    ]


@pytest.mark.parametrize(
    ("show", "expected"),
    [
        ("civic_field:LV03", (Span(0, 5),)),
        ("sentiment:negative", (Span(6, 10),)),
        ("civic_field:LV09", ()),
        ("intent:complaint", ()),
        ("3-7", (Span(3, 7),)),
        ("7-3", (Span(7, 3),)),
        ("", ()),
        ("sentiment", ()),
        ("²-³", ()),
        ("1" * 5000 + "-2", ()),
    ],
)
def test_what_to_light_is_told_by_label_or_by_stretch(
    show: str, expected: tuple[Span, ...]
) -> None:
    assert find_lit(stored("Đường hỏng").analysis, show) == expected


def test_only_questions_that_were_asked_are_shown() -> None:
    shown = [facet.name for facet in facet_views(stored("CHỈ THỊ").analysis, PACK)]

    assert shown == ["task_area"]


def test_a_code_of_another_pack_is_shown_as_it_is() -> None:
    assert category_name(PACK, "task_area", code="DV3.5").startswith("Cải cách hành chính")
    assert category_name(PACK, "task_area", code="DV99") == "DV99"

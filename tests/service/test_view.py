"""The text of a page is the whole text, cut where the light begins and ends."""

import json
from dataclasses import asdict
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.pipeline import Request
from nlp.readers import from_text
from nlp.types import Place, Span
from service.store.citations import Bearer, Cited
from service.store.pictures import Page
from service.store.views import Stored
from service.ui.view import (
    Box,
    Piece,
    category_name,
    citation_views,
    cited_in,
    cut,
    cut_passages,
    facet_views,
    find_lit,
    hint_spans,
    page_views,
)
from tests.service.rules import PACK, RulePipeline

PAGES = (Page(1, 1000, 2000), Page(2, 1000, 2000))
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


def line(start: int, end: int, *, page: int = 1, top: float = 0.1) -> Place:
    """A printed line of a tenth of the page's width for each character."""
    return Place(start, end, page, 0.0, top, (end - start) / 10, top + 0.01)


def boxes(lit: Span, *places: Place) -> list[list[Box]]:
    return [list(page.boxes) for page in page_views(PAGES, places, lit=[lit])]


def test_words_are_lit_where_their_share_of_the_line_puts_them() -> None:
    # a character more on either side, as letters are not equally wide
    assert boxes(Span(14, 16), line(10, 20)) == [[Box(300.0, 200.0, 400.0, 20.0)], []]


@pytest.mark.parametrize("lit", [Span(10, 20), Span(0, 50), Span(10, 12), Span(18, 20)])
def test_a_box_stays_within_its_line(lit: Span) -> None:
    [[box], _] = boxes(lit, line(10, 20))

    assert box.left >= 0
    assert box.left + box.width <= 1000


def test_words_over_two_lines_and_pages_have_a_box_on_each() -> None:
    places = (line(0, 5), line(6, 10, top=0.2), line(10, 15, page=2))

    found = boxes(Span(4, 12), *places)

    assert [len(own) for own in found] == [2, 1]


@pytest.mark.parametrize("lit", [Span(0, 3), Span(8, 9), Span(5, 5)])
def test_what_lies_beside_a_line_lights_nothing_on_it(lit: Span) -> None:
    assert boxes(lit, line(3, 8)) == [[], []]


def test_a_line_that_is_printed_upright_is_lit_whole() -> None:
    upright = Place(0, 10, 1, 0.5, 0.1, 0.52, 0.9)

    assert boxes(Span(4, 6), upright) == [[Box(500.0, 200.0, 20.0, 1600.0)], []]


def test_a_line_of_a_page_without_picture_is_passed_over() -> None:
    assert boxes(Span(0, 5), line(0, 5, page=3)) == [[], []]


def test_the_first_page_that_is_lit_is_marked() -> None:
    views = page_views(PAGES, [line(0, 5, page=2)], lit=[Span(0, 2)])

    assert [view.first for view in views] == [False, True]


def test_the_same_words_twice_are_one_box() -> None:
    views = page_views(PAGES, [line(0, 5)], lit=[Span(0, 2), Span(0, 2)])

    assert len(views[0].boxes) == 1


@given(
    st.lists(st.builds(lambda a, n: line(a, a + n), st.integers(0, 30), st.integers(1, 10))),
    st.lists(spans),
)
def test_every_box_lies_on_its_page(places: list[Place], lit: list[Span]) -> None:
    for page in page_views(PAGES, places, lit=lit):
        for box in page.boxes:
            assert min(box.left, box.top) >= 0
            assert min(box.width, box.height) > 0
            assert box.left + box.width <= page.width + 0.1


HINTS = {"evidence": {"channel": [{"start": 0, "end": 5}], "urgency": []}}


@pytest.mark.parametrize(
    ("analysis", "name", "expected"),
    [
        ({"hints": HINTS}, "channel", (Span(0, 5),)),
        ({"hints": HINTS}, "urgency", ()),
        ({"hints": HINTS}, "missing", ()),
        ({"hints": None}, "channel", ()),
        ({}, "channel", ()),
    ],
)
def test_a_hint_lights_the_words_that_speak_for_it(
    analysis: dict[str, object], name: str, expected: tuple[Span, ...]
) -> None:
    assert hint_spans(analysis, name) == find_lit(analysis, f"hint:{name}") == expected


def cites(canonical: str | None, day: str | None) -> dict[str, list[dict[str, object]]]:
    cited = {"canonical": canonical, "kind": "Luật", "number": "25", "date": day, "subject": None}
    return {"citations": [{**cited, "start": 1, "end": 4, "ambiguous": False}]}


@pytest.mark.parametrize(
    ("canonical", "day", "expected"),
    [
        ("25-NQ/TW", None, (Cited("25-NQ/TW"),)),
        ("25-NQ/TW", "2013-06-03", (Cited("25-NQ/TW", date(2013, 6, 3)),)),
        ("25-NQ/TW", "2013", (Cited("25-NQ/TW"),)),
        (None, "2013-06-03", ()),
    ],
)
def test_what_is_cited_is_looked_for_by_number_and_whole_day(
    canonical: str | None, day: str | None, expected: tuple[Cited, ...]
) -> None:
    assert cited_in(cites(canonical, day)) == expected


def test_a_citation_is_shown_with_what_it_may_mean() -> None:
    bearer = Bearer("1", {})

    [known] = citation_views(cites("25-NQ/TW", None), {Cited("25-NQ/TW"): (bearer,)})
    [unknown] = citation_views(cites(None, None), {})

    assert (known.name, known.show, known.found) == ("25-NQ/TW", "1-4", (bearer,))
    assert (unknown.name, unknown.found) == ("Luật 25", ())


def test_what_waits_cites_nothing() -> None:
    assert cited_in({}) == ()
    assert citation_views({}, {}) == ()

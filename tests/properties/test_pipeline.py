"""Whatever the text, an analysis points into it and does not depend on its neighbours."""

from collections.abc import Iterator
from typing import Literal, get_args

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.pipeline import Pipeline, Request
from nlp.readers import from_text
from nlp.types import Analysis, Span
from tests.directive import PARAGRAPHS
from tests.strategies import running_texts, wild_texts

CUES = (
    "thủ tục hành chính",
    "tiếp công dân",
    "khiếu nại",
    "ổ gà",
    "cảm ơn",
    "quá tệ",
    "Số 12-CT/TU",
    "CHỈ THỊ",
    "Căn cứ Nghị định số 30/2020/NĐ-CP ngày 05/3/2020;",
    "Nơi nhận:",
    "1. Giao",
    "😡",
)
lively_texts = st.lists(
    st.one_of(st.sampled_from(CUES), running_texts(max_syllables=8)), max_size=15
)
texts = st.one_of(
    lively_texts.map(" ".join),
    lively_texts.map("\n".join),
    wild_texts(),
    st.permutations(PARAGRAPHS).map(lambda lines: "\n".join(lines[:12])),
)
Kind = Literal["auto", "official", "opinion"]
kinds = st.sampled_from(get_args(Kind))


@st.composite
def requests(draw: st.DrawFn) -> Request:
    kind: Kind = draw(kinds)
    return Request("một", from_text(draw(texts)), kind)


def spans_of(answer: Analysis) -> Iterator[Span]:
    for facet in (answer.task_area, answer.civic_field):
        for label in facet.labels:
            yield from label.evidence
    yield from answer.sentiment.evidence
    yield from (Span(segment.start, segment.end) for segment in answer.segments)
    yield from (Span(citation.start, citation.end) for citation in answer.citations)
    yield from (Span(duty.text_start, duty.text_end) for duty in answer.duties)
    if answer.metadata is not None:
        for name in answer.metadata.__slots__:
            field = getattr(answer.metadata, name)
            if field is not None and field.start is not None:
                yield Span(field.start, field.end)


@settings(max_examples=150)
@given(request=requests())
def test_every_span_is_ink_within_the_text(tiny_pipeline: Pipeline, request: Request) -> None:
    text = request.doc.text

    for span in spans_of(tiny_pipeline.analyze(request)):
        assert 0 <= span.start < span.end <= len(text)
        assert text[span.start : span.end].strip()


@settings(max_examples=100)
@given(request=requests())
def test_an_answer_keeps_to_its_kind(tiny_pipeline: Pipeline, request: Request) -> None:
    answer = tiny_pipeline.analyze(request)

    for facet in (answer.task_area, answer.civic_field):
        assert (facet.decision == "labelled") == bool(facet.labels) == (facet.primary is not None)
        assert all(0 <= label.probability <= 1 for label in facet.labels)
    assert (answer.sentiment.decision == "labelled") == (answer.sentiment.label is not None)
    if answer.kind != "official":
        assert (answer.metadata, answer.citations, answer.duties) == (None, (), ())
    if answer.kind != "opinion":
        assert answer.sentiment.decision == answer.civic_field.decision == "not_applicable"


@settings(max_examples=40)
@given(batch=st.lists(requests(), max_size=6))
def test_a_batch_gives_the_bytes_of_each_text_alone(
    tiny_pipeline: Pipeline, batch: list[Request]
) -> None:
    together = tiny_pipeline.analyze_all(batch)

    assert [orjson.dumps(answer) for answer in together] == [
        orjson.dumps(tiny_pipeline.analyze(request)) for request in batch
    ]


@settings(max_examples=40)
@given(text=texts)
def test_letter_case_of_an_opinion_changes_no_label(tiny_pipeline: Pipeline, text: str) -> None:
    lower, upper = text.lower(), text.lower().upper()
    if upper.lower() != lower or len(upper) != len(lower):
        return  # letters such as ß have no capital of their own

    one, other = (
        tiny_pipeline.analyze(Request("a", from_text(t), "opinion")) for t in (lower, upper)
    )

    assert one.civic_field == other.civic_field
    assert one.sentiment == other.sentiment
    assert one.segments == other.segments


@settings(max_examples=30)
@given(text=texts)
def test_a_sentence_says_what_it_would_say_alone(tiny_pipeline: Pipeline, text: str) -> None:
    answer = tiny_pipeline.analyze(Request("x", from_text(text), "opinion"))
    body = from_text(text).text

    for segment in answer.segments:
        alone = tiny_pipeline.analyze(
            Request("x", from_text(body[segment.start : segment.end]), "opinion")
        )
        if alone.text_quality.readable:  # "1." holds no words
            assert segment.task_area == tuple(label.code for label in alone.task_area.labels)
            assert segment.sentiment == alone.sentiment.label

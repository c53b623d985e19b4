"""The main path on texts of each kind, with the tiny model."""

import json
from dataclasses import asdict, replace

import pytest

from nlp.pipeline import Pipeline, Request
from nlp.protocols import Classifier
from nlp.readers import from_text
from nlp.taxonomy import Taxonomy
from nlp.types import Analysis, CategoryResult, Document, IntentResult, SentimentResult
from tests import directive

DIRECTIVE = "\n".join(directive.PARAGRAPHS)
OPINION = "Đường trước nhà tôi nát bươm, ổ gà khắp nơi, quá tệ! Cảm ơn phường đã sửa cống nhanh, tuyệt vời."
NOT_ASKED = CategoryResult("not_applicable")


def analyze(pipeline: Pipeline, text: str, **options: object) -> Analysis:
    return pipeline.analyze(replace(Request("a", from_text(text)), **options))  # type: ignore[arg-type] # kind


@pytest.fixture(scope="module")
def official(tiny_pipeline: Pipeline) -> Analysis:
    return analyze(tiny_pipeline, DIRECTIVE)


@pytest.fixture(scope="module")
def opinion(tiny_pipeline: Pipeline) -> Analysis:
    return analyze(tiny_pipeline, OPINION, kind="opinion")


def test_an_official_document_is_told_by_its_form_and_read(official: Analysis) -> None:
    assert official.kind == "official"
    assert official.metadata is not None
    assert official.metadata.canonical is not None
    assert official.metadata.canonical.value == "12-CT/TU"


def test_an_official_document_has_task_areas_and_tones_but_no_feelings(official: Analysis) -> None:
    assert official.task_area.primary == "DV3.8"
    assert {segment.tone for segment in official.segments} - {None}
    assert official.sentiment == SentimentResult("not_applicable")
    assert official.intent == IntentResult("not_applicable")
    assert official.civic_field == NOT_ASKED
    assert all(segment.sentiment is None for segment in official.segments)


def test_only_the_body_of_a_document_is_labelled(official: Analysis) -> None:
    shown = [DIRECTIVE[segment.start : segment.end] for segment in official.segments]

    assert any("Người đứng đầu cấp ủy tiếp công dân" in part for part in shown)
    for line in (*directive.LEFT, *directive.SIGNATURE, "- Lưu Văn phòng."):
        assert not any(line in part for part in shown)


def test_the_labels_of_a_document_are_those_of_its_segments(official: Analysis) -> None:
    found = {code for segment in official.segments for code in segment.task_area}

    assert {label.code for label in official.task_area.labels} == found


def test_evidence_of_a_document_is_made_of_whole_words(official: Analysis) -> None:
    for label in official.task_area.labels:
        for span in label.evidence:
            before, after = DIRECTIVE[span.start - 1], DIRECTIVE[span.end : span.end + 1]
            assert not (before.isalnum() and DIRECTIVE[span.start].isalnum())
            assert not (after.isalnum() and DIRECTIVE[span.end - 1].isalnum())


def test_an_opinion_has_field_sentiment_and_intent_but_no_form(opinion: Analysis) -> None:
    assert opinion.kind == "opinion"
    assert opinion.civic_field.primary == "LV03"
    assert opinion.sentiment.label in {"negative", "positive"}
    assert opinion.sentiment.evidence
    assert opinion.intent.guess is not None
    assert (opinion.metadata, opinion.citations, opinion.duties) == (None, (), ())


def test_an_opinion_is_cut_into_sentences_with_their_own_sentiment(opinion: Analysis) -> None:
    shown = [OPINION[segment.start : segment.end] for segment in opinion.segments]

    assert " ".join(shown) == OPINION
    assert [segment.sentiment for segment in opinion.segments] == ["negative", "positive"]
    assert opinion.sentiment.mixed
    assert all(segment.tone is None for segment in opinion.segments)


def test_a_citizen_is_never_given_a_restricted_task_area(
    tiny_classifier: Classifier, pack: Taxonomy
) -> None:
    restricted = {c.code for c in pack.facets["task_area"].categories if c.restricted}

    assert restricted
    assert not restricted & set(tiny_classifier.heads["task_area_opinion"].labels)


def test_the_reject_code_is_a_decision_and_no_label(tiny_pipeline: Pipeline) -> None:
    answer = analyze(tiny_pipeline, "Hôm nay trời se lạnh, ăn bát phở nóng là hợp.", kind="opinion")

    assert answer.civic_field.decision == "none_of_these"
    assert (answer.civic_field.primary, answer.civic_field.labels) == (None, ())
    assert answer.civic_field.guess is not None
    assert answer.civic_field.guess.code == "LV00"


@pytest.mark.parametrize("kind", ["auto", "official", "opinion"])
@pytest.mark.parametrize("text", ["", " \n\n", "12 / 34", "😡😡"])
def test_a_text_without_words_is_of_no_kind(tiny_pipeline: Pipeline, text: str, kind: str) -> None:
    answer = analyze(tiny_pipeline, text, kind=kind)

    assert answer.kind == "unknown"
    assert not answer.text_quality.readable
    assert answer.task_area == answer.civic_field == NOT_ASKED
    assert (answer.segments, answer.metadata) == ((), None)


def test_what_is_neither_is_told_and_left_alone(tiny_pipeline: Pipeline) -> None:
    answer = analyze(tiny_pipeline, "Khuyến mãi lớn, giảm giá 50% cho mọi đơn hàng.")

    assert answer.kind == "unknown"
    assert answer.text_quality.readable
    assert answer.task_area == NOT_ASKED


def test_the_kind_that_is_asked_for_is_believed(tiny_pipeline: Pipeline) -> None:
    assert analyze(tiny_pipeline, OPINION, kind="official").kind == "official"
    assert analyze(tiny_pipeline, DIRECTIVE, kind="opinion").kind == "opinion"


def test_answers_are_in_the_order_of_the_requests(tiny_pipeline: Pipeline) -> None:
    texts = [OPINION, "", DIRECTIVE, OPINION]

    answers = tiny_pipeline.analyze_all(
        [Request(str(i), from_text(t)) for i, t in enumerate(texts)]
    )

    assert [answer.id for answer in answers] == ["0", "1", "2", "3"]
    assert [answer.kind for answer in answers] == ["opinion", "unknown", "official", "opinion"]


def test_no_requests_have_no_answers(tiny_pipeline: Pipeline) -> None:
    assert tiny_pipeline.analyze_all([]) == ()


def test_a_batch_with_much_text_is_read_in_parts_to_the_same_answers(
    tiny_pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [Request(str(i), from_text(OPINION * i)) for i in range(6)]
    whole = tiny_pipeline.analyze_all(requests)

    monkeypatch.setattr("nlp.pipeline._MAX_PASS_CHARS", 100)

    assert tiny_pipeline.analyze_all(requests) == whole


def test_every_answer_says_what_made_it(opinion: Analysis, tiny_classifier: Classifier) -> None:
    made_by = opinion.provenance

    assert (made_by.model, made_by.model_version) == ("tiny", "0.0.1")
    assert made_by.model_sha256 == tiny_classifier.sha256
    assert (made_by.taxonomy, made_by.taxonomy_version) == ("ct07", "1.0.0")
    assert made_by.code_version.count(".") == 2


def test_an_answer_is_plain_json(official: Analysis, opinion: Analysis) -> None:
    for answer in (official, opinion):
        wire = json.loads(json.dumps(asdict(answer)))
        assert set(wire) == set(Analysis.__slots__)


def test_what_the_reader_found_wrong_is_passed_on(tiny_pipeline: Pipeline) -> None:
    doc = Document(OPINION, (), issues=("broken_bytes",))

    answer = tiny_pipeline.analyze(Request("a", doc))

    assert "broken_bytes" in answer.text_quality.issues


def test_what_comes_close_is_weighed_with_the_words_for_the_first(
    tiny_pipeline: Pipeline, opinion: Analysis
) -> None:
    weighed = tiny_pipeline.weigh(Request("a", from_text(OPINION), "opinion"), "civic_field")

    assert len(weighed) == len(tiny_pipeline.classifier.heads["civic_field"].labels)
    assert [label.probability for label in weighed] == sorted(
        (label.probability for label in weighed), reverse=True
    )
    assert opinion.civic_field.guess is not None
    assert (weighed[0].code, weighed[0].probability) == (
        opinion.civic_field.guess.code,
        opinion.civic_field.guess.probability,
    )
    assert weighed[0].evidence == opinion.civic_field.labels[0].evidence
    assert not any(label.evidence for label in weighed[1:])


def test_a_document_is_weighed_by_its_surest_paragraphs(
    tiny_pipeline: Pipeline, official: Analysis
) -> None:
    weighed = tiny_pipeline.weigh(Request("a", from_text(DIRECTIVE), "official"), "task_area")

    found = {label.code: label.probability for label in weighed}
    assert {label.code: found[label.code] for label in official.task_area.labels} == {
        label.code: label.probability for label in official.task_area.labels
    }
    assert weighed[0].evidence
    assert weighed[0].probability == max(found.values())


def test_an_empty_document_has_nothing_to_weigh(tiny_pipeline: Pipeline) -> None:
    assert tiny_pipeline.weigh(Request("a", from_text(""), "official"), "task_area") == ()

"""Figures, on answers small enough to count by hand."""

import numpy as np
import pytest

from models.corpus import Example
from models.evaluate import evaluate, expected_calibration_error, measure
from models.heads import questions_of
from models.linear import LinearClassifier
from nlp.protocols import HeadSpec
from nlp.taxonomy import Taxonomy

SPEC = HeadSpec("h", ("a", "b"), multi=True, assert_at=(0.7, 0.7))


def test_figures_of_a_multi_head_are_counted_as_by_hand() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.8], [0.2, 0.75], [0.1, 0.2]], dtype=np.float32)
    gold = np.array([[1, 0], [1, 1], [1, 0], [0, 0]], dtype=bool)

    figures = measure(probabilities, gold, spec=SPEC)

    assert figures["n"] == 4
    assert figures["accuracy"] == 0.667  # two of the three labelled texts
    assert figures["labels"]["a"] == {"precision": 1.0, "recall": 0.667, "f1": 0.8, "support": 3}
    assert figures["labels"]["b"] == {"precision": 0.5, "recall": 1.0, "f1": 0.667, "support": 1}
    assert figures["macro_f1"] == 0.733
    assert figures["micro_f1"] == 0.75
    assert figures["asserted_precision"] == 0.667
    assert figures["asserted_recall"] == 0.5
    assert figures["coverage"] == 0.75


def test_an_exclusive_head_counts_its_best_label() -> None:
    spec = HeadSpec("h", ("a", "b"), multi=False, assert_at=(0.7, 0.7))
    probabilities = np.array([[0.51, 0.49], [0.3, 0.7]], dtype=np.float32)

    figures = measure(probabilities, np.array([[1, 0], [1, 0]], dtype=bool), spec=spec)

    assert figures["accuracy"] == figures["micro_f1"] == 0.5
    assert figures["asserted_precision"] == 0.0


def test_coverage_is_how_far_down_nine_in_ten_are_right() -> None:
    spec = HeadSpec("h", ("a", "b"), multi=False, assert_at=(0.7, 0.7))
    sure = np.linspace(0.99, 0.6, 20, dtype=np.float32)
    gold = np.ones((20, 2), dtype=bool)
    gold[:, 1] = False
    gold[[4, 11, 12, 13, 14], 0] = False  # 9 of 10, then 10 of 11, then 10 of 12 are right

    figures = measure(np.column_stack([sure, 1 - sure]), gold, spec=spec)

    assert figures["coverage_at_90"] == 11 / 20


def test_a_label_nobody_has_does_not_count_for_the_mean() -> None:
    probabilities = np.array([[0.9, 0.1]], dtype=np.float32)

    assert measure(probabilities, np.array([[1, 0]], dtype=bool), spec=SPEC)["macro_f1"] == 1.0


def test_texts_without_any_label_raise_no_warning() -> None:
    figures = measure(np.zeros((3, 2), np.float32), np.zeros((3, 2), bool), spec=SPEC)

    assert figures["accuracy"] == figures["asserted_precision"] == 0.0


@pytest.mark.parametrize(
    ("confidence", "right", "expected"),
    [
        ([0.95, 0.95, 0.95, 0.95], [1, 1, 1, 1], 0.05),
        ([1.0, 1.0], [0, 0], 1.0),
        ([0.5, 0.5, 0.95], [1, 0, 1], 0.05 / 3),
        ([0.0], [0], 0.0),
    ],
)
def test_the_calibration_error_is_the_mean_gap(
    confidence: list[float], right: list[int], expected: float
) -> None:
    error = expected_calibration_error(
        np.array(confidence, dtype=np.float32), np.array(right, dtype=bool)
    )

    assert error == pytest.approx(expected, abs=1e-6)


def test_heads_without_examples_are_left_out(
    tiny_classifier: LinearClassifier, pack: Taxonomy
) -> None:
    poem = Example("Trăng sáng trên sông.", "other")

    report = evaluate(tiny_classifier, [poem], taxonomy=pack)

    assert set(report) == {"text_kind", "task_area_official", "civic_field", "task_area_opinion"}


def test_a_text_of_no_kind_teaches_that_nothing_holds(pack: Taxonomy) -> None:
    poem = Example("Trăng sáng trên sông.", "other")

    targets = {q.name: q for q in questions_of(pack) if q.select([poem])}

    assert not targets["task_area_official"].targets([poem]).any()
    fields = targets["civic_field"]
    [row] = fields.targets([poem])
    assert [fields.labels[i] for i in np.flatnonzero(row)] == ["LV00"]


def test_answers_become_columns_in_the_order_of_labels(pack: Taxonomy) -> None:
    opinion = Example(
        "a", "opinion", ("DV3.5",), None, None, ("LV10", "LV01"), "negative", "complaint"
    )

    for question in questions_of(pack):
        if question.select([opinion]):
            [row] = question.targets([opinion])
            labels = {question.labels[i] for i in np.flatnonzero(row)}
            assert labels == set(question.answers(opinion))

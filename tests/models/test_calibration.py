"""Calibration recovers what made the answers; thresholds keep the precision they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import (
    BoolArray,
    assert_threshold,
    fit_calibration,
    fit_confidence,
    reject_threshold,
    second_threshold,
)
from nlp.protocols import FloatArray


def test_a_sigmoid_is_found_again() -> None:
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(20_000, 2)).astype(np.float32)
    truth = 1 / (1 + np.exp(-(2.5 * scores - 0.7)))
    gold = rng.random(scores.shape) < truth

    slope, offset = fit_calibration(scores, gold, multi=True)

    np.testing.assert_allclose(slope, [2.5, 2.5], atol=0.1)
    np.testing.assert_allclose(offset, [-0.7, -0.7], atol=0.1)


def test_a_temperature_is_found_again() -> None:
    rng = np.random.default_rng(4)
    scores = rng.normal(size=(20_000, 3)).astype(np.float32)
    logits = 1.8 * scores
    truth = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    drawn = (truth.cumsum(axis=1) > rng.random((len(scores), 1))).argmax(axis=1)

    slope, offset = fit_calibration(scores, np.eye(3, dtype=bool)[drawn], multi=False)

    np.testing.assert_allclose(slope, [1.8] * 3, atol=0.1)
    np.testing.assert_allclose(offset - offset.mean(), [0, 0, 0], atol=0.1)


def test_how_sure_the_best_label_is_is_found_again() -> None:
    rng = np.random.default_rng(6)
    top = rng.uniform(0.34, 0.99, size=20_000)
    rest = (1 - top)[:, None] * [0.6, 0.4]
    probabilities = np.column_stack([top, rest]).astype(np.float32)
    truth = 1 / (1 + np.exp(-(0.6 * np.log(top / (1 - top)) + 0.2)))
    gold = np.zeros((len(top), 3), dtype=bool)
    gold[np.arange(len(top)), np.where(rng.random(len(top)) < truth, 0, 1)] = True

    np.testing.assert_allclose(fit_confidence(probabilities, gold), [0.6, 0.2], atol=0.06)


def test_answers_that_are_always_right_leave_their_confidence_alone() -> None:
    probabilities = np.array([[0.6, 0.4], [0.3, 0.7]], dtype=np.float32)

    assert fit_confidence(probabilities, np.eye(2, dtype=bool)).tolist() == [1, 0]
    assert fit_confidence(probabilities, ~np.eye(2, dtype=bool)).tolist() == [1, 0]


@pytest.mark.parametrize("multi", [True, False])
def test_texts_that_can_be_told_apart_without_fault_are_no_trouble(multi: bool) -> None:
    gold = np.eye(3, dtype=bool)[np.arange(300) % 3]
    scores = np.where(gold, 5, -5).astype(np.float32)

    slope, offset = fit_calibration(scores, gold, multi=multi)

    assert np.isfinite([*slope, *offset]).all()
    assert slope[0] > 0


def test_the_fit_is_rounded_so_that_machines_agree() -> None:
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(200, 2)).astype(np.float32)

    for fitted in fit_calibration(scores, rng.random(scores.shape) < 0.5, multi=True):
        np.testing.assert_array_equal(
            fitted, np.round(fitted.astype(np.float64), 3).astype(np.float32)
        )


@st.composite
def answers(draw: st.DrawFn) -> tuple[FloatArray, BoolArray]:
    """Probabilities and gold labels, shape (n, 2); many probabilities are equal."""
    n = draw(st.integers(20, 120))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    digits = draw(st.sampled_from([1, 2, 3, 7]))
    probabilities = np.round(rng.random((n, 2)) ** draw(st.sampled_from([0.3, 1, 3])), digits)
    gold = rng.random((n, 2)) < probabilities * draw(st.floats(0.3, 1))
    return probabilities.astype(np.float32), gold


@given(answers(), st.sampled_from([0.5, 0.8, 0.9, 1.0]))
def test_what_is_asserted_has_the_precision_asked(
    found: tuple[FloatArray, BoolArray], precision: float
) -> None:
    probabilities, gold = found

    at = assert_threshold(probabilities, gold, precision=precision)

    asserted = probabilities >= np.float32(at)
    assert at == 1.01 or gold[asserted].mean() >= precision


@given(answers(), st.sampled_from([0.5, 0.8, 0.9]), st.sampled_from([0.05, 0.3, 1.01]))
def test_what_is_rejected_has_the_precision_asked_and_is_not_asserted(
    found: tuple[FloatArray, BoolArray], precision: float, below: float
) -> None:
    probabilities, gold = found

    at = reject_threshold(probabilities, gold, precision=precision, below=below)

    rejected = probabilities.max(axis=1) < np.float32(at)
    assert at <= below
    assert at == 0.0 or (~gold[rejected].any(axis=1)).mean() >= precision


@given(answers(), st.sampled_from([0.5, 0.75]), st.sampled_from([0.0, 0.5, 1.01]))
def test_what_is_added_as_a_second_label_has_the_precision_asked(
    found: tuple[FloatArray, BoolArray], precision: float, assert_at: float
) -> None:
    probabilities, gold = found

    at = second_threshold(probabilities, gold, precision=precision, assert_at=assert_at)

    first_asserted = probabilities.max(axis=1) >= np.float32(assert_at)
    second = np.argsort(-probabilities, axis=1, kind="stable")[:, 1]
    rows = np.flatnonzero(first_asserted & (probabilities.min(axis=1) >= np.float32(at)))
    assert at == 1.01 or gold[rows, second[rows]].mean() >= precision


def test_a_lower_precision_asserts_no_less() -> None:
    rng = np.random.default_rng(6)
    probabilities = rng.random((500, 4)).astype(np.float32)
    gold = rng.random(probabilities.shape) < probabilities

    thresholds = [assert_threshold(probabilities, gold, precision=p) for p in (0.6, 0.75, 0.9)]

    assert thresholds == sorted(thresholds)
    assert thresholds[0] < thresholds[-1] < 1


def test_a_precision_out_of_reach_asserts_nothing() -> None:
    probabilities = np.full((50, 1), 0.9, dtype=np.float32)

    assert assert_threshold(probabilities, np.zeros((50, 1), dtype=bool), precision=0.9) == 1.01


def test_answers_too_few_to_judge_assert_nothing() -> None:
    probabilities = np.linspace(0, 1, 50, dtype=np.float32).reshape(-1, 1)

    assert assert_threshold(probabilities, probabilities > 0.8, precision=0.9) == 1.01


def test_equal_probabilities_are_asserted_together_or_not_at_all() -> None:
    probabilities = np.repeat(np.array([1, 0], dtype=np.float32), [19, 500]).reshape(-1, 1)

    assert assert_threshold(probabilities, probabilities == 1, precision=0.9) == 1.01


def test_nothing_is_rejected_where_every_text_has_a_label() -> None:
    probabilities = np.linspace(0, 1, 50, dtype=np.float32).reshape(-1, 1)
    gold = np.ones((50, 1), dtype=bool)

    assert reject_threshold(probabilities, gold, precision=0.9, below=0.5) == 0.0

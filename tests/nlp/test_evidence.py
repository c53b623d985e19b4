"""Weights of tokens to a few spans."""

import itertools
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nlp.evidence import MAX_SPANS, pick_evidence
from nlp.protocols import Attribution
from nlp.types import Span


def attribution(*questions: Sequence[float], speaks: Sequence[bool] | None = None) -> Attribution:
    """Tokens of three code points, a blank after each: token i is [4i, 4i + 3)."""
    sizes = [len(weights) for weights in questions]
    starts = np.concatenate([np.arange(n) * 4 for n in sizes]).astype(np.int64)
    return Attribution(
        n_questions=len(questions),
        questions=np.repeat(np.arange(len(questions)), sizes),
        starts=starts,
        ends=starts + 3,
        weights=np.array([w for weights in questions for w in weights], dtype=np.float32),
        speaks=np.array(speaks or [True] * sum(sizes), dtype=np.bool_),
    )


def test_neighbouring_strong_tokens_are_one_span() -> None:
    assert pick_evidence(attribution([0.0, 1.0, 0.9, 0.1, 0.5])) == [(Span(4, 11), Span(16, 19))]


def test_a_token_below_a_share_of_the_strongest_proves_nothing() -> None:
    assert pick_evidence(attribution([1.0, 0.0, 0.29, 0.0, 0.31])) == [(Span(0, 3), Span(16, 19))]


def test_the_runs_with_the_largest_sums_are_kept_in_the_order_of_the_text() -> None:
    [spans] = pick_evidence(attribution([0.5, 0, 0.6, 0, 0.4, 0.4, 0, 0.9, 0]))

    assert spans == (Span(8, 11), Span(16, 23), Span(28, 31))
    assert len(spans) == MAX_SPANS


def test_what_speaks_against_a_label_is_no_evidence() -> None:
    assert pick_evidence(attribution([-1.0, -0.5], [0.0])) == [(), ()]


def test_a_punctuation_mark_proves_nothing_however_heavy() -> None:
    assert pick_evidence(attribution([9.0, 1.0], speaks=[False, True])) == [(Span(4, 7),)]


def test_questions_do_not_run_into_each_other() -> None:
    assert pick_evidence(attribution([0.0, 1.0], [1.0], [])) == [(Span(4, 7),), (Span(0, 3),), ()]


def test_no_question_has_no_answer() -> None:
    assert pick_evidence(attribution([])) == [()]


weights = st.lists(st.floats(-1, 1, width=32), max_size=12)


@given(st.lists(weights, min_size=1, max_size=4))
def test_spans_are_few_ordered_apart_and_made_of_tokens_that_speak_for_the_label(
    questions: list[list[float]],
) -> None:
    for own, spans in zip(questions, pick_evidence(attribution(*questions)), strict=True):
        assert len(spans) <= MAX_SPANS
        assert bool(spans) == any(weight > 0 for weight in own)
        assert all(a.end + 1 < b.start for a, b in itertools.pairwise(spans))
        for span in spans:
            assert all(own[i] > 0 for i in range(span.start // 4, (span.end + 1) // 4))

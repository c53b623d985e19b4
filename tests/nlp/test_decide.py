"""Probabilities to answers: what is asserted, rejected, and left to a person."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.decide import Verdict, category_result, decide, merge_paragraphs
from nlp.protocols import HeadSpec
from nlp.types import AssignedLabel, Guess, Span

AREAS = HeadSpec("task_area", ("A", "B", "C"), multi=True, assert_at=(0.6,) * 3, reject_below=0.2)
TONES = HeadSpec("tone", ("A", "B", "C"), multi=False, assert_at=(0.6,) * 3)


def verdict(
    *probabilities: float, head: HeadSpec = AREAS, reject_code: str | None = None
) -> Verdict:
    row = np.array([probabilities], dtype=np.float32)
    [answer] = decide(row, head=head, max_labels=2, reject_code=reject_code)
    return answer


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ((0.1, 0.6, 0.3), Verdict("labelled", Guess("B", 0.6), (("B", 0.6),))),
        ((0.7, 0.1, 0.9), Verdict("labelled", Guess("C", 0.9), (("C", 0.9), ("A", 0.7)))),
        ((0.9, 0.8, 0.7), Verdict("labelled", Guess("A", 0.9), (("A", 0.9), ("B", 0.8)))),
        ((0.1, 0.59, 0.3), Verdict("abstain", Guess("B", 0.59))),
        ((0.1, 0.2, 0.0), Verdict("abstain", Guess("B", 0.2))),
        ((0.1, 0.19, 0.0), Verdict("none_of_these", Guess("B", 0.19))),
        ((0.5, 0.5, 0.5), Verdict("abstain", Guess("A", 0.5))),
    ],
)
def test_thresholds_decide(probabilities: tuple[float, ...], expected: Verdict) -> None:
    assert verdict(*probabilities) == expected


def test_an_exclusive_head_never_rejects() -> None:
    assert verdict(0.0, 0.1, 0.05, head=TONES).decision == "abstain"


def test_the_category_none_of_these_rejects_when_it_is_the_surest() -> None:
    assert verdict(0.7, 0.1, 0.9, reject_code="C") == Verdict("none_of_these", Guess("C", 0.9))


def test_the_category_none_of_these_is_no_label_beside_a_surer_one() -> None:
    assert verdict(0.9, 0.1, 0.7, reject_code="C").chosen == (("A", 0.9),)


def test_the_category_none_of_these_decides_nothing_below_its_threshold() -> None:
    assert verdict(0.1, 0.1, 0.5, reject_code="C").decision == "abstain"


def test_two_probabilities_that_round_alike_keep_their_order() -> None:
    answer = verdict(0.90001, 0.90002, 0.0)

    assert answer.guess.code == answer.chosen[0][0] == "B"


PAIRS = HeadSpec("field", ("A", "B", "C"), multi=False, assert_at=(0.6,) * 3, also_at=0.2)


@pytest.mark.parametrize(
    ("probabilities", "codes"),
    [
        ((0.65, 0.25, 0.1), ["A", "B"]),
        ((0.85, 0.1, 0.05), ["A"]),
        ((0.5, 0.45, 0.05), []),
        ((0.7, 0.05, 0.25), ["A"]),
    ],
)
def test_a_second_label_is_asserted_only_beside_a_first(
    probabilities: tuple[float, ...], codes: list[str]
) -> None:
    answer = verdict(*probabilities, head=PAIRS, reject_code="C")

    assert [code for code, _ in answer.chosen] == codes


def test_no_texts_have_no_verdicts() -> None:
    assert decide(np.zeros((0, 3), dtype=np.float32), head=AREAS) == ()


unit = st.floats(0, 1, width=32)


@given(st.lists(st.tuples(unit, unit, unit), max_size=5), st.sampled_from([None, "C"]))
def test_every_row_is_decided_as_if_alone(
    rows: list[tuple[float, float, float]], reject_code: str | None
) -> None:
    together = decide(
        np.array(rows, dtype=np.float32).reshape(-1, 3),
        head=AREAS,
        max_labels=2,
        reject_code=reject_code,
    )

    assert together == tuple(verdict(*row, reject_code=reject_code) for row in rows)
    for answer in together:
        assert bool(answer.chosen) == (answer.decision == "labelled")
        assert all(0 <= probability <= 1 for _, probability in answer.chosen)
        assert not answer.chosen or answer.chosen[0][1] <= answer.guess.probability


def test_a_facet_shows_its_labels_with_their_evidence() -> None:
    answer = Verdict("labelled", Guess("A", 0.9), (("A", 0.9), ("B", 0.7)))

    result = category_result(
        answer, row=3, evidence={(3, "A"): (Span(0, 4),), (3, "B"): (), (0, "A"): ()}
    )

    assert result.primary == "A"
    assert result.labels == (AssignedLabel("A", 0.9, (Span(0, 4),)), AssignedLabel("B", 0.7, ()))


def test_a_facet_without_labels_has_no_primary() -> None:
    result = category_result(Verdict("abstain", Guess("A", 0.4)), row=0, evidence={})

    assert (result.decision, result.primary, result.labels) == ("abstain", None, ())
    assert result.guess == Guess("A", 0.4)


SURE_A = Verdict("labelled", Guess("A", 0.9), (("A", 0.9),))
WEAK_B = Verdict("labelled", Guess("B", 0.7), (("B", 0.7),))
NONE = Verdict("none_of_these", Guess("C", 0.1))
DOUBT = Verdict("abstain", Guess("C", 0.5))


def test_a_document_has_every_label_of_its_paragraphs_longest_first() -> None:
    evidence = {(0, "A"): (Span(0, 2),), (1, "B"): (Span(9, 12),), (2, "A"): (Span(40, 44),)}

    result = merge_paragraphs([SURE_A, WEAK_B, SURE_A], lengths=[5, 30, 10], evidence=evidence)

    assert result.decision == "labelled"
    assert result.primary == "B"
    assert result.guess == Guess("B", 0.7)
    assert result.labels == (
        AssignedLabel("B", 0.7, (Span(9, 12),)),
        AssignedLabel("A", 0.9, (Span(0, 2), Span(40, 44))),
    )


def test_equal_length_goes_to_the_more_probable() -> None:
    evidence: dict[tuple[int, str], tuple[Span, ...]] = {(0, "B"): (), (1, "A"): ()}

    assert merge_paragraphs([WEAK_B, SURE_A], lengths=[7, 7], evidence=evidence).primary == "A"


@pytest.mark.parametrize(
    ("verdicts", "decision"),
    [
        ([NONE, NONE], "none_of_these"),
        ([NONE, DOUBT], "abstain"),
        ([NONE, DOUBT, SURE_A], "labelled"),
        ([], "abstain"),
    ],
)
def test_labels_win_over_doubt_and_doubt_over_none(verdicts: list[Verdict], decision: str) -> None:
    evidence: dict[tuple[int, str], tuple[Span, ...]] = {(2, "A"): ()}

    result = merge_paragraphs(verdicts, lengths=[1] * len(verdicts), evidence=evidence)

    assert result.decision == decision
    assert (result.guess is None) == (not verdicts)

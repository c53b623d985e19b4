"""Intervals against published tables, and corrections against worlds whose truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.reference import Confusion
from service.monitor.correction import Answers, correct
from service.monitor.figures import count_range, share_of
from service.monitor.suppression import behind
from tests.benchmarks.correction import Case, simulate


@pytest.mark.parametrize(
    ("n", "low", "high"),
    # exact limits of a Poisson mean: Garwood 1936, as in the tables of Johnson, Kotz & Kemp
    [(10, 4.8, 18.4), (20, 12.2, 30.9), (50, 37.1, 65.9), (100, 81.4, 121.6)],
)
def test_a_count_has_garwood_s_limits(n: int, low: float, high: float) -> None:
    found = count_range(n, k=1)

    assert (found.low, found.high) == (low, high)


def test_rounding_makes_the_interval_of_a_count_wider() -> None:
    exact, rounded = count_range(50, k=1), count_range(50, k=10)

    assert rounded.low < exact.low
    assert rounded.high > exact.high


@pytest.mark.parametrize(
    ("n", "whole", "low", "high"),
    # Newcombe 1998, Statistics in Medicine 17, table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)],
)
def test_a_share_has_wilson_s_limits(n: int, whole: int, low: float, high: float) -> None:
    share = share_of(n, whole, k=1)

    assert share is not None
    assert (share.low, share.high) == (low, high)


@given(st.integers(5, 12), st.integers(1, 40), st.integers(1, 40))
def test_a_share_lies_in_its_interval_and_that_in_0_to_1(k: int, a: int, b: int) -> None:
    part, whole = sorted((a * k, b * k))

    share = share_of(part, whole, k=k)

    assert share is not None
    assert 0 <= share.low <= share.value <= share.high <= 1


def test_nothing_is_a_share_of_a_whole_that_is_not_told() -> None:
    assert share_of(10, None, k=10) is None


LABELS = ("a", "b", "c")
GROUPS = [("a",), ("b",), ("c",), ("a", "b")]
CONFUSION = Confusion(
    LABELS, (*LABELS, "abstain"), ((700, 200, 0, 100), (50, 900, 0, 50), (0, 100, 600, 300))
)


def answered(*truth: int) -> Answers:
    """What the model answers to so many of each label, to the nearest ten."""
    rates = np.array(CONFUSION.counts) / 1000
    seen = np.array(truth) @ rates
    return Answers(tuple(int(round(n, -1)) for n in seen), sum(truth))


def test_errors_and_abstentions_are_undone() -> None:
    [found] = correct([answered(4000, 1000, 2000)], CONFUSION, groups=GROUPS, k=10)

    assert found is not None
    counts = [own.count for own in found]
    assert counts == pytest.approx([4000, 1000, 2000, 5000], rel=0.06)
    assert all(own.low <= own.count <= own.high for own in found)


def test_the_same_counts_give_the_same_answer() -> None:
    periods = [answered(400, 100, 200), answered(100, 50, 100)]

    assert correct(periods, CONFUSION, groups=GROUPS, k=10) == correct(
        periods, CONFUSION, groups=GROUPS, k=10
    )


def test_fewer_texts_give_a_wider_interval() -> None:
    few, many = (
        correct([answered(*(n * own for own in (40, 10, 20)))], CONFUSION, groups=GROUPS, k=10)[0]
        for n in (1, 100)
    )

    assert few is not None
    assert many is not None
    widths = [(own.high - own.low) / own.count for own in (few[0], many[0])]
    assert widths[0] > 2 * widths[1]


def test_nothing_is_corrected_by_too_few_measured_texts() -> None:
    small = Confusion(LABELS, LABELS, ((9, 1, 0), (0, 10, 0), (0, 0, 10)))

    assert correct([answered(400, 100, 200)], small, groups=GROUPS, k=10) == [None]


def test_a_period_that_is_not_told_is_not_corrected() -> None:
    periods = [Answers((None,) * 4, None), answered(400, 100, 200)]

    first, second = correct(periods, CONFUSION, groups=GROUPS, k=10)

    assert first is None
    assert second is not None


def test_answers_that_are_not_told_share_what_is_left() -> None:
    told = Answers((100, None, 100, None), 210)

    [found] = correct([told], CONFUSION, groups=GROUPS, k=10)

    assert found is not None
    assert sum(own.count for own in found[:3]) == pytest.approx(209, abs=3)
    assert behind(100, k=10) == (95, 104)


@pytest.mark.slow
@pytest.mark.parametrize("case", [Case(30.0, 0.7, 2_000, 20_000), Case(None, 0.85, 2_000, 20_000)])
def test_corrected_counts_are_nearer_the_truth_and_their_intervals_hold_it(case: Case) -> None:
    found = simulate(case, n_worlds=40)

    assert found.corrected < 0.7 * found.raw
    assert found.nearer > 0.8
    assert found.covered > 0.88

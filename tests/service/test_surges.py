"""What moves the test for a rise, and what must not. How often it errs: tests/benchmarks/alarms.py."""

import numpy as np
import pytest

from service.monitor.surges import LOOKBACK, MIN_DAYS, WEEK, Counts, level_of, look
from tests.benchmarks.alarms import first_days

WEEKDAYS = np.array([1.3, 1.2, 1.1, 1.0, 1.0, 0.8, 0.6])
LEVEL = 1e-5


def quiet(mean: float, *, n: int = 20, days: int = LOOKBACK + 1, seed: int = 3) -> Counts:
    means = mean * WEEKDAYS[np.arange(days) % WEEK]
    return np.random.default_rng(seed).poisson(means, size=(n, days))


def is_high(counts: Counts, *, start: int = LOOKBACK) -> list[bool]:
    shares = look(counts, start=start).shares(LEVEL)
    return [bool((own < 1).any()) for own in shares.swapaxes(0, 1)]


@pytest.mark.parametrize("mean", [0.2, 2, 10, 200])
def test_a_quiet_day_is_no_rise(mean: float) -> None:
    assert not any(is_high(quiet(mean)))


@pytest.mark.parametrize(("mean", "seen"), [(0.2, 14), (2, 22), (10, 45), (200, 400)])
def test_a_day_far_above_the_usual_is_a_rise(mean: float, seen: int) -> None:
    counts = quiet(mean)
    counts[:, -1] = seen

    assert all(is_high(counts))


def test_a_slow_rise_shows_in_the_week_before_it_shows_in_a_day() -> None:
    counts = quiet(10)
    counts[:, -WEEK:] += 12

    outlook = look(counts, start=LOOKBACK)

    assert np.median(outlook.p_week) < LEVEL < np.median(outlook.p_day)


def test_what_is_expected_follows_the_weekday() -> None:
    counts = quiet(50, days=LOOKBACK + WEEK)

    expected = look(counts, start=LOOKBACK).day.mean(axis=0)

    means = 50 * WEEKDAYS[np.arange(LOOKBACK, LOOKBACK + WEEK) % WEEK]
    assert expected == pytest.approx(means, rel=0.05)


def test_what_is_expected_follows_a_slow_trend() -> None:
    days = np.arange(LOOKBACK + 1)
    counts = np.random.default_rng(1).poisson(200 * np.exp(0.003 * days), size=(20, len(days)))

    expected = look(counts, start=LOOKBACK).day.mean()

    assert expected == pytest.approx(200 * np.exp(0.003 * LOOKBACK), rel=0.05)


@pytest.mark.parametrize("factor", [0.02, 4])
def test_a_holiday_or_an_outbreak_in_the_past_hardly_moves_what_is_expected(factor: float) -> None:
    counts = quiet(50)
    plain = look(counts, start=LOOKBACK)
    counts[:, 30:38] = (counts[:, 30:38] * factor).astype(np.int64)

    changed = look(counts, start=LOOKBACK)

    assert changed.day.mean() == pytest.approx(plain.day.mean(), rel=0.06)


def test_the_week_before_is_no_part_of_what_it_is_held_against() -> None:
    counts = quiet(10)
    before = look(counts, start=LOOKBACK).day
    counts[:, -WEEK:] *= 5

    assert look(counts, start=LOOKBACK).day == pytest.approx(before)


def test_a_series_that_varies_more_needs_more_to_be_high() -> None:
    rng = np.random.default_rng(2)
    calm = rng.poisson(20, size=(50, LOOKBACK + 1))
    wild = rng.poisson(rng.gamma(5, 4, size=(50, LOOKBACK + 1)))
    calm[:, -1] = wild[:, -1] = 55

    assert np.mean(is_high(calm)) > 0.8
    assert not any(is_high(wild))


def test_a_series_is_not_judged_before_it_is_known() -> None:
    counts = quiet(10, n=2)
    counts[:, -1] = 100
    n_days = counts.shape[1]

    since = np.array([n_days - MIN_DAYS - WEEK, n_days - MIN_DAYS - WEEK + 1])

    p = look(counts, start=LOOKBACK, since=since).p_day[:, 0]
    assert p[0] < LEVEL
    assert p[1] == 1


def test_days_before_a_series_is_known_do_not_count_as_empty() -> None:
    counts = quiet(50)
    unknown = counts.copy()
    unknown[:, :20] = 0

    found = look(unknown, start=LOOKBACK, since=np.full(len(counts), 20))

    assert found.day.mean() == pytest.approx(look(counts, start=LOOKBACK).day.mean(), rel=0.03)


def test_looking_at_many_days_is_looking_at_each() -> None:
    counts = quiet(5, days=LOOKBACK + 10)

    at_once = look(counts, start=LOOKBACK).p_week[:, 4]

    assert at_once == pytest.approx(
        look(counts[:, : LOOKBACK + 5], start=LOOKBACK + 4).p_week[:, 0]
    )


def test_false_alarms_are_shared_out_over_series() -> None:
    levels = level_of(6, np.array([0, 1, 100]))

    assert levels == pytest.approx([6 / 365.25, 6 / 365.25, 6 / 36525])


def test_high_days_within_a_week_are_one_alarm() -> None:
    high = np.zeros((1, 30), dtype=np.bool_)
    high[0, [3, 4, 11, 20]] = True

    assert np.flatnonzero(first_days(high)).tolist() == [3, 20]

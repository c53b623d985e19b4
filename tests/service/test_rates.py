"""Windows count what was asked lately, and never more than they have room for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import parse

from service.rates import Rates, TooManyRequests, Window, address_key


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def make(rate: str, *, signing_in: str = "2/minute") -> tuple[Rates, Clock]:
    clock = Clock()
    return Rates(parse(rate), parse(signing_in), Window(clock=clock)), clock


def test_a_window_moves_on() -> None:
    rates, clock = make("2/minute")
    for clock.now in (0.0, 30.0):
        rates.count("a")

    clock.now = 59.0
    with pytest.raises(TooManyRequests) as caught:
        rates.count("a")
    clock.now = 60.0
    rates.count("a")

    assert caught.value.headers == {"retry-after": "1"}


def test_what_was_refused_does_not_count() -> None:
    rates, clock = make("1/minute")
    rates.count("a")
    for clock.now in (20.0, 40.0, 59.0):
        with pytest.raises(TooManyRequests):
            rates.count("a")

    clock.now = 60.0

    rates.count("a")


def test_what_costs_more_than_there_is_takes_all_there_is() -> None:
    rates, _ = make("5/minute")

    rates.count("a", cost=10)

    with pytest.raises(TooManyRequests):
        rates.count("a")


def test_a_forgiven_attempt_leaves_the_others_counted() -> None:
    rates, _ = make("9/minute")
    rates.attempt(["a", "b"])

    rates.attempt(["a"])()
    rates.attempt(["a"])

    with pytest.raises(TooManyRequests):
        rates.attempt(["a"])
    rates.attempt(["b"])


def test_attempts_and_requests_are_counted_apart() -> None:
    rates, _ = make("2/minute")
    for _number in range(2):
        rates.attempt(["a"])

    rates.count("a")


def test_who_was_not_seen_for_longest_is_forgotten_first() -> None:
    window, rate = Window(max_keys=2), parse("1/minute")
    rates = Rates(rate, rate, window)
    for key in "abc":
        rates.count(key)

    rates.count("a")

    with pytest.raises(TooManyRequests):
        rates.count("c")


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(1, 9)), max_size=200))
def test_memory_is_bounded_and_counted_right(requests: list[tuple[str, int]]) -> None:
    clock, rate = Clock(), parse("20/second")
    window = Window(max_keys=4, max_moments=30, clock=clock)
    rates = Rates(rate, rate, window)

    for key, cost in requests:
        clock.now += 0.05
        try:
            rates.count(key, cost=cost)
        except TooManyRequests:
            continue
        finally:
            assert len(window) <= 30
            kept = [window.get(rate.key_for(name)) for name in "abcdefgh"]
            assert sum(kept) == len(window)
            assert sum(count > 0 for count in kept) <= 4
            assert max(kept) <= 20


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("203.0.113.7", "address:203.0.113.7"),
        ("::ffff:203.0.113.7", "address:203.0.113.7"),
        ("2001:db8::1", "address:2001:db8::"),
        ("2001:db8:0:0:ffff::9", "address:2001:db8::"),
        ("2001:db8:0:1::1", "address:2001:db8:0:1::"),
        ("testclient", "address:unknown"),
        (None, "address:unknown"),
    ],
)
def test_an_address_is_one_caller(host: str | None, expected: str) -> None:
    assert address_key(host) == expected

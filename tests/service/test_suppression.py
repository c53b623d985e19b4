"""Nobody can work a small group out of what is told, whatever two questions are asked."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.reference import Confusion
from service.monitor.periods import Period
from service.monitor.suppression import behind, disclose
from service.monitor.told import Figure, Trends
from service.monitor.trends import Question, find_trends
from service.store import tables
from service.store.dialect import open_engine, writing
from service.store.query import Query
from tests.service.asking import FIELDS, Archive, archives, fill, questions
from tests.service.heard import LEXICON, MONDAY, Heard

sizes = st.integers(5, 12)
counts = st.integers(0, 400)


@given(counts, sizes)
def test_a_small_count_is_not_told_and_others_are_multiples(n: int, k: int) -> None:
    told = disclose(n, k=k)

    assert (told is None) == (n < k)
    assert told is None or (told % k == 0 and abs(told - n) <= k / 2)


@given(counts, sizes)
def test_what_is_told_is_true_of_each_count_behind_it_and_of_no_other(n: int, k: int) -> None:
    least, most = behind(disclose(n, k=k), k=k)

    found = [other for other in range(500) if disclose(other, k=k) == disclose(n, k=k)]

    assert found == list(range(least, most + 1))


@given(counts, counts, sizes)
def test_what_lies_between_a_group_and_a_larger_one_may_be_nobody_or_many(
    n: int, n_more: int, k: int
) -> None:
    inner, outer = disclose(n, k=k), disclose(n + n_more, k=k)

    assert is_safe(inner, outer, k=k)


def is_safe(inner: int | None, outer: int | None, *, k: int) -> bool:
    """Whether, by two figures, what the outer group has besides the inner is not surely 1 to k - 1."""
    low = max(behind(outer, k=k)[0] - behind(inner, k=k)[1], 0)
    high = behind(outer, k=k)[1] - behind(inner, k=k)[0]
    return low == 0 or high >= k


# The whole way: archives, questions, and every figure of the answers.

CONFUSION = Confusion(FIELDS, (*FIELDS, "abstain"), ((90, 5, 0, 5), (8, 80, 2, 10), (0, 0, 60, 40)))


@pytest.fixture(scope="module")
def plain_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """Tables without migrations: a new archive for each example must come quickly."""
    folder: Path = tmp_path_factory.mktemp("store")
    engine = open_engine(f"sqlite:///{folder}/store.db")
    tables.metadata.create_all(engine)
    names = [
        {"name": name, "channel": "test", "legal_basis": "-", "retention_days": 9}
        for name in ("demo", "web_upload")
    ]
    with writing(engine) as connection:
        connection.execute(tables.sources.insert(), names)
    yield engine
    engine.dispose()


def ask(engine: sa.Engine, question: Question) -> Trends:
    return find_trends(engine, question, lexicon=LEXICON, confusions={"civic_field": CONFUSION})


Names = frozenset[tuple[str, str]]


def figures(answer: Trends) -> Iterator[tuple[Period, Names, Figure]]:
    """Every figure with what it is of: its days and codes."""
    whole = answer.sample.period
    yield whole, frozenset(), answer.total
    yield from ((point.period, frozenset(), point.figure) for point in answer.points)
    for group in answer.groups:
        of = frozenset({(answer.by, group.code)})
        yield whole, of, group.figure
        yield from ((point.period, of, point.figure) for point in group.points)
        for part in group.parts:
            both = of | {(str(answer.then), part.code)}
            yield whole, both, part.figure
            yield from ((point.period, both, point.figure) for point in part.points)


def members(
    archive: Archive, question: Question, *, period: Period, names: Names
) -> frozenset[int]:
    """Which opinions a figure is of, found without SQL."""
    wanted = {*names, *question.asked.items()}
    return frozenset(
        number
        for number, own in enumerate(archive, start=1)
        if period.day_from <= own.day < period.day_to
        and own.again_of in {None, number}
        and all(stands_in(own, *name) for name in wanted)
    )


def stands_in(own: Heard, dimension: str, code: str) -> bool:
    if dimension == "papi":
        [view] = LEXICON.taxonomy.views
        [part] = [part for part in view.parts if part.code == code]
        return bool({field for _, field in part.labels} & {*own.fields})
    codes: dict[str, tuple[str, ...]] = {
        "civic_field": own.fields or ("abstain",),
        "sentiment": (own.sentiment,),
        "source": (own.source,),
        "ward": tuple(code for _, code in own.places),
    }
    return code in codes[dimension]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(archives(), questions(), questions())
def test_no_two_figures_of_any_two_answers_give_a_small_group_away(
    plain_store: sa.Engine, archive: Archive, one: Question, other: Question
) -> None:
    fill(plain_store, archive)

    told = {
        members(archive, question, period=period, names=names): figure
        for question in (one, other)
        for period, names, figure in figures(ask(plain_store, question))
    }

    for inner, figure in told.items():
        assert figure.count == disclose(len(inner), k=10)
        for outer, larger in told.items():
            difference = abs((larger.count or 0) - (figure.count or 0))
            assert difference == 0 or difference >= 10
            if inner <= outer:
                assert is_safe(figure.count, larger.count, k=10)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(archives(), questions())
def test_whatever_else_is_told_follows_from_rounded_counts(
    plain_store: sa.Engine, archive: Archive, question: Question
) -> None:
    fill(plain_store, archive)

    answer = ask(plain_store, question)

    sample = answer.sample
    counted = [sample.n, sample.reposts, *(source.count for source in sample.sources)]
    for _, _, figure in figures(answer):
        counted += [figure.count, figure.reposts]
        if figure.corrected is not None:
            counted += [figure.corrected.count, figure.corrected.answered]
        if figure.suppressed:
            assert figure == Figure(None, suppressed=True)
    assert all(n is None or (n >= 10 and n % 10 == 0) for n in counted)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(archives(), questions(), st.integers(0, 8))
def test_answers_are_the_same_wherever_the_rounded_counts_are(
    plain_store: sa.Engine, archive: Archive, question: Question, n_more: int
) -> None:
    fill(plain_store, archive)
    before = ask(plain_store, question)
    other = Heard(day=question.period.day_from, fields=("LV05",), source="web_upload")
    larger = (*archive, *[other] * n_more)
    fill(plain_store, larger)

    after = ask(plain_store, question)

    if all(
        disclose(len(members(archive, question, period=period, names=names)), k=10)
        == disclose(len(members(larger, question, period=period, names=names)), k=10)
        for period, names, _ in figures(before)
    ) and sample_counts(archive, question) == sample_counts(larger, question):
        assert told_of(after) == told_of(before)


def sample_counts(archive: Archive, question: Question) -> Any:
    return [
        disclose(
            len(
                members(
                    archive, question, period=question.period, names=frozenset({("source", name)})
                )
            ),
            k=10,
        )
        for name in ("demo", "web_upload")
    ]


def told_of(answer: Trends) -> list[tuple[Period, Names, Figure]]:
    return list(figures(answer))


def test_a_day_more_does_not_tell_of_the_few_who_wrote_on_it(plain_store: sa.Engine) -> None:
    tuesday = MONDAY + timedelta(days=1)
    fill(plain_store, (*[Heard()] * 12, *[Heard(day=tuesday)] * 2))

    monday, both = (
        ask(plain_store, Question(query(until), Period(MONDAY, until), "civic_field", 10))
        for until in (tuesday, tuesday + timedelta(days=1))
    )

    assert (monday.total.count, both.total.count) == (10, 10)


def query(until: date) -> Query:
    return Query(kind="opinion", day_from=MONDAY, day_to=until)

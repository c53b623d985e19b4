"""What opinions are about, over time: figures that may be told, each with what it is worth."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from models.reference import Confusion
from nlp.errors import InputError
from service.monitor.counts import Tally, count_opinions
from service.monitor.dimensions import (
    PLACES,
    Dimension,
    Lexicon,
    Name,
    build_dimension,
    find_view,
)
from service.monitor.periods import Period, Step, cut
from service.monitor.suppression import disclose
from service.monitor.telling import Teller
from service.monitor.told import OfSource, Sample, Trends
from service.store.dialect import snapshot
from service.store.intake import Source
from service.store.query import Query
from service.store.stack import read_stack
from service.store.views import list_sources

_MAX_PERIODS = 400
_MAX_FIGURES = 20_000


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: opinions of a query, whose days are those of `period`, by one or two dimensions.

    `asked` are its filters as the list of opinions takes them. Groups below `k` are not told.
    """

    query: Query
    period: Period
    by: Name
    k: int
    then: Name | None = None
    step: Step = "week"
    asked: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Counted:
    """The exact counts: of all, by the first dimension, by both where there are two.

    What one tally can tell is counted once.
    """

    whole: Tally
    first: Tally
    both: Tally | None


def find_trends(
    engine: sa.Engine,
    question: Question,
    *,
    lexicon: Lexicon,
    confusions: Mapping[str, Confusion],
) -> Trends:
    """Count, and tell what may be told; `confusions` are those of the model, by facet.

    Raises:
        InputError: the same dimension is asked for twice, the taxonomy lacks a view, or there would be
            more figures than an answer can hold.
    """
    if question.by == question.then:
        raise InputError("`then` must be another dimension than `by`; leave it out")
    periods = cut(question.period, question.step)
    if len(periods) > _MAX_PERIODS:
        raise InputError(f"more than {_MAX_PERIODS} periods; take a longer step or fewer days")
    sources = list_sources(engine)
    names = (question.by, question.then) if question.then else (question.by,)
    dimensions = tuple(build_dimension(name, lexicon, sources=sources) for name in names)
    counted = _count(engine, question, dimensions=dimensions, periods=periods)
    whole = counted.whole.of(())
    teller = Teller(
        period=question.period,
        periods=periods if question.step != "none" else (),
        dimensions=dimensions,
        first=counted.first,
        both=counted.both,
        whole=whole,
        k=question.k,
        asked=question.asked,
    )
    if teller.n_figures > _MAX_FIGURES:
        raise InputError(f"more than {_MAX_FIGURES} figures; take a longer step, or no `then`")
    total, points = teller.total()
    return Trends(
        by=question.by,
        then=question.then,
        step=question.step,
        k=question.k,
        total=total,
        points=points,
        groups=tuple(teller.trends(confusions)),
        sample=_sample(question, counted.whole, sources=sources, lexicon=lexicon),
        notes=tuple(_notes(dimensions, lexicon=lexicon, k=question.k, corrected=confusions)),
    )


def _count(
    engine: sa.Engine,
    question: Question,
    *,
    dimensions: tuple[Dimension, ...],
    periods: Sequence[Period],
) -> _Counted:
    starts = [period.day_from for period in periods]
    with snapshot(engine) as connection:
        stack = read_stack(connection)

        def count(*by: Dimension) -> Tally:
            return count_opinions(
                connection, question.query, dimensions=by, starts=starts, stack=stack
            )

        every = count(*dimensions)
        names_places = [dimension.name in PLACES for dimension in dimensions]
        return _Counted(
            whole=count() if any(names_places) else every,
            first=count(dimensions[0]) if any(names_places[1:]) else every,
            both=every if len(dimensions) > 1 else None,
        )


def _sample(
    question: Question, whole: Tally, *, sources: Sequence[Source], lexicon: Lexicon
) -> Sample:
    every, k = whole.of(()), question.k
    return Sample(
        n=disclose(sum(every.once), k=k),
        reposts=disclose(sum(every.again), k=k),
        period=question.period,
        sources=tuple(
            OfSource(one.name, one.channel, disclose(whole.sources.get(one.name, 0), k=k))
            for one in sources
        ),
        notice=lexicon.words["trends"]["notice"],
    )


def _notes(
    dimensions: Sequence[Dimension], *, lexicon: Lexicon, k: int, corrected: Collection[str]
) -> Iterator[str]:
    """What a reader must know, in Vietnamese."""
    words = lexicon.words["trends"]
    yield words["suppressed"].format(k=k)
    yield words["reposts"]
    if any(dimension.is_many for dimension in dimensions):
        yield words["many"]
    if any(dimension.name in PLACES for dimension in dimensions):
        yield words["places"]
    if any(dimension.name == "papi" for dimension in dimensions):
        yield find_view(lexicon.taxonomy, "papi").note
    if len(dimensions) == 1 and dimensions[0].name in corrected:
        yield words["corrected"]

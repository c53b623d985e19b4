"""Random archives with groups of about k opinions, and random questions about them."""

from datetime import timedelta

import sqlalchemy as sa
from hypothesis import strategies as st

from service.monitor.dimensions import Name
from service.monitor.periods import Period, Step
from service.monitor.trends import Question
from service.store.dialect import writing
from service.store.query import LabelFilter, Query
from tests.service.heard import MONDAY, TABLES, Heard, keep

Archive = tuple[Heard, ...]
N_DAYS = 15
_STEPS: tuple[Step, ...] = ("week", "day", "none")
_PAIRS: tuple[tuple[Name, Name | None], ...] = (
    ("civic_field", None),
    ("civic_field", "sentiment"),
    ("ward", "civic_field"),
    ("sentiment", "ward"),
    ("source", None),
    ("papi", None),
)
FIELDS = ("LV02", "LV03", "LV05")
opinions = st.builds(
    Heard,
    day=st.integers(0, N_DAYS - 1).map(lambda n: MONDAY + timedelta(days=n)),
    fields=st.sampled_from([("LV02",), ("LV03",), ("LV03", "LV02"), ("LV05",), ()]),
    sentiment=st.sampled_from(["negative", "negative", "positive"]),
    source=st.sampled_from(["demo", "demo", "web_upload"]),
    places=st.sampled_from([(), (("ward", "00004"),), (("ward", "00004"), ("ward", "00008"))]),
    again_of=st.sampled_from([None, None, None, 1]),
)


@st.composite
def archives(draw: st.DrawFn) -> Archive:
    kinds = draw(st.lists(st.tuples(opinions, st.integers(1, 17)), min_size=1, max_size=9))
    return tuple(own for own, n in kinds for _ in range(n))


@st.composite
def questions(draw: st.DrawFn) -> Question:
    first = draw(st.integers(0, N_DAYS - 1))
    last = draw(st.integers(first + 1, N_DAYS))
    period = Period(MONDAY + timedelta(days=first), MONDAY + timedelta(days=last))
    asked: dict[str, str] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "civic_field": st.sampled_from(FIELDS),
                "sentiment": st.just("negative"),
                "source": st.just("demo"),
                "ward": st.sampled_from(["00004", "00008"]),
            },
        )
    )
    by, then = draw(st.sampled_from(_PAIRS))
    labels = tuple(LabelFilter(f, asked[f]) for f in ("civic_field", "sentiment") if f in asked)
    plain = {name: asked[name] for name in ("source", "ward") if name in asked}
    query = Query(
        kind="opinion",
        labels=labels,
        day_from=period.day_from,
        day_to=period.day_to,
        **plain,  # type: ignore[arg-type] # each is a text
    )
    step = draw(st.sampled_from(_STEPS))
    return Question(query, period, by, 10, then, step, asked)


def fill(engine: sa.Engine, archive: Archive) -> None:
    with writing(engine) as connection:
        for table in TABLES:
            connection.execute(table.delete())
    keep(engine, archive)

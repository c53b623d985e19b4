"""Rows become lines and come back as they were, whatever is in them and whichever database it is."""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.store import dump, tables
from service.store.dialect import UtcDateTime, open_engine, writing

METADATA = sa.MetaData()
ODD = sa.Table(
    "odd",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("order", sa.Text),  # a word of SQL
    sa.Column("number", sa.BigInteger),
    sa.Column("share", sa.Float),
    sa.Column("yes", sa.Boolean),
    sa.Column("day", sa.Date),
    sa.Column("moment", UtcDateTime),
    sa.Column("sealed", sa.LargeBinary),
    sa.Column("value", sa.JSON),
)
# PostgreSQL keeps no NUL, and no database half a surrogate pair
_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
_numbers = st.integers(-(2**63), 2**63 - 1)
_floats = st.floats(allow_nan=False)  # SQLite keeps a null in place of it
_moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
_values = st.recursive(
    st.booleans() | _texts | _numbers | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "order": st.none() | _texts,
            "number": st.none() | _numbers,
            "share": st.none() | _floats,
            "yes": st.none() | st.booleans(),
            "day": st.none() | st.dates(),
            "moment": st.none() | _moments,
            "sealed": st.none() | st.binary(max_size=60),
            # a lone number would be kept by SQLite as that and not as JSON
            "value": st.none() | st.lists(_values, max_size=3) | _texts,
        }
    ),
    max_size=6,
)


@pytest.fixture
def shape(monkeypatch: pytest.MonkeyPatch) -> dump.Shape:
    monkeypatch.setattr(tables, "metadata", METADATA)
    [shape] = dump.shapes()
    return shape


@pytest.fixture(params=["sqlite", "postgresql"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    yield from scratch(request, f"sqlite:///{tmp_path}/source.db", schema="here")


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    yield from scratch(request, f"sqlite:///{tmp_path}/target.db", schema="there")


def scratch(request: pytest.FixtureRequest, url: str, *, schema: str) -> Iterator[sa.Engine]:
    """A database with the table of odd values and nothing else."""
    is_postgresql = request.param == "postgresql"
    if is_postgresql:
        server = request.getfixturevalue("postgres_url")
        making = sa.create_engine(server)
        with making.begin() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
        making.dispose()
        url = f"{server}?options=-csearch_path%3D{schema}"
    engine = open_engine(url)
    METADATA.create_all(engine)
    yield engine
    if is_postgresql:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
    engine.dispose()


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(ROWS)
def test_rows_come_back_as_they_were(
    source: sa.Engine, target: sa.Engine, shape: dump.Shape, rows: list[dict[str, object]]
) -> None:
    rows = [{"id": number, **row} for number, row in enumerate(rows)]
    with writing(source) as connection:
        connection.execute(ODD.delete())
        for row in rows:
            absent = {"value": sa.null()} if row["value"] is None else {}
            connection.execute(ODD.insert().values({**row, **absent}))

    with writing(source) as reading, writing(target) as connection:
        connection.execute(ODD.delete())
        dump.load_rows(connection, shape, dump.dump_rows(reading, shape))

    assert contents(source) == contents(target)
    names = [column.name for column in ODD.columns if column.name != "value"]
    plain = [tuple(row[name] for name in names) for row in rows]
    assert [row[: len(names)] for row in contents(target)] == plain


def contents(engine: sa.Engine) -> list[tuple[object, ...]]:
    """The rows, and of the JSON whether it is a null of SQL."""
    with engine.connect() as connection:
        query = sa.select(ODD, ODD.c.value.is_(sa.null())).order_by(ODD.c.id)
        return [tuple(row) for row in connection.execute(query)]


def test_json_null_and_no_value_are_told_apart(
    source: sa.Engine, target: sa.Engine, shape: dump.Shape
) -> None:
    with writing(source) as connection:
        connection.execute(ODD.insert(), [{"id": 1, "value": None}])
        connection.execute(ODD.insert().values(id=2, value=sa.null()))

    with writing(source) as reading, writing(target) as connection:
        lines = list(dump.dump_rows(reading, shape))
        dump.load_rows(connection, shape, lines)

    assert [row[-1] for row in contents(target)] == [False, True]


def test_what_is_no_number_is_kept_where_the_database_can(
    source: sa.Engine, target: sa.Engine, shape: dump.Shape
) -> None:
    with writing(source) as connection:
        connection.execute(ODD.insert(), [{"id": 1, "share": float("nan")}])

    with writing(source) as reading, writing(target) as connection:
        dump.load_rows(connection, shape, dump.dump_rows(reading, shape))

    [row] = contents(target)
    both_can = source.dialect.name == target.dialect.name == "postgresql"
    assert (math.isnan(row[3]) if isinstance(row[3], float) else False) == both_can


def test_a_line_is_plain(source: sa.Engine, shape: dump.Shape) -> None:
    row = {"id": 1, "order": "đ", "share": 0.1, "yes": True, "day": date(2026, 1, 5)}
    with writing(source) as connection:
        moment = datetime(2026, 1, 5, 8, tzinfo=UTC)
        row |= {"moment": moment, "sealed": b"\xff", "value": {"a": 1}}
        connection.execute(ODD.insert(), [row])

    with source.connect() as connection:
        [line] = dump.dump_rows(connection, shape)

    assert line.decode() == (
        '[1,"đ",null,0.1,true,"2026-01-05","2026-01-05T08:00:00+00:00","/w==","{\\"a\\":1}"]\n'
    )


@pytest.mark.parametrize(
    "line",
    [b"{}", b"[]", b"[1,2]", b"\xff", b"", b'[1,"a",1,1,true,"2026-01-05",{},null,null]',
     b'[1,"a",1,1,true,"2026-13-05",null,null,null]',
     b'[1,"a",1,1,true,null,"2026-01-05T08:00:00",null,null]',
     b'[1,"a",1,1,true,null,null,"no base 64",null]'],
)  # fmt: skip
def test_a_line_that_is_no_row_is_refused(
    source: sa.Engine, shape: dump.Shape, line: bytes
) -> None:
    with writing(source) as connection, pytest.raises(ValueError, match=r"^\w"):
        dump.load_rows(connection, shape, [line])


def test_a_column_no_line_can_hold_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = sa.MetaData()
    sa.Table("files", metadata, sa.Column("data", sa.Interval, primary_key=True))
    monkeypatch.setattr(tables, "metadata", metadata)

    with pytest.raises(TypeError, match=r"files\.data"):
        dump.shapes()

"""Every table as lines of text and back, whichever database it is.

A line is a JSON array with a row's values in the order of its columns: numbers and strings as they are,
moments and days in ISO 8601, bytes in base 64, a number that JSON has no word for (an infinity) as a string,
and a JSON column as a string that holds its JSON, to the byte. So null is always the null of SQL.
"""

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal

import orjson
import sqlalchemy as sa

from service.store import tables
from service.store.dialect import UtcDateTime, count_on, json_of_text

Kind = Literal["integer", "float", "boolean", "text", "json", "moment", "date", "bytes"]
# Who is signed in and which processes run is no use to another database.
PASSING = frozenset({"sessions", "workers"})
_READ_ROWS = 100  # a row may hold a text of megabytes
_BATCH_ROWS = 500
_BATCH_BYTES = 4 * 1024 * 1024
_Value = Any  # what a driver takes and gives: its type depends on the column

# the first that fits: SQLAlchemy's types inherit from each other
_KINDS: tuple[tuple[type[sa.types.TypeEngine[Any]], Kind], ...] = (
    (UtcDateTime, "moment"),
    (sa.Date, "date"),
    (sa.LargeBinary, "bytes"),
    (sa.JSON, "json"),
    (sa.Boolean, "boolean"),
    (sa.Float, "float"),
    (sa.Integer, "integer"),
    (sa.String, "text"),
)
_TYPES: Mapping[Kind, sa.types.TypeEngine[Any]] = {
    "integer": sa.BigInteger(),
    "float": sa.Float(),
    "boolean": sa.Boolean(),
    "text": sa.Text(),
    "json": sa.Text(),
    "moment": UtcDateTime(),
    "date": sa.Date(),
    "bytes": sa.LargeBinary(),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """A table by its name and the kinds of its columns, without which its lines say nothing."""

    name: str
    columns: Mapping[str, Kind]


def shapes() -> tuple[Shape, ...]:
    """What is worth keeping, parents before their children.

    Left out are tables marked `info={"derived": True}`, which are computed from others, and `PASSING`.
    """
    return tuple(
        Shape(table.name, {column.name: _kind_of(column) for column in table.columns})
        for table in tables.metadata.sorted_tables
        if not table.info.get("derived") and table.name not in PASSING
    )


def _kind_of(column: sa.Column[Any]) -> Kind:
    for fits, kind in _KINDS:
        if isinstance(column.type, fits):
            return kind
    raise TypeError(f"no backup can hold {column.table.name}.{column.name}: {column.type!r}")


def dump_rows(connection: sa.Connection, shape: Shape) -> Iterator[bytes]:
    """The lines of a table by its primary key, a few rows in memory at a time."""
    table = tables.metadata.tables[shape.name]
    kinds = tuple(shape.columns.values())
    columns = [
        sa.cast(column, sa.Text) if kind == "json" else column
        for column, kind in zip(table.columns, kinds, strict=True)
    ]
    rows = sa.select(*columns).order_by(*table.primary_key.columns)
    for row in connection.execute(rows.execution_options(yield_per=_READ_ROWS)):
        values = [_plain(value, kind=kind) for value, kind in zip(row, kinds, strict=True)]
        yield orjson.dumps(values, option=orjson.OPT_APPEND_NEWLINE)


def _plain(value: _Value, *, kind: Kind) -> _Value:
    if value is None:
        return None
    if kind == "moment":
        return value.astimezone(UTC).isoformat()
    if kind == "date":
        return value.isoformat()
    if kind == "bytes":
        return b64encode(value).decode()
    if kind == "float" and not math.isfinite(value):
        return str(value)
    return value


_READ: Mapping[Kind, Callable[[_Value], _Value]] = {
    "integer": lambda value: _expect(value, int),
    "float": lambda value: float(_expect(value, int | float | str)),
    "boolean": lambda value: bool(_expect(value, int)),
    "text": lambda value: _expect(value, str),
    "json": lambda value: _expect(value, str),
    "moment": lambda value: _moment(_expect(value, str)),
    "date": lambda value: date.fromisoformat(_expect(value, str)),
    "bytes": lambda value: b64decode(_expect(value, str), validate=True),
}


def _expect(value: _Value, wanted: Any) -> _Value:
    """`Any`: a type or a union of types."""
    if not isinstance(value, wanted):
        raise ValueError("a value of another kind than its column")
    return value


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a moment without its time zone")
    return moment


def load_rows(connection: sa.Connection, shape: Shape, lines: Iterable[bytes]) -> None:
    """Insert the rows that lines hold; each is checked to be a row of this shape.

    Raises:
        ValueError: a line is none, which is told without quoting it.
    """
    target = sa.table(shape.name, *(sa.column(name) for name in shape.columns))
    values = {
        # a column may be called as some parameter of a statement is
        name: _bound(connection, f"v_{name}", kind=kind)
        for name, kind in shape.columns.items()
    }
    statement = target.insert().values(values)
    for batch in _batches(lines):
        connection.execute(statement, [_parse(line, shape) for line in batch])


def _bound(connection: sa.Connection, name: str, *, kind: Kind) -> sa.ColumnElement[Any]:
    value: sa.ColumnElement[Any] = sa.bindparam(name, type_=_TYPES[kind])
    return json_of_text(connection, value) if kind == "json" else value


def _batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    n_bytes = 0
    for line in lines:
        batch.append(line)
        n_bytes += len(line)
        if len(batch) == _BATCH_ROWS or n_bytes >= _BATCH_BYTES:
            yield batch
            batch, n_bytes = [], 0
    if batch:
        yield batch


def _parse(line: bytes, shape: Shape) -> dict[str, _Value]:
    row = orjson.loads(line)
    if not isinstance(row, list) or len(row) != len(shape.columns):
        raise ValueError("a line that is no row")
    return {
        f"v_{name}": None if value is None else _READ[kind](value)
        for (name, kind), value in zip(shape.columns.items(), row, strict=True)
    }


def is_blank(connection: sa.Connection, *, given: Mapping[str, int]) -> bool:
    """Whether nothing was stored yet; `given` says how many rows migrations put into a table."""
    there = sa.inspect(connection).get_table_names()
    return all(
        _counts(connection, name, upto=given.get(name, 0) + 1) <= given.get(name, 0)
        for name in tables.metadata.tables
        if name in there
    )


def _counts(connection: sa.Connection, name: str, *, upto: int) -> int:
    some = sa.select(sa.literal(1)).select_from(sa.table(name)).limit(upto).subquery()
    return connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0


def clear(connection: sa.Connection, names: Iterable[str]) -> None:
    """Delete every row of these tables, children before their parents."""
    for name in names:
        connection.execute(sa.delete(sa.table(name)))


def columns_of(connection: sa.Connection) -> dict[str, frozenset[str]]:
    """The columns of each table there is."""
    inspector = sa.inspect(connection)
    return {
        name: frozenset(column["name"] for column in inspector.get_columns(name))
        for name in inspector.get_table_names()
    }


def settle_numbers(connection: sa.Connection) -> None:
    """Let every table that numbers its rows count on from the highest number."""
    there = sa.inspect(connection).get_table_names()
    for table in tables.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None and table.name in there:
            count_on(connection, tables=[table.name], column=column.name)

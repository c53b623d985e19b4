"""Rows of tables and entries of feeds: texts that come many to a file, only in the columns asked for.

What was not asked for (a column with names, the author of an entry) is not handed on.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import PurePath
from typing import IO, Any

from nlp.errors import InputError, UnreadableFile, UnsupportedMediaType
from nlp.readers import sniff
from nlp.readers.plain import decode
from nlp.text import to_nfc

TABLES = (".csv", ".tsv", ".xlsx", ".jsonl", ".ndjson")
FEED = "feed.xml"  # the name under which the bytes of a feed are read
_DELIMITERS = ",;\t|"
_HEAD_ROWS = 20  # a title and the like may stand above the names of the columns
_HEAD_CHARS = 64_000
_FIELD_CHARS = 16 * 1024 * 1024
_LAST_ROW = 2**20  # of a sheet (ECMA-376 sets no bound, every program this one)


@dataclass(frozen=True, slots=True)
class Asked:
    """Names of columns: a table must have the `needed`; letter case and white space do not matter."""

    needed: Sequence[str]
    wanted: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A row by the names that were asked for; `fault` says why it cannot be read, `place` where it stands."""

    place: str
    cells: Mapping[str, str] = field(default_factory=dict)
    fault: str | None = None


def read_rows(data: bytes, *, name: str, asked: Asked) -> Iterator[Row]:
    """The rows of a file of one of the `TABLES`, told by its name, or the entries of a `FEED`.

    A moment comes as in ISO 8601 where the file has it as one, any other value as its text.

    Raises:
        UnsupportedMediaType: a name with another ending.
        UnreadableFile: the file is empty, damaged or encrypted.
        TooLarge: a workbook unpacks to more than 300 MiB.
        InputError: none of its first 20 rows names the needed columns.
    """
    if not data.strip():
        raise UnreadableFile("the file is empty")
    ending = PurePath(name).suffix.lower()
    if ending == ".xml":
        from nlp.readers import syndication

        return syndication.read_entries(data)
    if ending not in TABLES:
        raise UnsupportedMediaType(f"not one of {', '.join(TABLES)}; save it as one of them")
    if ending == ".xlsx":
        sniff(data, name=name)
        return _table(sheet_rows(io.BytesIO(data)), asked=asked)
    text = _decoded(data)
    if ending in {".csv", ".tsv"}:
        delimiter = _delimiter(text[:_HEAD_CHARS], asked=asked)
        return _table(csv_rows(io.StringIO(text, newline=""), delimiter=delimiter), asked=asked)
    return _lines(text, asked=asked)


def _decoded(data: bytes) -> str:
    """The text of a table. One that is neither Unicode nor TCVN3 is in windows-1258.

    Of a few rows the detection makes Korean or Greek; an office in Vietnam has no such tables.
    """
    text, issues = decode(data)
    is_guess = any(issue.startswith("decoded_") for issue in issues)
    if is_guess and b"\0" not in data:  # else it is UTF-16 without a mark
        return data.decode("cp1258", "replace")
    return text


def csv_rows(lines: Iterable[str], *, delimiter: str = ",") -> Iterator[list[str] | None]:
    """Rows of a CSV file, None for one that is malformed or too long."""
    csv.field_size_limit(_FIELD_CHARS)
    rows = csv.reader(lines, delimiter=delimiter)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield None
        else:
            yield row


def sheet_rows(file: IO[bytes]) -> Iterator[tuple[Any, ...]]:
    """Rows of the first sheet of a workbook. `Any`: cells are texts, numbers, dates or None.

    Raises:
        Exception: a damaged file, in a dozen kinds of openpyxl's own.
    """
    from openpyxl import load_workbook  # loads 100 ms of code, only for tables

    sheet = load_workbook(file, read_only=True, data_only=True).worksheets[0]
    sheet.reset_dimensions()  # the size that a file declares may be less than what it holds
    yield from islice(sheet.iter_rows(values_only=True), _LAST_ROW)


def _delimiter(text: str, *, asked: Asked) -> str:
    """What parts the cells of the row that names the columns."""
    for delimiter in _DELIMITERS:
        head = islice(csv_rows(io.StringIO(text, newline=""), delimiter=delimiter), _HEAD_ROWS)
        if any(_columns(cells, asked=asked) for cells in head):
            return delimiter
    raise _unnamed(asked)


def _table(rows: Iterator[Sequence[Any] | None], *, asked: Asked) -> Iterator[Row]:
    """The rows below the one that names the columns. `Any`: see `sheet_rows`."""
    numbered = enumerate(rows, start=1)
    for _, cells in islice(numbered, _HEAD_ROWS):
        columns = _columns(cells, asked=asked)
        if columns:
            break
    else:
        raise _unnamed(asked)
    n_columns = len(cells or ())
    for number, cells in numbered:
        place = f"row {number}"
        if cells is None:
            yield Row(place, fault="the row is malformed or too long")
        elif any(_shown(cell) for cell in cells[n_columns:]):
            yield Row(
                place, fault="the row has more cells than columns have names; quote its texts"
            )
        elif any(_shown(cell) for cell in cells):
            yield Row(
                place,
                {name: _shown(cells[at]) for name, at in columns.items() if at < len(cells)},
            )


def _columns(cells: Sequence[Any] | None, *, asked: Asked) -> dict[str, int]:
    """Where the columns asked for stand, if this row names all that are needed; else nothing."""
    named = [_key(_shown(cell)) for cell in cells or ()]
    found = {}
    for name in (*asked.needed, *asked.wanted):
        if named.count(_key(name)) > 1:
            raise InputError(f"two columns are named {name!r}; give one of them another name")
        if _key(name) in named:
            found[name] = named.index(_key(name))
    return found if found.keys() >= set(asked.needed) else {}


def _unnamed(asked: Asked) -> InputError:
    names = ", ".join(map(repr, asked.needed))
    return InputError(f"none of the first {_HEAD_ROWS} rows names the columns: {names}")


def _lines(text: str, *, asked: Asked) -> Iterator[Row]:
    """JSON objects, one a line."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _object(line, place=f"line {number}", asked=asked)


def _object(line: str, *, place: str, asked: Asked) -> Row:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return Row(place, fault="the line is not valid JSON")
    if not isinstance(value, dict):
        return Row(place, fault="the line is no JSON object")
    own = {_key(name): _shown(cell) for name, cell in value.items()}
    cells = {n: own[_key(n)] for n in (*asked.needed, *asked.wanted) if _key(n) in own}
    missing = [name for name in asked.needed if name not in cells]
    return Row(place, cells, f"the object has no {missing[0]!r}" if missing else None)


def _key(name: str) -> str:
    return " ".join(to_nfc(name).split()).casefold()


def _shown(cell: Any) -> str:
    """A cell as text. `Any`: whatever the file holds; lists and objects show as nothing."""
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return to_nfc(str(cell)).strip() if isinstance(cell, str | int | float) else ""

"""Records of a batch from JSONL, CSV, XLSX or Parquet, one at a time, whatever state they are in."""

import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO, Any

from nlp.errors import InputError, UnsupportedMediaType
from nlp.readers.rows import csv_rows, sheet_rows

_MAX_LINE_BYTES = 16 * 1024 * 1024
_ROWS_AT_ONCE = 1_024
_BUFFER_BYTES = 1024 * 1024
_COLUMNS = ("id", "external_id", "kind", "posted_at")
_TEXT_COLUMNS = ("text", "noi_dung", "nội dung", "y_kien", "ý kiến")


@dataclass(frozen=True, slots=True)
class Record:
    """One text of a batch; `error` says why it cannot be used, and `text` is then empty.

    A record without an id gets its place in the file, "line 17". `posted_at` is as it stands there.
    """

    id: str
    text: str = ""
    kind: str | None = None
    error: str | None = None
    posted_at: str | None = None
    number: int = field(default=0, compare=False)


def is_table(path: Path) -> bool:
    """Whether a file holds many records rather than one document."""
    return path.suffix.lower() in _readers()


def read_records(path: Path) -> Generator[Record]:
    """Stream the records of a file, told by its extension.

    Raises:
        UnsupportedMediaType: not .jsonl, .ndjson, .csv, .xlsx or .parquet.
        InputError: a table has no column `text`.
    """
    reader = _readers().get(path.suffix.lower())
    if reader is None:
        raise UnsupportedMediaType(f"{path.name}: not one of {', '.join(_readers())}")
    return reader(path)


def _readers() -> dict[str, Callable[[Path], Generator[Record]]]:
    return {
        ".jsonl": _read_jsonl,
        ".ndjson": _read_jsonl,
        ".csv": _read_csv,
        ".xlsx": _read_xlsx,
        ".parquet": _read_parquet,
    }


def _read_jsonl(path: Path) -> Generator[Record]:
    with path.open("rb") as lines:
        for number, line in enumerate(_bounded_lines(lines), start=1):
            if line is None:
                yield _fault(number, f"the line is longer than {_MAX_LINE_BYTES} bytes")
            else:
                yield _parse(line, number=number)


def _bounded_lines(lines: IO[bytes]) -> Iterator[bytes | None]:
    """Lines of a file, None for one that is too long to hold."""
    while line := lines.readline(_MAX_LINE_BYTES):
        if len(line) < _MAX_LINE_BYTES or line.endswith(b"\n"):
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = lines.readline(_MAX_LINE_BYTES)
        yield None


def _parse(line: bytes, *, number: int) -> Record:
    try:
        row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        return _fault(number, f"not valid UTF-8 at byte {error.start}")
    except (json.JSONDecodeError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deep"
        return _fault(number, f"not valid JSON: {reason}")
    except ValueError:
        return _fault(number, "not valid JSON: a number is too long")
    if not isinstance(row, dict):
        return _fault(number, "not a JSON object with a text")
    return record_of(row, number=number)


def record_of(row: Mapping[str, Any], *, number: int) -> Record:
    """Check one row. `Any`: it is whatever the file holds."""
    raw_id = row.get("id", row.get("external_id"))
    is_named = isinstance(raw_id, str | int) and raw_id != ""
    record_id = _clean(str(raw_id)) if is_named else f"line {number}"
    text, kind, posted_at = row.get("text"), row.get("kind"), row.get("posted_at")
    if not isinstance(text, str):
        return Record(record_id, error="the record has no text", number=number)
    if kind is not None and not isinstance(kind, str):
        problem = "kind is not auto, official or opinion"
        return Record(record_id, error=problem, number=number)
    moment = posted_at.isoformat() if isinstance(posted_at, date) else str(posted_at or "")
    return Record(record_id, text, kind or None, posted_at=moment or None, number=number)


def _fault(number: int, problem: str) -> Record:
    return Record(f"line {number}", error=problem, number=number)


def _clean(text: str) -> str:
    """An id that can be written as UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _read_csv(path: Path) -> Generator[Record]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        yield from _table(csv_rows(file), name=path.name)


def _read_xlsx(path: Path) -> Generator[Record]:
    with path.open("rb") as file:  # openpyxl leaves a file open that it cannot read
        try:
            yield from _table(sheet_rows(file), name=path.name)
        except InputError:
            raise
        except Exception as error:  # openpyxl raises a dozen kinds for a damaged file
            raise InputError(f"{path.name}: not a readable .xlsx file; save it again") from error


def _read_parquet(path: Path) -> Generator[Record]:
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise InputError(
            "Parquet needs pyarrow: install danvan with the extra `parquet`"
        ) from error
    number = 0
    try:
        # a lake's row groups are large and have many columns: a page at a time of those that are read
        with parquet.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file:
            names = wanted_columns(file.schema_arrow.names, name=path.name)
            for batch in file.iter_batches(_ROWS_AT_ONCE, columns=list(names)):
                for row in batch.to_pylist():
                    number += 1
                    own = {names[name]: value for name, value in row.items()}
                    yield record_of(own, number=number)
    except InputError:
        raise
    except Exception as error:  # pyarrow has its own errors, and not one parent for them
        raise InputError(f"{path.name}: not a readable .parquet file; save it again") from error


def wanted_columns(columns: Sequence[str], *, name: str) -> dict[str, str]:
    """The columns that are read, each with what it is to us."""
    found = {column.strip().lower(): column for column in reversed(columns)}
    own = {found[known]: known for known in _COLUMNS if known in found}
    text = next((found[known] for known in _TEXT_COLUMNS if known in found), None)
    if text is None:
        raise InputError(f"{name}: no column named text")
    return own | {text: "text"}


def _table(rows: Iterator[Any], *, name: str) -> Iterator[Record]:
    """Rows under a header. `Any`: cells are strings, numbers, dates or None."""
    header = [str(cell or "").strip().lower() for cell in next(rows, None) or ()]
    column = next((header.index(name) for name in _TEXT_COLUMNS if name in header), None)
    if column is None:
        raise InputError(f"{name}: no column named text; the first row must name the columns")
    header[column] = "text"
    for number, cells in enumerate(rows, start=2):
        if cells is None:
            yield _fault(number, "the row is malformed or too long")
            continue
        row = dict(zip(header, cells, strict=False))
        if any(cell not in {None, ""} for cell in cells):
            text = row.get("text")
            row["text"] = "" if text is None else str(text)
            yield record_of(row, number=number)

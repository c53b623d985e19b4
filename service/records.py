"""Records of a batch from JSONL, CSV, XLSX or Parquet, one at a time, whatever state they are in."""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from nlp.errors import InputError, UnsupportedMediaType
from nlp.readers.rows import csv_rows, sheet_rows

_MAX_LINE_BYTES = 16 * 1024 * 1024
_TEXT_COLUMNS = ("text", "noi_dung", "nội dung", "y_kien", "ý kiến")


@dataclass(frozen=True, slots=True)
class Record:
    """One text of a batch; `error` says why it cannot be used, and `text` is then empty.

    A record without an id gets its place in the file, "line 17".
    """

    id: str
    text: str = ""
    kind: str | None = None
    error: str | None = None


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
                yield Record(
                    f"line {number}", error=f"the line is longer than {_MAX_LINE_BYTES} bytes"
                )
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
    fallback = f"line {number}"
    try:
        row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        return Record(fallback, error=f"not valid UTF-8 at byte {error.start}")
    except (json.JSONDecodeError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deep"
        return Record(fallback, error=f"not valid JSON: {reason}")
    except ValueError:
        return Record(fallback, error="not valid JSON: a number is too long")
    if not isinstance(row, dict):
        return Record(fallback, error="not a JSON object with a text")
    return _record(row, fallback=fallback)


def _record(row: Mapping[str, Any], *, fallback: str) -> Record:
    """Check one row. `Any`: it is whatever the file holds."""
    raw_id = row.get("id")
    record_id = _clean(str(raw_id)) if isinstance(raw_id, str | int) and raw_id != "" else fallback
    text, kind = row.get("text"), row.get("kind")
    if not isinstance(text, str):
        return Record(record_id, error="the record has no text")
    if kind is not None and not isinstance(kind, str):
        return Record(record_id, error="kind is not auto, official or opinion")
    return Record(record_id, text, kind or None)


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
        raise InputError("reading .parquet needs pyarrow: pip install pyarrow") from error
    number = 0
    try:
        for batch in parquet.ParquetFile(path).iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield _record(row, fallback=f"line {number}")
    except Exception as error:  # pyarrow has its own errors, and not one parent for them
        raise InputError(f"{path.name}: not a readable .parquet file; save it again") from error


def _table(rows: Iterator[Any], *, name: str) -> Iterator[Record]:
    """Rows under a header. `Any`: cells are strings, numbers, dates or None."""
    header = [str(cell or "").strip().lower() for cell in next(rows, None) or ()]
    column = next((header.index(name) for name in _TEXT_COLUMNS if name in header), None)
    if column is None:
        raise InputError(f"{name}: no column named text; the first row must name the columns")
    header[column] = "text"
    for number, cells in enumerate(rows, start=2):
        if cells is None:
            yield Record(f"line {number}", error="the row is malformed or too long")
            continue
        row = dict(zip(header, cells, strict=False))
        if any(cell not in {None, ""} for cell in cells):
            text = row.get("text")
            row["text"] = "" if text is None else str(text)
            yield _record(row, fallback=f"line {number}")

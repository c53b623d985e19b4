"""Answers as a table of Parquet: one row a record, the same columns whatever the model or the input."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from nlp.errors import InputError
from service.jobs.files import made_whole

ENDING = ".parquet"
ROWS = 10_000  # of a row group: some megabytes
_IDENTITY = b"danvan"  # under this key the footer says what the file was made of
_CODED = ("task_area", "civic_field")
_NAMED = ("sentiment", "intent")
_VERSIONS = (
    "model", "model_version", "model_sha256", "taxonomy", "taxonomy_version", "code_version",
)  # fmt: skip
Row = dict[str, Any]  # by column; each has a type of its own


def is_lake(path: Path) -> bool:
    """Whether a file is, or is to be, one of Parquet."""
    return path.suffix.lower() == ENDING


def row_of(line: bytes) -> Row:
    """The row of an output line: an Analysis, or an id with its error."""
    said = orjson.loads(line)
    if "error" in said:
        return {"id": said["id"], "error": said["error"]}
    hints = said["hints"] or {}
    return {
        "id": said["id"],
        "kind": said["kind"],
        "readable": said["text_quality"]["readable"],
        "issues": said["text_quality"]["issues"],
        **{name: value for facet in _CODED + _NAMED for name, value in _answer(said, facet)},
        "sentiment_mixed": said["sentiment"]["mixed"],
        "channel": hints.get("channel"),
        "urgency": hints.get("urgency"),
        **{name: said["provenance"][name] for name in _VERSIONS},
        "analysis": line.decode().rstrip("\n"),
    }


def _answer(said: Row, facet: str) -> Iterator[tuple[str, Any]]:
    own = said[facet]
    guess = own["guess"] or {}
    yield f"{facet}_decision", own["decision"]
    yield facet, own["primary"] if facet in _CODED else own["label"]
    if facet in _CODED:
        yield f"{facet}_codes", [label["code"] for label in own["labels"]]
    yield f"{facet}_guess", guess.get("code")
    yield f"{facet}_guess_probability", guess.get("probability")


def schema() -> Any:
    """The columns, all but `id` nullable. `Any`: pyarrow has no annotations.

    Raises:
        InputError: pyarrow is not installed.
    """
    arrow = _arrow()
    text, texts, number = arrow.string(), arrow.list_(arrow.string()), arrow.float64()
    columns = [("error", text), ("kind", text), ("readable", arrow.bool_()), ("issues", texts)]
    for facet in _CODED + _NAMED:
        columns += [(f"{facet}_decision", text), (facet, text)]
        columns += [(f"{facet}_codes", texts)] if facet in _CODED else []
        columns += [(f"{facet}_guess", text), (f"{facet}_guess_probability", number)]
    columns += [("sentiment_mixed", arrow.bool_())]
    columns += [(name, text) for name in ("channel", "urgency", *_VERSIONS, "analysis")]
    return arrow.schema([arrow.field("id", text, nullable=False), *columns])


def table_of(lines: Iterable[bytes]) -> Any:
    """Output lines as a table of pyarrow."""
    return _arrow().Table.from_pylist([row_of(line) for line in lines], schema=schema())


def write_lake(lines: Iterable[bytes], target: Path, *, identity: str) -> None:
    """Write output lines to a file that takes its place when it is whole, a row group at a time.

    Raises:
        InputError: pyarrow is not installed, or there is no such folder.
    """
    columns = schema().with_metadata({_IDENTITY: identity.encode()})
    from pyarrow import parquet

    rows = iter(lines)
    with (
        made_whole(target) as out,
        parquet.ParquetWriter(out, columns, compression="zstd") as writer,
    ):
        while some := list(islice(rows, ROWS)):
            writer.write_table(table_of(some).cast(columns))


def count_rows(path: Path, *, identity: str) -> int | None:
    """How many rows a file has; None when it was made of something else."""
    _arrow()
    from pyarrow import ArrowInvalid, parquet

    try:
        footer = parquet.read_metadata(path)
    except ArrowInvalid:
        return None
    made_of = (footer.metadata or {}).get(_IDENTITY)
    n_rows: int = footer.num_rows
    return n_rows if made_of == identity.encode() else None


def _arrow() -> Any:
    try:
        import pyarrow
    except ImportError as error:
        raise InputError(
            "Parquet needs pyarrow: install danvan with the extra `parquet`"
        ) from error
    return pyarrow

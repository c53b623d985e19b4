"""Workbooks as documents: a row is a block, its cells joined by bars.

A list of opinions is better sent as a batch, row by row (`service.records`).
"""

import io
from collections.abc import Iterator
from typing import Any

from nlp.errors import UnreadableFile
from nlp.readers.lines import Piece, assemble
from nlp.types import Document

_MAX_ROWS = 100_000


def read(data: bytes, *, media_type: str) -> Document:
    """Read the values of an .xlsx workbook, all sheets; formulas are never worked out.

    Raises:
        UnreadableFile: damaged, encrypted, or over 100,000 rows.
    """
    try:
        pieces = list(_pieces(data))
    except (MemoryError, UnreadableFile):
        raise
    except Exception as error:  # openpyxl raises a dozen kinds for a damaged file
        raise UnreadableFile("the workbook is damaged; save it again and send it") from error
    return assemble(pieces, media_type=media_type)


def _pieces(data: bytes) -> Iterator[Piece]:
    from openpyxl import load_workbook  # loads 100 ms of code

    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    n_rows = 0
    for sheet in book.worksheets:
        yield Piece(sheet.title, "heading")
        for row in sheet.iter_rows(values_only=True):
            n_rows += 1
            if n_rows > _MAX_ROWS:
                raise UnreadableFile(
                    f"the workbook has over {_MAX_ROWS} rows; send it as a batch (danvan batch)"
                )
            yield Piece(" | ".join(_shown(cell) for cell in row if cell is not None), "cell")


def _shown(cell: Any) -> str:
    """A cell as text. `Any`: strings, numbers, dates, booleans."""
    return " ".join(str(cell).split())

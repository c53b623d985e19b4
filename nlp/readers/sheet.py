"""Workbooks as documents: a row is a block, its cells joined by bars.

A list of opinions is better sent as a batch, row by row (`service.records`).
"""

import io
from collections.abc import Iterator
from itertools import islice
from typing import Any

from nlp.errors import UnreadableFile
from nlp.readers.lines import Piece, assemble
from nlp.types import Document

_MAX_ROWS = 100_000
_LAST_ROW = 2**20  # of a sheet (ECMA-376 sets no bound, every program this one)


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
        sheet.reset_dimensions()  # the size that a file declares may be less than what it holds
        # a number of a row may be any; those before it come as empty ones
        for row in islice(sheet.iter_rows(values_only=True), _LAST_ROW):
            cells = [_shown(cell) for cell in row if cell is not None]
            if not cells:
                continue
            n_rows += 1
            if n_rows > _MAX_ROWS:
                raise UnreadableFile(
                    f"the workbook has over {_MAX_ROWS} rows; send it as a batch (danvan batch)"
                )
            yield Piece(" | ".join(cells), "cell")


def _shown(cell: Any) -> str:
    """A cell as text. `Any`: strings, numbers, dates, booleans."""
    return " ".join(str(cell).split())

"""Letters to lines by their places on the page, for PDFs whose own order tears words apart."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from nlp.errors import UnreadableFile
from nlp.readers.columns import Word, lines_of, rows_of
from nlp.readers.lines import PrintedLine


def tables_by_place(
    data: bytes, numbers: Sequence[int]
) -> Iterator[tuple[int, list[list[PrintedLine]]]]:
    """The lines of the ruled tables of some pages: the page, and a list of lines for each table.

    Every line knows its row and column; tables are counted from 0 through all pages.

    Raises:
        UnreadableFile: the file cannot be parsed.
    """
    n_tables = 0
    with _as_unreadable():
        for number, page in _pages(data, numbers):
            found = []
            for table in page.find_tables():
                found.append(_table_lines(page, table, number=number, table_number=n_tables))
                n_tables += 1
            yield number, [lines for lines in found if lines]


def _table_lines(page: Any, table: Any, *, number: int, table_number: int) -> list[PrintedLine]:
    """The lines of a table, cell by cell. `Any`: pdfplumber has no type hints."""
    width, height = float(page.width), float(page.height)
    words = _words(page)
    lines = []
    for r, row in enumerate(table.rows):
        for c, box in enumerate(row.cells):
            if box is None:
                continue
            left, top, right, bottom = (
                box[0] / width, box[1] / height, box[2] / width, box[3] / height,
            )  # fmt: skip
            own = [
                word
                for word in words
                if left <= (word.left + word.right) / 2 < right
                and top <= (word.top + word.bottom) / 2 < bottom
            ]
            read = lines_of(rows_of(own), page=number, ratio=height / width, one_column=True)
            lines += [replace(line, cell=(table_number, r, c)) for line in read]
    return lines


def lines_by_place(data: bytes, numbers: Sequence[int]) -> Iterator[list[PrintedLine]]:
    """The printed lines of some pages, numbers from 1.

    Raises:
        UnreadableFile: the file cannot be parsed.
    """
    with _as_unreadable():
        for number, page in _pages(data, numbers):
            ratio = float(page.height) / float(page.width)
            yield lines_of(rows_of(_words(page)), page=number, ratio=ratio)


def _pages(data: bytes, numbers: Sequence[int]) -> Iterator[tuple[int, Any]]:
    """Some pages of a file, each closed behind its use. `Any`: as above."""
    import pdfplumber  # 0.3 s

    with pdfplumber.open(io.BytesIO(data)) as pdf:
        for number in numbers:
            page = pdf.pages[number - 1]
            yield number, page
            page.close()


@contextmanager
def _as_unreadable() -> Iterator[None]:
    """Turn what the parser raises for damaged pages into one error."""
    try:
        yield
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # pdfminer raises a dozen kinds
        raise UnreadableFile("a page of the PDF is damaged; save it again and send it") from error


def _words(page: Any) -> list[Word]:
    """The words of a page, their boxes as shares of it. `Any`: as above."""
    width, height = float(page.width), float(page.height)
    return [
        Word(
            word["text"],
            word["x0"] / width,
            word["top"] / height,
            word["x1"] / width,
            word["bottom"] / height,
        )
        for word in page.extract_words(x_tolerance_ratio=0.2, use_text_flow=False)
    ]

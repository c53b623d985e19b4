"""Letters to lines by their places on the page, for PDFs whose own order tears words apart."""

import io
from collections.abc import Iterator, Sequence

from nlp.errors import UnreadableFile
from nlp.readers.columns import Word, lines_of, rows_of
from nlp.readers.lines import PrintedLine


def lines_by_place(data: bytes, numbers: Sequence[int]) -> Iterator[list[PrintedLine]]:
    """The printed lines of some pages, numbers from 1.

    Raises:
        UnreadableFile: the file cannot be parsed.
    """
    import pdfplumber  # 0.3 s
    from pdfminer.pdfexceptions import PDFException

    try:
        with pdfplumber.open(io.BytesIO(data)) as pdf:
            for number in numbers:
                page = pdf.pages[number - 1]
                width, height = float(page.width), float(page.height)
                words = [
                    Word(
                        word["text"],
                        word["x0"] / width,
                        word["top"] / height,
                        word["x1"] / width,
                        word["bottom"] / height,
                    )
                    for word in page.extract_words(x_tolerance_ratio=0.2, use_text_flow=False)
                ]
                yield lines_of(rows_of(words), page=number, ratio=height / width)
                page.close()
    except (PDFException, ValueError, KeyError, TypeError) as error:
        raise UnreadableFile("a page of the PDF is damaged; save it again and send it") from error

"""PDF files, page by page: the text layer, else its letters by their places, else recognition.

Which way is taken is decided by the share of words that are syllables of Vietnamese: a text layer whose
font lacks Vietnamese letters is right for the eye and wrong in the file.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from typing import Any

from nlp.errors import InputError, TooLarge, UnreadableFile
from nlp.legacy import LEGACY, to_unicode
from nlp.readers.columns import by_columns
from nlp.readers.lines import PrintedLine, assemble
from nlp.readers.printed import leave_out_running, paragraphs, replace_lines
from nlp.readers.progress import report
from nlp.readers.repair import LOST_D, SPLIT_SYLLABLES, draw_bullet, join_split, restore_d
from nlp.syllables import known_share
from nlp.types import Document

MAX_PAGES = 1000
MAX_OCR_PAGES = 300
UNREAD_PAGES = "pages_unread"
BROKEN_FONT = "broken_font"
_MIN_SHARE = 0.85  # known syllables; good text layers have 0.97 and more, broken ones 0.3 to 0.7
_MIN_PAGE_SHARE = 0.5  # of a page in a file that is good as a whole: lists of abbreviations
_MIN_OCR_SHARE = 0.5  # of a recognised page; below it a drawing, handwriting, another script
_MIN_WORDS = (
    30  # a page with fewer and a picture over most of it is a scan with a stamp in its text layer
)
_PICTURE_SHARE = 0.5
_MIN_RULES = 6  # lines drawn on a page; a letterhead has two or three
_OCR_THREADS = 2
_MAX_SIDE = 5_000  # pixels of a page brought to 300 dpi (42 cm)
_SHOWN_DPI = 110  # small print can be read on a screen


@dataclass(slots=True)
class _Page:
    """What is known of a page: its lines, how they were got, and what was wrong."""

    number: int
    lines: list[PrintedLine] = field(default_factory=list)
    issues: tuple[str, ...] = ()
    is_scan: bool = False
    n_rules: int = 0
    error: InputError | None = None

    @property
    def text(self) -> str:
        """Its lines, one below the other."""
        return "\n".join(line.text for line in self.lines)

    def is_good(self, bar: float) -> bool:
        """Whether the share of words that are syllables of Vietnamese reaches `bar`."""
        share, n_words = known_share(self.text)
        return share >= bar or (0 < n_words < 10 and share > 0)


def read(data: bytes, *, media_type: str) -> Document:
    """Read a PDF; lines are joined to paragraphs, page numbers and running heads left out.

    Raises:
        UnreadableFile: damaged, encrypted, or a scan where recognition is not installed or finds nothing.
        TooLarge: more than 1,000 pages, or more than 300 to recognise.
    """
    with _opened(data) as pdf:
        pages = _read_pages(pdf, data)
    lines, running = leave_out_running([line for page in pages for line in page.lines])
    if not lines:
        nothing = UnreadableFile("the PDF shows no text that could be recognised; scan it again")
        raise next((page.error for page in pages if page.error), nothing)
    issues = dict.fromkeys([*(issue for page in pages for issue in page.issues), *running])
    return assemble(paragraphs(lines), media_type=media_type, issues=tuple(issues))


def draw(data: bytes, *, media_type: str, side: int) -> Iterator[Any]:
    """The pages as grey pictures at 110 dpi, at most `side` pixels high and wide; scans are straightened.

    `Any`: as `_picture`.

    Raises:
        UnreadableFile: as `read`.
    """
    from nlp.readers.ocr import straighten

    with _opened(data) as pdf:
        for number in range(1, len(pdf) + 1):
            picture = _picture(pdf, number=number, dpi=_SHOWN_DPI, side=side)
            yield straighten(picture) if _text_layer(pdf, number=number).is_scan else picture


@contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    """An open PDF. `Any`: pypdfium2 has no type hints for its handles."""
    import pypdfium2 as pdfium  # loads a 7 MB library

    try:
        pdf = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise UnreadableFile(
                "the PDF is encrypted; remove its password, send it again"
            ) from error
        raise UnreadableFile("the PDF is damaged or cut off; save it again and send it") from error
    try:
        yield pdf
    except pdfium.PdfiumError as error:
        raise UnreadableFile("a page of the PDF is damaged; save it again and send it") from error
    finally:
        pdf.close()


def _read_pages(pdf: Any, data: bytes) -> list[_Page]:
    """Every page by the way that reads it. `Any`: pypdfium2 has no type hints for its handles."""
    if len(pdf) > MAX_PAGES:
        raise TooLarge(f"the PDF has {len(pdf)} pages; at most {MAX_PAGES} are read")
    pages = [_text_layer(pdf, number=i + 1) for i in range(len(pdf))]
    share, _ = known_share("\n".join(page.text for page in pages))
    bar = _MIN_SHARE if share < _MIN_SHARE else _MIN_PAGE_SHARE
    _reread_by_place(data, [page for page in pages if page.lines and not page.is_good(bar)])
    ruled = [page for page in pages if page.n_rules >= _MIN_RULES and page.is_good(bar)]
    _set_tables(data, ruled)
    _recognise(pdf, [page for page in pages if page.is_scan or not page.is_good(bar)])
    for page in pages:
        stretches = groupby(page.lines, key=lambda line: line.cell is None)
        page.lines = [
            line
            for is_free, own in stretches
            for line in (by_columns(list(own)) if is_free else own)
        ]
    return pages


def _text_layer(pdf: Any, *, number: int) -> _Page:
    """The text layer of one page. `Any`: pypdfium2 has no type hints for its handles."""
    page = pdf[number - 1]
    try:
        lines, issues = _repaired(list(_page_lines(page, number=number)))
        n_words = known_share("\n".join(line.text for line in lines))[1]
        is_scan = n_words < _MIN_WORDS and _picture_share(page) > _PICTURE_SHARE
        return _Page(number, lines, issues, is_scan, _count_rules(page) if lines else 0)
    finally:
        page.close()


def _picture_share(page: Any) -> float:
    """The share of a page that its largest picture covers, in [0, 1]."""
    import pypdfium2.raw as raw

    width, height = page.get_size()
    shares = [0.0]
    for part in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=2):
        left, bottom, right, top = part.get_bounds()
        shares.append((right - left) * (top - bottom) / (width * height))
    return max(shares)


def _count_rules(page: Any) -> int:
    """How many lines and boxes are drawn on a page, up to what tells a table."""
    import pypdfium2.raw as raw

    drawn = page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=2)
    return sum(1 for _ in islice(drawn, _MIN_RULES))


def _page_lines(page: Any, *, number: int) -> Iterator[PrintedLine]:
    """The printed lines of one page in the order of the file."""
    width, height = page.get_size()
    textpage = page.get_textpage()
    try:
        start = 0
        for raw in textpage.get_text_range().split("\n"):
            body = raw.rstrip("\r")
            boxes = _boxes(textpage, start=start, text=body)
            if boxes and body.strip():
                left, bottom = min(b[0] for b in boxes), min(b[1] for b in boxes)
                right, top = max(b[2] for b in boxes), max(b[3] for b in boxes)
                yield PrintedLine(
                    body.strip(),
                    number,
                    left / width,
                    1 - top / height,
                    right / width,
                    1 - bottom / height,
                )
            start += len(raw) + 1
    finally:
        textpage.close()


def _boxes(textpage: Any, *, start: int, text: str) -> list[tuple[float, float, float, float]]:
    """Boxes (left, bottom, right, top) in points of the first and last inked characters of a line."""
    inked = [i for i, char in enumerate(text) if not char.isspace()]
    ends = inked[:2] + inked[-2:]
    count = textpage.count_chars()
    return [textpage.get_charbox(start + i) for i in ends if start + i < count]


def _repaired(lines: Sequence[PrintedLine]) -> tuple[list[PrintedLine], tuple[str, ...]]:
    """Lines with their letters put right, and the names of the repairs."""
    if not lines:
        return [], ()
    issues: dict[str, None] = {}
    text = "\n".join(line.text for line in lines)
    decoded = to_unicode(text)
    if decoded != text:
        issues[LEGACY] = None
    mended = []
    for line, own in zip(lines, decoded.split("\n"), strict=True):
        with_d = restore_d(own)
        joined = join_split(with_d)
        if with_d != own:
            issues[LOST_D] = None
        if joined != with_d:
            issues[SPLIT_SYLLABLES] = None
        mended.append(replace(line, text=draw_bullet(joined)))
    return mended, tuple(issues)


def _reread_by_place(data: bytes, pages: Sequence[_Page]) -> None:
    """Read pages again by the places of their letters, where the order of the file breaks the words.

    Kept where it gives more syllables. Source: pdfplumber (its geometry is right where a fallback font
    tears each letter out of its word; 400 ms for 7 pages).
    """
    if not pages:
        return
    from nlp.readers.placed import lines_by_place  # loads pdfplumber, which most files do without

    for page, lines in zip(pages, lines_by_place(data, [p.number for p in pages]), strict=True):
        mended, issues = _repaired(lines)
        before = known_share(page.text)[0]
        if known_share("\n".join(line.text for line in mended))[0] > before:
            page.lines, page.issues = mended, (BROKEN_FONT, *issues)


def _set_tables(data: bytes, pages: Sequence[_Page]) -> None:
    """Put the lines of ruled tables cell by cell, where the text layer runs across their columns."""
    if not pages:
        return
    from nlp.readers.placed import tables_by_place

    by_number = {page.number: page for page in pages}
    try:
        for number, tables in tables_by_place(data, list(by_number)):
            page = by_number[number]
            for lines in tables:
                mended, _ = _repaired(lines)
                page.lines = replace_lines(page.lines, by=mended)
    except UnreadableFile:
        return  # the lines as they stand in the file are still there


def _recognise(pdf: Any, pages: Sequence[_Page]) -> None:
    """Recognise pages from their pictures, two at a time.

    A page that cannot be read is left empty and says so: nothing is made of letters that are no words.

    Raises:
        TooLarge: more than 300 pages.
    """
    if len(pages) > MAX_OCR_PAGES:
        raise TooLarge(
            f"{len(pages)} pages of the PDF are pictures; at most {MAX_OCR_PAGES} are recognised"
        )
    if not pages:
        return
    with ThreadPoolExecutor(_OCR_THREADS) as workers:
        for first in range(0, len(pages), _OCR_THREADS):
            batch = pages[first : first + _OCR_THREADS]
            images = [_picture(pdf, number=page.number) for page in batch]  # pdfium has one thread
            list(workers.map(_read_picture, batch, images))
            report(done=min(first + _OCR_THREADS, len(pages)), of=len(pages))


def _read_picture(page: _Page, image: Any) -> None:
    from nlp.readers.ocr import recognise

    try:
        page.lines, found = recognise(image, page=page.number)
        page.issues = found if page.lines else ()  # else a blank page
    except InputError as error:
        page.lines, page.error = [], error
    share, n_words = known_share(page.text)
    if page.error or (n_words and share < _MIN_OCR_SHARE):
        page.lines, page.issues = [], (UNREAD_PAGES,)


def _picture(pdf: Any, *, number: int, dpi: float = 300.0, side: int = _MAX_SIDE) -> Any:
    """A page as a grey picture at so many dpi, or smaller where that has more than `side` pixels a side."""
    page = pdf[number - 1]
    try:
        longest = max(page.get_size()) / 72
        dpi = min(dpi, side / max(longest, 0.1))
        return page.render(scale=dpi / 72, grayscale=True).to_pil()
    finally:
        page.close()

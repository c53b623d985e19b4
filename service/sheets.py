"""Tables as files for the office and for programs: any number of rows, a few in memory at a time.

No cell is ever a formula, whatever a text begins with. Workbooks are written here and not by a library:
openpyxl keeps the texts in files of the system's temporary folder meanwhile, where a process that is killed
leaves them, and takes ten times as long.
"""

import csv
import io
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import orjson

Cell = str | float | date | None  # moments without a zone
Cells = Sequence[Cell]
Notes = Callable[[], Sequence[Cells]]  # called when all rows are written, as it may count them

SHEET_ROWS = 1_000_000  # Source: Excel specifications and limits (Microsoft, 2024): 1,048,576
_CELL_UNITS = 32_767  # ibid., in units of UTF-16
_ROWS_AT_ONCE = 200
# Source: OWASP, CSV Injection. A program may pass over white space before the sign.
_SIGNS = (
    "=",
    "+",
    "-",
    "@",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)  # the last four are of full width
_BREAKS = ("\t", "\r", "\n")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0, 2.2
_DAY_ZERO = datetime(1899, 12, 30)
_BOM = b"\xef\xbb\xbf"  # without it Excel reads UTF-8 as the code page of the machine


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a table and its notes are called, and the columns from left to right with widths in characters."""

    name: str
    notes_name: str
    columns: Sequence[tuple[str, int]]


def to_csv(rows: Iterable[Cells]) -> bytes:
    """A small table as `write_csv` writes it, in memory."""
    lines = io.StringIO(newline="")
    _csv_writer(lines).writerows([_plain(cell) for cell in row] for row in rows)
    return _BOM + lines.getvalue().encode()


def write_csv(out: IO[bytes], sheet: Sheet, *, rows: Iterable[Cells], notes: Notes) -> None:
    """Write the notes, an empty line, the names of the columns, the rows, as Excel reads UTF-8.

    Moments and days are written as in ISO 8601. A text that a program could take for a formula gets an
    apostrophe before it.
    """
    with _scratch(out) as body:
        table = _csv_writer(body)
        table.writerow([_plain(name) for name, _ in sheet.columns])
        table.writerows([_plain(cell) for cell in row] for row in rows)
        out.write(_BOM)
        head = io.StringIO(newline="")
        _csv_writer(head).writerows([_plain(cell) for cell in row] for row in notes())
        out.write(f"{head.getvalue()}\r\n".encode())


def _csv_writer(file: IO[str]) -> Any:
    """`Any`: the module has no public name for the type."""
    return csv.writer(file, quoting=csv.QUOTE_ALL)


def write_lines(
    out: IO[bytes],
    rows: Iterable[Mapping[str, object]],
    *,
    notes: Callable[[], Mapping[str, object]],
) -> None:
    """Write a JSON object a line: first the notes, under that name, then the rows."""
    with _scratch(out) as body:
        for row in rows:
            body.write(orjson.dumps(row).decode() + "\n")
        out.write(orjson.dumps({"notes": notes()}, option=orjson.OPT_APPEND_NEWLINE))


@contextmanager
def _scratch(out: IO[bytes]) -> Iterator[IO[str]]:
    """A file without a name beside `out`, to be copied to its end; a killed process leaves none behind."""
    with TemporaryFile(dir=Path(out.name).parent) as kept:
        body = io.TextIOWrapper(kept, encoding="utf-8", newline="", write_through=False)
        yield body
        body.flush()
        body.detach()
        kept.seek(0)
        shutil.copyfileobj(kept, out, 1 << 20)


def _plain(cell: Cell) -> str:
    if isinstance(cell, str):
        text = clean(cell)
        return f"'{text}" if may_run(text) else text
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    return "" if cell is None else str(cell)


def clean(text: str) -> str:
    """A text without what no XML may hold."""
    return _FORBIDDEN.sub("", text)


def may_run(text: str) -> bool:
    """Whether a program that opens tables could take a text for a formula."""
    return text.startswith(_BREAKS) or text.lstrip().startswith(_SIGNS)


def write_xlsx(
    out: IO[bytes],
    sheet: Sheet,
    *,
    rows: Iterable[Cells],
    notes: Notes,
    sheet_rows: int = SHEET_ROWS,
) -> None:
    """Write a workbook: the notes on the first sheet, the rows on as many others as they need.

    Source: ECMA-376, Part 1 (2016), sections 12.3 and 18.
    """
    waiting = iter(rows)
    names: list[str] = []
    with ZipFile(out, "w") as book:
        while (first := list(islice(waiting, 1))) or not names:
            names.append(f"{sheet.name} {len(names) + 1}" if names else sheet.name)
            own = chain(first, islice(waiting, sheet_rows - 1))
            lines = _sheet_lines(sheet.columns, own)
            _put(book, f"xl/worksheets/sheet{len(names)}.xml", lines)
        names.insert(0, sheet.notes_name)
        _put(book, "xl/worksheets/sheet0.xml", _sheet_lines([("", 28), ("", 90)], notes()))
        for name, part in _frame(names):
            _put(book, name, [part])


def _put(book: ZipFile, name: str, lines: Iterable[str]) -> None:
    """Write one part; `ZipInfo` without a moment, so that the same rows give the same bytes."""
    info = ZipInfo(name)
    info.compress_type = ZIP_DEFLATED
    pieces = iter(lines)
    with book.open(info, "w", force_zip64=True) as part:
        while some := list(islice(pieces, _ROWS_AT_ONCE)):
            part.write("".join(some).encode())


def _sheet_lines(columns: Sequence[tuple[str, int]], rows: Iterable[Cells]) -> Iterator[str]:
    """A sheet as XML, a row each; without names of columns it has none above the rows."""
    letters = [_letters(at) for at in range(len(columns))]
    widths = "".join(
        f'<col min="{at}" max="{at}" width="{width}" customWidth="1"/>'
        for at, (_, width) in enumerate(columns, start=1)
    )
    has_names = any(name for name, _ in columns)
    frozen = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    yield (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        f"{frozen if has_names else ''}</sheetView></sheetViews><cols>{widths}</cols><sheetData>"
    )
    if has_names:
        names = (
            _text(name, f"{at}1", style=_BOLD)
            for at, (name, _) in zip(letters, columns, strict=True)
        )
        yield f'<row r="1">{"".join(names)}</row>'
    for number, row in enumerate(rows, start=1 + has_names):
        cells = (_cell(cell, f"{at}{number}") for at, cell in zip(letters, row, strict=True))
        yield f'<row r="{number}">{"".join(cells)}</row>'
    yield "</sheetData></worksheet>"


def _letters(at: int) -> str:
    """The name of a column, counted from 0: A to Z, AA to ZZ."""
    above, own = divmod(at, 26)
    return (_letters(above - 1) if above else "") + chr(ord("A") + own)


def _cell(cell: Cell, place: str) -> str:
    if cell is None or cell == "":
        return ""
    if isinstance(cell, str):
        text = clean(cell)
        return _text(text, place, style=_QUOTED if may_run(text) else _PLAIN)
    if isinstance(cell, date) and cell.year < _DAY_ZERO.year + 1:
        return _text(f"{cell.day:02}/{cell.month:02}/{cell.year:04}", place, style=_PLAIN)
    if isinstance(cell, datetime):
        days = (cell - _DAY_ZERO).total_seconds() / 86_400
        return f'<c r="{place}" s="{_MOMENT}"><v>{days!r}</v></c>'
    if isinstance(cell, date):
        return f'<c r="{place}" s="{_DAY}"><v>{(cell - _DAY_ZERO.date()).days}</v></c>'
    return f'<c r="{place}"><v>{cell!r}</v></c>'


def _text(text: str, place: str, *, style: int) -> str:
    """A text in the cell itself, whole or cut to what a cell holds."""
    if len(text) > _CELL_UNITS // 2:
        units = text.encode("utf-16-le")
        if len(units) > 2 * _CELL_UNITS:
            text = units[: 2 * (_CELL_UNITS - 1)].decode("utf-16-le", "ignore") + "…"
    shown = f'<is><t xml:space="preserve">{escape(text)}</t></is>'
    return f'<c r="{place}" t="inlineStr" s="{style}">{shown}</c>'


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OPEN = "http://schemas.openxmlformats.org"
_MAIN = f"{_OPEN}/spreadsheetml/2006/main"
_PACKAGE = f"{_OPEN}/package/2006"
_RELATION = f"{_OPEN}/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# places in `cellXfs` below
_PLAIN, _BOLD, _MOMENT, _DAY, _QUOTED = range(5)
_STYLES = f"""{_XML}<styleSheet xmlns="{_MAIN}">
<numFmts count="2"><numFmt numFmtId="164" formatCode="dd/mm/yyyy\\ hh:mm"/>
<numFmt numFmtId="165" formatCode="dd/mm/yyyy"/></numFmts>
<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>
<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>
<fills count="2"><fill><patternFill patternType="none"/></fill>
<fill><patternFill patternType="gray125"/></fill></fills>
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>
<cellXfs count="5"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>
<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>
<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>
<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1"/></cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>
</styleSheet>"""


def _frame(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The parts that hold a workbook together; its sheets are numbered in the order of their names."""
    numbers = range(len(names))
    overrides = "".join(
        f'<Override PartName="/xl/{part}.xml" ContentType="{_TYPE}.{kind}+xml"/>'
        for part, kind in (
            ("workbook", "sheet.main"),
            ("styles", "styles"),
            *((f"worksheets/sheet{n}", "worksheet") for n in numbers),
        )
    )
    defaults = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package'
    yield (
        "[Content_Types].xml",
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">{defaults}.relationships+xml"/>{overrides}</Types>',
    )
    yield "_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")])
    parts = [("worksheet", f"worksheets/sheet{n}.xml") for n in numbers]
    yield "xl/_rels/workbook.xml.rels", _relations([*parts, ("styles", "styles.xml")])
    yield "xl/styles.xml", _STYLES
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="r{n}"/>'
        for n, name in enumerate(names, start=1)
    )
    yield (
        "xl/workbook.xml",
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATION}"><sheets>{sheets}</sheets></workbook>',
    )


def _relations(targets: Iterable[tuple[str, str]]) -> str:
    items = "".join(
        f'<Relationship Id="r{n}" Type="{_RELATION}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, start=1)
    )
    return f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{items}</Relationships>'

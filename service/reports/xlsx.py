"""A report as a workbook: a sheet for each table, its charts as Excel's own, and notes.

No cell is ever a formula, whatever a text begins with.
"""

import io
from collections.abc import Iterator, Sequence

from openpyxl import Workbook
from openpyxl.cell import Cell as SheetCell
from openpyxl.chart import BarChart, LineChart, Reference
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from service.messages import say
from service.monitor.told import Figure
from service.reports.report import (
    Chart,
    Column,
    Report,
    Reposts,
    Row,
    Table,
    show_cell,
    show_count,
)
from service.sheets import clean, may_run

_COUNT, _SHARE = "#,##0", "0%"
_HEAD = 3  # the row of the headings: the title and what holds for all figures stand above
_WIDE, _WORDS, _NUMBER = 90, 44, 14
_CHART_ROWS = 24  # that a chart covers
_COLOURS = ("A11D21", "C9C4B8", "8FB79D", "FFFFFF")
_Value = str | float | None


def write_xlsx(report: Report) -> bytes:
    """The report as .xlsx; every number is one, and what may not be told says so."""
    book = Workbook()
    book.remove(book.active)
    book.properties.creator = "danvan"
    book.properties.title = clean(report.subject)
    book.properties.created = book.properties.modified = report.made_at.replace(tzinfo=None)
    _add_summary(book, report)
    for section in report.sections:
        for table in section.tables:
            if table.rows:
                _add_table(book, table, report=report)
    charts = [chart for section in report.sections for chart in section.charts]
    if charts:
        _add_charts(book, charts)
    _add_notes(book, report)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _add_summary(book: Workbook, report: Report) -> None:
    """What each section says, in words."""
    sheet = book.create_sheet(say("reports.sheet_summary"))
    lines = [(name, value) for name, value in report.scope]
    lines += [(section.title, text) for section in report.sections for text in section.says]
    _fill_lines(sheet, lines, title=report.subject, note=report.sample.notice)


def _add_notes(book: Workbook, report: Report) -> None:
    """What holds for every figure, and the opinions that were asked for."""
    sheet = book.create_sheet(say("reports.sheet_notes"))
    lines = [(say("reports.notes"), note) for note in report.notes]
    lines += [
        (quotes.title, item.excerpt)
        for section in report.sections
        for quotes in section.quotes
        for item in quotes.items
    ]
    _fill_lines(sheet, lines, title=say("reports.notes"), note=say("reports.labels"))


def _fill_lines(
    sheet: Worksheet, lines: Sequence[tuple[str, str]], *, title: str, note: str
) -> None:
    _begin(sheet, title=title, note=note, names=[say("reports.section"), say("reports.value")])
    for at, (name, text) in enumerate(lines, start=_HEAD + 1):
        _put(sheet.cell(at, 1), name)
        _put(sheet.cell(at, 2), text)
    _set_widths(sheet, [30, _WIDE])


def _add_table(book: Workbook, table: Table, *, report: Report) -> None:
    sheet = book.create_sheet(table.sheet)
    note = f"{report.sample.notice} {say('reports.labels')}"
    names = [name for column in table.columns for name in _names(column)]
    _begin(sheet, title=table.title, note=note, names=names)
    for at, row in enumerate(table.rows, start=_HEAD + 1):
        values = [
            value
            for column, cell in zip(table.columns, _values(row, table, k=report.k), strict=True)
            for value in cell
        ]
        for place, (value, number_format) in enumerate(values, start=1):
            _put(sheet.cell(at, place), value, number_format=number_format)
        sheet.cell(at, 1).alignment = _alignment(indent=2 if row.is_part else 0)
    last = _HEAD + len(table.rows)
    sheet.auto_filter.ref = f"A{_HEAD}:{sheet.cell(last, len(names)).coordinate}"
    if table.rest:
        _put(sheet.cell(last + 2, 1), table.rest)
        sheet.cell(last + 2, 1).alignment = _alignment(wraps=False)
    _set_widths(sheet, [width for column in table.columns for width in _widths(column)])


def _names(column: Column) -> Iterator[str]:
    """The headings of a column: a figure has its share and interval beside it."""
    yield column.name
    if column.kind == "figure":
        for part in ("share", "share_low", "share_high"):
            yield say(f"reports.{part}", name=column.name)


def _widths(column: Column) -> Iterator[int]:
    """The widths of a column and of what stands beside it; words get more room."""
    yield _WORDS if column.kind == "text" else _NUMBER
    if column.kind == "figure":
        yield from (_NUMBER,) * 3


def _values(row: Row, table: Table, *, k: int) -> Iterator[list[tuple[_Value, str | None]]]:
    """What each cell of a line has for the columns of the sheet."""
    for column, cell in zip(table.columns, row.cells, strict=True):
        if isinstance(cell, Figure):
            own: list[tuple[_Value, str | None]] = [_count(cell.count, k=k)]
            if column.kind == "figure":
                share = cell.share
                shares = (share.value, share.low, share.high) if share else (None,) * 3
                own += [(one, _SHARE) for one in shares]
            yield own
        elif isinstance(cell, Reposts):
            yield [_count(cell.count, k=k)]
        else:
            yield [(show_cell(cell, kind=column.kind, k=k), None)]


def _count(count: int | None, *, k: int) -> tuple[_Value, str | None]:
    return (show_count(None, k=k), None) if count is None else (count, _COUNT)


def _add_charts(book: Workbook, charts: Sequence[Chart]) -> None:
    """The counts behind each chart, and the chart beside them."""
    sheet = book.create_sheet(say("reports.sheet_charts"))
    at = 1
    for chart in charts:
        _put(sheet.cell(at, 1), chart.title, bold=True)
        for place, bar in enumerate(chart.bars, start=2):
            _put(sheet.cell(at + 1, place), bar.name, bold=True)
        for below, label in enumerate(chart.labels, start=at + 2):
            _put(sheet.cell(below, 1), label)
            for place, bar in enumerate(chart.bars, start=2):
                _put(sheet.cell(below, place), bar.counts[below - at - 2], number_format=_COUNT)
        sheet.add_chart(_build_chart(sheet, chart, at=at), f"H{at}")
        at += max(_CHART_ROWS, len(chart.labels) + 4)
    _set_widths(sheet, [44, 14, 14, 14, 14])


def _build_chart(sheet: Worksheet, chart: Chart, *, at: int) -> BarChart | LineChart:
    """Excel's own chart over cells of the sheet."""
    made = LineChart() if chart.kind == "time" else BarChart()
    last = at + 1 + len(chart.labels)
    data = Reference(sheet, min_col=2, max_col=1 + len(chart.bars), min_row=at + 1, max_row=last)
    made.add_data(data, titles_from_data=True)
    made.set_categories(Reference(sheet, min_col=1, min_row=at + 2, max_row=last))
    made.title, made.width, made.height = chart.title, 24, 11
    made.x_axis.delete = made.y_axis.delete = False
    made.y_axis.number_format = _COUNT
    if chart.kind == "parts":
        made.type, made.grouping, made.overlap, made.gapWidth = "bar", "stacked", 100, 50
        made.x_axis.scaling.orientation = "maxMin"
    else:
        made.legend = None
    for series, colour in zip(made.series, _COLOURS, strict=False):
        series.graphicalProperties.line.solidFill = "A11D21" if chart.kind == "time" else "444444"
        if chart.kind == "parts":
            series.graphicalProperties.solidFill = colour
    return made


def _begin(sheet: Worksheet, *, title: str, note: str, names: Sequence[str]) -> None:
    """Title, what holds for all figures, the headings; they stay in sight."""
    _put(sheet.cell(1, 1), title, bold=True)
    _put(sheet.cell(2, 1), note)
    for row in (1, 2):
        sheet.cell(row, 1).alignment = _alignment(wraps=False)
    for place, name in enumerate(names, start=1):
        _put(sheet.cell(_HEAD, place), name, bold=True)
    sheet.freeze_panes = sheet.cell(_HEAD + 1, 1 if len(names) <= 2 else 2)


def _put(
    cell: SheetCell, value: _Value, *, number_format: str | None = None, bold: bool = False
) -> None:
    """Put a value into a cell: a number as one, a text as a text, whatever it begins with."""
    cell.alignment = _alignment()
    if bold:
        cell.font = Font(bold=True)
    if isinstance(value, str):
        cell.value = clean(value)
        cell.data_type = "s"  # openpyxl takes "=..." for a formula and "#N/A" for an error
        cell.quotePrefix = may_run(value)  # a text also after someone edited it
    elif value is not None:
        cell.value = value
        cell.number_format = number_format or "General"


def _alignment(*, wraps: bool = True, indent: int = 0) -> Alignment:
    return Alignment(wrap_text=wraps, vertical="top", indent=indent)


def _set_widths(sheet: Worksheet, widths: Sequence[int]) -> None:
    for place, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width

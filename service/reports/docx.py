"""A report as an official document in Word."""

import io
from collections.abc import Iterator, Sequence

import docx
from docx.document import Document
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.shared import Mm, Pt
from docx.table import _Cell, _Row
from docx.text.paragraph import Paragraph

from service.messages import say
from service.monitor.told import Figure
from service.reports.charts import draw
from service.reports.docx_form import (
    HEADING,
    SIZES,
    TEXT_WIDTH_MM,
    add_head,
    add_tail,
    set_padding,
    set_page,
    set_widths,
    write,
)
from service.reports.letterhead import Letterhead
from service.reports.report import (
    Cell,
    Chart,
    Column,
    Quotes,
    Report,
    Row,
    Section,
    Table,
    show_cell,
    show_count,
    show_share,
)
from service.sheets import clean

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
_CELL_PT = 11
_SMALL_PT = 12
_CELL_SPACE_PT = 2
_CELL_SIDE_MM = 1  # a share and its interval stay on one line
_INDENT_MM = 10
_SPACE_PT = 6
_END = "./."  # Source: Decree 30/2020, annex I; Guideline 36-HD/VPTW: the text has ended


def write_docx(report: Report, head: Letterhead) -> bytes:
    """The report under this letterhead; nothing that it does not hold is added."""
    doc = docx.Document()
    set_page(doc, form=head.form)
    _describe(doc, report)
    add_head(doc, head, subject=report.subject)
    _Body(doc, head).write(report)
    add_tail(doc, head)
    out = io.BytesIO()
    doc.save(out)
    return out.getvalue()


def _describe(doc: Document, report: Report) -> None:
    """What programs show of a file; the template's own words go."""
    about = doc.core_properties
    about.title, about.language = clean(report.subject), "vi-VN"
    about.author = about.comments = about.last_modified_by = ""
    about.created = about.modified = report.made_at.replace(tzinfo=None)


class _Body:
    """The parts of the body, with their numbers as they come."""

    def __init__(self, doc: Document, head: Letterhead) -> None:
        self._doc, self._sizes = doc, SIZES[head.form]
        self._n_tables = self._n_charts = 0

    def write(self, report: Report) -> None:
        """Every section, then what holds for all figures."""
        for number, section in enumerate(report.sections):
            self._section(report, section, number=number)
        *notes, last = report.notes
        for note in notes:
            self._paragraph(f"- {note}")
        self._paragraph(f"- {last.removesuffix('.')}{_END}")

    def _section(self, report: Report, section: Section, *, number: int) -> None:
        heading = self._doc.add_paragraph(style=HEADING)
        heading.paragraph_format.keep_with_next = True
        heading.paragraph_format.first_line_indent = Mm(_INDENT_MM)
        heading.paragraph_format.space_before = Pt(_SPACE_PT * 2)
        mark = self._sizes.mark.format(roman=_ROMAN[number])
        write(heading, mark + section.title.upper(), size=self._sizes.text, bold=True)
        if section.name == "received" and report.scope:
            names = "; ".join(f"{name}: {value}" for name, value in report.scope)
            self._paragraph(say("reports.scope", names=names))
        for sentence in section.says:
            self._paragraph(sentence)
        for chart in section.charts:
            self._chart(chart)
        for table in section.tables:
            if not table.is_detail and table.rows:
                self._table(table, k=report.k)
        for quotes in section.quotes:
            self._quotes(quotes)

    def _paragraph(self, text: str, *, size: int | None = None) -> Paragraph:
        line = self._doc.add_paragraph()
        line.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
        shape = line.paragraph_format
        shape.first_line_indent = Mm(_INDENT_MM)
        shape.space_before, shape.line_spacing = Pt(_SPACE_PT), 1.15
        write(line, text, size=size or self._sizes.text)
        return line

    def _caption(self, text: str, *, keeps: bool) -> None:
        line = self._doc.add_paragraph()
        line.alignment = WD_ALIGN_PARAGRAPH.CENTER
        line.paragraph_format.keep_with_next = keeps
        line.paragraph_format.space_before = Pt(_SPACE_PT * 2 if keeps else 2)
        line.paragraph_format.space_after = Pt(3)
        write(line, text, size=13, bold=True).italic = True

    def _chart(self, chart: Chart) -> None:
        line = self._doc.add_paragraph()
        line.alignment = WD_ALIGN_PARAGRAPH.CENTER
        line.paragraph_format.keep_with_next = True
        line.paragraph_format.space_before = Pt(_SPACE_PT)
        picture = line.add_run().add_picture(io.BytesIO(draw(chart)), width=Mm(160))
        told = picture._inline.docPr
        told.set("descr", clean(chart.alt))
        told.set("title", chart.title)
        self._n_charts += 1
        self._caption(say("reports.chart_n", n=self._n_charts, title=chart.title), keeps=False)

    def _table(self, table: Table, *, k: int) -> None:
        self._n_tables += 1
        self._caption(say("reports.table_n", n=self._n_tables, title=table.title), keeps=True)
        grid = self._doc.add_table(rows=1, cols=len(table.columns))
        grid.style, grid.autofit = "Table Grid", False
        grid.alignment = WD_TABLE_ALIGNMENT.CENTER
        _repeat(grid.rows[0])
        for cell, column in zip(grid.rows[0].cells, table.columns, strict=True):
            self._cell(cell, [column.name], is_number=True, bold=True)
        for row in table.rows:
            cells = grid.add_row().cells
            for cell, column, value in zip(cells, table.columns, row.cells, strict=True):
                lines = list(_lines(value, column=column, k=k))
                self._cell(cell, lines, is_number=column.kind != "text", bold=_is_whole(row, table))
        for line in grid.rows:
            _hold(line)
        set_widths(grid, _widths(table.columns))
        if table.rest:
            self._paragraph(table.rest, size=_SMALL_PT)

    def _cell(self, cell: _Cell, lines: Sequence[str], *, is_number: bool, bold: bool) -> None:
        set_padding(cell, width_mm=_CELL_SIDE_MM)
        cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
        for number, text in enumerate(lines):
            line = cell.paragraphs[0] if number == 0 else cell.add_paragraph()
            line.alignment = WD_ALIGN_PARAGRAPH.CENTER if is_number else WD_ALIGN_PARAGRAPH.LEFT
            line.paragraph_format.space_before = Pt(0 if number else _CELL_SPACE_PT)
            line.paragraph_format.space_after = Pt(
                _CELL_SPACE_PT if number == len(lines) - 1 else 0
            )
            write(line, text, size=_CELL_PT, bold=bold)

    def _quotes(self, quotes: Quotes) -> None:
        title = self._paragraph("")
        title.paragraph_format.keep_with_next = True
        write(title, quotes.title, size=self._sizes.text, bold=True).italic = True
        for item in quotes.items:
            text = " ".join(item.excerpt.split())
            self._paragraph(f"- “{text}{'…' if item.is_cut else ''}”").runs[0].italic = True


def _is_whole(row: Row, table: Table) -> bool:
    """Whether the lines below are parts of this one."""
    return bool(row.narrows) and not row.is_part and any(own.is_part for own in table.rows)


def _lines(cell: Cell, *, column: Column, k: int) -> Iterator[str]:
    """A figure has its share on a line of its own."""
    if isinstance(cell, Figure) and column.kind == "figure" and cell.share is not None:
        yield show_count(cell.count, k=k)
        yield show_share(cell.share)
    else:
        yield show_cell(cell, kind=column.kind, k=k)


def _widths(columns: Sequence[Column]) -> list[float]:
    """Widths in millimetres that together are those of the text."""
    whole = sum(column.width for column in columns)
    return [TEXT_WIDTH_MM * column.width / whole for column in columns]


def _repeat(row: _Row) -> None:
    """Let a row stand again on top of every page of its table."""
    row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def _hold(row: _Row) -> None:
    """Keep a row on one page."""
    row._tr.get_or_add_trPr().insert(0, OxmlElement("w:cantSplit"))

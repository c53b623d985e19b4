"""The frame of an official document in Word: page, letterhead, title, recipients and signature.

Source: Decree 30/2020/NĐ-CP, annex I, part I (State); Guideline 36-HD/VPTW of 2018 on Regulation 66-QĐ/TW
(Party).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from docx.document import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.section import Section
from docx.shared import Mm, Pt, RGBColor
from docx.styles.style import ParagraphStyle
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from service.messages import say
from service.reports.letterhead import Form, Letterhead
from service.sheets import clean

FONT = "Times New Roman"
HEADING = "Heading 1"
TEXT_WIDTH_MM = 165
_MARGINS_MM = {"top_margin": 20, "bottom_margin": 20, "left_margin": 30, "right_margin": 15}
_LEFT_MM, _RIGHT_MM = 59, 106  # the motto stays on one line in wider fonts that stand in too
_SIGNED_MM = 30  # room for signature and seal


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes of letters, in points, and how parts are numbered."""

    motto: int
    below_motto: int
    body: int
    number: int
    kind: int
    subject: int
    text: int
    recipients: int
    recipient: int
    mark: str


SIZES: dict[Form, Sizes] = {
    "state": Sizes(12, 13, 13, 13, 14, 14, 14, 12, 11, "{roman}. "),
    "party": Sizes(15, 15, 14, 14, 16, 15, 14, 14, 12, "{roman}- "),
}


def set_page(doc: Document, *, form: Form) -> None:
    """A4 with the margins of both forms; the number of the page on top from the second one on."""
    section = doc.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    for name, size in _MARGINS_MM.items():
        setattr(section, name, Mm(size))
    section.header_distance = Mm(10)
    for style in (doc.styles["Normal"], doc.styles[HEADING]):
        _set_font(style, size=SIZES[form].text)
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "vi-VN")
    doc.styles["Normal"].element.get_or_add_rPr().append(language)
    _number_pages(section)


def _set_font(style: ParagraphStyle, *, size: int) -> None:
    """The font of office documents in black, in place of the theme's."""
    style.font.name, style.font.size, style.font.color.rgb = FONT, Pt(size), RGBColor(0, 0, 0)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in list(fonts.attrib):
        del fonts.attrib[name]
    for name in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(name), FONT)
    style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(0)


def _number_pages(section: Section) -> None:
    section.different_first_page_header_footer = True
    line = section.header.paragraphs[0]
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = line.add_run()
    run.font.size = Pt(13)
    for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
        part = OxmlElement("w:fldChar" if kind else "w:instrText")
        if kind:
            part.set(qn("w:fldCharType"), kind)
        part.text = text
        run._r.append(part)


def add_head(doc: Document, head: Letterhead, *, subject: str) -> None:
    """Issuing body and number at left, motto, place and date at right; kind and subject below."""
    sizes = SIZES[head.form]
    left, right = _two_columns(doc).rows[0].cells
    upper, body = (text.upper() or say("reports.long_dots") for text in (head.upper, head.body))
    _line(left, upper, size=sizes.body)
    _line(left, body, size=sizes.body, bold=True)
    if head.form == "state":
        _rule(left, indent_mm=18)
        _line(right, say("reports.motto"), size=sizes.motto, bold=True)
        _line(right, say("reports.freedom"), size=sizes.below_motto, bold=True)
        _rule(right, indent_mm=22)
    else:
        _line(left, "*", size=sizes.body)
        _line(right, say("reports.party"), size=sizes.motto, bold=True)
        _rule(right, indent_mm=16)
        _line(right, "", size=sizes.body)
    _line(left, _number(head), size=sizes.number, before=2)
    _line(right, _dating(head), size=sizes.number, italic=True, before=2)
    _add_title(doc, head, subject=subject)


def _number(head: Letterhead) -> str:
    dots = say("reports.dots")
    return say(
        f"reports.number_{head.form}", number=head.number or dots, symbol=head.symbol or dots
    )


def _dating(head: Letterhead) -> str:
    """Place and date. Source: Decree 30/2020, annex I: a day below 10 and a month below 3 get a nought."""
    dots = say("reports.dots")
    place = head.place or dots
    if head.dated is None:
        return say("reports.place_date", place=place, day=dots, month=dots, year=dots)
    day, month, year = head.dated.day, head.dated.month, head.dated.year
    shown = f"{month:02}" if month < 3 else str(month)
    return say("reports.place_date", place=place, day=f"{day:02}", month=shown, year=str(year))


def _add_title(doc: Document, head: Letterhead, *, subject: str) -> None:
    sizes = SIZES[head.form]
    kind = doc.add_paragraph()
    kind.alignment = WD_ALIGN_PARAGRAPH.CENTER
    kind.paragraph_format.space_before = Pt(18)
    write(kind, say("reports.kind").upper(), size=sizes.kind, bold=True)
    about = doc.add_paragraph()
    about.alignment = WD_ALIGN_PARAGRAPH.CENTER
    write(about, subject, size=sizes.subject, bold=True)
    if head.form == "state":
        rule = doc.add_paragraph()
        _draw_rule(rule, indent_mm=58)
        rule.paragraph_format.space_after = Pt(12)
    else:
        dashes = doc.add_paragraph()
        dashes.alignment = WD_ALIGN_PARAGRAPH.CENTER
        write(dashes, "-----", size=sizes.text)
        dashes.paragraph_format.space_after = Pt(8)


def add_tail(doc: Document, head: Letterhead) -> None:
    """Recipients at left, who signs at right; kept on one page."""
    sizes = SIZES[head.form]
    gap = doc.add_paragraph()
    gap.paragraph_format.space_after = Pt(6)
    table = _two_columns(doc)
    left, right = table.rows[0].cells
    is_state = head.form == "state"
    title = _line(left, "", size=sizes.recipients, align=WD_ALIGN_PARAGRAPH.LEFT)
    run = write(title, say("reports.recipients"), size=sizes.recipients, bold=is_state)
    run.italic, run.underline = is_state, not is_state
    for name in ("recipient_open", "recipient_open", f"recipient_{head.form}"):
        _line(left, say(f"reports.{name}"), size=sizes.recipient, align=WD_ALIGN_PARAGRAPH.LEFT)
    for title_line in (head.signer or say("reports.long_dots")).split(" / "):
        _line(right, title_line.strip().upper(), size=sizes.text, bold=True)
    _line(right, "", size=sizes.text).paragraph_format.space_before = Mm(_SIGNED_MM)
    _keep_whole(table)


def _two_columns(doc: Document) -> Table:
    """A table without lines, as wide as the text."""
    table: Table = doc.add_table(rows=1, cols=2)
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    set_widths(table, (_LEFT_MM, _RIGHT_MM))
    for cell in table.rows[0].cells:
        set_padding(cell, width_mm=0)  # the motto needs the whole width
        cell._tc.remove(cell.paragraphs[0]._p)
    return table


def set_widths(table: Table, widths_mm: Sequence[float]) -> None:
    """Set the widths of columns: Word goes by the cells, LibreOffice by the columns."""
    for column, width in zip(table.columns, widths_mm, strict=True):
        column.width = Mm(width)
    for row in table.rows:
        for cell, width in zip(row.cells, widths_mm, strict=True):
            cell.width = Mm(width)


def set_padding(cell: _Cell, *, width_mm: int) -> None:
    """Set the room at both sides, before how words stand in the cell: the schema wants it so."""
    margins = OxmlElement("w:tcMar")
    for side in ("start", "end"):
        edge = OxmlElement(f"w:{side}")
        edge.set(qn("w:w"), str(Mm(width_mm).twips))
        edge.set(qn("w:type"), "dxa")
        margins.append(edge)
    cell._tc.get_or_add_tcPr().append(margins)


def _keep_whole(table: Table) -> None:
    for row in table.rows:
        row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _line(
    cell: _Cell,
    text: str,
    *,
    size: int,
    bold: bool = False,
    italic: bool = False,
    before: int = 0,
    align: WD_ALIGN_PARAGRAPH = WD_ALIGN_PARAGRAPH.CENTER,
) -> Paragraph:
    line: Paragraph = cell.add_paragraph()
    line.alignment = align
    line.paragraph_format.space_before = Pt(before)
    if text:
        write(line, text, size=size, bold=bold).italic = italic
    return line


def write(paragraph: Paragraph, text: str, *, size: int, bold: bool = False) -> Run:
    """Words in a paragraph; size in points."""
    run: Run = paragraph.add_run(clean(text))
    run.font.size, run.bold = Pt(size), bold
    return run


def _rule(cell: _Cell, *, indent_mm: float) -> None:
    _draw_rule(cell.add_paragraph(), indent_mm=indent_mm)


def _draw_rule(line: Paragraph, *, indent_mm: float) -> None:
    """A thin line across a paragraph without words."""
    shape = line.paragraph_format
    shape.left_indent = shape.right_indent = Mm(indent_mm)
    shape.line_spacing = Pt(3)
    shape.space_after = Pt(4)
    border = OxmlElement("w:pBdr")
    below = OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "000000")):
        below.set(qn(f"w:{name}"), value)
    border.append(below)
    _place_border(line, border)


def _place_border(line: Paragraph, border: object) -> None:
    """Put it where the schema wants it: before spacing and indentation."""
    properties = line._p.get_or_add_pPr()
    properties.insert_element_before(
        border, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )

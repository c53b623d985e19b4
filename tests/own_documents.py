"""The whole documents of our own (`corpus/labelled/documents`), laid out as offices lay theirs out."""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from nlp.legacy import to_tcvn3

FOLDER = Path(__file__).parents[1] / "corpus" / "labelled" / "documents"
_OLD_FONT = ".VnTime"
_WIDTHS = (6.5, 9.5)  # cm, the columns of head and foot, so that the motto stands on one line
_HEAD_SIZE = 10  # points


@dataclass(frozen=True, slots=True)
class OwnDocument:
    """A document as printed lines, and its facts. `Any`: JSON of the project, checked by its tests."""

    id: str
    raw: dict[str, Any]

    @property
    def gold(self) -> dict[str, Any]:
        return dict(self.raw["gold"])

    @property
    def duties(self) -> list[dict[str, Any]]:
        return list(self.raw["duties"])

    @property
    def citations(self) -> list[dict[str, Any]]:
        return list(self.raw["citations"])

    @property
    def left(self) -> list[str]:
        about = [self.raw["about"]] if self.raw["about"] else []
        return [*self.raw["left"], self.raw["number_line"], *about]

    @property
    def right(self) -> list[str]:
        return [*self.raw["right"], self.raw["place_date"]]

    @property
    def text(self) -> str:
        """Every printed line in the order in which the form is read."""
        parts = [*self.left, *self.right, *self.raw["title"], *self.raw["addressees"]]
        parts += _lines(self.raw["body"])
        parts += [*self.raw["recipients"], *self.raw["signature"], *_lines(self.raw["after"])]
        return "\n".join(parts)


@cache
def own_documents() -> tuple[OwnDocument, ...]:
    """All of them, by id."""
    found = (json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob("*.json"))
    return tuple(OwnDocument(raw["id"], raw) for raw in sorted(found, key=lambda raw: raw["id"]))


def _lines(items: Sequence[dict[str, Any]]) -> Iterator[str]:
    for item in items:
        if "table" in item:
            yield from (cell for row in item["table"] for cell in row)
        else:
            yield item.get("heading") or item["text"]


def to_docx(own: OwnDocument, *, old_font: bool = False) -> bytes:
    """The document as Word has it: head and foot in tables, tables of the body with borders.

    With `old_font` every run is in TCVN3, what is in capitals in the font of capitals.
    """
    page = _Page(old_font=old_font)
    page.columns(own.left, own.right)
    for line in own.raw["title"]:
        page.line(page.doc.add_paragraph(), line, centred=True)
    for line in own.raw["addressees"]:
        page.line(page.doc.add_paragraph(), line)
    page.items(own.raw["body"])
    page.columns(own.raw["recipients"], own.raw["signature"])
    page.items(own.raw["after"])
    out = io.BytesIO()
    page.doc.save(out)
    return out.getvalue()


class _Page:
    """A Word document while it is filled."""

    def __init__(self, *, old_font: bool) -> None:
        self.doc = docx.Document()
        for section in self.doc.sections:  # Decree 30/2020/NĐ-CP, annex I, part I, section I
            section.page_width, section.page_height = Cm(21), Cm(29.7)
            section.left_margin, section.right_margin = Cm(3), Cm(2)
        self.old_font = old_font

    def line(self, paragraph: Any, text: str, *, centred: bool = False, size: float = 11) -> None:
        """Put a line into a paragraph of python-docx; DejaVu at 11 is as wide as Times New Roman at 14."""
        if centred:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        name = "DejaVu Serif"
        if self.old_font:
            capital = text.isupper()
            name = f"{_OLD_FONT}H" if capital else _OLD_FONT
            text = to_tcvn3(text.lower() if capital else text)
        run = paragraph.add_run(text)
        run.font.name = name
        run.font.size = Pt(size)
        run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:hAnsi"), name)

    def columns(self, left: Sequence[str], right: Sequence[str]) -> None:
        """Two columns without borders."""
        table = self.doc.add_table(1, 2)
        table.autofit = False
        for column, width in zip(table.columns, _WIDTHS, strict=True):
            column.width = Cm(width)
        for cell, lines, width in zip(table.rows[0].cells, (left, right), _WIDTHS, strict=True):
            cell.width = Cm(width)
            for i, text in enumerate(lines):
                own = cell.paragraphs[0] if i == 0 else cell.add_paragraph()
                centred = not text.startswith(("Nơi nhận", "-", "+"))
                self.line(own, text, centred=centred, size=_HEAD_SIZE)

    def items(self, items: Sequence[dict[str, Any]]) -> None:
        """Paragraphs, headings and tables of the body."""
        for item in items:
            if "table" not in item:
                self.line(self.doc.add_paragraph(), item.get("heading") or item["text"])
                continue
            rows = item["table"]
            table = self.doc.add_table(len(rows), max(map(len, rows)), style="Table Grid")
            for i, row in enumerate(rows):
                for j, cell in enumerate(row):
                    self.line(table.cell(i, j).paragraphs[0], cell)

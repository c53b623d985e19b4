"""Word documents (.docx): paragraphs, table cells and automatic numbers in reading order."""

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from nlp.errors import UnreadableFile
from nlp.legacy import LEGACY, from_font
from nlp.readers.lines import Piece, assemble
from nlp.types import BlockKind, Document

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
# the same document with macros, and as a template
_ALIKE = (
    "application/vnd.ms-word.document.macroEnabled.main+xml",
    "application/vnd.ms-word.template.macroEnabledTemplate.main+xml",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
)
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
# what stands around paragraphs: content controls, custom XML, tracked insertions
_WRAPPERS = {f"{_W}sdt", f"{_W}sdtContent", f"{_W}customXml", f"{_W}ins", f"{_W}moveTo"}
_BREAKS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}


def read(data: bytes, *, media_type: str) -> Document:
    """Read a .docx file; headers, footers and comments are left out.

    Numbers that Word draws by itself ("1.", "a)") are put back in front of their paragraph. Words in fonts
    of TCVN3 (.VnTime) and VNI are decoded.

    Raises:
        UnreadableFile: the container or its XML is damaged.
    """
    try:
        pieces, issues = _read_all(data)
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # zipfile, zlib, lxml and python-docx raise a dozen kinds
        raise UnreadableFile("the .docx file is damaged; save it again and send it") from error
    return assemble(pieces, media_type=media_type, issues=issues)


def _read_all(data: bytes) -> tuple[list[Piece], tuple[str, ...]]:
    from docx.opc.part import PartFactory  # lxml takes 80 ms to load
    from docx.package import Package
    from docx.parts.document import DocumentPart

    for kind in _ALIKE:  # macros are parts of their own, which nothing here opens
        PartFactory.part_type_for[kind] = DocumentPart
    source = Package.open(io.BytesIO(data)).main_document_part.document
    styles = _Styles(source.styles.element)
    body = _Body(styles, _Numbers(source, styles=styles), _Fonts(styles))
    pieces = list(body.pieces(source.element.body))
    return pieces, (LEGACY,) if body.fonts.have_decoded else ()


_Cell = tuple[int, int, int]  # table, row, column


@dataclass(frozen=True, slots=True)
class _Body:
    """What is needed to read paragraphs: styles, numbers, fonts."""

    styles: "_Styles"
    numbers: "_Numbers"
    fonts: "_Fonts"
    tables: Iterator[int] = field(default_factory=count)

    def pieces(self, container: Any, *, place: _Cell | None = None) -> Iterator[Piece]:
        """Walk paragraphs, tables and what wraps them, in order. `Any`: elements of lxml."""
        for item in container:
            if item.tag == f"{_W}p":
                yield from self._paragraph(item, place=place)
            elif item.tag == f"{_W}tbl":
                table = next(self.tables)
                for row, column, cell in _cells(item):
                    yield from self.pieces(cell, place=(table, row, column))
            elif item.tag in _WRAPPERS:
                yield from self.pieces(item, place=place)

    def _paragraph(self, paragraph: Any, *, place: _Cell | None) -> Iterator[Piece]:
        kind: BlockKind = "cell" if place else "paragraph"
        if self.styles.name_of(paragraph).startswith(("heading", "title")):
            kind = "heading"
        boxes: list[Any] = []
        text = "".join(self._words(paragraph, paragraph=paragraph, boxes=boxes))
        for i, line in enumerate(text.split("\n")):
            yield Piece((self.numbers.mark(paragraph) if i == 0 else "") + line, kind, cell=place)
        for box in boxes:
            yield from self.pieces(box, place=place)

    def _words(self, element: Any, *, paragraph: Any, boxes: list[Any]) -> Iterator[str]:
        """The words of a paragraph, those in insertions, links and content controls too.

        Text boxes are set aside; what was deleted in tracked changes is `w:delText`, and not read.
        """
        for node in element:
            if node.tag == f"{_W}txbxContent":
                boxes.append(node)
            elif node.tag == f"{_W}t":
                yield self.fonts.decode(node.text or "", run=element, paragraph=paragraph)
            elif node.tag == f"{_W}softHyphen":  # ư in TCVN3
                yield self.fonts.decode("\u00ad", run=element, paragraph=paragraph)
            elif node.tag in _BREAKS and element.tag == f"{_W}r":
                yield _BREAKS[node.tag]  # `w:tab` is a tab stop, too, in paragraph properties
            elif node.tag != _FALLBACK:  # the same again for old programs
                yield from self._words(node, paragraph=paragraph, boxes=boxes)


def _cells(table: Any) -> Iterator[tuple[int, int, Any]]:
    """The cells of a table in reading order with row and column; of merged ones the first."""
    rows = (row for row in table.iter(f"{_W}tr") if next(row.iterancestors(f"{_W}tbl")) is table)
    for number, row in enumerate(rows):
        column = 0
        for cell in row.iter(f"{_W}tc"):
            if next(cell.iterancestors(f"{_W}tbl")) is not table:
                continue
            merge = cell.find(f"{_W}tcPr/{_W}vMerge")
            if merge is None or merge.get(f"{_W}val") == "restart":
                yield number, column, cell
            wide = cell.find(f"{_W}tcPr/{_W}gridSpan")
            span = wide.get(f"{_W}val", "1") if wide is not None else "1"
            column += int(span) if span.isdigit() else 1


class _Fonts:
    """The fonts of runs, for texts of the years before Unicode."""

    def __init__(self, styles: "_Styles") -> None:
        self._styles = styles
        self.have_decoded = False

    def decode(self, text: str, *, run: Any, paragraph: Any) -> str:
        """The words of a run as its font shows them."""
        if text.isascii() and not text.strip():
            return text
        decoded = from_font(text, font=self._font(run, paragraph=paragraph))
        self.have_decoded |= decoded != text
        return decoded

    def _font(self, run: Any, *, paragraph: Any) -> str:
        for place in (run, *self._styles.chain(paragraph)):
            fonts = place.find(f"{_W}rPr/{_W}rFonts")
            if fonts is not None:
                name = fonts.get(f"{_W}ascii") or fonts.get(f"{_W}hAnsi")
                if name:
                    return str(name)
        return ""


class _Styles:
    """Paragraph styles by id, looked up once: python-docx searches all of them for each paragraph."""

    def __init__(self, root: Any) -> None:
        styles = [s for s in root.findall(f"{_W}style") if s.get(f"{_W}type") == "paragraph"]
        self._by_id = {style.get(f"{_W}styleId"): style for style in styles}
        self._default = next((s for s in styles if s.get(f"{_W}default") in {"1", "true"}), None)
        self._defaults = root.findall(f"{_W}docDefaults/{_W}rPrDefault")

    def of(self, paragraph: Any) -> Any:
        """The style element of a paragraph (an element of lxml), or None."""
        return self._by_id.get(paragraph.style, self._default)

    def chain(self, paragraph: Any) -> Iterator[Any]:
        """The style of a paragraph and those it is based on, up to the defaults of the document."""
        style, seen = self.of(paragraph), set()
        while style is not None and style.get(f"{_W}styleId") not in seen:
            seen.add(style.get(f"{_W}styleId"))
            yield style
            based = style.find(f"{_W}basedOn")
            style = self._by_id.get(based.get(f"{_W}val")) if based is not None else None
        yield from self._defaults

    def name_of(self, paragraph: Any) -> str:
        """The name of its style in lower case, as Word writes the built-in ones."""
        style = self.of(paragraph)
        return _val(style, "name", default="").lower() if style is not None else ""


class _Numbers:
    """Counts automatic numbering as Word does (ECMA-376 part 1, 17.9)."""

    def __init__(self, source: Any, *, styles: _Styles) -> None:
        self._styles = styles
        self._counts: Counter[tuple[str, int]] = Counter()
        self._levels: dict[tuple[str, int], tuple[str, str, int]] = {}
        try:
            root = source.part.numbering_part.element
        except (KeyError, NotImplementedError):
            return
        abstract = {a.get(f"{_W}abstractNumId"): a for a in root.findall(f"{_W}abstractNum")}
        for num in root.findall(f"{_W}num"):
            link = num.find(f"{_W}abstractNumId")
            levels = abstract.get(link.get(f"{_W}val")) if link is not None else None
            for level in levels.findall(f"{_W}lvl") if levels is not None else ():
                key = (num.get(f"{_W}numId"), int(level.get(f"{_W}ilvl")))
                self._levels[key] = (
                    _val(level, "numFmt", default="decimal"),
                    _val(level, "lvlText", default=""),
                    int(_val(level, "start", default="1")),
                )

    def mark(self, paragraph: Any) -> str:
        """The number or dash Word draws before this paragraph, with a blank; empty when none."""
        properties = paragraph.pPr
        numbering = properties.numPr if properties is not None else None
        style = self._styles.of(paragraph)
        if numbering is None and style is not None and style.pPr is not None:
            numbering = style.pPr.numPr
        if numbering is None or numbering.numId is None:
            return ""
        num_id = str(numbering.numId.val)
        level = numbering.ilvl.val if numbering.ilvl is not None else 0
        if (num_id, level) not in self._levels:
            return ""
        self._counts[num_id, level] += 1
        for other_id, deeper in list(self._counts):
            if other_id == num_id and deeper > level:
                del self._counts[other_id, deeper]
        return self._draw(num_id, level=level)

    def _draw(self, num_id: str, *, level: int) -> str:
        fmt, text, _ = self._levels[num_id, level]
        if fmt == "bullet":
            return "- "
        for upper in range(level + 1):
            upper_fmt, _, start = self._levels.get((num_id, upper), ("decimal", "", 1))
            value = max(1, self._counts[num_id, upper]) + start - 1
            text = text.replace(f"%{upper + 1}", _format_number(value, fmt=upper_fmt))
        return f"{text} " if text else ""


def _val(element: Any, tag: str, *, default: str) -> str:
    found = element.find(f"{_W}{tag}")
    return str(found.get(f"{_W}val", default)) if found is not None else default


def _format_number(value: int, *, fmt: str) -> str:
    if fmt in {"lowerLetter", "upperLetter"}:
        letter = chr(ord("a") + (value - 1) % 26)
        return letter if fmt == "lowerLetter" else letter.upper()
    if fmt in {"lowerRoman", "upperRoman"}:
        roman = ""
        for sign, worth in (("x", 10), ("ix", 9), ("v", 5), ("iv", 4), ("i", 1)):
            while value >= worth:
                roman, value = roman + sign, value - worth
        return roman if fmt == "lowerRoman" else roman.upper()
    return str(value)

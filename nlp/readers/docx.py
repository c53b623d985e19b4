"""Word documents (.docx): paragraphs, table cells and automatic numbers in reading order."""

import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

from nlp.errors import UnreadableFile
from nlp.readers.lines import Piece, assemble
from nlp.types import BlockKind, Document

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_BREAKS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}


def read(data: bytes, *, media_type: str) -> Document:
    """Read a .docx file; headers, footers and comments are left out.

    Numbers that Word draws by itself ("1.", "a)") are put back in front of their paragraph.

    Raises:
        UnreadableFile: the container or its XML is damaged.
    """
    try:
        pieces = list(_read_all(data))
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # zipfile, zlib, lxml and python-docx raise a dozen kinds
        raise UnreadableFile("the .docx file is damaged; save it again and send it") from error
    return assemble(pieces, media_type=media_type)


def _read_all(data: bytes) -> Iterator[Piece]:
    import docx  # lxml takes 80 ms to load

    source = docx.Document(io.BytesIO(data))
    styles = _Styles(source.styles.element)
    yield from _pieces(source, styles=styles, numbers=_Numbers(source, styles=styles))


def _pieces(
    container: Any, *, styles: "_Styles", numbers: "_Numbers", in_cell: bool = False
) -> Iterator[Piece]:
    """Walk paragraphs and tables in order. `Any`: python-docx has no common type for containers."""
    for item in container.iter_inner_content():
        if hasattr(item, "rows"):
            seen = set()
            for row in item.rows:
                for cell in row.cells:
                    if cell._tc not in seen:  # a merged cell stands in each row it spans
                        seen.add(cell._tc)
                        yield from _pieces(cell, styles=styles, numbers=numbers, in_cell=True)
            continue
        kind: BlockKind = "cell" if in_cell else "paragraph"
        if styles.name_of(item).startswith(("heading", "title")):
            kind = "heading"
        for i, line in enumerate(_text_of(item).split("\n")):
            yield Piece((numbers.mark(item) if i == 0 else "") + line, kind)


def _text_of(paragraph: Any) -> str:
    """The words of a paragraph, those in insertions, links and content controls too.

    python-docx reads plain runs and links only; what was deleted in tracked changes is `w:delText`.
    """
    parts = []
    for node in paragraph._p.iter(f"{_W}t", f"{_W}tab", f"{_W}br", f"{_W}cr", f"{_W}noBreakHyphen"):
        if node.tag == f"{_W}t":
            parts.append(node.text or "")
        elif (
            node.getparent().tag == f"{_W}r"
        ):  # `w:tab` is a tab stop, too, in paragraph properties
            parts.append(_BREAKS[node.tag])
    return "".join(parts)


class _Styles:
    """Paragraph styles by id, looked up once: python-docx searches all of them for each paragraph."""

    def __init__(self, root: Any) -> None:
        styles = [s for s in root.findall(f"{_W}style") if s.get(f"{_W}type") == "paragraph"]
        self._by_id = {style.get(f"{_W}styleId"): style for style in styles}
        self._default = next((s for s in styles if s.get(f"{_W}default") in {"1", "true"}), None)

    def of(self, paragraph: Any) -> Any:
        """The style element of a paragraph, or None."""
        return self._by_id.get(paragraph._p.style, self._default)

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
        properties = paragraph._p.pPr
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

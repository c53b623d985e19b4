"""The number and symbol in the head of a document.

Source: Decree 30/2020/NĐ-CP, annex I, part I, section II.3; Guideline 36-HD/VPTW (2018).
"""

import re
from dataclasses import dataclass, replace

from nlp.structure.numbers import NUMBER, TAIL, repair_number, spell_symbol
from nlp.structure.registers import Registers
from nlp.structure.sheet import Sheet
from nlp.types import Field, Span

_PREFIX = r"(?:(?:bo\s+)?luat\s+|nghi\s+quyet\s+|phap\s+lenh\s+)?so\s*[:.]?"
_LABELLED = re.compile(rf"(?:^[ ]*|(?<=  )){_PREFIX}\s*{NUMBER}", re.MULTILINE)
_BARE = re.compile(rf"^[ ]*{NUMBER}[ ]*$", re.MULTILINE)
_OPEN = re.compile(rf"^[ ]*so\s*[:.]?[\s.…_]*(?P<tail>{TAIL})(?!\w)", re.MULTILINE)
BEGINS_NUMBER = re.compile(rf"\s*{_PREFIX}\s*(?:{NUMBER}|[.…_]*\s*{TAIL})")


@dataclass(frozen=True, slots=True)
class Numbering:
    """A number with the stretch it takes in the head; an open number has only a symbol."""

    span: Span
    symbol: Field
    number: Field | None = None
    canonical: Field | None = None
    is_party: bool = False

    def inferred(self) -> "Numbering":
        """The same, told by another part of the document than its head."""
        return replace(
            self,
            symbol=replace(self.symbol, inferred=True),
            number=self.number and replace(self.number, inferred=True),
            canonical=self.canonical and replace(self.canonical, inferred=True),
        )


def read_numbering(sheet: Sheet, region: Span, *, registers: Registers) -> Numbering | None:
    """Read the number after "Số" at the start of a line, or one that is a line of its own."""
    for pattern in (_LABELLED, _BARE):
        match = pattern.search(sheet.folded, region.start, region.end)
        if match:
            return make_numbering(sheet, match, registers=registers)
    return _read_open(sheet, region, registers=registers)


def make_numbering(sheet: Sheet, match: re.Match[str], *, registers: Registers) -> Numbering:
    """The fields of a number matched by a pattern that holds `NUMBER`."""
    start = match.start("number")
    end = max(match.end("tail"), match.end("loose"))
    parts = repair_number(sheet.text[start:end], registers=registers, is_cased=sheet.is_cased)
    before = re.split(r"(?<=[-–/])\s*(?=[a-z])", sheet.folded[start:end], maxsplit=1)[0]
    return Numbering(
        Span(match.start(), end),
        symbol=Field(parts.symbol, start + len(before), end),
        number=Field(parts.number, *match.span("number")),
        canonical=Field(parts.canonical, start, end),
        is_party=parts.is_party,
    )


def _read_open(sheet: Sheet, region: Span, *, registers: Registers) -> Numbering | None:
    """The symbol of a draft whose number is still to be filled in: "Số: … /KH-UBND"."""
    match = _OPEN.search(sheet.folded, region.start, region.end)
    if match is None:
        return None
    tail = sheet.text[match.start("tail") : match.end()]
    written = re.sub(r"^\s*[-–/]\s*(?:\d{4}/)?|\s", "", tail)
    symbol = written if sheet.is_cased else spell_symbol(written, registers=registers)
    return Numbering(Span(*match.span()), Field(symbol, match.end() - len(written), match.end()))

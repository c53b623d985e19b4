"""A document as lines with its markup masked: what every part of the official form is read from."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from nlp.text import fold, lower
from nlp.types import BlockKind, Document, Span

# Marks of markdown and of layout tables, rules drawn with dashes: masked by as many spaces.
_MARKUP = re.compile(r"[*|`\\]|<[a-z/][^<>\n]{0,20}>|[-_=–—]{3,}|^[ \t]*#{1,6}(?= )", re.MULTILINE)
# Bold within a word ("ng**ày"): the word is closed up, the blanks stand behind it, so that only
# offsets within the word are off, by the length of the marks.
_SPLIT_WORD = re.compile(r"(?<!\w)\w+(?:\*+\w+)+")
_BLANKS = dict.fromkeys((0x09, 0xA0, 0x2002, 0x2003, 0x2007, 0x2009, 0x202F, 0x3000), " ")
_INK = re.compile(r"[^\s](?:[^\n]*[^\s])?")  # a line without the white space around it
_TERMINAL = re.compile(r"(?:[.:;!?…]|/\.?)[\s)\]”\"’']*$")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a block; `start` and `end` bound it with its markup, the texts are without.

    White space in the texts is collapsed. `bar` is a line of table strokes only; `framed` one set wholly in
    bold.
    """

    start: int
    end: int
    block: int
    kind: BlockKind
    text: str
    folded: str
    bar: bool
    framed: bool

    @property
    def is_empty(self) -> bool:
        """Whether nothing but markup stands here."""
        return not self.text

    @property
    def is_terminal(self) -> bool:
        """Whether a sentence or a clause of a list ends with this line."""
        return bool(_TERMINAL.search(self.text))


@dataclass(frozen=True, slots=True)
class Sheet:
    """The text with markup masked (same length), its folded twin, and its lines in reading order.

    `is_cased`: capitals can be relied on, the text has both cases. `is_marked`: so can diacritics, the
    text has some.
    """

    text: str
    folded: str
    lines: tuple[Line, ...]
    is_cased: bool
    is_marked: bool

    def line_at(self, offset: int) -> Line:
        """The line that holds an offset, or the last one that begins before it."""
        at = bisect_right(self.lines, offset, key=lambda line: line.start)
        return self.lines[max(at - 1, 0)]

    def slice(self, start: int, end: int) -> str:
        """The masked text between two offsets, white space collapsed."""
        return " ".join(self.text[start:end].split())

    def slice_folded(self, start: int, end: int) -> str:
        """The folded text between two offsets, white space collapsed."""
        return " ".join(self.folded[start:end].split())

    def trim(self, start: int, end: int) -> Span:
        """The same stretch without white space at its ends."""
        piece = self.text[start:end]
        left = start + len(piece) - len(piece.lstrip())
        return Span(left, max(left, end - len(piece) + len(piece.rstrip())))


def read_sheet(doc: Document) -> Sheet:
    """Mask the markup of a document and cut its blocks into lines."""
    text = doc.text.translate(_BLANKS)
    if "*" in text:
        text = _SPLIT_WORD.sub(lambda match: match[0].replace("*", "").ljust(len(match[0])), text)
    text = _MARKUP.sub(lambda match: " " * len(match[0]), text)
    folded = fold(text)
    is_cased = not (text.islower() or text.isupper())
    is_marked = folded != lower(text)
    return Sheet(text, folded, tuple(_lines(doc, text, folded=folded)), is_cased, is_marked)


def _lines(doc: Document, text: str, *, folded: str) -> Iterator[Line]:
    for number, block in enumerate(doc.blocks):
        for match in _INK.finditer(doc.text, block.start, block.end):
            start, end = match.span()
            yield Line(
                start,
                end,
                block=number,
                kind=block.kind,
                text=" ".join(text[start:end].split()),
                folded=" ".join(folded[start:end].split()),
                bar=not match[0].strip("| "),
                framed=match[0].startswith("**") and match[0].endswith("**"),
            )

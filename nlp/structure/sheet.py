"""A document as lines with its markup masked: what every part of the official form is read from."""

import re
from bisect import bisect_right
from dataclasses import dataclass

from nlp.text import fold
from nlp.types import BlockKind, Document

# Marks of markdown and of layout tables, rules drawn with dashes: masked by as many spaces, so offsets stay.
_MARKUP = re.compile(r"[*|`\\]|<[a-z/][^<>\n]{0,20}>|[-_=–—]{3,}|^[ \t]*#{1,6}(?= )", re.MULTILINE)
# Bold within a word ("ng**ày"): the word is closed up and the blanks stand after it, a few code points off.
_SPLIT_WORD = re.compile(r"\w+(?:\*+\w+)+")
_BLANKS = {code: " " for code in (0x09, 0xA0, 0x2002, 0x2003, 0x2007, 0x2009, 0x202F, 0x3000)}
_TERMINAL = re.compile(r"(?:[.:;!?…]|/\.?)[\s)\]”\"’']*$")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a block. `start` and `end` bound it with its markup; the texts are without, white space collapsed.

    `bar` is a line of table strokes only; `framed` a line set wholly in bold.
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

    `is_cased`: capitals can be relied on, the text has both cases.
    """

    text: str
    folded: str
    lines: tuple[Line, ...]
    is_cased: bool

    def line_at(self, offset: int) -> Line:
        """The line that holds an offset, or the last one that begins before it."""
        at = bisect_right(self.lines, offset, key=lambda line: line.start)
        return self.lines[max(at - 1, 0)]

    def slice(self, start: int, end: int) -> str:
        """The masked text between two offsets, white space collapsed."""
        return " ".join(self.text[start:end].split())

    def trim(self, start: int, end: int) -> tuple[int, int]:
        """The same stretch without white space at its ends."""
        piece = self.text[start:end]
        return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def read_sheet(doc: Document) -> Sheet:
    """Mask the markup of a document and cut its blocks into lines."""
    text = doc.text.translate(_BLANKS)
    text = _SPLIT_WORD.sub(lambda match: match[0].replace("*", "").ljust(len(match[0])), text)
    text = _MARKUP.sub(lambda match: " " * len(match[0]), text)
    folded = fold(text)
    is_cased = not (text.islower() or text.isupper())
    return Sheet(text, folded, tuple(_lines(doc, text, folded=folded)), is_cased)


def _lines(doc: Document, text: str, *, folded: str) -> list[Line]:
    lines = []
    for number, block in enumerate(doc.blocks):
        start = block.start
        for raw in doc.text[block.start : block.end].split("\n"):
            left = start + len(raw) - len(raw.lstrip())
            bare = raw.strip()
            end = left + len(bare)
            if bare:
                shown = " ".join(text[left:end].split())
                lines.append(
                    Line(
                        left,
                        end,
                        block=number,
                        kind=block.kind,
                        text=shown,
                        folded=" ".join(folded[left:end].split()),
                        bar=not bare.strip("| "),
                        framed=bare.startswith("**") and bare.endswith("**"),
                    )
                )
            start += len(raw) + 1
    return lines

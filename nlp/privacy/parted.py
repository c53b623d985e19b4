"""A telephone number told in parts: "0945 77", the line hisses, then "1306": ten digits in all."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from nlp.privacy.digits import END, GAP
from nlp.privacy.found import PersonalData
from nlp.privacy.spoken import FILLER
from nlp.types import Span

_N_DIGITS = 10
_PIECE = re.compile(
    rf"(?<![\d_,.])(?<!\d[/-])(?!1[89]00)(?!\d{{1,3}}(?:[.,]\d{{3}})+(?!\d))\d(?:{GAP}\d){{1,6}}{END}(?![/,]\d)"
)
_FIRST_PIECE = re.compile(rf"0{GAP}[35789]")
_PIECE_CUE = re.compile(r"(?:so|sdt|dt|dau|goi|may|phone|zalo|alo|thoai)(?![^\W_])[^\d\n]{0,25}$")
# Whoever dictates halts: "0383 61... khoan đã... 7 042".
_HALTS = re.compile(r" ?(?:\.\.|…)")
_TAIL = re.compile(r"(?<![^\W_])(?:duoi|cuoi)(?![^\W_])")


def find_parted(view: str) -> Iterator[PersonalData]:
    """The parts of such numbers, and the same parts wherever else they are said."""
    pieces = [Span(*match.span()) for match in _PIECE.finditer(view)]
    for i, first in enumerate(pieces):
        if not _FIRST_PIECE.match(view, first.start):
            continue
        cue = _PIECE_CUE.search(view, max(0, first.start - 40), first.start)
        if cue is None and len(_digits([first], view=view)) < 3:
            continue
        for reach in (60,) if cue else (12, 60) if _HALTS.match(view, first.end) else (12,):
            parts = _parts(pieces, at=i, view=view, reach=reach)
            if _are_one_number(parts, view=view, slips=cue is not None):
                told = {_digits([part], view=view) for part in parts}
                again = (p for p in pieces if (d := _digits([p], view=view)) in told and len(d) > 3)
                yield from (PersonalData(span, "phone") for span in (*parts, *again))


def _parts(pieces: Sequence[Span], *, at: int, view: str, reach: int) -> Sequence[Span]:
    """The first piece with those that follow within reach, or with the "last four digits" said before it."""
    parts = [pieces[at]]
    for piece in pieces[at + 1 : at + 6]:
        if piece.start - parts[-1].end <= reach and len(_digits(parts, view=view)) < _N_DIGITS:
            parts.append(piece)
    if len(_digits(parts, view=view)) < _N_DIGITS and at > 0:
        tail = pieces[at - 1]
        if _TAIL.search(view, max(0, tail.start - 25), pieces[at].start):
            return [tail, pieces[at]]
    return parts


def _are_one_number(parts: Sequence[Span], *, view: str, slips: bool) -> bool:
    """Whether words stand between the parts, and they have the digits of one number or, read out, about."""
    between = [view[one.end : other.start] for one, other in pairwise(parts)]
    if not any(re.search(r"[^\W\d_]|\n", gap) for gap in between):
        return False
    n_digits = len(_digits(parts, view=view))
    read_out = FILLER in view[parts[0].start : parts[0].end]
    return n_digits == _N_DIGITS or (slips and read_out and n_digits in (11, 12))


def _digits(spans: Sequence[Span], *, view: str) -> str:
    return "".join(
        char for span in spans for char in view[span.start : span.end] if char.isdecimal()
    )

"""Document numbers: how they are written, repaired and spelled.

Source: Decree 30/2020/NĐ-CP, annex I, part I, section II.3 (State: "45/KH-UBND", with the year for normative
documents "53/2022/NĐ-CP"); Guideline 36-HD/VPTW (2018) (Party: "07-CT/TU").
"""

import re
from dataclasses import dataclass

from nlp.structure.registers import Registers
from nlp.text import lower

# A separator may have white space on one side ("07- CT/TU", "45 /KH-UBND"), a dash never on both: that is
# prose, but for once before a kind and its slash ("07 - CT/TU").
_SEPARATOR = r"(?:\s?/\s?|[-–]\s?|\s[-–])"
# The term of the National Assembly may stand apart ("QH 11").
_PART = r"(?:\d{4}(?=\s?/)|(?:ubtv)?qh\s1\d(?!\w)|[a-z][a-z\d&]*)"
TAIL = rf"(?:{_SEPARATOR}{_PART})+"
NUMBER = (
    r"(?P<number>\d{1,6}(?:\.\d{1,2})?[a-z]?)"
    rf"(?:\s[-–]\s(?=[a-z]{{2,4}}\s?/)(?P<loose>{_PART}{TAIL})|(?P<tail>{TAIL}))(?!\w)"
)
_YEAR = re.compile(r"/\d{4}/")
_BEFORE_SYMBOL = re.compile(r"(?P<number>[\d.]+\w?)[-/](?:\d{4}/)?")


@dataclass(frozen=True, slots=True)
class DocNumber:
    """A repaired number: "07" + "CT/TU" = "07-CT/TU"."""

    number: str
    symbol: str
    canonical: str

    @property
    def is_party(self) -> bool:
        """Whether it has the Party form, the kind after a dash."""
        return self.canonical.startswith(f"{self.number}-")

    @property
    def has_year(self) -> bool:
        """Whether the number itself tells the year, or the term of the National Assembly."""
        return bool(_YEAR.search(self.canonical))


def repair_number(written: str, *, registers: Registers, is_cased: bool) -> DocNumber:
    """Take stray white space out of a number matched by `NUMBER` and spell its symbol.

    Without reliable case the registers say how a symbol is written; an unknown one is set in capitals.
    """
    bare = re.sub(r"\s+", "", written).replace("–", "-").replace("Ð", "Đ").replace("ð", "đ")
    if not is_cased:
        bare = spell_symbol(bare, registers=registers)
    match = _BEFORE_SYMBOL.match(bare)
    if match is None:  # never for text matched by NUMBER; anything else is kept whole
        return DocNumber(bare, "", bare)
    return DocNumber(match["number"], bare[match.end() :], bare)


def spell_symbol(written: str, *, registers: Registers) -> str:
    """Give each part of a symbol its registered spelling, or capitals ("qđ-ttg" is "QĐ-TTg")."""
    parts = re.split(r"([-/])", written)
    return "".join(registers.symbols.get(lower(part), part.upper()) for part in parts)

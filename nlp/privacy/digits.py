"""What stands between and around the digits of one number, and how a found one becomes a value.

Patterns read a folded copy in which disguised digits are digits and `_` pads spoken ones (`spoken.py`).
"""

import re
from collections.abc import Iterator, Sequence

from nlp.privacy.found import PersonalData, PersonalKind
from nlp.privacy.spoken import FILLER
from nlp.types import Span

# What a spoken digit leaves with the words after it; or blanks, dots, dashes.
SAID_GAP = r"[ ,.]{0,2}_+(?:[\s,.;:…–/-]{1,5}_+){0,4}[\s,.;:…–/-]{0,5}"
GAP = rf"(?:{SAID_GAP}|[ .\u00a0–-]{{0,3}})"
# A digit word that is glued on belongs to the next words: "0912345678hai vợ chồng".
END = r"_*(?!\d(?!_))"


def find_matches(
    kind: PersonalKind, patterns: Sequence[re.Pattern[str]], text: str
) -> Iterator[PersonalData]:
    """What the patterns find: the group "data" where they have one, and the filler of the last digit."""
    for pattern in patterns:
        for match in pattern.finditer(text):
            start, end = match.span("data" if pattern.groups else 0)
            while text[end : end + 1] == FILLER:
                end += 1
            yield PersonalData(Span(start, end), kind)

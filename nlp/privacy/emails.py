"""E-mail addresses, also those written so that no machine finds them: "a còng gờ meo chấm com"."""

import re
from collections.abc import Iterator

from nlp.privacy.found import PersonalData
from nlp.privacy.page import Page
from nlp.types import Span

_PROVIDER = "gmail|yahoo|hotmail|outlook|icloud|proton|vnn|fpt"
_SAID_AT = "a cong|acong|a-cong|a moc|a vong"
_AT = (
    rf"(?: ?@ ?| ?[\[({{] ?(?:@|at|{_SAID_AT}) ?[\])}}] ?| (?:{_SAID_AT}) | at (?={_PROVIDER})"
    rf"|[_-]at[_-](?={_PROVIDER}))"
)
_DOT = r"(?: ?[\[({] ?(?:dot|cham) ?[\])}] ?| (?:cham|dot) |-dot-)"
_DOMAIN = (
    rf"(?:(?:{_PROVIDER})[., ]{{1,2}}com(?:[., ]vn)?(?![^\W_])"
    rf"|(?:(?:[a-z]{{1,5}} ){{1,3}}[a-z]{{1,6}}(?={_DOT})|[\w-]{{1,63}})"
    r"(?:(?:\.[\w-]{1,63}| ?\. ?(?:com|vn|net|org|edu|me|info)(?![^\W_])"
    rf"|{_DOT}(?:vi en|[\w-]{{2,12}})){{1,8}}|(?<=gmail)|(?<=yahoo)))"
)
_EMAIL = re.compile(
    rf"(?<![\w.+-])[\w.+-]{{1,64}}(?:(?: ?[._] ?|{_DOT})[\w+-]{{1,32}}){{0,4}}{_AT}{_DOMAIN}"
)
_SIGN = re.compile(rf"@|{_SAID_AT}|[\[({{] ?at|at[ _-](?={_PROVIDER})")
# What was read out has blanks in it: the short words before belong to it, back to the one that led in.
_SAID = re.compile(rf"(?:[a-z]{{1,5}}|\d{{1,6}})(?: ?@|\s(?:{_SAID_AT}))")
_SAID_BEFORE = re.compile(
    r"(?<!\S)(?:(?!(?:la|mail|email|qua|vao|ve|thu|ghi|lai|nha|gui|toi|em)\s)[a-z]{1,6}\s"
    r"|\d{1,6}\s){1,5}$"
)


def find_emails(page: Page) -> Iterator[PersonalData]:
    """Addresses of persons; those of State bodies (`.gov.vn`) are left."""
    folded = page.folded
    if not _SIGN.search(folded):
        return
    for match in _EMAIL.finditer(folded):
        if re.search(r"gov\s?\.\s?vn", match[0]):
            continue
        before = _SAID_BEFORE.search(folded, max(0, match.start() - 40), match.start())
        read_out = before is not None and _SAID.match(match[0])
        start = before.start() if before and read_out else match.start()
        yield PersonalData(Span(start, match.end()), "email")

"""Where somebody lives, below the street: house, lane, flat, storey, block, plot of land, in a chain.

A part that says little alone ("tầng 2", "tổ 5", "số 9") is covered only with others, or before a street.
"""

import re
from collections.abc import Iterator, Sequence

from nlp.privacy.found import PersonalData
from nlp.privacy.page import Page, spelled
from nlp.types import Span

# 12/34B, N03-T2, LK09-15, 11.06, and a spoken number as `read_digits` leaves it: "2__ ____ 4_".
_UNIT = (
    r"(?: ?(?:k?m[²2]?|cm|kg|k|tr|nghìn|ngàn|triệu|tỷ|phút|mét|tuổi|người|trận|kva|kw|h|ngủ"
    r"|(?:phòng|tầng)(?! \d))"
    r"(?![^\W_]))"
)
_CODE = (
    r"(?:\d+_+(?: [\d_]*_)*(?: trên \d[\d_]*(?: [\d_]*_)*)?"
    rf"|(?!\d+{_UNIT})[a-zđ]{{0,5}}-?\d[a-zđ\d]*(?:[./-][a-zđ]{{0,5}}\d[a-zđ\d]*)*(?: bis)?)"
    rf"(?![^\W_])(?!_|/[^\W\d]|,\d|{_UNIT})"
)
_NO = r"(?: ?số)?[ .]{1,2}"
_PART = spelled(
    r"(?<![^\W_])(?:"
    rf"(?P<plot>(?:thửa(?: đất)?|khoảnh|lô đất){_NO}{_CODE}(?:(?:, ?| và ){_CODE})*)"
    rf"|(?P<sheet>tờ(?: bản đồ)?(?: địa chính| lâm nghiệp)?{_NO}{_CODE})"
    rf"|(?P<lane>(?:ngõ|ngách|hẻm|kiệt){_NO}{_CODE}(?: ?- ?\d{{1,4}}(?!\w))?|k\d+/\d[\d/]*)"
    rf"|(?P<house>(?:số nhà|nhà số):? {_CODE})"
    rf"|(?P<flat>(?:căn|phòng)(?<!dự phòng)(?: hộ| trọ)?{_NO}{_CODE}|p[. ]?(?=[1-9])\d{_CODE}|lk\d+-\d+"
    rf"|(?:biệt thự|liền kề|ki ?ốt|shophouse){_NO}{_CODE})|(?P<number>số {_CODE})"
    r"|(?P<slash>\d{1,4}[a-z]?(?:/\d{1,4}[a-z]?){1,4}(?![^\W_]|/))"
    r"|(?P<plain>\d{1,4}[a-z]?(?![^\W_]|[/.,-]\d))"
    rf"|(?P<home>nhà {_CODE})|(?P<storey>(?:tầng|lầu|gác) {_CODE}|t\d{{1,2}}(?![^\W_]))"
    rf"|(?P<block>(?:block|tòa|toà|tháp|lô|dãy)(?: nhà| trọ)? (?:{_CODE}|\w+)|ct\d\w*"
    rf"|(?:khu|tập thể|đội|cụm)(?: số)? (?:{_CODE}|[a-z](?![^\W_])))"
    r"|(?P<area>(?:tổ(?: dân phố)?|xóm|thôn|ấp|khóm|khu phố|khối|bản|buôn|ngõ|hẻm|ngách)(?: số)? "
    rf"(?:{_CODE}|[^\W\d_]+(?: [^\W\d_]+)?))"
    r")"
)
_BETWEEN = re.compile(r"[ ,–-]{0,3}(?:(?:v[aà]|đến|den|tới|toi) )?\(?")
_TELLING = frozenset({"plot", "lane", "house", "flat"})
_STREET = spelled(r",? ?(?:đường|phố|đ\.) ?\w")
_NEXT_WORD = re.compile(r",? (\w)\w+ ")
_BEFORE_STREET = spelled(
    r"(?:ở|tại|trước|nhà|diện|cạnh|gần|nóc|mái|là|vào|trên|em|tôi|chỉ:?|cửa|hộ) $"
)
_BEFORE_SLASH = spelled(r"(?:nhà(?: (?:tôi|em|e|con))?|ở|tại|chỉ|là|nhận|[:,(\n]|^)[ :]*$")
_LANE_AFTER = spelled(r" (?:ngõ|ngách|hẻm|kiệt) \d")
_BEFORE_PLAIN = spelled(r"(?<![^\W_])(?:ở|tại|chỉ|đ/c|đc|ngụ|trú|nhà):? $")
_PUBLIC = spelled(
    r"(?:trụ sở|ubnd|ủy ban|uỷ ban|bệnh viện|trường|công an|sở|chi cục|trung tâm|văn phòng|trạm"
    r"|bưu điện)(?![^\W_])"
    r"(?![^.,;:!?\n]*nhà (?:tôi|em|e|con|cháu)(?![^\W_]))[^.,;:!?\n]{0,40}$"
)
_PUBLIC_ROOM = spelled(r",? ?(?:khoa|bệnh viện|ubnd|trường|bộ phận|sở|trung tâm)(?![^\W_])")
_TWO_WORDS = spelled(r"(?:tổ dân phố|khu phố|\w+ (?:nhà|trọ|số)) ")

Part = re.Match[str]


def find_dwellings(page: Page) -> Iterator[PersonalData]:
    """Addresses below the street."""
    chain: list[tuple[Part, int]] = []
    for part in _PART.fitting(page).finditer(page.digits):
        end = _end(part, page=page)
        if end is None:
            continue
        if chain and not _BETWEEN.fullmatch(page.digits, chain[-1][1], part.start()):
            yield from _covered(chain, page=page)
            chain = []
        chain.append((part, end))
    if chain:
        yield from _covered(chain, page=page)


def _end(part: Part, *, page: Page) -> int | None:
    """Where the part ends, if it is one: a hamlet needs a number or a capital, a lane only a word."""
    if part.lastgroup in {"slash", "plain"}:
        return part.end() if _is_house_number(part, page=page) else None
    if part.lastgroup not in {"area", "block"} or any(map(str.isdecimal, part[0])):
        return part.end()
    cue = _TWO_WORDS.fitting(page).match(part[0])
    names = [*re.finditer(r"\w+", page.text[part.start() : part.end()])][
        len(cue[0].split()) if cue else 1 :
    ]
    if not names:
        return None
    capitals = [name for name in names if name[0][0].isupper()]
    if names[0] in capitals or len(names[0][0]) == 1:
        return part.start() + (capitals or names)[-1].end()
    is_lane = part[0][0] in "nh"
    return part.start() + (names[0] if capitals else names[-1]).end() if is_lane else None


def _is_house_number(part: Part, *, page: Page) -> bool:
    """Whether 51/2/8, 12B/3 or 45 is one, and no date, share or size."""
    before = max(0, part.start() - 12)
    if _BEFORE_PLAIN.fitting(page).search(page.digits, before, part.start()):
        return True
    if part.lastgroup == "plain":
        return _LANE_AFTER.fitting(page).match(page.digits, part.end()) is not None
    if _BEFORE_SLASH.fitting(page).search(page.digits, before, part.start()) is None:
        return False
    numbers = [int(number) for number in re.findall(r"\d+", part[0])]
    no_date = len(numbers) > 2 or numbers[0] > 31 or numbers[1] > 12
    return no_date or not part[0].replace("/", "").isdecimal()


def _covered(chain: Sequence[tuple[Part, int]], *, page: Page) -> Iterator[PersonalData]:
    start, end = chain[0][0].start(), chain[-1][1]
    if _tells(frozenset(_kind(part) for part, _ in chain), Span(start, end), page=page):
        if "(" in page.text[start:end] and page.text[end : end + 1] == ")":
            end += 1
        yield PersonalData(Span(start, end), "address")


def _kind(part: Part) -> str:
    """The kind of a part; of one that tells little its first word, such as "tầng" or "phòng"."""
    kind = part.lastgroup or ""
    if part[0].startswith("ph") and " tr" not in part[0] and sum(map(str.isdecimal, part[0])) < 3:
        return "phòng"
    if kind == "block" and re.search(r"\d-\d", part[0]):
        return "flat"
    if kind in {"storey", "block"} or (kind == "home" and re.search(r" [a-zđ]+\d", part[0])):
        return part[0].split()[0].rstrip("0123456789")
    return kind


def _tells(kinds: frozenset[str], span: Span, *, page: Page) -> bool:
    """Whether parts of these kinds, together, tell where somebody lives."""
    if kinds & {"plot", "lane"}:
        return True
    before = max(0, span.start - 60)
    if _PUBLIC.fitting(page).search(page.low, before, span.start):
        return False
    if _PUBLIC_ROOM.fitting(page).match(page.low, span.end):
        return False
    numbers = kinds & {"number", "slash", "plain", "home"}
    if kinds & _TELLING or (numbers and len(kinds) > 1):
        return True
    if numbers:
        return _before_street(span, page=page, sure=bool(kinds & {"home", "plain"}))
    return len(kinds - {"area", "sheet"}) > 1


def _before_street(span: Span, *, page: Page, sure: bool) -> bool:
    if _STREET.fitting(page).match(page.low, span.end):
        return True
    named = _NEXT_WORD.match(page.text, span.end)
    at_place = sure or _BEFORE_STREET.fitting(page).search(
        page.low, max(0, span.start - 8), span.start
    )
    return named is not None and named[1].isupper() and bool(at_place)

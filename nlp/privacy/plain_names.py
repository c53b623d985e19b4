"""Names without capitals: a family name opens them, a title, or they are all that follows "tên tôi"."""

import re
from collections.abc import Iterator, Sequence

from nlp.privacy.name_context import is_street
from nlp.privacy.name_lists import NameLists
from nlp.privacy.page import Page, spelled
from nlp.types import Span

SELF = "tôi|em|e|con|cháu|mình|mk|tui|bác|cô|chú|chị|bà|anh|ông|t"
CALLED = (
    rf"họ(?:,? chữ đệm)?(?:,? và)? tên|tên(?: (?:{SELF}))?|tên (?:gọi khác|khai sinh|khai sanh|thật)"
    rf"|(?:{SELF}) tên"
)
AFTER_CUE = r"(?![^\W_])(?: là)?\s?[:(,]?\s{0,2}"
_PLAIN_CUE = spelled(
    rf"(?<![^\W_])(?:(?P<called>{CALLED})|(?:{SELF})(?: đây)?(?= là)"
    rf"|ng(?:ười)? (?:báo|gửi|viết|viết đơn|làm đơn|phản ánh)(?=:)){AFTER_CUE}"
    r"(?P<name>[^\W\d_]+(?: [^\W\d_]+){0,3})"
)
_PLAIN_NAME = re.compile(
    r"(?<![^\W_])([^\W\d_]+) (?:văn|thị) (?!(?:hóa|hoá|nghệ|công|minh|phòng|bản|học|trấn|xã"
    r"|trường)(?![^\W_]))[^\W\d_]+"
)
# "anh tuấn", but not "bác hải quan"; "bà bảy", but not "bà năm nay tám mươi".
_TITLED = re.compile(
    r"(?<![^\W_])(?<![áÁ]o )(?P<title>ông|bà|anh|chị|cô|chú|bác|dì|thím|cậu|mợ|cụ|mệ|thằng"
    r"|bé(?! t[íẹ])) (?P<name>[^\W\d_]+)"
    r"(?![^\W_]| (?:quan|quân|kiều|đội|sự|mạch|quyết|trì|dị|hậu|khôi|hồ|trí|nông|sữa|lợi|điện|sản"
    r"|mộc|dịch|hào)(?![^\W_]))"
)
_COUNTED = re.compile(
    r" (?:vấn|nhân|cách|pháp|tưởng|liệu|lệnh|duy|thế|thục|chắn|mươi|tuổi|người|con|đứa|chị|anh|em"
    r"|cháu|năm|tháng"
    r"|ngày|lần|cái|số|trăm|nghìn|triệu|nay|bữa|hôm|giờ|đời|mẹ|bên|hai|ba|tư|bốn|sáu|bảy|tám|chín"
    r"|cô|ông|bà)(?![^\W_])"
)
# Words between a title and a name, and what may follow: "cô giáo hiền dạy", "anh dũng thợ hồ".
_LOW = spelled(
    r"(?<![^\W_])(?<!thầy )(?<!các )(?<!mấy )(?<!những )(?<!bà )(?<!quý )(?<!hoa )(?<!y )"
    r"(?:(?P<sure>bác sĩ|bác sỹ|bs|vợ chồng|ông|bà|anh|chị|cô|chú|bác|dì|thím|cậu|mợ|cụ|mệ|thằng|lão|gã"
    r"|mụ|thầy)"
    r"|(?P<unsure>bé|ô|em|con|cháu|bạn|mẹ|bố|vợ|chồng|nhà|o|a|c|e|b))"
    r"(?P<more> (?:giáo|chủ nhiệm|cn|họ|út|hàng xóm|lái xe|gái|trai|tôi|em|tui"
    r"|bảo vệ|chủ nhà|chủ trọ|chủ quán|nhà|tên|là|tên là))*"
    r"(?= (?P<name>[^\W\d_]+)(?: (?P<second>[^\W\d_]+)(?: (?P<third>[^\W\d_]+))?)?)"
)
_AGE = spelled(r",? (?:mới |được )?(?:\d{1,2} (?:tháng )?tuổi|(?:học )?(?:lớp|khối) \d)")
_YOUNG = frozenset({"anh", "chị", "thằng", "bé"})


# They tell even a rare family: "giàng a sử", "nghiêm thị xuyến".
_CLAN_MIDDLES = frozenset(
    {"văn", "thị", "van", "thi", "a", "y", "seo", "mí", "mi", "láo", "lao", "sà", "mùi"}
)


def find_plain_names(page: Page, *, lists: NameLists) -> Iterator[Span]:
    """Where such names stand."""
    clans = " thị " in page.text or " văn " in page.text
    for match in _PLAIN_NAME.finditer(page.text) if clans else ():
        span = Span(*match.span())
        if match[1] in lists.families and not is_street(page, span, lists=lists):
            yield span
    yield from _introduced(page, lists=lists)
    yield from _titled_low(page, lists=lists)
    if not page.bare:
        for match in _TITLED.finditer(page.text):
            by_order = match["name"] in lists.orders and match["title"] not in _YOUNG
            if match["name"] in lists.plain or (
                by_order and not _COUNTED.match(page.text, match.end())
            ):
                yield Span(*match.span("name"))


def _titled_low(page: Page, *, lists: NameLists) -> Iterator[Span]:
    """Given names after a title: "cô hiền dạy lớp 3", "bác sĩ minh, khoa nội"."""
    for match in _LOW.fitting(page).finditer(page.low):
        start = match.start("name")
        words = [word for word in match.group("name", "second", "third") if word]
        end = start + len(" ".join(words))
        if any(map(str.isupper, page.text[start:end])):
            continue
        title = match[0].split()[-1]
        if f"{title} {words[0]}" in lists.pairs or (page.bare and title in lists.no_titles):
            n = 0
        elif match["unsure"]:
            n = 0 if page.bare else _n_after_unsure(words, lists=lists)
            aged = _AGE.fitting(page).match(page.low, start + len(words[0]))
            n = n or int(aged is not None and words[0] in lists.soft)
        else:
            n = _n_given(words, lists=lists)
        if n:
            yield Span(start, start + len(" ".join(words[:n])))


def _n_given(words: Sequence[str], *, lists: NameLists) -> int:
    """How many of the syllables after a title are a given name."""
    full = _n_full(words, lists=lists)
    if full:
        return full
    if words[0] in lists.persons:
        return 0
    follows = words[2] in lists.after if len(words) > 2 else True
    if len(words) > 1 and follows and _are_given(words[0], words[1], lists=lists):
        return 2
    if words[0] not in lists.soft or " ".join(words[:2]) in lists.pairs:
        return 0
    return int(len(words) == 1 or words[1] in lists.after)


def _are_given(first: str, second: str, *, lists: NameLists) -> bool:
    """Whether two syllables are a given name: "út hiền", "sáu lé", "minh nguyệt", but no "công nhân"."""
    if second in lists.after or f"{first} {second}" in lists.pairs:
        return False
    ordered = first in lists.orders and second in lists.soft | lists.nicks
    return ordered or (first in lists.middles and second in lists.soft)


def _n_full(words: Sequence[str], *, lists: NameLists) -> int:
    """How many of the syllables are a full name, of a family that is no other word."""
    return 0 if words[0] in lists.word_families else n_of_name(words, lists=lists)


def _n_after_unsure(words: Sequence[str], *, lists: NameLists) -> int:
    """The same after "em" or "con", where only names that are nothing else count."""
    full = _n_full(words, lists=lists)
    if full or words[0] not in lists.plain or " ".join(words[:2]) in lists.pairs:
        return full
    return int(len(words) == 1 or words[1] in lists.after)


def _introduced(page: Page, *, lists: NameLists) -> Iterator[Span]:
    for cue in _PLAIN_CUE.fitting(page).finditer(page.low):
        words = cue["name"].split()
        start, end = cue.span("name")
        if any(map(str.isupper, page.text[start:end])):
            continue
        n = n_of_name(words, lists=lists)
        if n == 0 and words[0] in lists.givens | lists.orders | lists.plain | lists.rare:
            ends = not re.match(r" ?[^\W\d_]", page.text[end : end + 2])
            if ":" not in page.low[cue.start() : start] and not cue["called"]:
                n = _n_after_self(words, page, ends=ends, lists=lists)
            elif cue["called"] and len(cue["called"].split()) > 1:
                n = int(words[1] in lists.others if words[1:] else ends)
                n = n or _n_given(words[:3], lists=lists)
            elif ends and len(words) < 3 and ":" in page.low[cue.start() : start]:
                n = len(words)
        if n:
            yield Span(start, start + len(" ".join(words[:n])))


def _n_after_self(words: Sequence[str], page: Page, *, ends: bool, lists: NameLists) -> int:
    """How many of the syllables after "tôi là" are a given name."""
    if {f"là {words[0]}", " ".join(words[:2])} & lists.pairs:
        return 0
    if words[0] in lists.orders:
        return _n_given(words[:3], lists=lists)
    known = words[0] in lists.soft or (words[0] in lists.plain and not page.bare)
    return int(known and (words[1] in lists.after if words[1:] else ends))


def n_of_name(words: Sequence[str], *, lists: NameLists) -> int:
    """How many of the syllables are a name, where no capitals tell; 0 when no family name opens them."""
    if len(words) < 2 or words[0] not in lists.families or words[1] in lists.others:
        return 0
    if words[0] not in lists.frequent and words[1] not in _CLAN_MIDDLES:
        return 0
    n = 3 if len(words) > 2 and words[1] in lists.middles and words[2] not in lists.others else 2
    if n == 2 and words[1] not in lists.givens:
        return 0
    while n < min(4, len(words)) and words[n] in lists.givens and words[n] not in lists.others:
        n += 1
    return n

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
_YOUNG = frozenset({"anh", "chị", "thằng", "bé"})


def find_plain_names(page: Page, *, lists: NameLists) -> Iterator[Span]:
    """Where such names stand."""
    for match in _PLAIN_NAME.finditer(page.text):
        span = Span(*match.span())
        if match[1] in lists.families and not is_street(page, span, lists=lists):
            yield span
    yield from _introduced(page, lists=lists)
    if not page.bare:
        for match in _TITLED.finditer(page.text):
            by_order = match["name"] in lists.orders and match["title"] not in _YOUNG
            if match["name"] in lists.plain or (
                by_order and not _COUNTED.match(page.text, match.end())
            ):
                yield Span(*match.span("name"))


def _introduced(page: Page, *, lists: NameLists) -> Iterator[Span]:
    for cue in _PLAIN_CUE.fitting(page).finditer(page.low):
        words = cue["name"].split()
        start, end = cue.span("name")
        if any(map(str.isupper, page.text[start:end])):
            continue
        n = n_of_name(words, lists=lists)
        labelled = ":" in page.low[cue.start() : start]
        if n == 0 and words[0] in lists.givens | lists.orders | lists.plain:
            ends = not re.match(r" ?[^\W\d_]", page.text[end : end + 2])
            if cue["called"] and len(cue["called"].split()) > 1:
                n = int(words[1] in lists.others if words[1:] else ends)
            elif labelled and ends and len(words) < 3:
                n = len(words)
        if n:
            yield Span(start, start + len(" ".join(words[:n])))


def n_of_name(words: Sequence[str], *, lists: NameLists) -> int:
    """How many of the syllables are a name, where no capitals tell; 0 when no family name opens them."""
    if len(words) < 2 or words[0] not in lists.families or words[1] in lists.others:
        return 0
    if words[0] not in lists.frequent and words[1] not in {"văn", "thị", "van", "thi"}:
        return 0
    n = 3 if len(words) > 2 and words[1] in lists.middles and words[2] not in lists.others else 2
    if n == 2 and words[1] not in lists.givens:
        return 0
    while n < min(4, len(words)) and words[n] in lists.givens and words[n] not in lists.others:
        n += 1
    return n

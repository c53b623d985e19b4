"""Names with capitals that what stands around tells: a class, a call, a list, a nickname, an apposition."""

import re
from collections.abc import Iterator

from nlp.privacy.capitals import CAPITALISED, OPENING, UPPER
from nlp.privacy.name_context import said
from nlp.privacy.name_lists import NameLists
from nlp.privacy.offices import OFFICE_HERE, is_free
from nlp.privacy.page import Page, spelled
from nlp.text import lower
from nlp.types import Span

_NAME = rf"{CAPITALISED}(?: {CAPITALISED}){{0,3}}"
_OPENS_NAME = rf"{OPENING}(?: {CAPITALISED}){{0,3}}"
_KIN = (
    "vợ|chồng|vk|ck|con(?: (?:gái|trai|dâu|rể|út|cả))?|mẹ|bố|cha|má|tía|ba|mạ|em(?: (?:gái|trai|ruột"
    "|họ))?|anh(?: trai)?"
    "|chị(?: gái)?|cháu(?: (?:nội|ngoại|gái|trai))?|bạn|hàng xóm|bà|ông|bé|người quen|chủ \\w+|cô giáo"
    "|thầy giáo"
    "|giáo viên|bác sĩ"
)
_SELF = "tôi|em|mình|tui|con|cháu|nó|chị|anh|nhà em|nhà tôi|e|mk"
_KIN_BEFORE = spelled(
    rf"(?<![^\W_])(?:(?P<kin>{_KIN})(?: (?:{_SELF}))?|{_SELF})(?: ?[,:(–-] ?| là )$"
)
_ENDS = re.compile(r" ?(?:[,.;:!?)(\n–-]|$)| \d")
_CLASS = spelled(
    r"(?:,? | ?\(| ?[–-] )(?:(?:là|đang) )?(?:(?:học sinh|hs|học|sv) )?(?:(?:lớp|khối) ?(?:\d|mầm|chồi"
    r"|lá)|\d{1,2}[a-g]\d{0,2}(?!\w))"
)
_CALLED = spelled(r",? (?:ơi|à|ạ|hả)(?![^\W_])")
_OPENS = re.compile(r"(?:^|[\n.!?:;\]@] ?|(?:[Dd]ạ|@),? )$")
_LIST = re.compile(
    rf"(?P<names>{_OPENS_NAME}(?: ?(?:,|-|–|&|và|với|cùng|rồi) ?{_NAME}){{1,7}})(?![^\W_])"
)
_LIST_BEFORE = spelled(
    r"(?<![^\W_])(?<!bà )(?:gồm(?: có)?|(?:vợ chồng|đứa|cháu|em|bạn|anh|chị|ông|bà|cô|chú|nhóm|nhà|con"
    r"|bé|thằng|bọn|lũ|tên|hộ)"
    r"(?: (?:là|tên|của|nhà))?)(?: ?:)? $"
)
_JOINT = re.compile(r" ?(?:,|-|–|&|\b(?:và|với|cùng|rồi)\b) ?")
_SHORT = re.compile(
    rf"[{UPPER}](?<![^\W_].)[hgriũ]{{0,2}}\. ?(?:(?:Ngh?|Tr|Ph|Th|Kh|Nh|Gi|Ch"
    rf"|[{UPPER}])\. ?){{0,2}}{CAPITALISED}[^\W\d_](?: {CAPITALISED}){{0,2}}"
)
_SHORT_BEFORE = spelled(
    rf"(?<![^\W_])(?:{_KIN}|{_SELF}|tên|là|chú|bác|cô|thầy|cụ|gặp|liên hệ|ký tên|người \w+:?)(?: là)?:? $"
)
_GLUED = re.compile(
    rf"(?<![^\W_])(?i:(?:tôi|em|mình|tui|con|cháu)tên(?:là)?|(?:tôi|em|mình|tui|con|cháu)là|tên(?:tôi|em)?là)"
    rf" ?(?P<name>{CAPITALISED}(?: ?{CAPITALISED}){{0,3}})"
)
_GLUE = re.compile(r"ten(?:la|toi|em)|(?:toi|em|minh|tui|con|chau)(?:ten|la)")
_CHAT = re.compile(
    rf"^\W{{0,3}}\d{{1,2}}[:h]\d\d\W{{1,3}}(?P<name>{_NAME})(?: [^\W\d_A-Z]+){{0,3}}:|"
    rf"(?<![^\W_])(?:admin|ad|@|của|bởi) ?(?P<owner>{CAPITALISED}(?: {CAPITALISED}){{1,3}})(?=:| *$| gửi)",
    re.MULTILINE,
)
_BARE_NICKS = frozenset({"troc", "lun", "rom", "map", "xoan", "beo", "seo", "chot"})
_OWNER = re.compile(r"@|\d[:h]\d\d|admin|ad |cua |boi ")
_NICKED = re.compile(rf"(?P<given>{OPENING}) (?P<nick>[^\W\d_]+)(?![^\W_])")
_RUN = re.compile(rf"{_OPENS_NAME}(?![^\W_]| [{UPPER}])")


def find_near_names(page: Page, *, lists: NameLists) -> Iterator[Span]:
    """Where such names stand."""
    yield from _told(page, lists=lists)
    yield from _listed(page, lists=lists)
    yield from _shortened(page, lists=lists)
    yield from _nicked(page, lists=lists)
    if _GLUE.search(page.folded):
        for match in _GLUED.finditer(page.text):
            yield Span(*match.span("name"))
    if _OWNER.search(page.folded):
        for match in _CHAT.finditer(page.text):
            name = Span(*match.span("name" if match["name"] else "owner"))
            sure = " " in said(page, name) or said(page, name) in lists.soft
            if sure and _is_person(page, name, lists=lists):
                yield name


def _shortened(page: Page, *, lists: NameLists) -> Iterator[Span]:
    for match in _SHORT.finditer(page.text):
        told = match[0].startswith("Ng") or _SHORT_BEFORE.fitting(page).search(
            page.low, max(0, match.start() - 20), match.start()
        )
        given = re.split(r"[ .]", page.low[match.start() : match.end()])[-1]
        if told and lists.is_given(given):
            yield Span(*match.span())


def _nicked(page: Page, *, lists: NameLists) -> Iterator[Span]:
    for match in _NICKED.finditer(page.text):
        if match["nick"] not in (_BARE_NICKS if page.bare else lists.nicks):
            continue
        given = said(page, Span(*match.span("given")))
        sure = match["nick"] in lists.sure_nicks
        if given in (lists.givens | lists.plain | lists.rare if sure else lists.soft):
            yield Span(*match.span())


def _told(page: Page, *, lists: NameLists) -> Iterator[Span]:
    """Names in apposition to kin, with a class, or called."""
    for match in _RUN.finditer(page.text):
        words = match[0].split(" ")
        title = len(words[0]) + 1 if len(words) > 1 and lower(words[0]) in lists.persons else 0
        name = Span(match.start() + title, match.end())
        if match[0].isupper():
            continue
        kin = _KIN_BEFORE.fitting(page).search(page.low, max(0, name.start - 30), name.start)
        apposed = kin is not None and (kin["kin"] or " " in said(page, name))
        if apposed and _ENDS.match(page.text, name.end):
            if _is_person(page, name, lists=lists):
                yield name
        elif _is_pupil_or_called(page, name) and _is_known(page, name, lists=lists):
            yield name


def _is_pupil_or_called(page: Page, name: Span) -> bool:
    if _CLASS.fitting(page).match(page.low, name.end):
        return True
    opens = _OPENS.search(page.text, max(0, name.start - 6), name.start)
    return opens is not None and _CALLED.fitting(page).match(page.low, name.end) is not None


def _is_known(page: Page, name: Span, *, lists: NameLists) -> bool:
    """Whether all syllables are parts of names, and a single one is no common word."""
    words = said(page, name).split()
    sure = len(words) > 1 or words[0] in lists.soft
    return sure and all(map(lists.knows, words)) and _is_person(page, name, lists=lists)


def _listed(page: Page, *, lists: NameLists) -> Iterator[Span]:
    for match in _LIST.finditer(page.text):
        before = _LIST_BEFORE.fitting(page).search(
            page.low, max(0, match.start() - 25), match.start()
        )
        if before is None or match[0].isupper():
            continue
        spans = []
        start = match.start()
        for joint in (*_JOINT.finditer(match[0]), None):
            end = match.start() + joint.start() if joint else match.end()
            spans.append(Span(start, end))
            start = match.start() + joint.end() if joint else end
        known = [span for span in spans if _is_person(page, span, lists=lists)]
        known = [s for s in known if " " in said(page, s) or said(page, s) in lists.soft]
        if len(known) * 2 >= len(spans) and not any(_is_none(page, s, lists=lists) for s in spans):
            yield from spans


def _is_person(page: Page, name: Span, *, lists: NameLists) -> bool:
    """Whether some syllable is often part of a name, and nothing says that it is none."""
    words = said(page, name).split()
    if words[0] in lists.persons or not any(lists.is_given(word) for word in words):
        return False
    return not _is_none(page, name, lists=lists) and is_free(page, name, lists=lists)


def _is_none(page: Page, name: Span, *, lists: NameLists) -> bool:
    words = said(page, name)
    return (
        words in lists.places | lists.things | lists.streets
        or (page.text[name.start : name.end].isupper() and name.end - name.start > 1)
        or words.split()[0] in lists.persons
        or (words in lists.subjects and words != "anh" and not page.bare)
        or OFFICE_HERE.fitting(page).match(page.low, name.start) is not None
    )

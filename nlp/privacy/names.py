"""Names of private persons: self-introductions, names after a title, signatures, full names in running text.

Officials named with their office, and those that streets are named after, stay. Capitals tell a name; where a
writer uses none, or nothing else, the lists of `names.toml` do.
"""

import re
from collections.abc import Iterator, Sequence

from nlp.privacy.capitals import CAPITALS, SYLLABLE
from nlp.privacy.found import MASK, PersonalData
from nlp.privacy.name_context import PLACE, is_street, said
from nlp.privacy.name_lists import NameLists, name_lists
from nlp.privacy.near_names import find_near_names
from nlp.privacy.offices import OFFICE_AFTER, OFFICE_BEFORE, OFFICE_HERE, OFFICE_IS
from nlp.privacy.page import Page, spelled
from nlp.privacy.people_names import find_people_names
from nlp.privacy.plain_names import AFTER_CUE, CALLED, SELF, find_plain_names, n_of_name
from nlp.text import fold
from nlp.types import Span

_NICKNAME = re.compile(r' ["“][^"“”\n]{1,15}["”]')
_MAX_SYLLABLES = 5

_SURE = (
    "bác sĩ|bác sỹ|y sĩ|y sỹ|dược sĩ|luật sư|y tá|điều dưỡng|bệnh nhân|nạn nhân|bị hại|đối tượng"
    "|nghi phạm"
    "|tài xế|xe ôm|shipper|liệt sĩ|bị can|bị cáo|nguyên đơn|bị đơn|chủ hộ|chủ nhà|chủ trọ|chủ tiệm"
    "|chủ quán|chủ xe"
    "|chủ shop|hàng xóm|chủ tài khoản|chủ tk|ctk|ông|bà|anh|chị|cô|chú|bác|cậu|dì|thím|mợ|cụ|cháu"
    "|bé|thằng|mệ|lão|gã|mụ|mr|mrs|ms|bs|thầy|gvcn|thầy giáo|chủ tàu"
    "|chủ thầu|nghi can|hộ ông|hộ bà|vợ chồng"
)
# Much else with a capital follows these.
_UNSURE = (
    "tôi|tui|em|mình|mk|con|bạn|bố|mẹ|cha|chồng|vợ|nhân viên|kế toán|nhà|giáo viên|kỹ sư|đứa|bọn"
    "|hs|học sinh|sinh viên|khách hàng|phụ huynh|công dân|tụi|vk|ck|a|c|e|a\\.|c\\."
)
# Without diacritics these are other words.
_MARKED = "dượng|má|mạ|tía|o|ô"
_KIN = "trai|gái|nội|ngoại|rể|dâu|ruột|họ|út|cả|lớn|nhỏ|giáo|chồng|vợ|tóc|bé|chủ nhiệm|cn|bà|ông"
_TEACHERS = frozenset({"thầy", "cô", "viên", "sư"})
_WORK = (
    r"bảo vệ|hàng xóm|lao công|công nhân|kế toán|thợ(?: \w+)?|xe ôm|chủ(?: \w+)?|nhóc|bé|thủ quỹ"
    r"|nhân viên|tài xế"
    r"|lái xe|giúp việc|bán \w+(?: \w+)?|sinh viên|học sinh|kế bên|cạnh nhà|tổ trưởng|lớp trưởng"
    r"|phụ xe|trông xe"
)
_TITLE = spelled(
    rf"(?<![^\W_])(?!bà con |bạn bè )(?:{_SURE}|(?P<unsure>{_UNSURE})|(?P<marked>{_MARKED}))"
    rf"(?P<work> (?:{_WORK}))?(?P<more>(?: (?:{_KIN})){{0,2}}(?: (?:tôi|em|tui|con|cháu|mình|là|tên"
    rf"|tên là|nhà))*(?:(?<=bs"
    rf"|mr|ms)\.)?) {{1,2}}$"
)
# "lớp A", "bà con", "công bố" are no titles.
_NO_TITLE = spelled(
    r"(?:lớp|khu|lô|tòa|block|loại|hạng|nhóm|gan|cấp|điểm|ô|vitamin|tiếng|nước|bà|ban|công|phân|tuyên) $"
)
_ROLE = (
    r"người [^:\n•]{2,40}(?=:)|người (?:\w+ ){1,4}(?=là)"
    r"|ng(?:ười)? (?:báo|gửi|nhận|viết|làm)(?: tin| đơn)?|gửi bởi|gọi là|kêu là|gọi tôi là|biệt danh"
    r"|bí danh|tục gọi|đại diện|phụ huynh|ký tên|kính đơn|kính thư|trân trọng"
    r"|trích lục cho|xưng(?: danh)?|tự xưng|gọi cho|gọi lại cho|nhắn cho|báo cho|đưa cho|giao cho|theo lời"
    r"|bên (?:mua|bán|thuê|[ab])(?=:)|from|fb|facebook|nick|đầu mối(?=:)|đ(?=:)|gặp"
)
_CUE = spelled(
    rf"(?<![^\W_])(?:(?P<called>{CALLED})|(?:{SELF})(?: đây)?(?= là)|kêu tui(?= là)|{_ROLE}){AFTER_CUE}$"
)
_ALONE_BEFORE = re.compile(r"(?:^|\n|[.!?)] )[–+* -]{0,3}$")
_ALONE_AFTER = re.compile(
    r" *\.?\s*(?:\([^)\n]{1,30}\))?[ –-]*$|, (?:tổ|thôn|ấp|xóm|ngõ|hẻm|khu phố) | gửi lúc| <|: ",
    re.MULTILINE | re.IGNORECASE,
)
_NUMBER_AFTER = re.compile(rf" *[,.:–(/-]{{0,2}} ?(?:đt|sđt|tel)?\.?:? ?{MASK}{{8}}", re.IGNORECASE)
_CLOSING = re.compile(
    r"(?:kinh (?:don|thu)|tran trong|cam on[a-z ]*|than(?: ai| men)?|ky ten|da ky\)?|nguoi (?:viet"
    r"|lam|gui)[a-z ]*)"
    r"[ ,.:!\n]*$"
)
_BESIDE = re.compile(rf"{MASK}{{2}} (?:(?:[–-]|và|va) |\()$")
_LISTED = re.compile(rf"{MASK}{{2}}, $")
_LIST_GOES_ON = re.compile(r"[,.;)]| (?:và|va) ")
_IN_BRACKETS = re.compile(r"(?:\(|[–-] )$")
_LIVES = spelled(r",? ?(?:tổ|thôn|ấp|xóm|ngõ|hẻm|khu phố|khối|phòng|căn) ?\d")


def find_names(page: Page) -> Iterator[PersonalData]:
    """Names of private persons, and the same names wherever else they stand."""
    lists = name_lists(bare=page.bare)
    found = {
        *_capital_names(page, lists=lists),
        *find_plain_names(page, lists=lists),
        *find_near_names(page, lists=lists),
        *find_people_names(page, lists=lists),
    }
    for span in sorted(found):
        nickname = _NICKNAME.match(page.text, span.end)
        yield PersonalData(Span(span.start, nickname.end() if nickname else span.end), "name")
    yield from _again(found, page=page)


def _again(found: set[Span], *, page: Page) -> Iterator[PersonalData]:
    """The same names wherever else they stand, and the given names alone within a sentence."""
    names = {page.text[span.start : span.end] for span in found}
    for name in {fold(name) for name in names if " " in name}:
        for match in re.finditer(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", page.folded):
            span = Span(*match.span())
            written = page.text[span.start : span.end]
            place = PLACE.fitting(page).search(page.low, max(0, span.start - 20), span.start)
            if not place and (written in names or written.isupper() or written.istitle()):
                yield PersonalData(span, "name")
    givens = {
        given for name in names if len(given := name.rsplit(" ", 1)[-1]) > 1 and given.istitle()
    }
    if givens:
        for run in CAPITALS.finditer(page.text):
            if run[0] in givens and re.search(r"[^\W_],? $", page.text[: run.start()][-3:]):
                yield PersonalData(Span(*run.span()), "name")


def _capital_names(page: Page, *, lists: NameLists) -> Iterator[Span]:
    end = -1
    for run in CAPITALS.finditer(page.text):
        syllables = [Span(*match.span()) for match in SYLLABLE.finditer(page.text, *run.span())]
        for i, first in enumerate(syllables):
            if (
                first.start < end
                or (name := _name(page, syllables[i : i + _MAX_SYLLABLES + 3], lists=lists)) is None
            ):
                continue
            if (
                _is_titled(page, name, lists=lists)
                or _is_introduced(page, name, lists=lists)
                or _is_full(page, name, lists=lists)
                or (i == 0 and _stands_alone(page, name, lists=lists))
            ):
                end = name.end
                yield name


def _is_titled(page: Page, name: Span, *, lists: NameLists) -> bool:
    """Whether a word of kinship or of a trade stands before: "bà Hĩm", "bác sĩ Minh"."""
    title = _TITLE.fitting(page).search(page.low, max(0, name.start - 40), name.start)
    if title is None or OFFICE_IS.fitting(page).search(
        page.low, max(0, title.start() - 60), title.start()
    ):
        return False
    words = page.low[title.start() : name.end].split()
    before = max(0, title.start() - 15)
    of_all = page.text[title.start()].isupper() or said(page, name) in lists.streets
    if any(" ".join(words[:n]) in lists.common for n in (2, 3, 4)):
        return False
    if _NO_TITLE.fitting(page).search(page.low, before, title.start()):
        return False
    if of_all and PLACE.fitting(page).search(page.low, before, title.start()):
        return False
    if title["marked"] and page.bare:
        return False
    if words[-1] in lists.subjects and words[-2] in _TEACHERS:
        return False
    return _is_likely_after(title, page, name, lists=lists)


def _is_likely_after(title: re.Match[str], page: Page, name: Span, *, lists: NameLists) -> bool:
    """Whether it is a name after this title; after some, much else has a capital."""
    if title["unsure"] in {"nhà", "nha"} and not re.search("ông|bà|ong|ba", title["more"]):
        first = said(page, name).split()[0]
        return first in lists.orders or (not page.bare and _is_alone(page, name, lists=lists))
    word = title[0].strip()
    vague = title["unsure"] or title["marked"] in {"ô", "o"}
    vague = vague or (page.bare and word not in {"ong", "anh"} and " " not in word)
    if vague and said(page, name) in lists.streets:
        return False
    if title["work"]:
        return _is_likely(page, name, lists=lists)
    if title["more"] or not vague:
        return True
    single = " " not in said(page, name)
    return _is_likely(page, name, lists=lists) and (
        not single or _is_single(page, name, lists=lists)
    )


def _is_single(page: Page, name: Span, *, lists: NameLists) -> bool:
    """Whether one syllable is a name and no common word, or no other word goes on from it."""
    after = re.match(r" [^\W\d_]+", page.low[name.end : name.end + 12])
    known = lists.soft | lists.orders
    return said(page, name) in known or after is None or after[0].strip() in lists.after


def _is_alone(page: Page, name: Span, *, lists: NameLists) -> bool:
    """Whether it is a given name that no other word goes on from: "nhà Thêm xây", but no "nhà Văn hóa"."""
    after = re.match(r" ([^\W\d_]+)", page.low[name.end : name.end + 12])
    goes_on = after is not None and after[1] not in lists.after
    return not goes_on and said(page, name) in lists.givens | lists.rare | lists.plain


def _is_introduced(page: Page, name: Span, *, lists: NameLists) -> bool:
    """Whether "tên", "tôi là" or the label of a form stands before."""
    cue = _CUE.fitting(page).search(page.low, max(0, name.start - 60), name.start)
    if cue is None or not (cue["called"] or _is_likely(page, name, lists=lists)):
        return False
    single = " " not in said(page, name) and not cue["called"]
    if single and not _is_single(page, name, lists=lists):
        return False
    before = page.low[max(0, cue.start() - 15) : cue.start()]
    return said(page, name) not in lists.streets or not re.search("đường|phố|trường", before)


def _is_full(page: Page, name: Span, *, lists: NameLists) -> bool:
    """Whether it is a full name of three syllables and more, and neither a street's nor an official's."""
    words = said(page, name).split()
    lists = _lists_of(page, name, lists=lists)
    if len(words) < 3 or words[0] not in lists.families:
        return False
    if (
        lists.things & {" ".join(words[:2]), " ".join(words[-2:])}
        or said(page, name) in lists.places
    ):
        return False  # "Mai Hà Nội có mưa không"
    full = words[1] in lists.middles or words[-1] in lists.givens or words[2] in lists.givens
    full = full or (words[0] in lists.frequent and words[-1] in lists.rare)
    before = max(0, name.start - 60)
    return (
        full
        and not is_street(page, name, lists=lists)
        and not OFFICE_BEFORE.fitting(page).search(page.low, before, name.start)
    )


def _stands_alone(page: Page, name: Span, *, lists: NameLists) -> bool:
    """Whether it is a line of its own, or stands before a covered number or beside a covered name."""
    words = said(page, name).split()
    known = all(map(lists.knows, words))
    full = len(words) > 1 and words[0] in lists.families | lists.orders
    if said(page, name) in {"anh", "sinh"} or said(page, name) in lists.streets | lists.places:
        return False
    if not (known or full):
        return False
    if PLACE.fitting(page).search(page.low, max(0, name.start - 20), name.start):
        return False
    before = page.text[max(0, name.start - 20) : name.start]
    by_number = _NUMBER_AFTER.match(page.text, name.end)
    if _BESIDE.search(before) or (known and by_number and ":" not in by_number[0]):
        return True
    if known and (
        (_LISTED.search(before) and _LIST_GOES_ON.match(page.text, name.end))
        or (_IN_BRACKETS.search(before) and _LIVES.fitting(page).match(page.low, name.end))
    ):
        return True
    if not _ALONE_BEFORE.search(before) and not _CLOSING.search(fold(before)):
        return False
    if len(words) > 1 and by_number:
        return True
    closing = _CLOSING.search(page.folded, max(0, name.start - 40), name.start)
    return _ALONE_AFTER.match(page.text, name.end) is not None and (
        len(words) > 1 or closing is not None
    )


def _name(page: Page, syllables: Sequence[Span], *, lists: NameLists) -> Span | None:
    """The name that capitalised syllables begin with; None when they are none, or an official's."""
    n_own = next(
        (i for i, s in enumerate(syllables) if OFFICE_HERE.fitting(page).match(page.low, s.start)),
        len(syllables),
    )
    own = syllables[:n_own]
    if own and len(_written(page, own)) > 1 and _written(page, own).isupper():
        own = own[: _n_in_capitals(page, own, lists=lists)]
    else:
        n_mixed = next(
            (i for i, s in enumerate(own) if len(w := _written(page, [s])) > 1 and w.isupper()),
            n_own,
        )
        own = own[:n_mixed]
    own = own[:_MAX_SYLLABLES]
    if not own or own[-1].end - own[0].start < 2:
        return None
    name = Span(own[0].start, own[-1].end)
    is_official = len(own) == n_own < len(syllables) or OFFICE_AFTER.fitting(page).match(
        page.low, name.end
    )
    return None if is_official or said(page, name) in lists.things else name


def _n_in_capitals(page: Page, own: Sequence[Span], *, lists: NameLists) -> int:
    """How many syllables are a name where all is in capitals."""
    lists = _lists_of(page, Span(own[0].start, own[-1].end), lists=lists)
    words = [said(page, syllable) for syllable in own]
    if len(own) == 1:
        around = page.text[max(0, own[0].start - 30) : own[0].end + 30]
        return int(around.isupper() and words[0] in lists.givens)
    n = n_of_name(words, lists=lists)
    if (
        n == 0
        and words[0] in lists.soft - lists.middles
        and _TITLE.fitting(page).search(page.low, max(0, own[0].start - 20), own[0].start)
    ):
        return 1
    is_name = n > 0 or (
        words[0] in lists.families and len(own) > 2 and all(map(lists.knows, words))
    )
    after = page.text[own[-1].end : own[-1].end + 2].strip()
    ends = not after[:1].isalnum() or after[:1].islower()
    return len(own) if is_name and ends and len(own) <= 4 else n


def _lists_of(page: Page, name: Span, *, lists: NameLists) -> NameLists:
    """Banks write names in capitals without diacritics, whatever the text around."""
    written = page.text[name.start : name.end]
    return name_lists(bare=True) if written.isupper() and written.isascii() else lists


def _written(page: Page, syllables: Sequence[Span]) -> str:
    return page.text[syllables[0].start : syllables[-1].end]


def _is_likely(page: Page, name: Span, *, lists: NameLists) -> bool:
    """Whether any syllable is often part of a name, and the whole is no place."""
    return said(page, name) not in lists.places and any(map(lists.knows, said(page, name).split()))

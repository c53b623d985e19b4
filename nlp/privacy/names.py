"""Names of private persons: self-introductions, names after a title, signatures, full names in running text.

Officials named with their office, and those that streets are named after, stay. Capitals tell a name; where a
writer uses none, or nothing else, the lists of `names.toml` do.
"""

import re
from collections.abc import Iterator, Sequence

from nlp.privacy.found import MASK, PersonalData
from nlp.privacy.name_context import PLACE, is_street, said
from nlp.privacy.name_lists import NameLists, name_lists
from nlp.privacy.page import Page, spelled
from nlp.privacy.plain_names import AFTER_CUE, CALLED, SELF, find_plain_names, n_of_name
from nlp.text import fold
from nlp.types import Span

_UPPER = "A-ZÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝĂĐĨŨƠƯ" + "".join(map(chr, range(0x1EA0, 0x1EFA, 2)))
_CAPITALISED = rf"[{_UPPER}](?:['’][{_UPPER}]?)?[^\W\d_]*"
_CAPITALS = re.compile(rf"{_CAPITALISED}(?: {{1,2}}{_CAPITALISED})*")
_SYLLABLE = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_NICKNAME = re.compile(r' ["“][^"“”\n]{1,15}["”]')
_MAX_SYLLABLES = 5

_SURE = (
    "bác sĩ|bác sỹ|y sĩ|y sỹ|dược sĩ|luật sư|y tá|điều dưỡng|bệnh nhân|nạn nhân|bị hại|đối tượng"
    "|nghi phạm"
    "|tài xế|xe ôm|shipper|liệt sĩ|bị can|bị cáo|nguyên đơn|bị đơn|chủ hộ|chủ nhà|chủ trọ|chủ tiệm"
    "|chủ quán|chủ xe"
    "|chủ shop|hàng xóm|chủ tài khoản|chủ tk|ctk|ông|bà|anh|chị|cô|chú|bác|cậu|dì|thím|mợ|cụ|cháu"
    "|bé|thằng|mệ|lão|gã|mụ|mr|mrs|ms|bs"
)
# Much else with a capital follows these.
_UNSURE = "tôi|tui|em|mình|mk|con|bạn|bố|mẹ|chồng|vợ|thầy|nhân viên|kế toán|nhà|a|c|e|a\\.|c\\."
_KIN = "trai|gái|nội|ngoại|rể|dâu|ruột|họ|út|cả|lớn|nhỏ|giáo|chồng|vợ|tóc|bé"
_WORK = (
    r"bảo vệ|hàng xóm|lao công|công nhân|kế toán|thợ(?: \w+)?|xe ôm|chủ(?: \w+)?|nhóc|bé|thủ quỹ"
    r"|nhân viên|tài xế"
    r"|lái xe|giúp việc|bán \w+(?: \w+)?|sinh viên|học sinh|kế bên|cạnh nhà|tổ trưởng|lớp trưởng"
    r"|phụ xe|trông xe"
)
_TITLE = spelled(
    rf"(?<![^\W_])(?!bà con |bạn bè )(?:{_SURE}|(?P<unsure>{_UNSURE}))(?P<work> (?:{_WORK}))?"
    rf"(?P<more>(?: (?:{_KIN})){{0,2}}(?: (?:tôi|em|tui|con|cháu|mình|là|tên|tên là|nhà))*(?:(?<=bs"
    rf"|mr|ms)\.)?) {{1,2}}$"
)
# "lớp A", "bà con", "công bố" are no titles.
_NO_TITLE = spelled(
    r"(?:lớp|khu|lô|tòa|block|loại|hạng|nhóm|gan|cấp|điểm|ô|vitamin|tiếng|nước|bà|ban|công|phân|tuyên) $"
)
_ROLE = (
    r"người [^:\n•]{2,40}(?=:)|ng(?:ười)? (?:báo|gửi|nhận|viết|làm)(?: tin| đơn)?|gửi bởi|gọi là"
    r"|kêu là|gọi tôi là|biệt danh|bí danh|tục gọi|đại diện|phụ huynh|ký tên|kính đơn|kính thư|trân trọng"
    r"|trích lục cho|from|fb|facebook|nick|đầu mối(?=:)|đ(?=:)|gặp"
)
_CUE = spelled(
    rf"(?<![^\W_])(?:(?P<called>{CALLED})|(?:{SELF})(?: đây)?(?= là)|kêu tui(?= là)|{_ROLE}){AFTER_CUE}$"
)
# An office names a public person; some only with the body they lead.
_OFFICE = (
    "(?:phó )?(?:chủ tịch|bí thư|thủ tướng|chánh (?:văn phòng|thanh tra|án)|(?:viện|cục|vụ|chi cục"
    "|hiệu) trưởng"
    "|trưởng (?:phòng|thôn|ấp|ban (?:tuyên|dân|quản lý|chỉ huy|tổ chức))|(?:trưởng|phó trưởng"
    "|phó) công an)"
    "|(?:bộ|thứ) trưởng|tổng bí thư|phó trưởng (?:phòng|ban)|phó phòng|(?:thượng|trung|thiếu"
    "|đại) (?:tá|úy|uý|tướng)"
    "|đại biểu|đồng chí|công chức|cán bộ|kiểm sát viên|thẩm phán|công an|cảnh sát|địa chính"
    "|chính ủy|tư lệnh"
    "|tổng thanh tra|(?:phó )?(?:giám đốc|chủ nhiệm) (?:sở|bệnh viện|trung tâm|ban|bảo hiểm|kho bạc"
    "|điện lực|học viện|ủy ban|uỷ ban|hợp tác xã)"
)
_OFFICE_HERE = spelled(
    rf"(?:{_OFFICE}|phó|giám đốc|tổ trưởng|tổ phó|ủy ban|uỷ ban|ubnd|hđnd|sở|bộ|phòng|ban|hội"
    rf"|đảng ủy|chi bộ"
    r"|trung tâm|văn phòng|công (?:tác|ty|đoàn|dân)|dân (?:chủ|vận|quân|phòng|cư)|tiếp công|biên bản"
    r"|chỉ (?:huy|bộ|cục|đội)|quản lý|mặt trận|tuyên giáo|danh (?:mục|sách))(?![^\W_])(?! *[,.(•\n]"
    r"| [-–]|$)"
)
_OFFICE_BEFORE = spelled(rf"(?<![^\W_])(?:{_OFFICE})(?![^\W_])[^.,;:!?\n•()]{{0,45}}$")
_OFFICE_AFTER = spelled(
    rf" ?[,(–-]? ?(?:(?:nguyên|hiện|là|làm|đang|giữ chức) )*(?:{_OFFICE})(?![^\W_])"
)
_OFFICE_IS = spelled(rf"(?<![^\W_])(?:{_OFFICE})(?: [^\W\d_]+){{0,4}}(?: là|,) $")

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
    found = {*_capital_names(page, lists=lists), *find_plain_names(page, lists=lists)}
    for span in sorted(found):
        nickname = _NICKNAME.match(page.text, span.end)
        yield PersonalData(Span(span.start, nickname.end() if nickname else span.end), "name")
    yield from _again(found, page=page)


def _again(found: set[Span], *, page: Page) -> Iterator[PersonalData]:
    """The same names wherever else they stand, and the given names alone within a sentence."""
    names = {page.text[span.start : span.end] for span in found}
    for name in names:
        if " " in name:
            for match in re.finditer(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", page.text):
                yield PersonalData(Span(*match.span()), "name")
    givens = {
        given for name in names if len(given := name.rsplit(" ", 1)[-1]) > 1 and given.istitle()
    }
    if givens:
        for run in _CAPITALS.finditer(page.text):
            if run[0] in givens and re.search(r"[^\W_],? $", page.text[: run.start()][-3:]):
                yield PersonalData(Span(*run.span()), "name")


def _capital_names(page: Page, *, lists: NameLists) -> Iterator[Span]:
    end = -1
    for run in _CAPITALS.finditer(page.text):
        syllables = [Span(*match.span()) for match in _SYLLABLE.finditer(page.text, *run.span())]
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
    if title is None or _OFFICE_IS.fitting(page).search(
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
    if title["unsure"] == "nhà":
        return said(page, name).split()[0] in lists.orders
    vague = title["unsure"] or (page.bare and len(title[0].split()) == 1)
    if title["work"] or (vague and not title["more"]):
        return _is_likely(page, name, lists=lists)
    return True


def _is_introduced(page: Page, name: Span, *, lists: NameLists) -> bool:
    """Whether "tên", "tôi là" or the label of a form stands before."""
    cue = _CUE.fitting(page).search(page.low, max(0, name.start - 60), name.start)
    if cue is None or not (cue["called"] or _is_likely(page, name, lists=lists)):
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
    before = max(0, name.start - 60)
    return (
        full
        and not is_street(page, name, lists=lists)
        and not _OFFICE_BEFORE.fitting(page).search(page.low, before, name.start)
    )


def _stands_alone(page: Page, name: Span, *, lists: NameLists) -> bool:
    """Whether it is a line of its own, or stands before a covered number or beside a covered name."""
    words = said(page, name).split()
    known = all(map(lists.knows, words))
    full = len(words) > 1 and words[0] in lists.families | lists.orders
    if not (known or full) or said(page, name) in lists.streets | lists.places:
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
        (i for i, s in enumerate(syllables) if _OFFICE_HERE.fitting(page).match(page.low, s.start)),
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
    is_official = len(own) == n_own < len(syllables) or _OFFICE_AFTER.fitting(page).match(
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
    is_name = n > 0 or (
        words[0] in lists.families and len(own) > 2 and all(map(lists.knows, words))
    )
    ends = not re.match(r" ?[^\W_]", page.text[own[-1].end : own[-1].end + 2])
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

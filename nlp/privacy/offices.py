"""Offices: who is named with one is a public person, and stays."""

from nlp.privacy.name_context import PLACE, is_street, said
from nlp.privacy.name_lists import NameLists
from nlp.privacy.page import Page, spelled
from nlp.types import Span

# An office names a public person; some only with the body they lead.
_OFFICE = (
    "(?:phó )?(?:chủ tịch|bí thư|thủ tướng|chánh (?:văn phòng|thanh tra|án)|(?:viện|cục|vụ|chi cục"
    "|hiệu) trưởng"
    "|trưởng (?:phòng|thôn|ấp|ban (?:tuyên|dân|quản lý|chỉ huy|tổ chức))|(?:trưởng|phó trưởng"
    "|phó) công an)"
    "|(?:bộ|thứ) trưởng|tổng bí thư|phó trưởng (?:phòng|ban)|phó phòng|(?:thượng|trung|thiếu"
    "|đại) (?:tá|úy|uý|tướng)"
    "|trưởng đoàn|đại biểu|đồng chí|công chức|cán bộ|kiểm sát viên|thẩm phán|công an|cảnh sát|địa chính"
    "|chính ủy|tư lệnh"
    "|tổng thanh tra|(?:phó )?(?:giám đốc|chủ nhiệm) (?:sở|bệnh viện|trung tâm|ban|bảo hiểm|kho bạc"
    "|điện lực|học viện|ủy ban|uỷ ban|hợp tác xã)"
)
OFFICE_HERE = spelled(
    rf"(?:{_OFFICE}|phó|giám đốc|tổ trưởng|tổ phó|ủy ban|uỷ ban|ubnd|hđnd|sở|bộ|phòng|ban|hội"
    rf"|đảng ủy|chi bộ"
    r"|trung tâm|văn phòng|công (?:tác|ty|đoàn|dân)|dân (?:chủ|vận|quân|phòng|cư)|tiếp công|biên bản"
    r"|chỉ (?:huy|bộ|cục|đội)|quản lý|mặt trận|tuyên giáo|danh (?:mục|sách))(?![^\W_])(?! *[,.(•\n]"
    r"| [-–]|$)"
)
OFFICE_BEFORE = spelled(
    rf"(?<![^\W_])(?:{_OFFICE})(?![^\W_]|(?: \w+)?(?: về| nghỉ)? hưu)[^.,;:!?\n•()]{{0,45}}$"
)
OFFICE_AFTER = spelled(
    rf" ?[,(–-]? ?(?:(?:nguyên|hiện|là|làm|đang|giữ chức) )*(?:{_OFFICE})(?![^\W_])"
)
OFFICE_IS = spelled(rf"(?<![^\W_])(?:{_OFFICE})(?: [^\W\d_]+){{0,4}}(?: là|,) $")
_OF_PEOPLE = spelled(r"(?<![^\W_])(?:tiếng|môn|người|miền|nước|dân tộc|thành nhà) $")


def is_free(page: Page, name: Span, *, lists: NameLists) -> bool:
    """Whether neither a place nor an office bears the name."""
    before = max(0, name.start - 60)
    return (
        said(page, name) not in lists.streets
        and not _OF_PEOPLE.fitting(page).search(page.low, max(0, name.start - 10), name.start)
        and not PLACE.fitting(page).search(page.low, max(0, name.start - 20), name.start)
        and not (" " in said(page, name) and is_street(page, name, lists=lists))
        and not OFFICE_BEFORE.fitting(page).search(page.low, before, name.start)
        and not OFFICE_AFTER.fitting(page).match(page.low, name.end)
    )

"""What the words before a name tell: that a street, a school or a firm is called so."""

from nlp.privacy.name_lists import NameLists
from nlp.privacy.page import Page, spelled
from nlp.types import Span

PLACE = spelled(
    r"(?<![^\W_])(?:đường|phố|cầu|chợ|trường|thpt|thcs|tiểu học|mầm non|mẫu giáo|bệnh viện|phường|xã"
    r"|quận|huyện|tỉnh"
    r"|thành phố|tp|ngã tư|ngã ba|ngã năm|vòng xoay|công ty|cp|tnhh|tập đoàn|khu|kđt|dự án|chung cư|tòa"
    r"|công viên"
    r"|quảng trường|tượng đài|tượng|đền|chùa|đình|(?<!già )làng|thôn|ấp|xóm|bản|bến|hồ|sông|suối|núi|đèo"
    r"|hẻm|ngõ|ngách|kiệt|đại lộ|nhà thờ|nghĩa trang|giải|quỹ|rạp|thư viện|cư xá|kênh|rạch|mương"
    r"|đại học|học viện"
    r"|tập thể|siêu thị|quán|nhà hàng|khách sạn|tiệm|cửa hàng|hãng|nhà xe|mang tên) $"
)
_WAY = spelled(
    r"(?:(?<![^\W_])(?:số|tại|từ|sang|ra|về|đoạn|ở|vào|qua|không phải|đến|tới|dọc|trên|cuối|đầu|góc)"
    r"|\d[a-z]?|•) $"
)


def said(page: Page, span: Span) -> str:
    """The words of a name as the lists have them."""
    return page.low[span.start : span.end]


def is_street(page: Page, name: Span, *, lists: NameLists) -> bool:
    """Whether a street is called so, or a place stands before it."""
    before = max(0, name.start - 20)
    words = said(page, name)
    return (
        words in lists.streets
        or words.partition(" ")[2] in lists.streets  # "Từ Phan Đăng Lưu rẽ sang"
        or PLACE.fitting(page).search(page.low, before, name.start) is not None
        or _WAY.fitting(page).search(page.low, before, name.start) is not None
    )

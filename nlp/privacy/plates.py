"""Number plates, written and spoken: 29A-123.45, "ba mươi ca, một hai ba bốn năm"."""

import re
from collections.abc import Iterator

from nlp.privacy.digits import find_matches
from nlp.privacy.found import PersonalData
from nlp.privacy.page import Page, spelled
from nlp.privacy.spoken import VALUES
from nlp.types import Span

# 29A-123.45, 29-X1 1234, 80-NG-123-45; with blanks only where no sum or size can be meant.
_PLATE_DIGITS = r"\d(?:[ .-]{0,2}\d){3,4}(?![^\W_]|[/.,]\d)"
_PLATE_CUE = (
    r"(?<![^\W_])(?:bien|bks|bx|xe|o to|oto|taxi|chiec|mo to|ba gac|tai)"
    r"(?![^\W_]| (?:ban|lai|dong|nhan))"
)
_PLATE = (
    re.compile(
        r"(?<![^\W_])(?<!\d[.,/-])\d[\do] ?[-.]? ?(?!(?:[kmdp]|[a-z]{2}) (?!\d{3}\.\d\d))"
        r"(?![a-z] (?![–.-]|\d{3}[. ]?\d\d))[a-z]{1,2}\d?(?: ?[-–.] ?| )?"
        rf"(?!(?:19|20)\d\d(?![.\d])){_PLATE_DIGITS}"
    ),
    re.compile(
        rf"{_PLATE_CUE}[^\n]{{0,25}}?(?<!\w)(?P<data>\d[\do] ?[-.]?(?!(?:k|m|h|km|kg|tr"
        rf"|trieu) )[a-z]{{1,2}} ?\d?"
        rf"[ .–-]{{1,3}}{_PLATE_DIGITS})"
    ),
    re.compile(rf"{_PLATE_CUE}[^\d\n]{{0,25}}?(?P<data>[a-z]{{2}}[ .-]?\d\d[.-]\d\d)(?!\d)"),
)
_DIGIT = re.compile(r"\d")
_DIGIT_WORDS = "|".join(sorted(VALUES, key=len, reverse=True))
_LETTER = (
    "a|b|bê|bờ|c|xê|cờ|d|đ|dê|đê|dờ|đờ|e|f|ép(?:[ -]phờ)?|g|gờ|giê|gê|h|hát|hờ|k|ca|ka|l|lờ|eo|m|mờ"
    "|em|n|nờ|en|p|pê|pờ|r|rờ|e[ -]?rờ|s|sờ|ét|t|tê|tờ|u|v|vê|vờ|x|ích|xờ|y|z|zét"
)
_SPOKEN_PLATE = spelled(
    r"(?<![^\W_])(?:biển|bks|bx|xe|ô tô|oto|taxi|chiếc|mô tô|ba gác|tải)(?![^\W_]| (?:bản|lai|đồng"
    r"|nhận))[^\n]{0,40}?"
    rf"(?<![^\W_])(?P<data>(?:\d\d|(?:{_DIGIT_WORDS})(?:[ ,-]{{1,2}}(?:{_DIGIT_WORDS})){{1,2}})"
    rf"[ ,-]{{1,2}}(?:chữ )?(?:{_LETTER})"
    rf"(?P<rest>(?:[ ,.-]{{1,3}}(?:(?:gạch ngang|gạch|chấm|ngang|trừ"
    rf"|phẩy)[ ,]{{1,2}})?(?:{_DIGIT_WORDS}|\d{{1,5}})){{2,9}}))"
    r"(?![^\W_])"
)


def find_plates(page: Page) -> Iterator[PersonalData]:
    """Plates of all vehicles."""
    if not _DIGIT.search(page.folded_digits):
        return
    yield from find_matches("plate", _PLATE, page.folded_digits)
    for match in _SPOKEN_PLATE.fitting(page).finditer(page.low):
        if sum(len(n) if n.isdecimal() else 1 for n in re.findall(r"\w+", match["rest"])) > 3:
            yield PersonalData(Span(*match.span("data")), "plate")

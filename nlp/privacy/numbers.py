"""Telephone, identity and account numbers, however they are written.

All patterns read a folded copy in which disguised digits are digits and `_` pads spoken ones (`spoken.py`).
"""

import re
from collections.abc import Iterator
from itertools import chain

from nlp.privacy.digits import END, GAP, SAID_GAP, find_matches
from nlp.privacy.found import MASK, PersonalData
from nlp.privacy.page import Page
from nlp.privacy.parted import find_parted
from nlp.privacy.spoken import FILLER
from nlp.types import Span

# Telephones have more signs between their digits.
_G = rf"(?:{SAID_GAP}|[ .…\u00a0\ufe0f\u20e3()\[\]/*|~'\n–-]{{0,4}})"
# A number is not cut out of a longer one, nor out of a sum of money such as 1.000.912.345.678.
_ALONE = r"(?<!\d)(?<!\d[.,])(?<!\d_)(?<!\b[a-z])"
_NO_DATE = r"(?!\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)\d\d(?!\d))(?!\d{1,2}/\d{1,2}(?!\d))"
_NO_YEARS = r"(?!(?:19|20)\d\d ?[–-] ?(?:19|20)\d\d(?!\d))"
_NO_MONEY = r"(?![\d.,]{5,30} ?(?:d|dong|vnd|m2|m²|ty|trieu|nghin)(?![^\W\d_]))"

_CUE = r"(?<![^\W_])(?:{})(?![^\W\d_])[^\n{}]{{0,45}}?"

# After 0 or +84: nine digits for a mobile number (ten in the older form 01x, still quoted), ten with
# a leading 2 for a fixed line. Source: Circular 22/2014/TT-BTTTT, the numbering plan.
_PHONE = (
    re.compile(
        rf"(?:{_ALONE}|(?=0\d{{9}}(?!\d))(?<!\d)){_NO_DATE}(?:\(?(?:\+ ?)?84\)?|\[0|0084|0|\(0\)?"
        rf"|\(\+84\)){_G}(?:\(?0\)?)?{_G}"
        rf"(?:1{_G}[2689](?:{_G}\d){{8}}|2(?:{_G}\d){{9}}|[35789](?:{_G}\d){{8}}){END}"
    ),
    # One mistyped, or without the code of its province, is told by the word before it.
    re.compile(
        r"(?<![^\W_])(?:s?dt|dien thoai|so may|may ban|so ban|co dinh|zalo|zl|viber|sim|di dong|lien he"
        r"|lien lac|lh|goi|alo|phone|tel|so (?:toi|em|e|tui|chau|con|minh|bac|me|ba|bo|vo"
        r"|chong))(?![^\W_])"
        r"[^\d\n]{0,25}(?<!\d)(?<!\d[.,/-])"
        rf"{_NO_DATE}{_NO_MONEY}(?!1[89]00)(?P<data>\d(?:{_G}\d){{7,10}}){END}"
    ),
)
# With commas, or with letters for digits in the midst: "0912,345,678", "0913.20x.771", "09b8 1S3 ...".
_GROUPED = re.compile(
    r"(?<![\d.,/])0[35789]\d{1,2} ?, ?\d{2,4} ?, ?\d{2,4}(?: ?, ?\d{2,4})?(?![\d]|[.,]\d)|"
    rf"(?<![^\W_])(?<![.,/-])0{_G}[35789](?:{_G}[\dxsbgqz*?]){{8}}(?![^\W_])"
)
# Spoken numbers lose digits on the way to paper: what begins with 0 and goes on is meant as one.
_SPOKEN = re.compile(rf"(?:(?<!\w)cong )?(?<![\d_])\d(?:{GAP}\d){{6,18}}{END}")
_SPOKEN_IN_PARTS = re.compile(rf"(?<![\d_])\d(?:(?:{GAP}| ?, ?)\d){{6,18}}{END}")

_IDENTITY_CUES = (
    "cccd|cmnd|cmtnd|cmt|can cuoc|chung minh|dinh danh|ho chieu|passport|bhxh|bao hiem xa hoi"
    "|so bao hiem|bhyt|the bao hiem|ma so thue|mst|bang lai|gplx|giay phep lai xe|so huu|giay to tuy than"
)
# Whom a health insurance card is for. Source: Decision 1351/QĐ-BHXH (2015), article 2.
_INSURED = (
    "dn|hx|ch|nn|tk|hc|xk|ht|tb|no|ct|xb|tn|cs|qn|ca|cy|xn|mc|cc|ck|cb|kc|hd|te|bt|hn|dt|dk|xd|ts"
    "|tc|tq|ta|ty|hg|ls|px|cn|hs|sv|gb|gd"
)
_IDENTITY = (
    # Twelve digits since the citizen's identity number (Law 26/2023/QH15 on identity cards, art. 12).
    re.compile(rf"{_ALONE}(?:\d{{12}}|0(?:[ .\u00a0-]{{0,2}}\d){{11}})(?!\d)"),
    # The old card has nine, which alone are too often something else: they need a word before them.
    re.compile(
        rf"{_CUE.format(_IDENTITY_CUES, MASK)}(?<!\d)(?<!\d[.,/-]){_NO_DATE}{_NO_YEARS}{_NO_MONEY}(?!1[89]00)"
        rf"(?P<data>(?:(?<![^\W_])(?:{_INSURED}) ?[1-5] ?|(?<![^\W_])[a-z] ?)?\d(?:{GAP}\d){{6,14}}){END}"
    ),
    re.compile(r"(?<![^\W_])[bcenp]\d{7,8}(?![^\W_])"),  # a passport
)
_BANKS = (
    "vietcombank|vcb|techcombank|tcb|vietinbank|ctg|bidv|agribank|sacombank|stb|mb ?bank|mb|acb"
    "|tp ?bank|vp ?bank|hd ?bank|vib|shb|msb|ocb|scb|seabank|lien ?viet|lpbank|eximbank|nam a|bac a"
    "|ngan hang|nh"
)
_BANK_CUES = "stk|so tk|tk|tai khoan|so the|the atm|the ngan hang|the cua toi|ngan hang"
_BANK = (
    re.compile(
        rf"{_CUE.format(_BANK_CUES, MASK)}(?<!\d)(?<!\d[.,/-]){_NO_DATE}{_NO_MONEY}(?!1[89]00)"
        r"(?![1-9]\d{0,2}(?:\.\d{3}){1,2}(?![.\d]))"
        rf"(?P<data>\d(?:{GAP}\d){{6,18}}){END}"
    ),
    re.compile(
        rf"(?P<data>{_ALONE}\d(?:{GAP}\d){{8,18}}){END}[ (/,–-]{{1,4}}(?:{_BANKS})(?![^\W_])"
    ),
    re.compile(
        rf"(?<![^\W_])(?:{_BANKS})(?![^\W_])[^\d\n]{{0,15}}{_ALONE}{_NO_DATE}{_NO_MONEY}(?!1[89]00)"
        rf"(?P<data>\d(?:{GAP}\d){{8,18}}){END}"
    ),
    re.compile(
        rf"{MASK}{{6}}[^\d\n]{{1,20}}(?:khong phai|thay vi|nham|thanh)"
        rf"[^\d\n]{{1,20}}(?<![^\W_])(?P<data>\d(?:{GAP}\d){{7,18}}){END}"
    ),
)
# Nothing public has thirteen digits and more but sums of money and runs of years.
_LONG = re.compile(
    rf"{_ALONE}{_NO_MONEY}\d{{3,19}}(?:[ .-]\d{{3,}})*(?:[ .-]\d{{2,}})?(?![\d.]*\d)"
)
_MONEY_OR_YEARS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+|(?:(?:19|20)\d\d[ .-]?)+")

_FIRM = re.compile(
    r"(?:ma so thue|mst|ma so doanh nghiep)(?! ca nhan)(?![^\d]{0,12} (?:toi|em|minh|con|chau))"
    r"[^\d\n]{0,20}$"
)
_FIRM_NEAR = re.compile(r"cong ty|doanh nghiep|\bcty\b|hop tac xa|tnhh|tap doan")
_DIGIT = re.compile(r"\d")
_HOTLINE = re.compile(
    r"(?:duong day nong|hotline|tong dai)"
    r"(?![^,.;\n]*(?<![^\W_])(?:toi|em|e|minh|con|chau|tui|bac|goi lai|lien he)(?![^\W_]))"
    r"[^\d,.;:\n]{0,40}:? ?$"
)


def find_numbers(page: Page) -> Iterator[PersonalData]:
    """Numbers of persons, but no hotlines and no tax numbers of firms."""
    for view in {page.folded_digits, page.dictated}:
        if len(_DIGIT.findall(view)) > 3:  # no number has fewer; most texts end here
            yield from _find_in(view, folded=page.folded)


def _find_in(view: str, *, folded: str) -> Iterator[PersonalData]:
    for data in (
        *find_matches("phone", _PHONE, view),
        *find_matches("identity_number", _IDENTITY, view),
        *find_matches("bank_account", _BANK, view),
        *_find_grouped(view),
        *_find_long(view),
        *find_parted(view),
    ):
        if not _is_public(data.span, folded=folded):
            yield data


def _find_grouped(view: str) -> Iterator[PersonalData]:
    for match in _GROUPED.finditer(view):
        n_digits = sum(map(str.isdecimal, match[0]))
        in_disguise = re.search("[a-z*?]", match[0]) is not None
        if n_digits == 10 if "," in match[0] else in_disguise and n_digits > 6:
            yield PersonalData(Span(*match.span()), "phone")


def _is_public(span: Span, *, folded: str) -> bool:
    """Whether a hotline is announced here, or the tax number of a firm."""
    before = folded[max(0, span.start - 60) : span.start]
    if _HOTLINE.search(before):
        return True
    around = before + folded[span.end : span.end + 20]
    return _FIRM.search(before) is not None and _FIRM_NEAR.search(around) is not None


def _find_long(view: str) -> Iterator[PersonalData]:
    patterns = (_SPOKEN, _SPOKEN_IN_PARTS) if FILLER in view else ()
    for match in chain.from_iterable(pattern.finditer(view) for pattern in patterns):
        digits = "".join(filter(str.isdecimal, match[0]))
        n_spoken = len(re.findall("\\d_", match[0]))
        mobile = len(digits) == 10 and re.match("0[35789]", digits) is not None
        if (n_spoken > 0 and mobile) or (n_spoken > 2 and (digits[0] == "0" or len(digits) > 8)):
            is_phone = digits[0] == "0" and len(digits) < 12
            yield PersonalData(Span(*match.span()), "phone" if is_phone else "identity_number")
    for match in _LONG.finditer(view):
        n_digits = sum(map(str.isdecimal, match[0]))
        if 13 <= n_digits <= 19 and not _MONEY_OR_YEARS.fullmatch(match[0]):
            yield PersonalData(Span(*match.span()), "bank_account")

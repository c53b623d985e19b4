"""Digits in every disguise: spoken ("không chín một hai"), look-alike letters (o9l2), halves of both.

`read_digits` writes them as digits in a copy of the same length, so that one set of patterns reads them all.
"""

import re
from collections.abc import Iterator, Sequence

from nlp.text import fold

FILLER = "_"  # pads a spoken digit to the length of its word: "chín" is "9___"
_TENS = "10"
# fmt: off
VALUES = {
    "không": "0", "ko": "0", "hông": "0", "zero": "0", "ô": "0", "một": "1", "mốt": "1", "hai": "2",
    "ba": "3", "bốn": "4", "tư": "4", "năm": "5", "lăm": "5", "nhăm": "5", "sáu": "6", "bảy": "7",
    "bẩy": "7", "tám": "8", "chín": "9", "mười": _TENS, "mươi": _TENS, "chục": _TENS,
    "trăm": "00", "linh": "0", "lẻ": "0",
}
# fmt: on
_BARE = {fold(word): value for word, value in VALUES.items() if word != "ô"}
_ALL = VALUES | _BARE
_NO = frozenset({"không", "khong", "ko", "hông", "hong"})
_NO_NUMBER_ALONE = _NO | {"o", "ô"}
# What stands between digits that are read out, or between their look-alikes.
_SEP = r"[\s,.;:…–/-]"
_SAID = (
    "à|ờ|ạ|dạ|vâng|ừ|chấm|phẩy|gạch|ngang|rồi|tiếp|theo|xong|tới|đến|kế|nữa|nha|nhé|nhe|nghe"
    "|con|số|lần|đôi|cặp"
)
# And what does while somebody dictates, corrects himself, or looks for his glasses.
_HALTING = (
    "à quên|quên|nhầm|ủa|khoan|đợi|đợi tí|chờ tí|tiếp nữa|sau đó|thêm|nè|ghi|đọc|cuối|đuôi|cuối là|đuôi là"
    "|rồi đến|rồi tới|phết|lại"
)


def _between(said: str) -> re.Pattern[str]:
    return re.compile(rf"{_SEP}{{1,5}}(?:(?:{said}|{fold(said)}|[a-hkđ]){_SEP}{{1,5}}){{0,3}}")


_BETWEEN, _BETWEEN_HALTING = _between(_SAID), _between(f"{_SAID}|{_HALTING}")
_NUMBERED = re.compile(
    r"(?:ngõ|ngo|ngách|ngach|hẻm|hem|kiệt|kiet|số|so|nhà|nha|căn|can|tầng|tang|lầu|lau|phòng|phong"
    r"|tổ|to|xóm|xom|thửa|thua|tờ|trên|tren|ấp|ap) $"
)
_LIKE_DIGITS = str.maketrans("oilgqzsb", "01199258")

Token = re.Match[str]
_WORDS = "|".join(word for word in sorted(_ALL, key=len, reverse=True) if len(word) > 1)
_WORD_WITHIN = re.compile(_WORDS)
# Words and digits without a blank between them: "09ba", "5sáu7", "hai0".
_MIXED = rf"(?:(?:{_WORDS})\d|\d(?:{_WORDS}))(?:\d|{_WORDS})*|\d{{2,9}}(?:{_WORDS})(?:\d|{_WORDS})*"
_LIKE = r"[oil\d]*\d[oil\d]*|[o0][oilgqzsb\d]*\d[oilgqzsb\d]*|o"
_PLAIN = rf"{'|'.join(sorted(_ALL, key=len, reverse=True))}|{_LIKE}"
_TOKEN = re.compile(rf"(?<![^\W_])(?:{_PLAIN})(?![^\W_])")
_MIXED_TOKEN = re.compile(rf"(?<![^\W_])(?:{_MIXED}|{_PLAIN})(?![^\W_])")
_TOUCH = re.compile(r"\d(?:(?=[^\W\d_])|(?<=[^\W\d_]\d))")


def read_digits(low: str, *, bare: bool) -> str:
    """A lower-cased text with every number in disguise written in digits, code point for code point.

    `bare` tells that the text has no diacritics: elsewhere "nam" or "sau" is a digit only among many.
    """
    return _read(low, list(_TOKEN.finditer(low)), bare=bare, between=_BETWEEN)


def read_dictated(low: str, *, bare: bool) -> str:
    """The same where more may stand between two digits, and nothing: "chín, à quên, tám", "5sáu7"."""
    token = _MIXED_TOKEN if _TOUCH.search(low) else _TOKEN
    return _read(low, list(token.finditer(low)), bare=bare, between=_BETWEEN_HALTING)


def _read(low: str, tokens: Sequence[Token], *, bare: bool, between: re.Pattern[str]) -> str:
    if all(token[0].isdecimal() for token in tokens):
        return low
    groups = list(_groups(tokens, low=low, between=between))
    # Where a number is being read out, its parts may be short: "không tám ba hai, giữa là chín mốt".
    dictated = any(len(group) > 3 and group[0][0] in _NO for group in groups)
    chars = list(low)
    for group in groups:
        odd = not bare and any(token[0] in _BARE and token[0] not in VALUES for token in group)
        if _is_number(group, low=low, least=6 if odd else 2 if dictated else 3):
            chars[group[0].start() : group[-1].end()] = _written(group, low=low)
    return "".join(chars)


def _groups(
    tokens: Sequence[Token], *, low: str, between: re.Pattern[str]
) -> Iterator[Sequence[Token]]:
    group: list[Token] = []
    for i, token in enumerate(tokens):
        if token[0] in {"năm", "nam"} and _is_year(tokens[i + 1 : i + 2], after=token):
            continue
        if group and not between.fullmatch(low, group[-1].end(), token.start()):
            yield _without_no(group, low=low)
            group = []
        group.append(token)
    if group:
        yield _without_no(group, low=low)


def _is_year(following: Sequence[Token], *, after: Token) -> bool:
    """Whether "năm" is followed by 2025, and thus means the year and not five."""
    return any(
        len(number[0]) == 4 and number[0].isdecimal() and number.start() == after.end() + 1
        for number in following
    )


def _without_no(group: Sequence[Token], *, low: str) -> Sequence[Token]:
    """A group without the "không" of "1900 6390 không nghe" or "năm, dạ không phải", which is no digit."""
    if len(group) > 1 and group[-1][0] in _NO:
        before = group[-2]
        apart = group[-1].start() - before.end() > 1 and re.match(
            r" [^\W\d_]", low[group[-1].end() :][:2]
        )
        if apart or (before[0].isdecimal() and len(before[0]) > 2):
            return group[:-1]
    if len(group) > 1 and group[0][0] in _NO_NUMBER_ALONE:
        meant = group[0][0] in _NO and len(group[1][0]) < 9
        beside = group[1].start() - group[0].end() == 1
        return group if meant or beside else group[1:]
    return group


def _is_number(group: Sequence[Token], *, low: str, least: int) -> bool:
    """Three digits in a row are meant as such, one with look-alikes too, and the number of a lane."""
    words = [token[0] for token in group if not token[0].isdecimal()]
    start = group[0].start()
    if any(char.isdecimal() for word in words for char in word):
        return True
    return bool(words) and (
        len(group) >= least
        or (
            words[0] not in _NO_NUMBER_ALONE
            and least < 6
            and _NUMBERED.search(low, max(0, start - 6), start) is not None
        )
    )


def may_be_dictated(low: str, digits: str) -> bool:
    """Whether `read_dictated` can tell more than `read_digits` did."""
    return digits is not low or _TOUCH.search(low) is not None


def _written(group: Sequence[Token], *, low: str) -> Iterator[str]:
    end = None
    for i, token in enumerate(group):
        if end is not None:
            yield from (FILLER if char.isalpha() else char for char in low[end : token.start()])
        end = token.end()
        digits = _ALL.get(token[0])
        if digits is None:
            yield from _WORD_WITHIN.sub(_digit_within, token[0]).translate(_LIKE_DIGITS)
            continue
        if len(digits) == 2:
            digits = _place(digits, group=group, at=i)
        yield from digits.ljust(len(token[0]), FILLER)


def _digit_within(word: re.Match[str]) -> str:
    return _ALL[word[0]][:1].ljust(len(word[0]), FILLER)


def _place(digits: str, *, group: Sequence[Token], at: int) -> str:
    """What "mười", "mươi" and "trăm" add between their neighbours: "hai mươi mốt" is 21, "hai mươi" 20."""
    after = at + 1 < len(group) and group[at + 1].start() == group[at].end() + 1
    before = at > 0 and group[at - 1].end() + 1 == group[at].start()
    if digits == _TENS and before and not group[at - 1][0].startswith("tr"):
        digits = "0"
    return digits.rstrip("0") if after else digits

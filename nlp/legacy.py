"""Text of the years before Unicode, seen as the Latin-1 letters it was stored as: TCVN3 and VNI.

Source: TCVN 5712:1993, third character set (ABC fonts), the table agrees with glibc's TCVN5712-1; VNI for
Windows, a base letter and a mark behind it, as its fonts (VNI-Times and others) draw them.
"""

import re
import unicodedata
from collections.abc import Callable

from nlp.syllables import is_syllable

LEGACY = "legacy_encoding"  # the issue named in text_quality
# 0xA1 to 0xFE as the ABC fonts show them; code points that they leave free map to themselves.
_TCVN3 = dict(
    zip(
        "¡¢£¤¥¦§¨©ª«¬\u00ad®µ¶·\u00b8¹»¼½¾ÆÇÈÉÊËÌÎÏÐÑÒÓÔÕÖ×ØÜÝÞßáâãäåæçèéêëìíîïñòóôõö÷øùúûüýþ",
        "ĂÂÊÔƠƯĐăâêôơưđàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ",
        strict=True,
    )
)
_TO_UNICODE = str.maketrans(_TCVN3)
_FROM_UNICODE = str.maketrans({letter: code for code, letter in _TCVN3.items()})
_LETTER = r"[^\W\d_]"
_WORD = re.compile(rf"[{re.escape(''.join(_TCVN3))}a-zA-Z]+")
_FOREIGN_TO_IT = re.compile("[\u0100-\u1eff]")  # letters that only Unicode text has
# A syllable of Vietnamese without its marks: initial, nucleus, final. Source: Thompson 1965, ch. 2.
VIETNAMESE_SYLLABLE = re.compile(
    rf"(?<!{_LETTER})"
    r"(?:ngh|ng|nh|gh|gi|kh|ph|qu|th|tr|ch|[bcdghklmnpqrstvx])?"
    r"(?:oai|oao|oay|oeo|uai|uao|uay|uoi|uou|uya|uye|uyu|ieu|yeu|uay|[aeiouy]{1,2})"
    r"(?:ng|nh|ch|[cmnpt])?"
    rf"(?!{_LETTER})"
)
_NEVER_UNICODE = re.compile("[^\x00-\x7fàáâãèéêìíòóôõùúýÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝ]")  # signs of TCVN3
# VNI: marks behind a vowel, and letters with a code of their own
_VNI_MARKS = {
    "ù": "\u0301", "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ï": "\u0323",
    "â": "\u0302", "á": "\u0302\u0301", "à": "\u0302\u0300", "å": "\u0302\u0309", "ã": "\u0302\u0303",
    "ä": "\u0302\u0323",
    "ê": "\u0306", "é": "\u0306\u0301", "è": "\u0306\u0300", "ú": "\u0306\u0309", "ü": "\u0306\u0303",
    "ë": "\u0306\u0323",
}  # fmt: skip
_VNI_LETTERS = {"ô": "ơ", "ö": "ư", "ñ": "đ", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}
_VNI = re.compile(
    rf"a[{''.join(_VNI_MARKS)}]|[eo][ùøûõïâáàåãä]|[uyôö][ùøûõï]|[{''.join(_VNI_LETTERS)}]",
    re.IGNORECASE,
)
_MIN_MARKED = 3  # words with a letter beyond ASCII; fewer prove nothing
_SHARE_STRANGE = 0.25  # of these words that no Unicode text in Vietnamese would spell so
_SHARE_AFTER = 0.9  # of these words that are Vietnamese syllables once decoded


def to_unicode(text: str) -> str:
    """Text in Unicode: decoded where the words say that it is TCVN3 or VNI, else the text itself.

    Told by the words with letters beyond ASCII: none has a letter that only Unicode has, a quarter have one
    that Vietnamese lacks, and nine in ten become Vietnamese syllables. Capitals that the ABC fonts tell apart
    by the font alone come out in lower case.
    """
    if text.isascii() or _FOREIGN_TO_IT.search(text):
        return text
    words = {word for word in _WORD.findall(text) if not word.isascii()}
    if len(words) < _MIN_MARKED:
        return text
    n_strange = sum(_NEVER_UNICODE.search(word) is not None for word in words)
    if n_strange < _SHARE_STRANGE * len(words):
        return text
    decode = max((from_tcvn3, from_vni), key=lambda decode: _share_decoded(words, decode))
    return decode(text) if _share_decoded(words, decode) >= _SHARE_AFTER else text


def _share_decoded(words: set[str], decode: Callable[[str], str]) -> float:
    return sum(is_syllable(decode(word)) for word in words) / len(words)


def from_font(text: str, *, font: str) -> str:
    """Text as a font shows it: ".Vn" fonts are TCVN3 (those on H in capitals), "VNI-" fonts are VNI.

    Text of another font, or with letters that only Unicode has, stays as it is.
    """
    name = font.lower()
    if _FOREIGN_TO_IT.search(text):
        return text
    if name.startswith(".vn"):
        return from_tcvn3(text).upper() if name.endswith("h") else from_tcvn3(text)
    return from_vni(text) if name.startswith("vni") else text


def from_tcvn3(text: str) -> str:
    """TCVN3 to Unicode; same length."""
    return text.translate(_TO_UNICODE)


def from_vni(text: str) -> str:
    """VNI for Windows to Unicode; a letter and its mark become one."""
    return _VNI.sub(_from_vni, text)


def _from_vni(match: re.Match[str]) -> str:
    base, mark = match[0][0], match[0][1:].lower()
    letter = _VNI_LETTERS.get(base.lower(), base)
    letter = letter.upper() if base.isupper() else letter
    return unicodedata.normalize("NFC", letter + _VNI_MARKS.get(mark, ""))


def to_tcvn3(text: str) -> str:
    """The reverse, for tests and measurements; capitals with a tone mark become lower case."""
    return "".join(
        char if char.translate(_FROM_UNICODE) != char or ord(char) < 128 else char.lower()
        for char in text
    ).translate(_FROM_UNICODE)

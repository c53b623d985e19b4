"""Text of the years before Unicode: TCVN3 (ABC fonts), seen as the Latin-1 letters it was stored as.

Source: TCVN 5712:1993, third character set; the table agrees with glibc's TCVN5712-1.
"""

import re

from nlp.text import fold

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
_MIN_MARKED = 3  # words with a letter beyond ASCII; fewer prove nothing
_SHARE_STRANGE = 0.25  # of these words that no Unicode text in Vietnamese would spell so
_SHARE_AFTER = 0.9  # of these words that are Vietnamese syllables once decoded


def to_unicode(text: str) -> str:
    """Text in Unicode: TCVN3 decoded where the words say that it is TCVN3, else the text itself.

    Told by the words with letters beyond ASCII: none has a letter that only Unicode has, a quarter have one
    that Vietnamese lacks, and nine in ten become Vietnamese syllables. The length stays the same; capitals
    that the ABC fonts tell apart by the font alone come out in lower case.
    """
    if text.isascii() or _FOREIGN_TO_IT.search(text):
        return text
    words = {word for word in _WORD.findall(text) if not word.isascii()}
    if len(words) < _MIN_MARKED:
        return text
    n_strange = sum(_NEVER_UNICODE.search(word) is not None for word in words)
    if n_strange < _SHARE_STRANGE * len(words):
        return text
    decoded = [fold(word.translate(_TO_UNICODE)) for word in words]
    n_vietnamese = sum(VIETNAMESE_SYLLABLE.fullmatch(word) is not None for word in decoded)
    return text.translate(_TO_UNICODE) if n_vietnamese >= _SHARE_AFTER * len(words) else text


def to_tcvn3(text: str) -> str:
    """The reverse, for tests and measurements; capitals with a tone mark become lower case."""
    return "".join(
        char if char.translate(_FROM_UNICODE) != char or ord(char) < 128 else char.lower()
        for char in text
    ).translate(_FROM_UNICODE)

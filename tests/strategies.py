"""Random texts that look like what people send, and texts that nobody should send."""

import unicodedata

from hypothesis import strategies as st

VOWELS = "aàáảãạăằắẳẵặâầấẩẫậeèéẻẽẹêềếểễệiìíỉĩịoòóỏõọôồốổỗộơờớởỡợuùúủũụưừứửữựyỳýỷỹỵ"
LETTERS = VOWELS + "bcdđghklmnpqrstvx"
TONE_MARKS = "\u0300\u0301\u0303\u0309\u0323"

syllables = st.text(LETTERS, min_size=1, max_size=7)
separators = st.sampled_from(
    [" ", " ", " ", ", ", ". ", "! ", "? ", "\n", ' "', "; ", " - ", "... "]
)


@st.composite
def running_texts(draw: st.DrawFn, *, max_syllables: int = 40) -> str:
    """Syllables of Vietnamese letters with punctuation and line feeds between them; NFC."""
    pairs = draw(st.lists(st.tuples(syllables, separators), max_size=max_syllables))
    return "".join(syllable + separator for syllable, separator in pairs)


_junk = st.one_of(
    st.sampled_from(
        [
            "😡",
            "👍🏽",
            "👨‍👩‍👧",
            "\u0000",
            "\u0007",
            "\u200b",
            "\ufeff",
            "\x0c",
            "\t",
            "　",
            "中",
            "🇻🇳",
        ]
    ),
    st.text(TONE_MARKS, min_size=1, max_size=5),
    st.sampled_from(["a" * 500, "ạ" * 300, "!" * 200, "9" * 120, "http://a.vn/" + "b" * 200]),
    st.text(max_size=8),
)


@st.composite
def wild_texts(draw: st.DrawFn) -> str:
    """Running text with emoji, control characters, stray marks and very long tokens; not always NFC."""
    parts = draw(st.lists(st.one_of(syllables, syllables, separators, _junk), max_size=40))
    text = "".join(parts)
    return unicodedata.normalize("NFD", text) if draw(st.booleans()) else text

"""What pages do to letters, undone: each repair has a name among the issues of a document.

Only what cannot be Vietnamese is changed, and only into what is: a text without faults stays as it is.
"""

import re

from nlp.syllables import is_syllable

SPLIT_SYLLABLES = "split_syllables_joined"
LOST_D = "lost_d_restored"
DIGITS = "digits_restored"
# Two pieces of letters with one blank between them.
_PAIR = re.compile(r"(?<!\S)([^\W\d_]+) ([^\W\d_]+)(?![^\W\d_])")
_MAX_SYLLABLE = 7  # letters: "nghiêng"
# Eth and d with a stroke through it look like Đ and đ; fonts of the 1990s used them in its place.
_LOOKALIKE_D = str.maketrans({"Ð": "Đ", "ð": "đ", "Ɖ": "Đ", "ɖ": "đ"})
# A scanner reads 1 as l or I, 0 as O or o, within a number.
_NUMBER = re.compile(r"(?<![\w])(?=[lIOo\d]*\d)(?=\d*[lIOo])[lIOo\d]{2,}(?![^\W\d_])")
_AS_DIGIT = str.maketrans("lIOo", "1100")


# Symbol fonts draw list marks with codes for private use (F0B7 a dot, F02D a dash, F0A7 a square).
_BULLET = re.compile(r"^\s*(?:[\uf000-\uf0ff•▪●◦]|o(?= [A-ZĐ]))\s*")


def draw_bullet(line: str) -> str:
    """Write a dash where a list mark begins a line."""
    return _BULLET.sub("- ", line)


def restore_d(text: str) -> str:
    """Write Đ where a look-alike stands for it; same length."""
    return text.translate(_LOOKALIKE_D)


def join_split(text: str) -> str:
    """Close up syllables that a blank tore apart ("ĐIỀ U KHO ẢN" becomes "ĐIỀU KHOẢN").

    Two pieces are joined where at least one is no syllable of Vietnamese and both together are one.
    """
    done = 0
    while match := _PAIR.search(text, done):
        left, right = match.groups()
        whole = left + right
        torn = len(whole) <= _MAX_SYLLABLE and not (is_syllable(left) and is_syllable(right))
        one_case = whole.islower() or whole.isupper() or whole.istitle()
        if torn and one_case and is_syllable(whole):
            text = f"{text[: match.start()]}{whole}{text[match.end() :]}"
            done = match.start()
        else:
            done = match.start(2)
    return text


def restore_digits(text: str) -> str:
    """Write 1 and 0 where a scanner put l, I or O, o into a number ("2O26", "l5/NQ-CP"); same length."""
    return _NUMBER.sub(lambda match: match[0].translate(_AS_DIGIT), text)

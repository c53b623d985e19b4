"""What happens to texts on their way to us, and whether the labels survive it.

Every change is repeatable: what is random in it depends on the text alone.
"""

import random
import re
import unicodedata
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from models.corpus import Example
from models.heads import questions_of
from nlp.legacy import to_tcvn3
from nlp.protocols import Classifier, FloatArray, HeadSpec
from nlp.readers import from_text
from nlp.taxonomy import Taxonomy
from nlp.text import TONE_PLACEMENTS

# As young people type; the commonest substitutions, from general knowledge of the language.
_TEENCODE = {
    "không": "ko", "được": "đc", "với": "vs", "gì": "j", "người": "ng", "những": "nhg",
    "biết": "bít", "rồi": "rùi", "vậy": "z", "mình": "mk", "quá": "wá", "bây giờ": "bh",
    "cũng": "cx", "trước": "trc", "nhiều": "nhìu", "nhưng": "nhg", "trong": "trog",
    "thế": "thía", "đường": "đg", "học": "hok", "giờ": "h", "chồng": "ck", "vợ": "vk",
    "bao nhiêu": "bn", "mọi người": "mn", "phường": "p", "tháng": "t",
}  # fmt: skip
_TEEN_WORDS = re.compile(
    rf"\b({'|'.join(sorted(_TEENCODE, key=len, reverse=True))})\b", re.IGNORECASE
)
# What scanners take for each other, besides lost and wrong marks.
_LOOKALIKES = {
    "l": "1", "1": "l", "I": "l", "o": "0", "0": "O", "O": "0", "e": "c", "c": "e", "n": "u",
    "u": "n", "h": "b", "m": "rn", "ư": "u", "ơ": "o", "đ": "d", "ă": "ä", "i": "l", "t": "f",
}  # fmt: skip
_WORD_BREAK_EVERY = 8  # words


_OTHER_TONE = TONE_PLACEMENTS | {old: new for new, old in TONE_PLACEMENTS.items()}
_TONED = re.compile(rf"(?<!q)(?:{'|'.join(_OTHER_TONE)})(?![^\W\d_])")


def _no_diacritics(text: str) -> str:
    bare = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(char for char in bare if not unicodedata.combining(char))


def _other_tone_style(text: str) -> str:
    return _TONED.sub(lambda match: _OTHER_TONE[match[0]], text)


def _teencode(text: str) -> str:
    return _TEEN_WORDS.sub(lambda match: _TEENCODE[match[0].lower()], text)


def _ocr_noise(share: float) -> Callable[[str], str]:
    def damage(text: str) -> str:
        dice = _dice(text)
        return "".join(
            _misread(char, dice) if char.isalnum() and dice.random() < share else char
            for char in text
        )

    return damage


def _misread(char: str, dice: random.Random) -> str:
    bare = unicodedata.normalize("NFD", char)
    if len(bare) > 1 and dice.random() < 0.7:
        return bare[0]  # the mark is lost
    return _LOOKALIKES.get(char, dice.choice(["", char * 2, "."]))


def _break_words(text: str) -> str:
    dice = _dice(text)
    words = text.split(" ")
    for i in range(dice.randrange(_WORD_BREAK_EVERY), len(words), _WORD_BREAK_EVERY):
        word = words[i]
        if len(word) > 2:
            at = dice.randrange(1, len(word))
            words[i] = f"{word[:at]}\n{word[at:]}"
    return " ".join(words)


def _dice(text: str) -> random.Random:
    return random.Random(zlib.crc32(text.encode()))  # noqa: S311 - repeatable, not secret


CHANGES: Mapping[str, Callable[[str], str]] = {
    "no diacritics": _no_diacritics,
    "NFD": lambda text: unicodedata.normalize("NFD", text),
    "other tone placement": _other_tone_style,
    "upper case": str.upper,
    "teencode": _teencode,
    "OCR noise, 2 % of characters": _ocr_noise(0.02),
    "OCR noise, 5 % of characters": _ocr_noise(0.05),
    "line breaks inside words": _break_words,
    "TCVN3 bytes": to_tcvn3,
}


def robustness(
    classifier: Classifier, examples: Sequence[Example], *, taxonomy: Taxonomy
) -> dict[str, dict[str, dict[str, float]]]:
    """Read changed texts as they would come in, and compare the answers with those for the clean ones.

    Returns:
        JSON values: change, then head, to `same` (share of texts with the same best label; of
        independent labels, the same set from 0.5 on) and `accuracy` (of the best label).
    """
    report: dict[str, Any] = {name: {} for name in CHANGES}
    for question in questions_of(taxonomy):
        chosen = question.select(examples)
        if not chosen:
            continue
        spec = classifier.heads[question.name]
        contexts = [example.context for example in chosen]
        gold = question.targets(chosen)
        labelled = gold.any(axis=1)

        def ask(texts: Sequence[str]) -> FloatArray:
            read = [from_text(text).text for text in texts]
            return classifier.read(read, contexts=contexts).probabilities(question.name)  # noqa: B023

        clean = ask([example.text for example in chosen])
        for name, change in CHANGES.items():
            changed = ask([change(example.text) for example in chosen])
            hit = gold[np.arange(len(gold)), changed.argmax(axis=1)]
            report[name][question.name] = {
                "same": round(_same(clean, changed, spec=spec), 3),
                "accuracy": round(float(hit[labelled].mean()) if labelled.any() else 0.0, 3),
            }
    return report


def _same(clean: FloatArray, changed: FloatArray, *, spec: HeadSpec) -> float:
    if spec.multi:
        return float(((clean >= 0.5) == (changed >= 0.5)).all(axis=1).mean())
    return float((clean.argmax(axis=1) == changed.argmax(axis=1)).mean())

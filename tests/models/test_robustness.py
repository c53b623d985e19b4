"""The changes do what their names say, the same way each time, and the report counts them."""

import unicodedata

import pytest

from models.corpus import load_corpus
from models.linear import LinearClassifier
from models.robustness import CHANGES, robustness
from nlp.readers import from_text
from nlp.taxonomy import Taxonomy
from tests.conftest import TINY_CORPUS

TEXT = (
    "Đường trước nhà không được sửa, hoà giải mãi ở phường Thuỷ Dương chưa xong, dân khổ quá rồi."
)


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ("no diacritics", "Duong truoc nha khong duoc sua"),
        ("upper case", "ĐƯỜNG TRƯỚC NHÀ KHÔNG ĐƯỢC SỬA"),
        ("other tone placement", "hòa giải mãi ở phường Thủy Dương"),
        ("teencode", "đg trc nhà ko đc sửa"),
    ],
)
def test_a_change_does_what_it_says(change: str, changed: str) -> None:
    assert changed in CHANGES[change](TEXT)


def test_what_reading_undoes_is_undone() -> None:
    for change in ("NFD", "TCVN3 bytes"):
        assert CHANGES[change](TEXT) != TEXT
        assert from_text(CHANGES[change](TEXT)).text == TEXT


def test_noise_grows_and_repeats() -> None:
    little, much = (CHANGES[f"OCR noise, {share} % of characters"] for share in (2, 5))
    long = TEXT * 20

    assert little(long) == little(long)
    n_little = sum(a != b for a, b in zip(long, little(long), strict=False))
    assert little(long) != long
    assert n_little < len(long)
    assert len(set(much(long)) - set(long)) >= len(set(little(long)) - set(long))


def test_words_are_broken_by_line_feeds_alone() -> None:
    broken = CHANGES["line breaks inside words"](TEXT)

    assert broken.replace("\n", "") == TEXT
    assert "\n" in broken


def test_every_change_and_head_is_reported(
    tiny_classifier: LinearClassifier, pack: Taxonomy
) -> None:
    examples = load_corpus(TINY_CORPUS, taxonomy=pack)

    report = robustness(tiny_classifier, examples, taxonomy=pack)

    assert set(report) == set(CHANGES)
    for change in ("NFD", "other tone placement", "upper case"):
        assert all(own["same"] == 1.0 for own in report[change].values()), change
    assert all(0 <= own["accuracy"] <= 1 for heads in report.values() for own in heads.values())
    assert unicodedata.is_normalized("NFC", TEXT)

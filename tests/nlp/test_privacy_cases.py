"""The marked texts that masking is measured on are what their README says; no failure shows a text."""

import json
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from nlp.privacy import PersonalKind
from nlp.text import to_nfc
from tests.privacy_cases import FOLDER, HALVES, load_cases


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.jsonl")), ids=lambda path: path.stem)
def test_each_line_is_a_case_in_nfc(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()

    wrong = [
        number
        for number, line in enumerate(lines, start=1)
        if to_nfc(line) != line or set(json.loads(line)) != {"text", "register", "tags"}
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("half", "n_texts", "least"), [("development", 840, 60), ("held_out", 260, 12)]
)
def test_every_kind_is_there_and_a_fifth_of_the_texts_has_none(
    half: str, n_texts: int, least: int
) -> None:
    cases = load_cases(half)
    counts = Counter(data.kind for case in cases for data in case.gold)

    assert len(cases) == n_texts
    assert all(counts[kind] >= least for kind in get_args(PersonalKind))
    assert sum(not case.gold for case in cases) >= len(cases) / 5


def test_no_text_is_there_twice() -> None:
    counts = Counter(case.text for half in HALVES for case in load_cases(half))

    assert sum(n > 1 for n in counts.values()) == 0

"""Hand-written texts with personal data in marks (`corpus/labelled/privacy`): `⟦phone|0934 112 709⟧`."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from nlp.privacy import PersonalData, PersonalKind
from nlp.types import Span

FOLDER = Path(__file__).parents[1] / "corpus" / "labelled" / "privacy"
HALVES = ("development", "held_out")
_MARK = re.compile(r"⟦(?P<kind>[a-z_]+)\|(?P<words>[^⟦⟧|]+)⟧")


@dataclass(frozen=True, slots=True)
class Case:
    """A text as somebody would send it, and what must be covered in it."""

    text: str
    gold: tuple[PersonalData, ...]


def load_cases(half: str) -> tuple[Case, ...]:
    """The texts of one half, "development" or "held_out".

    Raises:
        ValueError: a mark is not well formed or names an unknown kind, in the file and line that it says.
    """
    paths = sorted(FOLDER.glob(f"{half}_*.jsonl"))
    return tuple(case for path in paths for case in _load(path))


def _load(path: Path) -> Iterator[Case]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        case = _parse(json.loads(line)["text"])
        if case is None:
            raise ValueError(f"{path.name}, line {number}: a mark is not ⟦kind|words⟧; write it so")
        yield case


def _parse(marked: str) -> Case | None:
    text, end = "", 0
    gold: list[PersonalData] = []
    for mark in _MARK.finditer(marked):
        text += marked[end : mark.start()]
        kind = next((kind for kind in get_args(PersonalKind) if kind == mark["kind"]), None)
        if kind is None:
            return None
        gold.append(PersonalData(Span(len(text), len(text) + len(mark["words"])), kind))
        text, end = text + mark["words"], mark.end()
    text += marked[end:]
    return None if set("⟦⟧") & set(text) else Case(text, tuple(gold))

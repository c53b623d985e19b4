"""Labels of real texts that are not part of the project, joined with the texts where they are at hand.

The labels are keyed by the SHA-256 of the text (`corpus/labelled/real/README.md`).
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.corpus import Example, Split
from nlp.errors import CorpusError
from nlp.readers import read_file
from nlp.structure import Registers, read_structure
from nlp.text import to_nfc

# Opinions carry no task areas here, so that head is not measured on them.
UNLABELLED_HEADS = ("task_area_opinion",)


@dataclass(frozen=True, slots=True)
class RealText:
    """A text that may have a label: an opinion, or a paragraph with the heading above it."""

    text: str
    heading: str | None = None

    @property
    def sha256(self) -> str:
        """SHA-256 of the NFC text in UTF-8, hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def real_split(sha256: str) -> Split:
    """Half of the real texts is for choosing (`train`), half only for the card (`test`)."""
    return "train" if sha256[1] in "01234567" else "test"


def find_texts(paths: Iterable[Path], *, registers: Registers) -> Iterator[RealText]:
    """Texts of `.jsonl` files (key `text`), and the paragraphs of documents.

    Raises:
        InputError: a document cannot be read.
        CorpusError: a line of a `.jsonl` file is not an object with a text.
    """
    for path in paths:
        if path.suffix == ".jsonl":
            yield from _opinions(path)
        else:
            doc = read_file(path.read_bytes(), name=path.name)
            for part in read_structure(doc, registers=registers).paragraphs:
                above = part.heading
                heading = doc.text[above.start : above.end] if above else None
                yield RealText(doc.text[part.start : part.end], heading)


def _opinions(path: Path) -> Iterator[RealText]:
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            text = json.loads(line)["text"]
        except (ValueError, KeyError, TypeError) as error:
            raise CorpusError(f"{path.name}:{number}: not an object with a text") from error
        yield RealText(to_nfc(str(text)).strip())


def join_labels(folder: Path, *, texts: Iterable[RealText]) -> tuple[Example, ...]:
    """The labelled examples whose texts are at hand, by hash.

    Raises:
        CorpusError: no text fits a label.
    """
    at_hand: Mapping[str, RealText] = {text.sha256: text for text in texts}
    examples = [
        _example(row, found=at_hand[row["sha256"]], is_official=name == "official")
        for name in ("official", "opinions")
        for row in _labels(folder / f"{name}.jsonl")
        if row["sha256"] in at_hand
    ]
    if not examples:
        raise CorpusError(f"{folder}: none of the given texts has a label there")
    return tuple(sorted(examples, key=lambda example: example.sha256))


def measured_hashes(folder: Path) -> frozenset[str]:
    """The SHA-256 of every text that the card is measured on: no model may learn it."""
    files = (folder / f"{name}.jsonl" for name in ("official", "opinions"))
    hashes = (row["sha256"] for file in files if file.exists() for row in _labels(file))
    return frozenset(sha256 for sha256 in hashes if real_split(sha256) == "test")


def _labels(path: Path) -> list[dict[str, Any]]:
    """Rows of labels. `Any`: JSON of this project, checked by its tests."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _example(row: dict[str, Any], *, found: RealText, is_official: bool) -> Example:
    if is_official:
        areas = tuple(row["task_area"])
        return Example(found.text, "official", areas, row["tone"], found.heading, source="real")
    return Example(
        found.text,
        "opinion",
        civic_field=tuple(row["civic_field"]),
        sentiment=row["sentiment"],
        intent=row["intent"],
        source="real",
    )

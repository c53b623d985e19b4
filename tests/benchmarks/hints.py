"""How well triage hints answer, on the texts they were thought out on and on the texts held out.

Run: python -m tests.benchmarks.hints [FILE ...], files of `corpus/labelled/triage` without their ending.
Only figures are printed, never a text. The first tables are of the rules alone; development texts are also
read without their diacritics. The last one is about denunciations: by the rules, by the learned score, by
both. A text that the score learnt from is scored by one that did not. It is also counted how many of the
corpus's opinions are found to be denunciations.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.denunciation import (
    FILES,
    READ,
    BoolArray,
    Lesson,
    is_negative,
    load_lessons,
    load_score,
    read_lessons,
    scores_out_of_fold,
)
from nlp.hints import DENUNCIATION, TriageRules, find_hints, load_triage
from nlp.text import fold
from nlp.types import Hints
from tests.benchmarks.load import read_texts

ROOT = Path(__file__).parents[2]
TEXTS = ROOT / "corpus" / "labelled" / "triage"
CHANNELS = ("phản ánh", "kiến nghị", "khiếu nại", "tố cáo", "hỏi đáp", "không rõ")
URGENCIES = ("life_safety", "time_bound", "normal")
ITEMS = ("place", "time", "body", "object")
EVERY = (*FILES, "held_out", "held_out_b")
Pairs = Sequence[tuple[Hints, Hints]]


def main(names: Sequence[str]) -> None:
    """Print one table for each file of texts."""
    rules = load_triage(ROOT / "corpus" / "registers")
    for name in names:
        if name == READ:  # only denunciations were told there
            continue
        _print(name, _pairs(name, rules=rules, change=str))
        if name in FILES:
            _print(f"{name} without diacritics", _pairs(name, rules=rules, change=fold))
    _print_denunciations(names, rules=rules)
    texts = read_texts()
    by_rules = _by_rules(texts, rules=rules)
    by_score = np.array([words is not None for words in load_score().find(texts)])
    sys.stdout.write(
        f"\nof the {len(texts)} opinions of the corpus {by_rules.sum()} are found to be {DENUNCIATION} by the"
        f" rules, {by_score.sum()} by the score, {(by_rules | by_score).sum()} by both together\n"
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """Which texts of a file are denunciations, and which are found to be by the rules and by the score."""

    lessons: Sequence[Lesson]
    by_rules: BoolArray
    by_score: BoolArray

    def figures(self, *, clear: bool) -> list[str]:
        """Precision and recall by the rules, by the score, by both; of the clear texts or of all."""
        counted = np.array([not (clear and one.is_doubtful) for one in self.lessons])
        gold = np.array([one.denounces for one in self.lessons])
        cells = []
        for found in (self.by_rules, self.by_score, self.by_rules | self.by_score):
            said = found & counted
            right = int((said & gold).sum())
            precision = right / said.sum() if said.any() else 0.0
            cells.append(f"{precision:.2f} / {right / (gold & counted).sum():.2f}")
        return [str(int(counted.sum())), str(int((gold & counted).sum())), *cells]

    def sealed(self) -> list[str]:
        """How many clear negatives the rules, the score and both would seal."""
        negative = is_negative(self.lessons)
        n = int(negative.sum())
        every = (self.by_rules, self.by_score, self.by_rules | self.by_score)
        counts = [int((found & negative).sum()) for found in every]
        return [str(n), *(f"{count} ({count / n:.2%})" for count in counts)]


def _print_denunciations(names: Sequence[str], *, rules: TriageRules) -> None:
    lines = [
        "\n### denunciations: precision / recall",
        "| texts | number | tố cáo | rules | score | both |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    sealed = [
        "\n### clear negatives of the opinions that were read: how many are sealed",
        "| texts | number | rules | score | both |",
        "| --- | --- | --- | --- | --- |",
    ]
    for kind, change in (("", str), (" without diacritics", fold)):
        learnt = _found_in_lessons(rules=rules, change=change)
        for name in names:
            one = learnt[name] if name in FILES else _found_in_others(name, rules, change)
            if name == READ:
                lines.append(f"| {name}, clear{kind} | {' | '.join(one.figures(clear=True))} |")
                sealed.append(f"| {name}{kind} | {' | '.join(one.sealed())} |")
            lines.append(f"| {name}{kind} | {' | '.join(one.figures(clear=False))} |")
    sys.stdout.write("\n".join([*lines, *(sealed if READ in names else [])]) + "\n")


def _found_in_lessons(*, rules: TriageRules, change: Callable[[str], str]) -> dict[str, _Found]:
    """By file. Clear texts are scored out of fold, doubtful ones taught nothing anyway."""
    lessons = load_lessons(TEXTS)
    by_score = scores_out_of_fold(lessons, change=change) >= load_score().threshold
    by_rules = _by_rules([change(one.text) for one in lessons], rules=rules)
    found = {}
    for name in FILES:
        at = np.array([one.file == name for one in lessons])
        own = [one for one in lessons if one.file == name]
        found[name] = _Found(own, by_rules[at], by_score[at])
    return found


def _found_in_others(name: str, rules: TriageRules, change: Callable[[str], str]) -> _Found:
    lessons = read_lessons(TEXTS / f"{name}.jsonl")
    texts = [change(one.text) for one in lessons]
    by_score = np.array([words is not None for words in load_score().find(texts)])
    return _Found(lessons, _by_rules(texts, rules=rules), by_score)


def _by_rules(texts: Sequence[str], *, rules: TriageRules) -> BoolArray:
    return np.array([find_hints(text, rules=rules).channel == DENUNCIATION for text in texts])


def _pairs(name: str, *, rules: TriageRules, change: Callable[[str], str]) -> Pairs:
    lines = (TEXTS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        (
            Hints(row["channel"], row["urgency"], tuple(row["missing"])),
            find_hints(change(row["text"]), rules=rules),
        )
        for row in map(json.loads, lines)
    ]


def _print(name: str, pairs: Pairs) -> None:
    sys.stdout.write("\n".join([f"\n### {name}, {len(pairs)} texts", *_table(pairs)]) + "\n")


def _table(pairs: Pairs) -> list[str]:
    lines = ["| hint | texts | precision | recall | F1 |", "| --- | --- | --- | --- | --- |"]
    lines += _rows("channel", CHANNELS, pairs, holds=lambda hints, label: hints.channel == label)
    lines += _rows("urgency", URGENCIES, pairs, holds=lambda hints, label: hints.urgency == label)
    lines += _rows("missing", ITEMS, pairs, holds=lambda hints, label: label in hints.missing)
    return lines


def _rows(
    name: str, labels: Sequence[str], pairs: Pairs, *, holds: Callable[[Hints, str], bool]
) -> list[str]:
    lines, scores = [], []
    for label in labels:
        gold = [holds(one, label) for one, _ in pairs]
        said = [holds(other, label) for _, other in pairs]
        right = sum(a and b for a, b in zip(gold, said, strict=True))
        precision = right / sum(said) if any(said) else 0.0
        recall = right / sum(gold) if any(gold) else 0.0
        scores.append(2 * right / (sum(gold) + sum(said)) if any(gold) or any(said) else 0.0)
        lines.append(
            f"| {name}: {label} | {sum(gold)} | {precision:.2f} | {recall:.2f} | {scores[-1]:.2f} |"
        )
    return [*lines, f"| {name}: macro | | | | {sum(scores) / len(scores):.2f} |"]


if __name__ == "__main__":
    main(sys.argv[1:] or EVERY)

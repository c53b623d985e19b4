"""How well triage hints answer, on the texts they were thought out on and on the texts held out.

Run: python -m tests.benchmarks.hints [development|development_b|held_out]. Only figures are printed,
never a text. Development texts are also read without their diacritics, and it is counted how many of the
corpus's opinions are found to be denunciations.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from nlp.hints import DENUNCIATION, TriageRules, find_hints, load_triage
from nlp.text import fold
from nlp.types import Hints
from tests.benchmarks.load import read_texts

ROOT = Path(__file__).parents[2]
TEXTS = ROOT / "corpus" / "labelled" / "triage"
CHANNELS = ("phản ánh", "kiến nghị", "khiếu nại", "tố cáo", "hỏi đáp", "không rõ")
URGENCIES = ("life_safety", "time_bound", "normal")
ITEMS = ("place", "time", "body", "object")
Pairs = Sequence[tuple[Hints, Hints]]


def main(names: Sequence[str]) -> None:
    """Print one table for each file of texts."""
    rules = load_triage(ROOT / "corpus" / "registers")
    for name in names:
        _print(name, _pairs(name, rules=rules, change=str))
        if name != "held_out":
            _print(f"{name} without diacritics", _pairs(name, rules=rules, change=fold))
    texts = read_texts()
    n_found = sum(find_hints(text, rules=rules).channel == DENUNCIATION for text in texts)
    sys.stdout.write(f"\n{n_found} of the {len(texts)} opinions of the corpus: {DENUNCIATION}\n")


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
    main(sys.argv[1:] or ["development", "development_b", "held_out"])

"""What the rules at the door cost: milliseconds of one core for an opinion, rule by rule.

Run: python -m tests.benchmarks.door. Reads 3,000 opinions of the corpus; the best of three rounds counts.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from models.denunciation import load_score
from nlp.gazetteer import load_gazetteer
from nlp.hints import find_hints, load_triage
from nlp.places import find_mentions
from nlp.privacy import mask
from nlp.quality import profile
from nlp.reposts import Runs, find_buckets
from tests.benchmarks.load import read_texts

REGISTERS = Path(__file__).parents[2] / "corpus" / "registers"
_N_TEXTS = 3_000
_ROUNDS = 3


def main() -> None:
    """Print a line for each rule."""
    started = time.process_time()
    triage, gazetteer = load_triage(REGISTERS), load_gazetteer(REGISTERS)
    loading_s = time.process_time() - started
    every = read_texts()
    texts = every[:: len(every) // _N_TEXTS][:_N_TEXTS]
    rules: dict[str, Callable[[list[str]], object]] = {
        "masking": lambda some: [mask(text) for text in some],
        "triage": lambda some: [find_hints(text, rules=triage) for text in some],
        "score beside triage": load_score().find,
        "places and bodies": lambda some: [
            find_mentions(text, gazetteer=gazetteer) for text in some
        ],
        "way of writing": lambda some: [profile(text) for text in some],
        "re-posts": lambda some: find_buckets([Runs.of(text) for text in some]),
    }
    median = statistics.median(profile(text).n_syllables for text in texts)
    sys.stdout.write(
        f"{len(texts)} opinions, {median:.0f} syllables (median); loading {loading_s:.2f} s\n"
    )
    for name, rule in rules.items():
        best = min(_cost_ms(rule, texts) for _ in range(_ROUNDS))
        sys.stdout.write(f"{name:20} {best:.3f} ms\n")


def _cost_ms(rule: Callable[[list[str]], object], texts: list[str]) -> float:
    started = time.process_time()
    rule(texts)
    return (time.process_time() - started) / len(texts) * 1000


if __name__ == "__main__":
    main()

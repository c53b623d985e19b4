"""How well personal data is covered, on texts of our own with marks, and what masking does to the labels.

Run: python -m tests.benchmarks.masking [--write] [--errors] [--labels]. With `--write` the tables go into
`nlp/README.md`; `--errors` lists what leaked in the texts for development: the held-out ones are there to be
measured, not to be read; `--labels` reads opinions with the default model, masked and as they were written.

*Leaked* is the share of marked stretches of which any character but a blank stays uncovered, by whatever
kind: the figure that counts. *Recall* is the share of marked characters that are covered, *precision* that of
covered ones that are marked, *exact* that of marked stretches found with the very kind and borders.
"""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from models.corpus import Example, load_corpus
from nlp.pipeline import Pipeline, Request
from nlp.privacy import PersonalKind, find_personal_data, mask
from nlp.readers import from_text
from nlp.taxonomy import load_pack
from nlp.text import to_nfc
from nlp.types import Analysis, Span
from service.pipelines import build_pipeline
from service.settings import Settings
from tests.privacy_cases import HALVES, Case, load_cases

ROOT = Path(__file__).parents[2]
README = ROOT / "nlp" / "README.md"
BEGIN, END = "<!-- measured: masking -->", "<!-- end of masking -->"
KINDS: tuple[PersonalKind, ...] = get_args(PersonalKind)


@dataclass(slots=True)
class Tally:
    """Counts of one kind: stretches, and characters of what is marked and of what is found."""

    gold: int = 0
    leaked: int = 0
    exact: int = 0
    gold_chars: int = 0
    covered_chars: int = 0
    found_chars: int = 0
    right_chars: int = 0

    def row(self, name: str) -> str:
        """A line of the table."""
        shares = (
            (self.leaked, self.gold),
            (self.covered_chars, self.gold_chars),
            (self.right_chars, self.found_chars),
            (self.exact, self.gold),
        )
        cells = (f"{part / whole:.1%}" if whole else "-" for part, whole in shares)
        return f"| {name} | {self.gold} | {self.leaked} | {' | '.join(cells)} |"


def measure(cases: Sequence[Case]) -> tuple[dict[str, Tally], list[str]]:
    """The tallies by kind, and what leaked as lines to read."""
    tallies = {name: Tally() for name in (*KINDS, "all")}
    leaks = []
    for case in cases:
        found = set(find_personal_data(case.text))
        covered = _offsets(data.span for data in found)
        marked = _offsets(data.span for data in case.gold)
        for data in case.gold:
            own = _offsets([data.span])
            leaked = any(not case.text[i].isspace() for i in own - covered)
            for tally in (tallies[data.kind], tallies["all"]):
                tally.gold += 1
                tally.leaked += leaked
                tally.exact += data in found
                tally.gold_chars += len(own)
                tally.covered_chars += len(own & covered)
            if leaked:
                leaks.append(
                    f"{data.kind} {case.text[data.span.start : data.span.end]}: {case.text}"
                )
        for name in tallies:
            own = _offsets(data.span for data in found if name in (data.kind, "all"))
            tallies[name].found_chars += len(own)
            tallies[name].right_chars += len(own & marked)
    return tallies, leaks


def _offsets(spans: Iterable[Span]) -> set[int]:
    return {i for span in spans for i in range(span.start, span.end)}


def covering(texts: Sequence[str]) -> tuple[int, float, float]:
    """Stretches covered in texts, those per 1,000 syllables, and milliseconds for 40 syllables."""
    started = time.process_time()
    masked = [mask(text) for text in texts]
    spent_s = time.process_time() - started
    n_syllables = sum(len(text.split()) for text in texts)
    n_covered = sum(len("".join(c if c == "•" else " " for c in text).split()) for text in masked)
    return n_covered, 1000 * n_covered / n_syllables, 40_000 * spent_s / n_syllables


def changed_labels(texts: Sequence[str], *, pipeline: Pipeline) -> tuple[int, int, int]:
    """How many texts masking changes, and of how many the sentiment or the fields are then others."""
    pairs = [(text, mask(text)) for text in texts]
    pairs = [(text, masked) for text, masked in pairs if text != masked]
    plain = _analyses([text for text, _ in pairs], pipeline=pipeline)
    masked = _analyses([masked for _, masked in pairs], pipeline=pipeline)
    together = list(zip(plain, masked, strict=True))
    n_sentiment = sum(one.sentiment.label != other.sentiment.label for one, other in together)
    n_field = sum(
        [label.code for label in one.civic_field.labels]
        != [label.code for label in other.civic_field.labels]
        for one, other in together
    )
    return len(pairs), n_sentiment, n_field


def _analyses(texts: Sequence[str], *, pipeline: Pipeline) -> Sequence[Analysis]:
    requests = [Request(str(i), from_text(text), "opinion") for i, text in enumerate(texts)]
    return pipeline.analyze_all(requests)


def _tables(arguments: Sequence[str], *, corpus: Sequence[Example]) -> Iterator[str]:
    unmarked = []
    for half in HALVES:
        cases = load_cases(half)
        unmarked += [case.text for case in cases if not case.gold]
        tallies, leaks = measure(cases)
        n_without = sum(not case.gold for case in cases)
        yield f"**{half.replace('_', ' ')}**: {len(cases)} texts, {n_without} without a mark"
        yield ""
        yield "| kind | marked | leaked | leaked | recall | precision | exact |"
        yield "| --- | --- | --- | --- | --- | --- | --- |"
        yield from (tally.row(name) for name, tally in tallies.items())
        yield ""
        if half == "development" and "--errors" in arguments:
            sys.stderr.writelines(f"{leak}\n" for leak in leaks)
    groups = {
        "texts without a mark": unmarked,
        "opinions of the corpus": [example.text for example in corpus if example.kind == "opinion"],
        "official paragraphs of the corpus": [e.text for e in corpus if e.kind == "official"],
    }
    yield "| texts | number | covered stretches | per 1,000 syllables | ms for 40 syllables |"
    yield "| --- | --- | --- | --- | --- |"
    for name, texts in groups.items():
        n_covered, rate, spent_ms = covering(texts)
        yield f"| {name} | {len(texts)} | {n_covered} | {rate:.2f} | {spent_ms:.2f} |"
    if "--labels" in arguments:
        yield from _label_table(corpus)


def _label_table(corpus: Sequence[Example]) -> Iterator[str]:
    pipeline = build_pipeline(Settings())
    validation = [
        e.text for e in corpus if e.kind == "opinion" and e.split == "train" and e.fold == 0
    ]
    groups = {
        "opinions of the first fold of cross-validation": validation,
        "the marked texts, both halves": [
            case.text for half in HALVES for case in load_cases(half)
        ],
    }
    yield ""
    yield "| texts | number | changed by masking | other sentiment | other fields |"
    yield "| --- | --- | --- | --- | --- |"
    for name, texts in groups.items():
        n_changed, *others = changed_labels(texts, pipeline=pipeline)
        cells = (f"{n} ({n / len(texts):.2%})" for n in others)
        yield f"| {name} | {len(texts)} | {n_changed} | {' | '.join(cells)} |"


def main(arguments: Sequence[str]) -> None:
    """Measure both groups of texts and the corpus, and print the tables."""
    folder = ROOT / "corpus"
    pack = load_pack(folder / "taxonomies" / "ct07")
    corpus = load_corpus(folder / "labelled" / "ct07", taxonomy=pack)
    lines = list(_tables(arguments, corpus=corpus))
    sys.stdout.writelines(f"{line}\n" for line in lines)
    if "--write" in arguments:
        page = to_nfc(README.read_text(encoding="utf-8"))
        before, _, rest = page.partition(BEGIN)
        table = "\n".join(lines).rstrip()
        README.write_text(
            f"{before}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}", encoding="utf-8"
        )


if __name__ == "__main__":
    main(sys.argv[1:])

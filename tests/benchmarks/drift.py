"""How often drift is seen where there is none, and where there is: tables for `service/monitor/README.md`.

Run: python -m tests.benchmarks.drift [COMMENTS.jsonl]. The held-out opinions are parted at random: one half
is the reference, texts are drawn from the other, as they are or changed. COMMENTS (real ones, a `text` a
line) are left out where they are not at hand.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.corpus import Example, load_corpus
from models.heads import questions_of
from models.reference import STYLE, Reference, measure_reference
from models.registry import load_classifier
from models.robustness import CHANGES
from nlp.decide import decide
from nlp.privacy import mask
from nlp.protocols import Classifier
from nlp.quality import profile
from nlp.taxonomy import Taxonomy, load_pack
from service.monitor.drift import find_shifts, judge
from service.monitor.recent import Recent

ROOT = Path(__file__).parents[2]
SIZES, N_DRAWS, K = (200, 1000), 200, 10


@dataclass(frozen=True, slots=True)
class Counted:
    """Where each of some texts falls: by measure, the number of its bin or the name of its part."""

    bins: Mapping[str, Sequence[int]]
    decisions: Mapping[str, Sequence[str]]
    n: int


def main(comments: Path | None) -> None:
    """Print the table."""
    taxonomy = load_pack(ROOT / "corpus" / "taxonomies" / "ct07")
    corpus = load_corpus(ROOT / "corpus" / "labelled" / "ct07", taxonomy=taxonomy)
    held_out = [example for example in corpus if example.split == "test"]
    opinions = [example for example in held_out if example.kind == "opinion"]
    opinions = [opinions[i] for i in np.random.default_rng(0).permutation(len(opinions)).tolist()]
    known, others = opinions[::2], [example.text for example in opinions[1::2]]
    model = load_classifier("default", folder=ROOT / "models" / "artifacts")
    reference = measure_reference(model, known, taxonomy=taxonomy)
    lines = [
        "| texts | "
        + " | ".join(f"{n}: distrust / watch" for n in SIZES)
        + " | most shifted at 1000 |"
    ]
    lines.append("|---" * (len(SIZES) + 2) + "|")
    for name, texts in inputs(others, held_out=held_out, comments=comments).items():
        counted = count(texts, reference, model=model, taxonomy=taxonomy)
        found = [verdicts(counted, reference, n=n) for n in SIZES]
        cells = (f"{own['distrust'] / N_DRAWS:.0%} / {own['watch'] / N_DRAWS:.0%}" for own in found)
        lines.append(f"| {name} | {' | '.join(cells)} | {worst(counted, reference)} |")
    sys.stdout.write("\n".join(lines) + "\n")


def inputs(
    opinions: Sequence[str], *, held_out: Sequence[Example], comments: Path | None
) -> dict[str, list[str]]:
    """The kinds of texts to draw from."""
    bare, teen = CHANGES["no diacritics"], CHANGES["teencode"]
    found = {
        "as they are (false alarms)": list(opinions),
        "a tenth without diacritics": changed(opinions, bare, every=10),
        "a third without diacritics": changed(opinions, bare, every=3),
        "all without diacritics": changed(opinions, bare, every=1),
        "a third in teencode": changed(opinions, teen, every=3),
        "all in teencode": changed(opinions, teen, every=1),
        "paragraphs of official documents": [e.text for e in held_out if e.kind == "official"],
    }
    if comments is not None and comments.exists():
        lines = comments.read_text(encoding="utf-8").splitlines()
        found["real comments of readers"] = [json.loads(line)["text"] for line in lines]
    return found


def changed(texts: Sequence[str], change: Callable[[str], str], *, every: int) -> list[str]:
    return [change(text) if i % every == 0 else text for i, text in enumerate(texts)]


def count(
    texts: Sequence[str], reference: Reference, *, model: Classifier, taxonomy: Taxonomy
) -> Counted:
    """Where each text falls."""
    masked = [mask(text) for text in texts]
    styles = [profile(text) for text in masked]
    bins = {
        name: place([getattr(style, name) for style in styles], reference.style[name].edges)
        for name in STYLE
    }
    decisions: dict[str, Sequence[str]] = {}
    reading = model.read(masked)
    for question in questions_of(taxonomy):
        if question.facet not in reference.confidence or "opinion" not in question.kinds:
            continue
        code = (
            taxonomy.facets["civic_field"].reject_code if question.facet == "civic_field" else None
        )
        spec = model.heads[question.name]
        verdicts = decide(reading.probabilities(question.name), head=spec, reject_code=code)
        edges = reference.confidence[question.facet].edges
        bins[question.facet] = place([v.guess.probability for v in verdicts], edges)
        decisions[question.facet] = [v.decision for v in verdicts]
    return Counted(bins, decisions, len(texts))


def place(values: Sequence[float], edges: Sequence[float]) -> Sequence[int]:
    found: list[int] = np.searchsorted(np.array(edges), values, side="right").tolist()
    return found


def draw(counted: Counted, reference: Reference, *, n: int, seed: int) -> Recent:
    """Some texts drawn with replacement, counted as the store counts them."""
    rows = np.random.default_rng(seed).integers(counted.n, size=n).tolist()

    def histogram(name: str, n_bins: int) -> tuple[int, ...]:
        seen = Counter(counted.bins[name][row] for row in rows)
        return tuple(seen[i] for i in range(n_bins))

    return Recent(
        {name: histogram(name, len(reference.style[name].counts)) for name in STYLE},
        {facet: histogram(facet, len(own.counts)) for facet, own in reference.confidence.items()},
        {facet: Counter(own[row] for row in rows) for facet, own in counted.decisions.items()},
    )


def verdicts(counted: Counted, reference: Reference, *, n: int) -> Counter[str]:
    return Counter(
        judge(list(find_shifts(draw(counted, reference, n=n, seed=seed), reference, k=K)))
        for seed in range(N_DRAWS)
    )


def worst(counted: Counted, reference: Reference) -> str:
    """The measure with the largest PSI, in one draw of 1,000."""
    shifts = find_shifts(draw(counted, reference, n=1000, seed=0), reference, k=K)
    top = max(shifts, key=lambda shift: shift.psi or 0.0)
    return f"{top.of} {top.psi}"


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)

"""The default model on the half of the real texts that is for choosing; the other half stands in its card.

Run: python -m tests.benchmarks.real FOLDER (`make bench-real`). FOLDER holds opinions/reader_comments.jsonl,
govdocs/offices/*.md, govdocs/text/*.txt and the directive; what is not there is left out.
"""

import sys
from pathlib import Path

from models.evaluate import evaluate
from models.real import UNLABELLED_HEADS, find_texts, join_labels, real_split
from models.registry import load_classifier
from nlp.errors import CorpusError
from nlp.structure import load_registers
from nlp.taxonomy import load_pack

ROOT = Path(__file__).parents[2]
LABELS = ROOT / "corpus" / "labelled" / "real"
COLUMNS = ("n", "accuracy", "macro_f1", "micro_f1", "asserted_precision", "coverage", "ece")


def main(folder: Path) -> None:
    """Print one table: each head on all texts, and on those where two readings agree."""
    texts = list(
        find_texts(_files(folder), registers=load_registers(ROOT / "corpus" / "registers"))
    )
    try:
        examples = join_labels(LABELS, texts=texts)
        second = {e.sha256: e for e in join_labels(LABELS / "second", texts=texts)}
    except CorpusError:
        sys.stdout.write(f"no real text with a label at hand in {folder}, left out\n")
        return
    taxonomy = load_pack(ROOT / "corpus" / "taxonomies" / "ct07")
    model = load_classifier("default", folder=ROOT / "models" / "artifacts")
    chosen = [e for e in examples if real_split(e.sha256) == "train"]
    report = evaluate(model, chosen, taxonomy=taxonomy, second=second)
    lines = [" | ".join(("| head", "texts", *COLUMNS, "|")), "|---" * (len(COLUMNS) + 2) + "|"]
    for name, figures in report.items():
        if name not in UNLABELLED_HEADS:
            for of, own in (("all", figures), ("clear", figures.get("clear", {}))):
                lines.append(
                    f"| {name} | {of} | " + " | ".join(str(own.get(c)) for c in COLUMNS) + " |"
                )
    sys.stdout.write("\n".join(lines) + "\n")


def _files(folder: Path) -> list[Path]:
    patterns = (
        "opinions/reader_comments.jsonl",
        "govdocs/offices/*.md",
        "govdocs/text/*.txt",
        "*.md",
    )
    return [path for pattern in patterns for path in sorted(folder.glob(pattern))]


if __name__ == "__main__":
    main(Path(sys.argv[1]))

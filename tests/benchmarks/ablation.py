"""What each part of the recipe gives: the model without it, on the half of the real opinions for choosing.

Run: python -m tests.benchmarks.ablation COMMENTS (a .jsonl file with key `text`); some ten minutes. Prints
accuracy and macro-F1 of the raw scores, on all texts and on those where two readings agree.
"""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import f1_score

from models.agreement import is_clear
from models.corpus import Example, load_corpus, load_lexicon
from models.fitting import fit_weights, learn_vectorizer
from models.heads import Question, questions_of
from models.real import find_texts, join_labels, real_split
from models.recipe import HeadRecipe, Recipe, load_recipe
from nlp.structure import load_registers
from nlp.taxonomy import load_pack

ROOT = Path(__file__).parents[2]
LABELS = ROOT / "corpus" / "labelled" / "real"
HEADS = ("civic_field", "sentiment", "intent")


@dataclass(frozen=True, slots=True)
class Variant:
    """The recipe with something changed, and which of the texts it may learn from."""

    name: str
    change: Mapping[str, Any]  # fields of the recipe
    keeps: Callable[[Example], bool] = lambda example: True


VARIANTS = (
    Variant("the recipe", {}),
    Variant("without the lexicon", {"lexicon": None}),
    Variant("without naive Bayes", {"heads": {name: HeadRecipe(other=0.3) for name in HEADS}}),
    Variant("without plain texts", {}, lambda example: not example.plain),
    Variant("plain texts alone", {}, lambda example: example.plain),
    Variant("all texts alike", {"heads": {name: HeadRecipe(bayes=1.0) for name in HEADS}}),
    Variant("without characters", {"characters": ()}),
    Variant("without folded syllables", {"folded": ()}),
    Variant("without the opening", {"opening_tokens": 0}),
    Variant("without copies lacking diacritics", {"no_diacritics_weight": 0.001}),
    Variant("syllables up to threes", {"written": (1, 2, 3)}),
)


def main(comments: Path) -> None:
    """Print one line a variant and head."""
    taxonomy = load_pack(ROOT / "corpus" / "taxonomies" / "ct07")
    recipe = load_recipe(ROOT / "models" / "recipes" / "default.toml")
    texts = list(find_texts([comments], registers=load_registers(ROOT / "corpus" / "registers")))
    real = [e for e in join_labels(LABELS, texts=texts) if real_split(e.sha256) == "train"]
    second = {e.sha256: e for e in join_labels(LABELS / "second", texts=texts)}
    corpus = load_corpus(ROOT / recipe.corpus, taxonomy=taxonomy)
    training = [e for e in corpus if e.split == "train" and e.kind != "official"]
    lexicon = load_lexicon(ROOT / "corpus" / "lexicons" / "ct07", taxonomy=taxonomy)
    questions = {q.name: q for q in questions_of(taxonomy) if q.name in HEADS}
    sys.stdout.write(f"| variant | {' | '.join(f'{name}: all | clear' for name in HEADS)} |\n")
    sys.stdout.write("|---" * (1 + 2 * len(HEADS)) + "|\n")
    for variant in VARIANTS:
        examples = [example for example in training if variant.keeps(example)]
        changed = recipe.model_copy(update=dict(variant.change))
        terms = lexicon if changed.lexicon else {}
        figures = _measure(examples, real, second, questions=questions, terms=terms, recipe=changed)
        sys.stdout.write(f"| {variant.name} | {' | '.join(figures)} |\n")
        sys.stdout.flush()


def _measure(
    examples: Sequence[Example],
    real: Sequence[Example],
    second: Mapping[str, Example],
    *,
    questions: Mapping[str, Question],
    terms: Mapping[str, tuple[Example, ...]],
    recipe: Recipe,
) -> Iterator[str]:
    vectorizer = learn_vectorizer([*examples, *chain(*terms.values())], recipe=recipe)
    rows = vectorizer.read([example.text for example in real]).matrix
    for name in HEADS:
        question = questions[name]
        weights, bias = fit_weights(
            question,
            question.select(examples),
            terms=terms.get(name, ()),
            vectorizer=vectorizer,
            recipe=recipe,
        )
        best = (rows @ weights + bias).argmax(axis=1)
        hit = question.targets(real)[np.arange(len(real)), best]
        main_labels = question.main(real)
        clear = np.array(
            [e.sha256 in second and is_clear(question, e, second[e.sha256]) for e in real]
        )
        for chosen in (np.ones(len(real), dtype=bool), clear):
            macro = f1_score(main_labels[chosen], best[chosen], average="macro")
            yield f"{hit[chosen].mean():.3f} / {macro:.3f}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))

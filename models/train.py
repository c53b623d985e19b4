"""A recipe to an artifact: fit every head, calibrate on out-of-fold scores, choose thresholds, save.

Repeatable to the byte: the solver (dual coordinate descent, Hsieh et al. 2008) uses sums and products
only and a fixed seed; everything that passes through a logarithm or exponential is rounded.
"""

import hashlib
import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy import sparse
from sklearn.svm import LinearSVC

from models.calibration import (
    BoolArray,
    assert_threshold,
    fit_calibration,
    reject_threshold,
    second_threshold,
)
from models.card import write_card
from models.corpus import N_FOLDS, Example, load_corpus
from models.evaluate import evaluate, measure
from models.heads import Question, questions_of
from models.linear import Head, LinearClassifier, Vectorizer, Vocabulary
from models.registry import save_linear
from nlp.errors import CorpusError
from nlp.features import FeatureSpec, extract_ngrams
from nlp.protocols import FloatArray, HeadSpec
from nlp.taxonomy import load_pack
from nlp.text import fold

Report = Callable[[str], None]
_TOLERANCE = 0.03  # ten times faster than 0.001, with the same answers on real opinions
_SECOND_PRECISION = 0.75  # of a second label; it only adds to a first one that is surer


class Recipe(BaseModel):
    """A training recipe, `models/recipes/*.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str
    taxonomy: Path
    corpus: Path
    written: tuple[int, ...] = (1, 2)
    folded: tuple[int, ...] = (1, 2)
    characters: tuple[int, ...] = (4,)
    opening_tokens: int = 6
    min_texts: int = 2
    cost: float = 1.0
    no_diacritics_weight: float = 0.3
    precision: float = 0.9
    seed: int = 0
    sources: tuple[str, ...] = ()
    licence: str = ""

    @property
    def features(self) -> FeatureSpec:
        """Which n-grams the model reads."""
        return FeatureSpec(self.written, self.folded, self.characters, self.opening_tokens)


def load_recipe(path: Path) -> Recipe:
    """Read a recipe; relative paths in it count from the working folder.

    Raises:
        CorpusError: missing or malformed.
    """
    try:
        return Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CorpusError(f"{path}: no such recipe") from error
    except ValueError as error:  # bad UTF-8, bad TOML and bad values alike
        raise CorpusError(f"{path}: not a valid recipe: {str(error).splitlines()[0]}") from error


def train(path: Path, *, out: Path, report: Report) -> Path:
    """Train the recipe at `path` and write artifact and card under `out`.

    Returns:
        The folder of the artifact.

    Raises:
        CorpusError, TaxonomyError: the recipe, corpus or pack is inconsistent.
    """
    recipe = load_recipe(path)
    taxonomy = load_pack(recipe.taxonomy)
    examples = load_corpus(recipe.corpus, taxonomy=taxonomy)
    training = [example for example in examples if example.split == "train"]
    held_out = [example for example in examples if example.split == "test"]
    report(f"{len(training)} texts to learn from, {len(held_out)} held out")
    vectorizer = learn_vectorizer(training, recipe=recipe)
    report(f"{len(vectorizer.vocabulary.keys)} n-grams")
    heads, validation = {}, {}
    for question in questions_of(taxonomy):
        head, figures = fit_head(question, training, vectorizer=vectorizer, recipe=recipe)
        heads[question.name], validation[question.name] = head, figures
        report(f"{question.name}: macro-F1 {figures['macro_f1']:.3f}, ECE {figures['ece']:.3f}")
    model = LinearClassifier(
        name=recipe.name,
        version=recipe.version,
        sha256="",
        taxonomy=(taxonomy.name, taxonomy.version),
        vectorizer=vectorizer,
        linear_heads=heads,
    )
    facts = {
        "recipe": json.loads(recipe.model_dump_json()),
        "corpus_sha256": corpus_hash(examples),
        "n_training": len(training),
        "n_test": len(held_out),
    }
    saved = save_linear(model, folder=out, training=facts)
    folder = out / recipe.name / recipe.version
    write_card(
        folder,
        model=model,
        recipe=recipe.model_dump(),
        facts=facts,
        validation=validation,
        test=evaluate(saved, held_out, taxonomy=taxonomy),
    )
    return folder


def corpus_hash(examples: Sequence[Example]) -> str:
    """One SHA-256 over the texts and labels, whatever their order."""
    lines = sorted(
        json.dumps(
            [
                e.sha256,
                e.kind,
                e.task_area,
                e.tone,
                e.heading,
                e.civic_field,
                e.sentiment,
                e.intent,
            ],
            ensure_ascii=False,
        )
        for e in examples
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def learn_vectorizer(examples: Sequence[Example], *, recipe: Recipe) -> Vectorizer:
    """Learn which n-grams to keep, from the texts and their copies without diacritics."""
    texts = [example.text for example in examples]
    headings = [example.heading or "" for example in examples]
    ngrams = extract_ngrams(
        [*texts, *map(fold, texts)], recipe.features, contexts=[*headings, *map(fold, headings)]
    )
    # a text and its copy count once
    counted = replace(ngrams, n_texts=len(texts), rows=ngrams.rows % max(1, len(texts)))
    return Vectorizer(Vocabulary.learn(counted, min_texts=recipe.min_texts), spec=recipe.features)


def fit_head(
    question: Question, examples: Sequence[Example], *, vectorizer: Vectorizer, recipe: Recipe
) -> tuple[Head, dict[str, Any]]:
    """Fit one head, with calibration and thresholds from out-of-fold scores.

    Returns:
        The head, and its out-of-fold figures (`models.evaluate.measure`).
    """
    chosen = question.select(examples)
    if not chosen:
        raise CorpusError(f"no example for the head {question.name}")
    gold = question.targets(chosen)
    scores = out_of_fold_scores(question, chosen, recipe=recipe)
    slope, offset = fit_calibration(scores, gold, multi=question.multi)
    weights, bias = _fit(chosen, gold, vectorizer=vectorizer, recipe=recipe)
    draft = HeadSpec(question.name, question.labels, question.multi, (1.01,) * len(question.labels))
    probabilities = Head(draft, weights, bias, slope, offset).calibrate(scores)
    spec = _choose_thresholds(draft, probabilities, gold, precision=recipe.precision)
    return Head(spec, weights, bias, slope, offset), measure(probabilities, gold, spec=spec)


def _choose_thresholds(
    draft: HeadSpec, probabilities: FloatArray, gold: BoolArray, *, precision: float
) -> HeadSpec:
    """Complete a head's answers: what it asserts, rejects, and adds as a second label."""
    if draft.multi:
        at = _reachable_threshold(probabilities, gold, precision=precision)
        none = float(1 - gold.any(axis=1).mean())
        # where most texts have no label, saying so at once would be right too often to mean anything
        wanted = max(precision, 1 - (1 - none) / 4)
        below = reject_threshold(probabilities, gold, precision=wanted, below=at)
        return replace(draft, assert_at=(at,) * len(draft.labels), reject_below=below)
    best = probabilities.argmax(axis=1)
    hit = gold[np.arange(len(gold)), best]
    at = _reachable_threshold(probabilities.max(axis=1), hit, precision=precision)
    also = second_threshold(probabilities, gold, precision=_SECOND_PRECISION, assert_at=at)
    return replace(draft, assert_at=(at,) * len(draft.labels), also_at=also)


def _reachable_threshold(probabilities: FloatArray, gold: BoolArray, *, precision: float) -> float:
    """The threshold of the asked precision, or of 0.1 or 0.2 less where the head cannot reach it.

    The card says what each head reached.
    """
    steps = (precision, precision - 0.1, precision - 0.2)
    found = (assert_threshold(probabilities, gold, precision=step) for step in steps)
    return next((at for at in found if at <= 1), 1.01)


def out_of_fold_scores(
    question: Question, examples: Sequence[Example], *, recipe: Recipe
) -> FloatArray:
    """Scores of each example by a model that did not see its fold, shape (n_examples, n_labels)."""
    gold = question.targets(examples)
    folds = np.array([example.fold for example in examples])
    scores = np.zeros(gold.shape, dtype=np.float32)
    for i in range(N_FOLDS):
        inside, outside = np.flatnonzero(folds == i), np.flatnonzero(folds != i)
        if not len(inside) or not len(outside):
            continue
        seen = [examples[j] for j in outside.tolist()]
        vectorizer = learn_vectorizer(seen, recipe=recipe)
        weights, bias = _fit(seen, gold[outside], vectorizer=vectorizer, recipe=recipe)
        rows = vectorizer.read([examples[j].text for j in inside.tolist()])
        scores[inside] = rows.matrix @ weights + bias
    return scores


def _fit(
    examples: Sequence[Example], gold: BoolArray, *, vectorizer: Vectorizer, recipe: Recipe
) -> tuple[FloatArray, FloatArray]:
    """One linear separator a label, on the texts and their copies without diacritics and with headings."""
    texts = [example.text for example in examples]
    folded = [fold(text) for text in texts]
    parts: list[tuple[list[str], list[str] | None, float]] = [(texts, None, 1.0)]
    parts.append((folded, None, recipe.no_diacritics_weight))
    if any(example.heading for example in examples):
        # with and without its heading: at work a text comes either way
        parts.append((texts, [example.heading or "" for example in examples], 1.0))
    matrix = sparse.vstack(
        [vectorizer.read(own, contexts=contexts).matrix for own, contexts, _ in parts]
    ).tocsr()
    sample_weight = np.repeat([weight for _, _, weight in parts], len(texts))
    targets = np.vstack([gold] * len(parts))
    weights = np.zeros((matrix.shape[1], gold.shape[1]), dtype=np.float32)
    bias = np.full(gold.shape[1], -1.0, dtype=np.float32)
    # One after another: liblinear has one random generator a process, and threads would share it.
    for i in range(gold.shape[1]):
        if not gold[:, i].any() or gold[:, i].all():
            continue  # nothing to separate: the bias says "no"
        machine = LinearSVC(
            C=recipe.cost,
            class_weight="balanced",
            dual=True,
            random_state=recipe.seed,
            max_iter=5000,
            tol=_TOLERANCE,
        )
        machine.fit(matrix, targets[:, i], sample_weight=sample_weight)
        weights[:, i], bias[i] = machine.coef_[0], machine.intercept_[0]
    # stored as float16, so measured as float16
    return weights.astype(np.float16).astype(np.float32), bias

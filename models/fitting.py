"""How a head is fitted: features, separators and naive Bayes, out-of-fold scores, calibration, thresholds.

Repeatable to the byte: the solver (dual coordinate descent, Hsieh et al. 2008) uses sums and products
only and a fixed seed; everything that passes through a logarithm or exponential is rounded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from models.calibration import (
    BoolArray,
    assert_threshold,
    fit_calibration,
    fit_confidence,
    reject_threshold,
    second_threshold,
)
from models.corpus import N_FOLDS, Example, pack_terms
from models.evaluate import measure
from models.heads import Question
from models.linear import Head, Vectorizer, Vocabulary
from models.recipe import Recipe
from nlp.errors import CorpusError
from nlp.features import IntArray, extract_ngrams
from nlp.protocols import FloatArray, HeadSpec
from nlp.taxonomy import Taxonomy
from nlp.text import fold

_BAYES_ALPHA = 0.3
_MIN_PLAIN = 300  # texts; a calibration on fewer says little
_TOLERANCE = 0.03  # ten times faster than 0.001, with the same answers on real opinions
# A head learnt from a pack's words alone has nothing to be calibrated on. Measured once, with the labels of
# ct07 hidden from training: calibration of its official task areas, the threshold for a precision of 0.90,
# and the one under which "none" was right three times in four.
_UNLABELLED_SLOPE, _UNLABELLED_OFFSET = 10.7, 4.8
_UNLABELLED_ASSERT_AT, _UNLABELLED_REJECT_BELOW = 0.91, 0.186
_AS_IT_IS = np.array([1, 0], dtype=np.float32)  # a confidence that changes nothing
_SECOND_PRECISION = 0.75  # of a second label; it only adds to a first one that is surer


def learn_vectorizer(examples: Sequence[Example], *, recipe: Recipe) -> Vectorizer:
    """Learn which n-grams to keep, from the texts and their copies without diacritics."""
    texts = [example.text for example in examples]
    headings = [example.context for example in examples]
    ngrams = extract_ngrams(
        [*texts, *map(fold, texts)], recipe.features, contexts=[*headings, *map(fold, headings)]
    )
    # a text and its copy count once
    counted = replace(ngrams, n_texts=len(texts), rows=ngrams.rows % max(1, len(texts)))
    return Vectorizer(Vocabulary.learn(counted, min_texts=recipe.min_texts), spec=recipe.features)


def fold_vectorizers(
    examples: Sequence[Example], *, terms: Sequence[Example], recipe: Recipe
) -> tuple[Vectorizer, ...]:
    """For each fold what can be learnt from the others."""
    return tuple(
        learn_vectorizer([*(e for e in examples if e.fold != i), *terms], recipe=recipe)
        for i in range(N_FOLDS)
    )


def fit_head(
    question: Question,
    examples: Sequence[Example],
    *,
    terms: Sequence[Example] = (),
    vectorizer: Vectorizer,
    folds: Sequence[Vectorizer],
    recipe: Recipe,
) -> tuple[Head, dict[str, Any]]:
    """Fit one head, with calibration and thresholds from out-of-fold scores.

    `terms` are words of the lexicon with their labels: they teach, and are not measured. Unless the recipe
    says otherwise only plain texts are, as their mix of labels is the nearest to that of real ones.

    Returns:
        The head, and its out-of-fold figures (`models.evaluate.measure`).
    """
    chosen = question.select(examples)
    if not chosen:
        raise CorpusError(f"no example for the head {question.name}")
    scores = out_of_fold_scores(question, chosen, terms=terms, folds=folds, recipe=recipe)
    learnt = fit_weights(question, chosen, terms=terms, vectorizer=vectorizer, recipe=recipe)
    return calibrate_head(question, chosen, scores=scores, learnt=learnt, recipe=recipe)


def calibrate_head(
    question: Question,
    examples: Sequence[Example],
    *,
    scores: FloatArray,
    learnt: tuple[FloatArray, FloatArray],
    recipe: Recipe,
) -> tuple[Head, dict[str, Any]]:
    """Complete a head with calibration and thresholds, from scores of examples that it did not learn.

    Args:
        question: what the head answers.
        examples: of its kinds, and labelled for it.
        scores: float32, shape (n_examples, n_labels).
        learnt: its weights and bias.
        recipe: says which of the examples count.

    Returns:
        The head, and its figures on these examples (`models.evaluate.measure`).
    """
    on_plain = recipe.head(question.name).calibrated_on == "plain"
    measured = _plain_rows(examples) if on_plain else _whole_rows(examples)
    scores, gold = scores[measured], question.targets(examples)[measured]
    slope, offset = fit_calibration(scores, gold, multi=question.multi)
    draft = HeadSpec(question.name, question.labels, question.multi, (1.01,) * len(question.labels))
    head = Head(draft, *learnt, slope, offset, _AS_IT_IS)
    if not question.multi:
        head = replace(head, confidence=fit_confidence(head.calibrate(scores), gold))
    probabilities = head.calibrate(scores)
    spec = _choose_thresholds(draft, probabilities, gold, precision=recipe.precision)
    return replace(head, spec=spec), measure(probabilities, gold, spec=spec)


def _plain_rows(examples: Sequence[Example]) -> IntArray:
    """Rows of the plain texts and of those of no kind, or all where there are few plain ones."""
    plain = np.array([example.plain and example.facets is None for example in examples])
    if plain.sum() < _MIN_PLAIN:
        return _whole_rows(examples)
    return np.flatnonzero(plain | np.array([example.kind == "other" for example in examples]))


def _whole_rows(examples: Sequence[Example]) -> IntArray:
    """Rows that were labelled throughout.

    Corrections are not: people gave them where a model was unsure, so they are no sample of what comes in
    and would make every probability too low.
    """
    return np.flatnonzero([example.facets is None for example in examples])


def fit_unlabelled_head(
    question: Question, *, taxonomy: Taxonomy, vectorizer: Vectorizer, recipe: Recipe
) -> Head:
    """A head of task areas from the names, definitions and cues of the pack, without any labelled text."""
    terms = pack_terms(taxonomy, kind=question.kinds[0])  # type: ignore[arg-type] # official or opinion
    alone = recipe.model_copy(update={"lexicon_weight": 1.0})
    weights, bias = fit_weights(question, (), terms=terms, vectorizer=vectorizer, recipe=alone)
    n = len(question.labels)
    spec = HeadSpec(
        question.name,
        question.labels,
        multi=True,
        assert_at=(_UNLABELLED_ASSERT_AT,) * n,
        reject_below=_UNLABELLED_REJECT_BELOW,
    )
    slope = np.full(n, _UNLABELLED_SLOPE, dtype=np.float32)
    offset = np.full(n, _UNLABELLED_OFFSET, dtype=np.float32)
    return Head(spec, weights, bias, slope, offset, _AS_IT_IS)


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
    question: Question,
    examples: Sequence[Example],
    *,
    terms: Sequence[Example],
    folds: Sequence[Vectorizer],
    recipe: Recipe,
) -> FloatArray:
    """Scores of each example by a model that did not see its fold, shape (n_examples, n_labels)."""
    own = np.array([example.fold for example in examples])
    scores = np.zeros((len(examples), len(question.labels)), dtype=np.float32)
    for i, vectorizer in enumerate(folds):
        inside, outside = np.flatnonzero(own == i), np.flatnonzero(own != i)
        if not len(inside) or not len(outside):
            continue
        seen = [examples[j] for j in outside.tolist()]
        weights, bias = fit_weights(
            question, seen, terms=terms, vectorizer=vectorizer, recipe=recipe
        )
        rows = vectorizer.read(
            [examples[j].text for j in inside.tolist()],
            contexts=[examples[j].context for j in inside.tolist()],
        )
        scores[inside] = rows.matrix @ weights + bias
    return scores


def fit_weights(
    question: Question,
    examples: Sequence[Example],
    *,
    terms: Sequence[Example],
    vectorizer: Vectorizer,
    recipe: Recipe,
) -> tuple[FloatArray, FloatArray]:
    """One linear separator a label, on texts and terms, their copies without diacritics and with headings.

    Where the recipe says so, complement naive Bayes (Rennie et al. 2003) is added: it is linear too, and
    sure of rare words where the separators are not.
    """
    bare, particular = recipe.no_diacritics_weight, recipe.head(question.name)
    parts = []
    if examples:
        own = np.array(
            [particular.plain if e.plain else particular.other for e in examples], np.float32
        )
        parts = [_Part.of(examples, own), _Part.of(examples, own * bare, change=fold)]
        if any(example.heading for example in examples):
            # with and without its heading: at work a text comes either way
            parts.append(_Part.of(examples, own, with_heading=True))
    if terms:
        own = np.full(len(terms), recipe.lexicon_weight, np.float32)
        parts += [_Part.of(terms, own), _Part.of(terms, own * bare, change=fold)]
    matrix = sparse.vstack(
        [vectorizer.read(part.texts, contexts=part.contexts).matrix for part in parts]
    ).tocsr()
    sample_weight = np.concatenate([part.weights for part in parts])
    targets = np.vstack([question.targets(part.examples) for part in parts])
    weights, bias = _separators(matrix, targets, sample_weight=sample_weight, recipe=recipe)
    if not question.multi and particular.bayes:
        main = np.concatenate([question.main(part.examples) for part in parts])
        bayes = _bayes(matrix, main, sample_weight=sample_weight, n_labels=targets.shape[1])
        weights += particular.bayes * bayes
    # stored as float16, so measured as float16
    return weights.astype(np.float16).astype(np.float32), bias


def _bayes(
    matrix: sparse.csr_matrix, main: IntArray, *, sample_weight: FloatArray, n_labels: int
) -> FloatArray:
    """Weights of complement naive Bayes, centred over the labels; 0 for labels that nobody has."""
    model = ComplementNB(alpha=_BAYES_ALPHA).fit(matrix, main, sample_weight=sample_weight)
    weights = np.zeros((matrix.shape[1], n_labels), dtype=np.float32)
    found = model.feature_log_prob_.T
    # rounded so that different C libraries agree on every bit
    weights[:, model.classes_] = np.round(found - found.mean(axis=1, keepdims=True), 2)
    return weights


def _separators(
    matrix: sparse.csr_matrix, targets: BoolArray, *, sample_weight: FloatArray, recipe: Recipe
) -> tuple[FloatArray, FloatArray]:
    weights = np.zeros((matrix.shape[1], targets.shape[1]), dtype=np.float32)
    bias = np.full(targets.shape[1], -1.0, dtype=np.float32)
    # One after another: liblinear has one random generator a process, and threads would share it.
    for i in range(targets.shape[1]):
        if not targets[:, i].any() or targets[:, i].all():
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
    return weights, bias


@dataclass(frozen=True, slots=True)
class _Part:
    """Examples as one way of reading them: texts, contexts (None: none), and the weight of each."""

    examples: Sequence[Example]
    texts: list[str]
    contexts: list[str] | None
    weights: FloatArray

    @classmethod
    def of(
        cls,
        examples: Sequence[Example],
        weights: FloatArray,
        *,
        change: Callable[[str], str] = str,
        with_heading: bool = False,
    ) -> "_Part":
        texts = [change(example.text) for example in examples]
        contexts = [example.context for example in examples] if with_heading else None
        return cls(examples, texts, contexts, weights)

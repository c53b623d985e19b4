"""How a model over a checkpoint is fitted: fine-tuned on four folds, calibrated on the fifth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.corpus import Example
from models.encoded import Encoder, EncoderClassifier
from models.finetune import Report, Task, fine_tune
from models.fitting import calibrate_head
from models.heads import Question
from models.lessons import lessons_of
from models.linear import Head
from models.recipe import Recipe
from models.transformer import find_checkpoint, open_checkpoint
from nlp.errors import CorpusError
from nlp.protocols import FloatArray

_VALIDATION_FOLD = 0  # of five, by the hash of each text


@dataclass(frozen=True, slots=True)
class Fitted:
    """An encoder, its heads, the figures of each on validation, and how the run went (JSON values)."""

    encoder: Encoder
    heads: Mapping[str, Head]
    validation: dict[str, Any]
    run: dict[str, Any]


def fit_encoder(
    training: Sequence[Example],
    *,
    questions: Sequence[Question],
    terms: Mapping[str, Sequence[Example]],
    recipe: Recipe,
    work: Path,
    report: Report,
) -> Fitted:
    """Fine-tune the checkpoint of a recipe with every head; `work` keeps what a broken run needs.

    Raises:
        CorpusError: a head has no example to learn from or to be calibrated on.
        ArtifactError: the checkpoint cannot be used, or `work` is of another run.
    """
    wanted = recipe.encoder
    if wanted is None:
        raise CorpusError(f"{recipe.name}: the recipe names no encoder")
    learnt = [example for example in training if example.fold != _VALIDATION_FOLD]
    validation = [example for example in training if example.fold == _VALIDATION_FOLD]
    task = Task(
        lessons_of(learnt, questions=questions, terms=terms, recipe=recipe),
        lessons_of(validation, questions=questions, terms={}, recipe=recipe),
        {question.name: question.multi for question in questions},
        wanted,
        recipe.seed,
        work,
    )
    folder = find_checkpoint(wanted)
    encoder = open_checkpoint(folder, max_tokens=wanted.max_tokens, overlap=wanted.overlap)
    report(f"{len(learnt)} texts to learn from, {len(validation)} for validation")
    encoder, weights, progress = fine_tune(encoder, task, report=report)
    heads, figures = {}, {}
    for question in questions:
        chosen = question.select(validation)
        scores = _scores(encoder, chosen, learnt=weights[question.name])
        head, own = calibrate_head(
            question, chosen, scores=scores, learnt=weights[question.name], recipe=recipe
        )
        heads[question.name], figures[question.name] = head, own
        report(f"{question.name}: macro-F1 {own['macro_f1']:.3f}, ECE {own['ece']:.3f}")
    run = {
        "validation_losses": list(progress.losses),
        "best_epoch": progress.best_epoch,
        "n_steps": progress.step,
        "n_validation": len(validation),
    }
    return Fitted(encoder, heads, figures, run)


def _scores(
    encoder: Encoder, examples: Sequence[Example], *, learnt: tuple[FloatArray, FloatArray]
) -> FloatArray:
    """Raw scores of a head, each text under its heading, read as at work; shape (n_examples, n_labels)."""
    texts, contexts = [e.text for e in examples], [e.context for e in examples]
    reading = EncoderClassifier("", "", "", ("", ""), encoder, {}).read(texts, contexts=contexts)
    return reading.vectors @ learnt[0] + learnt[1]

"""A recipe to an artifact: learn from the corpus, measure, save, write the card; the same bytes each time."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from models.agreement import agreement
from models.candidates import Corrections, candidate_recipe, compare, split_corrections
from models.card import FIGURES, write_card
from models.corpus import Example, load_corpus, load_lexicon, load_second, load_sentiments
from models.encoded import EncoderClassifier
from models.evaluate import evaluate, measure, surest_errors
from models.faithfulness import faithfulness
from models.fitting import fit_head, fit_unlabelled_head, fold_vectorizers, learn_vectorizer
from models.heads import questions_of
from models.linear import Head, LinearClassifier, Vectorizer
from models.real import find_texts, join_labels, real_split
from models.recipe import Recipe, load_recipe
from models.reference import Reference, measure_reference, write_reference
from models.registry import (
    MANIFEST,
    ModelInfo,
    find_model,
    load_classifier,
    save_encoder,
    save_linear,
)
from models.robustness import robustness
from nlp.errors import ArtifactError, CorpusError
from nlp.protocols import Classifier
from nlp.structure import load_registers
from nlp.taxonomy import Taxonomy, load_pack

Report = Callable[[str], None]


def train(path: Path, *, out: Path, report: Report, corrections: Corrections | None = None) -> Path:
    """Train the recipe at `path` and write artifact and card under `out`.

    With `corrections` it is a candidate that learns from them too, under a version of its own.

    Returns:
        The folder of the artifact.

    Raises:
        CorpusError, TaxonomyError: the recipe, corpus or pack is inconsistent.
    """
    recipe = load_recipe(path)
    if corrections is not None:
        recipe = candidate_recipe(recipe, corrections, out=out)
    taxonomy = load_pack(recipe.taxonomy)
    examples = load_corpus(recipe.corpus, taxonomy=taxonomy, with_areas=recipe.labelled_areas)
    learnt, kept = _lessons(corrections, corpus=examples, report=report)
    training = [example for example in examples if example.split == "train"]
    training += [*_real_examples(recipe), *learnt]
    held_out = [example for example in examples if example.split == "test"]
    report(f"{len(training)} texts to learn from, {len(held_out)} held out")
    facts = {
        "recipe": json.loads(recipe.model_dump_json(exclude_defaults=True)),
        "corpus_sha256": corpus_hash(examples),
        "n_training": len(training),
        "n_test": len(held_out),
        **_said_of(corrections, n_learnt=len(learnt), n_held_out=len(kept)),
    }
    make = _make_linear if recipe.encoder is None else _make_encoder
    course = _Course(recipe, taxonomy, training, held_out, facts, out)
    saved, figures = make(course, report=report)
    folder = out / recipe.name / recipe.version
    figures |= measure_saved(saved, examples, recipe=recipe, taxonomy=taxonomy)
    if corrections is not None:
        parts = {
            "held-out tenth of the corpus": held_out,
            "held-out fifth of the corrections": kept,
        }
        figures["beside"] = compare(saved, corrections.standing, parts=parts, taxonomy=taxonomy)
    write_figures(folder, figures=figures)
    write_reference(measure_reference(saved, held_out, taxonomy=taxonomy), folder=folder)
    write_card(folder)
    return folder


@dataclass(frozen=True, slots=True)
class _Course:
    """What a model is made of, and where it goes."""

    recipe: Recipe
    taxonomy: Taxonomy
    training: Sequence[Example]
    held_out: Sequence[Example]
    facts: dict[str, Any]  # JSON values for the manifest
    out: Path


def _make_linear(course: _Course, *, report: Report) -> tuple[Classifier, dict[str, Any]]:
    """Fit and save a linear model; and its figures that do not come from the held-out texts."""
    recipe, taxonomy = course.recipe, course.taxonomy
    terms = _terms(recipe, taxonomy=taxonomy)
    vectorizer = learn_vectorizer([*course.training, *chain(*terms.values())], recipe=recipe)
    report(f"{len(vectorizer.vocabulary.keys)} n-grams")
    heads, validation = _fit_heads(
        course.training,
        terms=terms,
        vectorizer=vectorizer,
        recipe=recipe,
        taxonomy=taxonomy,
        report=report,
    )
    model = LinearClassifier(
        name=recipe.name,
        version=recipe.version,
        sha256="",
        taxonomy=(taxonomy.name, taxonomy.version),
        vectorizer=vectorizer,
        linear_heads=heads,
    )
    saved = save_linear(model, folder=course.out, training=course.facts)
    without = _without_labels(
        course.held_out, taxonomy=taxonomy, vectorizer=vectorizer, recipe=recipe
    )
    n_columns = len(vectorizer.vocabulary.keys)
    return saved, {"n_columns": n_columns, "validation": validation, "without_labels": without}


def _make_encoder(course: _Course, *, report: Report) -> tuple[Classifier, dict[str, Any]]:
    """Fine-tune and save a model over a checkpoint; goes on where a broken run stopped."""
    try:
        from models.encoder_fitting import fit_encoder
    except ImportError as error:
        raise ArtifactError("this recipe needs torch; pip install 'danvan[transformer]'") from error
    recipe, taxonomy = course.recipe, course.taxonomy
    work = course.out / recipe.name / f"{recipe.version}.training"
    fitted = fit_encoder(
        course.training,
        questions=questions_of(taxonomy),
        terms=_terms(recipe, taxonomy=taxonomy),
        recipe=recipe,
        work=work,
        report=report,
    )
    pack = (taxonomy.name, taxonomy.version)
    model = EncoderClassifier(recipe.name, recipe.version, "", pack, fitted.encoder, fitted.heads)
    facts = course.facts | {"run": fitted.run}
    saved = save_encoder(model, folder=course.out, training=facts)
    shutil.rmtree(work)
    return saved, {"validation": fitted.validation}


def measure_saved(
    saved: Classifier, examples: Sequence[Example], *, recipe: Recipe, taxonomy: Taxonomy
) -> dict[str, Any]:
    """The figures of a model on the held-out tenth of its corpus: JSON values."""
    held_out = [example for example in examples if example.split == "test"]
    second = load_second(recipe.corpus / "second", examples=examples, taxonomy=taxonomy)
    return {
        "test": evaluate(saved, held_out, taxonomy=taxonomy, second=second),
        "agreement": agreement(examples, second, taxonomy=taxonomy),
        "robustness": robustness(saved, held_out, taxonomy=taxonomy),
        "evidence": faithfulness(saved, held_out, taxonomy=taxonomy),
        "failures": surest_errors(saved, held_out, taxonomy=taxonomy),
    }


def write_figures(folder: Path, *, figures: dict[str, Any]) -> None:
    """Write `figures.json` beside an artifact."""
    text = json.dumps(figures, ensure_ascii=False, indent=1) + "\n"
    (folder / FIGURES).write_text(text, encoding="utf-8")


def renew_reference(name: str, *, folder: Path) -> tuple[Path, Reference]:
    """Measure a model that is there on the opinions that it did not learn, and write its card again.

    Returns:
        The file, and what stands in it.

    Raises:
        ArtifactError: no such model, or its manifest does not say what it was made of.
        CorpusError: the corpus is not the one that it learnt from, so some of its texts may have been learnt.
    """
    info = find_model(name, folder=folder)
    _, taxonomy, examples = made_of(info)
    held_out = [example for example in examples if example.split == "test"]
    model = load_classifier(f"{info.name}@{info.version}", folder=folder)
    reference = measure_reference(model, held_out, taxonomy=taxonomy)
    path = write_reference(reference, folder=info.folder)
    write_card(info.folder)
    return path, reference


def made_of(info: ModelInfo) -> tuple[Recipe, Taxonomy, tuple[Example, ...]]:
    """The recipe, pack and corpus that an artifact was made of.

    Raises:
        ArtifactError: its manifest does not say what it was made of.
        CorpusError: the corpus is not the one that it learnt from, so some of its texts may have been learnt.
    """
    made_of = json.loads((info.folder / MANIFEST).read_bytes())["training"]
    if "recipe" not in made_of:
        raise ArtifactError(f"{info.folder}: the manifest names no recipe; train the model again")
    recipe = Recipe.model_validate(made_of["recipe"])
    taxonomy = load_pack(recipe.taxonomy)
    examples = load_corpus(recipe.corpus, taxonomy=taxonomy, with_areas=recipe.labelled_areas)
    if corpus_hash(examples) != made_of["corpus_sha256"]:
        raise CorpusError(
            f"{recipe.corpus}: not the corpus that {info.name} {info.version} learnt from; train it again"
        )
    return recipe, taxonomy, examples


def _fit_heads(
    training: Sequence[Example],
    *,
    terms: Mapping[str, tuple[Example, ...]],
    vectorizer: Vectorizer,
    recipe: Recipe,
    taxonomy: Taxonomy,
    report: Report,
) -> tuple[dict[str, Head], dict[str, Any]]:
    """Every head of the model, and the figures of the cross-validation."""
    folds = fold_vectorizers(training, terms=tuple(chain(*terms.values())), recipe=recipe)
    heads, validation = {}, {}
    for question in questions_of(taxonomy):
        if question.multi and not recipe.labelled_areas:
            heads[question.name] = fit_unlabelled_head(
                question, taxonomy=taxonomy, vectorizer=vectorizer, recipe=recipe
            )
            report(f"{question.name}: from the words of the pack")
            continue
        head, figures = fit_head(
            question,
            training,
            terms=terms.get(question.name, ()),
            vectorizer=vectorizer,
            folds=folds,
            recipe=recipe,
        )
        heads[question.name], validation[question.name] = head, figures
        report(f"{question.name}: macro-F1 {figures['macro_f1']:.3f}, ECE {figures['ece']:.3f}")
    return heads, validation


def _lessons(
    corrections: Corrections | None, *, corpus: Sequence[Example], report: Report
) -> tuple[list[Example], list[Example]]:
    """The corrections to learn from and those held out; none without corrections."""
    if corrections is None:
        return [], []
    learnt, kept = split_corrections(corrections, corpus=corpus)
    report(f"corrections: {len(learnt)} texts to learn from, {len(kept)} held out")
    for reason, n_left in corrections.left_out.items():
        report(f"corrections left out: {n_left} {reason}")
    return learnt, kept


def _said_of(corrections: Corrections | None, *, n_learnt: int, n_held_out: int) -> dict[str, Any]:
    """What the manifest says of corrections: JSON values, counts alone."""
    if corrections is None:
        return {}
    counts = {"n_learnt": n_learnt, "n_held_out": n_held_out, "number": corrections.number}
    return {"corrections": counts | {"left_out": dict(corrections.left_out)}}


def _real_examples(recipe: Recipe) -> list[Example]:
    """The half of the real texts that is for choosing, as plain ones; only research recipes name them."""
    if recipe.real is None:
        return []
    texts = find_texts(recipe.real_texts, registers=load_registers(recipe.registers))
    try:
        found = join_labels(recipe.real, texts=texts)
    except OSError as error:
        raise CorpusError(f"{error.filename}: not at hand; this recipe needs it") from error
    return [replace(e, plain=True) for e in found if real_split(e.sha256) == "train"]


def _terms(recipe: Recipe, *, taxonomy: Taxonomy) -> dict[str, tuple[Example, ...]]:
    """What teaches a head beside the corpus: the lexicon, and tables of other people's texts."""
    terms = load_lexicon(recipe.lexicon, taxonomy=taxonomy) if recipe.lexicon else {}
    tables = [
        load_sentiments(table.path, text=table.text, label=table.label, labels=table.labels)
        for table in recipe.sentiment_tables
    ]
    return (
        terms | {"sentiment": (*terms.get("sentiment", ()), *chain(*tables))} if tables else terms
    )


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


def _without_labels(
    examples: Sequence[Example],
    *,
    taxonomy: Taxonomy,
    vectorizer: Vectorizer,
    recipe: Recipe,
) -> dict[str, Any]:
    """The figures that the words of the pack alone would reach on the held-out texts."""
    report = {}
    for question in questions_of(taxonomy):
        chosen = question.select(examples)
        if question.multi and chosen:
            head = fit_unlabelled_head(
                question, taxonomy=taxonomy, vectorizer=vectorizer, recipe=recipe
            )
            rows = vectorizer.read(
                [example.text for example in chosen],
                contexts=[example.context for example in chosen],
            )
            probabilities = head.calibrate(head.scores(rows.matrix))
            report[question.name] = measure(probabilities, question.targets(chosen), spec=head.spec)
    return report

"""The card of an artifact: what it learnt from, what it can do, figure by figure, and what it must not.

Everything in it is read from files: `manifest.json` and `figures.json` beside it, and the figures on real
texts that the recipe names, so that the card can be written again without training.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.reference import read_reference
from models.registry import MANIFEST, REFERENCE, WEIGHTS
from nlp.errors import ArtifactError

FIGURES = "figures.json"
CARD = "card.md"
Figures = Mapping[str, Any]

_USES = """## Meant for
Sorting official documents and citizens' opinions for people who then read and decide. Every label comes
with its words, its probability and the versions that made it.

## Not meant for
Judging, ranking or tracking persons, whether citizens or officials; decisions without a person; texts
that are neither official documents nor opinions; languages other than Vietnamese."""
_HOW = """## How to read the figures
Accuracy and F1 are of the best label, whatever the decision; of task areas, which are independent, F1 counts
every label from 0.5 on. Asserted labels have passed the threshold, which was chosen on the cross-validation
for a precision of 0.90 where the head can reach it; coverage is the share of texts with one, and coverage
at 0.90 that of the surest best labels, as many as are right nine times in ten on these very texts. ECE is
the expected calibration error. *Clear* texts are those that two blind readings gave the same label; the
readers were of one make and quick, so their agreement is an upper bound. No text measured on was learnt
from. How often the real texts of the card were looked at, and what followed, stands in `models/README.md`."""
_ON_FOLDS = "the cross-validation"
_COLUMNS = ("n", "accuracy", "macro_f1", "micro_f1", "asserted_precision", "coverage", "ece")
_COLUMNS_BESIDE = ("accuracy", "macro_f1", "asserted_precision", "coverage", "ece")
# What the product is held to on real texts: head, key, on clear texts, wanted first and in the end.
_ASKED = (
    ("sentiment, macro-F1", "sentiment", "macro_f1", True, "0.70", "0.85"),
    ("civic field, accuracy", "civic_field", "accuracy", True, "0.70", "0.88"),
    (
        "task areas of official segments, micro-F1",
        "task_area_official",
        "micro_f1",
        True,
        "0.65",
        "0.85",
    ),
    ("the same for the areas above them", "task_area_official", "parents", True, "0.80", "0.92"),
    ("tone, macro-F1", "tone", "macro_f1", True, "0.75", "0.90"),
)


def record(folder: Path, *, report: Mapping[str, Any]) -> Path:
    """Keep figures on real texts where the recipe of the artifact wants them, and write the card again.

    Returns:
        The file of the figures.

    Raises:
        ArtifactError: the recipe names no such file.
    """
    data, manifest = _manifest(folder)
    wanted = manifest["training"].get("recipe", {}).get("measured")
    if not wanted:
        raise ArtifactError(f"{folder}: its recipe names no file for such figures (`measured`)")
    path = Path(wanted)
    kept = {"model_sha256": hashlib.sha256(data).hexdigest(), **report}
    path.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    write_card(folder)
    return path


def write_card(folder: Path) -> Path:
    """Write `card.md` into the folder of an artifact."""
    data, manifest = _manifest(folder)
    figures = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
    real = _real_figures(manifest, sha256=hashlib.sha256(data).hexdigest())
    training = manifest["training"]
    parts = [
        f"# {manifest['name']} {manifest['version']}",
        "Generated; do not edit.",
        "\n".join(
            [
                f"- taxonomy: {' '.join(manifest['taxonomy'])}",
                *_made_how(manifest, figures=figures, folder=folder),
                f"- texts: {training['n_training']:,} to learn from, {training['n_test']:,} held out by hash",
                f"- corpus SHA-256: {training['corpus_sha256']}",
                f"- sources: {'; '.join(training['recipe'].get('sources', ['not said']))}",
                f"- licence: {training['recipe'].get('licence', 'not said')}",
                f"- compared with: {_compared_with(folder)}",
            ]
        ),
        _USES,
        _HOW if _is_linear(manifest) else _HOW.replace(_ON_FOLDS, "that fifth"),
        *_beside(training.get("corrections"), figures.get("beside", {})),
        *_real_parts(real),
        "## On texts written for this project\nThey are easier than real ones.",
        _summary(_validation_title(manifest), figures["validation"]),
        _summary("Held-out tenth", figures["test"]),
        _without_labels(figures.get("without_labels")),
        _moved(figures.get("exported")),
        _agreement("Two blind readings of a tenth of the texts", figures["agreement"]),
        _robustness("The held-out tenth, changed", figures["robustness"]),
        _evidence("Evidence on the held-out tenth", figures["evidence"]),
        _failures(figures["failures"]),
        *(
            _by_label(name, own, of="cross-validation" if _is_linear(manifest) else "validation")
            for name, own in figures["validation"].items()
        ),
    ]
    path = folder / CARD
    path.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of each head (`models.evaluate.measure`), on real texts or on our held-out tenth."""

    heads: Figures
    are_real: bool = False


def read_figures(folder: Path) -> Measured:
    """What is known of how good an artifact is, on real texts where it was measured on them; else no heads.

    Raises:
        ArtifactError: they cannot be read.
    """
    try:
        data, manifest = _manifest(folder)
        if "recipe" not in manifest["training"]:
            return Measured({})
        real = _real_figures(manifest, sha256=hashlib.sha256(data).hexdigest())
        if real:
            return Measured(real["heads"], are_real=True)
        return Measured(json.loads((folder / FIGURES).read_text(encoding="utf-8"))["test"])
    except (OSError, ValueError, KeyError) as error:
        raise ArtifactError(
            f"{folder}: the figures cannot be read; train the model again"
        ) from error


def _manifest(folder: Path) -> tuple[bytes, dict[str, Any]]:
    data = (folder / MANIFEST).read_bytes()
    return data, json.loads(data)


def _real_figures(manifest: Mapping[str, Any], *, sha256: str) -> Figures:
    """The figures on real texts, if they are of this very model."""
    path = manifest["training"]["recipe"].get("measured")
    if path is None or not Path(path).exists():
        return {}
    figures = json.loads(Path(path).read_text(encoding="utf-8"))
    return figures if figures["model_sha256"] == sha256 else {}


def _is_linear(manifest: Mapping[str, Any]) -> bool:
    return "windows" not in manifest


def _made_how(manifest: Mapping[str, Any], *, figures: Figures, folder: Path) -> Iterable[str]:
    """What reads the texts: n-grams, or a checkpoint."""
    if _is_linear(manifest):
        yield f"- features: {_listed(manifest['features'])}"
        yield f"- n-grams known: {figures['n_columns']:,}; {_megabytes(folder / WEIGHTS):.1f} MB"
        return
    size = sum(_megabytes(folder / name) for name in manifest["files"])
    training = manifest["training"]
    wanted = training["recipe"]["encoder"]
    source = wanted.get("hub") or Path(wanted["checkpoint"]).name
    yield f"- checkpoint: {source}, run as {manifest['backend']}"
    yield f"- reads: {_listed(manifest['windows'])}; {size:.1f} MB"
    if "run" in training:
        yield f"- fine-tuned: {_listed(training['run'])}"
    if "exported" in training:
        yield f"- exported: {_listed(training['exported'])}"


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in values.items())


def _validation_title(manifest: Mapping[str, Any]) -> str:
    if _is_linear(manifest):
        return "Cross-validation on the training texts (5 folds)"
    return "A fifth of the training texts, kept for validation, calibration and thresholds"


def _without_labels(report: Mapping[str, Figures] | None) -> str:
    title = "Held-out tenth, task areas from the words of the pack alone"
    return _summary(title, report) if report is not None else ""


def _moved(report: Mapping[str, Figures] | None) -> str:
    """How far an export moved the answers of its model."""
    if report is None:
        return ""
    rows = ((name, own["same"], own["mean"], own["largest"]) for name, own in report.items())
    columns = ("head", "same best label", "mean change of a probability", "largest")
    return _table("### Held-out tenth: this export beside its model", columns, rows)


def _compared_with(folder: Path) -> str:
    """What later texts and counts of answers are compared with."""
    reference = read_reference(folder)
    if reference is None:
        return "nothing yet; `danvan reference` makes it"
    return f"its answers to the {reference.n:,} opinions held out (`{REFERENCE}`)"


def _megabytes(path: Path) -> float:
    return path.stat().st_size / 1e6


def _real_parts(real: Figures) -> Iterable[str]:
    if not real:
        yield "## On real texts\nNot measured for these weights: `danvan evaluate --record` does it."
        return
    heads = real["heads"]
    yield (
        "## On real texts\nReaders' comments and paragraphs of documents that nobody here wrote; the half"
        " kept for this card."
    )
    rows = [
        (
            what,
            _value(heads, head, key, clear=True),
            _value(heads, head, key, clear=False),
            step,
            goal,
        )
        for what, head, key, _, step, goal in _ASKED
    ]
    bare = real["robustness"]["no diacritics"]
    rows += [
        (f"same {head} without diacritics", "", bare[head]["same"], "0.85", "0.95")
        for head in ("civic_field", "sentiment", "tone", "task_area_official")
    ]
    rows += [
        (f"ECE, {head}", _value(heads, head, "ece", clear=True), heads[head]["ece"], "0.08", "0.03")
        for head in ("civic_field", "sentiment", "tone", "task_area_official")
    ]
    rows += [
        (
            f"coverage at a precision of 0.90, {head}",
            _value(heads, head, "coverage_at_90", clear=True),
            heads[head]["coverage_at_90"],
            "0.50",
            "0.80",
        )
        for head in ("civic_field", "sentiment", "tone")
    ]
    rows += [
        (
            f"precision of asserted labels and coverage, {head}",
            " at ".join(
                str(_value(heads, head, key, clear=True))
                for key in ("asserted_precision", "coverage")
            ),
            f"{heads[head]['asserted_precision']} at {heads[head]['coverage']}",
            "",
            "",
        )
        for head in ("civic_field", "sentiment", "tone")
    ]
    yield _table("### What is asked of it", ("", "clear texts", "all texts", "step", "goal"), rows)
    yield _summary("All real texts", heads)
    yield _summary(
        "Clear real texts", {n: own["clear"] for n, own in heads.items() if "clear" in own}
    )
    yield _agreement("Two blind readings of the real texts", real["agreement"])
    yield _robustness("The real texts, changed", real["robustness"])
    yield _evidence("Evidence on the real texts", real["evidence"])
    yield f"Finding the evidence takes {real['evidence_cost']:.0%} of the time of classifying."
    yield from (_by_label(name, own, of="real texts") for name, own in heads.items())


def _beside(counts: Figures | None, report: Mapping[str, Mapping[str, Figures]]) -> Iterable[str]:
    """What a candidate learnt from corrections, and its figures beside those of the model that stood then."""
    if counts is None:
        return
    left = "".join(f" Left out: {n} {reason}." for reason, n in counts["left_out"].items())
    yield (
        f"## A candidate with corrections\nLearnt from {counts['n_learnt']} texts that people corrected, up"
        f" to correction {counts['number']}; {counts['n_held_out']} are held out by hash.{left} A text"
        " teaches what was corrected of it and nothing else. Corrections are given where a model was unsure:"
        " figures on them are no estimate for all texts, and on fewer than a hundred they say little. Nothing"
        " but a person puts a candidate in the place of the model that stands.\n\n"
        "What it keeps of these texts are weights of n-grams that stand in two texts or more, under 32-bit"
        " hashes. No text can be read out of them, but whoever has the file can ask whether it is likely to"
        " know a certain pair of syllables."
    )
    for part, heads in report.items():
        rows = []
        for head, own in heads.items():
            pairs = _pairs(own["standing"] or {}, own["candidate"])
            rows.append((head, own["candidate"]["n"], *pairs))
        columns = ("head", "n", *(c.replace("_", " ") for c in _COLUMNS_BESIDE))
        yield _table(
            f"### {part.capitalize()}: the model that stood / the candidate", columns, rows
        )


def _pairs(old: Figures, new: Figures) -> Iterable[str]:
    return (f"{old.get(column, '–')} / {new[column]}" for column in _COLUMNS_BESIDE)


def _value(heads: Figures, head: str, key: str, *, clear: bool) -> Any:
    """A figure of a head as it stands in the report; `Any`: JSON, shown as it is."""
    own = heads[head].get("clear", {}) if clear else heads[head]
    return own.get(key, "")


def _table(title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    columns = tuple(columns)
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in (columns, *rows)]
    return "\n".join([title, lines[0], "|---" * len(columns) + "|", *lines[1:]])


def _summary(title: str, report: Mapping[str, Figures]) -> str:
    rows = ((name, *(own[column] for column in _COLUMNS)) for name, own in report.items())
    return _table(f"### {title}", ("head", *(c.replace("_", " ") for c in _COLUMNS)), rows)


def _agreement(title: str, report: Mapping[str, Figures]) -> str:
    rows = ((name, own["n"], own["same"], own["alpha"]) for name, own in report.items())
    return (
        _table(f"### {title}", ("head", "n", "same answer", "Krippendorff's alpha"), rows)
        if report
        else ""
    )


def _robustness(title: str, report: Mapping[str, Mapping[str, Figures]]) -> str:
    heads = tuple(next(iter(report.values())))
    rows = (
        (change, *(f"{own[head]['same']} / {own[head]['accuracy']}" for head in heads))
        for change, own in report.items()
    )
    return _table(f"### {title}: same labels as before / accuracy", ("change", *heads), rows)


def _evidence(title: str, report: Mapping[str, Figures]) -> str:
    rows = (
        (name, own["n"], own["drop"], own["random_drop"], own["more"])
        for name, own in report.items()
    )
    columns = (
        "head",
        "n",
        "probability lost without it",
        "without as many random words",
        "share where it weighs more",
    )
    return _table(f"### {title}", columns, rows)


def _failures(failures: Mapping[str, list[list[Any]]]) -> str:
    """The surest wrong answers about the held-out texts of this project."""
    rows = (
        (
            head,
            text.replace("|", "/").replace("\n", " "),
            " ".join(gold) or "none",
            said,
            probability,
        )
        for head, own in failures.items()
        for text, gold, said, probability in own
    )
    columns = ("head", "text", "is", "answer", "probability")
    return _table(
        "### Known failures: the surest wrong answers about the held-out tenth", columns, rows
    )


def _by_label(name: str, figures: Figures, *, of: str) -> str:
    rows = (
        (label, row["precision"], row["recall"], row["f1"], row["support"])
        for label, row in figures["labels"].items()
    )
    return _table(
        f"### {name} by label ({of})", ("label", "precision", "recall", "F1", "texts"), rows
    )

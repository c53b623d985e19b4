"""A fine-tuned model as an artifact that onnxruntime runs, in full or with weights of 8 bits."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.card import FIGURES, write_card
from models.corpus import Example
from models.encoded import EncoderClassifier
from models.heads import questions_of
from models.reference import measure_reference, write_reference
from models.registry import MANIFEST, find_model, load_classifier, save_encoder
from models.train import Report, made_of, measure_saved, write_figures
from nlp.errors import ArtifactError
from nlp.protocols import Classifier
from nlp.taxonomy import Taxonomy

if TYPE_CHECKING:
    from models.onnx import OnnxEncoder


def export_onnx(name: str, *, folder: Path, int8: bool, report: Report) -> Path:
    """Export a model under the name `NAME-onnx`, or `NAME-int8`, and measure it anew.

    Calibration and thresholds are those of the model; the card shows how far the answers moved.

    Returns:
        The folder of the new artifact.

    Raises:
        ArtifactError: no such model, or one that torch does not run, or the export needs what is absent.
        CorpusError: the corpus is not the one that it learnt from.
    """
    info = find_model(name, folder=folder)
    recipe, taxonomy, examples = made_of(info)
    source = load_classifier(f"{info.name}@{info.version}", folder=folder)
    if not isinstance(source, EncoderClassifier):
        raise ArtifactError(f"{info.name} is linear; only a fine-tuned checkpoint can be exported")
    weights = "int8" if int8 else "float32"
    report(f"exporting {info.name} {info.version}, weights {weights}")
    try:
        encoder = _to_onnx(source, int8=int8)
    except ImportError as error:
        raise ArtifactError("exporting needs pip install 'danvan[transformer]'") from error
    made = replace(source, name=f"{info.name}-{'int8' if int8 else 'onnx'}", encoder=encoder)
    manifest = json.loads((info.folder / MANIFEST).read_bytes())
    of = {"from": f"{info.name} {info.version}", "sha256": info.sha256, "weights": weights}
    saved = save_encoder(made, folder=folder, training=manifest["training"] | {"exported": of})
    target = folder / saved.name / saved.version
    held_out = [example for example in examples if example.split == "test"]
    figures = {
        "validation": _figures(info.folder)["validation"],
        "exported": _compare(source, saved, held_out, taxonomy=taxonomy),
        **measure_saved(saved, examples, recipe=recipe, taxonomy=taxonomy),
    }
    for head, own in figures["exported"].items():
        report(f"{head}: same answer {own['same']:.3f}, moved by {own['mean']:.4f}")
    write_figures(target, figures=figures)
    write_reference(measure_reference(saved, held_out, taxonomy=taxonomy), folder=target)
    write_card(target)
    return target


def _to_onnx(source: EncoderClassifier, *, int8: bool) -> "OnnxEncoder":
    from models.onnx import OnnxEncoder, quantise
    from models.transformer import TorchEncoder, export_graph

    if not isinstance(source.encoder, TorchEncoder):
        raise ArtifactError(f"{source.name}: only a fine-tuned checkpoint can be exported")
    graph = export_graph(source.encoder)
    return OnnxEncoder.of(quantise(graph) if int8 else graph, windows=source.encoder.windows)


def _figures(folder: Path) -> dict[str, Any]:
    """What was measured of an artifact: JSON values."""
    try:
        found = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{folder / FIGURES}: cannot be read; train the model again") from error
    return dict(found)


def _compare(
    before: Classifier, after: Classifier, examples: Sequence[Example], *, taxonomy: Taxonomy
) -> dict[str, dict[str, float]]:
    """How far probabilities moved, and the share of texts with the same best label."""
    report = {}
    for question in questions_of(taxonomy):
        chosen = question.select(examples)
        if not chosen:
            continue
        texts, contexts = [e.text for e in chosen], [e.context for e in chosen]
        old, new = (
            model.read(texts, contexts=contexts).probabilities(question.name)
            for model in (before, after)
        )
        moved = np.abs(new - old)
        report[question.name] = {
            "same": round(float((new.argmax(axis=1) == old.argmax(axis=1)).mean()), 3),
            "mean": round(float(moved.mean()), 5),
            "largest": round(float(moved.max()), 5),
        }
    return report

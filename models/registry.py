"""Model artifacts on disk: `<name>/<version>/` with `manifest.json`, `model.safetensors`, `card.md`.

Weights are never unpickled; their SHA-256 stands in the manifest and is checked before they are read.
The hash of the manifest names the model.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.linear import Head, LinearClassifier, Vectorizer, Vocabulary
from nlp.errors import ArtifactError
from nlp.features import FeatureSpec
from nlp.protocols import Classifier, HeadSpec

_FORMAT = 1
MANIFEST = "manifest.json"
WEIGHTS = "model.safetensors"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a manifest says about an artifact."""

    name: str
    version: str
    sha256: str
    taxonomy: str
    taxonomy_version: str
    folder: Path


def list_models(folder: Path) -> tuple[ModelInfo, ...]:
    """Every artifact under `folder`, by name and version (oldest first)."""
    found = [_info(path.parent) for path in folder.glob(f"*/*/{MANIFEST}")]
    return tuple(sorted(found, key=lambda info: (info.name, _version_key(info.version))))


def load_classifier(name: str, *, folder: Path) -> Classifier:
    """Load an artifact by `name` (its newest version) or `name@version`.

    Raises:
        ArtifactError: no such artifact, or its files do not match the manifest.
    """
    wanted, _, version = name.partition("@")
    places = [path.parent for path in folder.glob(f"*/*/{MANIFEST}")]
    found = [
        place for place in places if place.parent.name == wanted and version in {"", place.name}
    ]
    if not found:
        known = ", ".join(sorted(f"{place.parent.name}@{place.name}" for place in places))
        raise ArtifactError(f"no model {name!r} in {folder}; there are: {known or 'none'}")
    newest = max(found, key=lambda place: _version_key(place.name))
    try:
        return _load_linear(_info(newest))
    except (KeyError, TypeError, ValueError, SafetensorError) as error:
        raise ArtifactError(
            f"{newest}: the manifest and the weights do not fit together; train the model again"
        ) from error


def save_linear(
    model: LinearClassifier, *, folder: Path, training: dict[str, Any]
) -> LinearClassifier:
    """Write an artifact; the same model gives the same bytes. Answers it as loaded from disk.

    `training` (any JSON values) is kept in the manifest: recipe, corpus hash, sources, licences.
    Weights are stored as float16, the rest as float32.
    """
    tensors = {
        "vocabulary.keys": model.vectorizer.vocabulary.keys,
        "vocabulary.idf": model.vectorizer.vocabulary.idf,
        "vocabulary.blocks": model.vectorizer.vocabulary.blocks,
    }
    for name, head in model.linear_heads.items():
        tensors[f"{name}.weights"] = head.weights.astype(np.float16)
        tensors |= {
            f"{name}.{part}": getattr(head, part).astype(np.float32)
            for part in ("bias", "slope", "offset")
        }
    # safetensors silently corrupts arrays in Fortran order
    weights = save({key: np.ascontiguousarray(tensor) for key, tensor in tensors.items()})
    manifest = {
        "format": _FORMAT,
        "name": model.name,
        "version": model.version,
        "taxonomy": list(model.taxonomy),
        "features": asdict(model.vectorizer.spec),
        "heads": [asdict(head.spec) for head in model.linear_heads.values()],
        "files": {WEIGHTS: hashlib.sha256(weights).hexdigest()},
        "training": training,
    }
    target = folder / model.name / model.version
    target.mkdir(parents=True, exist_ok=True)
    (target / WEIGHTS).write_bytes(weights)
    text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (target / MANIFEST).write_text(text, encoding="utf-8")
    return _load_linear(_info(target))


def _info(folder: Path) -> ModelInfo:
    data, manifest = _read_manifest(folder)
    pack, version = manifest["taxonomy"]
    return ModelInfo(
        name=manifest["name"],
        version=manifest["version"],
        sha256=hashlib.sha256(data).hexdigest(),
        taxonomy=pack,
        taxonomy_version=version,
        folder=folder,
    )


def _read_manifest(folder: Path) -> tuple[bytes, dict[str, Any]]:
    """The bytes of a manifest and its values. `Any`: it is JSON; `_FORMAT` says which."""
    path = folder / MANIFEST
    try:
        data = path.read_bytes()
        manifest = json.loads(data)
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path}: cannot be read; train or fetch the model again") from error
    if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT:
        raise ArtifactError(f"{path}: not a manifest of format {_FORMAT}; train the model again")
    return data, manifest


def _load_linear(info: ModelInfo) -> LinearClassifier:
    _, manifest = _read_manifest(info.folder)
    path = info.folder / WEIGHTS
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read; train or fetch the model again") from error
    if hashlib.sha256(data).hexdigest() != manifest["files"][WEIGHTS]:
        raise ArtifactError(f"{path}: its SHA-256 is not that of the manifest; fetch it again")
    tensors = load(data)
    features: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in manifest["features"].items()
    }
    vocabulary = Vocabulary(*(tensors[f"vocabulary.{part}"] for part in ("keys", "idf", "blocks")))
    return LinearClassifier(
        name=info.name,
        version=info.version,
        sha256=info.sha256,
        taxonomy=(info.taxonomy, info.taxonomy_version),
        vectorizer=Vectorizer(vocabulary, spec=FeatureSpec(**features)),
        linear_heads={spec["name"]: _head(spec, tensors=tensors) for spec in manifest["heads"]},
    )


def _head(spec: dict[str, Any], *, tensors: dict[str, Any]) -> Head:
    """Put a head together from its entry in the manifest and its tensors (numpy arrays)."""
    name = spec["name"]
    return Head(
        spec=HeadSpec(
            name=name,
            labels=tuple(spec["labels"]),
            multi=spec["multi"],
            assert_at=tuple(spec["assert_at"]),
            reject_below=spec["reject_below"],
        ),
        weights=np.ascontiguousarray(tensors[f"{name}.weights"], dtype=np.float32),
        bias=tensors[f"{name}.bias"],
        slope=tensors[f"{name}.slope"],
        offset=tensors[f"{name}.offset"],
    )


def _version_key(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))

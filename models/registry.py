"""Model artifacts on disk: `<name>/<version>/` with `manifest.json`, `model.safetensors`, `card.md`.

A model over an encoder has its checkpoint in `encoder/` as well, for torch or for onnxruntime.

Weights are never unpickled; their SHA-256 stands in the manifest and is checked before they are read.
The hash of the manifest names the model.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.encoded import Encoder, EncoderClassifier, WindowSpec
from models.linear import Head, LinearClassifier, Vectorizer, Vocabulary
from nlp.errors import ArtifactError
from nlp.features import FeatureSpec
from nlp.protocols import Classifier, HeadSpec

_FORMAT = 2
MANIFEST = "manifest.json"
WEIGHTS = "model.safetensors"
REFERENCE = "reference.json"  # what is measured of it afterwards, as the card
ENCODER = "encoder"
CANDIDATE = "+"  # parts the version of a recipe from what its candidate learnt besides
_LINEAR = "linear"
_VOCABULARY = ("keys", "idf", "blocks")
_CALIBRATION = ("bias", "slope", "offset", "confidence")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a manifest says about an artifact."""

    name: str
    version: str
    sha256: str
    taxonomy: str
    taxonomy_version: str
    folder: Path

    @property
    def is_candidate(self) -> bool:
        """Whether it answers to its version alone, as it learnt more than its recipe names."""
        return CANDIDATE in self.version


def list_models(folder: Path) -> tuple[ModelInfo, ...]:
    """Every artifact under `folder`, by name and version (oldest first)."""
    found = [_info(path.parent) for path in folder.glob(f"*/*/{MANIFEST}")]
    return tuple(sorted(found, key=lambda info: (info.name, _version_key(info.version))))


def load_classifier(name: str, *, folder: Path) -> Classifier:
    """Load an artifact by `name` (its newest version) or `name@version`.

    Raises:
        ArtifactError: no such artifact, or its files do not match the manifest.
    """
    info = find_model(name, folder=folder)
    try:
        return _load(info)
    except (KeyError, TypeError, ValueError, SafetensorError) as error:
        raise ArtifactError(
            f"{info.folder}: the manifest and the weights do not fit together; train the model again"
        ) from error


def find_model(name: str, *, folder: Path) -> ModelInfo:
    """The artifact called `name` (its newest version) or `name@version`.

    A candidate, such as `0.3.0+corrections.41`, answers to its version alone: it takes over nothing by
    lying in the folder.

    Raises:
        ArtifactError: no such artifact.
    """
    wanted, _, version = name.partition("@")
    places = [path.parent for path in folder.glob(f"*/*/{MANIFEST}")]
    found = [
        place
        for place in places
        if place.parent.name == wanted
        and (place.name == version if version else CANDIDATE not in place.name)
    ]
    if not found:
        known = ", ".join(sorted(f"{place.parent.name}@{place.name}" for place in places))
        raise ArtifactError(f"no model {name!r} in {folder}; there are: {known or 'none'}")
    return _info(max(found, key=lambda place: _version_key(place.name)))


def save_linear(model: LinearClassifier, *, folder: Path, training: dict[str, Any]) -> Classifier:
    """Write an artifact; the same model gives the same bytes. Answers it as loaded from disk.

    `training` (any JSON values) is kept in the manifest: recipe, corpus hash, sources, licences.
    Weights are stored as float16, the rest as float32.
    """
    vocabulary = model.vectorizer.vocabulary
    tensors = {f"vocabulary.{part}": getattr(vocabulary, part) for part in _VOCABULARY}
    tensors |= _head_tensors(model.linear_heads, dtype=np.float16)
    target = folder / model.name / model.version
    target.mkdir(parents=True, exist_ok=True)
    (target / WEIGHTS).write_bytes(_to_safetensors(tensors))
    facts = {"features": asdict(model.vectorizer.spec), "training": training}
    return _write_manifest(target, model=model, backend=_LINEAR, facts=facts)


def save_encoder(
    model: EncoderClassifier, *, folder: Path, training: dict[str, Any]
) -> EncoderClassifier:
    """Write an artifact over an encoder, whose checkpoint goes into `encoder/`; answers it as loaded."""
    target = folder / model.name / model.version
    shutil.rmtree(target / ENCODER, ignore_errors=True)  # nothing of an earlier one may stay
    (target / ENCODER).mkdir(parents=True)
    model.encoder.save(target / ENCODER)
    tensors = _head_tensors(model.encoder_heads, dtype=np.float32)
    (target / WEIGHTS).write_bytes(_to_safetensors(tensors))
    facts = {"windows": asdict(model.encoder.spec), "training": training}
    backend = model.encoder.backend
    saved = _write_manifest(target, model=model, backend=backend, facts=facts)
    if not isinstance(saved, EncoderClassifier):
        raise ArtifactError(f"{target}: {backend} is no backend of encoders")
    return saved


def _head_tensors(heads: Mapping[str, Head], *, dtype: type) -> dict[str, Any]:
    """The arrays of each head by name, weights in `dtype`, the rest float32."""
    tensors: dict[str, Any] = {
        f"{name}.weights": head.weights.astype(dtype) for name, head in heads.items()
    }
    for name, head in heads.items():
        for part in _CALIBRATION:
            tensors[f"{name}.{part}"] = getattr(head, part).astype(np.float32)
    return tensors


def _to_safetensors(tensors: dict[str, Any]) -> bytes:
    # safetensors silently corrupts arrays in Fortran order
    return save({key: np.ascontiguousarray(tensor) for key, tensor in tensors.items()})


def _write_manifest(
    target: Path, *, model: Classifier, backend: str, facts: dict[str, Any]
) -> Classifier:
    files = sorted(path for path in target.rglob("*") if path.is_file())
    manifest = {
        "format": _FORMAT,
        "backend": backend,
        "name": model.name,
        "version": model.version,
        "taxonomy": list(model.taxonomy),
        "heads": [asdict(spec) for spec in model.heads.values()],
        "files": {
            path.relative_to(target).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
            if path.name not in {MANIFEST, REFERENCE, "card.md", "figures.json"}
        },
        **facts,
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (target / MANIFEST).write_text(text, encoding="utf-8")
    return _load(_info(target))


def _info(folder: Path) -> ModelInfo:
    data, manifest = _read_manifest(folder)
    try:
        pack, version = manifest["taxonomy"]
        return ModelInfo(
            name=manifest["name"],
            version=manifest["version"],
            sha256=hashlib.sha256(data).hexdigest(),
            taxonomy=pack,
            taxonomy_version=version,
            folder=folder,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(
            f"{folder}: the manifest lacks its name, version or taxonomy; train it again"
        ) from error


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


def _load(info: ModelInfo) -> Classifier:
    _, manifest = _read_manifest(info.folder)
    tensors = load(_checked(info.folder, hashes=manifest["files"]))
    heads = {spec["name"]: _head(spec, tensors=tensors) for spec in manifest["heads"]}
    common = (info.name, info.version, info.sha256, (info.taxonomy, info.taxonomy_version))
    if manifest["backend"] == _LINEAR:
        vocabulary = Vocabulary(*(tensors[f"vocabulary.{part}"] for part in _VOCABULARY))
        spec = FeatureSpec.of(manifest["features"])
        return LinearClassifier(*common, Vectorizer(vocabulary, spec=spec), heads)
    spec_of_windows = WindowSpec(**manifest["windows"])
    encoder = _load_encoder(manifest["backend"], info.folder / ENCODER, spec=spec_of_windows)
    return EncoderClassifier(*common, encoder, heads)


def _load_encoder(backend: str, folder: Path, *, spec: WindowSpec) -> Encoder:
    """Run a checkpoint by what its manifest names; what that needs is imported here and nowhere sooner."""
    try:
        if backend == "onnx":
            from models.onnx import OnnxEncoder

            return OnnxEncoder.load(folder, spec=spec)
        if backend == "transformer":
            from models.transformer import TorchEncoder

            return TorchEncoder.load(folder, spec=spec)
    except ImportError as error:
        raise ArtifactError(
            f"{folder.parent} is a {backend} model; pip install 'danvan[{backend}]'"
        ) from error
    raise ArtifactError(f"{folder.parent}: no backend {backend!r} here; a newer danvan made it")


def _checked(folder: Path, *, hashes: Mapping[str, str]) -> bytes:
    """The bytes of the weights, after every file was held against the manifest."""
    parts = {path.relative_to(folder).as_posix() for path in (folder / ENCODER).rglob("*.*")}
    if not {WEIGHTS, *parts} <= hashes.keys():
        raise ArtifactError(f"{folder}: the manifest does not vouch for every file; fetch it again")
    weights = b""
    for name, expected in hashes.items():
        path = folder / name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ArtifactError(
                f"{path}: cannot be read; train or fetch the model again"
            ) from error
        if hashlib.sha256(data).hexdigest() != expected:
            raise ArtifactError(f"{path}: its SHA-256 is not that of the manifest; fetch it again")
        weights = data if name == WEIGHTS else weights
    return weights


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
            also_at=spec["also_at"],
        ),
        weights=np.ascontiguousarray(tensors[f"{name}.weights"], dtype=np.float32),
        **{part: tensors[f"{name}.{part}"] for part in _CALIBRATION},
    )


def _version_key(version: str) -> tuple[tuple[int, ...], ...]:
    """Versions in their order; a candidate comes after the version it was made of."""
    return tuple(
        tuple(int(part) if part.isdecimal() else 0 for part in own.split("."))
        for own in version.split(CANDIDATE)
    )

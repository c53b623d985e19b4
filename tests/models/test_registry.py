"""What was saved is loaded to the bit; what was touched is refused."""

import json
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.linear import LinearClassifier
from models.registry import MANIFEST, WEIGHTS, list_models, load_classifier, save_linear
from nlp.errors import ArtifactError

TEXTS = ["Đường ổ gà, bực quá!", "Rà soát thủ tục hành chính.", ""]


@pytest.fixture
def models(tiny_models: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may spoil."""
    return Path(shutil.copytree(tiny_models, tmp_path / "models"))


def in_tiny(folder: Path, name: str) -> Path:
    return folder / "tiny" / "0.0.1" / name


def spoil_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = in_tiny(folder, MANIFEST)
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def test_a_saved_model_answers_as_before(tiny_classifier: LinearClassifier, tmp_path: Path) -> None:
    saved = save_linear(tiny_classifier, folder=tmp_path, training={})

    loaded = load_classifier("tiny", folder=tmp_path)

    assert saved.sha256 == loaded.sha256
    for name in tiny_classifier.heads:
        expected = tiny_classifier.read(TEXTS).probabilities(name)
        assert (loaded.read(TEXTS).probabilities(name) == expected).all()
    assert loaded.heads == tiny_classifier.heads


def test_the_same_model_gives_the_same_bytes(
    tiny_classifier: LinearClassifier, tmp_path: Path
) -> None:
    for folder in ("a", "b"):
        save_linear(tiny_classifier, folder=tmp_path / folder, training={"seed": 1})

    for name in (MANIFEST, WEIGHTS):
        one, other = (in_tiny(tmp_path / folder, name).read_bytes() for folder in ("a", "b"))
        assert one == other


def test_arrays_in_column_order_are_saved_as_they_are(
    tiny_classifier: LinearClassifier, tmp_path: Path
) -> None:
    head = tiny_classifier.linear_heads["sentiment"]
    turned = replace(head, weights=np.asfortranarray(head.weights))
    model = replace(tiny_classifier, linear_heads={"sentiment": turned})

    saved = save_linear(model, folder=tmp_path, training={})

    assert isinstance(saved, LinearClassifier)
    assert not turned.weights.flags.c_contiguous
    np.testing.assert_array_equal(saved.linear_heads["sentiment"].weights, head.weights)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_flipped_bit_of_the_weights_is_found(models: Path, place: float, bit: int) -> None:
    path = in_tiny(models, WEIGHTS)
    good = path.read_bytes()
    spoilt = bytearray(good)
    spoilt[int(place * len(good))] ^= 1 << bit
    path.write_bytes(spoilt)

    with pytest.raises(ArtifactError, match="SHA-256"):
        load_classifier("tiny", folder=models)

    path.write_bytes(good)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_a_changed_byte_of_the_manifest_is_refused_or_changes_the_hash(
    models: Path, tiny_classifier: LinearClassifier, place: float, byte: int
) -> None:
    path = in_tiny(models, MANIFEST)
    good = path.read_bytes()
    spoilt = bytearray(good)
    spoilt[int(place * len(good))] = byte
    path.write_bytes(spoilt)

    try:
        loaded = load_classifier("tiny", folder=models)
    except ArtifactError:
        loaded = None
    finally:
        path.write_bytes(good)

    assert (loaded is not None and loaded.sha256 == tiny_classifier.sha256) == (spoilt == good)


@pytest.mark.parametrize("name", [MANIFEST, WEIGHTS])
def test_a_missing_file_is_named(models: Path, name: str) -> None:
    in_tiny(models, name).unlink()

    with pytest.raises(ArtifactError, match=r"no model 'tiny'|cannot be read"):
        load_classifier("tiny", folder=models)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b'{"format": 99}'])
def test_a_manifest_of_another_kind_is_refused(models: Path, content: bytes) -> None:
    in_tiny(models, MANIFEST).write_bytes(content)

    with pytest.raises(ArtifactError, match=r"manifest"):
        load_classifier("tiny", folder=models)


def without(*keys: str) -> Callable[[dict[str, Any]], object]:
    """A change that takes a key, or a key of a key, away."""

    def change(manifest: dict[str, Any]) -> object:
        for key in keys[:-1]:
            manifest = manifest[key]
        return manifest.pop(keys[-1])

    return change


@pytest.mark.parametrize(
    "change",
    [
        without("heads"),
        without("files"),
        without("features"),
        without("taxonomy"),
        without("name"),
        without("files", WEIGHTS),
        lambda manifest: manifest["heads"][0].update(name="another"),
        lambda manifest: manifest.update(taxonomy="ct07"),
    ],
)
def test_a_manifest_that_lacks_something_is_refused(
    models: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    spoil_manifest(models, change)

    with pytest.raises(ArtifactError):
        load_classifier("tiny", folder=models)


def test_pickled_weights_are_never_opened(models: Path) -> None:
    in_tiny(models, WEIGHTS).write_bytes(pickle.dumps({"a": 1}))

    with pytest.raises(ArtifactError, match="SHA-256"):
        load_classifier("tiny", folder=models)


def test_the_newest_version_is_taken_by_number_and_any_by_name(
    tiny_classifier: LinearClassifier, tmp_path: Path
) -> None:
    for version in ("0.9.0", "0.10.0"):
        save_linear(replace(tiny_classifier, version=version), folder=tmp_path, training={})

    assert load_classifier("tiny", folder=tmp_path).version == "0.10.0"
    assert load_classifier("tiny@0.9.0", folder=tmp_path).version == "0.9.0"
    assert [info.version for info in list_models(tmp_path)] == ["0.9.0", "0.10.0"]


@pytest.mark.parametrize("name", ["other", "tiny@9.9.9", "", "*", "../tiny", "/etc", "tiny@"])
def test_a_model_that_is_not_there_is_named_with_those_that_are(
    tiny_models: Path, name: str
) -> None:
    if name == "tiny@":
        assert load_classifier(name, folder=tiny_models).version == "0.0.1"
        return

    with pytest.raises(ArtifactError, match=r"there are: tiny@0\.0\.1"):
        load_classifier(name, folder=tiny_models)


def test_a_folder_without_models_is_empty(tmp_path: Path) -> None:
    assert list_models(tmp_path / "nowhere") == ()
    with pytest.raises(ArtifactError, match="there are: none"):
        load_classifier("tiny", folder=tmp_path)


def test_a_broken_model_does_not_hide_a_good_one(models: Path) -> None:
    broken = models / "broken" / "0.0.1"
    broken.mkdir(parents=True)
    (broken / MANIFEST).write_bytes(b"{")

    assert load_classifier("tiny", folder=models).name == "tiny"

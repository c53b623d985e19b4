"""Checkpoints laid out as the hub does: opened, run, saved as a model; what is wrong is said."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the transformer extra is not installed")

import huggingface_hub.constants  # noqa: E402
from safetensors.numpy import load_file, save_file  # noqa: E402
from transformers import GPT2Config, GPT2Model  # noqa: E402

from models.encoded import EncoderClassifier  # noqa: E402
from models.linear import Head  # noqa: E402
from models.recipe import EncoderRecipe  # noqa: E402
from models.registry import MANIFEST, load_classifier, save_encoder  # noqa: E402
from models.transformer import TorchEncoder, find_checkpoint, open_checkpoint  # noqa: E402
from nlp.errors import ArtifactError  # noqa: E402
from nlp.evidence import pick_evidence  # noqa: E402
from nlp.protocols import HeadSpec  # noqa: E402
from tests.models.checkpoints import KINDS, write_checkpoint  # noqa: E402

pytestmark = pytest.mark.transformer

TEXTS = ("Đường sá ổ gà", "", "cán bộ nhiệt tình, không hách dịch.", "rác thải " * 400)


def a_head(name: str, labels: tuple[str, ...], *, multi: bool, size: int = 32) -> Head:
    rng = np.random.default_rng(len(name))
    n = len(labels)
    return Head(
        HeadSpec(name, labels, multi, (0.5,) * n),
        weights=rng.normal(size=(size, n)).astype(np.float32),
        bias=np.zeros(n, dtype=np.float32),
        slope=np.ones(n, dtype=np.float32),
        offset=np.zeros(n, dtype=np.float32),
        confidence=np.array([1, 0], dtype=np.float32),
    )


@pytest.fixture(scope="module", params=sorted(KINDS))
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(request.param, tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def encoder(checkpoint: Path) -> TorchEncoder:
    return open_checkpoint(checkpoint, max_tokens=64, overlap=8)


@pytest.fixture(scope="module")
def artifacts(encoder: TorchEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifacts")
    heads = {
        "tone": a_head("tone", ("directive", "other"), multi=False),
        "civic_field": a_head("civic_field", ("LV02", "LV03", "LV00"), multi=True),
    }
    model = EncoderClassifier("tiny", "0.0.1", "", ("ct07", "1.0.0"), encoder, heads)
    save_encoder(model, folder=folder, training={})
    return folder


@pytest.fixture(scope="module")
def classifier(artifacts: Path) -> EncoderClassifier:
    found = load_classifier("tiny", folder=artifacts)
    assert isinstance(found, EncoderClassifier)
    return found


def test_a_saved_checkpoint_embeds_as_before(
    encoder: TorchEncoder, classifier: EncoderClassifier
) -> None:
    windows = [window for text in TEXTS for window in encoder.cut(text).windows]

    assert (classifier.encoder.embed(windows) == encoder.embed(windows)).all()
    assert classifier.encoder.spec == encoder.spec


def test_the_end_of_a_long_text_counts(classifier: EncoderClassifier) -> None:
    long = "rác thải " * 400

    without, within = classifier.read([long, long + "cán bộ hách dịch quá"]).vectors

    assert not np.allclose(without, within, atol=1e-6)


def test_the_vector_of_a_long_text_is_the_mean_of_its_windows(
    classifier: EncoderClassifier,
) -> None:
    cut = classifier.encoder.cut(TEXTS[3])
    sizes = np.array([window.n for window in cut.windows])

    [vector] = classifier.read([TEXTS[3]]).vectors

    assert len(cut.windows) > 5
    states = classifier.encoder.embed(cut.windows)
    np.testing.assert_allclose(vector, sizes @ states / sizes.sum(), atol=1e-5)


def test_a_context_changes_the_answer_and_is_never_evidence(
    classifier: EncoderClassifier,
) -> None:
    without = classifier.read(["rác thải"], contexts=[""])
    within = classifier.read(["rác thải"], contexts=["đường sá"])

    spans = within.attribute([(0, "LV02")], head="civic_field")

    assert not np.allclose(without.probabilities("tone"), within.probabilities("tone"))
    assert spans.ends.max() <= len("rác thải")


def test_evidence_lies_on_tokens_of_the_text(classifier: EncoderClassifier) -> None:
    reading = classifier.read(TEXTS)

    attribution = reading.attribute([(0, "LV03"), (1, "LV03"), (2, "LV02")], head="civic_field")

    assert attribution.n_questions == 3
    assert set(attribution.questions.tolist()) == {0, 2}
    assert len(pick_evidence(attribution)) == 3


def test_a_changed_checkpoint_is_refused(artifacts: Path, tmp_path: Path) -> None:
    shutil.copytree(artifacts, tmp_path / "copy")
    weights = tmp_path / "copy" / "tiny" / "0.0.1" / "encoder" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)

    with pytest.raises(ArtifactError, match="SHA-256"):
        load_classifier("tiny", folder=tmp_path / "copy")


def test_an_unknown_backend_is_named(artifacts: Path, tmp_path: Path) -> None:
    shutil.copytree(artifacts, tmp_path / "copy")
    path = tmp_path / "copy" / "tiny" / "0.0.1" / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(manifest | {"backend": "abacus"}), encoding="utf-8")

    with pytest.raises(ArtifactError, match="no backend 'abacus'"):
        load_classifier("tiny", folder=tmp_path / "copy")


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """A checkpoint that a test may spoil."""
    return write_checkpoint("xlmr", tmp_path / "checkpoint")


def refuse(folder: Path, message: str) -> None:
    with pytest.raises(ArtifactError, match=message) as caught:
        open_checkpoint(folder, max_tokens=64, overlap=8)

    assert "\n" not in str(caught.value)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    refuse(tmp_path / "none", "none: no such folder")


def test_a_folder_without_config_is_no_checkpoint(tmp_path: Path) -> None:
    refuse(tmp_path, "no config.json")


def test_pickled_weights_are_never_opened(spoilt: Path) -> None:
    (spoilt / "model.safetensors").rename(spoilt / "pytorch_model.bin")

    refuse(spoilt, "no .safetensors, and pickled weights are never opened")


def test_a_checkpoint_without_its_tokenizer_is_refused(spoilt: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (spoilt / name).unlink()

    refuse(spoilt, "tokenizer")


def test_an_architecture_that_nobody_knows_is_refused(spoilt: Path) -> None:
    change_config(spoilt, model_type="abacus")

    refuse(spoilt, "cannot be loaded as an encoder")


def test_code_that_comes_with_a_checkpoint_is_not_run(spoilt: Path) -> None:
    (spoilt / "own.py").write_text("raise SystemExit('was run')", encoding="utf-8")
    own = {"AutoModel": "own.Model", "AutoConfig": "own.Config"}
    change_config(spoilt, model_type="own", auto_map=own)

    refuse(spoilt, "cannot be loaded as an encoder")


def test_weights_of_another_shape_are_refused(spoilt: Path) -> None:
    change_config(spoilt, num_hidden_layers=3)

    refuse(spoilt, "the weights are not those of its config.json")


def test_damaged_weights_are_refused(spoilt: Path) -> None:
    (spoilt / "model.safetensors").write_bytes(b"\x08" + b"\0" * 40)

    refuse(spoilt, "cannot be loaded as an encoder")


def test_a_model_that_writes_is_no_encoder(spoilt: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (spoilt / name).unlink()
    model = GPT2Model(GPT2Config(vocab_size=400, n_embd=32, n_layer=1, n_head=2))
    model.save_pretrained(spoilt)

    refuse(spoilt, "gpt2 writes texts; an encoder is needed")


def test_a_pooler_that_nobody_uses_may_be_absent(spoilt: Path) -> None:
    path = spoilt / "model.safetensors"
    kept = {k: v for k, v in load_file(path).items() if not k.startswith("pooler.")}
    save_file(kept, path, metadata={"format": "pt"})

    assert open_checkpoint(spoilt, max_tokens=64, overlap=8).size == 32


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps(config), encoding="utf-8")


REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache as the hub's library keeps it, and no way to the hub itself."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def test_a_checkpoint_of_the_hub_is_found_by_its_commit(hub: Path) -> None:
    folder = hub / "models--vinai--phobert-tiny" / "snapshots" / REVISION
    write_checkpoint("phobert", folder)

    found = find_checkpoint(EncoderRecipe(hub="vinai/phobert-tiny", revision=REVISION))

    assert found == folder
    assert open_checkpoint(found, max_tokens=64, overlap=8).spec.segmented


def test_what_the_hub_does_not_give_is_said(hub: Path) -> None:
    wanted = EncoderRecipe(hub="vinai/phobert-tiny", revision=REVISION)

    with pytest.raises(ArtifactError, match="not at hand, and the hub does not give it"):
        find_checkpoint(wanted)

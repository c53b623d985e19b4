"""A recipe with a checkpoint trains to a model with its card; its exports answer alike, without torch."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the transformer extra is not installed")

import models.transformer
from models.candidates import Corrections
from models.card import CARD, read_figures
from models.encoded import EncoderClassifier
from models.export import export_onnx
from models.heads import questions_of
from models.onnx import GRAPH, OnnxEncoder, quantise
from models.reference import read_reference
from models.registry import MANIFEST, list_models, load_classifier
from models.train import renew_reference, train
from models.transformer import TorchEncoder, export_graph
from nlp.errors import ArtifactError, CorpusError
from nlp.pipeline import Request
from nlp.readers import from_text
from nlp.taxonomy import Taxonomy
from service.pipelines import build_pipeline
from service.settings import Settings
from tests.conftest import ROOT, TINY_CORPUS
from tests.models.checkpoints import sample_texts, write_checkpoint

pytestmark = pytest.mark.transformer


def silent(line: str) -> None:
    pass


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipe")
    checkpoint = write_checkpoint("phobert", folder / "phobert-tiny")
    path = folder / "encoder.toml"
    path.write_text(
        f'name = "tiny-phobert"\nversion = "0.0.1"\ncorpus = "{TINY_CORPUS}"\n'
        f'taxonomy = "{ROOT / "corpus" / "taxonomies" / "ct07"}"\n'
        f'[encoder]\ncheckpoint = "{checkpoint}"\nmax_tokens = 48\noverlap = 8\nepochs = 3\n'
        "learning_rate = 0.01\nhead_learning_rate = 0.02\n",
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def folder(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models with the trained one and its two exports."""
    out = tmp_path_factory.mktemp("models")
    train(recipe, out=out, report=silent)
    patch = pytest.MonkeyPatch()
    graph = export_graph(encoder_of(load(out, "tiny-phobert")))  # seconds: once for both
    patch.setattr(models.transformer, "export_graph", lambda encoder: graph)
    for int8 in (False, True):
        export_onnx("tiny-phobert", folder=out, int8=int8, report=silent)
    patch.undo()
    return out


def load(folder: Path, name: str) -> EncoderClassifier:
    found = load_classifier(name, folder=folder)
    assert isinstance(found, EncoderClassifier)
    return found


def encoder_of(model: EncoderClassifier) -> TorchEncoder:
    assert isinstance(model.encoder, TorchEncoder)
    return model.encoder


def test_a_recipe_with_a_checkpoint_trains_a_head_for_every_question(
    folder: Path, pack: Taxonomy
) -> None:
    model = load(folder, "tiny-phobert")

    assert {name: spec.labels for name, spec in model.heads.items()} == {
        question.name: question.labels for question in questions_of(pack)
    }
    assert model.encoder.backend == "transformer"
    assert model.encoder.spec.segmented
    assert [info.name for info in list_models(folder)] == [
        "tiny-phobert",
        "tiny-phobert-int8",
        "tiny-phobert-onnx",
    ]


def test_nothing_of_the_run_is_left(folder: Path) -> None:
    assert [path.name for path in (folder / "tiny-phobert").iterdir()] == ["0.0.1"]


def test_the_artifact_holds_no_pickle_and_no_code(folder: Path) -> None:
    suffixes = {path.suffix for path in folder.rglob("*") if path.is_file()}

    assert suffixes == {".json", ".md", ".safetensors", ".onnx"}


def test_training_again_gives_the_same_answers(folder: Path, recipe: Path, tmp_path: Path) -> None:
    train(recipe, out=tmp_path, report=silent)

    assert load(tmp_path, "tiny-phobert").sha256 == load(folder, "tiny-phobert").sha256


@pytest.mark.parametrize("name", ["tiny-phobert", "tiny-phobert-onnx", "tiny-phobert-int8"])
def test_card_figures_and_reference_are_there(folder: Path, pack: Taxonomy, name: str) -> None:
    place = folder / name / "0.0.1"

    card = (place / CARD).read_text(encoding="utf-8")
    assert card.startswith(f"# {name} 0.0.1\n")
    assert "checkpoint: phobert-tiny" in card
    assert "kept for validation, calibration and thresholds" in card
    assert ("### Held-out tenth: this export beside its model" in card) == (name != "tiny-phobert")
    assert set(read_figures(place).heads) <= {question.name for question in questions_of(pack)}
    assert read_reference(place) is not None
    assert renew_reference(name, folder=folder)[1] == read_reference(place)


@pytest.mark.parametrize(("name", "far"), [("tiny-phobert-onnx", 1e-4), ("tiny-phobert-int8", 0.2)])
def test_an_export_answers_as_its_model(folder: Path, name: str, far: float) -> None:
    texts = [*sample_texts(), "", "rác thải " * 200]
    before, after = load(folder, "tiny-phobert").read(texts), load(folder, name).read(texts)

    for head in load(folder, name).heads:
        old, new = before.probabilities(head), after.probabilities(head)
        np.testing.assert_allclose(new, old, atol=far)
        assert np.abs(new - old).mean() < far / 5


def test_an_export_shows_the_words_that_its_model_shows(folder: Path) -> None:
    texts = sample_texts()[:5]
    questions = [(row, "negative") for row in range(len(texts))]

    old, new = (
        load(folder, name).read(texts).attribute(questions, head="sentiment")
        for name in ("tiny-phobert", "tiny-phobert-onnx")
    )

    assert (old.starts == new.starts).all()
    assert (old.ends == new.ends).all()
    np.testing.assert_allclose(old.weights, new.weights, atol=1e-4)


def test_eight_bits_are_smaller_and_said_in_the_manifest(folder: Path) -> None:
    sizes = {
        name: (folder / f"tiny-phobert-{name}" / "0.0.1" / "encoder" / GRAPH).stat().st_size
        for name in ("onnx", "int8")
    }
    manifest = json.loads((folder / "tiny-phobert-int8" / "0.0.1" / MANIFEST).read_bytes())

    assert sizes["int8"] < sizes["onnx"]
    assert manifest["backend"] == "onnx"
    assert manifest["training"]["exported"] == {
        "from": "tiny-phobert 0.0.1",
        "sha256": load(folder, "tiny-phobert").sha256,
        "weights": "int8",
    }


_ALONE = """
import json, sys
for name in ("torch", "transformers", "onnx", "onnxscript"):
    sys.modules[name] = None
from pathlib import Path
from models.registry import load_classifier
model = load_classifier("tiny-phobert-int8", folder=Path(sys.argv[1]))
reading = model.read(["Cán bộ hách dịch quá"])
found = reading.attribute([(0, "negative")], head="sentiment")
print(json.dumps([reading.probabilities("sentiment").tolist(), found.weights.tolist()]))
"""


def test_an_export_needs_neither_torch_nor_transformers(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ALONE, str(folder)], capture_output=True, text=True, cwd=ROOT
    )

    assert done.returncode == 0, done.stderr
    probabilities, weights = json.loads(done.stdout)
    here = load(folder, "tiny-phobert-int8").read(["Cán bộ hách dịch quá"])
    np.testing.assert_allclose(here.probabilities("sentiment"), probabilities, atol=1e-6)
    assert any(weights)


@pytest.mark.parametrize("name", ["tiny-phobert", "tiny-phobert-int8"])
def test_a_pipeline_works_with_it(folder: Path, name: str) -> None:
    pipeline = build_pipeline(Settings(models_folder=folder, model=name))

    text = "Đường trước nhà tôi ổ gà khắp nơi mà mãi chẳng ai sửa, bực quá!"
    analysis = pipeline.analyze(Request("1", from_text(text), "opinion"))

    assert analysis.sentiment is not None


def test_a_changed_graph_is_refused(folder: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    graph = copy / "tiny-phobert-int8" / "0.0.1" / "encoder" / GRAPH
    data = bytearray(graph.read_bytes())
    data[len(data) // 2] ^= 1
    graph.write_bytes(data)

    with pytest.raises(ArtifactError, match="SHA-256"):
        load_classifier("tiny-phobert-int8", folder=copy)


def test_a_graph_that_is_none_is_refused(folder: Path) -> None:
    windows = encoder_of(load(folder, "tiny-phobert")).windows

    with pytest.raises(ArtifactError, match="cannot be read; export it again"):
        OnnxEncoder.of(b"no graph", windows=windows)


def test_a_linear_model_is_not_exported(tiny_artifact: Path) -> None:
    with pytest.raises(ArtifactError, match="tiny is linear; only a fine-tuned checkpoint"):
        export_onnx("tiny", folder=tiny_artifact.parents[1], int8=False, report=silent)


def test_an_export_is_not_exported_again(folder: Path) -> None:
    with pytest.raises(ArtifactError, match="only a fine-tuned checkpoint"):
        export_onnx("tiny-phobert-onnx", folder=folder, int8=True, report=silent)


def test_corrections_are_not_learnt_by_heart(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="a candidate is linear"):
        train(recipe, out=tmp_path, report=silent, corrections=Corrections((), number=1))


def test_quantising_the_same_graph_gives_the_same_bytes(folder: Path) -> None:
    graph = (folder / "tiny-phobert-onnx" / "0.0.1" / "encoder" / GRAPH).read_bytes()

    assert quantise(graph) == quantise(graph)

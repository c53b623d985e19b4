"""Fine-tuning learns every head from what its texts are labelled for, and goes on where it was broken off."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the transformer extra is not installed")

from models.corpus import Example  # noqa: E402
from models.encoded import EncoderClassifier  # noqa: E402
from models.finetune import STATE, Task, fine_tune, masked_loss, spread  # noqa: E402
from models.heads import Question, questions_of  # noqa: E402
from models.lessons import Lessons, lessons_of  # noqa: E402
from models.recipe import EncoderRecipe, HeadRecipe, Recipe  # noqa: E402
from models.transformer import TorchEncoder, open_checkpoint  # noqa: E402
from nlp.errors import ArtifactError, CorpusError  # noqa: E402
from nlp.protocols import FloatArray  # noqa: E402
from nlp.taxonomy import Taxonomy  # noqa: E402
from tests.models.checkpoints import write_checkpoint  # noqa: E402

pytestmark = pytest.mark.transformer

MULTI = {"area": True, "tone": False}
WORDS = ("đường", "điện", "nước", "trường", "chợ", "cầu", "vườn", "nhà", "sông", "đồi")


def toy(n: int, *, seed: int, flipped: bool = False) -> Lessons:
    """A word decides each label; every third text teaches one head alone."""
    dice = np.random.default_rng(seed)
    has_waste, has_praise = dice.random(n) < 0.5, dice.random(n) < 0.5
    texts = [
        " ".join(
            [*dice.choice(WORDS, 3), "rác thải" if waste else "", "cảm ơn" if praise else "bực"]
        )
        for waste, praise in zip(has_waste, has_praise, strict=True)
    ]
    if flipped:
        has_waste, has_praise = ~has_waste, ~has_praise
    gold = {
        "area": np.stack([has_waste, ~has_waste], axis=1),
        "tone": np.stack([has_praise, ~has_praise], axis=1),
    }
    weights = {
        name: (np.arange(n) % 3 != i).astype(np.float32) for i, name in enumerate(("area", "tone"))
    }
    return Lessons(tuple(texts), ("",) * n, gold, weights)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint("phobert", tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def encoder(checkpoint: Path) -> TorchEncoder:
    return open_checkpoint(checkpoint, max_tokens=32, overlap=4)


@pytest.fixture
def task(checkpoint: Path, tmp_path: Path) -> Task:
    wanted = EncoderRecipe(
        checkpoint=checkpoint,
        max_tokens=32,
        overlap=4,
        epochs=4,
        learning_rate=0.01,
        head_learning_rate=0.02,
        save_every=3,
    )
    return Task(toy(120, seed=1), toy(40, seed=2), MULTI, wanted, 0, tmp_path / "work")


def silent(line: str) -> None:
    pass


def test_labels_of_texts_never_seen_are_learnt(task: Task, encoder: TorchEncoder) -> None:
    longer = replace(task, recipe=task.recipe.model_copy(update={"epochs": 8}))

    encoder, learnt, progress = fine_tune(encoder, longer, report=silent)

    unseen = toy(60, seed=3)
    vectors = EncoderClassifier("", "", "", ("", ""), encoder, {}).read(unseen.texts).vectors
    for name, (weights, bias) in learnt.items():
        best = (vectors @ weights + bias).argmax(axis=1)
        assert unseen.gold[name][np.arange(60), best].mean() > 0.9
    assert progress.losses[-1] < progress.losses[0]


@pytest.mark.parametrize("step", [2, 8, 15])
def test_a_broken_run_ends_with_the_same_weights(
    task: Task, checkpoint: Path, tmp_path: Path, step: int
) -> None:
    whole = weights_of(fine_tune(fresh(checkpoint), task, report=silent))
    broken = replace(task, folder=tmp_path / "broken")

    with pytest.raises(KeyboardInterrupt):
        fine_tune(breaking(fresh(checkpoint), at_batch=step), broken, report=silent)
    lines: list[str] = []
    resumed = weights_of(fine_tune(fresh(checkpoint), broken, report=lines.append))

    assert any("going on after step" in line for line in lines) == (step > 3)
    assert whole.keys() == resumed.keys()
    for name, part in whole.items():
        assert (resumed[name] == part).all(), name


def fresh(checkpoint: Path) -> TorchEncoder:
    return open_checkpoint(checkpoint, max_tokens=32, overlap=4)


def breaking(encoder: TorchEncoder, *, at_batch: int) -> TorchEncoder:
    """Somebody presses Ctrl+C in this batch."""
    calls = 0

    def count(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls > at_batch:
            raise KeyboardInterrupt

    encoder.model.register_forward_pre_hook(count)
    return encoder


def weights_of(
    found: tuple[TorchEncoder, Mapping[str, tuple[FloatArray, FloatArray]], object],
) -> dict[str, FloatArray]:
    encoder, learnt, _ = found
    parts = {name: part.numpy() for name, part in encoder.model.state_dict().items()}
    heads = {f"{name}.{i}": part for name, own in learnt.items() for i, part in enumerate(own)}
    return parts | heads


def test_nothing_that_is_kept_needs_unpickling(task: Task, encoder: TorchEncoder) -> None:
    fine_tune(encoder, task, report=silent)

    assert {path.suffix for path in task.folder.iterdir()} == {".json", ".safetensors"}
    assert len(list(task.folder.iterdir())) <= 3


def test_what_was_begun_with_another_recipe_is_refused(task: Task, checkpoint: Path) -> None:
    fine_tune(fresh(checkpoint), task, report=silent)
    other = replace(task, recipe=task.recipe.model_copy(update={"batch": 7}))

    with pytest.raises(ArtifactError, match="of another recipe, corpus or checkpoint; delete"):
        fine_tune(fresh(checkpoint), other, report=silent)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: cut_short(next(folder.glob("last-*"))), "a file was changed"),
        (lambda folder: next(folder.glob("last-*")).unlink(), "cannot be read"),
        (lambda folder: (folder / STATE).write_text("[]"), "cannot be read"),
        (lambda folder: (folder / STATE).write_text('{"losses": []}'), "cannot be read"),
    ],
)
def test_a_damaged_run_is_refused(
    task: Task, checkpoint: Path, spoil: Callable[[Path], object], message: str
) -> None:
    short = replace(task, recipe=task.recipe.model_copy(update={"epochs": 1}))
    fine_tune(fresh(checkpoint), short, report=silent)
    spoil(task.folder)

    with pytest.raises(ArtifactError, match=message):
        fine_tune(fresh(checkpoint), short, report=silent)


def test_training_ends_when_validation_gets_worse(task: Task, encoder: TorchEncoder) -> None:
    hostile = replace(
        task,
        validation=toy(40, seed=2, flipped=True),
        recipe=task.recipe.model_copy(update={"epochs": 9, "patience": 2}),
    )

    _, _, progress = fine_tune(encoder, hostile, report=silent)

    assert len(progress.losses) == progress.best_epoch + 2 < 9


def test_progress_is_reported(
    task: Task, encoder: TorchEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.finetune._REPORT_S", 0.0)
    lines: list[str] = []

    fine_tune(encoder, task, report=lines.append)

    assert lines[0].startswith("epoch 1 of 4, step 1 of 32: loss ")
    assert lines[-1].startswith("epoch 4 of 4: validation loss 0.")


def test_a_loss_that_is_no_number_ends_the_run(task: Task, encoder: TorchEncoder) -> None:
    wild = task.recipe.model_copy(update={"learning_rate": 1e30, "head_learning_rate": 1e30})

    with pytest.raises(ArtifactError, match="lower `learning_rate`"):
        fine_tune(encoder, replace(task, recipe=wild), report=silent)


def test_a_text_teaches_only_the_heads_that_it_has_labels_for() -> None:
    lessons = toy(9, seed=5)
    rows = np.arange(9)
    scores = {name: torch.randn(9, 2, generator=torch.Generator().manual_seed(0)) for name in MULTI}
    gold = {
        name: np.where(lessons.weights[name][:, None] > 0, own, ~own)
        for name, own in lessons.gold.items()
    }

    before = masked_loss(scores, lessons, rows=rows, multi=MULTI)
    after = masked_loss(scores, replace(lessons, gold=gold), rows=rows, multi=MULTI)

    assert before == after


def test_a_batch_that_teaches_a_head_nothing_is_no_fault() -> None:
    lessons = toy(3, seed=5)
    scores = {name: torch.zeros(1, 2) for name in MULTI}

    loss = masked_loss(scores, lessons, rows=np.array([0]), multi=MULTI)

    assert float(loss) == pytest.approx(np.log(2))


def test_any_gold_label_of_exclusive_ones_is_right() -> None:
    gold, weights = np.array([[True, True, False]]), np.ones(1, dtype=np.float32)
    both = Lessons(("a",), ("",), {"tone": gold}, {"tone": weights})

    loss = masked_loss({"tone": torch.zeros(1, 3)}, both, rows=np.array([0]), multi={"tone": False})

    assert float(loss) == pytest.approx(np.log(3 / 2))


def test_a_long_text_is_learnt_from_its_beginning_to_its_end(encoder: TorchEncoder) -> None:
    cut = encoder.cut("rác thải " * 400)

    chosen = spread(cut, n=4)

    assert len(chosen.windows) == 4
    assert (chosen.windows[0], chosen.windows[-1]) == (cut.windows[0], cut.windows[-1])
    assert spread(chosen, n=9) == chosen


def a_recipe(**changes: Any) -> Recipe:
    return Recipe(name="a", version="1.0.0", taxonomy=Path("t"), corpus=Path("c"), **changes)


def test_examples_weigh_as_the_recipe_says_and_terms_teach_their_head(pack: Taxonomy) -> None:
    questions = tuple(q for q in questions_of(pack) if q.name in {"sentiment", "intent"})
    examples = [
        Example("tốt", "opinion", civic_field=("LV00",), sentiment="positive", intent="praise", plain=True),
        Example("xấu", "opinion", civic_field=("LV00",), sentiment="negative", intent="complaint"),
        Example("sửa", "opinion", sentiment="negative", facets=("sentiment",)),
    ]  # fmt: skip
    terms = {"sentiment": (Example("tuyệt vời", "opinion", sentiment="positive"),)}
    recipe = a_recipe(heads={"sentiment": HeadRecipe(other=0.3)}, lexicon_weight=0.2)

    found = lessons_of(examples, questions=questions, terms=terms, recipe=recipe)

    assert found.texts == ("tốt", "xấu", "sửa", "tuyệt vời")
    np.testing.assert_allclose(found.weights["sentiment"], [1, 0.3, 0.3, 0.2])
    np.testing.assert_allclose(found.weights["intent"], [1, 1, 0, 0])
    assert not found.gold["intent"][2:].any()


def test_a_head_without_examples_is_named(pack: Taxonomy) -> None:
    questions: tuple[Question, ...] = tuple(q for q in questions_of(pack) if q.name == "tone")
    opinion = Example("tốt", "opinion", civic_field=("LV00",), sentiment="positive")

    with pytest.raises(CorpusError, match="no example for the head tone"):
        lessons_of([opinion], questions=questions, terms={}, recipe=a_recipe())


def test_the_state_is_plain_json(task: Task, encoder: TorchEncoder) -> None:
    fine_tune(encoder, task, report=silent)

    kept = json.loads((task.folder / STATE).read_text(encoding="utf-8"))
    assert kept["step"] == 32
    assert len(kept["losses"]) == 4

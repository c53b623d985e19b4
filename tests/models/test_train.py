"""A recipe trains to the same bytes, with its card and its thresholds; a wrong one is refused."""

import json
from pathlib import Path

import pytest

from models.card import CARD, FIGURES
from models.corpus import load_corpus
from models.heads import questions_of
from models.recipe import load_recipe
from models.registry import MANIFEST, REFERENCE, WEIGHTS, load_classifier
from models.train import corpus_hash, train
from nlp.errors import CorpusError, TaxonomyError
from nlp.taxonomy import Taxonomy
from tests.conftest import ROOT, TINY_CORPUS


@pytest.fixture(scope="module")
def retrained(
    tiny_recipe: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    """The tiny model once more, and what was reported meanwhile."""
    lines: list[str] = []
    return train(tiny_recipe, out=tmp_path_factory.mktemp("again"), report=lines.append), lines


def test_the_same_corpus_trains_to_the_same_bytes(
    tiny_artifact: Path, retrained: tuple[Path, list[str]]
) -> None:
    again, _ = retrained

    names = sorted(path.name for path in again.iterdir())
    assert names == [CARD, FIGURES, MANIFEST, WEIGHTS, REFERENCE]
    for name in names:
        assert (again / name).read_bytes() == (tiny_artifact / name).read_bytes()


def test_the_manifest_says_what_the_model_was_made_of(tiny_artifact: Path, pack: Taxonomy) -> None:
    manifest = json.loads((tiny_artifact / MANIFEST).read_text(encoding="utf-8"))

    examples = load_corpus(TINY_CORPUS, taxonomy=pack)
    assert manifest["training"]["corpus_sha256"] == corpus_hash(examples)
    assert (
        manifest["training"]["n_training"] + manifest["training"]["n_test"] == len(examples) == 60
    )
    assert manifest["taxonomy"] == ["ct07", "1.0.0"]


def test_the_order_of_the_corpus_does_not_change_its_hash(pack: Taxonomy) -> None:
    examples = load_corpus(TINY_CORPUS, taxonomy=pack)

    assert corpus_hash(examples) == corpus_hash(examples[::-1])
    assert corpus_hash(examples) != corpus_hash(examples[1:])


def test_every_question_of_the_pack_gets_a_head(tiny_artifact: Path, pack: Taxonomy) -> None:
    model = load_classifier("tiny", folder=tiny_artifact.parents[1])

    assert {name: spec.labels for name, spec in model.heads.items()} == {
        question.name: question.labels for question in questions_of(pack)
    }


def test_the_model_has_learnt_its_texts(tiny_artifact: Path, pack: Taxonomy) -> None:
    model = load_classifier("tiny", folder=tiny_artifact.parents[1])
    examples = [e for e in load_corpus(TINY_CORPUS, taxonomy=pack) if e.split == "train"]

    best = model.read([e.text for e in examples]).probabilities("text_kind").argmax(axis=1)

    labels = model.heads["text_kind"].labels
    assert [labels[i] for i in best.tolist()] == [example.kind for example in examples]


def test_the_card_shows_the_figures_of_every_head(tiny_artifact: Path, pack: Taxonomy) -> None:
    card = (tiny_artifact / "card.md").read_text(encoding="utf-8")

    assert card.startswith("# tiny 0.0.1\n")
    for question in questions_of(pack):
        assert f"### {question.name} by label" in card
    assert "Not meant for" in card


def test_progress_is_reported(retrained: tuple[Path, list[str]]) -> None:
    _, lines = retrained

    assert "texts to learn from" in lines[0]
    assert any(line.startswith("sentiment: macro-F1") for line in lines)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ("name = ", "not a valid recipe"),
        ('name = "a"', "not a valid recipe"),
        ('name = "a"\nversion = "1.0.0"\ntaxonomy = "t"\ncorpus = "c"\ncolour = "red"', "not a valid recipe"),
        ('name = "a"\nversion = "1.0.0"\ntaxonomy = "t"\ncorpus = "c"\nseed = "x"', "not a valid recipe"),
    ],
)  # fmt: skip
def test_a_malformed_recipe_is_refused(tmp_path: Path, recipe: str, message: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(recipe, encoding="utf-8")

    with pytest.raises(CorpusError, match=message) as caught:
        load_recipe(path)

    assert "\n" not in str(caught.value)


def test_a_missing_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such recipe"):
        load_recipe(tmp_path / "none.toml")


def test_a_recipe_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(CorpusError, match="not a valid recipe"):
        load_recipe(path)


def recipe_over(corpus: Path, folder: Path, *, taxonomy: str = "ct07") -> Path:
    path = folder / "recipe.toml"
    pack = ROOT / "corpus" / "taxonomies" / taxonomy
    path.write_text(
        f'name = "a"\nversion = "0.0.1"\ntaxonomy = "{pack}"\ncorpus = "{corpus}"\n',
        encoding="utf-8",
    )
    return path


def test_a_corpus_of_one_kind_cannot_answer_every_question(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.jsonl").write_text(
        "".join(f'{{"text": "câu số {i}"}}\n' for i in range(20)), encoding="utf-8"
    )

    with pytest.raises(CorpusError, match="no example for the head tone"):
        train(recipe_over(tmp_path, tmp_path), out=tmp_path / "out", report=lambda line: None)

    assert not (tmp_path / "out").exists()


def test_a_missing_pack_is_named(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match="no such file"):
        train(
            recipe_over(TINY_CORPUS, tmp_path, taxonomy="none"),
            out=tmp_path,
            report=lambda line: None,
        )


def test_the_recipe_of_the_default_model_is_valid() -> None:
    recipe = load_recipe(ROOT / "models" / "recipes" / "default.toml")

    assert recipe.name == "default"
    assert recipe.precision >= 0.9

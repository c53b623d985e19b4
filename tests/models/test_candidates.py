"""A candidate learns what people corrected, and that alone; it takes nobody's place and keeps no text."""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.candidates import Corrections, compare, is_held_out, split_corrections
from models.corpus import Example, load_corpus
from models.fitting import fit_head, fold_vectorizers, learn_vectorizer
from models.heads import questions_of
from models.linear import LinearClassifier
from models.recipe import Recipe, load_recipe
from models.registry import MANIFEST, find_model, list_models, load_classifier
from models.train import train
from nlp.errors import ArtifactError, CorpusError
from nlp.features import extract_ngrams
from nlp.taxonomy import Taxonomy
from nlp.text import fold
from tests.conftest import TINY_CORPUS

CANARY = "xoèn xoẹt"
TWICE = "ngoáy ngoáy"


def said(text: str, facet: str, *codes: str) -> Example:
    """A correction of one facet of an opinion."""
    empty = Example(text, "opinion", source="correction", plain=True, facets=(facet,))
    if facet in ("task_area", "civic_field"):
        return replace(empty, **{facet: codes})  # type: ignore[arg-type] # one of two fields
    return replace(empty, **{facet: codes[0]})  # type: ignore[arg-type] # one of two fields


def on_side(texts: Sequence[str], *, held_out: bool) -> list[str]:
    return [text for text in texts if is_held_out(said(text, "intent", "other")) == held_out]


FIELDS = [f"đèn đường ngõ {i} tắt cả tháng" for i in range(40)]
LEARNT, HELD_OUT = on_side(FIELDS, held_out=False), on_side(FIELDS, held_out=True)
WITH_CANARIES = on_side(
    [f"{i} {CANARY} {TWICE} một lần" for i in range(5)]
    + [f"{i} chuyện {TWICE} hai lần" for i in range(5)],
    held_out=False,
)
EXAMPLES = (
    *(said(text, "civic_field", "LV04") for text in FIELDS),
    said(next(text for text in WITH_CANARIES if CANARY in text), "sentiment", "positive"),
    said(next(text for text in WITH_CANARIES if CANARY not in text), "sentiment", "positive"),
)


@pytest.fixture(scope="module")
def models(
    tiny_artifact: Path, tiny_recipe: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the tiny model, and its candidate beside it."""
    out = tmp_path_factory.mktemp("beside")
    train(tiny_recipe, out=out, report=lambda line: None)
    standing = load_classifier("tiny", folder=out)
    corrections = Corrections(EXAMPLES, 41, standing, {"labels of official documents": 3})
    train(tiny_recipe, out=out, report=lambda line: None, corrections=corrections)
    return out


@pytest.fixture(scope="module")
def candidate(models: Path) -> Path:
    return models / "tiny" / "0.0.1+corrections.41"


def test_a_candidate_has_a_version_of_its_own_and_leaves_the_standing_model_alone(
    models: Path, candidate: Path, tiny_artifact: Path
) -> None:
    versions = [info.version for info in list_models(models)]

    assert versions == ["0.0.1", "0.0.1+corrections.41"]
    for file in tiny_artifact.iterdir():
        assert (models / "tiny" / "0.0.1" / file.name).read_bytes() == file.read_bytes()


def test_a_candidate_answers_to_its_version_alone(models: Path) -> None:
    assert find_model("tiny", folder=models).version == "0.0.1"
    assert find_model("tiny@0.0.1+corrections.41", folder=models).is_candidate


def test_a_folder_with_candidates_alone_has_no_model_of_that_name(
    models: Path, tmp_path: Path
) -> None:
    (tmp_path / "tiny").mkdir()
    name = "0.0.1+corrections.41"
    (tmp_path / "tiny" / name).symlink_to(models / "tiny" / name)

    with pytest.raises(ArtifactError, match=r"there are: tiny@0\.0\.1\+corrections\.41"):
        find_model("tiny", folder=tmp_path)


def test_a_candidate_has_learnt_what_was_corrected(models: Path, pack: Taxonomy) -> None:
    texts = [f"đèn đường phố {i} tắt" for i in range(5)]
    names = ("tiny", "tiny@0.0.1+corrections.41")

    old, new = (
        load_classifier(name, folder=models).read(texts).probabilities("civic_field")
        for name in names
    )

    labels = pack.facets["civic_field"].leaves("opinion")
    assert {labels[i] for i in new.argmax(axis=1).tolist()} == {"LV04"}
    assert "LV04" not in {labels[i] for i in old.argmax(axis=1).tolist()}


def test_the_manifest_counts_what_was_learnt(candidate: Path) -> None:
    training = json.loads((candidate / MANIFEST).read_text(encoding="utf-8"))["training"]

    assert training["corrections"] == {
        "n_learnt": len(LEARNT) + 2,
        "n_held_out": len(HELD_OUT),
        "number": 41,
        "left_out": {"labels of official documents": 3},
    }
    assert training["recipe"]["version"] == "0.0.1+corrections.41"


def test_the_card_shows_both_models_side_by_side(candidate: Path) -> None:
    card = (candidate / "card.md").read_text(encoding="utf-8")
    figures = json.loads((candidate / "figures.json").read_text(encoding="utf-8"))

    assert "Left out: 3 labels of official documents." in card
    assert "### Held-out tenth of the corpus: the model that stood / the candidate" in card
    held_out = figures["beside"]["held-out fifth of the corrections"]
    assert set(held_out) == {"civic_field"}
    assert held_out["civic_field"]["candidate"]["n"] == len(HELD_OUT) > 0
    assert held_out["civic_field"]["candidate"]["accuracy"] == 1.0
    assert held_out["civic_field"]["standing"]["accuracy"] == 0.0
    corpus = figures["beside"]["held-out tenth of the corpus"]
    assert corpus["sentiment"]["standing"]["n"] == corpus["sentiment"]["candidate"]["n"]


def test_a_card_without_corrections_says_nothing_of_them(tiny_artifact: Path) -> None:
    assert "corrections" not in (tiny_artifact / "card.md").read_text(encoding="utf-8").lower()
    assert "beside" not in (tiny_artifact / "figures.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("word", [*CANARY.split(), TWICE.split()[0]])
def test_no_word_of_a_correction_stands_in_the_artifact(candidate: Path, word: str) -> None:
    forms = {word, fold(word), unicodedata.normalize("NFD", word), word.upper()}

    for file in candidate.iterdir():
        data = file.read_bytes()
        found = [form for form in forms if form.encode() in data]
        assert found == [], file.name


def known(model: LinearClassifier, text: str) -> set[int]:
    """The hashed n-grams of a text that a model knows."""
    ngrams = extract_ngrams([text], model.vectorizer.spec, contexts=[""])
    return set(ngrams.keys.tolist()) & set(model.vectorizer.vocabulary.keys.tolist())


def test_what_a_single_text_says_is_not_even_kept_as_a_hash(models: Path) -> None:
    model = load_classifier("tiny@0.0.1+corrections.41", folder=models)
    assert isinstance(model, LinearClassifier)

    alone, twice = known(model, "xoèn"), known(model, "ngoáy")

    assert alone == set()
    assert twice != set()  # two texts say it: then its hash is there, and the card says so


def test_the_same_corrections_are_not_learnt_twice(models: Path, tiny_recipe: Path) -> None:
    with pytest.raises(CorpusError, match="is there already; nothing was corrected since"):
        train(
            tiny_recipe,
            out=models,
            report=lambda line: None,
            corrections=Corrections(EXAMPLES, 41),
        )


def test_a_recipe_that_keeps_what_one_text_says_learns_no_corrections(
    tiny_recipe: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "bold.toml"
    text = tiny_recipe.read_text(encoding="utf-8")
    recipe.write_text("min_texts = 1\n" + text, encoding="utf-8")

    with pytest.raises(CorpusError, match="min_texts must be 2 or more"):
        train(recipe, out=tmp_path, report=lambda line: None, corrections=Corrections(EXAMPLES, 1))


def test_a_fifth_is_held_out_whatever_the_spelling() -> None:
    texts = [f"câu chuyện thứ {i} ở phường" for i in range(1000)]

    share = len(on_side(texts, held_out=True)) / len(texts)

    assert share == pytest.approx(0.2, abs=0.04)
    for text in texts[:20]:
        spelt = said(f" {fold(text).upper()}!!! ", "intent", "other")
        assert is_held_out(spelt) == is_held_out(said(text, "intent", "other"))


def test_a_text_of_the_corpus_stays_what_the_corpus_says(pack: Taxonomy) -> None:
    corpus = load_corpus(TINY_CORPUS, taxonomy=pack)
    opinions = [example.text for example in corpus if example.kind == "opinion"]
    corrections = Corrections([said(text, "civic_field", "LV17") for text in opinions], 1)

    assert split_corrections(corrections, corpus=corpus) == ([], [])


@pytest.mark.parametrize(
    ("facet", "codes", "heads"),
    [
        ("civic_field", ["LV03"], {"civic_field"}),
        ("civic_field", [], {"civic_field"}),
        ("task_area", [], {"task_area_opinion"}),
        ("sentiment", ["positive"], {"sentiment"}),
        ("intent", ["praise"], {"intent"}),
    ],
)
def test_a_correction_teaches_the_head_of_its_facet_and_no_other(
    facet: str, codes: list[str], heads: set[str], pack: Taxonomy
) -> None:
    example = said("một câu", facet, *codes)

    taught = {question.name for question in questions_of(pack) if question.select([example])}

    assert taught == heads


def test_none_of_these_teaches_that_no_field_or_area_holds(pack: Taxonomy) -> None:
    questions = {question.name: question for question in questions_of(pack)}

    assert questions["civic_field"].answers(said("a", "civic_field")) == ("LV00",)
    assert questions["task_area_opinion"].answers(said("a", "task_area")) == ()


def test_corrections_teach_but_do_not_calibrate(tiny_recipe: Path, pack: Taxonomy) -> None:
    recipe: Recipe = load_recipe(tiny_recipe)
    corpus = [e for e in load_corpus(TINY_CORPUS, taxonomy=pack) if e.split == "train"]
    question = next(q for q in questions_of(pack) if q.name == "civic_field")
    extra = [said(text, "civic_field", "LV04") for text in FIELDS]
    vectorizer = learn_vectorizer([*corpus, *extra], recipe=recipe)
    folds = fold_vectorizers([*corpus, *extra], terms=(), recipe=recipe)

    (alone, before), (taught, after) = (
        fit_head(question, texts, vectorizer=vectorizer, folds=folds, recipe=recipe)
        for texts in (corpus, [*corpus, *extra])
    )

    assert after["n"] == before["n"] == len(question.select(corpus))
    assert not np.array_equal(alone.weights, taught.weights)


def test_a_model_of_another_pack_is_not_compared(
    tiny_classifier: LinearClassifier, pack: Taxonomy
) -> None:
    older = replace(tiny_classifier, taxonomy=("ct07", "0.9.0"))
    parts = {"corrections": [said("một câu", "civic_field", "LV03")]}

    report = compare(tiny_classifier, older, parts=parts, taxonomy=pack)

    assert report["corrections"]["civic_field"]["standing"] is None
    assert report["corrections"]["civic_field"]["candidate"]["n"] == 1


def test_a_part_without_examples_has_no_figures(
    tiny_classifier: LinearClassifier, pack: Taxonomy
) -> None:
    assert compare(tiny_classifier, None, parts={"x": []}, taxonomy=pack) == {"x": {}}

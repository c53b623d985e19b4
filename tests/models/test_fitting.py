"""What teaches a head, and how much: plain texts, terms, naive Bayes, the words of a pack alone."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.corpus import Example, load_corpus, load_sentiments
from models.fitting import fit_unlabelled_head, fit_weights, learn_vectorizer
from models.heads import Question, questions_of
from models.recipe import HeadRecipe, Recipe, load_recipe
from models.registry import load_classifier
from models.train import train
from nlp.errors import CorpusError
from nlp.taxonomy import Taxonomy
from tests.conftest import ROOT, TINY_CORPUS


@pytest.fixture(scope="module")
def recipe(tiny_recipe: Path) -> Recipe:
    return load_recipe(tiny_recipe)


@pytest.fixture(scope="module")
def sentiment(pack: Taxonomy) -> Question:
    return next(q for q in questions_of(pack) if q.name == "sentiment")


def opinion(text: str, sentiment: str, *, plain: bool = False) -> Example:
    return Example(
        text,
        "opinion",
        civic_field=("LV00",),
        sentiment=sentiment,  # type: ignore[arg-type] # one of the three
        intent="other",
        plain=plain,
    )


TEXTS = (
    opinion("phục vụ rất tốt", "positive"),
    opinion("phục vụ quá tệ", "negative"),
    opinion("mấy giờ mở cửa", "neutral"),
    opinion("cán bộ rất tốt", "positive"),
    opinion("thái độ quá tệ", "negative"),
    opinion("mấy giờ đóng cửa", "neutral"),
)


def with_head(recipe: Recipe, head: HeadRecipe) -> Recipe:
    return recipe.model_copy(update={"heads": {"sentiment": head}})


def best(
    question: Question,
    examples: tuple[Example, ...],
    text: str,
    *,
    recipe: Recipe,
    terms: tuple[Example, ...] = (),
) -> str:
    vectorizer = learn_vectorizer([*examples, *terms], recipe=recipe)
    weights, bias = fit_weights(
        question, examples, terms=terms, vectorizer=vectorizer, recipe=recipe
    )
    scores = vectorizer.read([text]).matrix @ weights + bias
    return question.labels[int(scores.argmax())]


def test_a_term_teaches_a_word_that_no_text_has(sentiment: Question, recipe: Recipe) -> None:
    terms = (opinion("xịn sò", "positive"), opinion("xịn sò thật", "positive"))

    assert best(sentiment, TEXTS, "xịn sò", recipe=recipe, terms=terms) == "positive"


@pytest.mark.parametrize(("share", "weighs_more"), [(0.0, False), (1.0, True)])
def test_naive_bayes_adds_to_the_weights(
    sentiment: Question, recipe: Recipe, share: float, weighs_more: bool
) -> None:
    vectorizer = learn_vectorizer(TEXTS, recipe=recipe)
    chosen = with_head(recipe, HeadRecipe(bayes=share))
    bare = with_head(recipe, HeadRecipe())

    weights, _ = fit_weights(sentiment, TEXTS, terms=(), vectorizer=vectorizer, recipe=chosen)
    alone, _ = fit_weights(sentiment, TEXTS, terms=(), vectorizer=vectorizer, recipe=bare)

    assert bool(np.abs(weights - alone).max() > 0.01) is weighs_more


def test_a_plain_text_outweighs_another(sentiment: Question, recipe: Recipe) -> None:
    # the same words with two answers: the text in the plain register decides
    recipe = with_head(recipe, HeadRecipe(other=0.3))
    pair = (opinion("cũng được", "positive", plain=True), opinion("cũng được", "negative"))
    swapped = tuple(replace(example, plain=not example.plain) for example in pair)

    assert best(sentiment, (*TEXTS, *pair), "cũng được", recipe=recipe) == "positive"
    assert best(sentiment, (*TEXTS, *swapped), "cũng được", recipe=recipe) == "negative"


def test_areas_are_told_from_the_words_of_the_pack_alone(pack: Taxonomy, recipe: Recipe) -> None:
    official = next(q for q in questions_of(pack) if q.name == "task_area_official")
    examples = load_corpus(ROOT / "corpus" / "labelled" / "ct07", taxonomy=pack)
    paragraphs = [example for example in examples if example.kind == "official"]
    vectorizer = learn_vectorizer(paragraphs, recipe=recipe)

    head = fit_unlabelled_head(official, taxonomy=pack, vectorizer=vectorizer, recipe=recipe)

    labelled = [example for example in paragraphs if example.task_area]
    scores = head.scores(vectorizer.read([example.text for example in labelled]).matrix)
    gold = official.targets(labelled)
    hits = gold[np.arange(len(gold)), scores.argmax(axis=1)].mean()
    assert hits > 0.6  # a guess would be right once in thirty


def test_a_model_without_labelled_areas_has_every_head(
    pack: Taxonomy, tiny_recipe: Path, tmp_path: Path
) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(tiny_recipe.read_text(encoding="utf-8") + "labelled_areas = false\n")

    folder = train(path, out=tmp_path / "out", report=lambda line: None)

    model = load_classifier("tiny", folder=folder.parents[1])
    assert set(model.heads) == {question.name for question in questions_of(pack)}
    assert (folder / "card.md").exists()


def test_a_table_of_sentiments_is_read_by_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('text,label\n"Tốt, rất tốt",POS\nChê,NEG\nLạ,???\n', encoding="utf-8")

    examples = load_sentiments(
        path, text="text", label="label", labels={"POS": "positive", "NEG": "negative"}
    )

    assert [(e.text, e.sentiment) for e in examples] == [
        ("Tốt, rất tốt", "positive"),
        ("Chê", "negative"),
    ]


@pytest.mark.parametrize(("name", "column"), [("none.csv", "text"), ("a.csv", "words")])
def test_research_data_that_is_not_at_hand_is_said(tmp_path: Path, name: str, column: str) -> None:
    (tmp_path / "a.csv").write_text("text,label\na,POS\n", encoding="utf-8")

    with pytest.raises(CorpusError, match=name):
        load_sentiments(tmp_path / name, text=column, label="label", labels={})


def test_real_texts_at_hand_teach_a_research_recipe(
    pack: Taxonomy, tiny_recipe: Path, tmp_path: Path
) -> None:
    texts = [f"Chuyện thứ {i} ở phường này kể mãi không hết." for i in range(12)]
    rows = [
        {
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "civic_field": ["LV17"],
            "sentiment": "neutral",
            "intent": "other",
        }
        for text in texts
    ]
    (tmp_path / "opinions.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    (tmp_path / "official.jsonl").write_text("")
    (tmp_path / "texts.jsonl").write_text(
        "\n".join(json.dumps({"text": text}) for text in texts) + "\n"
    )
    own = f'real = "{tmp_path}"\nreal_texts = ["{tmp_path / "texts.jsonl"}"]\n'
    own += f'registers = "{ROOT / "corpus" / "registers"}"\n'
    path = tmp_path / "recipe.toml"
    path.write_text(tiny_recipe.read_text(encoding="utf-8") + own)
    lines: list[str] = []

    train(path, out=tmp_path / "out", report=lines.append)

    n_choosing = sum(row["sha256"][1] in "01234567" for row in rows)
    n_own = sum(example.split == "train" for example in load_corpus(TINY_CORPUS, taxonomy=pack))
    assert 0 < n_choosing < len(texts)
    assert lines[0].startswith(f"{n_own + n_choosing} texts to learn from")

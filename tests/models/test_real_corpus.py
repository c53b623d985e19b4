"""The project's own labelled texts: enough of each kind, and no text that repeats another."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from models.corpus import Example, load_corpus, load_second
from nlp.taxonomy import Taxonomy
from nlp.text import fold

FOLDER = Path(__file__).parents[2] / "corpus" / "labelled" / "ct07"
_SIZE = 5  # characters of an n-gram, as the corpus README defines near-duplicates


@pytest.fixture(scope="module")
def corpus(pack: Taxonomy) -> tuple[Example, ...]:
    return load_corpus(FOLDER, taxonomy=pack)


def near_duplicates(texts: list[str], *, above: float) -> int:
    """How many texts share more than `above` of their character n-grams with another (Jaccard)."""
    grams = [{text[i : i + _SIZE] for i in range(max(1, len(text) - _SIZE + 1))} for text in texts]
    columns: dict[str, int] = {}
    at = [columns.setdefault(gram, len(columns)) for own in grams for gram in own]
    sizes = np.array([len(own) for own in grams])
    rows = np.repeat(np.arange(len(texts)), sizes)
    ones = np.ones(len(at), dtype=np.float32)
    matrix = sparse.csr_matrix((ones, (rows, at)), shape=(len(texts), len(columns)))
    n_found = 0
    for begin in range(0, len(texts), 500):
        shared = (matrix[begin : begin + 500] @ matrix.T).tocoo()
        own = shared.row + begin
        union = sizes[own] + sizes[shared.col] - shared.data
        alike = (shared.data > above * union) & (own != shared.col)
        n_found += len(set(own[alike].tolist()))
    return n_found


def test_the_measure_finds_a_text_with_one_word_changed() -> None:
    text = "đường trước cổng trường ngập mỗi khi mưa lớn, đề nghị phường khơi cống"
    texts = [text, text.replace("lớn", "to"), "một câu khác hẳn về chuyện học hành của con trẻ"]

    assert near_duplicates(texts, above=0.5) == 2


@pytest.mark.slow
def test_at_most_one_text_in_a_hundred_is_a_near_duplicate(corpus: tuple[Example, ...]) -> None:
    texts = [" ".join(fold(example.text).split()) for example in corpus]

    assert near_duplicates(texts, above=0.5) <= 0.01 * len(texts)


def test_there_are_enough_texts_of_each_kind(corpus: tuple[Example, ...]) -> None:
    kinds = Counter(example.kind for example in corpus)

    assert kinds["official"] >= 700
    assert kinds["opinion"] >= 1000
    assert kinds["other"] >= 100


def test_every_task_area_has_enough_texts(corpus: tuple[Example, ...], pack: Taxonomy) -> None:
    official = [example for example in corpus if example.kind == "official"]
    counts = Counter(code for example in official for code in example.task_area)

    assert {
        c: n for c in pack.facets["task_area"].leaves("official") if (n := counts[c]) < 15
    } == {}
    assert sum(not example.task_area for example in official) >= 80


def test_every_civic_field_has_enough_texts(corpus: tuple[Example, ...], pack: Taxonomy) -> None:
    counts = Counter(code for example in corpus for code in example.civic_field)

    assert {
        c: n for c in pack.facets["civic_field"].leaves("opinion") if (n := counts[c]) < 30
    } == {}
    assert counts["LV00"] >= 120


def test_every_tone_sentiment_and_intent_has_texts_to_learn_from(
    corpus: tuple[Example, ...], pack: Taxonomy
) -> None:
    for facet in ("tone", "sentiment", "intent"):
        counts = Counter(getattr(example, facet) for example in corpus)
        assert min(counts[c.code] for c in pack.facets[facet].categories) >= 30


def test_no_text_is_too_long_to_be_one_paragraph(corpus: tuple[Example, ...]) -> None:
    assert max(len(example.text) for example in corpus) < 4000


BORDERS = (
    "DV1.1/DV7", "DV2.3/DV3.8", "DV2.4/DV3.9", "DV2.1/DV3.1", "DV3.5/DV4.1", "DV3.7/DV6.1", "DV3.7/DV6.3",
    "DV3.6/DV3.8", "DV3.2/DV3", "DV3.10/DV6.3", "DV5.2/DV6.1", "DV5.2/DV5.3", "DV4.1/DV4.2", "DV3.11/DV5.1",
    "DV4.3/DV", "directive/limitation", "LV01/LV04", "LV03/LV09", "LV02/LV09", "LV10/LV11", "LV08/LV14",
)  # fmt: skip


@pytest.mark.parametrize("border", BORDERS)
def test_every_border_of_the_guide_has_near_misses(border: str) -> None:
    pairs = [
        tag.removeprefix("border:").split("/")
        for path in FOLDER.glob("*/*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
        for tag in json.loads(line).get("tags") or ()
        if tag.startswith("border:")
    ]
    one, other = border.split("/")

    near = [
        pair
        for pair in pairs
        if len(pair) == 2
        and any(
            a == one and (b == other or b.startswith(f"{other}.") or other == "DV")
            for a, b in (pair, pair[::-1])
        )
    ]

    assert len(near) >= 20


def test_texts_of_both_kinds_are_labelled_twice(
    corpus: tuple[Example, ...], pack: Taxonomy
) -> None:
    second = load_second(FOLDER / "second", examples=corpus, taxonomy=pack)

    for kind in ("official", "opinion"):
        assert sum(example.kind == kind for example in second.values()) >= 200

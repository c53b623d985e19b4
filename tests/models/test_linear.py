"""The linear model: exact in any batch, and explained by the very terms of its scores."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.linear import Head, LinearClassifier, Vectorizer, Vocabulary
from nlp.features import FeatureSpec, extract_ngrams
from nlp.protocols import HeadSpec
from nlp.text import to_nfc
from tests.strategies import running_texts, wild_texts

KNOWN = (
    "đường",
    "ổ gà",
    "thủ tục hành chính",
    "tiếp công dân",
    "khiếu nại",
    "cảm ơn",
    "bực quá",
    "hồ sơ",
)
familiar_texts = st.one_of(
    st.lists(st.sampled_from([*KNOWN, ",", "!", "."]), max_size=30).map(" ".join),
    running_texts(),
    wild_texts().map(to_nfc),
)


@settings(max_examples=50)
@given(texts=st.lists(familiar_texts, min_size=1, max_size=5), data=st.data())
def test_the_weights_of_a_question_sum_to_its_score_less_the_bias(
    tiny_classifier: LinearClassifier, texts: list[str], data: st.DataObject
) -> None:
    reading = tiny_classifier.read(texts)
    name = data.draw(st.sampled_from(sorted(tiny_classifier.heads)))
    head = tiny_classifier.linear_heads[name]
    questions = [
        (row, label) for row in range(len(texts)) for label in data.draw(subsets(head.spec.labels))
    ]

    found = reading.attribute(questions, head=name)

    scores = head.scores(reading.rows.matrix) - head.bias
    expected = [scores[row, head.spec.labels.index(label)] for row, label in questions]
    sums = np.bincount(found.questions, weights=found.weights, minlength=len(questions))
    np.testing.assert_allclose(sums, expected, atol=1e-4)


def subsets(labels: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(labels), max_size=3, unique=True)


@settings(max_examples=50)
@given(texts=st.lists(familiar_texts, max_size=5))
def test_a_batch_changes_no_bit_of_an_answer(
    tiny_classifier: LinearClassifier, texts: list[str]
) -> None:
    reading = tiny_classifier.read(texts)

    for name in tiny_classifier.heads:
        together = reading.probabilities(name)
        for row, text in enumerate(texts):
            alone = tiny_classifier.read([text]).probabilities(name)[0]
            assert together[row].tobytes() == alone.tobytes()


def test_a_context_may_change_the_answer_but_is_never_explained(
    tiny_classifier: LinearClassifier,
) -> None:
    question, head = (0, "DV3.5"), "task_area_official"

    within, without = (
        tiny_classifier.read(["thủ tục"], contexts=contexts).attribute([question], head=head)
        for contexts in (["Yêu cầu các phòng"], None)
    )

    assert within.starts.tolist() == without.starts.tolist() == [0, 4]


def test_rows_are_not_longer_than_their_parts_allow(tiny_classifier: LinearClassifier) -> None:
    matrix = tiny_classifier.read(["", "thủ tục hành chính", "xyzzy"]).rows.matrix

    squares = np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()
    assert squares[0] == 0
    assert 0 < squares[1] < 2


def head_of(*, multi: bool, slope: float, n_labels: int = 2) -> Head:
    ones = np.ones(n_labels, dtype=np.float32)
    labels = tuple("abcd"[:n_labels])
    return Head(
        HeadSpec("h", labels, multi, (0.5,) * n_labels),
        weights=np.zeros((0, n_labels), dtype=np.float32),
        bias=0 * ones,
        slope=slope * ones,
        offset=0 * ones,
        confidence=np.array([1, 0], dtype=np.float32),
    )


@pytest.mark.parametrize("multi", [True, False])
def test_extreme_scores_are_certain_and_raise_no_warning(multi: bool) -> None:
    scores = np.array([[1e4, -1e4], [-1e4, 1e4]], dtype=np.float32)

    assert head_of(multi=multi, slope=300).calibrate(scores).tolist() == [[1, 0], [0, 1]]


@given(
    scores=st.lists(
        st.lists(st.floats(-30, 30, width=32), min_size=4, max_size=4), min_size=1, max_size=5
    ),
    a=st.floats(0.0625, 4, width=32),
    b=st.floats(-4, 4, width=32),
)
def test_a_put_right_confidence_keeps_the_order_of_the_labels(
    scores: list[list[float]], a: float, b: float
) -> None:
    bare = head_of(multi=False, slope=1, n_labels=4)
    head = replace(bare, confidence=np.array([a, b], dtype=np.float32))
    rows = np.array(scores, dtype=np.float32)

    before, after = bare.calibrate(rows), head.calibrate(rows)

    np.testing.assert_allclose(after.sum(axis=1), 1, atol=1e-5)
    assert ((after >= 0) & (after <= 1)).all()
    best = before.argmax(axis=1)
    np.testing.assert_allclose(after[np.arange(len(rows)), best], after.max(axis=1), atol=1e-6)


def test_a_score_of_zero_is_an_even_chance() -> None:
    scores = np.zeros((1, 2), dtype=np.float32)

    for multi in (True, False):
        assert head_of(multi=multi, slope=1).calibrate(scores).tolist() == [[0.5, 0.5]]


def test_a_vocabulary_keeps_what_stands_in_enough_texts() -> None:
    spec = FeatureSpec(written=(1,), folded=(), characters=(), opening_tokens=0)
    ngrams = extract_ngrams(["một hai", "hai hai ba", "hai"], spec)

    vocabulary = Vocabulary.learn(ngrams, min_texts=2)

    [key] = vocabulary.keys
    assert key in extract_ngrams(["hai"], spec).keys
    assert vocabulary.idf.tolist() == [pytest.approx(1.0)]


def test_a_model_that_knows_no_ngram_still_answers() -> None:
    spec = FeatureSpec()
    vectorizer = Vectorizer(Vocabulary.learn(extract_ngrams(["một"], spec), min_texts=2), spec=spec)
    model = LinearClassifier(
        "none", "0.0.1", "", ("ct07", "1.0.0"), vectorizer, {"h": head_of(multi=True, slope=1)}
    )

    reading = model.read(["một", ""])

    assert reading.probabilities("h").tolist() == [[0.5, 0.5]] * 2
    assert reading.attribute([(0, "a")], head="h").weights.tolist() == [0.0]

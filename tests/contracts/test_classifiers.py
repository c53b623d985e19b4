"""What every classifier must do, whatever is inside it."""

from pathlib import Path

import numpy as np
import pytest

from models.linear import LinearClassifier
from models.registry import save_encoder
from nlp.protocols import Classifier

TEXTS = (
    "Đường trước nhà tôi ổ gà khắp nơi mà mãi chẳng ai sửa, bực quá!",
    "",
    "Rà soát thủ tục hành chính, cắt giảm giấy tờ.",
    "😡 ?!",
    "\u0301\u0309",
    "cảm ơn cán bộ " * 300,
)


def extra(name: str) -> object:
    return pytest.param(name, marks=pytest.mark.transformer)


@pytest.fixture(
    scope="module",
    params=["linear", *map(extra, ("xlmr", "onnx", "int8"))],
)
def classifier(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Classifier:
    if request.param == "linear":
        linear: LinearClassifier = request.getfixturevalue("tiny_classifier")
        return linear
    return over_an_encoder(request.param, tmp_path_factory.mktemp("models"))


def over_an_encoder(kind: str, folder: Path) -> Classifier:
    pytest.importorskip("torch", reason="the transformer extra is not installed")
    from models.encoded import EncoderClassifier
    from tests.models.checkpoints import an_encoder
    from tests.models.test_transformer import a_head

    heads = {
        "tone": a_head("tone", ("directive", "other"), multi=False),
        "civic_field": a_head("civic_field", ("LV02", "LV03", "LV00"), multi=True),
    }
    encoder = an_encoder(kind, folder / "checkpoint")
    model = EncoderClassifier("tiny", "0.0.1", "", ("ct07", "1.0.0"), encoder, heads)
    return save_encoder(model, folder=folder / "artifacts", training={})


def test_a_model_says_what_it_is(classifier: Classifier) -> None:
    assert classifier.name
    assert classifier.version.count(".") == 2
    assert len(classifier.sha256) == 64
    assert classifier.taxonomy == ("ct07", "1.0.0")


def test_heads_are_named_after_themselves_and_have_a_threshold_a_label(
    classifier: Classifier,
) -> None:
    for name, spec in classifier.heads.items():
        assert spec.name == name
        assert len(spec.assert_at) == len(spec.labels) == len(set(spec.labels)) > 1
        assert all(0 < threshold <= 1.01 for threshold in spec.assert_at)
        assert 0 <= spec.reject_below <= max(spec.assert_at)


def test_probabilities_are_float32_in_the_unit_interval(classifier: Classifier) -> None:
    reading = classifier.read(TEXTS)

    for name, spec in classifier.heads.items():
        probabilities = reading.probabilities(name)
        assert probabilities.dtype == np.float32
        assert probabilities.shape == (len(TEXTS), len(spec.labels))
        assert np.isfinite(probabilities).all()
        assert (probabilities >= 0).all()
        assert (probabilities <= 1).all()


def test_exclusive_labels_share_one_whole(classifier: Classifier) -> None:
    reading = classifier.read(TEXTS)

    for name, spec in classifier.heads.items():
        if not spec.multi:
            np.testing.assert_allclose(reading.probabilities(name).sum(axis=1), 1, atol=1e-5)


def test_a_text_is_answered_alike_alone_and_in_any_batch(classifier: Classifier) -> None:
    together = classifier.read(TEXTS)
    turned = classifier.read(TEXTS[::-1])

    for name in classifier.heads:
        expected = together.probabilities(name)
        np.testing.assert_allclose(turned.probabilities(name)[::-1], expected, atol=1e-5)
        for row, text in enumerate(TEXTS):
            alone = classifier.read([text]).probabilities(name)[0]
            np.testing.assert_allclose(alone, expected[row], atol=1e-5)


def test_reading_twice_gives_the_same_bits(classifier: Classifier) -> None:
    for name in classifier.heads:
        first, second = (classifier.read(TEXTS).probabilities(name) for _ in range(2))
        assert (first == second).all()


def test_no_texts_give_no_rows(classifier: Classifier) -> None:
    reading = classifier.read([])

    for name, spec in classifier.heads.items():
        assert reading.probabilities(name).shape == (0, len(spec.labels))
        assert reading.attribute([], head=name).n_questions == 0


def test_a_megabyte_of_text_is_read(classifier: Classifier) -> None:
    reading = classifier.read(["đường hỏng " * 90_000, "x" * 1_000_000])

    for name in classifier.heads:
        assert np.isfinite(reading.probabilities(name)).all()


def test_an_empty_context_is_no_context(classifier: Classifier) -> None:
    without, empty = classifier.read(TEXTS), classifier.read(TEXTS, contexts=[""] * len(TEXTS))

    for name in classifier.heads:
        np.testing.assert_allclose(
            without.probabilities(name), empty.probabilities(name), atol=1e-5
        )


@pytest.mark.parametrize("contexts", [None, ["đường hỏng"] * len(TEXTS)])
def test_an_explanation_lies_on_the_text_it_explains(
    classifier: Classifier, contexts: list[str] | None
) -> None:
    for name, spec in classifier.heads.items():
        questions = [(row, label) for row in range(len(TEXTS)) for label in spec.labels[:3]]

        found = classifier.read(TEXTS, contexts=contexts).attribute(questions, head=name)

        columns = (found.questions, found.starts, found.ends, found.weights, found.speaks)
        assert found.n_questions == len(questions)
        assert len({len(column) for column in columns}) == 1
        assert (np.diff(found.questions) >= 0).all()
        assert np.isfinite(found.weights).all()
        sizes = np.array([len(TEXTS[questions[number][0]]) for number in found.questions])
        assert (found.starts >= 0).all()
        assert (found.starts < found.ends).all()
        assert (found.ends <= sizes).all()


def test_only_what_has_letters_digits_or_pictures_speaks(classifier: Classifier) -> None:
    text = "đường, sá 12 !!! 😡"
    name, spec = next(iter(classifier.heads.items()))

    found = classifier.read([text]).attribute([(0, spec.labels[0])], head=name)

    for start, end, speaks in zip(found.starts, found.ends, found.speaks, strict=True):
        token = text[start:end]
        assert speaks or not any(map(str.isalnum, token))
        assert not (speaks and token in {",", "!!!", "!"})

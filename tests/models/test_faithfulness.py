"""Evidence of a linear model weighs more than chance; the measure can tell."""

from dataclasses import replace

import numpy as np

from models import faithfulness
from models.corpus import load_corpus
from models.linear import LinearClassifier
from models.registry import load_classifier
from nlp.pipeline import Pipeline
from nlp.taxonomy import Taxonomy
from nlp.types import Span
from tests.conftest import ROOT, TINY_CORPUS


def test_the_evidence_weighs_more_than_random_words(pack: Taxonomy) -> None:
    model = load_classifier("default", folder=ROOT / "models" / "artifacts")
    corpus = load_corpus(ROOT / "corpus" / "labelled" / "ct07", taxonomy=pack)
    unseen = [example for example in corpus if example.split == "test"][::10]

    report = faithfulness.faithfulness(model, unseen, taxonomy=pack)

    assert "text_kind" not in report
    for head in ("task_area_official", "tone", "civic_field", "sentiment"):
        assert report[head]["drop"] > report[head]["random_drop"] + 0.1
        assert report[head]["more"] > 0.9


def test_a_model_without_weights_shows_no_difference(
    tiny_classifier: LinearClassifier, pack: Taxonomy
) -> None:
    heads = {
        name: replace(head, weights=np.zeros_like(head.weights))
        for name, head in tiny_classifier.linear_heads.items()
    }
    examples = load_corpus(TINY_CORPUS, taxonomy=pack)

    assert (
        faithfulness.faithfulness(
            replace(tiny_classifier, linear_heads=heads), examples, taxonomy=pack
        )
        == {}
    )


def test_random_words_are_as_many_and_outside() -> None:
    text = "đường xuống cấp trầm trọng đi lại khó khăn"
    shown = [Span(0, 15)]  # "đường xuống cấp"

    picked = faithfulness._others(text, shown, 0)

    assert len(picked) == 3
    assert all(span.start >= 15 for span in picked)
    assert picked == faithfulness._others(text, shown, 0)


def test_the_cost_is_a_share(tiny_pipeline: Pipeline, pack: Taxonomy) -> None:
    examples = load_corpus(TINY_CORPUS, taxonomy=pack)

    assert faithfulness.evidence_cost(tiny_pipeline, examples) > 0

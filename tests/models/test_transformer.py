"""The transformer backend on a tiny checkpoint made here and saved and loaded the real way."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the transformer extra is not installed")

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors  # noqa: E402
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast  # noqa: E402

from models.linear import Head  # noqa: E402
from models.registry import load_classifier, save_transformer  # noqa: E402
from models.transformer import Encoder, TransformerClassifier  # noqa: E402
from nlp.errors import ArtifactError  # noqa: E402
from nlp.evidence import pick_evidence  # noqa: E402
from nlp.protocols import Classifier, HeadSpec  # noqa: E402

pytestmark = pytest.mark.transformer

WORDS = (
    "đường",
    "sá",
    "ổ",
    "gà",
    "cán",
    "bộ",
    "nhiệt",
    "tình",
    "hách",
    "dịch",
    "rác",
    "thải",
    ",",
    ".",
)
TEXTS = ("Đường sá ổ gà", "", "cán bộ nhiệt tình, không hách dịch.", "rác thải " * 400)


def tiny_encoder() -> Encoder:
    vocabulary = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3}
    vocabulary |= {word: i + 4 for i, word in enumerate(dict.fromkeys(WORDS))}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call] # transformers has no types
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    model = BertModel(config)
    return Encoder(tokenizer, model.eval(), max_tokens=64)  # type: ignore[no-untyped-call] # as above


def a_head(name: str, labels: tuple[str, ...], *, multi: bool) -> Head:
    rng = np.random.default_rng(len(name))
    size = len(labels)
    return Head(
        HeadSpec(name, labels, multi, (0.5,) * size),
        weights=rng.normal(size=(16, size)).astype(np.float32),
        bias=np.zeros(size, dtype=np.float32),
        slope=np.ones(size, dtype=np.float32),
        offset=np.zeros(size, dtype=np.float32),
        confidence=np.array([1, 0], dtype=np.float32),
    )


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifacts")
    heads = {
        "tone": a_head("tone", ("directive", "other"), multi=False),
        "civic_field": a_head("civic_field", ("LV02", "LV03", "LV00"), multi=True),
    }
    model = TransformerClassifier(
        "tiny-bert", "0.0.1", "", ("ct07", "1.0.0"), tiny_encoder(), heads
    )
    save_transformer(model, folder=folder, training={})
    return folder


@pytest.fixture(scope="module")
def classifier(artifacts: Path) -> Classifier:
    return load_classifier("tiny-bert", folder=artifacts)


def test_probabilities_have_their_shapes_and_ranges(classifier: Classifier) -> None:
    reading = classifier.read(TEXTS)

    tone, field = reading.probabilities("tone"), reading.probabilities("civic_field")

    assert tone.shape == (4, 2)
    assert field.shape == (4, 3)
    np.testing.assert_allclose(tone.sum(axis=1), 1, rtol=1e-5)
    assert ((field >= 0) & (field <= 1)).all()


def test_a_text_is_answered_alike_alone_and_in_a_batch(classifier: Classifier) -> None:
    together = classifier.read(TEXTS).probabilities("tone")[2]
    alone = classifier.read(TEXTS[2:3]).probabilities("tone")[0]

    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_context_changes_the_answer_and_is_never_evidence(classifier: Classifier) -> None:
    without = classifier.read(["rác thải"], contexts=[""])
    within = classifier.read(["rác thải"], contexts=["đường sá"])

    spans = within.attribute([(0, "LV02")], head="civic_field")

    assert not np.allclose(without.probabilities("tone"), within.probabilities("tone"))
    assert spans.ends.max() <= len("rác thải")


def test_evidence_lies_on_tokens_of_the_text(classifier: Classifier) -> None:
    reading = classifier.read(TEXTS)

    attribution = reading.attribute([(0, "LV03"), (1, "LV03"), (2, "LV02")], head="civic_field")

    assert attribution.n_questions == 3
    assert set(attribution.questions.tolist()) == {0, 2}
    found = [TEXTS[0][s:e] for s, e in zip(attribution.starts, attribution.ends, strict=True)]
    assert found[:4] == ["Đường", "sá", "ổ", "gà"]
    assert len(pick_evidence(attribution)) == 3


def test_no_questions_give_no_evidence(classifier: Classifier) -> None:
    attribution = classifier.read(TEXTS).attribute([], head="tone")

    assert pick_evidence(attribution) == []


def test_a_changed_checkpoint_is_refused(artifacts: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(artifacts, tmp_path / "copy")
    weights = tmp_path / "copy" / "tiny-bert" / "0.0.1" / "encoder" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)

    with pytest.raises(ArtifactError, match="SHA-256"):
        load_classifier("tiny-bert", folder=tmp_path / "copy")

"""What a user would pick instead, each taught one question (the civic field of an opinion) on our own corpus.

A peer is made once, in a folder, and loaded from there in the process that is measured: so that memory,
start-up and size are those of using it, not of training it. A library that is not installed is told.
"""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

Answer = Callable[[Sequence[str]], Sequence[str]]  # a label for each text
Lessons = Sequence[tuple[str, str]]  # text, label

_TOKENS = 256  # an encoder of this shape reads no more
_ENCODER_BATCH = 4  # of like length: faster on one core than one by one and than sixteen


@dataclass(frozen=True, slots=True)
class Peer:
    """One of them: what it needs, how it is made and loaded, and how many texts are worth timing at once."""

    title: str
    needs: tuple[str, ...]
    make: Callable[[Lessons, Path], None]
    load: Callable[[Path], Answer]
    chunk: int = 512
    n_whole: int = 4_000
    n_single: int = 200

    @property
    def missing(self) -> tuple[str, ...]:
        """The modules it needs that are not installed."""
        return tuple(name for name in self.needs if find_spec(name) is None)


# parts of underthesea that fetch models or import transformers: without them it starts six times faster
_OTHER_PARTS = (
    "translate", "dependency_parse", "classification", "sentiment", "lang_detect", "agent",
)  # fmt: skip


def _segment() -> Callable[[str], str]:
    """Words as underthesea joins them, `_` in them; kinder to its start than a plain import."""
    for part in _OTHER_PARTS:
        sys.modules[f"underthesea.pipeline.{part}"] = None  # type: ignore[assignment] # absent
    word_tokenize: Callable[..., str] = import_module("underthesea").word_tokenize
    return lambda text: word_tokenize(text, format="text")


def _make_words(lessons: Lessons, folder: Path) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer

    segment = _segment()
    segmented = [(segment(text), label) for text, label in lessons]
    _fit(TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+"), segmented, folder)


def _load_words(folder: Path) -> Answer:
    segment, predict = _segment(), _load_sklearn(folder)
    return lambda texts: predict([segment(text) for text in texts])


def _make_sklearn(lessons: Lessons, folder: Path) -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"\S+")
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=2)
    _fit(make_union(words, characters), lessons, folder)


def _fit(vectorizer: object, lessons: Lessons, folder: Path) -> None:
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    machine = make_pipeline(vectorizer, LinearSVC(random_state=0))
    machine.fit([text for text, _ in lessons], [label for _, label in lessons])
    import_module("joblib").dump(machine, folder / "model.joblib")


def _load_sklearn(folder: Path) -> Answer:
    machine = import_module("joblib").load(folder / "model.joblib")
    return lambda texts: list(machine.predict(texts))


def _make_core(lessons: Lessons, folder: Path) -> None:
    machine = import_module("underthesea_core").TextClassifier(ngram_range=(1, 2))
    machine.fit([text for text, _ in lessons], [label for _, label in lessons])
    machine.save(str(folder / "model.bin"))


def _load_core(folder: Path) -> Answer:
    machine = import_module("underthesea_core").TextClassifier.load(str(folder / "model.bin"))
    return lambda texts: list(machine.predict_batch(list(texts)))


def _make_fasttext(lessons: Lessons, folder: Path) -> None:
    lines = folder / "lessons.txt"
    with lines.open("w", encoding="utf-8") as out:
        out.writelines(f"__label__{label} {' '.join(text.split())}\n" for text, label in lessons)
    # its default of two million buckets is a file of 800 MB for 20,000 texts
    machine = import_module("fasttext").train_supervised(
        str(lines), wordNgrams=2, epoch=15, lr=0.5, bucket=200_000, thread=1, verbose=0
    )
    machine.save_model(str(folder / "model.bin"))
    lines.unlink()


def _load_fasttext(folder: Path) -> Answer:
    machine = import_module("fasttext").load_model(str(folder / "model.bin"))

    def answer(texts: Sequence[str]) -> list[str]:
        found, _ = machine.predict([" ".join(text.split()) for text in texts])
        return [labels[0].removeprefix("__label__") for labels in found]

    return answer


def _make_encoder(lessons: Lessons, folder: Path) -> None:
    """Random weights in the shape of PhoBERT-base; the pieces of its tokens are learned, for their number."""
    torch, transformers = import_module("torch"), import_module("transformers")
    labels = sorted({label for _, label in lessons})
    _learn_pieces([text for text, _ in lessons], folder)
    torch.manual_seed(0)
    config = transformers.RobertaConfig(
        vocab_size=64_001, max_position_embeddings=_TOKENS + 2, type_vocab_size=1,
        num_labels=len(labels),
    )  # fmt: skip
    model = transformers.RobertaForSequenceClassification(config).eval()
    ids = torch.randint(5, 64_001, (2, 16))
    axes = {0: torch.export.Dim("texts"), 1: torch.export.Dim("tokens", max=_TOKENS)}
    whole = folder / "whole.onnx"
    torch.onnx.export(
        model, (ids, torch.ones_like(ids)), str(whole), dynamo=True, external_data=False,
        input_names=["ids", "mask"], output_names=["scores"], dynamic_shapes=(axes, axes),
        verbose=False,
    )  # fmt: skip
    quantization = import_module("onnxruntime.quantization")
    quantization.quantize_dynamic(
        whole, folder / "model.onnx", weight_type=quantization.QuantType.QInt8, per_channel=True
    )
    whole.unlink()
    (folder / "labels.json").write_text(json.dumps(labels), encoding="utf-8")


def _learn_pieces(texts: Sequence[str], folder: Path) -> None:
    tokenizers, segment = import_module("tokenizers"), _segment()
    pieces = tokenizers.Tokenizer(tokenizers.models.BPE(unk_token="<unk>"))
    pieces.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=64_000, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], show_progress=False
    )
    pieces.train_from_iterator(map(segment, texts), trainer)
    pieces.save(str(folder / "tokens.json"))


def _load_encoder(folder: Path) -> Answer:
    import numpy as np

    runtime, tokenizers = import_module("onnxruntime"), import_module("tokenizers")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = runtime.InferenceSession(str(folder / "model.onnx"), options)
    pieces = tokenizers.Tokenizer.from_file(str(folder / "tokens.json"))
    pieces.enable_truncation(_TOKENS - 2)
    pieces.enable_padding(pad_id=1, pad_token="<pad>")
    segment = _segment()
    labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))

    def answer(texts: Sequence[str]) -> list[str]:
        segmented = [f"<s> {segment(text)} </s>" for text in texts]
        order = sorted(range(len(texts)), key=lambda i: len(segmented[i]))
        found = [""] * len(texts)
        for at in range(0, len(order), _ENCODER_BATCH):
            rows = order[at : at + _ENCODER_BATCH]
            read = pieces.encode_batch([segmented[row] for row in rows])
            fed = {
                "ids": np.array([one.ids for one in read], dtype=np.int64),
                "mask": np.array([one.attention_mask for one in read], dtype=np.int64),
            }
            for row, best in zip(rows, session.run(None, fed)[0].argmax(axis=1), strict=True):
                found[row] = labels[best]
        return found

    return answer


PEERS = {
    "words": Peer(
        "underthesea `word_tokenize` + TF-IDF + LinearSVC", ("underthesea", "sklearn"),
        _make_words, _load_words,
    ),
    "sklearn": Peer(
        "scikit-learn: TF-IDF of words and characters + LinearSVC", ("sklearn",),
        _make_sklearn, _load_sklearn,
    ),
    "core": Peer(
        "`underthesea_core.TextClassifier`", ("underthesea_core",), _make_core, _load_core,
        n_whole=50_000,
    ),
    "fasttext": Peer(
        "fastText, words and pairs", ("fasttext",), _make_fasttext, _load_fasttext, n_whole=50_000
    ),
    "encoder": Peer(
        "encoder in the shape of PhoBERT-base, ONNX int8, random weights",
        ("torch", "transformers", "onnx", "onnxscript", "onnxruntime", "tokenizers", "underthesea"),
        _make_encoder, _load_encoder, chunk=64, n_whole=128, n_single=40,
    ),
}  # fmt: skip

"""Tiny random checkpoints with real tokenizers, made of the sample corpus and laid out as the hub does."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    ModernBertConfig,
    ModernBertModel,
    PhobertTokenizer,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
    XLMRobertaTokenizer,
)

from models.encoded import Encoder
from models.onnx import OnnxEncoder, quantise
from models.transformer import open_checkpoint
from models.windows import join_words
from tests.conftest import TINY_CORPUS

# `Any`: the configurations of transformers take anything
SMALL: dict[str, Any] = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 48}
LONGEST = 256
torch.set_num_threads(1)  # on matrices as small as these, threads wait for each other


def sample_texts() -> list[str]:
    paths = sorted(TINY_CORPUS.glob("*/*.jsonl"))
    lines = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return [json.loads(line)["text"] for line in lines]


def segmented(text: str) -> list[str]:
    return [written for written, _ in join_words(text)]


def write_phobert(folder: Path) -> None:
    """PhoBERT's own two files: pieces with how often they come, and merges in their order."""
    trained = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    trained.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    lines = [" ".join(segmented(text)) for text in sample_texts()]
    trainer = trainers.BpeTrainer(vocab_size=900, end_of_word_suffix="</w>", show_progress=False)
    trained.train_from_iterator(lines, trainer)
    merges = json.loads(trained.to_str())["model"]["merges"]
    seen = Counter(
        piece.removesuffix("</w>") if piece.endswith("</w>") else f"{piece}@@"
        for line in lines
        for piece in trained.encode(line).tokens
    )
    folder.mkdir(parents=True, exist_ok=True)
    codes = "".join(f"{first} {second} 1\n" for first, second in merges)
    (folder / "bpe.codes").write_text(codes, encoding="utf-8")
    pieces = "".join(f"{piece} {n}\n" for piece, n in seen.most_common())
    (folder / "vocab.txt").write_text(pieces, encoding="utf-8")
    tokenizer: Any = PhobertTokenizer(  # type: ignore[no-untyped-call] # transformers has no types
        str(folder / "vocab.txt"), str(folder / "bpe.codes")
    )
    tokenizer.save_pretrained(folder)
    config = RobertaConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=LONGEST + 2,
        num_hidden_layers=1,
        **SMALL | {"tokenizer_class": "PhobertTokenizer"},
    )
    save(RobertaModel(config), folder)


def write_xlmr(folder: Path) -> None:
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained = Tokenizer(models.Unigram())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=400, unk_token="<unk>", special_tokens=special, show_progress=False
    )
    trained.train_from_iterator(sample_texts(), trainer)
    vocabulary = [tuple(pair) for pair in json.loads(trained.to_str())["model"]["vocab"]]
    tokenizer = XLMRobertaTokenizer(vocab=vocabulary)
    tokenizer.save_pretrained(folder)
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=LONGEST + 2,
        num_hidden_layers=1,
        **SMALL,
    )
    save(XLMRobertaModel(config), folder)


def write_modernbert(folder: Path) -> None:
    special = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"]
    trained = Tokenizer(models.BPE(unk_token="[UNK]"))
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    trained.train_from_iterator(sample_texts(), trainer)
    trained.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 0), ("[SEP]", 2)],
    )
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call] # transformers has no types
        tokenizer_object=trained,
        cls_token="[CLS]",
        pad_token="[PAD]",
        sep_token="[SEP]",
        unk_token="[UNK]",
        mask_token="[MASK]",
    )
    tokenizer.save_pretrained(folder)
    config = ModernBertConfig(
        vocab_size=len(tokenizer),
        max_position_embeddings=LONGEST,
        num_hidden_layers=2,
        local_attention=16,
        pad_token_id=1,
        bos_token_id=0,
        cls_token_id=0,
        eos_token_id=2,
        sep_token_id=2,
        **SMALL,
    )
    save(ModernBertModel(config), folder)


def save(model: Any, folder: Path) -> None:
    model.save_pretrained(folder)


KINDS: Mapping[str, Callable[[Path], None]] = {
    "phobert": write_phobert,
    "xlmr": write_xlmr,
    "modernbert": write_modernbert,
}


def write_checkpoint(kind: str, folder: Path) -> Path:
    torch.manual_seed(0)
    KINDS[kind](folder)
    return folder


def an_encoder(kind: str, folder: Path) -> Encoder:
    """A checkpoint at work; `onnx` and `int8` are a graph made by hand, as an export takes long."""
    name = kind if kind in KINDS else "xlmr"
    opened = open_checkpoint(write_checkpoint(name, folder), max_tokens=LONGEST, overlap=8)
    if kind in KINDS:
        return opened
    graph = tiny_graph(n_ids=opened.spec.n_ids, size=opened.size)
    return OnnxEncoder.of(quantise(graph) if kind == "int8" else graph, windows=opened.windows)


def tiny_graph(*, n_ids: int, size: int) -> bytes:
    """An ONNX graph with ids in and states out, in which each state knows of its neighbours."""
    dice = np.random.default_rng(0)
    parts = {
        "table": dice.normal(size=(n_ids, size)),
        "layer": dice.normal(size=(size, size)) / size**0.5,
    }
    nodes = [
        onnx.helper.make_node("Gather", ["table", "ids"], ["own"]),
        onnx.helper.make_node("ReduceMean", ["own"], ["all"], axes=[1], keepdims=1),
        onnx.helper.make_node("Mul", ["own", "all"], ["both"]),
        onnx.helper.make_node("Add", ["own", "both"], ["sum"]),
        onnx.helper.make_node("MatMul", ["sum", "layer"], ["mixed"]),
        onnx.helper.make_node("Tanh", ["mixed"], ["states"]),
    ]
    graph = onnx.helper.make_graph(
        nodes,
        "tiny",
        [onnx.helper.make_tensor_value_info("ids", onnx.TensorProto.INT64, [1, "n"])],
        [onnx.helper.make_tensor_value_info("states", onnx.TensorProto.FLOAT, [1, "n", size])],
        [onnx.numpy_helper.from_array(v.astype(np.float32), k) for k, v in parts.items()],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    made: bytes = onnx.helper.make_model(
        graph, opset_imports=opset, ir_version=8
    ).SerializeToString()
    return made

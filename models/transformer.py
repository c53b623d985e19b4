"""A Classifier over a transformer encoder: mean-pooled embeddings, a linear head a question.

The encoder is any local checkpoint that `transformers.AutoModel` reads, with a fast tokenizer. Only
safetensors are loaded, and only after their hashes were checked by `models.registry`. This is the one file
that imports torch and transformers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from models.linear import Head
from nlp.protocols import Attribution, FloatArray, HeadSpec

_BATCH = 32


@dataclass(frozen=True)
class Encoder:
    """Token embeddings of a checkpoint, pooled to one vector a text.

    `tokenizer` and `model` are transformers objects (`Any`: the library has no types). Texts longer than
    `max_tokens` are cut; a context goes in as the second sequence.
    """

    tokenizer: Any
    model: Any
    max_tokens: int

    @classmethod
    def load(cls, folder: Path, *, max_tokens: int) -> "Encoder":
        """Load a checkpoint laid out as `save_pretrained` does; nothing is fetched."""
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
        return cls(tokenizer, model.eval(), max_tokens)

    def embed(self, texts: Sequence[str], contexts: Sequence[str]) -> FloatArray:
        """One vector a text, float32, shape (n_texts, hidden_size)."""
        vectors: list[FloatArray] = []
        with torch.inference_mode():
            for i in range(0, len(texts), _BATCH):
                tokens = self._tokenize(texts[i : i + _BATCH], contexts[i : i + _BATCH])
                states = self.model(**tokens).last_hidden_state
                vectors.append(_mean(states, tokens["attention_mask"]).numpy())
        nothing = np.zeros((0, self.model.config.hidden_size), dtype=np.float32)
        return np.concatenate([nothing, *vectors])

    def explain(
        self, text: str, context: str, *, direction: FloatArray
    ) -> list[tuple[int, int, float]]:
        """What each token of the text adds to `direction · vector`: gradient times input.

        Source: Shrikumar et al. 2016, "Not just a black box", section 2.
        """
        tokens = self._tokenize([text], [context], return_offsets_mapping=True)
        [offsets] = tokens.pop("offset_mapping").tolist()
        sequence = tokens.sequence_ids(0)
        embedded = self.model.get_input_embeddings()(tokens["input_ids"]).detach()
        embedded.requires_grad_()
        rest = {name: value for name, value in tokens.items() if name != "input_ids"}
        states = self.model(inputs_embeds=embedded, **rest).last_hidden_state
        score = _mean(states, tokens["attention_mask"])[0] @ torch.from_numpy(direction)
        [gradient] = torch.autograd.grad(score, embedded)
        weights = (gradient * embedded).sum(dim=-1)[0].tolist()
        return [
            (start, end, weight)
            for (start, end), part, weight in zip(offsets, sequence, weights, strict=True)
            if part == 0 and end > start
        ]

    def _tokenize(self, texts: Sequence[str], contexts: Sequence[str], **options: Any) -> Any:
        """A BatchEncoding of tensors. `Any`: transformers has no types."""
        # always a pair, so that an answer does not depend on the contexts of its neighbours
        return self.tokenizer(
            list(texts),
            list(contexts),
            padding=True,
            truncation=True,
            max_length=self.max_tokens,
            return_tensors="pt",
            **options,
        )


def _mean(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The mean over real tokens, shape (n_texts, hidden_size)."""
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


@dataclass(frozen=True)
class TransformerReading:
    """Texts embedded once, answered by every head."""

    encoder: Encoder
    encoder_heads: Mapping[str, Head]
    texts: tuple[str, ...]
    contexts: tuple[str, ...]

    @cached_property
    def vectors(self) -> FloatArray:
        """float32, shape (n_texts, hidden_size)."""
        return self.encoder.embed(self.texts, self.contexts)

    def probabilities(self, head: str) -> FloatArray:
        """Calibrated probabilities, float32, shape (n_texts, n_labels)."""
        chosen = self.encoder_heads[head]
        return chosen.calibrate(self.vectors @ chosen.weights + chosen.bias)

    def attribute(self, questions: Sequence[tuple[int, str]], *, head: str) -> Attribution:
        """What each token adds to the score of a label, by gradient times input."""
        chosen = self.encoder_heads[head]
        rows: list[tuple[int, int, int, float, bool]] = []
        for number, (row, label) in enumerate(questions):
            text = self.texts[row]
            direction = np.ascontiguousarray(chosen.weights[:, chosen.spec.labels.index(label)])
            found = self.encoder.explain(text, self.contexts[row], direction=direction)
            rows += [(number, s, e, w, any(map(str.isalnum, text[s:e]))) for s, e, w in found]
        columns = list(zip(*rows, strict=True)) or [(), (), (), (), ()]
        return Attribution(
            n_questions=len(questions),
            questions=np.array(columns[0], dtype=np.int64),
            starts=np.array(columns[1], dtype=np.int64),
            ends=np.array(columns[2], dtype=np.int64),
            weights=np.array(columns[3], dtype=np.float32),
            speaks=np.array(columns[4], dtype=np.bool_),
        )


@dataclass(frozen=True, slots=True)
class TransformerClassifier:
    """A Classifier (`nlp.protocols`) over an encoder."""

    name: str
    version: str
    sha256: str
    taxonomy: tuple[str, str]
    encoder: Encoder
    encoder_heads: Mapping[str, Head]

    @property
    def heads(self) -> Mapping[str, HeadSpec]:
        """The questions it answers, by name."""
        return {name: head.spec for name, head in self.encoder_heads.items()}

    def read(
        self, texts: Sequence[str], *, contexts: Sequence[str] | None = None
    ) -> TransformerReading:
        """Read texts (Unicode NFC, any length, possibly empty) in one pass, each with its context."""
        beside = tuple(contexts) if contexts is not None else ("",) * len(texts)
        return TransformerReading(self.encoder, self.encoder_heads, tuple(texts), beside)

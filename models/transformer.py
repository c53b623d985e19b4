"""Transformer checkpoints run by torch: found, checked, loaded, run, exported.

Only safetensors are loaded, and no code that comes with a checkpoint is run. With `models.finetune` the one
place that imports torch and transformers (extra `transformer`).
"""

import logging
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from tokenizers import Tokenizer
from tokenizers import models as bpe
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import AutoModel, AutoTokenizer, PhobertTokenizer
from transformers.utils import logging as chatter

from models.encoded import CutText, Window, WindowSpec
from models.recipe import EncoderRecipe
from models.windows import Windows
from nlp.errors import ArtifactError
from nlp.protocols import FloatArray

_BATCH = 32
_FETCHED = ("*.json", "*.safetensors", "*.txt", "bpe.codes", "*.model")  # no code, no pickle
_END = "</w>"  # of a word, as tokenizers writes it; PhoBERT marks the pieces that do not end one instead
_GOES_ON = "@@"
chatter.disable_progress_bar()  # type: ignore[no-untyped-call] # transformers has no types


@dataclass(frozen=True)
class TorchEncoder:
    """An Encoder (`models.encoded`) in torch. `model` is a transformers object (`Any`: no types)."""

    windows: Windows
    model: Any
    backend: str = "transformer"

    @classmethod
    def load(cls, folder: Path, *, spec: WindowSpec) -> "TorchEncoder":
        """Load what `save` wrote; nothing is fetched."""
        return cls(Windows.load(folder, spec=spec), _load_model(folder))

    @property
    def spec(self) -> WindowSpec:
        """How it reads."""
        return self.windows.spec

    def cut(self, text: str, *, context: str = "") -> CutText:
        """Cut a text (Unicode NFC) into windows, its context in each of them."""
        return self.windows.cut(text, context=context)

    @property
    def size(self) -> int:
        """Values of a vector."""
        return int(self.model.config.hidden_size)

    def embed(self, windows: Sequence[Window]) -> FloatArray:
        """The mean state of each window's tokens, float32, shape (n_windows, size)."""
        vectors = np.zeros((len(windows), self.size), dtype=np.float32)
        # alike in length together, so that little is read for nothing
        order = sorted(range(len(windows)), key=lambda i: len(windows[i].ids))
        with torch.inference_mode():
            for i in range(0, len(order), _BATCH):
                rows = order[i : i + _BATCH]
                vectors[rows] = pool(self.model, [windows[row] for row in rows]).numpy()
        return vectors

    def states(self, window: Window) -> FloatArray:
        """The last state of each token of a window, float32, shape (n_tokens, size)."""
        ids, mask = to_tensors([window])
        with torch.inference_mode():
            found = self.model(input_ids=ids, attention_mask=mask).last_hidden_state[0]
        return np.asarray(found.numpy(), dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write config, safetensors and tokenizer."""
        self.model.save_pretrained(folder, max_shard_size="100GB")
        self.windows.save(folder)


def to_tensors(windows: Sequence[Window]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and attention mask, int64, shape (n_windows, longest); the mask hides what fills a row up."""
    longest = max(len(window.ids) for window in windows)
    ids = torch.zeros((len(windows), longest), dtype=torch.int64)
    mask = torch.zeros((len(windows), longest), dtype=torch.int64)
    for row, window in enumerate(windows):
        ids[row, : len(window.ids)] = torch.tensor(window.ids)
        mask[row, : len(window.ids)] = 1
    return ids, mask


def pool(model: Any, windows: Sequence[Window]) -> torch.Tensor:
    """The mean state of each window's tokens, shape (n_windows, size). `Any`: no types."""
    ids, mask = (part.to(model.device) for part in to_tensors(windows))
    pad = model.config.pad_token_id
    filled = ids if pad is None else ids.masked_fill(mask == 0, pad)  # positions are counted by it
    states = model(input_ids=filled, attention_mask=mask).last_hidden_state.float()
    weights = mask.unsqueeze(-1).to(states.dtype)
    mean: torch.Tensor = (states * weights).sum(dim=1) / weights.sum(dim=1)
    return mean


def find_checkpoint(wanted: EncoderRecipe) -> Path:
    """The folder of the checkpoint that a recipe names; one of the hub is fetched once, by its commit.

    Raises:
        ArtifactError: there is none, or the hub cannot be reached.
    """
    if wanted.checkpoint is not None:
        return wanted.checkpoint
    fetch = partial(
        snapshot_download,
        str(wanted.hub),
        revision=wanted.revision,
        allow_patterns=list(_FETCHED),
    )
    with suppress(LocalEntryNotFoundError):
        return Path(fetch(local_files_only=True))
    try:
        return Path(fetch())
    except (OSError, HfHubHTTPError) as error:
        raise ArtifactError(
            f"{wanted.hub} at {wanted.revision}: not at hand, and the hub does not give it; fetch it where"
            " there is a network, and name its folder as `checkpoint`"
        ) from error


def open_checkpoint(folder: Path, *, max_tokens: int, overlap: int) -> TorchEncoder:
    """Open a checkpoint laid out as the hub does, with its own tokenizer.

    Raises:
        ArtifactError: a part is missing, or it is no encoder, or it cannot read windows of this length.
    """
    _check_layout(folder)
    model = _load_model(folder)
    longest = _longest(model)
    if max_tokens > longest:
        raise ArtifactError(
            f"{folder}: reads at most {longest} tokens; `max_tokens` is {max_tokens}"
        )
    tokenizer, segmented = _open_tokenizer(folder)
    spec = WindowSpec(max_tokens, overlap, segmented, int(model.config.vocab_size))
    return TorchEncoder(Windows.of(tokenizer, spec=spec), model)


def _check_layout(folder: Path) -> None:
    if not folder.is_dir():
        raise ArtifactError(
            f"{folder}: no such folder; a checkpoint is a folder laid out as the hub's"
        )
    if not (folder / "config.json").is_file():
        raise ArtifactError(f"{folder}: has no config.json, so it is no checkpoint")
    if not any(folder.glob("*.safetensors")):
        raise ArtifactError(
            f"{folder}: has no .safetensors, and pickled weights are never opened; convert them first"
            " (models/README.md says how)"
        )


def _load_model(folder: Path) -> Any:
    """The encoder with all of its weights, in float32. `Any`: transformers has no types."""
    torch.manual_seed(0)  # a pooler that nobody uses may be made up
    try:
        model, found = AutoModel.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except Exception as error:  # anything can be wrong with a file of somebody else
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise ArtifactError(f"{folder}: cannot be loaded as an encoder: {said[0]}") from error
    missing = [key for key in found["missing_keys"] if not key.startswith("pooler.")]
    if missing or found["mismatched_keys"]:
        raise ArtifactError(
            f"{folder}: the weights are not those of its config.json: {len(missing)} parts are missing,"
            f" {len(found['mismatched_keys'])} of another shape"
        )
    config = model.config
    if config.is_encoder_decoder or getattr(config, "is_decoder", False) or _is_causal(model):
        raise ArtifactError(f"{folder}: {config.model_type} writes texts; an encoder is needed")
    return model.eval()


def _is_causal(model: Any) -> bool:
    """Whether a token sees only what stands before it. `Any`: transformers has no types."""
    with torch.inference_mode():
        first, other = (
            model(input_ids=torch.tensor([[3, last]])).last_hidden_state[0, 0] for last in (4, 5)
        )
    return bool(torch.equal(first, other))


def _longest(model: Any) -> int:
    """Tokens that it has positions for; RoBERTa begins to count behind its padding id."""
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    before = getattr(table, "padding_idx", None)
    return int(model.config.max_position_embeddings) - (0 if before is None else before + 1)


def _open_tokenizer(folder: Path) -> tuple[Tokenizer, bool]:
    """Its tokenizer, and whether it reads segmented words."""
    try:
        own = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # anything can be wrong with a file of somebody else
        raise ArtifactError(f"{folder}: has no tokenizer that can be read") from error
    if isinstance(own, PhobertTokenizer):
        return build_phobert(own), True
    backend = getattr(own, "backend_tokenizer", None)
    if backend is None or len(own) <= len(own.all_special_tokens):
        raise ArtifactError(f"{folder}: has no tokenizer.json, or one without a vocabulary")
    return Tokenizer.from_str(backend.to_str()), False


def build_phobert(slow: Any) -> Tokenizer:
    """PhoBERT's tokenizer, which has no offsets, as one of `tokenizers` that gives the same ids.

    Its merges go through pieces that are not in its vocabulary. They get ids behind it; whoever reads takes
    those for the unknown token, as PhoBERT does. `Any`: transformers has no types.
    """
    special = {token: slow.convert_tokens_to_ids(token) for token in slow.all_special_tokens}
    own = {piece: number for piece, number in slow.encoder.items() if piece not in special}
    vocabulary = {_to_native(piece): number for piece, number in own.items()} | special
    merges = sorted((pair for pair in slow.bpe_ranks if len(pair) == 2), key=slow.bpe_ranks.get)
    fresh = len(slow)
    for pair in merges:
        for piece in (*pair, "".join(pair)):
            if piece not in vocabulary:
                vocabulary[piece] = fresh
                fresh += 1
    model = bpe.BPE(
        vocab=vocabulary,
        merges=merges,
        unk_token=slow.unk_token,
        end_of_word_suffix=_END,
    )
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.add_special_tokens(list(special))
    first, last = slow.cls_token, slow.sep_token
    tokenizer.post_processor = TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} {last} $B {last}",
        special_tokens=[(first, slow.cls_token_id), (last, slow.sep_token_id)],
    )
    return tokenizer


def export_graph(encoder: TorchEncoder) -> bytes:
    """An ONNX graph: ids, int64, shape (1, n_tokens), to states, float32, shape (1, n_tokens, size)."""
    longest = encoder.spec.max_tokens
    [*_, window] = encoder.cut("a " * longest).windows
    n = torch.export.Dim("n", min=2, max=longest)
    # the library talks much about itself
    logging.disable(logging.WARNING)
    try:
        with TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
            path = Path(folder) / "model.onnx"
            torch.onnx.export(
                _States(encoder.model),
                (torch.tensor([window.ids]),),
                path,
                dynamo=True,
                external_data=False,
                input_names=["ids"],
                output_names=["states"],
                dynamic_shapes={"ids": {1: n}},
                verbose=False,
            )
            return path.read_bytes()
    finally:
        logging.disable(logging.NOTSET)


class _States(torch.nn.Module):
    """Ids of one window to the states of its tokens. `Any`: transformers has no types."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor) -> Any:
        return self.model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state


def _to_native(piece: str) -> str:
    """A piece of PhoBERT's vocabulary as tokenizers writes it."""
    goes_on = len(piece) > len(_GOES_ON) and piece.endswith(_GOES_ON)
    return piece[: -len(_GOES_ON)] if goes_on else piece + _END

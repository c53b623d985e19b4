"""How many texts an encoder reads a second: on a GPU where there is one, else on one core.

    python tests/benchmarks/encoder.py [--seconds 10]

Needs torch and transformers alone. The weights are random: that changes no time. The sizes are those of the
Vietnamese encoders in use: "base" as PhoBERT-base and XLM-R-base (12 layers of 768), "large" as
PhoBERT-large (24 of 1,024). Only the encoder is timed, with ids at hand; tokenizing and all the rest that
`analyze` does for a text is the processor's and takes as long as without an encoder. Prints Markdown.
"""

import argparse
import sys
import time
from typing import Any

import torch
from transformers import RobertaConfig, RobertaModel

_SIZES = {"base": (12, 768, 12), "large": (24, 1_024, 16)}
_LENGTHS = (64, 256)  # tokens: an opinion, a long letter's window
_TOKENS_AT_ONCE = {"cuda": 65_536, "cpu": 2_048}


def open_encoder(size: str, *, device: str) -> Any:
    """An encoder of this size with random weights. `Any`: transformers has no types."""
    n_layers, width, n_heads = _SIZES[size]
    config = RobertaConfig(
        vocab_size=64_001,
        hidden_size=width,
        num_hidden_layers=n_layers,
        num_attention_heads=n_heads,
        intermediate_size=4 * width,
        max_position_embeddings=514,
    )
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    model: Any = RobertaModel(config, add_pooling_layer=False)
    return model.to(device, dtype).eval()


def measure(model: Any, *, n_tokens: int, device: str, seconds: float) -> float:
    """Texts of so many tokens a second."""
    n_texts = _TOKENS_AT_ONCE[device] // n_tokens
    ids = torch.randint(5, 60_000, (n_texts, n_tokens), device=device)
    mask = torch.ones_like(ids)
    n_done, started = 0, 0.0
    with torch.inference_mode():
        for turn in range(1_000_000):
            pooled = model(input_ids=ids, attention_mask=mask).last_hidden_state.mean(dim=1)
            pooled.float().cpu()  # waits until it is done
            n_done += n_texts
            if turn == 1:  # until here it warms up
                n_done, started = 0, time.perf_counter()
            if started and time.perf_counter() - started > seconds:
                break
    return n_done / (time.perf_counter() - started)


def main() -> None:
    """Measure all, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    seconds = parser.parse_args().seconds
    device = "cuda" if torch.cuda.is_available() else "cpu"
    name = torch.cuda.get_device_name() if device == "cuda" else "one core"
    torch.manual_seed(0)
    torch.set_num_threads(1)
    sys.stdout.write(f"{name}, torch {torch.__version__}\n\n")
    sys.stdout.write("| encoder | tokens a text | texts a second |\n|---|---|---|\n")
    for size in _SIZES:
        model = open_encoder(size, device=device)
        for n_tokens in _LENGTHS:
            rate = measure(model, n_tokens=n_tokens, device=device, seconds=seconds)
            sys.stdout.write(f"| {size} | {n_tokens} | {rate:,.0f} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()

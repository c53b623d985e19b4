"""A checkpoint exported to ONNX, in full or with weights of 8 bits, run by onnxruntime: no torch at work.

Windows are read one at a time: with 8 bits the scale of the values between two layers is taken from all that
is read together, so that an answer would depend on its neighbours. On a processor batches gain little.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime

from models.encoded import CutText, Window, WindowSpec
from models.windows import Windows
from nlp.errors import ArtifactError
from nlp.protocols import FloatArray

GRAPH = "model.onnx"


@dataclass(frozen=True)
class OnnxEncoder:
    """An Encoder (`models.encoded`) in onnxruntime. `session` is its `InferenceSession` (`Any`: no types)."""

    windows: Windows
    session: Any
    data: bytes
    backend: str = "onnx"

    @classmethod
    def load(cls, folder: Path, *, spec: WindowSpec) -> "OnnxEncoder":
        """Load what `save` wrote."""
        return cls.of((folder / GRAPH).read_bytes(), windows=Windows.load(folder, spec=spec))

    @classmethod
    def of(cls, data: bytes, *, windows: Windows) -> "OnnxEncoder":
        """Over the bytes of a graph: token ids in, states out."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.use_deterministic_compute = True
        try:
            session = onnxruntime.InferenceSession(
                data, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the library raises nothing narrower
            raise ArtifactError("the ONNX graph cannot be read; export it again") from error
        return cls(windows, session, data)

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
        return int(self.session.get_outputs()[0].shape[-1])

    def embed(self, windows: Sequence[Window]) -> FloatArray:
        """The mean state of each window's tokens, float32, shape (n_windows, size)."""
        vectors = np.zeros((len(windows), self.size), dtype=np.float32)
        for row, window in enumerate(windows):
            vectors[row] = self.states(window).mean(axis=0)
        return vectors

    def states(self, window: Window) -> FloatArray:
        """The last state of each token of a window, float32, shape (n_tokens, size)."""
        [found] = self.session.run(None, {"ids": np.array([window.ids], dtype=np.int64)})
        return np.asarray(found[0], dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write graph and tokenizer."""
        (folder / GRAPH).write_bytes(self.data)
        self.windows.save(folder)


def quantise(graph: bytes) -> bytes:
    """The graph with weights of 8 bits, a scale a channel; what passes between is scaled as it comes."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.disable(logging.WARNING)  # the library talks much about itself
    try:
        with TemporaryDirectory() as folder:
            whole, small = Path(folder) / "whole.onnx", Path(folder) / "small.onnx"
            whole.write_bytes(graph)
            quantize_dynamic(whole, small, weight_type=QuantType.QInt8, per_channel=True)
            return small.read_bytes()
    finally:
        logging.disable(logging.NOTSET)

"""A process that seals as soon as others are there to do the same."""

from pathlib import Path
from typing import Any

from service.sealing import Sealer


def seal_together(file: Path, gate: Any, sealed: Any) -> None:
    """Seal when all have come; `Any`: the types of multiprocessing depend on how it starts."""
    gate.wait()
    sealed.put(Sealer(file).seal(b"x"))

"""The shipped registers, and documents built from plain lines."""

from pathlib import Path

import pytest

from nlp.structure import Registers, load_registers

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def registers() -> Registers:
    return load_registers(ROOT / "corpus" / "registers")

"""What monitoring says to people, in the words of `service/texts/vi.toml`."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parents[1] / "texts" / "vi.toml"


@cache
def words_of(section: str) -> Mapping[str, str]:
    """One section of the words."""
    words: Mapping[str, str] = tomllib.loads(_FILE.read_text(encoding="utf-8"))[section]
    return words

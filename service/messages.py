"""What the service says to people: every Vietnamese word of it stands in `service/texts/vi.toml`.

Vietnamese has no plural and no grammatical gender, so a message is a sentence with named places: TOML and
`str.format` are enough, and a translator needs to know nothing else.
"""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path

from service.formats import show_day, show_moment, show_number

_FILE = Path(__file__).parent / "texts" / "vi.toml"
Value = str | int | float | date | datetime


def say(key: str, **values: Value) -> str:
    """The message `section.name` with its places filled in.

    Numbers and days are written as in Vietnam; a text goes in as it is.

    Raises:
        KeyError: there is no such message, or a value is missing.
    """
    section, _, name = key.partition(".")
    message = words_of(section)[name]
    return message.format_map({name: _show(value) for name, value in values.items()})


def words_of(section: str) -> Mapping[str, str]:
    """One section of the messages, by name.

    Raises:
        KeyError: there is no such section.
    """
    return all_words()[section]


@cache
def all_words() -> Mapping[str, Mapping[str, str]]:
    """Every section of the file."""
    words: Mapping[str, Mapping[str, str]] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return words


def _show(value: Value) -> str:
    if isinstance(value, datetime):
        return show_moment(value)
    if isinstance(value, date):
        return show_day(value)
    return value if isinstance(value, str) else show_number(value)

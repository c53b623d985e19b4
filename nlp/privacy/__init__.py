"""What protects citizens: personal data is covered, and what may not be said of their texts is withheld.

Covered, however they are written: names of private persons; telephone, identity, account and plate numbers;
e-mail addresses; dwellings below the street; dates of birth. Officials with their office, hotlines, streets
and addresses of public bodies stay.

In an official document officials are named as they are; covered is who it tells of as a private person.

Source: Law 91/2025/QH15 on personal data protection.
"""

import re
from collections.abc import Iterable, Iterator

from nlp.privacy.births import find_births
from nlp.privacy.dwellings import find_dwellings
from nlp.privacy.emails import find_emails
from nlp.privacy.found import MASK, PersonalData, PersonalKind
from nlp.privacy.names import find_names
from nlp.privacy.numbers import find_numbers
from nlp.privacy.page import read_page
from nlp.privacy.plates import find_plates
from nlp.privacy.withholding import withhold
from nlp.types import Document

__all__ = [
    "MASK",
    "PersonalData",
    "PersonalKind",
    "find_personal_data",
    "mask",
    "mask_parties",
    "withhold",
]

_LINE = re.compile(r"[^\n]+")
_MAY_TELL = re.compile(r"\d")
_OF_A_PARTY: frozenset[PersonalKind] = frozenset({"birth_date", "address", "bank_account", "plate"})


def find_personal_data(text: str) -> tuple[PersonalData, ...]:
    """Every stretch of personal data, in reading order; stretches may overlap. Expects NFC."""
    found: list[PersonalData] = []
    # What is covered tells more: the name before a number, the date after a name.
    # It ends, since each turn covers more.
    while fresh := _find_once(text):
        found += fresh
        text = _cover(text, fresh)
    return tuple(sorted(set(found)))


def mask(text: str) -> str:
    """The text with personal data covered by `•`, one for one: offsets stay what they were."""
    return _cover(text, find_personal_data(text))


def mask_parties(doc: Document) -> str:
    """The text of an official document with private persons covered by `•`, one for one.

    A private person is one whose identity number stands in the document, or whose date of birth, dwelling,
    account or number plate stands with their name: everything personal in that line, or row of a table, is
    covered, and the name wherever it comes again. Officials are named without these.
    """
    text = doc.text
    names: set[str] = set()
    for start, end in _lines_and_rows(doc):
        line = text[start:end]
        found = find_personal_data(line) if _MAY_TELL.search(line) else ()
        if not _is_of_a_party({data.kind for data in found}):
            continue
        own = (line[data.span.start : data.span.end] for data in found if data.kind == "name")
        names.update(name for name in own if " " in name)
        text = text[:start] + _cover(line, found) + text[end:]
    for name in names:
        again = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE)
        text = again.sub(MASK * len(name), text)
    return text


def _is_of_a_party(kinds: set[PersonalKind]) -> bool:
    return "identity_number" in kinds or ("name" in kinds and not kinds.isdisjoint(_OF_A_PARTY))


def _lines_and_rows(doc: Document) -> Iterator[tuple[int, int]]:
    """Where lines begin and end, those of a row of a table as one."""
    rows: dict[tuple[int, int], tuple[int, int]] = {}
    for block in doc.blocks:
        if block.table is not None and block.row is not None:
            start, _ = rows.setdefault((block.table, block.row), (block.start, block.end))
            rows[block.table, block.row] = start, block.end
    yield from rows.values()
    yield from (match.span() for match in _LINE.finditer(doc.text))


def _find_once(text: str) -> list[PersonalData]:
    page = read_page(text)
    finders = (find_emails, find_numbers, find_plates, find_births, find_dwellings, find_names)
    found = (data for find in finders for data in find(page))
    return [data for data in found if text[data.span.start : data.span.end].strip(MASK)]


def _cover(text: str, found: Iterable[PersonalData]) -> str:
    chars = list(text)
    for data in found:
        start, end = data.span.start, data.span.end
        chars[start:end] = MASK * (end - start)
    return "".join(chars)

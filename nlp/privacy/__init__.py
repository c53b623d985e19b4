"""What protects citizens: personal data is covered, and what may not be said of their texts is withheld.

Covered, however they are written: names of private persons; telephone, identity, account and plate numbers;
e-mail addresses; dwellings below the street; dates of birth. Officials with their office, hotlines, streets
and addresses of public bodies stay.

Source: Law 91/2025/QH15 on personal data protection.
"""

from collections.abc import Iterable

from nlp.privacy.births import find_births
from nlp.privacy.dwellings import find_dwellings
from nlp.privacy.emails import find_emails
from nlp.privacy.found import MASK, PersonalData, PersonalKind
from nlp.privacy.names import find_names
from nlp.privacy.numbers import find_numbers
from nlp.privacy.page import read_page
from nlp.privacy.plates import find_plates
from nlp.privacy.withholding import withhold

__all__ = ["MASK", "PersonalData", "PersonalKind", "find_personal_data", "mask", "withhold"]


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

"""What is found: a stretch of personal data and its kind."""

from dataclasses import dataclass
from typing import Literal

from nlp.types import Span

PersonalKind = Literal[
    "name",
    "phone",
    "email",
    "identity_number",
    "bank_account",
    "plate",
    "address",
    "birth_date",
]
MASK = "•"


@dataclass(frozen=True, slots=True, order=True)
class PersonalData:
    """A stretch of text that tells who somebody is."""

    span: Span
    kind: PersonalKind

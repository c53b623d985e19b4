"""What a report bears as an official document; where nothing is given, dots to fill in by hand.

Nothing of it is stored: it stands in the address of who asks, and in the file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Literal, get_args

from nlp.text import to_nfc

Form = Literal["state", "party"]
FORMS: tuple[Form, ...] = get_args(Form)
LONGEST_LINE = 120


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Whose report it is: `upper` is the body above `body`, `symbol` what the number ends in ("UBND").

    `signer` is the title of who signs ("TRƯỞNG BAN").
    """

    form: Form = "state"
    upper: str = ""
    body: str = ""
    symbol: str = ""
    number: str = ""
    place: str = ""
    dated: date | None = None
    signer: str = ""


LINES = tuple(one.name for one in fields(Letterhead) if one.name not in {"form", "dated"})


def read_letterhead(given: Mapping[str, str]) -> Letterhead:
    """The letterhead that was asked for; a form or day that is none counts as not given."""
    form = next((form for form in FORMS if form == given.get("form")), FORMS[0])
    lines = {name: _line(given.get(name, "")) for name in LINES}
    return Letterhead(form=form, dated=_day(given.get("dated", "")), **lines)


def _line(text: str) -> str:
    """One line without control characters."""
    shown = "".join(char if char.isprintable() else " " for char in to_nfc(text))
    return " ".join(shown.split())[:LONGEST_LINE]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None

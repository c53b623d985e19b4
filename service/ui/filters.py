"""The filters of a list: from the address to a query, and back to the form and to other addresses.

The parameters are those of `/v1`, so that a link to a list there leads to the same list here. What a form
sends is brought to them first: it asks for the last day where they have the day after it, and it sends every
field, filled in or not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Generic, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError

from nlp.gazetteer import Gazetteer
from service.formats import show_day
from service.messages import say
from service.store.days import VIETNAM
from service.ui.choices import Choices, name_of

FORM = "form"  # marks what a form sent
ALL = "all"  # of what is usual: an address that would be bare asks for everything by it
_NOT_ASKED = {FORM, "told", "limit"}  # of a page: they do not say which items
_LASTS = {"received_until": "received_to", "dated_until": "dated_to", "day_until": "day_to"}
_MOMENTS = ("received_from", "received_to")
_SPANS = (("received_from", "received_to"), ("dated_from", "dated_to"), ("day_from", "day_to"))
_DAYS = {name for span in _SPANS for name in span}
_UNSHOWN = {"cursor"}
_CLOSED = {"papi"}  # what no pack knows cannot be looked for either
_NAME_CHARS = 40  # of a stray parameter: it may be anything
_DAY = timedelta(days=1)
F = TypeVar("F", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Remark:
    """What is said of a filter beside the form; a fault keeps the list from being read."""

    name: str
    text: str
    is_fault: bool = True


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that holds, in words, and the address of the list without it."""

    name: str
    shown: str
    without: str


@dataclass(frozen=True, slots=True)
class Asked(Generic[F]):
    """What a list is asked for.

    `values` are the parameters of the address in their order; `filter` is None where one cannot be read.
    `usual` is what holds where an address asks for nothing.
    """

    path: str
    values: Mapping[str, str]
    choices: Choices
    filter: F | None
    remarks: tuple[Remark, ...]
    usual: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_usual(self) -> bool:
        """Whether nothing but what is usual holds."""
        return self.values == self.usual

    @property
    def chips(self) -> tuple[Chip, ...]:
        """The filters that hold, but for where in the list one is."""
        return tuple(
            Chip(_title(name), self._shown(name), self.address(name, "cursor"))
            for name in self.values
            if name not in _UNSHOWN
        )

    def address(self, *without: str, **more: str) -> str:
        """The address of this list, without some parameters and with others."""
        values = {name: v for name, v in self.values.items() if name not in without} | more
        if not values:
            values = dict.fromkeys(self.usual, ALL)
        return f"{self.path}?{urlencode(values)}" if values else self.path

    def has(self, *names: str) -> bool:
        """Whether one of these filters holds."""
        return any(name in self.values for name in names)

    def typed(self, name: str) -> str:
        """The value of a field of the form; a day as `2026-01-05`, what is no day as it was given."""
        until = _LASTS.get(name)
        value = self.values.get(until or name, "")
        if value and (until or name) in _DAYS:
            day = _day_of(value, is_end=until is not None)
            return str(day) if day else value
        return value

    def is_choice(self, name: str, code: str) -> bool:
        """Whether a code is among those that are offered."""
        return name_of(self.choices, name, code=code) is not None

    def is_day(self, text: str) -> bool:
        """Whether a field of days can show this."""
        return not text or _read_day(text) is not None

    def _shown(self, name: str) -> str:
        """The value of a filter in words."""
        value = self.values[name]
        if name in _DAYS:
            day = _day_of(value, is_end=name in _LASTS.values())
            return show_day(day) if day else value
        if name == "group":
            return ""
        return name_of(self.choices, name, code=value) or value


def settle(
    given: Mapping[str, str],
    *,
    places: Gazetteer | None = None,
    usual: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The parameters of `/v1` that an address or a form means; what is empty is not asked for.

    An address that asks for nothing means what is `usual`. A form that names a ward means the ward wherever a
    text names it: the province was chosen to find it, and with another province the ward goes.
    """
    values = {
        name: value.strip()
        for name, value in given.items()
        if value.strip() and name not in _NOT_ASKED
    }
    if not values and FORM not in given:
        return dict(usual or {})
    values = {name: v for name, v in values.items() if v != ALL or name not in (usual or {})}
    for last, end in _LASTS.items():
        if last in values:
            values[end] = _after(values.pop(last))
    for name in _DAYS & values.keys():
        values[name] = _as_parameter(values[name], is_moment=name in _MOMENTS)
    if FORM in given and places is not None and "ward" in values:
        lies_within = places.provinces.get(values["ward"]) == values.get("province")
        values.pop("province" if lies_within else "ward", None)
    return values


def read_filter(
    model: type[F],
    values: Mapping[str, str],
    *,
    path: str,
    choices: Choices,
    usual: Mapping[str, str] | None = None,
) -> Asked[F]:
    """The filter that settled parameters ask for, with what is to be said of them."""
    known = {name: values[name] for name in model.model_fields if name in values}
    try:
        asked = model.model_validate(values)
    except ValidationError as error:
        wrong = dict.fromkeys(str(own["loc"][0]) for own in error.errors(include_input=False))
        faults = tuple(Remark(name, _complaint(name, is_known=name in known)) for name in wrong)
        return Asked(path, known, choices, None, faults, usual or {})
    remarks = (*_backward(asked), *_unnamed(known, choices=choices))
    is_read = not any(remark.is_fault for remark in remarks)
    return Asked(path, known, choices, asked if is_read else None, remarks, usual or {})


def _complaint(name: str, *, is_known: bool) -> str:
    if not is_known:
        return say("lists.unknown_filter", name=name[:_NAME_CHARS])
    kind = "day" if name in _DAYS else name if name in ("q", "cursor") else "code"
    return say(f"lists.wrong_{kind}", name=_title(name))


def _backward(asked: BaseModel) -> Iterator[Remark]:
    """Spans of time that end before they begin."""
    for first, end in _SPANS:
        since, until = getattr(asked, first, None), getattr(asked, end, None)
        if since is not None and until is not None and since >= until:
            yield Remark(first, say("lists.wrong_span", first=_title(first), last=_title(end)))


def _unnamed(values: Mapping[str, str], *, choices: Choices) -> Iterator[Remark]:
    """Codes that no choice has: those of another version of a register, or none at all."""
    for name in choices:
        if name in values and name_of(choices, name, code=values[name]) is None:
            text = say("lists.unknown_code", name=_title(name), code=values[name])
            yield Remark(name, text, is_fault=name in _CLOSED)


def _title(name: str) -> str:
    return say(f"lists.{name}")


def _day_of(value: str, *, is_end: bool) -> date | None:
    """The day in Vietnam that a parameter means; of an end the last day before it."""
    day = _read_day(value)
    if day is None:
        moment = _read_moment(value)
        if moment is None or not date.min + _DAY < moment.date() < date.max - _DAY:
            return None
        local = moment.astimezone(VIETNAM)
        return (local - timedelta(microseconds=1) if is_end else local).date()
    return day - _DAY if is_end and day > date.min else day


def _after(text: str) -> str:
    """The day after a last day; what is no day stays as it is."""
    day = _read_day(text)
    return str(day + _DAY) if day is not None and day < date.max else text


def _as_parameter(text: str, *, is_moment: bool) -> str:
    """A day as `/v1` has it: in ISO 8601, and with the hour at which it begins where it wants a moment."""
    day = _read_day(text)
    if day is None:
        return text
    return datetime.combine(day, time(), tzinfo=VIETNAM).isoformat() if is_moment else str(day)


def _read_day(text: str) -> date | None:
    """A day as forms send it, or as people write it: `2026-01-05`, `5/1/2026`."""
    parts = text.split("/")
    if len(parts) == 3 and all(part.isascii() and part.isdecimal() for part in parts):
        day, month, year = parts
        text = f"{year}-{month:0>2}-{day:0>2}"
    if len(text) != len("2026-01-05"):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _read_moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None

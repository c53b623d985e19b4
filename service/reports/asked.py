"""What a report is asked for: which days, which opinions, which parts."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, get_args

from nlp.errors import InputError
from nlp.gazetteer import Gazetteer, MentionKind
from nlp.text import fold, lower, to_nfc
from service.monitor.periods import Period

Stretch = Literal[
    "last_month",
    "this_month",
    "last_week",
    "this_week",
    "last_quarter",
    "this_quarter",
    "days",
]
STRETCHES: tuple[Stretch, ...] = get_args(Stretch)
Part = Literal["fields", "areas", "places", "limitations", "alerts", "restricted", "examples"]
PARTS: tuple[Part, ...] = get_args(Part)
USUAL_PARTS: tuple[Part, ...] = tuple(part for part in PARTS if part != "examples")
FILTERS = ("civic_field", "task_area", "ward", "body", "source")
_LONGEST = 3_660  # days
_SPOKEN = 5  # places of one name that an answer lists


class Unclear(InputError):  # noqa: N818 - what is asked, and no failure of ours
    """What is asked for cannot be carried out; `reason` and `place` are for whoever filled in a form.

    `reason` names a message, `values` fill its places, `place` is the field at fault.
    """

    def __init__(self, message: str, *, reason: str, place: str, **values: str) -> None:
        super().__init__(message)
        self.reason, self.place, self.values = reason, place, values


@dataclass(frozen=True, slots=True)
class Asked:
    """Which report. `before` are the days that those of `period` are compared with.

    `filters` are those of the list of opinions, by code.
    """

    stretch: Stretch
    period: Period
    before: Period
    filters: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = USUAL_PARTS


def find_days(
    stretch: Stretch, *, today: date, first: date | None = None, last: date | None = None
) -> tuple[Period, Period]:
    """The days of a report and those before them.

    What is not over ends with today, and is compared with as many days of the stretch before it.

    Args:
        stretch: a week, month or quarter, or `days`.
        today: as in Vietnam.
        first: the first day, where `stretch` is `days`.
        last: the last day, which belongs to it.

    Raises:
        Unclear: the days are missing, the wrong way round, or too many.
    """
    if stretch == "days":
        return _given_days(first, last)
    which, _, unit = stretch.partition("_")
    begin = _begin(today, unit=unit)
    earlier = _begin(begin - timedelta(days=1), unit=unit)
    if which == "last":
        return Period(earlier, begin), Period(
            _begin(earlier - timedelta(days=1), unit=unit), earlier
        )
    period = Period(begin, today + timedelta(days=1))
    return period, Period(earlier, min(earlier + (period.day_to - begin), begin))


def _given_days(first: date | None, last: date | None) -> tuple[Period, Period]:
    if first is None or last is None:
        raise Unclear("both days are needed", reason="days_missing", place="from")
    if last < first:
        raise Unclear("the last day lies before the first", reason="days_reversed", place="to")
    n_days = (last - first).days + 1
    if n_days > _LONGEST or first.toordinal() <= n_days or last == date.max:
        raise Unclear(f"more than {_LONGEST} days", reason="days_too_many", place="from")
    end = first + timedelta(days=n_days)
    return Period(first, end), Period(first - timedelta(days=n_days), first)


def _begin(day: date, *, unit: str) -> date:
    """The first day of the week, month or quarter of a day."""
    if unit == "week":
        return day - timedelta(days=day.weekday())
    month = day.month if unit == "month" else day.month - (day.month - 1) % 3
    return day.replace(month=month, day=1)


def find_code(text: str, kind: MentionKind, *, places: Gazetteer) -> str:
    """The code of a place or body that is named, or given by its code.

    "Phường Tây Hồ, Hà Nội" tells it from others of the name; letter case does not count, nor do
    diacritics where no name is written just so.

    Raises:
        Unclear: nothing is called so, or several are.
    """
    own = {code: name for (what, code), name in places.names.items() if what == kind}
    if text in own:
        return text
    found: list[str] = []
    for spell in (lower, fold):  # as it is written, then without diacritics
        wanted = _spelled(text, spell)
        ways = ((code, _ways_to_name(code, kind, places=places)) for code in own)
        found = [code for code, names in ways if wanted in {_spelled(n, spell) for n in names}]
        if found:
            break
    if len(found) == 1:
        return found[0]
    if found:
        names = (full_name(kind, code, places=places) for code in found[:_SPOKEN])
        raise Unclear(
            f"several are called {text!r}; name the province too",
            reason="place_ambiguous",
            place=kind,
            names="; ".join(names),
        )
    raise Unclear(f"no {kind} is called {text!r}", reason="place_unknown", place=kind)


def full_name(kind: MentionKind, code: str, *, places: Gazetteer) -> str:
    """The name of a place or body, of a ward with its province; the code of one that is no more."""
    name = places.names.get((kind, code), code)
    province = places.provinces.get(code) if kind == "ward" else None
    return f"{name}, {_short_name(province, places=places)}" if province else name


def _short_name(province: str, *, places: Gazetteer) -> str:
    """Such as "Hà Nội" of "Thành phố Hà Nội"."""
    return re.sub(r"^(?:Thành phố|Tỉnh) ", "", places.name_of("province", province))


def _ways_to_name(code: str, kind: MentionKind, *, places: Gazetteer) -> Iterable[str]:
    name = places.names[kind, code]
    yield name
    province = places.provinces.get(code) if kind == "ward" else None
    if province:
        yield f"{name} {places.name_of('province', province)}"
        yield f"{name} {_short_name(province, places=places)}"


def _spelled(text: str, spell: Callable[[str], str]) -> str:
    return " ".join(spell(to_nfc(text)).replace(",", " ").split())

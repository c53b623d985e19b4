"""What a report is asked for: which days, which opinions, which parts."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from difflib import get_close_matches
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
_SPOKEN = 3  # places that an answer names instead
_ALIKE = 0.75  # of 1: how much a name has to be like what was written to be named
_UNITS = {"p": "Phường", "x": "Xã", "đk": "Đặc khu"}  # of wards, as people shorten them
_SHORT = re.compile(r"^(p|x|đk)(?:\.\s*|\s+)", re.IGNORECASE)
_UNIT = re.compile(rf"^(?:{'|'.join(_UNITS.values())}) ")


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


def find_code(text: str, kind: MentionKind, *, places: Gazetteer, known: Sequence[str] = ()) -> str:
    """The code of a place or body that is named, or given by its code.

    "Phường Tây Hồ, Hà Nội" tells it from others of the name; "P. Tây Hồ" and "Tây Hồ" will do where they can
    mean one ward only. Letter case does not count, nor do diacritics where no name is written just so.

    Args:
        text: what was written.
        kind: what it is to be.
        places: the register.
        known: codes that are meant where a name fits several and one of these.

    Raises:
        Unclear: nothing is called so, or several are.
    """
    own = {code for what, code in places.names if what == kind}
    if text in own:
        return text
    found = _called(text, kind, own, places=places)
    meant = [code for code in found if code in known] if len(found) > 1 else found
    if len(meant) == 1:
        return meant[0]
    if found:
        provinces = {places.provinces.get(code) for code in known}
        near = sorted(found, key=lambda code: places.provinces.get(code) not in provinces)
        raise Unclear(
            f"several are called {text!r}; name the province too",
            reason="place_ambiguous",
            place=kind,
            names=_names(near, kind, places=places),
        )
    raise Unclear(
        f"no {kind} is called {text!r}",
        reason="place_unknown",
        place=kind,
        names=_names(_alike(text, kind, own, places=places), kind, places=places),
    )


def _called(text: str, kind: MentionKind, own: Collection[str], *, places: Gazetteer) -> list[str]:
    """The codes of what is called so; of wards with or without what they are."""
    whole = _SHORT.sub(lambda short: f"{_UNITS[short[1].lower()]} ", text)
    written = [whole, *(f"{unit} {whole}" for unit in _UNITS.values() if kind == "ward")]
    for spell in (lower, fold):  # as it is written, then without diacritics
        wanted = {_spelled(one, spell) for one in written}
        ways = ((code, _ways_to_name(code, kind, places=places)) for code in own)
        found = [code for code, names in ways if wanted & {_spelled(n, spell) for n in names}]
        if found:
            return sorted(found)
    return []


def _alike(
    text: str, kind: MentionKind, own: Collection[str], *, places: Gazetteer
) -> Iterator[str]:
    """The codes of what is called almost so, the most alike first; what it is does not count."""
    spelled = {
        _spelled(_UNIT.sub("", name), fold): code
        for code in sorted(own)
        for name in _ways_to_name(code, kind, places=places)
    }
    wanted = _spelled(_UNIT.sub("", _SHORT.sub("", text)), fold)
    near = get_close_matches(wanted, spelled, n=2 * _SPOKEN, cutoff=_ALIKE)
    return (spelled[name] for name in near)


def _names(codes: Iterable[str], kind: MentionKind, *, places: Gazetteer) -> str:
    """The first places in words."""
    some = [*dict.fromkeys(codes)][:_SPOKEN]
    return "; ".join(full_name(kind, code, places=places) for code in some)


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

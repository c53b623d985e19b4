"""What every connector gives: entries with their faults, and what to remember once they are kept."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from nlp.errors import DanvanError, InvalidRecord
from nlp.privacy import mask
from nlp.readers import from_text
from nlp.readers.rows import Asked, Row
from service.opinions import Opinion
from service.store.days import VIETNAM
from service.store.records import text_hash

State = Mapping[str, Any]  # JSON; the connector that wrote it knows its shape
NAMES = ("text", "external_id", "posted_at")
_ID = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_TIME = r"(?P<{0}h>\d{{1,2}})[:h](?P<{0}m>\d{{2}})(?::\d{{2}})?"
_DAY_FIRST = re.compile(
    rf"(?:{_TIME.format('a')},?\s+(?:-\s+)?)?(?P<day>\d{{1,2}})(?P<by>[/.-])(?P<month>\d{{1,2}})(?P=by)"
    rf"(?P<year>\d{{4}})(?:,?\s+(?:-\s+)?{_TIME.format('b')})?"
)
_YEAR_FIRST = re.compile(r"\d{4}-\d\d-\d\d.*")
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
_DAY_ZERO = datetime(1899, 12, 30)  # Source: ECMA-376, part 1, 18.17.4.1
_FIRST_YEAR = 1990


class Unreachable(DanvanError):  # noqa: N818 - says what became of a look
    """There was no getting at what a feed has; the message names no address and no password."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A text as it was found, not masked yet, and where; `fault` says why it cannot be taken."""

    place: str
    text: str = ""
    external_id: str = ""
    posted_at: datetime | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Some entries, then what to remember once they are kept (None: nothing yet).

    `faults` are whole files that could not be read, by name.
    """

    entries: Sequence[Entry] = ()
    state: State | None = None
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what. Texts of several are joined; those in `named` must be there."""

    text: tuple[str, ...]
    external_id: str
    posted_at: str
    named: frozenset[str] = frozenset()

    @property
    def asked(self) -> Asked:
        """What to ask a reader of tables for."""
        own = {self.external_id, self.posted_at}
        needed = {*self.text, *(own & self.named)}
        return Asked(tuple(sorted(needed)), tuple(sorted(own - needed)))


def columns_of(options: Mapping[str, str], *, otherwise: Columns) -> Columns:
    """The columns that somebody named: `text` (several parted by +), `external_id`, `posted_at`.

    Raises:
        InvalidRecord: anything else is named, or nothing by a name.
    """
    if unknown := options.keys() - set(NAMES):
        raise InvalidRecord(f"{sorted(unknown)[0]!r} is none of {', '.join(NAMES)}")
    chosen = {name: tuple(part.strip() for part in options[name].split("+")) for name in options}
    if not all(all(parts) for parts in chosen.values()):
        raise InvalidRecord(
            "the name of a column is empty; write text=COLUMN or text=COLUMN+COLUMN"
        )
    for name in ("external_id", "posted_at"):
        if len(chosen.get(name, "-")) > 1:
            raise InvalidRecord(f"{name} is read from one column")
    return Columns(
        chosen.get("text", otherwise.text),
        chosen.get("external_id", (otherwise.external_id,))[0],
        chosen.get("posted_at", (otherwise.posted_at,))[0],
        frozenset(part for parts in chosen.values() for part in parts),
    )


def entry_of(row: Row, *, columns: Columns, now: datetime) -> Entry:
    """A row as an entry; one whose moment cannot be read is at fault, as it would be counted wrongly."""
    if row.fault is not None:
        return Entry(row.place, fault=row.fault)
    own = [row.cells.get(name, "").strip() for name in columns.text]
    # the title of a short post is often its beginning
    text = "\n".join(
        part
        for i, part in enumerate(own)
        if part and not any(o.startswith(part) for o in own[i + 1 :])
    )
    try:
        posted_at = read_moment(row.cells.get(columns.posted_at, ""), now=now)
    except ValueError as error:
        return Entry(row.place, fault=str(error))
    return Entry(row.place, text, row.cells.get(columns.external_id, ""), posted_at)


def read_moment(written: str, *, now: datetime) -> datetime | None:
    """A moment as people and programs write it; without a zone it is one of Vietnam. None for nothing.

    dd/mm/yyyy, with a time before or behind it; ISO 8601; the number of a day as Excel counts.

    Raises:
        ValueError: it is none of these, before 1990, or more than a day ahead.
    """
    written = written.strip()
    if not written:
        return None
    try:
        moment = _parse(written)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("the moment cannot be read; write dd/mm/yyyy or as in ISO 8601") from error
    if moment.year < _FIRST_YEAR or moment > now + timedelta(days=1):
        raise ValueError(f"the moment lies before {_FIRST_YEAR} or in the future")
    return moment


def _parse(written: str) -> datetime:
    if _SERIAL.fullmatch(written):
        return _DAY_ZERO + timedelta(seconds=round(float(written) * 86_400))
    if found := _DAY_FIRST.fullmatch(written):
        hour, minute = found["ah"] or found["bh"] or 0, found["am"] or found["bm"] or 0
        day = (int(found["year"]), int(found["month"]), int(found["day"]))
        return datetime(*day, int(hour), int(minute))
    if _YEAR_FIRST.fullmatch(written):
        return datetime.fromisoformat(written)
    raise ValueError("not a moment")


def to_opinion(entry: Entry, *, source: str) -> Opinion:
    """An entry for the intake. One without a name there goes by the hash of its masked text."""
    name = entry.external_id
    if not name:
        name = f"sha256:{text_hash(mask(from_text(entry.text).text))}"
    elif not _ID.fullmatch(name):
        name = hashed(name)
    return Opinion(source, name, entry.text, entry.posted_at)


def hashed(name: str) -> str:
    """A name at the source that must not be kept as it is."""
    return f"sha256:{sha256(name.encode('utf-8', 'replace')).hexdigest()}"


def as_shown(entry: Entry, *, max_chars: int) -> Entry:
    """An entry as it would be kept: masked, with what the intake itself would find wrong with it."""
    if entry.fault is not None:
        return Entry(entry.place, fault=entry.fault)
    opinion = to_opinion(entry, source="")
    text, name = mask(from_text(entry.text).text), opinion.external_id
    name = name if mask(name) == name else hashed(name)
    fault = "the text is empty" if not text.strip() else None
    if len(text) > max_chars:
        fault, text = f"the text has {len(text)} characters; at most {max_chars} are read", ""
    return replace(entry, text=text, external_id=name, fault=fault)

"""Duties for the office: a table to work through (.xlsx), or the deadlines as a calendar (.ics).

One duty is one row, or one all-day event. Events and not to-dos, because Google Calendar and Outlook leave
VTODO out when they import a file; they are transparent, so that a deadline blocks nobody's day.
"""

import calendar
import hashlib
import io
import os
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from nlp.errors import InputError
from nlp.pipeline import Pipeline, Request
from nlp.text import fold
from nlp.types import Analysis, Duty, Field, Metadata
from service.folder import Read, read_all
from service.limits import Limits
from service.messages import words_of

if TYPE_CHECKING:
    from openpyxl.cell import Cell
    from openpyxl.workbook import Workbook

# Columns from left to right, with their widths in characters.
_COLUMNS = {
    "actors": 30,
    "text": 80,
    "deadline": 12,
    "recurrence": 14,
    "report_to": 28,
    "number": 18,
    "issued": 12,
    "issuer": 28,
    "task_number": 10,
    "file": 24,
}
_FORMULA = ("=", "+", "-", "@")
_MAX_CELL_CHARS = 32_767  # Source: Excel specifications and limits (Microsoft, 2024)
_FIRST_EXCEL_YEAR = 1900
# Control characters that are no white space, lone surrogates, and what XML 1.0 (section 2.2) forbids.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_SUMMARY_CHARS = 100
_CLAUSE_END = re.compile(r"[.;](?=\s|$)")
_ROMAN = ("i", "ii", "iii", "iv")
# Words of recurrence in folded text; of "6 tháng, hằng năm" the shorter period holds the longer.
_RULES: tuple[tuple[re.Pattern[str], dict[str, str | int]], ...] = (
    (re.compile(r"(?<!ngay )(?<!\d)0?(?:6|sau) thang"), {"FREQ": "MONTHLY", "INTERVAL": 6}),
    (
        re.compile(r"(?<!ngay )(?<!\d)0?(?:3|ba) thang|(?:hang|moi) quy"),
        {"FREQ": "MONTHLY", "INTERVAL": 3},
    ),
    (re.compile(r"(?:hang|moi) tuan"), {"FREQ": "WEEKLY"}),
    (re.compile(r"(?:hang|moi) thang"), {"FREQ": "MONTHLY"}),
    (re.compile(r"(?:hang|moi) nam"), {"FREQ": "YEARLY"}),
)


@dataclass(frozen=True, slots=True)
class ExportJob:
    """What is exported, and where to. `stamp` is the time of making (UTC) that the output bears."""

    sources: tuple[Path, ...]
    target: Path
    kind: Literal["auto", "official", "opinion"]
    stamp: datetime


@dataclass(frozen=True, slots=True)
class Exported:
    """How an export ended.

    `n_twins` documents had the text of another; `n_left_out` duties have no deadline and so no place in a
    calendar. `is_written` is false where nothing could be read.
    """

    n_documents: int
    n_twins: int
    n_duties: int
    n_left_out: int
    failed: tuple[Read, ...]

    @property
    def is_written(self) -> bool:
        """Whether the target was written."""
        return self.n_documents > 0 or not self.failed

    def __str__(self) -> str:
        """The figures in words."""
        parts = [f"{self.n_duties or 'no'} duties found in {self.n_documents} documents"]
        parts += [f"{self.n_left_out} without a deadline left out"] if self.n_left_out else []
        parts += [f"{self.n_twins} came twice"] if self.n_twins else []
        parts += [] if self.n_duties else ["so nothing is listed"]
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class DutyRow:
    """A duty with its document; None is what the text lacks.

    Texts are NFC in one line, without control characters. `number` is the document's canonical one. `uid`
    depends on the document's text and the duty's span in it, on nothing else.
    """

    uid: str
    actors: str | None
    text: str
    deadline: date | None
    recurrence: str | None
    report_to: str | None
    number: str | None
    issued: date | None
    issuer: str | None
    task_number: str | None
    file: str


def export_duties(
    job: ExportJob,
    *,
    build: Callable[[], Pipeline],
    limits: Limits,
    report: Callable[[str], None] = lambda name: None,
) -> Exported:
    """Write the duties of many files to `job.target`; the same text under two names counts once.

    Where nothing could be read, nothing is written.

    Args:
        job: what and where to.
        build: makes the pipeline, once the target is known to be usable.
        limits: what one file may cost.
        report: is told the name of each file of the disk when it is done.

    Raises:
        InputError: the target is no .xlsx or .ics in a folder that exists, or is itself a source.
    """
    _check_target(job)
    pipeline = build()
    documents: dict[str, tuple[DutyRow, ...]] = {}
    failed, n_twins = [], 0
    for read in _read_sources(job, limits=limits, report=report):
        if read.doc is None:
            failed.append(read)
            continue
        sha256 = _sha256(read.doc.text)
        if sha256 in documents:
            n_twins += 1
            continue
        analysis = pipeline.analyze(Request(read.name, read.doc, job.kind))
        documents[sha256] = make_rows(analysis, text=read.doc.text)
    found = [row for rows in documents.values() for row in rows]
    make = _FORMATS[job.target.suffix.lower()]
    rows = [row for row in found if row.deadline or make is not to_calendar]
    exported = Exported(
        len(documents), n_twins, len(rows), len(found) - len(rows), failed=tuple(failed)
    )
    if exported.is_written:
        _write_whole(job.target, make(rows, job.stamp))
    return exported


def is_known(target: Path) -> bool:
    """Whether the ending of a file's name is one that duties are exported to."""
    return target.suffix.lower() in _FORMATS


def make_rows(analysis: Analysis, *, text: str) -> tuple[DutyRow, ...]:
    """The duties of an analysis; `text` is the NFC text that its offsets count in."""
    meta = analysis.metadata or Metadata()
    sha256 = _sha256(text)
    issued = _value(meta.date)
    return tuple(
        DutyRow(
            uid=_uid(sha256, duty),
            actors=_line("; ".join(duty.actors)) or None,
            text=_line(text[duty.text_start : duty.text_end]),
            deadline=date.fromisoformat(duty.deadline) if duty.deadline else None,
            recurrence=_line(duty.recurrence or "") or None,
            report_to=_line(duty.report_to or "") or None,
            number=_value(meta.canonical),
            issued=date.fromisoformat(issued) if issued else None,
            issuer=_value(meta.issuer),
            task_number=_line(duty.task_number or "") or None,
            file=_line(analysis.id),
        )
        for duty in analysis.duties
    )


def to_workbook(rows: Sequence[DutyRow], stamp: datetime) -> bytes:
    """The duties as a sheet of an .xlsx file; without any it has its header only."""
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    words = words_of("export")
    book = Workbook()
    sheet = book.active
    sheet.title = words["sheet"]
    for at, (name, width) in enumerate(_COLUMNS.items(), start=1):
        _fill(sheet.cell(1, at), words[name])
        sheet.cell(1, at).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(at)].width = width
        for below, row in enumerate(rows, start=2):
            _fill(sheet.cell(below, at), getattr(row, name))
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    return _pack(book, stamp=stamp)


def to_calendar(rows: Sequence[DutyRow], stamp: datetime) -> bytes:
    """The duties that have a deadline as an .ics file, one all-day event each.

    Source: RFC 5545 (2009), sections 3.6.1 (events), 3.8.5.3 (recurrence) and 3.8.7.2 (DTSTAMP).
    """
    from icalendar import Calendar, Event

    words = words_of("export")
    book = Calendar()
    book.add("prodid", "-//danvan//duties//VI")
    book.add("version", "2.0")
    for row in rows:
        if row.deadline is None:
            continue
        event = Event()
        event.add("uid", row.uid)
        event.add("dtstamp", stamp.astimezone(UTC))
        event.add("dtstart", row.deadline)
        event.add("transp", "TRANSPARENT")
        event.add("summary", _summary(row))
        event.add("description", _description(row, words=words))
        rule = _rule(row, row.deadline)
        if rule:
            event.add("rrule", rule)
        book.add_component(event)
    data: bytes = book.to_ical()
    return data


_FORMATS: Mapping[str, Callable[[Sequence[DutyRow], datetime], bytes]] = {
    ".xlsx": to_workbook,
    ".ics": to_calendar,
}


def _check_target(job: ExportJob) -> None:
    if not is_known(job.target):
        raise InputError(
            f"{job.target}: ends in none of {', '.join(_FORMATS)}; name another output"
        )
    if job.target.is_dir() or not job.target.parent.is_dir():
        raise InputError(f"{job.target}: not a file in a folder that exists; name another output")
    if any(source.resolve() == job.target.resolve() for source in job.sources):
        raise InputError(f"{job.target}: is itself to be read; name another output")


def _read_sources(
    job: ExportJob, *, limits: Limits, report: Callable[[str], None]
) -> Iterator[Read]:
    """The files to read, without what an earlier run wrote into a folder among them."""
    target = job.target.resolve()
    roots = [source.resolve() for source in job.sources if source.is_dir()]
    own_names = {str(target.relative_to(root)) for root in roots if target.is_relative_to(root)}
    for read in read_all(
        job.sources, limits=limits.reading, max_bytes=limits.max_upload_bytes, report=report
    ):
        if read.name not in own_names:
            yield read


def _write_whole(target: Path, data: bytes) -> None:
    """Write a file at once: who looks sees the old one or the new one, never half of it."""
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        partial.write_bytes(data)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _line(text: str) -> str:
    """A text in one line, without control characters."""
    return " ".join(_CONTROL.sub("", text).split())


def _value(field: Field | None) -> str | None:
    return _line(str(field.value)) or None if field else None


def _uid(sha256: str, duty: Duty) -> str:
    key = f"{sha256} {duty.text_start} {duty.text_end}"
    return f"{hashlib.sha256(key.encode()).hexdigest()[:32]}@danvan"


def _fill(cell: "Cell", value: str | date | None) -> None:
    """Put a value into a cell: a date as a date, a text as a text, whatever it begins with."""
    from openpyxl.styles import Alignment

    cell.alignment = Alignment(wrap_text=True, vertical="top")
    if isinstance(value, date):
        if value.year >= _FIRST_EXCEL_YEAR:
            cell.value = value
            cell.number_format = "dd/mm/yyyy"
            return
        value = _day(value)
    if not value:
        return
    cell.value = value if len(value) <= _MAX_CELL_CHARS else value[: _MAX_CELL_CHARS - 1] + "…"
    cell.data_type = "s"  # openpyxl takes "=..." for a formula and "#N/A" for an error
    cell.quotePrefix = value.startswith(_FORMULA)  # a text also after someone edited it


def _pack(book: "Workbook", *, stamp: datetime) -> bytes:
    """The bytes of a workbook. `Workbook.save` would write the time of day into it and its parts."""
    from openpyxl.writer.excel import ExcelWriter

    book.properties.created = book.properties.modified = stamp.astimezone(UTC).replace(tzinfo=None)
    made, packed = io.BytesIO(), io.BytesIO()
    ExcelWriter(book, ZipFile(made, "w")).save()
    with ZipFile(made) as parts, ZipFile(packed, "w") as archive:
        for name in parts.namelist():
            archive.writestr(ZipInfo(name), parts.read(name), compress_type=ZIP_DEFLATED)
    return packed.getvalue()


def _summary(row: DutyRow) -> str:
    """Who, and how the task begins; a task that begins with its actors names them already."""
    begin = textwrap.shorten(row.text, _SUMMARY_CHARS, placeholder=" …")
    actors = textwrap.shorten(row.actors or "", _SUMMARY_CHARS, placeholder=" …")
    return begin if actors in begin else f"{actors}: {begin}"


def _description(row: DutyRow, *, words: Mapping[str, str]) -> str:
    """The whole task, and a line for each fact; the file's name, not the document's own, stays out."""
    lines = [row.text, ""]
    for name in _COLUMNS:
        value = getattr(row, name)
        if value and name not in {"text", "file"}:
            lines.append(f"{words[name]}: {_day(value) if isinstance(value, date) else value}")
    return "\n".join(lines)


def _day(day: date) -> str:
    return f"{day.day:02}/{day.month:02}/{day.year:04}"


def _rule(row: DutyRow, start: date) -> dict[str, Any]:
    """How an event recurs; empty where the words do not say it. `Any`: words, numbers, lists of them.

    The word of recurrence must stand in the clause that names the deadline: in "xong trước ngày 30/6/2026;
    hằng tháng báo cáo Sở" the day and the months belong to two acts.
    """
    word = fold(row.recurrence or "")
    rule = next((rule for pattern, rule in _RULES if pattern.search(word)), None)
    if rule is None or not _is_in_clause(word, text=fold(row.text), day=start):
        return {}
    if rule["FREQ"] == "WEEKLY":
        return dict(rule)
    in_month = {"BYMONTH": start.month} if rule["FREQ"] == "YEARLY" else {}
    return {**rule, **in_month, **_month_days(start)}


def _month_days(start: date) -> dict[str, Any]:
    """Its day in every month: the last day stays the last, the 29th and 30th are it where they lack.

    `Any`: a number or a list of numbers.
    """
    if start.day == calendar.monthrange(start.year, start.month)[1]:
        return {"BYMONTHDAY": -1}
    if start.day <= 28:
        return {"BYMONTHDAY": start.day}
    return {"BYMONTHDAY": list(range(28, start.day + 1)), "BYSETPOS": -1}


def _is_in_clause(word: str, *, text: str, day: date) -> bool:
    """Whether a clause of the folded text has the word and names the day, its month or its quarter."""
    quarter = (day.month + 2) // 3
    named = re.compile(
        rf"(?<!\d)0?{day.day}\s?[/.-]\s?0?{day.month}(?!\d)|thang\s0?{day.month}(?!\d)"
        rf"|quy\s(?:{quarter}|{_ROMAN[quarter - 1]})(?!\w)"
    )
    return any(word in clause and named.search(clause) for clause in _CLAUSE_END.split(text))

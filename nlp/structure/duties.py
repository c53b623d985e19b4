"""Who must do what, by when, how often, reporting to whom: the tasks of directives, plans and letters.

A deadline is only a day, month or quarter that binds ("trước ngày 30/6/2026"), never the date of a cited
document.
"""

import calendar
import re
from collections.abc import Sequence
from datetime import date

from nlp.structure.actors import begins
from nlp.structure.dates import DATE, to_iso
from nlp.structure.recurrence import BINDS, read_recurrence
from nlp.structure.registers import DutyWords, Kind, Registers
from nlp.structure.rows import Row, read_rows
from nlp.structure.sheet import Sheet
from nlp.structure.tasks import Task, read_tasks
from nlp.types import Block, Duty, Paragraph, Span

_ROW_JOINT = re.compile(r"\s*[;\n]\s*|,\s+(?=[A-ZĐÀ-Ỹ])")
_DEADLINE = re.compile(rf"{BINDS}(?P<date>{DATE.pattern})")
_PERIOD = re.compile(
    r"(?<!\w)(?:trong|truoc|het|cuoi|vao|xong)\s+(?:het\s+|cuoi\s+)?"
    r"(?:quy\s+(?P<quarter>iv|i{1,3}|[1-4])|thang\s+(?P<month>\d{1,2}))"
    r"(?:\s*(?:/|nam\s)\s*(?P<year>20\d\d)(?!\d)|(?!\s*(?:/|nam|\d)))"
)
_BARE_PERIOD = re.compile(
    r"(?<!\w)(?:quy\s+(?P<quarter>iv|i{1,3}|[1-4])|thang\s+(?P<month>\d{1,2}))"
    r"(?:\s*(?:/|nam\s)\s*(?P<year>20\d\d)(?!\d)|(?!\s*(?:/|nam|\d)))"
)
# "trước ngày 30/6" is of the year of the document
_DAY = re.compile(
    rf"{BINDS}(?:ngay\s+)?(?P<day>\d{{1,2}})(?:/|\s+thang\s+)(?P<month>\d{{1,2}})(?![\d/]|\s*(?:nam|hang))"
)
# "đã ban hành trước ngày 01/7/2025" tells which papers are meant, not until when to act.
_PAST = re.compile(r"(?:ban\s+hanh|duoc\s+\w+|da\s+\w+|phat\s+sinh|hieu\s+luc|thong\s+qua|ky)\s*$")
_PAST_LENGTH = 30
_QUARTERS = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "1": 1, "2": 2, "3": 3, "4": 4}
_REPORT = re.compile(
    r"(?<!\w)bao\s+cao\s+(?:(?:ket\s+qua|tinh\s+hinh)\s+)?(?:(?:voi|ve|cho|len|den)\s+)?"
    r"(?P<all>(?:cac|moi)\s+)?"
)
_REPORT_END = re.compile(
    r"\s+(?:ket\s+qua|tinh\s+hinh|ve|theo|truoc|de|xem\s+xet|dinh\s+ky|tai|trong|hang|cham|khi|qua"
    r"|thong\s+qua|noi\s+dung|ngay)(?!\w)|\s*[,;.:()]"
)
_THROUGH = re.compile(r"\s*\(\s*(?:thong\s+)?qua\s[^()]{2,120}\)")


def read_duties(
    sheet: Sheet,
    paragraphs: Sequence[Paragraph],
    *,
    blocks: Sequence[Block],
    kind: Kind | None,
    issued: str | None,
    registers: Registers,
) -> tuple[Duty, ...]:
    """Read the duties of a document, issued on an ISO date; none where its kind orders nothing.

    A duty is a numbered task, a paragraph or a dash whose subject is a body or an office, or a row of a table
    with a column of actors. Only directives, dispatches and letters order their readers without naming them.
    """
    if kind is not None and not kind.duties:
        return ()
    words = registers.duty_words
    rows = [row for row in read_rows(sheet, blocks) if row.actors]
    cells = {block.start for block in blocks if block.table is not None}
    free = [part for part in paragraphs if part.start not in cells]
    duties = [
        _make(sheet, task, actors, issued=issued, words=words)
        for task, actors in read_tasks(sheet, free, kind=kind, words=words)
    ]
    duties += [_from_row(sheet, row, issued=issued, words=words) for row in rows]
    return tuple(sorted(duties, key=lambda duty: duty.text_start))


def _from_row(sheet: Sheet, row: Row, *, issued: str | None, words: DutyWords) -> Duty:
    """The duty of a row of a table, its actors and deadline from their own columns."""
    actors = tuple(
        name
        for part in row.actors
        for name in _ROW_JOINT.split(sheet.slice(part.start, part.end))
        if name.strip()
    )
    when = row.deadline or row.span
    day = _read_deadline(sheet, row.span, issued=issued)
    return Duty(
        row.number,
        tuple(actor.strip(" ,;.") for actor in actors),
        row.span.start,
        row.span.end,
        deadline=day or (_bare_day(sheet, row.deadline, issued=issued) if row.deadline else None),
        recurrence=read_recurrence(sheet, when),
        report_to=_read_report(sheet, row.span, words=words),
    )


def _bare_day(sheet: Sheet, span: Span, *, issued: str | None) -> str | None:
    """The last day that a cell of deadlines names, without a word that binds: the column does."""
    days = [to_iso(match[0]) for match in DATE.finditer(sheet.folded, span.start, span.end)]
    days += [
        _last_day(match, issued=issued)
        for match in _BARE_PERIOD.finditer(sheet.folded, span.start, span.end)
    ]
    fitting = [day for day in days if day and (issued is None or day >= issued)]
    return max(fitting, default=None)


def _make(
    sheet: Sheet, task: Task, actors: tuple[str, ...], *, issued: str | None, words: DutyWords
) -> Duty:
    span = task.span
    return Duty(
        task.number,
        actors,
        span.start,
        span.end,
        deadline=_read_deadline(sheet, span, issued=issued),
        recurrence=read_recurrence(sheet, span),
        report_to=_read_report(sheet, span, words=words),
    )


def _read_deadline(sheet: Sheet, span: Span, *, issued: str | None) -> str | None:
    """The first day by which the task binds, not before the day of issue."""
    days = []
    for match in _DEADLINE.finditer(sheet.folded, span.start, span.end):
        window = max(span.start, match.start() - _PAST_LENGTH)
        if not _PAST.search(sheet.folded, window, match.start()):
            days.append(to_iso(match["date"]))
    for match in _PERIOD.finditer(sheet.folded, span.start, span.end):
        days.append(_last_day(match, issued=issued))
    for match in _DAY.finditer(sheet.folded, span.start, span.end) if issued else ():
        days.append(to_iso(f"{match['day']}/{match['month']}/{str(issued)[:4]}"))
    return next((day for day in days if day and (issued is None or day >= issued)), None)


def _last_day(match: re.Match[str], *, issued: str | None) -> str | None:
    """The last day of the quarter or month of a match; without a year, of the year of the document."""
    if not match["year"] and not issued:
        return None
    year = int(match["year"] or str(issued)[:4])
    month = 3 * _QUARTERS[match["quarter"]] if match["quarter"] else int(match["month"])
    if not 1 <= month <= 12:
        return None
    return date(year, month, calendar.monthrange(year, month)[1]).isoformat()


def _is_proper(sheet: Sheet, match: re.Match[str]) -> bool:
    """Whether a word is part of a name by its capital: "Tài chính" is not "tại"."""
    return sheet.text[match.start() : match.end()].lstrip()[:1].isupper()


def _read_report(sheet: Sheet, span: Span, *, words: DutyWords) -> str | None:
    """The body to report to, with the one it goes through in brackets."""
    for match in _REPORT.finditer(sheet.folded, span.start, span.end):
        in_capitals = sheet.text[match.end() : match.end() + 1].isupper() or not sheet.is_cased
        if (match["all"] or in_capitals) and begins(words.actors, sheet, match.end(), span.end):
            stops = _REPORT_END.finditer(sheet.folded, match.end(), span.end)
            ends = (stop.start() for stop in stops if not _is_proper(sheet, stop))
            end = next(ends, span.end)
            through = _THROUGH.match(sheet.folded, end, span.end)
            start = match.start("all") if match["all"] else match.end()
            return sheet.slice(start, through.end() if through else end)
    return None

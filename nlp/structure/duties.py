"""Who must do what, by when, how often, reporting to whom: the numbered tasks of directives, plans and letters.

A deadline is only a day, month or quarter that binds ("trước ngày 30/6/2026"); the date of a cited document is none.
"""

import calendar
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise

from nlp.structure.dates import DATE, to_iso
from nlp.structure.markers import find_marker
from nlp.structure.registers import DutyWords, Kind, Registers, Words
from nlp.structure.sheet import Sheet
from nlp.text import fold, lower
from nlp.types import Duty, Paragraph, Span

_ORDERED = re.compile(r"(?:giao|de\s+nghi|yeu\s+cau|phan\s+cong)\s+(?:cho\s+)?")
_ALL = re.compile(r"(?:(?:cac|moi|tung|nhung|toan\s+the)\s+)?(?:dong\s+chi\s+)?")
_SUBJECT_LENGTH = 300
_BINDS = (
    r"(?<!\w)(?:truoc|cham\s+nhat|muon\s+nhat|khong\s+(?:muon\s+hon|qua)|thoi\s+han|han\s+(?:chot|cuoi))"
    r"(?:\s+(?:la|vao|den|trong|het|truoc|cuoi))*\s+"
)
_DEADLINE = re.compile(rf"{_BINDS}(?P<date>{DATE.pattern})")
_PERIOD = re.compile(
    r"(?<!\w)(?:trong|truoc|het|cuoi|vao|xong)\s+(?:het\s+|cuoi\s+)?"
    r"(?:quy\s+(?P<quarter>iv|i{1,3}|[1-4])|thang\s+(?P<month>\d{1,2}))\s*(?:/|nam\s)\s*(?P<year>20\d\d)(?!\d)"
)
# "đã ban hành trước ngày 01/7/2025" tells which papers are meant, not until when to act.
_PAST = re.compile(r"(?:ban\s+hanh|duoc\s+\w+|da\s+\w+|phat\s+sinh|hieu\s+luc|thong\s+qua|ky)\s*$")
_QUARTERS = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_RECURRENCE = re.compile(
    r"(?<!\w)(?:(?:dinh\s+ky\s+)?(?:hang|moi)\s+(?:nam|quy|thang|tuan)"
    r"|dinh\s+ky(?:\s+(?:0?[36]|sau|ba)\s+thang(?:\s*,?\s*(?:va\s+)?(?:hang\s+|0?1\s+|mot\s+)?nam)?)?"
    r"|(?:0?[36]|sau|ba)\s+thang\s*(?:/|mot|1)\s*lan|0?6\s+thang\s*(?:,|va)\s*(?:hang\s+)?nam)(?!\w)"
)
_REPORT = re.compile(
    r"(?<!\w)bao\s+cao\s+(?:(?:ket\s+qua|tinh\s+hinh)\s+)?(?:(?:voi|ve|cho|len|den)\s+)?(?P<body>)(?P<all>(?:cac|moi)\s+)?"
)
_REPORT_END = re.compile(
    r"\s+(?:ket\s+qua|tinh\s+hinh|ve|theo|truoc|de|xem\s+xet|dinh\s+ky|tai|trong|hang|cham|khi|qua|thong\s+qua|noi\s+dung|ngay)(?!\w)"
    r"|\s*[,;.:()]"
)
_THROUGH = re.compile(r"\s*\(\s*(?:thong\s+)?qua\s[^()]{2,120}\)")


@dataclass(frozen=True, slots=True)
class _Task:
    """Paragraphs of one number that follow each other; `text` begins behind the number."""

    number: str
    span: Span
    text: Span
    has_body: bool
    is_titled: bool


def read_duties(
    sheet: Sheet,
    paragraphs: Sequence[Paragraph],
    *,
    kind: Kind | None,
    issued: str | None,
    registers: Registers,
) -> tuple[Duty, ...]:
    """Read the duties of a document, issued on an ISO date; none where its kind orders nothing."""
    if kind is not None and not kind.duties:
        return ()
    words = registers.duty_words
    tasks = _read_tasks(sheet, paragraphs)
    actors: dict[str, tuple[str, ...]] = {}
    in_background: dict[str, bool] = {}
    duties = []
    for at, task in enumerate(tasks):
        above = task.number.rpartition(".")[0]
        actors[task.number] = _read_actors(sheet, task.text, words=words) or actors.get(above, ())
        frames = task.is_titled and words.background.pattern.match(sheet.folded, task.text.start)
        in_background[task.number] = bool(frames) or in_background.get(above, False)
        leads = at + 1 < len(tasks) and tasks[at + 1].number.startswith(f"{task.number}.")
        if (
            task.has_body
            and not in_background[task.number]
            and not (leads and _introduces(sheet, task))
        ):
            duties.append(
                _make(
                    sheet,
                    task.span,
                    task.number,
                    actors=actors[task.number],
                    issued=issued,
                    words=words,
                )
            )
    return tuple(duties or _read_requests(sheet, paragraphs, issued=issued, words=words))


def _read_tasks(sheet: Sheet, paragraphs: Sequence[Paragraph]) -> list[_Task]:
    tasks: list[_Task] = []
    numbered = [p for p in paragraphs if p.task_number and p.role in {"body", "heading"}]
    for number, group in groupby(numbered, key=lambda p: p.task_number):
        parts = list(group)
        span = sheet.trim(parts[0].start, parts[-1].end)
        first = sheet.slice(span.start, parts[0].end)
        marker = find_marker(first, fold(first))
        text = sheet.trim(span.start + (marker.length if marker else 0), span.end)
        has_body = any(part.role == "body" for part in parts)
        tasks.append(_Task(number or "", span, text, has_body, parts[0].role == "heading"))
    return tasks


def _introduces(sheet: Sheet, task: _Task) -> bool:
    return sheet.text[task.span.end - 1] == ":"


def _read_requests(
    sheet: Sheet, paragraphs: Sequence[Paragraph], *, issued: str | None, words: DutyWords
) -> Iterator[Duty]:
    """The duties of a letter without numbered tasks: paragraphs that ask a body to act."""
    for part in paragraphs:
        if part.role != "body" or sheet.text[sheet.trim(part.start, part.end).end - 1] == ":":
            continue
        for asked in _ORDERED.finditer(sheet.folded, part.start, part.end):
            actors = _read_actors(sheet, Span(asked.end(), part.end), words=words)
            if actors:
                yield _make(
                    sheet,
                    Span(part.start, part.end),
                    None,
                    actors=actors,
                    issued=issued,
                    words=words,
                )
                break


def _make(
    sheet: Sheet,
    span: Span,
    number: str | None,
    *,
    actors: tuple[str, ...],
    issued: str | None,
    words: DutyWords,
) -> Duty:
    recurrence = _RECURRENCE.search(sheet.folded, span.start, span.end)
    return Duty(
        number,
        actors,
        span.start,
        span.end,
        deadline=_read_deadline(sheet, span, issued=issued),
        recurrence=lower(sheet.slice(*recurrence.span())) if recurrence else None,
        report_to=_read_report(sheet, span, words=words),
    )


def _read_actors(sheet: Sheet, text: Span, *, words: DutyWords) -> tuple[str, ...]:
    """The bodies that a task names as its subject, before the first verb; none where it begins with a verb."""
    start = text.start
    for opening in (_ORDERED, _ALL):
        match = opening.match(sheet.folded, start, text.end)
        start = match.end() if match else start
    first = start if match is None else match.start()
    if not _find(words.actors, sheet, start, text.end, at_start=True):
        return ()
    end = _find_subject_end(sheet, Span(first, text.end), words=words)
    return _split_actors(sheet, Span(first, end), words=words) if end > first else ()


def _find_subject_end(sheet: Sheet, text: Span, *, words: DutyWords) -> int:
    """Where the subject ends: before the first verb, or at a colon; its own start when it is no subject."""
    limit = min(text.end, text.start + _SUBJECT_LENGTH)
    stop = re.compile(r"[.;:](?=\s|$)|[“\"]").search(sheet.folded, text.start, limit)
    end = stop.start() if stop else limit
    names = [match.span() for match in words.names.pattern.finditer(sheet.folded, text.start, end)]
    for verb in words.verbs.pattern.finditer(sheet.folded, text.start, end):
        named = any(a <= verb.start() < b for a, b in names)
        if not named and words.verbs.holds(
            sheet.text[verb.start() : verb.end()], is_marked=sheet.is_marked
        ):
            return sheet.trim(text.start, verb.start()).end
    closes = end == text.end or sheet.text[end : end + 1] == ":"
    return end if closes and sheet.text[end - 1] not in ".;" else text.start


def _find(
    words: Words, sheet: Sheet, start: int, end: int, *, at_start: bool
) -> re.Match[str] | None:
    find = words.pattern.match if at_start else words.pattern.search
    match = find(sheet.folded, start, end)
    held = match and words.holds(sheet.text[match.start() : match.end()], is_marked=sheet.is_marked)
    return match if held else None


def _split_actors(sheet: Sheet, subject: Span, *, words: DutyWords) -> tuple[str, ...]:
    """Each body of a subject: cut where a comma or "và" stands before a body written with a capital."""
    cuts = [subject.start]
    for joint in re.compile(r"\s*[,;]\s*(?:va\s+)?|\s+va\s+").finditer(
        sheet.folded, subject.start, subject.end
    ):
        at = joint.end()
        if sheet.text[at : at + 1].isupper() and _find(
            words.actors, sheet, at, subject.end, at_start=True
        ):
            cuts.append(at)
    pieces = [sheet.slice(*pair) for pair in pairwise([*cuts, subject.end])]
    return tuple(re.sub(r"(?:\s*[,;:])?(?:\s+và)?\s*$", "", piece) for piece in pieces)


def _read_deadline(sheet: Sheet, span: Span, *, issued: str | None) -> str | None:
    """The first day by which the task binds, not before the day of issue."""
    for match in _DEADLINE.finditer(sheet.folded, span.start, span.end):
        past = _PAST.search(sheet.folded, max(span.start, match.start() - 30), match.start())
        iso = to_iso(match["date"])
        if iso and not past and (issued is None or iso >= issued):
            return iso
    for match in _PERIOD.finditer(sheet.folded, span.start, span.end):
        iso = _last_day(match)
        if iso and (issued is None or iso >= issued):
            return iso
    return None


def _last_day(match: re.Match[str]) -> str | None:
    """The last day of the quarter or month named by a match of `_PERIOD`."""
    quarter, year = match["quarter"], int(match["year"])
    month = 3 * _QUARTERS.get(quarter, 0) or 3 * int(quarter) if quarter else int(match["month"])
    return (
        date(year, month, calendar.monthrange(year, month)[1]).isoformat()
        if 1 <= month <= 12
        else None
    )


def _read_report(sheet: Sheet, span: Span, *, words: DutyWords) -> str | None:
    """The body to report to, with the one it goes through: "Ban Thường vụ Thành ủy (qua Ban Dân vận Thành ủy)"."""
    for match in _REPORT.finditer(sheet.folded, span.start, span.end):
        is_name = (
            not sheet.is_cased
            or sheet.text[match.end() : match.end() + 1].isupper()
            or match["all"]
        )
        if is_name and _find(words.actors, sheet, match.end(), span.end, at_start=True):
            stop = _REPORT_END.search(sheet.folded, match.end(), span.end)
            end = stop.start() if stop else span.end
            through = _THROUGH.match(sheet.folded, end, span.end)
            return sheet.slice(match.start("body"), through.end() if through else end)
    return None

"""Who must do what, by when, how often, reporting to whom: the tasks of directives, plans and letters.

A deadline is only a day, month or quarter that binds ("trước ngày 30/6/2026"), never the date of a cited
document.
"""

import calendar
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise, zip_longest

from nlp.structure.dates import DATE, to_iso
from nlp.structure.markers import find_marker
from nlp.structure.registers import DutyWords, Kind, Registers, Words
from nlp.structure.sheet import Sheet
from nlp.text import fold, lower
from nlp.types import Duty, Paragraph, Span

_ORDERED = re.compile(r"(?:giao|de\s+nghi|yeu\s+cau|phan\s+cong)\s+(?:cho\s+)?")
_ALL = re.compile(r"(?:(?:cac|moi|tung|nhung|toan\s+the)\s+)?(?:dong\s+chi\s+)?")
_CLAUSE_END = re.compile(r"[.;:](?=\s|$)|[“\"]")
_BULLET = re.compile(r"\s*[-–—+•]\s*")
_JOINT = re.compile(r"\s*[,;]\s*(?:va\s+)?|\s+va\s+")
_SUBJECT_LENGTH = 300
_BINDS = (
    r"(?<!\w)(?:truoc|cham\s+nhat|muon\s+nhat|khong\s+(?:muon\s+hon|qua)|thoi\s+han|han\s+(?:chot|cuoi))"
    r"(?:\s+(?:la|vao|den|trong|het|truoc|cuoi))*\s+"
)
_DEADLINE = re.compile(rf"{_BINDS}(?P<date>{DATE.pattern})")
_PERIOD = re.compile(
    r"(?<!\w)(?:trong|truoc|het|cuoi|vao|xong)\s+(?:het\s+|cuoi\s+)?"
    r"(?:quy\s+(?P<quarter>iv|i{1,3}|[1-4])|thang\s+(?P<month>\d{1,2}))"
    r"\s*(?:/|nam\s)\s*(?P<year>20\d\d)(?!\d)"
)
# "đã ban hành trước ngày 01/7/2025" tells which papers are meant, not until when to act.
_PAST = re.compile(r"(?:ban\s+hanh|duoc\s+\w+|da\s+\w+|phat\s+sinh|hieu\s+luc|thong\s+qua|ky)\s*$")
_PAST_LENGTH = 30
_QUARTERS = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "1": 1, "2": 2, "3": 3, "4": 4}
_RECURRENCE = re.compile(
    r"(?<!\w)(?:(?:dinh\s+ky\s+)?(?:hang|moi)\s+(?:nam|quy|thang|tuan)"
    r"|dinh\s+ky(?:\s+(?:0?[36]|sau|ba)\s+thang(?:\s*,?\s*(?:va\s+)?(?:hang\s+|0?1\s+|mot\s+)?nam)?)?"
    r"|(?:0?[36]|sau|ba)\s+thang\s*(?:/|mot|1)\s*lan|0?6\s+thang\s*(?:,|va)\s*(?:hang\s+)?nam)(?!\w)"
)
_REPORT = re.compile(
    r"(?<!\w)bao\s+cao\s+(?:(?:ket\s+qua|tinh\s+hinh)\s+)?(?:(?:voi|ve|cho|len|den)\s+)?"
    r"(?P<all>(?:cac|moi)\s+)?"
)
_REPORT_END = re.compile(
    r"\s+(?:ket\s+qua|tinh\s+hinh|ve|theo|truoc|de|xem\s+xet|dinh\s+ky|tai|trong|hang|cham|khi|qua"
    r"|thong\s+qua|noi\s+dung|ngay)(?!\w)|\s*[,;.:()]"
)
_THROUGH = re.compile(r"\s*\(\s*(?:thong\s+)?qua\s[^()]{2,120}\)")


@dataclass(frozen=True, slots=True)
class _Task:
    """Paragraphs of one number that follow each other; `text` begins behind the number.

    `bodies` are its paragraphs that are no headings, `is_titled` says that the first is one, `leads_in` that
    it ends in a colon.
    """

    number: str | None
    span: Span
    text: Span
    bodies: tuple[Span, ...] = ()
    is_titled: bool = False
    leads_in: bool = False


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
    found = list(_read_numbered(sheet, paragraphs, words=words))
    found = found or list(_read_requests(sheet, paragraphs, words=words))
    return tuple(_make(sheet, task, actors, issued=issued, words=words) for task, actors in found)


def _read_numbered(
    sheet: Sheet, paragraphs: Sequence[Paragraph], *, words: DutyWords
) -> Iterator[tuple[_Task, tuple[str, ...]]]:
    """Numbered tasks with their actors; a task without any has those of the number above it."""
    tasks = _read_tasks(sheet, paragraphs)
    actors: dict[str, tuple[str, ...]] = {}
    background: dict[str, bool] = {}
    following: _Task | None
    for task, following in zip_longest(tasks, tasks[1:]):
        number = task.number or ""
        above = number.rpartition(".")[0]
        own = _read_task_actors(sheet, task, words=words)
        actors[number] = own or actors.get(above, ())
        frames = task.is_titled and words.background.pattern.match(sheet.folded, task.text.start)
        background[number] = bool(frames) or background.get(above, False)
        is_above = following is not None and str(following.number).startswith(f"{number}.")
        if task.bodies and not background[number] and not (is_above and task.leads_in):
            yield task, actors[number]


def _read_tasks(sheet: Sheet, paragraphs: Sequence[Paragraph]) -> list[_Task]:
    tasks: list[_Task] = []
    numbered = [p for p in paragraphs if p.task_number and p.role in {"body", "heading"}]
    for number, group in groupby(numbered, key=lambda p: p.task_number):
        parts = list(group)
        span = sheet.trim(parts[0].start, parts[-1].end)
        first = sheet.slice(span.start, parts[0].end)
        marker = find_marker(first, fold(first))
        tasks.append(
            _Task(
                number,
                span,
                text=sheet.trim(span.start + (marker.length if marker else 0), span.end),
                bodies=tuple(Span(p.start, p.end) for p in parts if p.role == "body"),
                is_titled=parts[0].role == "heading",
                leads_in=sheet.text[span.end - 1] == ":",
            )
        )
    return tasks


def _read_requests(
    sheet: Sheet, paragraphs: Sequence[Paragraph], *, words: DutyWords
) -> Iterator[tuple[_Task, tuple[str, ...]]]:
    """The duties of a letter without numbered tasks: paragraphs that ask a body to act."""
    for part in paragraphs:
        span = sheet.trim(part.start, part.end)
        if part.role != "body" or sheet.text[span.end - 1 : span.end] == ":":
            continue
        for asked in _ORDERED.finditer(sheet.folded, span.start, span.end):
            actors = _read_actors(sheet, Span(asked.end(), span.end), words=words)
            if actors:
                yield _Task(None, span, span), actors
                break


def _make(
    sheet: Sheet, task: _Task, actors: tuple[str, ...], *, issued: str | None, words: DutyWords
) -> Duty:
    span = task.span
    recurrence = _RECURRENCE.search(sheet.folded, span.start, span.end)
    return Duty(
        task.number,
        actors,
        span.start,
        span.end,
        deadline=_read_deadline(sheet, span, issued=issued),
        recurrence=lower(sheet.slice(*recurrence.span())) if recurrence else None,
        report_to=_read_report(sheet, span, words=words),
    )


def _read_task_actors(sheet: Sheet, task: _Task, *, words: DutyWords) -> tuple[str, ...]:
    """The actors of a task, by its title or first words; under any other title, those of its items."""
    actors = _read_actors(sheet, task.text, words=words)
    if actors or not task.is_titled:
        return actors
    found: list[str] = []
    for body in task.bodies:
        bullet = _BULLET.match(sheet.folded, body.start)
        found += _read_actors(
            sheet, Span(bullet.end() if bullet else body.start, body.end), words=words
        )
    return tuple(dict.fromkeys(found))


def _read_actors(sheet: Sheet, text: Span, *, words: DutyWords) -> tuple[str, ...]:
    """The bodies that a task names as its subject, before the first verb; none where a verb comes first."""
    ordered = _ORDERED.match(sheet.folded, text.start, text.end)
    first = ordered.end() if ordered else text.start
    every = _ALL.match(sheet.folded, first, text.end)
    if not _begins(words.actors, sheet, every.end() if every else first, text.end):
        return ()
    end = _find_subject_end(sheet, Span(first, text.end), words=words)
    return _split_actors(sheet, Span(first, end), words=words) if end > first else ()


def _find_subject_end(sheet: Sheet, text: Span, *, words: DutyWords) -> int:
    """Where a subject ends: before the first verb, or at a colon; its own start when it is none."""
    limit = min(text.end, text.start + _SUBJECT_LENGTH)
    stop = _CLAUSE_END.search(sheet.folded, text.start, limit)
    end = stop.start() if stop else limit
    names = [match.span() for match in words.names.pattern.finditer(sheet.folded, text.start, end)]
    for verb in words.verbs.pattern.finditer(sheet.folded, text.start, end):
        if not _within(verb.start(), names) and _begins(
            words.verbs, sheet, verb.start(), verb.end()
        ):
            return sheet.trim(text.start, verb.start()).end
    is_label = end == text.end or sheet.text[end] == ":"
    return end if is_label and sheet.text[end - 1] not in ".;" else text.start


def _within(at: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= at < end for start, end in spans)


def _begins(words: Words, sheet: Sheet, start: int, end: int) -> bool:
    match = words.pattern.match(sheet.folded, start, end)
    if match is None:
        return False
    return words.holds(sheet.text[match.start() : match.end()], is_marked=sheet.is_marked)


def _split_actors(sheet: Sheet, subject: Span, *, words: DutyWords) -> tuple[str, ...]:
    """Each body of a subject: cut where a comma or "và" stands before a body written with a capital."""
    cuts = [subject.start]
    names = [
        m.span() for m in words.names.pattern.finditer(sheet.folded, subject.start, subject.end)
    ]
    for joint in _JOINT.finditer(sheet.folded, subject.start, subject.end):
        at = joint.end()
        is_named = sheet.text[at : at + 1].isupper() and not _within(at - 1, names)
        cuts += [at] if is_named and _begins(words.actors, sheet, at, subject.end) else []
    pieces = [sheet.slice(*pair) for pair in pairwise([*cuts, subject.end])]
    return tuple(re.sub(r"(?:\s*[,;:])?(?:\s+và)?\s*$", "", piece) for piece in pieces)


def _read_deadline(sheet: Sheet, span: Span, *, issued: str | None) -> str | None:
    """The first day by which the task binds, not before the day of issue."""
    days = []
    for match in _DEADLINE.finditer(sheet.folded, span.start, span.end):
        window = max(span.start, match.start() - _PAST_LENGTH)
        if not _PAST.search(sheet.folded, window, match.start()):
            days.append(to_iso(match["date"]))
    days += [_last_day(match) for match in _PERIOD.finditer(sheet.folded, span.start, span.end)]
    return next((day for day in days if day and (issued is None or day >= issued)), None)


def _last_day(match: re.Match[str]) -> str | None:
    """The last day of the quarter or month named by a match of `_PERIOD`."""
    year = int(match["year"])
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
        if (match["all"] or in_capitals) and _begins(words.actors, sheet, match.end(), span.end):
            stops = _REPORT_END.finditer(sheet.folded, match.end(), span.end)
            ends = (stop.start() for stop in stops if not _is_proper(sheet, stop))
            end = next(ends, span.end)
            through = _THROUGH.match(sheet.folded, end, span.end)
            start = match.start("all") if match["all"] else match.end()
            return sheet.slice(start, through.end() if through else end)
    return None

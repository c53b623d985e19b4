"""The tasks of a document: what may lay a duty, and whom the numbers and headings above it name.

Source: Decree 30/2020/NĐ-CP, annex I, part I, section II.6.d (how the body is divided).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from nlp.structure.actors import asked_actors, asks_others, begins, read_actors
from nlp.structure.markers import find_marker
from nlp.structure.registers import DutyWords, Kind
from nlp.structure.sheet import Sheet
from nlp.text import fold
from nlp.types import Paragraph, Span

Actors = tuple[str, ...]
# kinds that order their readers; the others bind only those whom they name
_ORDERS_ITS_READERS = {"Chỉ thị", "Công điện", "Công văn", "Thông tri"}
_REPORTS_UPWARD = {"Báo cáo", "Tờ trình"}
_UPWARD = re.compile(r"(?:nhung\s+)?(?:kien\s+nghi|de\s+xuat)")
_ORDINAL = re.compile(r"(?:mot|hai|ba|bon|nam|sau|bay|tam|chin|muoi)\s+la\s*[,:]\s*")
# what a body says of itself, or asks of those above it
_POLITE = re.compile(
    r"(?<!\w)(?:kinh\s+(?:de\s+nghi|mong|trinh|bao\s+cao|gui)|tran\s+trong|rat\s+mong|xin\s+(?:kinh|cam)"
    r"|tren\s+day\s+la|de\s+(?:cac\s+dong\s+chi|quy\s+\w+)\s+(?:duoc\s+)?biet)(?!\w)"
)


@dataclass(frozen=True, slots=True)
class Task:
    """What may lay a duty: a paragraph, or paragraphs of one number that follow each other.

    `text` begins behind its number or dash. `title` says that it is a heading, `bullet` that it is a dash,
    `marked` that it has a number of its own, `leads_in` that it ends in a colon.
    """

    number: str | None
    span: Span
    text: Span
    title: bool = False
    bullet: bool = False
    marked: bool = False
    leads_in: bool = False

    @property
    def above(self) -> str:
        """The number it stands under."""
        return (self.number or "").rpartition(".")[0] if self.marked else self.number or ""


@dataclass(slots=True)
class _Frame:
    """What holds where a task stands.

    `actors` and `scenes` are by number: whom it names, and whether it orders nothing. `asked` are those of a
    sentence such as "đề nghị các phòng thực hiện các việc sau:", `head` those of the last heading, `lead`
    those of the last line that led in to dashes. `scene`: here only the scene is set.
    """

    actors: dict[str, Actors] = field(default_factory=dict)
    scenes: dict[str, bool] = field(default_factory=dict)
    asked: Actors = ()
    head: Actors = ()
    lead: Actors = ()
    scene: bool = False

    def enter_title(self, task: Task, own: Actors, *, is_scene: bool) -> None:
        """Take in a heading."""
        number, above = task.number or "", task.above
        self.scene = is_scene or (bool(above) and self.scenes.get(above, False))
        self.scenes[number] = self.scene
        self.actors[number] = self.lead = self.head = own or self.actors.get(above, ())

    def enter(self, task: Task, own: Actors) -> Actors:
        """Take in another task; its actors, or those it has from above."""
        number, above = task.number or "", task.above
        held = self.actors.get(above, ()) if above else () if number else self.head
        held = self.lead if task.bullet else held
        actors = own or held or (self.asked if number or task.bullet else ())
        if not task.bullet:
            self.scene = self.scenes.get(above, False) if above and task.marked else self.scene
            self.scenes[number] = self.scene
            self.actors[number] = actors
            self.lead = actors if task.leads_in or number else self.lead
        return actors


def read_tasks(
    sheet: Sheet, paragraphs: Sequence[Paragraph], *, kind: Kind | None, words: DutyWords
) -> Iterator[tuple[Task, Actors]]:
    """The tasks that order somebody, each with its actors or those of what stands above it.

    Without actors only numbered tasks of kinds that order their readers.
    """
    to_readers = kind is None or kind.name in _ORDERS_ITS_READERS
    upward = kind is not None and kind.name in _REPORTS_UPWARD
    frame = _Frame()
    tasks = _cut(sheet, paragraphs)
    following: Task | None
    for task, following in zip_longest(tasks, tasks[1:]):
        if _POLITE.search(sheet.folded, task.text.start, task.text.end):
            continue
        own = _own_actors(sheet, task, words=words, to_readers=to_readers)
        if task.title:
            is_scene = _sets_scene(sheet, task, words=words, upward=upward)
            frame.enter_title(task, own, is_scene=is_scene)
            continue
        actors = frame.enter(task, own)
        if frame.scene:
            continue
        if following and task.leads_in and _is_led(sheet, task, following, words=words):
            asked = asked_actors(sheet, task.span, words=words)
            frame.lead = actors or asked
            frame.asked = asked if task.number is None and not to_readers else frame.asked
        elif actors or (to_readers and task.number):
            yield task, actors


def _own_actors(sheet: Sheet, task: Task, *, words: DutyWords, to_readers: bool) -> Actors:
    """Whom a task names itself: its subject, or those whom the subject asks."""
    if task.title and sheet.is_cased and sheet.text[task.text.start : task.text.end].isupper():
        return ()  # the name of a part, or of the body that issues
    is_order = to_readers and bool(task.number) and not task.title
    own = read_actors(
        sheet, task.text, words=words, is_title=task.title or task.leads_in, is_order=is_order
    )
    if not task.title and asks_others(sheet, task.text, words=words, has_subject=bool(own)):
        return asked_actors(sheet, task.text, words=words) or own
    return own


def _sets_scene(sheet: Sheet, task: Task, *, words: DutyWords, upward: bool) -> bool:
    """Whether a heading is that of a part that orders nothing: purpose, results, requests upward."""
    scene = words.background.pattern.match(sheet.folded, task.text.start)
    return bool(scene or (upward and _UPWARD.match(sheet.folded, task.text.start)))


def _is_led(sheet: Sheet, task: Task, following: Task, *, words: DutyWords) -> bool:
    """Whether what follows a colon are tasks of their own rather than what a task is about."""
    if following.bullet:
        return begins(words.verbs, sheet, following.text.start, following.text.end) or bool(
            read_actors(sheet, following.text, words=words)
        )
    return task.number is None or str(following.number).startswith(f"{task.number}.")


def _cut(sheet: Sheet, paragraphs: Sequence[Paragraph]) -> list[Task]:
    """The paragraphs that may lay duties; those without a mark go on with the number before them."""
    tasks: list[Task] = []
    for part in paragraphs:
        if part.role not in {"body", "heading", "closing"}:
            continue
        span = sheet.trim(part.start, part.end)
        if span.start == span.end:
            continue
        first = sheet.slice(span.start, span.end)
        marker = find_marker(first, fold(first))
        length = marker.length if marker else 0
        ordinal = _ORDINAL.match(sheet.folded, span.start, span.end)
        begin = ordinal.end() if ordinal else span.start + length
        task = Task(
            part.task_number,
            span,
            text=sheet.trim(begin, span.end),
            title=part.role == "heading",
            bullet=marker is not None and marker.level == "bullet",
            marked=marker is not None or ordinal is not None,
            leads_in=sheet.text[span.end - 1] == ":",
        )
        if marker is None and not ordinal and _goes_on(tasks, task):
            last = tasks[-1]
            whole = Span(last.span.start, span.end)
            tasks[-1] = replace(last, span=whole, text=Span(last.text.start, span.end))
        else:
            tasks.append(task)
    return tasks


def _goes_on(tasks: Sequence[Task], task: Task) -> bool:
    """Whether a paragraph without a mark belongs to the numbered task before it."""
    last = tasks[-1] if tasks else None
    same_number = last is not None and task.number is not None and last.number == task.number
    return same_number and last is not None and not (last.title or task.title or last.bullet)

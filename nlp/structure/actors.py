"""Who is ordered to act: the bodies and offices that are the subject of a sentence, or are asked in it."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from nlp.structure.registers import DutyWords, Words
from nlp.structure.sheet import Sheet
from nlp.types import Span

_ORDERED = re.compile(r"(?:giao|de\s+nghi|yeu\s+cau|phan\s+cong)\s+(?:cho\s+)?")
# when or on what ground, before the subject: "Hằng quý, Phòng Kinh tế báo cáo ..."
_CLAUSE = re.compile(
    r"(?:trong|hang|tu|truoc|sau|khi|voi|doi\s+voi|can\s+cu|dinh\s+ky|thang|quy|buoc\s+\d+|nham|de"
    r"|nhan\s+duoc|truong\s+hop|neu)(?!\w)[^,:;.]{0,100}(?:[,:]|(?<=\d)\.)\s+"
)
_ALL = re.compile(
    r"(?:(?:cac|moi|tung|nhung|toan\s+the|toan\s+bo|rieng|doi\s+voi)\s+)*(?:dong\s+chi\s+|ong\s*\(?\s*ba\s*\)?\s+)?"
)
_CLAUSE_END = re.compile(r"[.;:](?=\s|$)|[“\"]")
_JOINT = re.compile(r"\s*[,;]\s*(?:va\s+)?|\s+va\s+")
_SUBJECT_LENGTH = 300  # code points
_PREAMBLE = re.compile(r"(?:can\s+cu|thuc\s+hien)\s")  # runs on where a line was lost
_WORD = re.compile(r"\s+(\w+)")
_DONE = re.compile(r"\s(?:da|se)\s*$")  # what was done, or is promised, is not ordered


def read_actors(
    sheet: Sheet, text: Span, *, words: DutyWords, is_title: bool = False, is_order: bool = False
) -> tuple[str, ...]:
    """The bodies that a task names as its subject, before the first verb; none where a verb comes first.

    A title may be a body's name alone; in what is an order anyway, a verb need not be known.
    """
    clause = _CLAUSE.match(sheet.folded, text.start, text.end)
    start = clause.end() if clause else text.start
    ordered = _ORDERED.match(sheet.folded, start, text.end)
    first = ordered.end() if ordered else start
    every = _ALL.match(sheet.folded, first, text.end)
    if not begins(words.actors, sheet, every.end() if every else first, text.end):
        return ()
    is_order = is_order or ordered is not None
    subject = Span(first, text.end)
    end = _find_subject_end(sheet, subject, words=words, is_title=is_title, is_order=is_order)
    return _split_actors(sheet, Span(first, end), words=words) if end > first else ()


def _find_subject_end(
    sheet: Sheet, text: Span, *, words: DutyWords, is_title: bool = False, is_order: bool = False
) -> int:
    """Where a subject ends: before the first verb, or at a colon; its own start when it is none."""
    limit = min(text.end, text.start + _SUBJECT_LENGTH)
    stop = _CLAUSE_END.search(sheet.folded, text.start, limit)
    end = stop.start() if stop else limit
    verb = min(_find_verbs(sheet, Span(text.start, end), words=words), default=None)
    close = min(_find_closes(sheet, Span(text.start, verb or end), words=words), default=None)
    if _DONE.search(sheet.folded, text.start, verb or text.start):
        return text.start
    if verb or (close and is_order):
        return sheet.trim(text.start, close or verb or end).end
    is_label = (end == text.end and is_title) or sheet.text[end : end + 1] == ":"
    return end if is_label and sheet.text[end - 1] not in ".;" else text.start


def _find_verbs(sheet: Sheet, clause: Span, *, words: DutyWords) -> Iterator[int]:
    """Where listed verbs begin that are no part of a name."""
    names = words.names.pattern.finditer(sheet.folded, clause.start, clause.end)
    spans = [name.span() for name in names]
    for at, _ in _find(words.verbs, sheet, clause):
        if not (_within(at, spans) or (at > clause.start and _is_named(sheet, at))):
            yield at


def _is_named(sheet: Sheet, at: int) -> bool:
    """Whether a verb is in a name by its capital amid a line: "Văn phòng Đăng ký đất đai"."""
    has_capital = sheet.text[at - 1] == " " and sheet.text[at : at + 2].istitle()
    return has_capital and not _PREAMBLE.match(sheet.folded, at)


def _find_closes(sheet: Sheet, clause: Span, *, words: DutyWords) -> Iterator[int]:
    """Where a name is closed and a small letter follows that does not go on with it."""
    if not sheet.is_cased:
        return
    closed = _find(words.closed, sheet, clause)
    ends = [end for start, end in closed if sheet.text[start].isupper()]
    ends += [
        _skip_proper(sheet, Span(end, clause.end)) for _, end in _find(words.areas, sheet, clause)
    ]
    for end in ends:
        word = _WORD.match(sheet.text, end, clause.end)
        if word and word[1].islower():
            follows = (sheet, word.start(1), clause.end)
            if not any(begins(w, *follows) for w in (words.goes_on, words.areas, words.actors)):
                yield end


def _skip_proper(sheet: Sheet, text: Span) -> int:
    """Where the capitals and numbers at the start of a stretch end: "Yên Thành", "17"."""
    end = text.start
    while (word := _WORD.match(sheet.text, end, text.end)) and not word[1].islower():
        end = word.end()
    return end


def _find(words: Words, sheet: Sheet, text: Span) -> Iterator[tuple[int, int]]:
    for match in words.pattern.finditer(sheet.folded, text.start, text.end):
        if begins(words, sheet, *match.span()):
            yield match.span()


def _within(at: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= at < end for start, end in spans)


def begins(words: Words, sheet: Sheet, start: int, end: int) -> bool:
    """Whether one of some words begins a stretch, with its diacritics where the text has them."""
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
        cuts += [at] if is_named and begins(words.actors, sheet, at, subject.end) else []
    pieces = [sheet.slice(*pair) for pair in pairwise([*cuts, subject.end])]
    return tuple(re.sub(r"(?:\s*[,;:])?(?:\s+và)?\s*$", "", piece) for piece in pieces)


def asks_others(sheet: Sheet, text: Span, *, words: DutyWords, has_subject: bool) -> bool:
    """Whether a sentence asks others to act: "Cục Thuế đề nghị Thuế tỉnh ...", "Để ..., yêu cầu các sở"."""
    if not has_subject:
        return not begins(words.verbs, sheet, text.start, text.end)
    end = _find_subject_end(sheet, text, words=words)
    return bool(_ORDERED.match(sheet.folded, sheet.trim(end, text.end).start, text.end))


def asked_actors(sheet: Sheet, span: Span, *, words: DutyWords) -> tuple[str, ...]:
    """The bodies that a sentence before a colon asks to act: "yêu cầu các sở, ngành thực hiện:"."""
    for match in _ORDERED.finditer(sheet.folded, span.start, span.end):
        actors = read_actors(sheet, Span(match.end(), span.end), words=words, is_order=True)
        if actors:
            return actors
    return ()

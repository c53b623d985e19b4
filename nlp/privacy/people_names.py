"""Names by their own form: of peoples (H'Bia, A Thút), with "Thị" or "Văn", by order of birth (Tám Lượm)."""

import re
from collections.abc import Iterator

from nlp.privacy.capitals import CAPITALISED, UPPER
from nlp.privacy.name_context import said
from nlp.privacy.name_lists import NameLists
from nlp.privacy.offices import is_free
from nlp.privacy.page import Page
from nlp.text import fold, lower
from nlp.types import Span

_APOSTROPHE = re.compile(
    rf"(?<![^\W_])[HhKkYy] ?['’‘`] ?[^\W\d_]{{2,}}(?: [{UPPER}][^\W\d_]+['’]?[^\W\d_]*){{0,3}}"
)
_ONE_LETTER = re.compile(
    rf"[AY](?<![^\W_].) (?P<rest>[{UPPER}][^\W\d_]+(?: [{UPPER}][^\W\d_]+){{0,2}})"
)
_ORDERED = re.compile(
    rf"[HBTNSCMÚ](?<![^\W_].)(?:ai|a|ư|ăm|áu|ảy|ám|hín|ười"
    rf"|t) (?P<rest>[{UPPER}][^\W\d_]+)(?! [{UPPER}])(?=[ ,])"
)
_NO_NAMES = frozenset({"h'mong", "k'bang", "h' mong"})
_CLAN = re.compile(rf"(?P<own>{CAPITALISED} )?(?:Thị|Văn) {CAPITALISED}(?: {CAPITALISED})?")


def find_people_names(page: Page, *, lists: NameLists) -> Iterator[Span]:
    """Where such names stand."""
    if any(mark in page.text for mark in "'’‘`"):
        for match in _APOSTROPHE.finditer(page.text):
            if fold(match[0]).replace("’", "'") not in _NO_NAMES:
                yield Span(*match.span())
    if "Thị " in page.text or "Văn " in page.text:
        yield from _with_clan(page, lists=lists)
    for name in (*_ordered(page, lists=lists), *_of_one_letter(page, lists=lists)):
        if is_free(page, name, lists=lists):
            yield name


def _ordered(page: Page, *, lists: NameLists) -> Iterator[Span]:
    for match in _ORDERED.finditer(page.text):
        name = Span(*match.span())
        free = said(page, name) not in lists.places | lists.things | lists.common
        follows = re.match(r" ([^\W\d_]+)", page.low[name.end : name.end + 12])
        person = follows is not None and follows[1] in lists.after
        if person and free and lists.is_given(lower(match["rest"])):
            yield name


def _of_one_letter(page: Page, *, lists: NameLists) -> Iterator[Span]:
    for match in _ONE_LETTER.finditer(page.text):
        rest = page.low[match.start("rest") : match.end()]
        if match["rest"].isupper() or rest in lists.things | lists.places:
            continue
        follows = re.match(r"\s+(\S+)", page.low[match.end() : match.end() + 20])
        if rest.split()[0] not in lists.no_people and (
            follows is None or follows[1] in lists.after
        ):
            yield Span(*match.span())


def _with_clan(page: Page, *, lists: NameLists) -> Iterator[Span]:
    for match in _CLAN.finditer(page.text):
        words = page.low[match.start() : match.end()].split()
        title = match["own"] is not None and words[0] in lists.persons | lists.subjects
        name = Span(match.end("own") if title else match.start(), match.end())
        if words[2 if match["own"] else 1] in lists.no_clan:
            continue
        if is_free(page, name, lists=lists):
            yield name

"""Duyệt: one item at a time, the most useful first.

What was passed over and what was decided stands in the address as the filters do, so that the page works
without script, in two windows, and after a reload.
"""

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from nlp.errors import InvalidRecord
from service.access import TheCaller, needs
from service.actions import Desk, open_item
from service.auth import Caller
from service.journal import Journal
from service.questions import (
    Place,
    Question,
    day_of_board,
    next_question,
    this_question,
)
from service.readers import LOOKED_AT, MIN_READERS, agreement_of
from service.review_queue import turn_of
from service.reviewing import FACETS_OF, MAX_CODES, Word, correct_item, standing_pack
from service.store.corrections import Correction, standing_words
from service.store.errors import Conflict, NotFound
from service.store.review import Reason, Wanted
from service.store.tables import FACETS
from service.store.views import list_sources
from service.ui.rendering import desk_of, templates
from service.ui.view import cut_passages

_MAX_PASSED = 100  # items passed over that the address remembers; older ones come up again
_MAX_UNDONE = 10  # decisions that can be taken back one after the other
_NONE = "none"
_NOTHING = "-"  # labels that were seen where there are none: an empty field would be no field
_PASSED = r"^([0-9a-f]{8}[tcsi](\.[0-9a-f]{8}[tcsi])*)?$"
_KEY = r"[0-9a-f]{32}[tcsi]"
_AGREED, _DOUBTFUL = 0.8, 0.667  # Source: Krippendorff 2004, Content Analysis, ch. 11

router = APIRouter(include_in_schema=False)


class Asked(BaseModel):
    """Which queue, what was passed over and decided in it, and which item is asked for."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["", "official", "opinion"] = ""
    facet: Literal["", "task_area", "civic_field", "sentiment", "intent"] = ""
    reason: Literal["", Reason] = ""
    source: str = Field("", max_length=64)
    passed: str = Field("", pattern=_PASSED, max_length=9 * _MAX_PASSED)
    done: str = Field("", pattern=rf"^({_KEY}(\.{_KEY})*)?$", max_length=34 * _MAX_UNDONE)
    at: str = Field("", pattern=rf"^({_KEY})?$")

    @property
    def is_filtered(self) -> bool:
        """Whether some of the queue is left out."""
        return bool(self.kind or self.facet or self.reason or self.source)

    def address(self, **changes: str) -> str:
        """The page with some of it changed."""
        return f"/review{self.model_copy(update=changes).query}"

    @property
    def query(self) -> str:
        """The part of the address from the question mark on."""
        asked = urlencode({name: value for name, value in self.model_dump().items() if value})
        return f"?{asked}" if asked else ""

    def without(self, place: Place) -> str:
        """The page of the next item; nothing is kept of this one."""
        return self.address(passed=_joined(self.passed, place.short_key, n=_MAX_PASSED), at="")

    def after(self, place: Place) -> "Asked":
        """The next item, once this one is decided."""
        done = _joined(self.done, place.key, n=_MAX_UNDONE)
        return self.model_copy(update={"done": done, "at": ""})

    def wanted(self, desk: Desk, caller: Caller) -> Wanted:
        """As the queue takes it."""
        facets = FACETS_OF["official" if self.kind == "official" else "opinion"]
        return Wanted(
            caller.name,
            (self.facet,) if self.facet else facets,
            self.kind or None,
            self.source or None,
            turn_of(desk),
            self.reason or None,
        )


def _joined(keys: str, key: str, *, n: int) -> str:
    """The newest keys, each once."""
    kept = [own for own in keys.split(".") if own not in {"", key}]
    return ".".join([*kept, key][-n:])


_Asked = Annotated[Asked, Query()]


@router.get("/review", dependencies=[needs("review", cost=5)])
def show_review(request: Request, asked: _Asked, caller: TheCaller) -> Response:
    """The next item, or the one that is asked for."""
    return _page(request, asked, caller=caller, told=request.query_params.get("told", ""))


@router.post("/review/{item_id}", dependencies=[needs("review", cost=5)])
def take_decision(
    request: Request,
    asked: _Asked,
    caller: TheCaller,
    item_id: str,
    facet: Annotated[Literal["task_area", "civic_field", "sentiment", "intent"], Form()],
    code: Annotated[list[str], Form()],
    seen: Annotated[str | None, Form()] = None,
) -> Response:
    """Keep what the reader says and show the next item; one request, however fast they are.

    `seen` are the labels that were shown; a second reader has seen none.
    """
    place, desk = Place(item_id, facet), desk_of(request)
    word = _word(facet, code, expected=_labels(seen))
    try:
        correct_item(desk, item_id, word, made_by=caller.name)
    except NotFound:
        return _go_on(request, asked.model_copy(update={"at": ""}), caller=caller, told="gone")
    except Conflict:
        if not _said_already(desk, place, word, caller=caller):
            here = asked.model_copy(update={"at": place.key})
            return _go_on(request, here, caller=caller, told="taken")
    _note(request, caller, action="item.corrected", item_id=item_id)
    return _go_on(request, asked.after(place), caller=caller)


@router.post("/review/{item_id}/undo", dependencies=[needs("review", cost=5)])
def take_back(
    request: Request,
    asked: _Asked,
    caller: TheCaller,
    item_id: str,
    facet: Annotated[Literal["task_area", "civic_field", "sentiment", "intent"], Form()],
) -> Response:
    """Take the reader's own last word of an item back and show it again."""
    place = Place(item_id, facet)
    done = ".".join(key for key in asked.done.split(".") if key != place.key)
    here = asked.model_copy(update={"done": done, "at": place.key})
    try:
        correct_item(desk_of(request), item_id, Word(facet, "withdrawn"), made_by=caller.name)
    except NotFound:
        here = here.model_copy(update={"at": ""})
        return _go_on(request, here, caller=caller, told="gone")
    except Conflict:
        return _go_on(request, here, caller=caller, told="not_undone")
    _note(request, caller, action="item.corrected", item_id=item_id)
    return _go_on(request, here, caller=caller, told="undone")


@router.get("/review/agreement", dependencies=[needs("review", cost=10)])
def show_agreement(request: Request) -> Response:
    """How far readers agree with each other and with models; never of one person."""
    desk = desk_of(request)
    context = {
        "facets": agreement_of(desk),
        "taxonomy": standing_pack(desk),
        "looked_at": LOOKED_AT,
        "min_readers": MIN_READERS,
        "agreed": _AGREED,
        "doubtful": _DOUBTFUL,
    }
    return templates.TemplateResponse(request, "review_agreement.html", context)


def _word(facet: str, codes: list[str], *, expected: tuple[str, ...] | None) -> Word:
    """What a form says: the button of a category, or of none, or some categories chosen from lists."""
    given = tuple(dict.fromkeys(code for code in codes if code))
    if given == (_NONE,):
        return Word(facet, "none_of_these", expected=expected)
    if not given:
        raise InvalidRecord("code: choose a category, or that none of them fits")
    return Word(facet, "labelled", given, expected)


def _labels(seen: str | None) -> tuple[str, ...] | None:
    """The labels that a form says were shown; None where none were."""
    if seen is None:
        return None
    return tuple(code for code in seen.split() if code != _NOTHING)


def _said_already(desk: Desk, place: Place, word: Word, *, caller: Caller) -> bool:
    """Whether the very same was said by the same reader, who pressed twice."""
    own = _last_word(desk, place, caller=caller)
    return own is not None and (own.decision, own.codes) == (word.decision, word.codes)


def _last_word(desk: Desk, place: Place, *, caller: Caller) -> Correction | None:
    history = open_item(desk, place.item_id).corrections[::-1]
    words = standing_words(word for word in history if word.facet == place.facet)
    return next((word for word in reversed(words) if word.made_by == caller.name), None)


def _go_on(request: Request, asked: Asked, *, caller: Caller, told: str = "") -> Response:
    """Show what comes next: at once to htmx, by another request to a plain form."""
    if "hx-request" in request.headers:
        return _page(request, asked, caller=caller, told=told)
    address = asked.address()
    if told:
        address += f"{'&' if '?' in address else '?'}told={told}"
    return RedirectResponse(address, status_code=303)


def _page(request: Request, asked: Asked, *, caller: Caller, told: str) -> Response:
    desk = desk_of(request)
    wanted = asked.wanted(desk, caller)
    question = _find(desk, asked, wanted=wanted)
    if question is not None:
        _note(request, caller, action="item.opened", item_id=question.place.item_id)
    is_part = "hx-request" in request.headers
    context = {
        "asked": asked,
        "question": question,
        "passages": cut_passages(question.item, question.evidence) if question else (),
        "taxonomy": standing_pack(desk),
        "day": day_of_board(desk, wanted),
        "last": _last(desk, asked, caller=caller),
        "said_now": told,
        "max_codes": MAX_CODES,
        "no_code": _NONE,
        "nothing_seen": _NOTHING,
        "is_part": is_part,
        "facets": FACETS,
        "sources": list_sources(desk.engine),
    }
    name = "review_item.html" if is_part else "review.html"
    headers = {"hx-replace-url": asked.address()} if is_part else {}
    return templates.TemplateResponse(request, name, context, headers=headers)


def _find(desk: Desk, asked: Asked, *, wanted: Wanted) -> Question | None:
    """The item that is asked for, if it is still there, else the next one."""
    if asked.at:
        try:
            return this_question(desk, wanted, Place.of_key(asked.at))
        except NotFound:
            pass
    return next_question(desk, wanted, passed={*asked.passed.split(".")} - {""})


def _last(desk: Desk, asked: Asked, *, caller: Caller) -> tuple[Place, Correction] | None:
    """The last decision of this sitting, if it stands."""
    if not asked.done:
        return None
    place = Place.of_key(asked.done.rpartition(".")[2])
    try:
        word = _last_word(desk, place, caller=caller)
    except NotFound:
        return None
    return (place, word) if word is not None else None


def _note(request: Request, caller: Caller, *, action: str, item_id: str) -> None:
    """Write into the access log what was given out or changed: which item it is stands in no path."""
    journal: Journal = request.app.state.journal
    journal.note(caller, action=action, subject=item_id, now=desk_of(request).now())

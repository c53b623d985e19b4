"""The page of one item, whichever door it came through; what people say of it, and its end."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from nlp.errors import InvalidRecord
from service.access import TheCaller, caller_of, needs
from service.actions import Desk, open_item
from service.auth import Caller
from service.jobs.retention import erase_item
from service.journal import Journal
from service.questions import Place, Question, question_of
from service.reviewing import (
    FACETS_OF,
    MAX_CODES,
    WITH_NONE,
    Word,
    correct_item,
    packs_at_hand,
    standing_pack,
)
from service.store.agreed import read_agreed
from service.store.citations import MAX_BEARERS, find_cited
from service.store.days import day_of
from service.store.errors import Conflict
from service.store.pictures import list_pages
from service.store.records import labels_of
from service.store.views import Stored
from service.ui.history import history_of, spoken_of
from service.ui.rendering import desk_of, templates
from service.ui.view import (
    citation_views,
    cited_in,
    cut_passages,
    facet_views,
    find_lit,
    hint_spans,
    page_views,
)

Facet = Literal["task_area", "civic_field", "sentiment", "intent"]
_NONE = "none"

router = APIRouter(include_in_schema=False)


def item_page(request: Request, item_id: str, *, show: str) -> Response:
    """The text with its labels beside it; `show` says which words are lit.

    `edit` in the address names the facet that is put right, `about` the one that just was.

    Raises:
        NotFound: no item has this id.
    """
    desk, caller = desk_of(request), caller_of(request)
    stored = open_item(desk, item_id)
    scopes = caller.scopes if caller else frozenset()
    taxonomy = standing_pack(desk)
    packs = packs_at_hand(desk) if stored.corrections else {}
    facets = facet_views(stored.analysis, taxonomy)
    lit = find_lit(stored.analysis, show)
    pages = list_pages(desk.engine, stored.seq) if stored.kind == "official" else ()
    found = find_cited(desk.engine, cited_in(stored.analysis), beside=stored.seq)
    edited = request.query_params.get("edit", "") if "review" in scopes else ""
    context = {
        "item": stored,
        "address": _address_of(stored),
        "posted_on": stored.posted_at and day_of(stored.posted_at, received_at=stored.received_at),
        "analysis": stored.analysis,
        "facets": facets,
        "passages": cut_passages(stored, lit),
        "pages": page_views(pages, stored.doc.places, lit=lit),
        "citations": citation_views(stored.analysis, found),
        "max_bearers": MAX_BEARERS,
        "hint_spans": hint_spans,
        "show": show,
        "taxonomy": taxonomy,
        "spoken": {
            facet.name: spoken_of(
                stored.corrections,
                facet.name,
                taxonomy=taxonomy,
                packs=packs,
                reader=caller.name if caller else "",
            )
            for facet in facets
        },
        "agreed": read_agreed(desk.engine, [stored.id]).get(stored.id, {})
        if stored.corrections
        else {},
        "history": tuple(history_of(stored.corrections, taxonomy=taxonomy, packs=packs)),
        "may_correct": "review" in scopes,
        "may_erase": "admin" in scopes,
        "question": _question(desk, stored, edited),
        "with_none": WITH_NONE,
        "max_codes": MAX_CODES,
        "none": _NONE,
        "about": request.query_params.get("about", ""),
    }
    return templates.TemplateResponse(request, "item.html", context)


def _address_of(stored: Stored) -> str:
    return f"/{'opinions' if stored.intake == 'opinion' else 'documents'}/{stored.id}"


def _question(desk: Desk, stored: Stored, facet: str) -> Question | None:
    """What may be said of the facet that is put right; nothing of a text that waits."""
    kinds = [facets for kind, facets in FACETS_OF.items() if kind == stored.kind]
    if not stored.analysis or not kinds or facet not in kinds[0]:
        return None
    return question_of(desk, Place(stored.id, facet))


@router.post("/items/{item_id}/labels", dependencies=[needs("review")])
def take_labels(
    request: Request,
    caller: TheCaller,
    item_id: str,
    facet: Annotated[Facet, Form()],
    code: Annotated[list[str] | None, Form()] = None,
    decision: Annotated[Literal["", "withdrawn"], Form()] = "",
    seen: Annotated[str, Form()] = "",
) -> Response:
    """Keep what the reader says of one facet, or take it back; `seen` are the labels that were shown.

    What a colleague said meanwhile is not overwritten: it is shown, and the reader asked again.
    """
    desk = desk_of(request)
    word = _word(facet, code or [], decision=decision, expected=tuple(seen.split()))
    try:
        stored = correct_item(desk, item_id, word, made_by=caller.name)
    except Conflict:
        return _after_conflict(desk, item_id, word)
    _note(request, caller, item_id)
    is_confirmed = bool(word.codes) and word.codes == word.expected
    told = "undone" if decision else "confirmed" if is_confirmed else "corrected"
    return _back_to(stored, facet, told=told)


def _word(facet: Facet, codes: list[str], *, decision: str, expected: tuple[str, ...]) -> Word:
    """What a form says: that the last word is taken back, a category or several, or that none fits."""
    if decision == "withdrawn":
        return Word(facet, "withdrawn", expected=expected)
    given = tuple(dict.fromkeys(code for code in codes if code))
    if given == (_NONE,):
        return Word(facet, "none_of_these", expected=expected)
    if not given:
        raise InvalidRecord("code: choose a category, or that none of them fits")
    return Word(facet, "labelled", given, expected)


def _after_conflict(desk: Desk, item_id: str, word: Word) -> Response:
    """Show what stands by now; a button that was pressed twice has done what it was to do.

    Raises:
        Conflict: nothing has changed, so something else was in the way.
    """
    stored = open_item(desk, item_id)
    if word.decision == "withdrawn":
        return _back_to(stored, word.facet, told="not_undone")
    answer = stored.analysis[word.facet]
    stands = tuple(label["code"] for label in labels_of(answer))
    if stands == word.expected:
        raise Conflict("this cannot be said of the item now; open it again")
    if (answer["decision"], stands) == (word.decision, word.codes):
        return _back_to(stored, word.facet, told="corrected")
    return _back_to(stored, word.facet, told="item_taken", again=True)


def _back_to(stored: Stored, facet: str, *, told: str, again: bool = False) -> Response:
    """The page of the item at the facet that was spoken of."""
    edit = f"&edit={facet}" if again else ""
    address = f"{_address_of(stored)}?told={told}&about={facet}{edit}#phan-{facet}"
    return RedirectResponse(address, status_code=303)


def _note(request: Request, caller: Caller, item_id: str) -> None:
    """Write into the access log that something was said; what was refused is not noted."""
    journal: Journal = request.app.state.journal
    journal.note(caller, action="item.corrected", subject=item_id, now=desk_of(request).now())


@router.get("/items/{item_id}/erase", dependencies=[needs("admin")])
def ask_to_erase(request: Request, item_id: str) -> Response:
    """Say what is lost, without showing the text, and ask once more."""
    stored = open_item(desk_of(request), item_id)
    context = {"item": stored, "address": _address_of(stored)}
    return templates.TemplateResponse(request, "item_erase.html", context)


@router.post("/items/{item_id}/erase", dependencies=[needs("admin")])
def take_erasure(
    request: Request, caller: TheCaller, item_id: str, sure: Annotated[str, Form()] = ""
) -> Response:
    """Erase an item for good; a form that does not say that the reader is sure is asked again."""
    desk = desk_of(request)
    stored = open_item(desk, item_id)
    if not sure:
        return RedirectResponse(f"/items/{stored.id}/erase?told=not_sure", status_code=303)
    erase_item(desk.engine, stored.id, by=caller, now=desk.now())
    return RedirectResponse(
        f"{_address_of(stored).rpartition('/')[0]}?told=erased", status_code=303
    )

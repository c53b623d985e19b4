"""Ý kiến: the list of opinions with its filters, and one of them sentence by sentence."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from service.access import TheCaller, needs, notes
from service.actions import Desk
from service.schemas import OpinionFilter
from service.store.days import day_of
from service.store.traits import TraitSummary, read_trait_summaries
from service.store.views import Page, Summary
from service.ui.choices import choices_of_opinions
from service.ui.filters import Asked, read_filter, settle
from service.ui.item import item_page
from service.ui.listing import FileFormat, order_list, read_page, show_list
from service.ui.rendering import desk_of

_PATH = "/opinions"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the list; opinions that came in before traits were read have none."""

    item: Summary
    day: date
    traits: TraitSummary | None


@router.get(_PATH, dependencies=[needs("read")])
def show_opinions(request: Request) -> Response:
    """Opinions that fit the filters in the address, newest first; of those that say the same one a page."""
    desk = desk_of(request)
    asked = _read_asked(request)
    page = read_page(request, asked)
    traits = read_trait_summaries(desk.engine, [item.id for item in page.items])
    rows = tuple(_rows(page, traits, folded=not asked.has("group")))
    context = {"rows": rows, "province": _province_of(desk, asked.values)}
    return show_list(request, asked, "opinions.html", page=page, context=context)


@router.post(f"{_PATH}/export", dependencies=[needs("analyse")])
def export_opinions(request: Request, caller: TheCaller, file_format: FileFormat) -> Response:
    """Order the opinions that fit the filters in the address as a file."""
    return order_list(request, _read_asked(request), file_format=file_format, by=caller)


def _read_asked(request: Request) -> Asked[OpinionFilter]:
    desk = desk_of(request)
    values = settle(request.query_params, places=desk.rules.gazetteer)
    choices = choices_of_opinions(desk, province=_province_of(desk, values))
    return read_filter(OpinionFilter, values, path=_PATH, choices=choices)


def _province_of(desk: Desk, values: Mapping[str, str]) -> str | None:
    """The province that is asked for, or that the ward lies in."""
    lies_in = desk.rules.gazetteer.provinces.get(values.get("ward", ""))
    return values.get("province") or lies_in


def _rows(page: Page, traits: Mapping[str, TraitSummary], *, folded: bool) -> Iterator[_Row]:
    """The lines of a page; where folded the newest stands for all on it that say the same."""
    seen: set[int] = set()
    for item in page.items:
        own = traits.get(item.id)
        if own is None or own.group not in seen or not folded:
            day = day_of(item.posted_at, received_at=item.received_at)
            yield _Row(item, day, own)
        if own is not None:
            seen.add(own.group)


@router.get("/opinions/{item_id}", dependencies=[needs("read"), notes("item.opened")])
def show_opinion(request: Request, item_id: str, show: str = "") -> Response:
    """One opinion; `show` says which words are lit."""
    return item_page(request, item_id, show=show)

"""Quản trị: how the service is, sources, models with their cards, taxonomies with their rules."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form
from markdown_it import MarkdownIt
from markupsafe import Markup
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from nlp.taxonomy import Category, Facet, Taxonomy
from service.access import TheCaller, needs
from service.actions import Desk, add_source
from service.formats import sort_key
from service.schemas import SourceIn
from service.store.errors import Conflict, NotFound
from service.store.feeds import list_feeds
from service.store.intake import Source
from service.store.views import list_sources
from service.store.vitals import newest_moment, read_vitals
from service.ui.rendering import desk_of, settings_of, templates

_CARD = "card.md"
_GUIDE = "guide.md"
_LOWER = {"h1": "h2", "h2": "h3", "h3": "h4", "h4": "h5", "h5": "h6"}

router = APIRouter(include_in_schema=False)


@router.get("/admin", dependencies=[needs("read")])
def show_admin(request: Request) -> Response:
    """How the service is, and where the rest stands."""
    desk, settings = desk_of(request), settings_of(request)
    with desk.engine.connect() as connection:
        newest = newest_moment(connection)
    vitals = read_vitals(desk.engine, now=desk.now(), dead_after_s=settings.worker_dead_after_s)
    context = {
        "vitals": vitals,
        "newest": newest,
        "made": desk.pipeline.provenance,
        "min_group": settings.min_group,
    }
    return templates.TemplateResponse(request, "admin.html", context)


@router.get("/admin/sources", dependencies=[needs("read")])
def show_sources(request: Request) -> Response:
    """The registered sources and what fetches for them."""
    return _sources_page(request)


@router.post("/admin/sources", dependencies=[needs("admin")])
def take_source(
    request: Request,
    caller: TheCaller,
    name: Annotated[str, Form()] = "",
    channel: Annotated[str, Form()] = "",
    legal_basis: Annotated[str, Form()] = "",
    retention_days: Annotated[str, Form()] = "",
) -> Response:
    """Register a source; what was typed stays where it cannot be."""
    typed = {
        "name": name.strip(),
        "channel": channel.strip(),
        "legal_basis": legal_basis.strip(),
        "retention_days": retention_days.strip(),
    }
    try:
        source = Source(**SourceIn.model_validate(typed).model_dump())
    except ValidationError as error:
        wrong = [str(detail["loc"][0]) for detail in error.errors(include_input=False)]
        return _sources_page(request, typed=typed, wrong=wrong, status=422)
    try:
        add_source(desk_of(request), source, made_by=caller.name)
    except Conflict:
        return _sources_page(request, typed=typed, wrong=["name"], status=409)
    return RedirectResponse("/admin/sources?told=made", status_code=303)


@router.get("/admin/models", dependencies=[needs("read")])
def show_models(request: Request) -> Response:
    """Every model at hand; one of them answers."""
    desk = desk_of(request)
    context = {"models": desk.models(), "active": desk.pipeline.provenance.model_sha256}
    return templates.TemplateResponse(request, "admin_models.html", context)


@router.get("/admin/models/{name}/{version}", dependencies=[needs("read")])
def show_model(request: Request, name: str, version: str) -> Response:
    """The card of one model: what it is for, and what was measured of it.

    Raises:
        NotFound: no such model is at hand.
    """
    for info in desk_of(request).models():
        if (info.name, info.version) == (name, version):
            context = {"model": info, "card": _read_card(info.folder / _CARD)}
            return templates.TemplateResponse(request, "admin_model.html", context)
    raise NotFound("no model of this name and version is at hand")


@router.get("/admin/taxonomies", dependencies=[needs("read")])
def show_taxonomies(request: Request) -> Response:
    """The packs at hand; one of them labels."""
    desk = desk_of(request)
    own = desk.pipeline.taxonomy
    context = {"packs": desk.taxonomies(), "active": (own.name, own.version)}
    return templates.TemplateResponse(request, "admin_taxonomies.html", context)


@router.get("/admin/taxonomies/{name}/{version}", dependencies=[needs("read")])
def show_taxonomy(request: Request, name: str, version: str) -> Response:
    """Every category of a pack with its definition, and the rules where two meet.

    Raises:
        NotFound: no such pack is at hand.
    """
    pack = _find_pack(desk_of(request), name=name, version=version)
    guide = settings_of(request).corpus_folder / "taxonomies" / name / _GUIDE
    context = {
        "pack": pack,
        "facets": [(facet, tuple(_in_order(facet))) for facet in pack.facets.values()],
        "guide": _read_card(guide),
    }
    return templates.TemplateResponse(request, "admin_taxonomy.html", context)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A category in its place; `is_group` has others below it."""

    category: Category
    is_group: bool


def _in_order(facet: Facet) -> Iterator[_Entry]:
    """Each category above others, then those below it; the order is that of the pack."""
    parents = {own.parent for own in facet.categories}
    for own in facet.categories:
        if own.parent is None:
            yield _Entry(own, is_group=own.code in parents)
            yield from (
                _Entry(other, is_group=False)
                for other in facet.categories
                if other.parent == own.code
            )


def _find_pack(desk: Desk, *, name: str, version: str) -> Taxonomy:
    for pack in desk.taxonomies():
        if (pack.name, pack.version) == (name, version):
            return pack
    raise NotFound("no taxonomy pack of this name and version is at hand")


def _sources_page(
    request: Request,
    *,
    typed: dict[str, str] | None = None,
    wrong: list[str] | None = None,
    status: int = 200,
) -> Response:
    engine = desk_of(request).engine
    with engine.connect() as connection:
        feeds = list_feeds(connection)
    context = {
        "sources": sorted(list_sources(engine), key=lambda source: sort_key(source.name)),
        "feeds": feeds,
        "typed": typed or {},
        "wrong": wrong or [],
        "is_taken": status == 409,
    }
    return templates.TemplateResponse(request, "admin_sources.html", context, status_code=status)


def _read_card(path: Path) -> Markup | None:
    """Markdown of ours as HTML, raw HTML in it escaped; None where there is none."""
    try:
        source = path.read_text(encoding="utf-8")
    except OSError:
        return None
    tokens = _markdown().parse(source)
    for token in tokens:
        if token.tag in _LOWER:  # the page has its own first heading
            token.tag = _LOWER[token.tag]
    # a corner of a table without words heads nothing
    shown = _markdown().renderer.render(tokens, _markdown().options, {})
    shown = shown.replace("<th></th>", "<td></td>")
    return Markup(shown)  # noqa: S704 - html is off: what is rendered is escaped


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")

"""Phân loại lại: let a model read the archive again, look at what changes, promote it or go back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Path, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from nlp.errors import InputError, InvalidRecord
from nlp.taxonomy import Taxonomy
from service import reclassifying
from service.access import TheCaller, needs
from service.reclassifying import Archive, NothingToRead, Reclassification, Wish, archive_of
from service.reviewing import standing_pack
from service.store.choosing import DRAWN_FROM
from service.store.days import VIETNAM
from service.store.diff import Shown
from service.store.errors import Conflict
from service.store.jobs import OPEN, cancel_job, list_faults, retry_job
from service.store.query import Query as StoreQuery
from service.store.runs import is_all_of
from service.store.tables import FACETS
from service.store.views import list_sources
from service.store.vitals import read_vitals
from service.ui.reclassification_words import (
    FacetDiff,
    Names,
    facet_diffs,
    scope_words,
    state_of,
    time_left,
)
from service.ui.rendering import desk_of, settings_of, templates

_SAMPLE = 500  # items of a trial: minutes at most, and a label of one in a hundred is seen
_PAGE_CHANGES = 20
_FAULTS = 20
_STEPS = 12  # from what to what, before the rest is folded away
_SCREEN = "/reclassifications"

router = APIRouter(prefix=_SCREEN, include_in_schema=False)
_JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_Facet = Literal["task_area", "civic_field", "sentiment", "intent"]
_Facets = Annotated[list[_Facet], Query()]
_Given = Annotated[list[_Facet], Form()]


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was sent, so that nothing is lost when it cannot be carried out."""

    model: str = ""
    kind: str = ""
    source: str = ""
    first: str = ""
    last: str = ""
    affected: str = ""


@router.get("", dependencies=[needs("analyse")])
def show_reclassifications(
    request: Request, model: str = "", kind: str = "", source: str = ""
) -> Response:
    """What was read again, and the form to have it done, filled in as the address says."""
    return _list_page(request, Typed(model, kind, source))


@router.post("", dependencies=[needs("analyse", cost=10)])
def take_wish(
    request: Request,
    caller: TheCaller,
    model: Annotated[str, Form(max_length=160)] = "",
    kind: Annotated[Literal["", "official", "opinion"], Form()] = "",
    source: Annotated[str, Form(max_length=64)] = "",
    first: Annotated[str, Form(max_length=10)] = "",
    last: Annotated[str, Form(max_length=10)] = "",
    affected: Annotated[str, Form(max_length=3)] = "",
    do: Annotated[Literal["try", "run"], Form()] = "try",
) -> Response:
    """Have a sample tried, or all that was asked for read."""
    typed = Typed(model, kind, source, first, last, affected)
    is_trial = do == "try"
    try:
        wish = Wish(
            model,
            _query(typed),
            caller.name,
            affected=bool(affected),
            dry_run=is_trial,
            sample=_SAMPLE if is_trial else None,
            must_find=True,
        )
        found = reclassifying.start(_archive(request), wish)
    except Conflict as error:
        wrong = "nothing_there" if isinstance(error, NothingToRead) else "nothing_affected"
        return _list_page(request, typed, wrong=wrong, status=409)
    except InputError as error:
        wrong = "wrong_days" if isinstance(error, InvalidRecord) else "wrong_model"
        return _list_page(request, typed, wrong=wrong, status=422)
    return RedirectResponse(f"{_SCREEN}/{found.job.id}?told=ordered", status_code=303)


@router.get("/{job_id}", dependencies=[needs("analyse")])
def show_reclassification(request: Request, job_id: _JobId) -> Response:
    """How far one is, and what can be done with it."""
    found = reclassifying.look(_archive(request), job_id)
    is_part = "hx-request" in request.headers
    context = _of_one(request, found)
    name = "reclassification_progress.html" if is_part else "reclassification.html"
    # what can be done now stands outside the part that is polled
    is_over = is_part and found.job.state not in OPEN
    headers = {"hx-redirect": f"{_SCREEN}/{job_id}"} if is_over else {}
    return templates.TemplateResponse(request, name, context, headers=headers)


@router.get("/{job_id}/diff", dependencies=[needs("analyse", cost=10)])
def show_diff(request: Request, job_id: _JobId) -> Response:
    """What changes, facet by facet; counted over everything that was read, so it may take a while."""
    archive, desk = _archive(request), desk_of(request)
    found = reclassifying.look(archive, job_id)
    diff = reclassifying.compare(archive, job_id)
    facets = facet_diffs(diff, pack=standing_pack(desk))
    context = _of_one(request, found) | {
        "facets": facets,
        "open_facets": _promotable(found),
        "is_same": _is_same(found, facets, standing=standing_pack(desk)),
        "examples": (found.job.result or {}).get("examples", {}),
        "n_steps": _STEPS,
    }
    is_part = "hx-request" in request.headers
    name = "reclassification_diff_part.html" if is_part else "reclassification_diff.html"
    return templates.TemplateResponse(request, name, context)


@router.get("/{job_id}/changes", dependencies=[needs("analyse", cost=5)])
def show_changes(
    request: Request,
    job_id: _JobId,
    facet: _Facet,
    old: Annotated[str, Query(max_length=32)] = "",
    new: Annotated[str, Query(max_length=32)] = "",
    below: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """Item by item what changes from one label to another."""
    archive = _archive(request)
    shown = Shown(facet, old or None, new or None, below, _PAGE_CHANGES + 1)
    found = reclassifying.changes(archive, job_id, shown=shown)
    context = _of_one(request, reclassifying.look(archive, job_id)) | {
        "facet": facet,
        "old": old,
        "new": new,
        "changes": found[:_PAGE_CHANGES],
        "next": found[_PAGE_CHANGES - 1].seq if len(found) > _PAGE_CHANGES else None,
        "pack": standing_pack(desk_of(request)),
    }
    return templates.TemplateResponse(request, "reclassification_changes.html", context)


@router.get("/{job_id}/promote", dependencies=[needs("analyse", cost=10)])
def ask_promote(request: Request, job_id: _JobId, facet: _Facets = []) -> Response:  # noqa: B006 - FastAPI's way
    """Say exactly what would change, before it does."""
    return _confirm_page(request, job_id, what="promote", facets=facet)


@router.post("/{job_id}/promote", dependencies=[needs("analyse")])
def promote(request: Request, caller: TheCaller, job_id: _JobId, facet: _Given) -> Response:
    """Let every view read it from now on; corrections stay on top."""
    archive = _archive(request)
    reclassifying.put_on_top(archive, job_id, facets=facet, made_by=caller.name)
    return _back(job_id, told="promoted")


@router.get("/{job_id}/rollback", dependencies=[needs("analyse", cost=10)])
def ask_roll_back(request: Request, job_id: _JobId) -> Response:
    """Say exactly what would show again."""
    return _confirm_page(request, job_id, what="rollback", facets=[])


@router.post("/{job_id}/rollback", dependencies=[needs("analyse")])
def roll_back(request: Request, caller: TheCaller, job_id: _JobId) -> Response:
    """Let views read what they read before."""
    reclassifying.take_back(_archive(request), job_id, made_by=caller.name)
    return _back(job_id, told="rolled_back")


@router.get("/{job_id}/discard", dependencies=[needs("analyse")])
def ask_discard(request: Request, job_id: _JobId) -> Response:
    """Say what would be erased for good."""
    return _confirm_page(request, job_id, what="discard", facets=[])


@router.post("/{job_id}/discard", dependencies=[needs("analyse")])
def discard(request: Request, job_id: _JobId) -> Response:
    """Erase the answers of one that no view reads."""
    reclassifying.discard(_archive(request), job_id)
    return _back(job_id, told="discarded")


@router.post("/{job_id}/cancel", dependencies=[needs("analyse")])
def cancel(request: Request, job_id: _JobId) -> Response:
    """Stop reading; what was read stays, and it can be gone on with."""
    found = reclassifying.look(_archive(request), job_id)
    cancel_job(desk_of(request).engine, found.job.id, now=desk_of(request).now())
    return _back(job_id, told="stopped")


@router.post("/{job_id}/retry", dependencies=[needs("analyse")])
def go_on(request: Request, job_id: _JobId) -> Response:
    """Go on with one that was stopped or has failed."""
    found = reclassifying.look(_archive(request), job_id)
    retry_job(desk_of(request).engine, found.job.id)
    return _back(job_id, told="ordered")


def _back(job_id: str, *, told: str) -> Response:
    return RedirectResponse(f"{_SCREEN}/{job_id}?told={told}", status_code=303)


def _archive(request: Request) -> Archive:
    return archive_of(desk_of(request))


def _query(typed: Typed) -> StoreQuery:
    """What the form asks for; both days count whole, as people in Vietnam have them."""
    first, last = _moment(typed.first), _moment(typed.last)
    if first is not None and last is not None and last < first:
        raise InvalidRecord("the period ends before it begins")
    until = None if last is None else last + timedelta(days=1)
    kind, source = typed.kind or None, typed.source or None
    return StoreQuery(kind=kind, source=source, received_from=first, received_to=until)


def _moment(typed: str) -> datetime | None:
    if not typed:
        return None
    try:
        day = date.fromisoformat(typed)
    except ValueError as error:
        raise InvalidRecord("a day is written as 2026-01-31") from error
    return datetime.combine(day, time(), VIETNAM)


def _list_page(request: Request, typed: Typed, *, wrong: str = "", status: int = 200) -> Response:
    desk = desk_of(request)
    found = reclassifying.look_at_all(archive_of(desk))
    own = desk.pipeline.provenance
    models, in_use = desk.models(), f"{own.model}@{own.model_version}"
    with desk.engine.connect() as connection:
        is_same = is_all_of(connection, own)
    context = {
        "found": [(one, state_of(one), scope_words(one.job.params["scope"])) for one in found],
        "models": models,
        "in_use": in_use,
        "is_only": is_same and [f"{info.name}@{info.version}" for info in models] == [in_use],
        "standing": standing_pack(desk),
        "sources": list_sources(desk.engine),
        "typed": typed,
        "wrong": wrong,
        "n_sample": _SAMPLE,
        "n_drawn_from": DRAWN_FROM,
    }
    return templates.TemplateResponse(
        request, "reclassifications.html", context, status_code=status
    )


def _of_one(request: Request, found: Reclassification) -> dict[str, Any]:
    """What every page of one shows. `Any`: what templates take."""
    desk, job = desk_of(request), found.job
    left = found.progress.seconds_left
    is_idle = job.state == "queued" and not _has_workers(request)
    return {
        "found": found,
        "job": job,
        "state": state_of(found),
        "is_open": job.state in OPEN,
        "is_dry": job.params["dry_run"],
        "scope": scope_words(job.params["scope"]),
        "again": urlencode(
            {"model": job.params["model"]}
            | {name: job.params["scope"].get(name, "") for name in ("kind", "source")}
        ),
        "left": time_left(left) if left is not None else "",
        "is_idle": is_idle,
        "faults": list_faults(desk.engine, job.id, limit=_FAULTS)
        if found.progress.n_failed
        else (),
        "names": Names((standing_pack(desk), *reversed(desk.taxonomies()))),
        "titles": {name: standing_pack(desk).facets[name].title for name in FACETS},
        "facet_names": FACETS,
    }


def _has_workers(request: Request) -> bool:
    desk, dead_after_s = desk_of(request), settings_of(request).worker_dead_after_s
    return read_vitals(desk.engine, now=desk.now(), dead_after_s=dead_after_s).n_workers > 0


def _promotable(found: Reclassification) -> tuple[str, ...]:
    """The facets in which it could be promoted; none while it is not done."""
    if found.run is None or found.job.state != "done" or found.state == "discarded":
        return ()
    return tuple(name for name in FACETS if name not in found.run.active)


def _is_same(found: Reclassification, facets: Sequence[FacetDiff], *, standing: Taxonomy) -> bool:
    """Whether promoting would change nothing: neither a label nor the version that labels are of."""
    of_run = found.run and (found.run.taxonomy, found.run.taxonomy_version)
    is_changed = any(own.n_changed for own in facets if own.name in _promotable(found))
    return of_run == (standing.name, standing.version) and not is_changed


def _confirm_page(request: Request, job_id: str, *, what: str, facets: list[_Facet]) -> Response:
    archive, desk = _archive(request), desk_of(request)
    found = reclassifying.look(archive, job_id)
    _check_possible(found, what=what)
    active = found.run.active if found.run is not None else ()
    chosen = [name for name in FACETS if name in (facets or FACETS) and name not in active]
    if what == "rollback":
        chosen = list(active)
    standing = standing_pack(desk)
    diff = reclassifying.compare(archive, job_id, facets=chosen) if what != "discard" else None
    context = _of_one(request, found) | {
        "what": what,
        "chosen": chosen,
        "facets": facet_diffs(diff, pack=standing) if diff is not None else (),
        "standing": standing,
        "n_steps": 5,
    }
    return templates.TemplateResponse(request, "reclassification_confirm.html", context)


def _check_possible(found: Reclassification, *, what: str) -> None:
    """Refuse to ask about what could not be done, with the words of the doing."""
    possible: dict[str, tuple[str, ...]] = {
        "promote": ("done", "promoted"),
        "rollback": ("promoted",),
        "discard": ("done", "failed", "cancelled"),
    }
    if found.run is None or found.state not in possible[what]:
        raise Conflict("this is not possible in its state; look at it again")

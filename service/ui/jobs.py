"""Việc đang làm: what workers do and have done, and changing one's mind about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.access import needs
from service.actions import Desk
from service.messages import say, words_of
from service.store.jobs import (
    STATES,
    Fault,
    Job,
    JobQuery,
    Progress,
    State,
    cancel_job,
    list_faults,
    list_jobs,
    measure,
    read_job,
    retry_job,
)
from service.store.views import read_item
from service.ui.outcomes import number_of, what_it_is, why_of
from service.ui.rendering import desk_of, templates

_PAGE_JOBS = 30
_FAULTS_SHOWN = 100
_FILES_SHOWN = 30  # of an archive, each of which is opened to say what it is
_ID = r"^[A-Za-z0-9_.:-]{1,64}$"
_JobId = Annotated[str, Path(pattern=_ID)]

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class _File:
    """A file of an upload that became an item; `what` is None where that was erased since."""

    number: int
    item_id: str
    is_new: bool
    what: str | None


@router.get("/jobs", dependencies=[needs("read")])
def show_jobs(
    request: Request,
    state: State | Literal[""] = "",
    cursor: Annotated[str | None, Query(pattern=_ID)] = None,
) -> Response:
    """Jobs, newest first."""
    desk = desk_of(request)
    found = list_jobs(
        desk.engine, JobQuery(state=state or None, cursor=cursor, limit=_PAGE_JOBS + 1)
    )
    shown = found[:_PAGE_JOBS]
    context = {
        "jobs": [(job, _name(job)) for job in shown],
        "progress": measure(desk.engine, shown, now=desk.now()),
        "states": STATES,
        "state": state,
        "next": shown[-1].id if len(found) > len(shown) else None,
    }
    return templates.TemplateResponse(request, "jobs.html", context)


@router.get("/jobs/{job_id}", dependencies=[needs("read")])
def show_job(request: Request, job_id: _JobId) -> Response:
    """How far one is; its items once they are there, and what it set aside."""
    desk = desk_of(request)
    job = read_job(desk.engine, job_id)
    progress = measure(desk.engine, [job], now=desk.now())[job.id]
    faults = list_faults(desk.engine, job.id, limit=_FAULTS_SHOWN)
    if job.kind == "upload":
        faults = tuple(sorted(faults, key=number_of))
    context = {
        "job": job,
        "name": _name(job),
        "progress": progress,
        "left": _left(progress),
        "why": _why(desk, job),
        "faults": [(fault, _why_aside(desk, job, fault=fault)) for fault in faults],
        "files": list(_files(desk, job)),
        "number_of": number_of,
    }
    return templates.TemplateResponse(request, "job.html", context)


@router.post("/jobs/{job_id}/cancel", dependencies=[needs("analyse")])
def cancel(request: Request, job_id: _JobId) -> Response:
    """End a job that has not ended. What it has done stays."""
    desk = desk_of(request)
    cancel_job(desk.engine, job_id, now=desk.now())
    return RedirectResponse(f"/jobs/{job_id}?told=stopped", status_code=303)


@router.post("/jobs/{job_id}/retry", dependencies=[needs("analyse")])
def retry(request: Request, job_id: _JobId) -> Response:
    """Go on with a job that failed or was ended."""
    retry_job(desk_of(request).engine, job_id)
    return RedirectResponse(f"/jobs/{job_id}?told=ordered", status_code=303)


def _name(job: Job) -> str:
    names = words_of("upload")
    return names.get(f"job_{job.kind}", names["job_other"])


def _left(progress: Progress) -> str | None:
    """How long it will take, roughly; None where that cannot be told."""
    if progress.seconds_left is None:
        return None
    minutes = round(progress.seconds_left / 60)
    return say("upload.minutes_left", n=minutes) if minutes else say("upload.soon")


def _why(desk: Desk, job: Job) -> str | None:
    if job.reason is None:
        return None
    return why_of(desk, job.reason) if job.kind == "upload" else say("upload.job_failed")


def _why_aside(desk: Desk, job: Job, *, fault: Fault) -> str:
    return why_of(desk, fault.reason) if job.kind == "upload" else say("upload.item_failed")


def _files(desk: Desk, job: Job) -> Iterator[_File]:
    """The items that an upload became; only of the first ones it is said what they are."""
    if job.kind != "upload" or not job.result:
        return
    for place, found in enumerate(job.result["items"]):
        item = read_item(desk.engine, found["id"]) if place < _FILES_SHOWN else None
        what = what_it_is(desk, item) if item else "" if place >= _FILES_SHOWN else None
        yield _File(found["file"], found["id"], found["is_new"], what)

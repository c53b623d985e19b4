"""Tải lên: hand in files and opinions, and see what became of each."""

from typing import Annotated

from fastapi import APIRouter, File, Form, Query, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from nlp.errors import InputError
from nlp.readers import EXTENSIONS
from nlp.types import KindAsked
from service.access import UPLOAD_COST, TheCaller, needs
from service.actions import KEPT_APART, Upload
from service.auth import Caller
from service.faults import fault_of
from service.messages import say
from service.opinions import store_pasted
from service.store.errors import NotFound
from service.store.jobs import read_job
from service.ui.outcomes import Outcome, outcome_of, outcome_of_job, outcome_of_reason, why_of
from service.ui.rendering import desk_of, templates
from service.uploading import take_upload

_READ_AT_ONCE = 5  # of the files of one form; the others are left to a worker
_ASKED_AT_ONCE = 40  # jobs
_FORMATS = ",".join((*EXTENSIONS, ".zip"))
_JobIds = Annotated[list[Annotated[str, Query(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]], Query()]

router = APIRouter(include_in_schema=False)
templates.env.globals["upload_formats"] = _FORMATS  # the forms are part of the error page too


@router.get("/upload", dependencies=[needs("intake")])
def show_upload(request: Request) -> Response:
    """The forms."""
    return templates.TemplateResponse(request, "upload.html", {"limits": desk_of(request).limits})


@router.post("/documents", dependencies=[needs("intake", cost=UPLOAD_COST)])
def take_documents(
    request: Request,
    file: Annotated[list[UploadFile], File()],
    kind: Annotated[KindAsked, Form()] = "auto",
    *,
    caller: TheCaller,
) -> Response:
    """Keep files: one leads to its page, several to what became of each; the script gets a row."""
    if len(file) == 1 and "hx-request" not in request.headers:
        return _take_one(request, file[0], kind=kind, caller=caller)
    outcomes = [
        _take(request, one, kind=kind, caller=caller, later=number >= _READ_AT_ONCE)
        for number, one in enumerate(file)
    ]
    page = "_outcomes.html" if "hx-request" in request.headers else "upload_told.html"
    return templates.TemplateResponse(request, page, {"outcomes": outcomes})


def _take_one(request: Request, file: UploadFile, *, kind: KindAsked, caller: Caller) -> Response:
    """Keep a file and show it; whatever is wrong with it is told by the error page with the forms."""
    upload = Upload(file.file.read(), file.filename or "", kind)
    taken = take_upload(desk_of(request), upload, asked_by=caller.name)
    if taken.item is None:
        return RedirectResponse(f"/jobs/{taken.job_id}", status_code=303)
    told = "" if taken.is_new else "?told=known"
    return RedirectResponse(f"/documents/{taken.item.id}{told}", status_code=303)


def _take(
    request: Request, file: UploadFile, *, kind: KindAsked, caller: Caller, later: bool
) -> Outcome:
    """Keep one file of several; a bad one does not keep the others out."""
    desk = desk_of(request)
    name = file.filename or ""
    try:
        taken = take_upload(
            desk, Upload(file.file.read(), name, kind), asked_by=caller.name, later=later
        )
    except InputError as error:
        return outcome_of_reason(desk, str(error), name=name)
    return outcome_of(desk, taken, name=name)


@router.get("/upload/waiting", dependencies=[needs("intake")])
def show_waiting(request: Request, job: _JobIds) -> Response:
    """How far the files are that workers read; a job that is gone is left out."""
    outcomes = []
    for job_id in job[:_ASKED_AT_ONCE]:
        try:
            found = read_job(desk_of(request).engine, job_id)
        except NotFound:
            continue
        outcomes.append(outcome_of_job(desk_of(request), found))
    return templates.TemplateResponse(request, "_outcomes.html", {"outcomes": outcomes})


@router.post("/opinions", dependencies=[needs("intake")])
def take_opinion(request: Request, text: Annotated[str, Form()]) -> Response:
    """Keep a pasted opinion and show it; one that is refused is shown in its form again."""
    desk = desk_of(request)
    try:
        stored = store_pasted(desk, text)
    except InputError as error:
        fault = fault_of(error)
        is_apart = str(error).startswith(KEPT_APART)
        context = {
            "limits": desk.limits,
            "title": say(f"faults.{fault.name}"),
            "help": why_of(desk, str(error)) if is_apart else say("upload.why_opinion"),
            "text": "" if is_apart else text,
        }
        return templates.TemplateResponse(request, "upload.html", context, status_code=fault.status)
    return RedirectResponse(f"/opinions/{stored.id}", status_code=303)

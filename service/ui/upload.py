"""Tải lên: hand in files and opinions, and see how far those are that a worker reads."""

from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from service.access import UPLOAD_COST, TheCaller, needs
from service.actions import KindAsked, Upload
from service.opinions import store_pasted
from service.store.jobs import list_faults, read_job
from service.ui.rendering import desk_of, templates
from service.uploading import take_upload

_PAGE_FAULTS = 100

router = APIRouter(include_in_schema=False)


@router.get("/upload", dependencies=[needs("intake")])
def show_upload(request: Request) -> Response:
    """The forms."""
    return templates.TemplateResponse(request, "upload.html", {"limits": desk_of(request).limits})


@router.post("/documents", dependencies=[needs("intake", cost=UPLOAD_COST)])
def take_document(
    request: Request,
    file: Annotated[UploadFile, File()],
    kind: Annotated[KindAsked, Form()] = "auto",
    *,
    caller: TheCaller,
) -> Response:
    """Keep a file and show it."""
    upload = Upload(file.file.read(), file.filename or "", kind)
    taken = take_upload(desk_of(request), upload, asked_by=caller.name)
    page = f"/documents/{taken.item.id}" if taken.item else f"/jobs/{taken.job_id}"
    return RedirectResponse(page, status_code=303)


@router.get("/jobs/{job_id}", dependencies=[needs("read")])
def show_job(request: Request, job_id: str) -> Response:
    """How far a file is that a worker reads; its items once they are there."""
    engine = desk_of(request).engine
    job = read_job(engine, job_id)
    context = {"job": job, "faults": list_faults(engine, job_id, limit=_PAGE_FAULTS)}
    return templates.TemplateResponse(request, "job.html", context)


@router.post("/opinions", dependencies=[needs("intake")])
def take_opinion(request: Request, text: Annotated[str, Form()]) -> Response:
    """Keep a pasted opinion and show it."""
    stored = store_pasted(desk_of(request), text)
    return RedirectResponse(f"/opinions/{stored.id}", status_code=303)

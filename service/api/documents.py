"""`/v1/documents`: files in, documents with their analyses out."""

from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, UploadFile
from fastapi.responses import JSONResponse

from nlp.types import KindAsked
from service.access import UPLOAD_COST, TheCaller, needs, notes
from service.actions import Upload, open_item
from service.api.desk import ForLater, TheDesk, takes
from service.api.problems import problems
from service.schemas import DocumentFilter, ItemOut, JobRef, SourceName, item_json, to_query
from service.store.views import Page, list_items
from service.uploading import take_upload

router = APIRouter(prefix="/v1/documents", tags=["documents"])


@router.post(
    "",
    status_code=201,
    response_model=ItemOut,
    responses={
        200: {"model": ItemOut, "description": "The same file had been handed in before"},
        202: {"model": JobRef, "description": "A worker reads it; the job tells when"},
        **problems(400, 403, 413, 415, 422),
    },
    dependencies=[
        needs("intake", cost=UPLOAD_COST),
        Depends(takes("multipart/form-data")),
    ],
)
def post_document(
    desk: TheDesk,
    file: Annotated[UploadFile, File(description="docx, pdf, html, md or txt")],
    kind: Annotated[KindAsked, Form()] = "auto",
    source: Annotated[SourceName, Form()] = "web_upload",
    *,
    later: ForLater,
    caller: TheCaller,
) -> JSONResponse:
    """Read, analyse and keep a file. A citizen's text is masked before it is kept.

    A scan of many pages, an archive and whatever else takes long is left to a worker, and so is every file
    with `Prefer: respond-async`: 202 and the job, whose result names the items.
    """
    upload = Upload(file.file.read(), file.filename or "", kind, source)
    taken = take_upload(desk, upload, asked_by=caller.name, later=later)
    if taken.item is None:
        headers = {"location": f"/v1/jobs/{taken.job_id}"}
        return JSONResponse({"job_id": taken.job_id}, status_code=202, headers=headers)
    headers = {"location": f"/v1/documents/{taken.item.id}"}
    status = 201 if taken.is_new else 200
    return JSONResponse(item_json(taken.item), status_code=status, headers=headers)


@router.get("", responses=problems(422), dependencies=[needs("read")])
def get_documents(desk: TheDesk, asked: Annotated[DocumentFilter, Query()]) -> Page:
    """Documents, newest first."""
    return list_items(desk.engine, to_query(asked))


@router.get(
    "/{item_id}",
    response_model=ItemOut,
    responses=problems(404),
    dependencies=[needs("read"), notes("item.opened")],
)
def get_document(desk: TheDesk, item_id: str) -> JSONResponse:
    """One item with its text and analysis, whichever way it came."""
    return JSONResponse(item_json(open_item(desk, item_id)))

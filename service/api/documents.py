"""`/v1/documents`: files in, documents with their analyses out."""

from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Query, UploadFile
from fastapi.responses import JSONResponse

from service.actions import KindAsked, Upload, open_item, store_document, with_children
from service.api.desk import TheDesk, takes
from service.api.problems import problems
from service.schemas import DocumentFilter, ItemOut, SourceName, item_json
from service.store.views import LabelFilter, Page, list_items
from service.store.views import Query as StoreQuery

router = APIRouter(prefix="/v1/documents", tags=["documents"])


@router.post(
    "",
    status_code=201,
    response_model=ItemOut,
    responses={
        200: {"model": ItemOut, "description": "The same file had been handed in before"},
        **problems(400, 403, 413, 415, 422),
    },
    dependencies=[Depends(takes("multipart/form-data"))],
)
def post_document(
    desk: TheDesk,
    file: Annotated[UploadFile, File(description="docx, pdf, html, md or txt")],
    kind: Annotated[KindAsked, Form()] = "auto",
    source: Annotated[SourceName, Form()] = "web_upload",
) -> JSONResponse:
    """Read, analyse and keep a file. A citizen's text is masked before it is kept."""
    upload = Upload(file.file.read(), file.filename or "", kind, source)
    stored, is_new = store_document(desk, upload)
    headers = {"location": f"/v1/documents/{stored.id}"}
    return JSONResponse(item_json(stored), status_code=201 if is_new else 200, headers=headers)


@router.get("", responses=problems(422))
def get_documents(desk: TheDesk, asked: Annotated[DocumentFilter, Query()]) -> Page:
    """Documents, newest first."""
    codes = with_children(desk, "task_area", code=asked.task_area) if asked.task_area else ()
    query = StoreQuery(
        intake="document",
        labels=(LabelFilter("task_area", codes, asked.decision),),
        **asked.model_dump(exclude={"task_area", "decision"}),
    )
    return list_items(desk.engine, query)


@router.get("/{item_id}", response_model=ItemOut, responses=problems(404))
def get_document(desk: TheDesk, item_id: str) -> JSONResponse:
    """One item with its text and analysis, whichever way it came."""
    return JSONResponse(item_json(open_item(desk, item_id)))

"""`/v1/exports`: what a filter finds as a file; a worker writes it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Response
from fastapi.responses import FileResponse
from pydantic import Field, Tag

from service.access import TheCaller, needs, notes
from service.api.desk import TheDesk, TheSettings, takes
from service.api.problems import problems
from service.item_table import Export, Format
from service.jobs.export import find_file, order_export
from service.schemas import DocumentScope, JobRef, OpinionScope, to_query

router = APIRouter(prefix="/v1/exports", tags=["exports"])
_JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_WithText = Annotated[
    bool, Field(description="the masked texts too; a copy that nobody can call back")
]
_MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl",
}


class OpinionExportIn(OpinionScope):
    """Which opinions go into which file."""

    format: Format
    intake: Literal["opinion"]
    with_text: _WithText = False


class DocumentExportIn(DocumentScope):
    """Which documents go into which file."""

    format: Format
    intake: Literal["document"]
    with_text: _WithText = False


ExportIn = Annotated[
    Annotated[OpinionExportIn, Tag("opinion")] | Annotated[DocumentExportIn, Tag("document")],
    Field(discriminator="intake"),
]


@router.post(
    "",
    status_code=202,
    responses=problems(400, 413, 415, 422),
    dependencies=[needs("analyse"), Depends(takes("application/json"))],
)
def post_export(desk: TheDesk, caller: TheCaller, body: ExportIn, response: Response) -> JobRef:
    """Order a file of items with their labels and versions; the job tells when it is there, and where."""
    scope = OpinionScope if isinstance(body, OpinionScope) else DocumentScope
    asked = scope(**body.model_dump(include=set(scope.model_fields)))
    export = Export(body.format, to_query(asked), body.with_text)
    job = order_export(desk.engine, export, by=caller, now=desk.now())
    response.headers["location"] = f"/v1/jobs/{job.id}"
    return JobRef(job_id=job.id)


@router.get(
    "/{job_id}/file",
    response_class=FileResponse,
    responses={
        200: {
            "description": "The file",
            "content": {kind: {"schema": {"type": "string"}} for kind in _MEDIA_TYPES.values()},
        },
        **problems(404, 409, 422),
    },
    dependencies=[needs("analyse"), notes("export.fetched", subject="job_id")],
)
def get_file(desk: TheDesk, settings: TheSettings, job_id: _JobId) -> FileResponse:
    """The file of an export, until it is erased."""
    file = find_file(desk.engine, job_id, folder=settings.exports_folder)
    return FileResponse(
        file, media_type=_MEDIA_TYPES[file.suffix[1:]], filename=f"danvan-{file.name}"
    )

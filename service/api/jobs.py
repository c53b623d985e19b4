"""`/v1/jobs`: what was asked for, how far it is, and changing one's mind."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from service.access import needs
from service.actions import Desk
from service.api.desk import TheDesk
from service.api.problems import problems
from service.schemas import Limit
from service.store.jobs import (
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

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
_FAULTS_SHOWN = 100
_ID = r"^[A-Za-z0-9_.:-]{1,64}$"
JobId = Annotated[str, Path(pattern=_ID)]


class JobFilter(BaseModel):
    """Which jobs; every given filter must hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: State | None = None
    kind: Annotated[str | None, Field(pattern=r"^[a-z_]{1,32}$")] = None
    limit: Limit = 50
    cursor: Annotated[
        str | None, Field(pattern=_ID, description="`next_cursor` of the page before; opaque")
    ] = None


class JobOut(BaseModel):
    """A job and how far it is; `params` and `result` are those of its kind."""

    id: str
    kind: str
    state: State
    asked_by: str
    params: dict[str, Any]  # each kind knows the shape of its own
    n_total: int | None = Field(description="items to be done; null until that is known")
    n_done: int
    n_failed: int = Field(description="items set aside")
    per_second: float | None
    seconds_left: float | None
    result: Any  # each kind knows the shape of its own
    reason: str | None = Field(description="why it failed")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobDetailOut(JobOut):
    """A job with the items it set aside, the first hundred of them."""

    faults: tuple[Fault, ...]


class JobPage(BaseModel):
    """Some jobs and the cursor of the next page; null on the last."""

    jobs: list[JobOut]
    next_cursor: str | None


@router.get("", responses=problems(422), dependencies=[needs("read")])
def get_jobs(desk: TheDesk, asked: Annotated[JobFilter, Query()]) -> JobPage:
    """Jobs, newest first."""
    more = asked.model_copy(update={"limit": asked.limit + 1})
    found = list_jobs(desk.engine, JobQuery(**more.model_dump()))
    shown = found[: asked.limit]
    progress = measure(desk.engine, shown, now=desk.now())
    return JobPage(
        jobs=[JobOut(**_fields(job, progress[job.id])) for job in shown],
        next_cursor=shown[-1].id if len(found) > len(shown) else None,
    )


@router.get("/{job_id}", responses=problems(404, 422), dependencies=[needs()])
def get_job(desk: TheDesk, job_id: JobId) -> JobDetailOut:
    """One job, with what it set aside and why."""
    return _detail(desk, read_job(desk.engine, job_id))


@router.post("/{job_id}/cancel", responses=problems(404, 409, 422), dependencies=[needs("analyse")])
def cancel(desk: TheDesk, job_id: JobId) -> JobDetailOut:
    """End a job that has not ended. What it has done stays."""
    return _detail(desk, cancel_job(desk.engine, job_id, now=desk.now()))


@router.post("/{job_id}/retry", responses=problems(404, 409, 422), dependencies=[needs("analyse")])
def retry(desk: TheDesk, job_id: JobId) -> JobDetailOut:
    """Go on with a failed or cancelled job: what is missing is done, what was set aside is tried again."""
    return _detail(desk, retry_job(desk.engine, job_id))


def _detail(desk: Desk, job: Job) -> JobDetailOut:
    progress = measure(desk.engine, [job], now=desk.now())[job.id]
    faults = list_faults(desk.engine, job.id, limit=_FAULTS_SHOWN)
    return JobDetailOut(**_fields(job, progress), faults=faults)


def _fields(job: Job, progress: Progress) -> dict[str, Any]:
    """What a job shows. `Any`: a value for each field of `JobOut`."""
    parts = (job, progress)
    return {name: getattr(part, name) for part in parts for name in part.__dataclass_fields__}

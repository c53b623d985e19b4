"""`/v1/reclassifications`: read the archive again, look at what would change, promote it or go back."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from nlp.types import TextKind
from service import reclassifying
from service.access import TheCaller, needs
from service.api.desk import TheDesk, takes
from service.api.problems import problems
from service.reclassifying import Reclassification, Wish, archive_of
from service.schemas import Asked, Code, Cursor, Day, Moment, SourceName
from service.store.diff import Agreement, Shown, Transition
from service.store.query import LabelFilter
from service.store.query import Query as StoreQuery
from service.store.records import Intake
from service.store.tables import FACETS

router = APIRouter(prefix="/v1/reclassifications", tags=["reclassifications"])
Facet = Literal["task_area", "civic_field", "sentiment", "intent"]
_Strict = ConfigDict(extra="forbid", frozen=True)
_JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_MAX_IDS = 10_000
_ItemId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class ScopeIn(BaseModel):
    """What to read again; everything given must hold, and nothing given means all."""

    model_config = _Strict

    ids: Annotated[list[_ItemId] | None, Field(max_length=_MAX_IDS)] = None
    affected: Annotated[
        bool,
        Field(description="only labels that mean another thing in the model's taxonomy version"),
    ] = False
    q: Asked = None
    intake: Intake | None = None
    kind: TextKind | None = None
    source: SourceName | None = None
    task_area: Code | None = None
    civic_field: Code | None = None
    sentiment: Code | None = None
    intent: Code | None = None
    received_from: Moment | None = None
    received_to: Moment | None = None
    dated_from: Day | None = None
    dated_to: Day | None = None

    def query(self) -> StoreQuery:
        """The scope as the store takes it."""
        given = [(facet, getattr(self, facet)) for facet in FACETS]
        plain = self.model_dump(exclude={"ids", "affected", "q", *FACETS})
        return StoreQuery(
            ids=None if self.ids is None else tuple(self.ids),
            text=self.q,
            labels=tuple(LabelFilter(facet, code) for facet, code in given if code is not None),
            **plain,
        )


class ReclassificationIn(BaseModel):
    """Which model reads what; a dry run keeps nothing but counts and some ids."""

    model_config = _Strict

    model: str = Field(pattern=r"^[A-Za-z0-9._-]{1,100}(@[A-Za-z0-9._+-]{1,50})?$")
    scope: ScopeIn = ScopeIn()
    dry_run: bool = False


class PromoteIn(BaseModel):
    """In which facets it is to be read; in all when none is named."""

    model_config = _Strict

    facets: Annotated[list[Facet] | None, Field(min_length=1)] = None


class ReclassificationOut(BaseModel):
    """A re-classification and how far it is."""

    id: str
    state: Literal["queued", "running", "done", "failed", "cancelled", "promoted", "discarded"]
    model: str
    model_sha256: str
    taxonomy: str | None = Field(description="null for a dry run")
    taxonomy_version: str | None
    scope: dict[str, Any]  # a filter of the store as JSON
    dry_run: bool
    facets: list[str] = Field(description="those that views read from it")
    n_total: int | None
    n_done: int
    n_failed: int = Field(description="items that the model could not read")
    per_second: float | None
    seconds_left: float | None
    reason: str | None = Field(description="why it failed")
    asked_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ReclassificationPage(BaseModel):
    """Re-classifications, newest first."""

    reclassifications: list[ReclassificationOut]


class ProvenOut(BaseModel):
    """An answer with its labels and the words that prove them."""

    decision: str
    labels: list[dict[str, Any]]  # code, probability, evidence, as in an Analysis


class ChangeOut(BaseModel):
    """One item whose answer changes; `old` is null for one that nobody had read."""

    id: str
    kind: TextKind
    excerpt: str
    old: ProvenOut | None
    new: ProvenOut
    corrected: bool = Field(description="a person's answer stands, whatever the models say")


class DiffOut(BaseModel):
    """Counts from label to label, agreement with people, and items of one facet that change."""

    transitions: list[Transition]
    agreement: list[Agreement]
    changes: list[ChangeOut]
    next_cursor: str | None


class DiffFilter(BaseModel):
    """Which facet to look at, and which of its changes to list."""

    model_config = _Strict

    facet: Facet | None = Field(None, description="of one facet only; needed to list changes")
    old: Code | None = Field(None, description="only from this label or decision")
    new: Code | None = Field(None, description="only to this label or decision")
    cursor: Cursor = None
    limit: int = Field(20, ge=1, le=200)


@router.post(
    "",
    status_code=202,
    responses=problems(400, 403, 404, 409, 413, 415, 422),
    dependencies=[needs("analyse", cost=10), Depends(takes("application/json"))],
)
def post_reclassification(
    desk: TheDesk, body: ReclassificationIn, caller: TheCaller, response: Response
) -> ReclassificationOut:
    """Let a model read the archive, or a part of it, again. What views read does not change."""
    wish = Wish(
        body.model,
        body.scope.query(),
        caller.name,
        affected=body.scope.affected,
        dry_run=body.dry_run,
    )
    found = reclassifying.start(archive_of(desk), wish)
    response.headers["location"] = f"/v1/reclassifications/{found.job.id}"
    return _out(found)


@router.get("", responses=problems(), dependencies=[needs("read")])
def get_reclassifications(desk: TheDesk) -> ReclassificationPage:
    """The last hundred, newest first."""
    return ReclassificationPage(
        reclassifications=[_out(found) for found in reclassifying.look_at_all(archive_of(desk))]
    )


@router.get("/{job_id}", responses=problems(404, 422), dependencies=[needs("read")])
def get_reclassification(desk: TheDesk, job_id: _JobId) -> ReclassificationOut:
    """How far it is, and how fast."""
    return _out(reclassifying.look(archive_of(desk), job_id))


@router.get("/{job_id}/diff", responses=problems(404, 409, 422), dependencies=[needs("read")])
def get_diff(desk: TheDesk, job_id: _JobId, asked: Annotated[DiffFilter, Query()]) -> DiffOut:
    """What it changes. With `facet`, the items that change as well, the newest first."""
    facets = FACETS if asked.facet is None else (asked.facet,)
    diff = reclassifying.compare(archive_of(desk), job_id, facets=facets)
    if asked.facet is None:
        return DiffOut(
            transitions=list(diff.transitions),
            agreement=list(diff.agreement),
            changes=[],
            next_cursor=None,
        )
    below = None if asked.cursor is None else int(asked.cursor)
    shown = Shown(asked.facet, asked.old, asked.new, below, asked.limit)
    listed = reclassifying.changes(archive_of(desk), job_id, shown=shown)
    return DiffOut(
        transitions=list(diff.transitions),
        agreement=list(diff.agreement),
        changes=[ChangeOut.model_validate(_change(asdict(change))) for change in listed],
        next_cursor=str(listed[-1].seq) if len(listed) == asked.limit else None,
    )


@router.post(
    "/{job_id}/promote",
    responses=problems(400, 403, 404, 409, 413, 422),
    dependencies=[needs("analyse")],
)
def promote(
    desk: TheDesk, job_id: _JobId, caller: TheCaller, body: PromoteIn | None = None
) -> ReclassificationOut:
    """Let every view read it from now on, in one step; corrections stay on top."""
    facets = (body and body.facets) or FACETS
    return _out(
        reclassifying.put_on_top(archive_of(desk), job_id, facets=facets, made_by=caller.name)
    )


@router.post(
    "/{job_id}/rollback", responses=problems(403, 404, 409, 422), dependencies=[needs("analyse")]
)
def roll_back(desk: TheDesk, job_id: _JobId, caller: TheCaller) -> ReclassificationOut:
    """Go back to what views read before, in one step; corrections stay on top."""
    return _out(reclassifying.take_back(archive_of(desk), job_id, made_by=caller.name))


@router.delete("/{job_id}", responses=problems(403, 404, 409, 422), dependencies=[needs("analyse")])
def discard(desk: TheDesk, job_id: _JobId) -> ReclassificationOut:
    """Erase the answers of one that is not promoted, to make room; that it was there is still known."""
    return _out(reclassifying.discard(archive_of(desk), job_id))


def _out(found: Reclassification) -> ReclassificationOut:
    job, run, params = found.job, found.run, found.job.params
    return ReclassificationOut(
        id=job.id,
        state=found.state,  # type: ignore[arg-type] # one of them
        model=params["model"],
        model_sha256=params["model_sha256"],
        taxonomy=run.taxonomy if run else None,
        taxonomy_version=run.taxonomy_version if run else None,
        scope=dict(params["scope"]),
        dry_run=params["dry_run"],
        facets=list(run.active) if run else [],
        n_total=job.n_total,
        **asdict(found.progress),
        reason=job.reason,
        asked_by=job.asked_by,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
    )


def _change(change: dict[str, Any]) -> dict[str, Any]:
    """A change as JSON values: of each side the decision and the labels."""
    sides = {
        side: change[side]
        and {"decision": change[side]["answer"]["decision"], "labels": change[side]["labels"]}
        for side in ("old", "new")
    }
    return {**{name: change[name] for name in ("id", "kind", "excerpt", "corrected")}, **sides}

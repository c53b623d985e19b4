"""`/v1/drift`: whether recent opinions are still such as the model was measured on."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from service.access import needs
from service.actions import Desk
from service.api.desk import TheDesk, TheSettings
from service.api.problems import problems
from service.messages import words_of
from service.monitor.drift import Drift, Shift, Verdict
from service.observing import find_drift

router = APIRouter(prefix="/v1/drift", tags=["monitoring"])


class DriftFilter(BaseModel):
    """Which days."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: int = Field(7, ge=1, le=90, description="so many days, up to yesterday")


class DriftOut(BaseModel):
    """What has shifted. Every figure is made of counts that were rounded to multiples of `min_group`."""

    model: str
    model_version: str
    min_group: int
    verdict: Verdict | Literal["no_reference"]
    sentence: str = Field(description="the verdict in Vietnamese")
    begin: date | None = Field(None, description="the first day")
    end: date | None = Field(None, description="the day after the last")
    shifts: tuple[Shift, ...] = ()


@router.get("", responses=problems(422), dependencies=[needs("analyse", cost=5)])
def get_drift(
    desk: TheDesk, settings: TheSettings, asked: Annotated[DriftFilter, Query()]
) -> DriftOut:
    """How the opinions of some days are written and how sure the model is of them, beside its reference."""
    k = settings.min_group
    return _out(desk, find_drift(desk, days=asked.days, k=k), k=k)


def _out(desk: Desk, drift: Drift | None, *, k: int) -> DriftOut:
    used = desk.pipeline.provenance
    verdict = drift.verdict if drift else "no_reference"
    return DriftOut(
        model=used.model,
        model_version=used.model_version,
        min_group=k,
        verdict=verdict,
        sentence=words_of("drift")[verdict],
        begin=drift.begin if drift else None,
        end=drift.end if drift else None,
        shifts=drift.shifts if drift else (),
    )

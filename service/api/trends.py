"""`/v1/trends`: how many opinions there are of what, where and when; nothing is told of small groups."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from nlp.types import Intent, Sentiment
from service.access import needs
from service.api.desk import TheDesk, TheSettings
from service.api.problems import problems
from service.monitor.dimensions import Name
from service.monitor.periods import Step
from service.monitor.told import Trends
from service.monitor.trends import Question
from service.observing import ask_trends, period_of
from service.schemas import (
    BodyCode,
    Code,
    Day,
    Line,
    OpinionScope,
    ProvinceCode,
    SourceName,
    Urgency,
    WardCode,
    to_query,
)

router = APIRouter(prefix="/v1/trends", tags=["trends"])
_COST = 5  # requests that one counts for: it reads a quarter of a year


class TrendFilter(BaseModel):
    """What is counted, and by what; days are those of Vietnam."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Name
    then: Name | None = Field(None, description="parts every group once more")
    step: Step | None = Field(None, description="of time; else week, and none with `then`")
    day_from: Day | None = Field(None, alias="from", description="else twelve weeks before `to`")
    day_to: Day | None = Field(None, alias="to", description="not included; else this Monday")
    source: SourceName | None = None
    civic_field: Code | None = None
    task_area: Code | None = Field(None, description="a code; a parent finds its children")
    sentiment: Sentiment | None = None
    intent: Intent | None = None
    province: ProvinceCode | None = None
    ward: WardCode | None = None
    body: BodyCode | None = None
    urgency: Urgency | None = None
    channel: Line | None = Field(None, max_length=16)


@router.get("", responses=problems(422), dependencies=[needs("read", cost=_COST)])
def get_trends(
    desk: TheDesk, settings: TheSettings, asked: Annotated[TrendFilter, Query()]
) -> Trends:
    """Rounded counts with shares, intervals and corrections, over time; each leads to its list."""
    filters = asked.model_dump(
        exclude={"by", "then", "step", "day_from", "day_to"}, exclude_none=True
    )
    period = period_of(asked.day_from, asked.day_to, now=desk.now())
    days = {"day_from": period.day_from, "day_to": period.day_to}
    question = Question(
        query=to_query(OpinionScope.model_validate(filters | days)),
        period=period,
        by=asked.by,
        then=asked.then,
        step=asked.step or ("none" if asked.then else "week"),
        k=settings.min_group,
        asked=filters,
    )
    return ask_trends(desk, question, registers=settings.corpus_folder / "registers")

"""`/v1/trends`: how many opinions there are of what, where and when; nothing is told of small groups."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from models.reference import Confusion, read_reference
from nlp.errors import InputError
from nlp.places import load_gazetteer
from nlp.types import Intent, Sentiment
from service.access import needs
from service.actions import Desk
from service.api.desk import TheDesk, TheSettings
from service.api.problems import problems
from service.messages import words_of
from service.monitor.counts import answering_model
from service.monitor.dimensions import PLACES, WORDS, Lexicon, Name, Words
from service.monitor.periods import Period, Step, this_monday
from service.monitor.told import Trends
from service.monitor.trends import Question, find_trends
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
_DAYS = 7 * 12


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
    period = _period(asked, desk=desk)
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
    names_places = {asked.by, asked.then} & {*PLACES}
    places = _places(settings.corpus_folder / "registers") if names_places else {}
    lexicon = Lexicon(desk.pipeline.taxonomy, _words(), places)
    confusions = _confusions(desk, asked.by)
    return find_trends(desk.engine, question, lexicon=lexicon, confusions=confusions)


def _words() -> Words:
    return {section: words_of(section) for section in WORDS}


def _places(registers: Path) -> Mapping[tuple[str, str], str]:
    names = load_gazetteer(registers).names
    return {(kind, code): name for (kind, code), name in names.items()}


def _period(asked: TrendFilter, *, desk: Desk) -> Period:
    day_to = asked.day_to or this_monday(desk.now())
    first = date.fromordinal(max(day_to.toordinal() - _DAYS, 1))
    period = Period(asked.day_from or first, day_to)
    if period.day_from >= period.day_to:
        raise InputError("`from` must be a day before `to`; `to` itself does not belong to it")
    return period


def _confusions(desk: Desk, facet: str) -> Mapping[str, Confusion]:
    """The measured confusions of the model that answers a facet; none where they were not measured."""
    sha256 = answering_model(desk.engine, facet, else_run=desk.run_id)
    for info in desk.models():
        if info.sha256 == sha256:
            reference = read_reference(info.folder)
            return reference.confusions if reference else {}
    return {}

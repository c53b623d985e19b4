"""What goes over the wire, where it is not already a dataclass of `nlp.types` or the store."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
)

from nlp.errors import InputError
from nlp.taxonomy import View
from nlp.types import Analysis, Decision, Intent, KindAsked, Sentiment, TextKind
from service.opinions import Outcome
from service.store.query import LabelFilter, Query, Reposts
from service.store.views import Stored

_Strict = ConfigDict(extra="forbid", frozen=True)
_PLAIN = ("id", "intake", "kind", "file_name", "media_type", "source", "external_id")
_SAID = ("facet", "decision", "codes", "taxonomy_version", "made_by")


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the moment lies outside the calendar") from error


def _no_number(value: Any) -> Any:
    """Refuse what Pydantic would take for seconds since 1970. `Any`: not validated yet."""
    if not isinstance(value, date) and (not isinstance(value, str) or value[4:5] != "-"):
        raise ValueError("write it as in ISO 8601, year first")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_no_number), AfterValidator(_to_utc)]
Day = Annotated[date, BeforeValidator(_no_number)]
SourceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$", examples=["demo"])]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.]{1,32}$", examples=["DV3.5"])]
ProvinceCode = Annotated[str, Field(pattern=r"^[0-9]{2}$", examples=["01"])]
WardCode = Annotated[str, Field(pattern=r"^[0-9]{5}$", examples=["00004"])]
ItemId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
BodyCode = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Papi = Annotated[str, Field(pattern=r"^D[1-8]$", examples=["D7"])]
Urgency = Literal["life_safety", "time_bound", "normal"]
Facet = Literal["task_area", "civic_field", "sentiment", "intent"]
Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=2000)]
Cursor = Annotated[
    str | None,
    Field(pattern=r"^[0-9]{1,18}$", description="`next_cursor` of the page before; opaque"),
]
Limit = Annotated[int, Field(ge=1, le=200, description="items on a page")]


class TextIn(BaseModel):
    """One text to analyse."""

    model_config = _Strict

    text: str = Field(examples=["Đường liên thôn hỏng đã ba tháng, xã chưa sửa."])
    kind: KindAsked = "auto"
    id: str | None = Field(None, max_length=200, description="given back as it is; else a number")


class TextsIn(BaseModel):
    """Several texts, answered in their order."""

    model_config = _Strict

    texts: list[TextIn] = Field(min_length=1)


ONE, MANY = "(one)", "(many)"


def _one_or_many(value: Any) -> str:
    """Which of the two bodies this is. `Any`: not validated yet."""
    return MANY if isinstance(value, dict) and "texts" in value else ONE


AnalyzeIn = Annotated[
    Annotated[TextIn, Tag(ONE)] | Annotated[TextsIn, Tag(MANY)], Discriminator(_one_or_many)
]


class ResultsOut(BaseModel):
    """The analyses of several texts, in their order."""

    results: list[Analysis]


class OpinionIn(BaseModel):
    """One opinion on its way in. There is no field for its author, and an unknown key is refused."""

    model_config = _Strict

    source: SourceName
    external_id: str = Field(pattern=r"^[^\x00-\x1f\x7f]{1,200}$", description="its name there")
    text: str
    posted_at: Moment | None = None


class OutcomeOut(BaseModel):
    """What became of one row; `index` counts from 0."""

    index: int
    status: Literal["accepted", "duplicate", "error"]
    id: str | None = None
    reason: str | None = None


class OutcomesOut(BaseModel):
    """What became of every row, in their order."""

    accepted: int
    duplicate: int
    error: int
    results: list[OutcomeOut]
    job_id: Annotated[str | None, Field(description="the job that reads what was taken")] = None


def to_outcomes(outcomes: list[Outcome]) -> OutcomesOut:
    """Number and count what became of the rows."""
    results = [
        OutcomeOut(index=i, status=outcome.status, id=outcome.id, reason=outcome.reason)
        for i, outcome in enumerate(outcomes)
    ]
    states = [outcome.status for outcome in outcomes]
    return OutcomesOut(
        accepted=states.count("accepted"),
        duplicate=states.count("duplicate"),
        error=states.count("error"),
        results=results,
    )


class CorrectionOut(BaseModel):
    """What a person said of one facet; `withdrawn` takes the last word of the same person back."""

    facet: str
    decision: Literal["labelled", "none_of_these", "withdrawn"]
    codes: list[str]
    taxonomy_version: str
    made_by: str
    made_at: datetime


class JobRef(BaseModel):
    """The job that does the rest; /v1/jobs/{job_id} tells how far it is."""

    job_id: str


class ItemOut(BaseModel):
    """A stored item: the text that every offset counts in, its analysis, and what people corrected."""

    id: str
    intake: Literal["document", "opinion"]
    kind: TextKind
    file_name: str | None
    media_type: str
    source: str
    external_id: str
    received_at: datetime
    posted_at: datetime | None
    text: str
    analysis: Analysis | None = Field(description="null while the text waits to be read")
    corrections: list[CorrectionOut] = Field(description="the newest first")


def item_json(stored: Stored) -> dict[str, Any]:
    """`ItemOut` as JSON values; the analysis goes out as it was stored."""
    moments = (stored.received_at, stored.posted_at)
    received, posted = (moment and _iso(moment) for moment in moments)
    return {
        **{name: getattr(stored, name) for name in _PLAIN},
        "received_at": received,
        "posted_at": posted,
        "text": stored.doc.text,
        "analysis": stored.analysis or None,
        "corrections": [
            {name: getattr(said, name) for name in _SAID} | {"made_at": _iso(said.made_at)}
            for said in stored.corrections
        ],
    }


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"


Asked = Annotated[
    str | None,
    Field(
        max_length=200,
        description='words to search for, with or without diacritics; "in quotes": one after another',
    ),
]


class DocumentScope(BaseModel):
    """Which documents. Lower bounds are inclusive, upper ones exclusive."""

    model_config = _Strict

    q: Asked = None
    kind: TextKind | None = None
    task_area: Code | None = Field(None, description="a code; a parent finds its children")
    decision: Decision | None = Field(None, description="of the task area")
    source: SourceName | None = None
    received_from: Moment | None = None
    received_to: Moment | None = None
    dated_from: Day | None = Field(None, description="the date the document bears")
    dated_to: Day | None = None


class DocumentFilter(DocumentScope):
    """Which documents, a page of them."""

    cursor: Cursor = None
    limit: Limit = 50


class OpinionScope(BaseModel):
    """Which opinions. Lower bounds are inclusive, upper ones exclusive."""

    model_config = _Strict

    q: Asked = None
    civic_field: Code | None = Field(None, description="a code")
    task_area: Code | None = Field(None, description="a code; a parent finds its children")
    sentiment: Sentiment | None = None
    intent: Intent | None = None
    decision: Decision | None = Field(None, description="of the civic field")
    source: SourceName | None = None
    received_from: Moment | None = None
    received_to: Moment | None = None
    day_from: Day | None = Field(None, description="posted, else received, in Vietnam")
    day_to: Day | None = None
    province: ProvinceCode | None = Field(None, description="that a name in the text can only mean")
    ward: WardCode | None = None
    body: BodyCode | None = None
    channel: Line | None = Field(None, max_length=16, description="as found by rules")
    urgency: Urgency | None = None
    reposts: Reposts = Field("all", description="once: without what says the same again")


class OpinionFilter(OpinionScope):
    """Which opinions, a page of them."""

    papi: Papi | None = Field(None, description="a dimension of PAPI, as a view of the taxonomy")
    group: ItemId | None = Field(None, description="an opinion: those that say the same, and it")
    cursor: Cursor = None
    limit: Limit = 50


_TOLD_APART = {"task_area", "civic_field", "sentiment", "intent", "decision", "q", "papi"}


def to_query(asked: DocumentScope | OpinionScope, *, views: Sequence[View] = ()) -> Query:
    """A filter as the store takes it; its `decision` is that of the first facet that it may name.

    `views` are those of the taxonomy, where the filter may name a part of one.
    """
    of_opinions = ("civic_field", "task_area", "sentiment", "intent")
    facets = ("task_area",) if isinstance(asked, DocumentScope) else of_opinions
    given = [(facet, getattr(asked, facet)) for facet in facets] + [(facets[0], asked.decision)]
    door = {"intake": "document"} if isinstance(asked, DocumentScope) else {"kind": "opinion"}
    return Query(
        text=asked.q,
        labels=tuple(LabelFilter(facet, code) for facet, code in given if code is not None),
        any_of=_labels_of(asked.papi, views=views) if isinstance(asked, OpinionFilter) else (),
        **{**asked.model_dump(exclude=_TOLD_APART, exclude_none=True), **door},
    )


def _labels_of(papi: str | None, *, views: Sequence[View]) -> tuple[LabelFilter, ...]:
    """The labels of a dimension of PAPI; none where none is asked for."""
    parts = (part for view in views if view.name == "papi" for part in view.parts)
    found = [part.labels for part in parts if part.code == papi]
    if papi is not None and not found:
        raise InputError("`papi` names no dimension of this taxonomy; see /v1/taxonomies")
    return tuple(LabelFilter(*label) for labels in found for label in labels)


class SourceIn(BaseModel):
    """Where texts come from. A text of an unregistered source is refused."""

    model_config = _Strict

    name: SourceName
    channel: Annotated[Line, Field(max_length=64, examples=["hotline"])]
    legal_basis: Line
    retention_days: int = Field(ge=1, le=36_500)


class TaxonomyOut(BaseModel):
    """A taxonomy pack in the list of packs."""

    name: str
    version: str
    title: str
    active: bool


class ModelOut(BaseModel):
    """A model in the list of models."""

    name: str
    version: str
    sha256: str
    taxonomy: str
    taxonomy_version: str
    active: bool


class HealthOut(BaseModel):
    """The process lives."""

    status: Literal["ok"] = "ok"


class ReadyOut(BaseModel):
    """The service can work, and with what."""

    status: Literal["ready"] = "ready"
    model: str
    model_version: str
    taxonomy: str
    taxonomy_version: str


class Problem(BaseModel):
    """An error as RFC 9457 has it; `errors` lists the fields at fault without their values."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[dict[str, str]] = Field(default_factory=list)

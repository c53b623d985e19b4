"""`/v1/feeds`: where texts are fetched from, again and again."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from nlp.errors import DanvanError
from service.access import TheCaller, needs
from service.api.desk import TheDesk, TheSettings, takes
from service.api.problems import problems
from service.jobs import feeds
from service.jobs.looking import MAX_EVERY_S, MIN_EVERY_S, NAME, Wish, preview
from service.schemas import SourceName
from service.store.feeds import Feed, FeedKind, list_feeds

router = APIRouter(prefix="/v1/feeds", tags=["feeds"])
_Name = Annotated[str, Path(pattern=NAME)]


class FeedIn(BaseModel):
    """What is to be looked at. A password never stands here: see service/feeds/README.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=NAME, examples=["cong_gop_y"])
    kind: FeedKind
    address: str = Field(
        min_length=1,
        max_length=2000,
        examples=["https://example.org/rss"],
        description="of a feed its url, of a folder its name below DANVAN_FEEDS_FOLDER, of a mailbox "
        "imaps://LOGIN@HOST/FOLDER",
    )
    source: SourceName
    columns: dict[str, str] = Field(
        default={},
        max_length=3,
        description="the columns of `text` (several parted by +), `external_id` and `posted_at`",
    )
    every_s: int = Field(900, ge=MIN_EVERY_S, le=MAX_EVERY_S)


class FeedOut(BaseModel):
    """A feed; `reason` says why the last look failed, and `job_id` is the look that was ordered last."""

    name: str
    kind: FeedKind
    address: str
    source: str
    columns: dict[str, str]
    every_s: int
    created_at: datetime
    ended_at: datetime | None
    looked_at: datetime | None
    due_at: datetime | None
    reason: str | None
    n_failed: int
    job_id: str | None


class FeedsOut(BaseModel):
    """Every feed there ever was, oldest first."""

    feeds: list[FeedOut]


class FoundOut(BaseModel):
    """An entry as it would be kept; `fault` says why it would be refused."""

    place: str
    text: str
    external_id: str
    posted_at: datetime | None
    fault: str | None


class PreviewOut(BaseModel):
    """The first entries; `reason` says why there are none to be had."""

    entries: list[FoundOut]
    reason: str | None = None


@router.post(
    "",
    status_code=201,
    responses=problems(400, 403, 409, 413, 415, 422),
    dependencies=[needs("admin"), Depends(takes("application/json"))],
)
def post_feed(desk: TheDesk, settings: TheSettings, caller: TheCaller, body: FeedIn) -> FeedOut:
    """Have texts fetched from now on. Nothing is fetched within this request."""
    wish = Wish(body.kind, body.address, body.source, body.columns, body.every_s)
    made = feeds.register(
        desk.engine, body.name, wish=wish, by=caller, now=desk.now(), settings=settings
    )
    return _shown(made)


@router.get("", responses=problems(), dependencies=[needs("admin")])
def get_feeds(desk: TheDesk) -> FeedsOut:
    """The feeds and how they are."""
    with desk.engine.connect() as connection:
        return FeedsOut(feeds=[_shown(feed) for feed in list_feeds(connection)])


@router.get("/{name}/preview", responses=problems(404, 422), dependencies=[needs("admin")])
def get_preview(desk: TheDesk, settings: TheSettings, name: _Name) -> PreviewOut:
    """What is there now, masked and as it would be kept; nothing is kept."""
    feed = feeds.find(desk.engine, name)
    try:
        found = preview(feed, settings=settings, now=desk.now())
    except DanvanError as error:
        return PreviewOut(entries=[], reason=str(error))
    return PreviewOut(
        entries=[FoundOut.model_validate(entry, from_attributes=True) for entry in found]
    )


@router.delete("/{name}", responses=problems(404, 422), dependencies=[needs("admin")])
def delete_feed(desk: TheDesk, caller: TheCaller, name: _Name) -> FeedOut:
    """Look there no more. What was taken stays, and so does the name in the list."""
    feed = feeds.end(desk.engine, name, by=caller, now=desk.now())
    return _shown(feed)


def _shown(feed: Feed) -> FeedOut:
    own = {name: getattr(feed, name) for name in FeedOut.model_fields if hasattr(feed, name)}
    due_at = None if feed.ended_at else feed.due_at
    return FeedOut(**own | {"columns": dict(feed.options), "due_at": due_at})

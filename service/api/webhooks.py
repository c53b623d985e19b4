"""`/v1/webhooks`: programs that are told when something happens."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from service.access import TheCaller, needs
from service.api.desk import TheDesk, TheSettings, takes
from service.api.problems import problems
from service.jobs import webhooks
from service.jobs.webhooks import Event, policy_of
from service.store.webhooks import Webhook, list_webhooks

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
_HookId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


class WebhookIn(BaseModel):
    """Who is to be told of what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        min_length=1,
        max_length=2000,
        examples=["https://example.org/danvan"],
        json_schema_extra={"format": "uri"},
        description="a public address by https, unless settings allow for more",
    )
    events: list[Event] = Field(min_length=1, max_length=20)


class WebhookOut(BaseModel):
    """A receiver; one that has ended is told nothing any more."""

    id: str
    url: str
    events: list[Event]
    created_at: datetime
    ended_at: datetime | None


class NewWebhookOut(WebhookOut):
    """A new receiver; `secret`, which proves that a message is from here, is never shown again."""

    secret: str


class WebhooksOut(BaseModel):
    """Every receiver there ever was, oldest first."""

    webhooks: list[WebhookOut]


@router.post(
    "",
    status_code=201,
    responses=problems(400, 409, 413, 415, 422),
    dependencies=[needs("admin"), Depends(takes("application/json"))],
)
def post_webhook(
    desk: TheDesk, settings: TheSettings, caller: TheCaller, body: WebhookIn
) -> NewWebhookOut:
    """Have a program told of events from now on, by signed requests with ids and counts, never a text."""
    hook = webhooks.register(
        desk.engine,
        body.url,
        events=body.events,
        by=caller,
        now=desk.now(),
        policy=policy_of(settings),
    )
    return NewWebhookOut(secret=hook.secret, **_shown(hook).model_dump())


@router.get("", responses=problems(), dependencies=[needs("admin")])
def get_webhooks(desk: TheDesk) -> WebhooksOut:
    """The receivers, without their secrets."""
    with desk.engine.connect() as connection:
        return WebhooksOut(webhooks=[_shown(hook) for hook in list_webhooks(connection)])


@router.delete("/{webhook_id}", responses=problems(404, 422), dependencies=[needs("admin")])
def delete_webhook(desk: TheDesk, caller: TheCaller, webhook_id: _HookId) -> WebhookOut:
    """Tell a program nothing any more. It stays in the list."""
    return _shown(webhooks.end(desk.engine, webhook_id, by=caller, now=desk.now()))


def _shown(hook: Webhook) -> WebhookOut:
    return WebhookOut.model_validate(hook, from_attributes=True)

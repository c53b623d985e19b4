"""Webhooks: those who asked are told what happened, by a signed request with ids and counts, never a text.

What is to be told is ordered in the transaction in which it happens, so both happen or neither. A delivery
is a job of its own; one that failed is tried again over a day.

Source: Standard Webhooks, specification 1.0.0 (https://www.standardwebhooks.com).
"""

import base64
import hmac
import re
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal

import orjson
import sqlalchemy as sa

from nlp.errors import DanvanError
from service.auth import Caller
from service.jobs.orders import submit_within
from service.jobs.seam import Context, Json, Kind, Run, Shard
from service.jobs.sending import Policy, Undelivered, check_url, post
from service.settings import Settings
from service.store.access import Entry, add_entries
from service.store.dialect import writing
from service.store.errors import Conflict, NotFound
from service.store.jobs import Job, retry_job
from service.store.webhooks import (
    Webhook,
    add_webhook,
    count_live,
    end_webhook,
    find_webhook,
    let_rest,
    list_undelivered,
    live_webhooks,
)

KIND = "webhook"
Event = Literal["job.done", "job.failed", "run.promoted", "run.rolled_back", "alert.raised"]
Fact = str | int | float | bool | None
MAX_LIVE = 20
_SECRET_PREFIX = "whsec_"  # noqa: S105 - says of what kind the rest is
_SECRET_BYTES = 32
# after each try that failed; the last one again and again for as long as it is tried at all
_PAUSES = tuple(timedelta(seconds=s) for s in (5, 300, 1_800, 7_200, 18_000, 36_000))
_TRIED_FOR = timedelta(hours=28)
_REST = timedelta(minutes=1)
_OVERLOADED = {429, 502, 503, 504}
_GONE = 410
_RETRIED_AT_ONCE = 50
_NAME = re.compile(r"[A-Za-z0-9_.:@+-]{0,128}")


class NotDelivered(DanvanError):  # noqa: N818 - says what became of a message
    """The receiver did not take a message; it is tried again."""


def register(
    engine: sa.Engine,
    url: str,
    *,
    events: Collection[Event],
    by: Caller,
    now: datetime,
    policy: Policy,
) -> Webhook:
    """Tell a receiver of events from now on. The answer holds the secret that signs what it is sent.

    Raises:
        InvalidRecord: nothing may be sent to this address.
        Conflict: there are too many receivers.
    """
    check_url(url, policy)
    secret = _SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    chosen = tuple(sorted(set(events)))
    hook = Webhook(secrets.token_hex(16), url, chosen, created_at=now, secret=secret)
    with writing(engine) as connection:
        if count_live(connection) >= MAX_LIVE:
            raise Conflict(f"there are {MAX_LIVE} webhooks already; delete one first")
        add_webhook(connection, hook)
        add_entries(connection, [Entry(now, by.name, "webhook.made", hook.id)])
    return hook


def end(engine: sa.Engine, hook_id: str, *, by: Caller, now: datetime) -> Webhook:
    """Tell a receiver nothing any more, not even what waits to be delivered.

    Raises:
        NotFound: there is no such receiver, or it has ended.
    """
    with writing(engine) as connection:
        is_ended = end_webhook(connection, hook_id, now=now)
        hook = find_webhook(connection, hook_id)
        if hook is None or not is_ended:
            raise NotFound("no webhook of this id is told anything; /v1/webhooks lists them")
        add_entries(connection, [Entry(now, by.name, "webhook.ended", hook_id)])
    return hook


def emit(
    connection: sa.Connection,
    event: Event,
    *,
    data: Mapping[str, Fact | Sequence[Fact]],
    now: datetime,
) -> None:
    """Have everybody who asked for it told of an event, if the transaction of the caller succeeds.

    That deliveries end is told nobody. The same event of the same moment is told once.

    Raises:
        ValueError: a value is no number and no name or id, so it might be a text.
    """
    _check_facts(data)
    if data.get("kind") == KIND:
        return
    message = {"event": event, "at": f"{now:%Y-%m-%dT%H:%M:%S.%fZ}", "data": dict(data)}
    message_id = f"msg_{_digest(message)}"
    for hook_id in live_webhooks(connection, event=event):
        submit_within(
            connection,
            KIND,
            params={"webhook": hook_id, "message": {"id": message_id, **message}},
            asked_by="danvan",
            now=now,
            job_id=f"{KIND}-{_digest([hook_id, message])}",
        )


def _check_facts(data: Mapping[str, Fact | Sequence[Fact]]) -> None:
    for name, value in data.items():
        for one in [value] if isinstance(value, str) or not isinstance(value, Sequence) else value:
            if isinstance(one, str) and not _NAME.fullmatch(one):
                raise ValueError(f"webhooks tell no texts, and {name} may be one")


def _digest(value: object) -> str:
    return sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def sign(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature header of a message, as receivers compute it."""
    key = base64.b64decode(secret.removeprefix(_SECRET_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


def policy_of(settings: Settings) -> Policy:
    """Where messages may be sent."""
    return Policy(
        settings.webhook_allow_http, frozenset(host.lower() for host in settings.webhook_hosts)
    )


def plan(ctx: Context, job: Job) -> Iterable[Shard]:
    """One shard: a message to a receiver."""
    return [Shard(None)]


def shard(ctx: Context, run: Run) -> Json:
    """Deliver the message: the status of the answer, or null where the receiver has ended.

    Raises:
        NotDelivered: the receiver did not take it.
    """
    run.check()
    params = run.job.params
    with ctx.engine.connect() as connection:
        hook = find_webhook(connection, params["webhook"])
    if hook is None or hook.ended_at is not None:
        return None
    status = _deliver(ctx, hook, params["message"])
    run.report(1)
    return status


def finish(ctx: Context, job: Job, *, results: Sequence[Json]) -> Json:
    """Tell what the receiver answered."""
    return {"status": results[0]}


DELIVERY = Kind(plan, shard, finish, waits=True)


def _deliver(ctx: Context, hook: Webhook, message: Mapping[str, Json]) -> int:
    now = ctx.now()
    if hook.rests_until is not None and hook.rests_until > now:
        # a receiver that is down costs a worker one wait a minute, not one for each message
        raise NotDelivered("the receiver did not answer lately and is left alone for a minute")
    body = orjson.dumps(message)
    timestamp = int(now.timestamp())
    headers = {
        "content-type": "application/json",
        "user-agent": "danvan",
        "webhook-id": message["id"],
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(
            hook.secret, message_id=message["id"], timestamp=timestamp, body=body
        ),
    }
    try:
        status = post(hook.url, body, headers=headers, policy=policy_of(ctx.settings))
    except Undelivered as error:
        _let_rest(ctx, hook)
        raise NotDelivered(str(error)) from error
    _heed(ctx, hook, status=status)
    return status


def _heed(ctx: Context, hook: Webhook, *, status: int) -> None:
    """Do as the answer asks."""
    if status == _GONE:
        with writing(ctx.engine) as connection:
            end_webhook(connection, hook.id, now=ctx.now())
    elif not 200 <= status < 300:
        if status in _OVERLOADED:
            _let_rest(ctx, hook)
        kind = "with a redirect, which is not followed: " if 300 <= status < 400 else ""
        raise NotDelivered(f"the receiver answered {kind}{status}")


def _let_rest(ctx: Context, hook: Webhook) -> None:
    with writing(ctx.engine) as connection:
        let_rest(connection, hook.id, until=ctx.now() + _REST)


def order_retries(ctx: Context) -> None:
    """Try again what could not be delivered, where its time has come; may be called every few seconds.

    Source: the schedule is that of the specification, up to a day. It asks for some disorder lest a receiver
    that comes back gets all at once: here so few at a time are tried again.
    """
    now = ctx.now()
    due = list_undelivered(
        ctx.engine,
        KIND,
        after=now - _TRIED_FOR,
        failed_before=[now - pause for pause in _PAUSES],
        limit=_RETRIED_AT_ONCE,
    )
    for job_id in due:
        with suppress(Conflict, NotFound):  # another worker was quicker, or its time is over
            retry_job(ctx.engine, job_id)

"""Who asked is told what happened: once, signed, without a text, over a day if need be."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.auth import CONSOLE
from service.jobs import webhooks
from service.jobs.here import carry_out
from service.jobs.kinds import KINDS
from service.jobs.sending import Policy
from service.jobs.webhooks import MAX_LIVE, Event, emit, end, order_retries, register, sign
from service.settings import Settings
from service.store.dialect import writing
from service.store.errors import Conflict, NotFound
from service.store.jobs import Job, JobQuery, list_jobs
from service.store.webhooks import Webhook, find_webhook
from tests.service.flows import Scene, a_scene
from tests.service.receiver import Receiver, receiving

ANYWHERE = Policy(allow_http=True, hosts=frozenset({"127.0.0.1"}))


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with a_scene(request, tmp_path, database=request.param) as scene:
        allowed = {"webhook_allow_http": True, "webhook_hosts": ("127.0.0.1",)}
        scene.settings = scene.settings.model_copy(update=allowed)
        yield scene


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as receiver:
        yield receiver


def hook_to(scene: Scene, receiver: Receiver, *events: Event) -> Webhook:
    chosen = events or ("job.done",)
    return register(
        scene.engine, receiver.url, events=chosen, by=CONSOLE, now=scene.now, policy=ANYWHERE
    )


def tell(scene: Scene, event: Event = "job.done", **data: Any) -> None:
    with writing(scene.engine) as connection:
        emit(connection, event, data=data or {"job_id": "1", "n_done": 3}, now=scene.now)


def deliver(scene: Scene) -> list[Job]:
    """Let a worker do what waits; the jobs as they are then."""
    waiting = list_jobs(scene.engine, JobQuery(kind="webhook", state="queued"))
    return [carry_out(scene.ctx, job, kinds=KINDS) for job in waiting]


def test_a_message_can_be_verified_by_who_has_the_secret(scene: Scene, receiver: Receiver) -> None:
    hook = hook_to(scene, receiver)
    tell(scene, job_id="ab12", n_done=3)

    [job] = deliver(scene)

    [delivery] = receiver.deliveries
    assert (job.state, job.result) == ("done", {"status": 204})
    assert delivery.is_signed_with(hook.secret)
    assert not delivery.is_signed_with("whsec_" + "A" * 44)
    assert delivery.message == {
        "id": delivery.headers["webhook-id"],
        "event": "job.done",
        "at": "2026-01-05T12:00:00.000000Z",
        "data": {"job_id": "ab12", "n_done": 3},
    }
    assert delivery.headers["webhook-timestamp"] == str(int(scene.now.timestamp()))
    assert delivery.headers["content-type"] == "application/json"


def test_the_signature_is_that_of_the_specification() -> None:
    # Source: tests of the reference libraries of Standard Webhooks
    signature = sign(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_only_who_asked_for_an_event_is_told(scene: Scene, receiver: Receiver) -> None:
    hook_to(scene, receiver, "job.failed", "run.promoted")

    tell(scene, "job.done")
    tell(scene, "run.promoted", run_id=7, facets=["civic_field"])

    assert [job.params["message"]["event"] for job in deliver(scene)] == ["run.promoted"]


def test_a_message_goes_to_all_under_one_id_and_each_has_its_own_signature(
    scene: Scene, receiver: Receiver
) -> None:
    hooks = [hook_to(scene, receiver), hook_to(scene, receiver)]
    tell(scene)

    deliver(scene)

    assert len({delivery.headers["webhook-id"] for delivery in receiver.deliveries}) == 1
    signed = [
        [delivery.is_signed_with(hook.secret) for hook in hooks] for delivery in receiver.deliveries
    ]
    assert sorted(signed) == [[False, True], [True, False]]


def test_the_same_event_of_the_same_moment_is_told_once(scene: Scene, receiver: Receiver) -> None:
    hook_to(scene, receiver)

    tell(scene)
    tell(scene)
    scene.now += timedelta(seconds=1)
    tell(scene)

    assert len(deliver(scene)) == 2


def test_what_did_not_happen_is_not_told(scene: Scene, receiver: Receiver) -> None:
    hook_to(scene, receiver)

    def fail() -> None:
        with writing(scene.engine) as connection:
            emit(connection, "job.done", data={"job_id": "1"}, now=scene.now)
            raise RuntimeError("the transaction fails")

    with pytest.raises(RuntimeError):
        fail()

    assert deliver(scene) == []


def test_the_end_of_a_delivery_is_told_nobody(scene: Scene, receiver: Receiver) -> None:
    hook_to(scene, receiver, "job.failed")

    tell(scene, "job.failed", job_id="1", kind="webhook")

    assert deliver(scene) == []


@pytest.mark.parametrize("value", ["đường hỏng", "hai từ", ["LV03", "một câu"], "a" * 200])
def test_a_text_is_never_told(scene: Scene, value: object) -> None:
    with pytest.raises(ValueError, match="subject may be one"):
        tell(scene, subject=value)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503, 302])
def test_what_is_not_taken_is_tried_again_until_it_is(
    scene: Scene, receiver: Receiver, status: int
) -> None:
    receiver.statuses = [status, 200]
    hook_to(scene, receiver)
    tell(scene)

    [failed] = deliver(scene)
    scene.now = job_ended(failed) + timedelta(minutes=2)
    order_retries(scene.ctx)
    [done] = deliver(scene)

    assert failed.state == "failed"
    assert failed.reason is not None
    assert str(status) in failed.reason
    assert (done.id, done.state, done.result) == (failed.id, "done", {"status": 200})
    first, second = receiver.deliveries
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]
    assert first.body == second.body


def job_ended(job: Job) -> Any:
    assert job.finished_at is not None
    return job.finished_at


def test_tries_are_spread_over_a_day_and_then_end(scene: Scene, receiver: Receiver) -> None:
    receiver.statuses = [500]
    hook_to(scene, receiver)
    tell(scene)
    began = scene.now

    deliver(scene)
    while scene.now < began + timedelta(days=3):
        scene.now += timedelta(minutes=5)
        order_retries(scene.ctx)
        deliver(scene)

    tried_at = [int(delivery.headers["webhook-timestamp"]) for delivery in receiver.deliveries]
    minutes = [round((at - tried_at[0]) / 60) for at in tried_at]
    assert minutes == [0, 5, 10, 40, 160, 460, 1060, 1660]


def test_a_retry_waits_for_its_time(scene: Scene, receiver: Receiver) -> None:
    receiver.statuses = [500]
    hook_to(scene, receiver)
    tell(scene)
    deliver(scene)

    scene.now += timedelta(seconds=4)
    order_retries(scene.ctx)

    assert deliver(scene) == []


def test_410_ends_the_hook(scene: Scene, receiver: Receiver) -> None:
    receiver.statuses = [410]
    hook = hook_to(scene, receiver)
    tell(scene)

    [job] = deliver(scene)
    scene.now += timedelta(seconds=1)
    tell(scene)

    assert (job.state, job.result) == ("done", {"status": 410})
    assert deliver(scene) == []
    with scene.engine.connect() as connection:
        ended = find_webhook(connection, hook.id)
    assert ended is not None
    assert (ended.ended_at is not None, ended.secret) == (True, "")


def test_what_waits_for_a_hook_that_has_ended_is_not_sent(scene: Scene, receiver: Receiver) -> None:
    hook = hook_to(scene, receiver)
    tell(scene)

    end(scene.engine, hook.id, by=CONSOLE, now=scene.now)

    [job] = deliver(scene)
    assert (job.state, job.result) == ("done", {"status": None})
    assert receiver.deliveries == []


def test_a_receiver_that_does_not_answer_is_left_alone_for_a_minute(
    scene: Scene, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "policy_of", lambda settings: replace(ANYWHERE, timeout_s=1.0))
    receiver.drips = True
    hook_to(scene, receiver)
    for n in range(3):
        tell(scene, job_id=str(n))

    slow, *others = sorted(deliver(scene), key=lambda job: "lately" in (job.reason or ""))
    receiver.drips = False
    scene.now += timedelta(minutes=10)
    order_retries(scene.ctx)

    assert slow.reason == "no answer came within 1 seconds"
    assert len(others) == 2
    assert all("left alone" in (job.reason or "") for job in others)
    assert [job.state for job in deliver(scene)] == ["done"] * 3
    assert len(receiver.deliveries) == 4


def test_an_address_that_is_not_public_any_more_is_not_asked(
    scene: Scene, receiver: Receiver
) -> None:
    hook_to(scene, receiver)
    tell(scene)
    scene.settings = scene.settings.model_copy(update={"webhook_hosts": ()})

    [job] = deliver(scene)

    assert job.state == "failed"
    assert "not public" in (job.reason or "")
    assert receiver.deliveries == []


def test_there_are_not_too_many_hooks(scene: Scene, receiver: Receiver) -> None:
    hooks = [hook_to(scene, receiver) for _ in range(MAX_LIVE)]

    with pytest.raises(Conflict):
        hook_to(scene, receiver)
    end(scene.engine, hooks[0].id, by=CONSOLE, now=scene.now)

    assert hook_to(scene, receiver).ended_at is None


def test_a_hook_ends_once(scene: Scene, receiver: Receiver) -> None:
    hook = hook_to(scene, receiver)
    end(scene.engine, hook.id, by=CONSOLE, now=scene.now)

    with pytest.raises(NotFound):
        end(scene.engine, hook.id, by=CONSOLE, now=scene.now)


def test_secrets_are_long_and_each_is_another(scene: Scene, receiver: Receiver) -> None:
    secrets = {hook_to(scene, receiver).secret for _ in range(3)}

    assert len(secrets) == 3
    assert all(re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret) for secret in secrets)


def test_a_secret_is_shown_once_and_never_again(client: TestClient) -> None:
    body = {"url": "https://example.org/hook", "events": ["job.done", "alert.raised"]}

    made = client.post("/v1/webhooks", json=body)
    listed = client.get("/v1/webhooks")
    ended = client.delete(f"/v1/webhooks/{made.json()['id']}")
    again = client.delete(f"/v1/webhooks/{made.json()['id']}")

    assert made.status_code == 201
    secret = made.json().pop("secret")
    assert secret.startswith("whsec_")
    assert secret not in listed.text + ended.text
    [shown] = listed.json()["webhooks"]
    assert shown == {key: value for key, value in made.json().items() if key != "secret"}
    assert (ended.status_code, again.status_code) == (200, 404)
    assert ended.json()["ended_at"] is not None


@pytest.mark.parametrize(
    "body",
    [
        {"url": "http://example.org/", "events": ["job.done"]},
        {"url": "https://127.0.0.1/", "events": ["job.done"]},
        {"url": "https://example.org/", "events": []},
        {"url": "https://example.org/", "events": ["item.opened"]},
        {"url": "https://example.org/", "events": ["job.done"], "secret": "mine"},
    ],
)
def test_a_hook_that_cannot_be_is_refused(client: TestClient, body: object) -> None:
    answer = client.post("/v1/webhooks", json=body)

    assert answer.status_code == 422
    assert "example" not in answer.text


def test_hosts_of_ones_own_are_parted_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DANVAN_WEBHOOK_HOSTS", "Trong.Nha, 10.0.0.8")

    policy = webhooks.policy_of(Settings())

    assert (policy.hosts, policy.allow_http) == ({"trong.nha", "10.0.0.8"}, False)

"""Retention, exports and webhooks in the hands of a real worker, in a process of its own."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from nlp.pipeline import Pipeline
from service.auth import CONSOLE
from service.item_table import Export
from service.jobs.export import find_file, order_export
from service.jobs.retention import erase_item
from service.jobs.seam import Context
from service.jobs.webhooks import emit, policy_of, register
from service.jobs.worker import run_worker
from service.settings import Settings
from service.store.dialect import open_engine, writing
from service.store.jobs import JobQuery, list_jobs
from service.store.query import Query
from tests.service.flows import Scene, a_scene
from tests.service.jobs.worker import FORKS
from tests.service.receiver import Receiver, receiving
from tests.service.rules import RulePipeline

pytestmark = pytest.mark.slow
_PATIENCE_S = 60.0


def work(settings: Mapping[str, Any]) -> None:
    """Be a worker with the real kinds of jobs."""
    all_settings = Settings(**settings)
    engine = open_engine(all_settings.database_url)
    run_worker(Context(engine, all_settings, build=lambda _: cast(Pipeline, RulePipeline())))


@pytest.fixture
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with a_scene(request, tmp_path, database="sqlite") as scene:
        quick = {
            "heartbeat_s": 0.2,
            "worker_poll_s": 0.05,
            "worker_dead_after_s": 1.0,
            "webhook_allow_http": True,
            "webhook_hosts": ("127.0.0.1",),
        }
        scene.settings = scene.settings.model_copy(update=quick)
        scene.now = datetime.now(UTC)
        yield scene


@pytest.fixture
def wait_for(scene: Scene) -> Iterator[Callable[[Callable[[], bool]], None]]:
    """Start a worker at the first call, and wait until something has come about."""
    worker = FORKS.Process(target=work, args=(scene.settings.model_dump(),))

    def wait(is_so: Callable[[], bool]) -> None:
        if worker.pid is None:
            worker.start()
        deadline = time.monotonic() + _PATIENCE_S
        while not is_so():
            assert time.monotonic() < deadline, "it did not come about"
            time.sleep(0.05)

    yield wait
    if worker.pid is not None:
        worker.kill()
        worker.join()


def states(scene: Scene, kind: str) -> list[str]:
    return [job.state for job in list_jobs(scene.engine, JobQuery(kind=kind))]


def test_a_worker_sees_to_retention_by_itself(
    scene: Scene, wait_for: Callable[[Callable[[], bool]], None]
) -> None:
    scene.now -= timedelta(days=40)
    scene.keep("đường hỏng", source=scene.source("brief", days=30))
    scene.now += timedelta(days=39)
    scene.keep("đường xấu")

    wait_for(lambda: states(scene, "retention") == ["done"])

    assert scene.here() == [2]
    [job] = list_jobs(scene.engine, JobQuery(kind="retention"))
    assert job.id.startswith("retention-20")


def test_a_worker_makes_exports_delivers_messages_and_wipes_out(
    scene: Scene, wait_for: Callable[[Callable[[], bool]], None]
) -> None:
    kept, gone = scene.keep("đường xấu", "đường hỏng")
    with receiving(Receiver(statuses=[500, 204])) as receiver:
        register(
            scene.engine,
            receiver.url,
            events=["alert.raised"],
            by=CONSOLE,
            now=scene.now,
            policy=policy_of(scene.settings),
        )
        erase_item(scene.engine, gone, by=CONSOLE, now=scene.now)
        wait_for(lambda: states(scene, "wiping") == ["done"])
        export = Export("jsonl", Query(kind="opinion"))
        job = order_export(scene.engine, export, by=CONSOLE, now=scene.now)
        with writing(scene.engine) as connection:
            emit(connection, "alert.raised", data={"alert_id": 1}, now=scene.now)
        wait_for(lambda: states(scene, "export") == ["done"])
        # refused at first, then taken: the worker tries again by itself
        wait_for(lambda: states(scene, "webhook") == ["done"])

    assert len(receiver.deliveries) == 2
    file = find_file(scene.engine, job.id, folder=scene.settings.exports_folder)
    assert kept in file.read_text(encoding="utf-8")
    assert gone not in file.read_text(encoding="utf-8")

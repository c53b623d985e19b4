"""`danvan reclassify` from order to rollback, with a model of sixty texts and a worker of its own."""

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from models.linear import LinearClassifier
from models.registry import save_linear
from service.assembly import build_context, build_desk
from service.opinions import Opinion, store_opinions
from service.settings import Settings
from service.store.jobs import JobQuery, cancel_job, list_jobs
from service.store.query import Query
from service.store.views import list_items
from tests.service.archive import carry_out
from tests.service.commands import Danvan, commanding
from tests.service.processes import environment

TEXTS = ("Đường thôn hỏng, ổ gà nhiều", "Rác ùn ở chợ, hôi thối", "Cảm ơn phường trả lời nhanh")
ID = re.compile("[0-9a-f]{32}")


@pytest.fixture
def settings(
    monkeypatch: pytest.MonkeyPatch,
    tiny_models: Path,
    tiny_classifier: LinearClassifier,
    tmp_path: Path,
) -> Settings:
    """A database with three opinions that `tiny` has read, and a later version of it that doubts all."""
    models = tmp_path / "models"
    shutil.copytree(tiny_models, models)
    doubting = {
        name: replace(head, spec=replace(head.spec, assert_at=(1.0,) * len(head.spec.labels)))
        for name, head in tiny_classifier.linear_heads.items()
    }
    later = replace(tiny_classifier, version="9.0.0", linear_heads=doubting)
    save_linear(later, folder=models, training={})
    own = {
        "database_url": f"sqlite:///{tmp_path}/store.db",
        "models_folder": models,
        "model": "tiny@0.0.1",
        "worker_poll_s": 0.05,
    }
    for name, value in own.items():
        monkeypatch.setenv(f"DANVAN_{name.upper()}", str(value))
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    desk = build_desk(settings)
    opinions = [Opinion("demo", str(number), text) for number, text in enumerate(TEXTS)]
    store_opinions(desk, opinions)
    desk.engine.dispose()
    return settings


@pytest.fixture
def danvan(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Danvan]:
    with commanding(monkeypatch, capsys, "reclassify") as run:
        yield run


@pytest.fixture
def work(settings: Settings) -> Iterator[Callable[[], None]]:
    """Carry out what was ordered, as a worker does."""
    context = build_context(settings)

    def work() -> None:
        for job in list_jobs(context.engine, JobQuery(state="queued")):
            carry_out(context, job.id)

    yield work
    context.engine.dispose()


def fields(settings: Settings) -> list[str]:
    context = build_context(settings)
    found = [item.labels["civic_field"] for item in list_items(context.engine, Query()).items]
    context.engine.dispose()
    return [label.primary or label.decision for label in found]


def start(danvan: Danvan, *arguments: str) -> str:
    outcome = danvan("start", "--model", "tiny", *arguments)
    assert outcome.code == 0, outcome.err
    [job_id] = ID.findall(outcome.out)
    return str(job_id)


def test_from_the_order_to_the_rollback(
    danvan: Danvan, settings: Settings, work: Callable[[], None]
) -> None:
    before = fields(settings)
    assert "LV03" in before

    job_id = start(danvan)
    assert "queued" in danvan("status").out
    work()
    assert re.search(r"tiny@9\.0\.0 .* 3 .* 3 ", danvan("status", job_id).out)
    assert fields(settings) == before

    promoted = danvan("promote", job_id).out
    assert "promoted" in promoted
    assert "civic_field intent sentiment task_area" in promoted
    assert "LV03" not in fields(settings)

    assert danvan("discard", job_id).code == 1
    assert "done" in danvan("rollback", job_id).out
    assert fields(settings) == before

    assert "discarded" in danvan("discard", job_id).out
    assert danvan("promote", job_id).code == 1


def test_one_facet_is_promoted(
    danvan: Danvan, settings: Settings, work: Callable[[], None]
) -> None:
    before = fields(settings)
    job_id = start(danvan)
    work()

    outcome = danvan("promote", job_id, "--facet", "intent", "--facet", "intent")

    assert outcome.code == 0
    assert outcome.out.rstrip().splitlines()[-2].split("│")[-2].strip() == "intent"
    assert fields(settings) == before


def test_the_diff_is_printed_for_people_and_for_programs(
    danvan: Danvan, work: Callable[[], None]
) -> None:
    job_id = start(danvan)
    work()

    table = danvan("diff", job_id).out
    shown = danvan("diff", job_id, "--facet", "civic_field", "--old", "LV03", "--limit", "1").out
    found = json.loads(danvan("diff", job_id, "--facet", "civic_field", "--json").out)

    assert re.search(r"civic_field │ LV03 +│ (abstain|none_of_these) +│ [1-3]", table)
    assert re.search(r"^[0-9a-f]{32} LV03 > (abstain|none_of_these): \w+", shown, re.MULTILINE)
    assert {step["facet"] for step in found["diff"]["transitions"]} == {"civic_field"}
    assert found["changes"][0]["new"]["labels"] == []
    assert found["changes"][0]["old"]["labels"][0]["evidence"] != []


def test_a_dry_run_only_counts(
    danvan: Danvan, settings: Settings, work: Callable[[], None]
) -> None:
    job_id = start(danvan, "--dry-run")
    work()

    assert "done (dry run)" in danvan("status", job_id).out
    assert "LV03" in danvan("diff", job_id, "--facet", "civic_field").out
    outcome = danvan("promote", job_id)
    assert (outcome.code, outcome.out) == (1, "")
    assert "start it again without dry_run" in outcome.err


@pytest.mark.parametrize(
    ("scope", "n_read"),
    [
        (("--q", "duong"), 1),
        (("--kind", "opinion", "--source", "demo"), 3),
        (("--kind", "official"), 0),
        (("--label", "civic_field=LV03", "--label", "civic_field=LV17"), 0),
        (("--received-from", "2020-01-01", "--received-to", "2021-01-01"), 0),
        (("--received-from", "2020-01-01"), 3),
        (("--id", "f" * 32), 0),
    ],
)
def test_a_scope_is_given_by_options(
    danvan: Danvan, work: Callable[[], None], scope: tuple[str, ...], n_read: int
) -> None:
    job_id = start(danvan, *scope)
    work()

    assert counts(danvan, job_id) == [n_read, n_read]


def counts(danvan: Danvan, job_id: str) -> list[int]:
    """How many are done, of how many."""
    row = danvan("status", job_id).out.splitlines()[-2]
    return [int(cell) for cell in row.split("│")[4:6]]


def test_a_label_may_be_the_scope(
    danvan: Danvan, settings: Settings, work: Callable[[], None]
) -> None:
    n_read = fields(settings).count("LV03")
    job_id = start(danvan, "--label", "civic_field=LV03")
    work()

    assert n_read > 0
    assert counts(danvan, job_id) == [n_read, n_read]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("start", "--model", "none"), "no model has this name and version"),
        (("start", "--model", "tiny", "--label", "tone=x"), "write FACET=CODE"),
        (("start", "--model", "tiny", "--affected"), "leave out `affected`"),
        (("status", "f" * 32), "no job has this id"),
        (("diff", "x"), "no job has this id"),
        (("promote", "x"), "no job has this id"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    danvan: Danvan, settings: Settings, arguments: tuple[str, ...], message: str
) -> None:
    outcome = danvan(*arguments)

    assert (outcome.code, outcome.out) == (1, "")
    assert message in outcome.err


@pytest.mark.parametrize("command", [("status",), ("start",), ("promote", "x"), ("diff", "x")])
def test_a_database_that_is_not_there_is_told(
    danvan: Danvan,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: tuple[str, ...],
) -> None:
    monkeypatch.setenv("DANVAN_DATABASE_URL", f"sqlite:///{tmp_path}/new.db")

    outcome = danvan(*command)

    assert (outcome.code, outcome.err) == (
        1,
        "danvan: the database is not ready; run `danvan migrate`\n",
    )


@pytest.mark.slow
def test_somebody_may_watch_until_it_is_done(danvan: Danvan, settings: Settings) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-m", "service", "worker", "--name", "w1"],
        env=environment({name: getattr(settings, name) for name in _OURS}),
        stderr=subprocess.DEVNULL,
    )
    try:
        first = danvan("start", "--model", "tiny", "--watch")
        [job_id] = ID.findall(first.out)
        state = danvan("status", job_id, "--watch").out
    finally:
        worker.kill()
        worker.wait()

    assert first.code == 0
    assert "done" in state


_OURS = ("database_url", "models_folder", "model", "worker_poll_s")


def test_whoever_watches_is_told_when_it_fails_or_ends(
    danvan: Danvan, settings: Settings, work: Callable[[], None]
) -> None:
    job_id = start(danvan)
    gone = settings.models_folder / "tiny" / "9.0.0"
    gone.rename(gone.with_name("away"))
    worker = threading.Thread(target=work)
    worker.start()

    failed = danvan("status", job_id, "--watch")
    worker.join()

    assert failed.code == 1
    assert "it failed: no model 'tiny@9.0.0'" in failed.err
    gone.with_name("away").rename(gone)
    cancelled = start(danvan)
    context = build_context(settings)
    cancel_job(context.engine, cancelled, now=context.now())
    context.engine.dispose()
    assert "cancelled" in danvan("status", cancelled, "--watch").out

"""A file of opinions into a store by its workers: masked, each once, whoever dies meanwhile."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from service import loading
from service.jobs import batch
from service.jobs.seam import Run
from service.loading import Outcome, Standing, load_file
from service.store import tables
from service.store.dialect import open_engine
from service.store.errors import UnknownSource
from service.store.jobs import JobQuery, cancel_job, list_faults, list_jobs
from service.store.migrate import migrate
from service.store.restricted import count_waiting
from tests.service.archive import BOTH, Part, another_database, carry_out
from tests.service.commands import Danvan, commanding
from tests.service.flows import START, Scene, a_scene
from tests.service.processes import environment
from tests.service.test_kept_apart import ACCUSES

KEY = "c2VhbGVkLWZvci10aGUtdGVzdHMtb25seS0zMi1iLi4="
PHONE = "0912345678"
TEXTS = (f"Đường thôn hỏng, gọi {PHONE}", "Rác ùn ở chợ", "xin chào phường", ACCUSES)
Load = Callable[..., Outcome]


@pytest.fixture(params=BOTH)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with a_scene(request, tmp_path, database=request.param) as scene:
        scene.settings = scene.settings.model_copy(update={"spool_key": SecretStr(KEY)})
        yield scene


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two opinions a block, two blocks a load."""
    monkeypatch.setattr(loading, "BLOCK", 2)
    monkeypatch.setattr(loading, "LOAD", 2)


@pytest.fixture
def load(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Load a file; while it waits, `work` is done, by default what a worker would do."""

    def run(path: Path, work: Callable[[], object] | None = None, **how: Any) -> Outcome:
        sleep = SimpleNamespace(sleep=lambda _: (work or (lambda: do_jobs(scene)))())
        monkeypatch.setattr(loading, "time", sleep)
        given: dict[str, Any] = {"source": "demo", "report": lambda standing: None, **how}
        return load_file(scene.engine, path, settings=scene.settings, **given)

    return run


def do_jobs(scene: Scene) -> None:
    for job in list_jobs(scene.engine, JobQuery(kind=batch.KIND, state="queued")):
        carry_out(scene.ctx, job.id)


def file_of(folder: Path, *rows: Any) -> Path:
    path = folder / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def opinions(folder: Path, *texts: str) -> Path:
    return file_of(folder, *({"id": f"n{i}", "text": text} for i, text in enumerate(texts)))


def items(engine: sa.Engine) -> dict[str, str]:
    own = tables.items.c
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(sa.select(own.external_id, own.text))}


def everything(engine: sa.Engine) -> str:
    with engine.connect() as connection:
        return "\n".join(
            str(row)
            for table in tables.metadata.sorted_tables
            for row in connection.execute(sa.select(table))
        )


def test_opinions_are_masked_read_and_kept(scene: Scene, load: Load, tmp_path: Path) -> None:
    outcome = load(opinions(tmp_path, *TEXTS, "đường xấu"))

    kept = items(scene.engine)
    with scene.engine.connect() as connection:
        n_read = connection.scalar(sa.select(sa.func.count()).select_from(tables.analyses))
        n_traits = connection.scalar(sa.select(sa.func.count()).select_from(tables.traits))
        n_apart = count_waiting(connection)
    assert outcome.counts == {"accepted": 5, "duplicate": 0, "refused": 0}
    assert (n_read, n_traits, n_apart) == (4, 4, 1)
    assert sorted(kept) == ["n0", "n1", "n2", "n4"]
    assert kept["n0"] == TEXTS[0].replace(PHONE, "•" * 10)


def test_no_text_stands_in_the_store_before_it_is_masked(
    scene: Scene, load: Load, tmp_path: Path
) -> None:
    seen: list[str] = []

    def work() -> None:
        seen.append(everything(scene.engine))
        do_jobs(scene)

    load(opinions(tmp_path, *TEXTS), work)

    with scene.engine.connect() as connection:
        n_waiting = connection.scalar(sa.select(sa.func.count()).select_from(tables.spool))
    assert "batch-" in seen[0]
    for word in (PHONE, "Hòa Lũng", "xin chào"):
        assert word not in seen[0]
    assert PHONE not in everything(scene.engine)
    assert n_waiting == 0


def test_the_same_file_again_does_nothing(scene: Scene, load: Load, tmp_path: Path) -> None:
    path = opinions(tmp_path, *TEXTS, "đường xấu")
    load(path)
    before = everything(scene.engine)

    again = load(path)

    assert again.counts == {"before": 5}
    assert everything(scene.engine) == before


def test_a_file_that_has_grown_is_taken_from_where_it_was(
    scene: Scene, load: Load, tmp_path: Path
) -> None:
    load(opinions(tmp_path, *TEXTS))

    outcome = load(opinions(tmp_path, *TEXTS, "đường xấu", "rác nhiều"))

    assert outcome.counts == {"before": 4, "accepted": 2, "duplicate": 0, "refused": 0}
    assert len(items(scene.engine)) == 5


def test_what_is_handed_in_again_on_purpose_is_known(
    scene: Scene, load: Load, tmp_path: Path
) -> None:
    path = opinions(tmp_path, *TEXTS)
    load(path)

    outcome = load(path, again=True)

    assert outcome.counts == {"accepted": 0, "duplicate": 4, "refused": 0}
    assert len(items(scene.engine)) == 3


def test_a_bad_record_costs_only_itself_and_is_told_by_its_line(
    scene: Scene, load: Load, tmp_path: Path
) -> None:
    scene.settings = scene.settings.model_copy(update={"max_opinion_chars": 40})
    path = file_of(
        tmp_path,
        {"id": "a", "text": "đường hỏng"},
        {"id": "a", "text": "rác ở chợ"},
        {"id": "b", "text": " "},
        {"id": "c", "text": "dài " * 20},
        {"id": "d", "text": "rác", "kind": "official"},
        {"id": "e", "text": "rác", "posted_at": "hôm qua"},
        {"id": "f", "text": "hỏng máy"},
        {"id": "g"},
        {"id": "h", "text": "half \ud800"},
    )

    outcome = load(path)

    faults = {
        fault.subject: fault.reason
        for job in list_jobs(scene.engine, JobQuery())
        for fault in list_faults(scene.engine, job.id, limit=99)
    }
    assert outcome.counts == {"accepted": 2, "duplicate": 0, "refused": 7}
    assert sorted(items(scene.engine)) == ["a", "h"]
    assert sorted(faults) == [f"line {n}" for n in range(2, 9)]
    assert "another text is stored" in faults["line 2"]
    assert "empty" in faults["line 3"]
    assert "at most 40" in faults["line 4"]
    assert "/v1/documents" in faults["line 5"]
    assert "moment cannot be read" in faults["line 6"]
    assert "could not be analysed" in faults["line 7"]
    assert "no text" in faults["line 8"]


def test_moments_are_kept_and_nobody_else_s_columns(
    scene: Scene, load: Load, tmp_path: Path
) -> None:
    row = {"external_id": "x", "text": "rác", "posted_at": "05/01/2026", "author": "Nguyễn Văn A"}

    load(file_of(tmp_path, row))

    query = sa.select(tables.items.c.external_id, tables.items.c.posted_at)
    with scene.engine.connect() as connection:
        [(name, posted_at)] = connection.execute(query).all()
    assert (name, posted_at.isoformat()) == ("x", "2026-01-04T17:00:00+00:00")
    assert "Nguyễn" not in everything(scene.engine)


def test_opinions_without_a_name_go_by_their_text(scene: Scene, load: Load, tmp_path: Path) -> None:
    load(file_of(tmp_path, {"text": "rác"}, {"text": "đường"}))

    outcome = load(file_of(tmp_path, {"text": "chợ bẩn, rác"}, {"text": "rác"}))

    assert outcome.counts == {"accepted": 1, "duplicate": 1, "refused": 0}
    assert all(name.startswith("sha256:") for name in items(scene.engine))


def test_few_loads_are_on_their_way_at_once(scene: Scene, load: Load, tmp_path: Path) -> None:
    open_jobs: list[int] = []
    told: list[Standing] = []

    def work() -> None:
        queued = list_jobs(scene.engine, JobQuery(state="queued"))
        open_jobs.append(len(queued))
        carry_out(scene.ctx, queued[-1].id)

    outcome = load(opinions(tmp_path, *[f"rác {n}" for n in range(30)]), work, report=told.append)

    assert outcome.counts["accepted"] == 30
    assert max(open_jobs) == 3
    assert (told[-1].n_handed, told[-1].n_done, told[-1].n_workers) == (30, 30, 0)
    assert [one.n_done for one in told] == sorted(one.n_done for one in told)


def test_a_block_done_twice_is_kept_once(scene: Scene, load: Load, tmp_path: Path) -> None:
    def work() -> None:
        for job in list_jobs(scene.engine, JobQuery(state="queued")):
            part = Part(scene.ctx, job.id)
            part.plan()
            batch.shard(
                scene.ctx, cast(Run, _Unreported(job, [0, 2]))
            )  # died before it could say so
            carry_out(scene.ctx, job.id)

    outcome = load(opinions(tmp_path, "rác 1", "rác 2", "rác 3"), work)

    assert outcome.counts == {"accepted": 1, "duplicate": 2, "refused": 0}
    assert sorted(items(scene.engine)) == ["n0", "n1", "n2"]


class _Unreported:
    """A run whose process dies before it reports."""

    careful = False
    aside: frozenset[str] = frozenset()

    def __init__(self, job: Any, data: Any) -> None:
        self.job, self.data = job, data

    def check(self) -> None:
        pass

    def report(self, n_done: int) -> None:
        pass


def test_a_load_that_failed_is_told_and_tried_again_by_the_same_command(
    scene: Scene, load: Load, tmp_path: Path
) -> None:
    path = opinions(tmp_path, *TEXTS)
    right = scene.settings
    wrong = SecretStr("b3RoZXItZm9yLXRoZS10ZXN0cy1vbmx5LTMyLWJ5dC4=")

    def work() -> None:
        scene.settings = right.model_copy(update={"spool_key": wrong})
        do_jobs(scene)
        scene.settings = right

    first = load(path, work)
    second = load(path)

    [failed] = first.failed
    assert "under another key" in (failed.reason or "")
    assert first.counts == {}
    assert second.counts == {"accepted": 4, "duplicate": 0, "refused": 0}


def test_a_cancelled_load_is_handed_in_anew(scene: Scene, load: Load, tmp_path: Path) -> None:
    path = opinions(tmp_path, "rác")

    def work() -> None:
        [job] = list_jobs(scene.engine, JobQuery(state="queued"))
        cancel_job(scene.engine, job.id, now=START)
        with scene.engine.begin() as connection:
            connection.execute(tables.spool.delete())

    first = load(path, work)
    second = load(path)

    assert [job.state for job in first.failed] == ["cancelled"]
    assert second.counts["accepted"] == 1


def test_a_source_must_be_registered(scene: Scene, load: Load, tmp_path: Path) -> None:
    with pytest.raises(UnknownSource, match="/v1/sources"):
        load(opinions(tmp_path, "rác"), source="nobody")

    assert list_jobs(scene.engine, JobQuery()) == ()


@pytest.fixture
def danvan(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Danvan]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    with commanding(monkeypatch, capsys, "batch") as danvan:
        yield danvan


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("in.jsonl",), "either -o FILE or --store"),
        (("in.jsonl", "-o", "a.jsonl", "--store", "sqlite:///a.db"), "either -o FILE or --store"),
        (("in.jsonl", "-o", "a.jsonl", "--source", "demo"), "--store and --source"),
        (("in.jsonl", "--store", "sqlite:///a.db"), "registered"),
        (("in.jsonl", "--store", "sqlite:///a.db", "--source", "x", "--ray", "local"), "folder"),
        (("in.parquet", "-o", "out", "--ray", "local", "--overwrite"), "folder"),
        (("in.jsonl", "-o", "a.jsonl", "--gpus", "1"), "--gpus is for --ray"),
        (("in.jsonl", "--store", "sqlite:///a.db", "--source", "x", "--model", "m"), "workers"),
        (("in.jsonl", "--store", "sqlite:///a.db", "--source", "x", "--kind", "official"), "opinio"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_said(
    danvan: Danvan, arguments: tuple[str, ...], message: str
) -> None:
    outcome = danvan(*arguments)

    assert outcome.code == 2
    assert message in outcome.err


@pytest.mark.parametrize(
    ("store", "source", "message"),
    [
        ("sqlite:///a.db", "nobody", "the source 'nobody' is not registered"),
        ("mysql://a/b", "demo", "only sqlite and postgresql are known"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    danvan: Danvan, tmp_path: Path, store: str, source: str, message: str
) -> None:
    opinions(tmp_path, "rác")

    outcome = danvan("in.jsonl", "--store", store, "--source", source)

    assert outcome.code == 1
    assert message in outcome.err


N_OPINIONS = 6_000


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store, as somebody would name it."""
    url = f"sqlite:///{tmp_path}/store.db"
    if request.param == "postgresql":
        given = request.getfixturevalue("postgres_url")
        url = another_database(given, "loading").replace("+psycopg", "")
    migrate(url)
    return url


@pytest.mark.slow
def test_workers_and_the_one_who_loads_may_be_killed(
    url: str, tmp_path: Path, tiny_models: Path
) -> None:
    """Two workers as on two hosts. One is killed at work, then whoever hands in, who comes again."""
    texts = [f"Đường tổ {n} hỏng, gọi {PHONE}" for n in range(N_OPINIONS)]
    path = opinions(tmp_path, *texts)
    own = {
        "model": "tiny", "models_folder": tiny_models, "spool_key": KEY, "worker_poll_s": 0.05,
        "heartbeat_s": 0.3, "worker_dead_after_s": 2,
    }  # fmt: skip
    loads = ("batch", str(path), "--store", url, "--source", "demo")
    works = ("worker", "--store", url, "--name")
    engine = open_engine(url)
    with started(environment(own)) as start:
        first, _ = start(*works, "a"), start(*works, "b")
        loader = start(*loads)
        wait_for(lambda: len(items(engine)) > 500)
        kill(first)
        n_at_first = len(items(engine))
        wait_for(lambda: len(items(engine)) > 1_500)
        kill(loader)
        n_at_second = len(items(engine))
        code = start(*loads).wait(timeout=120)

    kept = items(engine)
    states = {job.state for job in list_jobs(engine, JobQuery(kind="batch"))}
    engine.dispose()
    assert code == 0
    assert n_at_first < n_at_second < N_OPINIONS
    assert kept == {f"n{n}": text.replace(PHONE, "•" * 10) for n, text in enumerate(texts)}
    assert states == {"done"}


Start = Callable[..., "subprocess.Popen[bytes]"]


@contextmanager
def started(env: dict[str, str]) -> Iterator[Start]:
    """Commands of `danvan` that are ended with the block."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*command: str, stderr: Any = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
        whole = [sys.executable, "-m", "service", *command]
        running.append(subprocess.Popen(whole, env=env, stderr=stderr, start_new_session=True))
        return running[-1]

    try:
        yield start
    finally:
        for process in running:
            kill(process)


def kill(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


@pytest.mark.slow
def test_one_command_is_enough_with_workers_of_its_own(tmp_path: Path, tiny_models: Path) -> None:
    path = opinions(tmp_path, *TEXTS)
    own = {"model": "tiny", "models_folder": tiny_models, "worker_poll_s": 0.05}
    command = [sys.executable, "-m", "service", "batch", str(path), "--source", "demo"]
    command += ["--store", f"sqlite:///{tmp_path}/new.db", "--workers", "1"]

    runs = [
        subprocess.run(command, env=environment(own), stderr=subprocess.PIPE, text=True, check=True)
        for _ in range(2)
    ]

    assert "4 opinions kept, 0 known, 0 refused, 0 handed in before" in runs[0].stderr
    assert "0 opinions kept, 0 known, 0 refused, 4 handed in before" in runs[1].stderr


@pytest.mark.slow
def test_without_a_worker_it_is_said(tmp_path: Path) -> None:
    path, said = opinions(tmp_path, "rác"), tmp_path / "said"
    with started(environment({})) as start, said.open("w") as stderr:
        store = f"sqlite:///{tmp_path}/new.db"
        start("batch", str(path), "--source", "demo", "--store", store, stderr=stderr)

        wait_for(lambda: "no worker is at this store" in said.read_text())

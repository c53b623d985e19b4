"""Jobs come to their end whatever happens to the processes that carry them out."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.jobs.flow import queue_url
from service.jobs.orders import submit
from service.store.dialect import open_engine
from service.store.errors import Conflict
from service.store.jobs import Job, Progress, cancel_job, list_faults, measure, read_job, retry_job
from service.store.migrate import migrate
from service.store.tables import job_shards, jobs, workers
from tests.service.job_worker import CHUNK, FORKS, counted, work

pytestmark = pytest.mark.slow
PATIENCE_S = 30.0
SLOW = 0.1  # seconds for a chunk, where something is to happen in the middle


def wait_for(done: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@dataclass
class Team:
    """A store, and workers at it."""

    url: str
    engine: sa.Engine = field(init=False)
    members: list[BaseProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = open_engine(self.url)

    def start(self, name: str, *, version: str = "1") -> BaseProcess:
        settings = {
            "database_url": self.url,
            "heartbeat_s": 0.2,
            "worker_poll_s": 0.05,
            "worker_dead_after_s": 1.0,
        }
        member = FORKS.Process(target=work, args=(settings, name, version))
        member.start()
        self.members.append(member)
        return member

    def ask(self, kind: str = "count", **params: Any) -> str:
        now = datetime.now(UTC)
        return submit(self.engine, kind, params=params, asked_by="key:test", now=now).id

    def job(self, job_id: str) -> Job:
        return read_job(self.engine, job_id)

    def progress(self, job_id: str) -> Progress:
        job = self.job(job_id)
        return measure(self.engine, [job], now=datetime.now(UTC))[job_id]

    def until(self, job_id: str, *states: str) -> Job:
        wait_for(lambda: self.job(job_id).state in states)
        return self.job(job_id)

    def until_in_the_middle(self, job_id: str) -> None:
        wait_for(lambda: self.progress(job_id).n_done > 0)

    def read(self, column: sa.ColumnElement[Any]) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.scalars(sa.select(column)))

    def items(self) -> list[int]:
        return sorted(self.read(counted.c.item))

    def end(self) -> None:
        for member in self.members:
            member.kill()
            member.join()
        self.engine.dispose()


def prepare(url: str) -> None:
    """A store that workers have seen, so that no test waits for tables and queues to be made."""
    team = Team(url)
    team.start("first").is_alive()
    wait_for(lambda: sa.inspect(team.engine).has_table("jobs"))
    counted.create(team.engine)
    team.until(team.ask(sizes=[1]), "done")
    team.members[0].terminate()
    team.members[0].join()
    with team.engine.begin() as connection:
        for table in (counted, jobs, workers):
            connection.execute(table.delete())
    team.end()


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    prepare(f"sqlite:///{folder}/danvan.db")
    return folder


@pytest.fixture(scope="session")
def prepared_postgres(postgres_url: str) -> sa.URL:
    url = sa.make_url(postgres_url)
    run_sql(url, "CREATE DATABASE prepared")
    prepared = url.set(database="prepared")
    prepare(prepared.render_as_string(hide_password=False))
    return prepared


def run_sql(url: sa.URL, statement: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def team(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Team]:
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("prepared_sqlite"), tmp_path / "store")
        the_team = Team(f"sqlite:///{tmp_path}/store/danvan.db")
        yield the_team
        the_team.end()
        return
    prepared: sa.URL = request.getfixturevalue("prepared_postgres")
    url = prepared.set(database=f"jobs_{tmp_path.name}".lower().replace("-", "_")[:60])
    server = prepared.set(database="postgres")
    run_sql(server, f'CREATE DATABASE "{url.database}" TEMPLATE prepared')
    the_team = Team(url.render_as_string(hide_password=False))
    yield the_team
    the_team.end()
    run_sql(server, f'DROP DATABASE "{url.database}" WITH (FORCE)')


on_sqlite = pytest.mark.parametrize("team", ["sqlite"], indirect=True)


def test_a_job_is_planned_carried_out_and_summed_up(team: Team) -> None:
    job_id = team.ask(sizes=[12, 5, 8])

    team.start("w1")

    job = team.until(job_id, "done")
    assert job.result == {"n": 25, "model": "rules"}
    assert job.n_total == 25
    assert team.progress(job_id).n_done == 25
    assert team.items() == list(range(25))


@on_sqlite
@pytest.mark.parametrize("sizes", [[], [7]])
def test_a_job_may_have_one_shard_or_none(team: Team, sizes: list[int]) -> None:
    team.start("w1")

    job = team.until(team.ask(sizes=sizes), "done")

    assert job.result["n"] == sum(sizes)
    assert job.n_total == sum(sizes)


def test_two_workers_share_a_job(team: Team) -> None:
    team.start("w1")
    team.start("w2")

    team.until(team.ask(sizes=[CHUNK] * 12, slow_s=SLOW), "done")

    assert len(set(team.read(counted.c.pid))) == 2
    assert team.items() == list(range(12 * CHUNK))


def test_others_finish_what_a_killed_worker_began(team: Team) -> None:
    killed = team.start("w1")
    job_id = team.ask(sizes=[40, 10], slow_s=SLOW)
    team.until_in_the_middle(job_id)

    killed.kill()
    team.start("w2")

    assert team.until(job_id, "done").result["n"] == 50
    assert team.progress(job_id).n_done == 50
    assert team.items() == list(range(50))
    assert len(set(team.read(counted.c.pid))) == 2


@on_sqlite
def test_a_worker_goes_on_where_it_was_killed_without_waiting_to_be_declared_dead(
    team: Team,
) -> None:
    killed = team.start("w1")
    job_id = team.ask(sizes=[20, 20], slow_s=SLOW)
    team.until_in_the_middle(job_id)

    killed.kill()
    killed.join()
    team.start("w1")

    assert team.until(job_id, "done").result["n"] == 40
    assert team.items() == list(range(40))


def test_a_worker_told_to_end_stops_between_chunks_and_loses_nothing(team: Team) -> None:
    told = team.start("w1")
    job_id = team.ask(sizes=[40, 10], slow_s=SLOW)
    team.until_in_the_middle(job_id)

    told.terminate()
    told.join(10)

    assert told.exitcode == 0
    assert 0 < len(team.items()) < 40
    assert set(team.read(job_shards.c.deaths)) == {0}
    assert team.read(workers.c.state) == ["stopped"]
    team.start("w2")
    assert team.until(job_id, "done").result["n"] == 50
    assert team.progress(job_id).n_done == 50


@on_sqlite
def test_a_second_signal_ends_a_worker_at_once(team: Team) -> None:
    stubborn = team.start("w1")
    team.ask(sizes=[10], slow_s=600)
    wait_for(lambda: 1 in team.read(job_shards.c.go))

    stubborn.terminate()
    stubborn.join(1)
    stubborn.terminate()
    stubborn.join(10)

    assert stubborn.exitcode == 128 + signal.SIGTERM


def test_a_worker_taken_for_dead_changes_nothing_any_more(team: Team) -> None:
    frozen = team.start("w1")
    job_id = team.ask(sizes=[20, 5], slow_s=SLOW)
    team.until_in_the_middle(job_id)

    os.kill(frozen.pid or 0, signal.SIGSTOP)
    team.start("w2")
    team.until(job_id, "done")
    os.kill(frozen.pid or 0, signal.SIGCONT)

    wait_for(lambda: team.read(workers.c.state) == ["live", "live"])
    assert team.progress(job_id).n_done == 25
    assert team.items() == list(range(25))


@on_sqlite
def test_a_worker_whose_name_was_taken_ends(team: Team) -> None:
    first = team.start("w1")
    wait_for(lambda: team.read(workers.c.id) == ["w1"])
    [began] = team.read(workers.c.started_at)

    team.start("w1")

    wait_for(lambda: team.read(workers.c.started_at) != [began])
    first.join(10)
    assert first.exitcode == 1


def test_a_cancelled_job_stops_and_can_be_gone_on_with(team: Team) -> None:
    team.start("w1")
    job_id = team.ask(sizes=[30, 10], slow_s=SLOW)
    team.until_in_the_middle(job_id)

    cancelled = cancel_job(team.engine, job_id, now=datetime.now(UTC))

    assert cancelled.state == "cancelled"
    wait_for(lambda: set(team.read(job_shards.c.deaths)) == {0})  # it has noticed
    n_done = team.progress(job_id).n_done
    assert n_done < 40
    assert len(team.items()) == n_done
    with pytest.raises(Conflict, match="ended already: cancelled"):
        cancel_job(team.engine, job_id, now=datetime.now(UTC))

    retry_job(team.engine, job_id)

    assert team.until(job_id, "done").result["n"] == 40
    assert team.progress(job_id).n_done == 40


def test_a_failing_shard_fails_the_job_alone_and_is_retried_alone(
    team: Team, tmp_path: Path
) -> None:
    team.start("w1")
    mended = tmp_path / "mended"
    job_id = team.ask(sizes=[10, 10, 10], broken=13, mended=str(mended))

    job = team.until(job_id, "failed")

    assert job.reason is not None
    assert job.reason.startswith("ValueError at job_worker.py:")
    assert team.items() == [*range(10), *range(20, 30)]

    mended.touch()
    retry_job(team.engine, job_id)

    assert team.until(job_id, "done").result["n"] == 30
    assert team.items() == list(range(30))
    assert sorted(team.read(job_shards.c.go)) == [1, 1, 2]


@on_sqlite
@pytest.mark.parametrize(("n_shaky", "state"), [(2, "done"), (3, "failed")])
def test_what_may_pass_by_itself_is_tried_three_times(
    team: Team, tmp_path: Path, n_shaky: int, state: str
) -> None:
    team.start("w1")

    job = team.until(
        team.ask(sizes=[10], shaky=3, n_shaky=n_shaky, marks=str(tmp_path / "marks")),
        "done",
        "failed",
    )

    assert job.state == state
    assert job.reason is None or job.reason.startswith("OperationalError at job_worker.py:")


@on_sqlite
def test_a_plan_that_cannot_be_made_fails_the_job_with_its_reason(team: Team) -> None:
    team.start("w1")

    job = team.until(team.ask(unplannable=True), "failed")

    assert job.reason == "nothing can be planned of this"


@on_sqlite
def test_a_kind_that_nobody_knows_fails_with_its_name(team: Team) -> None:
    team.start("w1")

    job = team.until(team.ask("unheard_of"), "failed")

    assert job.reason == "this version of danvan has no kind of job 'unheard_of'"


@on_sqlite
def test_a_bad_item_is_set_aside_and_the_others_go_on(team: Team) -> None:
    team.start("w1")
    job_id = team.ask(sizes=[10, 10], bad=13)

    team.until(job_id, "done")

    assert team.progress(job_id).n_failed == 1
    assert team.progress(job_id).n_done == 19
    [fault] = list_faults(team.engine, job_id, limit=9)
    assert (fault.subject, fault.reason) == ("13", "it is bad")


def test_an_item_that_kills_its_process_is_found_and_set_aside(team: Team) -> None:
    job_id = team.ask(sizes=[10, 10], killer=13)

    for _ in range(3):  # twice to be suspected, once more to be caught
        victim = team.start("w1")
        victim.join(PATIENCE_S)
        assert victim.exitcode == -signal.SIGKILL
    team.start("w1")

    job = team.until(job_id, "done")
    [fault] = list_faults(team.engine, job_id, limit=9)
    assert fault.subject == "13"
    assert "process ended" in fault.reason
    assert team.items() == [n for n in range(20) if n != 13]
    assert team.progress(job_id).n_done == 19
    assert job.result["n"] == 19


def test_jobs_outlive_the_loss_of_the_queue(team: Team) -> None:
    first = team.start("w1")
    job_id = team.ask(sizes=[20, 20], slow_s=SLOW)
    team.until_in_the_middle(job_id)
    first.kill()
    first.join()
    url = sa.make_url(queue_url(team.url))
    if url.get_backend_name() == "sqlite":
        for ending in ("", "-wal", "-shm"):
            Path(f"{url.database}{ending}").unlink()
    else:
        run_sql(url, "DROP SCHEMA dbos CASCADE")

    team.start("w1")

    assert team.until(job_id, "done").result["n"] == 40
    assert team.items() == list(range(40))


@on_sqlite
def test_a_newer_version_begins_the_jobs_of_an_older_one_anew(team: Team) -> None:
    older = team.start("w1")
    job_id = team.ask(sizes=[20, 20], slow_s=SLOW)
    team.until_in_the_middle(job_id)
    older.terminate()
    older.join()

    team.start("w1", version="2")

    assert team.until(job_id, "done").result["n"] == 40
    assert team.items() == list(range(40))


@on_sqlite
def test_what_a_worker_took_and_is_not_at_is_picked_up(team: Team) -> None:
    team.start("w1")
    team.until(team.ask(sizes=[3]), "done")
    queue = sa.create_engine(queue_url(team.url))

    with queue.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE workflow_status SET status = 'PENDING', started_at_epoch_ms = 1, owner_xid = 'x'"
        )

    wait_for(lambda: states_of(queue) == {"SUCCESS"})
    queue.dispose()


def states_of(queue: sa.Engine) -> set[str]:
    with queue.connect() as connection:
        found = connection.exec_driver_sql("SELECT status FROM workflow_status")
        return set(found.scalars())


@on_sqlite
def test_a_store_older_than_its_queue_has_its_jobs_done_again(team: Team) -> None:
    team.start("w1")
    job_id = team.ask(sizes=[3, 4])
    team.until(job_id, "done")

    with team.engine.begin() as connection:
        connection.execute(counted.delete())
        connection.execute(job_shards.delete())
        connection.execute(jobs.update().values(state="running", n_total=None))

    assert team.until(job_id, "done").result["n"] == 7
    assert team.items() == list(range(7))


@pytest.mark.parametrize("team", ["postgresql"], indirect=True)
def test_workers_wait_for_a_database_that_went_away(team: Team) -> None:
    worker = team.start("w1")
    job_id = team.ask(sizes=[30, 10], slow_s=SLOW)
    team.until_in_the_middle(job_id)
    url = sa.make_url(team.url)
    server = url.set(database="postgres")

    run_sql(server, f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS false')
    run_sql(
        server,
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{url.database}'",
    )
    worker.join(1)  # for a while nothing can be reached
    run_sql(server, f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS true')

    assert worker.is_alive()
    assert team.until(job_id, "done").result["n"] == 40
    assert team.progress(job_id).n_done == 40
    assert team.items() == list(range(40))


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_workers_and_the_service_may_start_at_once_on_a_fresh_database(
    backend: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/fresh.db"
    if backend == "postgresql":
        fresh = sa.make_url(request.getfixturevalue("postgres_url"))
        run_sql(fresh, "CREATE DATABASE fresh_jobs")
        url = fresh.set(database="fresh_jobs").render_as_string(hide_password=False)
    team = Team(url)
    try:
        members = [team.start(name) for name in ("w1", "w2")]
        migrate(url)

        counted.create(team.engine)
        team.until(team.ask(sizes=[5, 5]), "done")

        wait_for(lambda: len(team.read(workers.c.id)) == 2)
        assert all(member.is_alive() for member in members)
    finally:
        team.end()
        if backend == "postgresql":
            run_sql(fresh, "DROP DATABASE fresh_jobs WITH (FORCE)")

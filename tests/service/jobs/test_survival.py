"""Jobs come to their end whatever happens to the processes that carry them out."""

import os
import signal
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.jobs.flow import queue_url
from service.store.jobs import list_faults
from service.store.migrate import migrate
from service.store.tables import job_shards, jobs, workers
from tests.service.jobs.team import (
    PATIENCE_S,
    SLOW,
    Team,
    on_postgresql,
    on_sqlite,
    run_sql,
    wait_for,
)
from tests.service.jobs.worker import CHUNK, counted

pytestmark = pytest.mark.slow


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

    team.migrates = True
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


@on_postgresql
def test_workers_wait_for_a_database_that_went_away(team: Team) -> None:
    worker = team.start("w1")
    job_id = team.ask(sizes=[30, 10], slow_s=SLOW)
    team.until_in_the_middle(job_id)
    url = sa.make_url(team.url)
    server = url.set(database="postgres")

    run_sql(server, f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS false')
    run_sql(
        server,
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{url.database}'",  # noqa: S608 - our own name
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
    team = Team(url, migrates=True)
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

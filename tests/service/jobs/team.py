"""A store and workers at it, for tests."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from typing import Any

import pytest
import sqlalchemy as sa

from service.jobs.orders import submit
from service.store.dialect import open_engine
from service.store.jobs import Job, Progress, measure, read_job
from service.store.tables import jobs, workers
from tests.service.jobs.worker import FORKS, counted, work

PATIENCE_S = 30.0
SLOW = 0.1  # seconds for a chunk, where something is to happen in the middle


def wait_for(done: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


@dataclass
class Team:
    """A store, and workers at it; with `migrates` they make what is missing there."""

    url: str
    migrates: bool = False
    engine: sa.Engine = field(init=False)
    members: list[BaseProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = open_engine(self.url)

    def start(self, name: str, *, version: str = "1") -> BaseProcess:
        settings = {
            "database_url": self.url,
            "migrate_on_start": self.migrates,
            "heartbeat_s": 0.2,
            "worker_poll_s": 0.05,
            "worker_dead_after_s": 0.8,
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
    team = Team(url, migrates=True)
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


def run_sql(url: sa.URL, statement: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


on_sqlite = pytest.mark.parametrize("team", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("team", ["postgresql"], indirect=True)

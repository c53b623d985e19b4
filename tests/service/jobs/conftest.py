"""Stores that workers have seen already, so that no test waits for tables and queues to be made."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.service.jobs.team import Team, prepare, run_sql


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

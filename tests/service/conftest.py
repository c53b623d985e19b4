"""A service over a small pipeline of rules: no model, no clock, no network."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import cast
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from nlp.pipeline import Pipeline
from service import auth
from service.actions import Desk
from service.app import create_app
from service.settings import Settings
from tests.postgres import find_programs, running
from tests.service.archive import BOTH, address_of, fresh_store
from tests.service.rules import RulePipeline
from tests.service.shelf import Shelf

# a console keeps the width it finds when its module is imported: not within a test that sets one
for _path in (Path(__file__).parents[2] / "service").glob("cli_*.py"):
    import_module(f"service.{_path.stem}")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with running(programs) as url:
        yield url


@pytest.fixture
def quick_passwords() -> Iterator[None]:
    """Hashes that cost a millisecond in place of a hundred."""
    quick = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=64, parallelism=1),))
    with patch.object(auth, "_hasher", lambda: quick):
        auth._decoy.cache_clear()
        yield
    auth._decoy.cache_clear()


@pytest.fixture(params=BOTH)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty store, on SQLite in a folder that is not there yet and on PostgreSQL."""
    with fresh_store(address_of(request, tmp_path / "a" / "b")) as engine:
        yield engine


@pytest.fixture
def shelf(engine: sa.Engine) -> Shelf:
    return Shelf(engine)


@pytest.fixture
def pipeline() -> RulePipeline:
    return RulePipeline()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        database_url=f"sqlite:///{tmp_path}/store/danvan.db",
        exports_folder=tmp_path / "exports",
        max_upload_bytes=100_000,
        max_opinion_chars=2_000,
        access="open",
        rate_limit="1000000/second",
    )


@pytest.fixture
def app(settings: Settings, pipeline: RulePipeline) -> Iterator[FastAPI]:
    app = create_app(settings, pipeline=cast(Pipeline, pipeline))  # it has what the service uses
    start = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    seconds = iter(range(1_000_000))  # each look at the clock is one second later
    desk: Desk = app.state.desk
    app.state.desk = replace(desk, now=lambda: start + timedelta(seconds=next(seconds)))
    yield app
    desk.engine.dispose()


@pytest.fixture
def desk(app: FastAPI) -> Desk:
    the_desk: Desk = app.state.desk
    return the_desk


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client

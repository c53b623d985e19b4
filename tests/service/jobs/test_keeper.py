"""What a worker does beside its work."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from nlp.pipeline import Pipeline
from service.jobs.keeper import Keeper
from service.jobs.runner import Runner
from service.jobs.seam import Context
from service.settings import Settings
from service.store.dialect import open_engine
from service.store.workers import Seat
from tests.service.rules import RulePipeline


def test_a_chore_that_fails_keeps_no_other_from_being_done(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/danvan.db")
    engine = open_engine(settings.database_url)
    ctx = Context(engine, settings, build=lambda _: cast(Pipeline, RulePipeline()))
    done: list[Context] = []

    def fail(ctx: Context) -> None:
        raise ZeroDivisionError

    runner = Runner(ctx, {}, threading.Event())
    Keeper(runner, Seat("w1", datetime.now(UTC)), chores=[fail, done.append]).do_chores()

    assert done == [ctx]
    engine.dispose()

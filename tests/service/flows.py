"""A store with a clock that tests set, and its jobs carried out in the process of the test."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from nlp.pipeline import Pipeline, Request
from nlp.readers import from_text
from nlp.types import KindAsked
from service.jobs.here import carry_out_here
from service.jobs.kinds import KINDS
from service.jobs.seam import Context
from service.settings import Settings
from service.store import tables
from service.store.intake import Source, add, ensure_run, register_source
from service.store.jobs import Job
from service.store.records import Intake, NewItem
from tests.service.archive import fresh_store
from tests.service.rules import PACK, RulePipeline
from tests.service.shelf import RULES

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


@dataclass
class Scene:
    """A store at a moment; items are numbered from 1 in the order they came in."""

    engine: sa.Engine
    settings: Settings
    now: datetime = START
    n_items: int = 0
    texts: dict[int, str] = field(default_factory=dict)

    @property
    def ctx(self) -> Context:
        """What kinds of jobs need."""
        build = lambda _: cast(Pipeline, RulePipeline())  # noqa: E731
        return Context(self.engine, self.settings, build=build, now=lambda: self.now)

    def pass_days(self, days: float) -> None:
        """Let time pass in which a worker says every day that it lives."""
        for _ in range(int(days)):
            self.now += timedelta(days=1)
            self.beat()
        self.now += timedelta(days=days % 1)

    def beat(self) -> None:
        """A sign of life: a job that was asked for."""
        row = {
            "id": f"sign-{self.now:%Y%m%d%H%M%S}",
            "kind": "sign",
            "state": "done",
            "params": {},
            "asked_by": "test",
            "created_at": self.now,
            "finished_at": self.now,
        }
        with self.engine.begin() as connection:
            connection.execute(tables.jobs.insert(), row)

    def source(self, name: str, *, days: int) -> str:
        """A source whose texts are kept so long."""
        register_source(self.engine, Source(name, f"kênh {name}", "Luật", days))
        return name

    def keep(self, *texts: str, source: str = "demo", intake: Intake = "opinion") -> list[str]:
        """Take texts in now, read by the rules; their ids."""
        run_id = ensure_run(self.engine, RULES, now=self.now)
        entries = []
        for text in texts:
            self.n_items += 1
            self.texts[self.n_items] = text
            kind: KindAsked = "opinion" if intake == "opinion" else "auto"
            request = Request(f"{self.n_items:032x}", from_text(text), kind)
            analysis = RulePipeline().analyze(request)
            item = NewItem(
                id=request.id,
                intake=intake,
                kind=analysis.kind,
                doc=request.doc,
                source=source,
                external_id=str(self.n_items),
                received_at=self.now,
            )
            entries.append((item, analysis))
        add(self.engine, entries, run_id=run_id, parents=PACK.parents)
        return [item.id for item, _ in entries]

    def carry_out(self, kind: str, **params: Any) -> Job:
        """Ask for a job and do it."""
        return carry_out_here(self.ctx, kind, params=params, asked_by="test", kinds=KINDS)

    def here(self) -> list[int]:
        """The numbers of the items that are there."""
        with self.engine.connect() as connection:
            ids = connection.scalars(sa.select(tables.items.c.id).order_by(tables.items.c.seq))
            return [int(item_id, 16) for item_id in ids]

    def seq(self, number: int) -> int:
        """The internal number of an item."""
        query = sa.select(tables.items.c.seq).where(tables.items.c.id == f"{number:032x}")
        with self.engine.connect() as connection:
            return int(connection.execute(query).scalar_one())


@contextmanager
def a_scene(request: pytest.FixtureRequest, folder: Path, *, database: str) -> Iterator[Scene]:
    """A scene on a new database: `sqlite` or `postgresql`."""
    url = f"sqlite:///{folder}/store.db"
    if database == "postgresql":
        url = request.getfixturevalue("postgres_url")
    with fresh_store(url) as engine:
        yield Scene(engine, Settings(database_url=url, exports_folder=folder / "exports"))

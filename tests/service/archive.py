"""An archive on either database, models that read it, and a hand that carries out jobs without a queue."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from models.registry import ModelInfo
from nlp.pipeline import Pipeline, Request
from nlp.readers import from_text
from nlp.types import Analysis, Provenance
from service import reclassifying
from service.jobs import archive
from service.jobs.kinds import KINDS
from service.jobs.runner import Runner
from service.jobs.seam import Context
from service.reclassifying import Archive, Wish
from service.settings import Settings
from service.store import runs, tables
from service.store.dialect import open_engine
from service.store.intake import add, ensure_run
from service.store.jobs import Job, read_job
from service.store.migrate import migrate
from service.store.query import LabelFilter, Query
from service.store.records import NewItem
from service.store.tables import FACETS
from service.store.views import Stored, Summary, list_items, read_item
from tests.service.rules import PACK, RulePipeline
from tests.service.shelf import NOON, RULES, Change, Shelf, as_it_is, says_field

BOTH = ("sqlite", "postgresql")


def address_of(request: pytest.FixtureRequest, folder: Path) -> str:
    """Where the database of a test that is run on both lies; PostgreSQL is one for all tests."""
    if request.param == "postgresql":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{folder}/store.db"


def another_database(url: str, name: str) -> str:
    """A database of this name on the same PostgreSQL, made anew."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}")
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return engine.url.set(database=name).render_as_string(hide_password=False)


@contextmanager
def fresh_store(url: str, *, migrated: bool = True) -> Iterator[sa.Engine]:
    """An empty database, and none afterwards."""
    if migrated:
        migrate(url)
    engine = open_engine(url)
    try:
        yield engine
    finally:
        if engine.dialect.name == "postgresql":
            with engine.begin() as connection:
                connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        engine.dispose()


@dataclass
class Model(RulePipeline):
    """Rules that say another thing."""

    change: Change = as_it_is
    name: str = "rules"
    sha256: str = "0" * 64

    @property
    def provenance(self) -> Provenance:
        pack = self.taxonomy
        return Provenance(self.name, self.version, self.sha256, pack.name, pack.version, "0.1.0")

    def _analyze(self, request: Request) -> Analysis:
        return self.change(super()._analyze(request))


@dataclass
class Room(Shelf):
    """The shelf with whoever works at it: models by their version, and a runner of jobs."""

    folder: Path = Path()
    models: dict[str, Model] = field(default_factory=lambda: {"1": Model()})

    def bring(
        self, text: str, *, intake: str = "opinion", source: str = "demo", after_h: float = 0
    ) -> str:
        """Keep one text, read by the first model; its id."""
        number = len(self.texts) + 1
        self.texts[number] = text
        request = Request(f"{number:032x}", from_text(text))
        analysis = self.models["1"].analyze(request)
        item = NewItem(
            id=request.id,
            intake="document" if intake == "document" else "opinion",
            kind=analysis.kind,
            doc=request.doc,
            source=source,
            external_id=str(number),
            received_at=NOON + timedelta(hours=after_h or number),
        )
        run_id = ensure_run(self.engine, RULES, now=NOON)
        add(self.engine, [(item, analysis)], run_id=run_id, parents=PACK.parents)
        return item.id

    @property
    def archive(self) -> Archive:
        """What the use cases of re-classification need."""
        return Archive(
            self.engine,
            taxonomies=lambda: tuple(self.packs.values()),
            models=lambda: tuple(self._info(model) for model in self.models.values()),
            now=lambda: self.move().at,
        )

    def _info(self, model: Model) -> ModelInfo:
        made = model.provenance
        return ModelInfo(
            made.model,
            made.model_version,
            made.model_sha256,
            made.taxonomy,
            made.taxonomy_version,
            self.folder,
        )

    @property
    def context(self) -> Context:
        """What kinds of jobs need."""
        url = self.engine.url.render_as_string(hide_password=False)
        settings = Settings(database_url=url, model="rules@1", upload_wait_s=5)

        def build(asked: Settings) -> Pipeline:
            version = asked.model.partition("@")[2]
            return cast(Pipeline, self.models[version])  # it has what the service uses

        return Context(self.engine, settings, build, now=lambda: self.move().at)

    def order(self, version: str, query: Query | None = None, **more: Any) -> str:
        """Order a re-classification; the id of its job."""
        wish = Wish(f"rules@{version}", query or Query(), "staff:an", **more)
        return reclassifying.start(self.archive, wish).job.id

    def read(self, version: str, query: Query | None = None, **more: Any) -> str:
        """Order one and carry it out."""
        job_id = self.order(version, query, **more)
        self.carry_out(job_id)
        return job_id

    def put_on_top(self, job_id: str, *facets: str) -> None:
        """Promote a re-classification."""
        reclassifying.put_on_top(self.archive, job_id, facets=facets or FACETS, made_by="staff:an")

    def take_back(self, job_id: str) -> None:
        """Roll a re-classification back."""
        reclassifying.take_back(self.archive, job_id, made_by="staff:an")

    def carry_out(self, job_id: str) -> Job:
        """Carry out a job from beginning to end."""
        return carry_out(self.context, job_id)

    def items(self, query: Query | None = None) -> tuple[Summary, ...]:
        """What a list shows."""
        return list_items(self.engine, query or Query(limit=200)).items

    def numbers(self, query: Query) -> list[int]:
        """The numbers of the items that a query finds, newest first."""
        return [int(item.id, 16) for item in self.items(query)]

    def opened(self, number: int) -> Stored:
        """One item as it is opened."""
        found = read_item(self.engine, f"{number:032x}")
        assert found is not None
        return found

    def everything(self) -> Mapping[str, object]:
        """All that anybody can see: lists, what every label finds, searches, whole items."""
        with self.engine.connect() as connection:
            index = tables.label_index.c
            codes = connection.execute(sa.select(index.facet, index.code).distinct()).all()
        by_label = {
            tuple(code): self.items(Query(labels=(LabelFilter(*code),), limit=200))
            for code in codes
        }
        return {
            "list": self.items(),
            "by label": {code: found for code, found in by_label.items() if found},
            "by word": self.items(Query(text="duong", limit=200)),
            "whole": [self.opened(number) for number in self.texts],
        }

    def sizes(self) -> dict[str, int]:
        """How many rows each table has."""
        with self.engine.connect() as connection:
            return {
                name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
                for name, table in tables.metadata.tables.items()
            }


@dataclass
class Part:
    """A job carried out step by step."""

    context: Context
    job_id: str

    def __post_init__(self) -> None:
        self.runner = Runner(self.context, KINDS, threading.Event())
        self.attempt = read_job(self.context.engine, self.job_id).attempt

    def plan(self) -> tuple[int, ...] | None:
        """The numbers of the shards that are to be done."""
        return self.runner.plan(self.job_id, attempt=self.attempt)

    def do(self, number: int) -> None:
        """One shard."""
        self.runner.carry_out(self.job_id, attempt=self.attempt, shard=number)

    def finish(self) -> None:
        """Sum up."""
        self.runner.finish(self.job_id, attempt=self.attempt)


def carry_out(context: Context, job_id: str) -> Job:
    """Carry out a job from beginning to end."""
    part = Part(context, job_id)
    for number in part.plan() or ():
        part.do(number)
    part.finish()
    return read_job(context.engine, job_id)


TEXTS = ("đường hỏng", "rác ở chợ", "đường xấu", "gì đó")


@contextmanager
def two_models(
    request: pytest.FixtureRequest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Room]:
    """Four opinions, a model `2` that says LV02 of all, and a model `5` that says LV05."""
    monkeypatch.setattr(archive, "_STRETCH", 3)
    monkeypatch.setattr(runs, "_STRETCH", 2)
    with fresh_store(address_of(request, folder)) as engine:
        room = Room(engine)
        for text in TEXTS:
            room.bring(text)
        room.models["2"] = Model(version="2", change=says_field("LV02"))
        room.models["5"] = Model(version="5", change=says_field("LV05"))
        yield room


def fields(room: Room) -> list[str]:
    return [room.field_of(number) for number in room.texts]


def run_of(room: Room, job_id: str) -> runs.Run:
    run = reclassifying.look(room.archive, job_id).run
    assert run is not None
    return run

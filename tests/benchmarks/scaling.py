"""What several workers do together: a file loaded into a store, the archive read again, with deaths.

    python -m tests.benchmarks.scaling [--items 40000] [--workers 1 2 4] [--folder FOLDER]

Every worker is a process of its own that shares nothing with the others but the database, as on another
host. Each run has a new SQLite file, or a new database of a PostgreSQL that is started for it. The last run
has four workers, one of which is killed (kill -9) in the middle of each job. Rates are told for a second of
the clock, and of the workers' own time on a processor: where others share the machine, or there are fewer
cores than workers, only the latter say what a further host would add. Models are loaded before. Prints
Markdown.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import sqlalchemy as sa
from cryptography.fernet import Fernet
from pydantic import SecretStr

from models.corpus import load_corpus
from nlp.taxonomy import load_pack
from service import loading, reclassifying
from service.assembly import open_archive
from service.loading import Standing, load_file
from service.reclassifying import Wish
from service.settings import Settings
from service.store import tables
from service.store.dialect import open_engine
from service.store.jobs import OPEN
from service.store.migrate import migrate
from service.store.query import Query
from service.store.vitals import read_vitals
from tests.postgres import find_programs, running

_KEY = Fernet.generate_key().decode()
_LOOK_S = 0.2
_TITLES = (
    "database", "workers", "loaded, a second", "a processor second",
    "read again, a second", "a processor second", "each once",
)  # fmt: skip
Crew = list["subprocess.Popen[bytes]"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run has shown: opinions a second, and whether each of them is there once."""

    database: str
    n_workers: int
    n_killed: int
    loaded: "Rate"
    read_again: "Rate"
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Rate:
    """Opinions a second of the clock, and a second of the workers' time on a processor."""

    by_clock: float
    by_processor: float


def write_file(path: Path, *, n_items: int, name: str = "n") -> None:
    """The opinions of the corpus again and again, no two alike."""
    corpus = Settings().corpus_folder
    pack = load_pack(corpus / "taxonomies" / "ct07")
    found = load_corpus(corpus / "labelled" / "ct07", taxonomy=pack)
    texts = [example.text for example in found if example.kind == "opinion"]
    with path.open("w", encoding="utf-8") as out:
        for n in range(n_items):
            text = f"{texts[n * 7919 % len(texts)]} Lần {n}."
            out.write(json.dumps({"id": f"{name}{n}", "text": text}, ensure_ascii=False) + "\n")


@contextmanager
def workers(settings: Settings, n: int) -> Iterator[Crew]:
    """So many workers, all of them there."""
    environment = os.environ | {"DANVAN_SPOOL_KEY": _KEY, "DANVAN_LOG_LEVEL": "error"}
    environment |= {"DANVAN_HEARTBEAT_S": "1", "DANVAN_WORKER_DEAD_AFTER_S": "5"}
    command = [sys.executable, "-m", "service", "worker", "--store", settings.database_url]
    crew = [subprocess.Popen([*command, "--name", f"w{i}"], env=environment) for i in range(n)]
    engine = open_engine(settings.database_url)
    try:
        while read_vitals(engine, now=datetime.now(UTC), dead_after_s=5).n_workers < n:
            time.sleep(_LOOK_S)
        yield crew
    finally:
        engine.dispose()
        for worker in crew:
            worker.terminate()
        for worker in crew:
            worker.wait(60)


@dataclass
class Phase:
    """One of the jobs as it goes on: how long, how much processor, and whether somebody is to be killed."""

    crew: Crew
    kill_after: float
    started: float = field(default_factory=time.perf_counter)
    before: float = 0.0
    last: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.look(0)
        self.before = sum(self.last.values())

    def look(self, n_done: int) -> None:
        """Take the time; of a process that has ended its last one stays."""
        for worker in self.crew:
            if worker.poll() is None:
                self.last[worker.pid] = processor_s(worker.pid)
        if n_done > self.kill_after:
            self.kill_after = math.inf
            victim = next(worker for worker in self.crew if worker.poll() is None)
            victim.kill()

    def rate(self, n_items: int) -> Rate:
        """How fast it was."""
        self.look(0)
        spent_s = sum(self.last.values()) - self.before
        return Rate(n_items / (time.perf_counter() - self.started), n_items / spent_s)


def processor_s(pid: int) -> float:
    """The time that a process has had on a processor, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(url: str, path: Path, *, n_items: int, n_workers: int, kills: bool = False) -> Outcome:
    """Load the file, then read the archive again."""
    migrate(url)
    settings = Settings(database_url=url, spool_key=SecretStr(_KEY), worker_dead_after_s=15)
    kill_after = n_items / 2 if kills else math.inf
    with workers(settings, n_workers) as crew:
        n_warm = _warm(settings, path.parent, n_workers=n_workers)
        loading_it = Phase(crew, kill_after)
        _load(settings, path, look=loading_it.look)
        loaded = loading_it.rate(n_items)
        reading_it = Phase(crew, kill_after)
        _read_again(settings, look=reading_it.look)
        read_again = reading_it.rate(n_items + n_warm)
    return Outcome(
        database=sa.make_url(url).get_backend_name(),
        n_workers=n_workers,
        n_killed=2 if kills else 0,
        loaded=loaded,
        read_again=read_again,
        is_exact=_is_exact(url, n_items=n_items + n_warm),
    )


Look = Callable[[int], None]


def _warm(settings: Settings, folder: Path, *, n_workers: int) -> int:
    """So many small blocks that each worker finds one while the others load their model."""
    path, n_items = folder / "warm.jsonl", 50 * n_workers
    write_file(path, n_items=n_items, name="warm")
    with patch.object(loading, "BLOCK", 10):
        _load(settings, path, look=lambda n_done: None)
    return n_items


def _load(settings: Settings, path: Path, *, look: Look) -> None:
    engine = open_engine(settings.database_url)

    def report(standing: Standing) -> None:
        look(standing.n_done)

    load_file(engine, path, source="demo", settings=settings, report=report)
    engine.dispose()


def _read_again(settings: Settings, *, look: Look) -> None:
    archive = open_archive(settings)
    found = reclassifying.start(archive, Wish(settings.model, Query(), "benchmark"))
    while found.job.state in OPEN:
        time.sleep(_LOOK_S)
        found = reclassifying.look(archive, found.job.id)
        look(found.progress.n_done)
    archive.engine.dispose()


def _is_exact(url: str, *, n_items: int) -> bool:
    """Whether every opinion stands once, read once by each of the two runs; some are kept apart."""
    own, count = tables.items.c, sa.func.count()
    engine = open_engine(url)
    with engine.connect() as connection:
        names = sa.select(sa.func.count(own.id), sa.func.count(own.external_id.distinct()))
        n_kept, n_names = connection.execute(names).one()
        n_apart = connection.scalar(sa.select(count).select_from(tables.restricted)) or 0
        by_run = sa.select(count).select_from(tables.answers).group_by(tables.answers.c.run_id)
        read = list(connection.scalars(by_run))
    engine.dispose()
    return n_kept == n_names == n_items - n_apart and read == [n_kept, n_kept]


def _databases(folder: Path) -> Iterator[Callable[[str], str]]:
    """How each database is named, while it is there."""
    yield lambda name: f"sqlite:///{folder}/{name}.db"
    programs = find_programs()
    if programs is not None:
        with running(programs) as url:
            yield lambda name: _new_database(url, name)


def _new_database(url: str, name: str) -> str:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return engine.url.set(database=name).render_as_string(hide_password=False)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=40_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(dir=given.folder))
        path = Path(scratch) / "in.jsonl"
        write_file(path, n_items=given.items)
        _say(f"| {' | '.join(_TITLES)} |")
        _say("|---" * len(_TITLES) + "|")
        for name_of in _databases(Path(scratch)):
            for n in given.workers:
                url = name_of(f"scaling_{n}")
                _show(measure(url, path, n_items=given.items, n_workers=n))
            url = name_of("scaling_killed")
            _show(measure(url, path, n_items=given.items, n_workers=4, kills=True))


def _show(found: Outcome) -> None:
    who = f"{found.n_workers}" + (f", {found.n_killed} of them killed" if found.n_killed else "")
    exact = "yes" if found.is_exact else "NO"
    rates = [
        f"{rate:,.0f}"
        for own in (found.loaded, found.read_again)
        for rate in (own.by_clock, own.by_processor)
    ]
    _say(f"| {' | '.join([found.database, who, *rates, exact])} |")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

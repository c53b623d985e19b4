"""An archive of a million opinions, to measure on: searching, counting, re-classifying, promoting.

    python -m tests.benchmarks.archive fill URL [--items 1000000]    texts of the corpus, again and again
    python -m tests.benchmarks.archive search URL                    pages of lists and searches
    python -m tests.benchmarks.archive trends URL                    counts of twelve weeks
    python -m tests.benchmarks.archive reclassify URL [--workers N]  rate, memory, diff, promote

The texts are the labelled opinions of the corpus with the answers of the default model, each kept about
45 times under its own id. Identical texts are kinder to an index of words than a million different ones.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from models.corpus import load_corpus
from nlp.pipeline import Pipeline, Request
from nlp.readers import from_text
from service import reclassifying
from service.app import create_app
from service.assembly import open_archive
from service.monitor.dimensions import Name
from service.pipelines import build_pipeline
from service.reclassifying import Archive, Wish
from service.settings import Settings
from service.store import tables
from service.store.days import VIETNAM
from service.store.dialect import open_engine, writing
from service.store.diff import Shown
from service.store.intake import ensure_run
from service.store.migrate import migrate
from service.store.query import LabelFilter, Query
from service.store.records import (
    NewItem,
    analysis_row,
    answer_row,
    answers_of,
    index_rows,
    item_row,
)
from service.store.search import index_texts
from service.store.tables import FACETS
from service.store.views import list_items

Row = dict[str, Any]
_STEP = timedelta(seconds=50)  # from one item to the next
_BATCH = 5_000
_SOURCES = ("web_upload", "demo")
_REPEATS = 7


@dataclass(frozen=True, slots=True)
class Sample:
    """A text with what the model says of it, as rows that lack `seq` and `id`."""

    item: Row
    analysis: Row
    answer: Row
    codes: list[Row]


def samples(pipeline: Pipeline, *, run_id: int) -> list[Sample]:
    """The opinions of the corpus, analysed."""
    settings = Settings()
    examples = load_corpus(settings.corpus_folder / "labelled" / "ct07", taxonomy=pipeline.taxonomy)
    texts = [example.text for example in examples if example.kind == "opinion"]
    found = []
    for some in (texts[i : i + 512] for i in range(0, len(texts), 512)):
        requests = [Request("0" * 32, from_text(text), "opinion") for text in some]
        for request, analysis in zip(requests, pipeline.analyze_all(requests), strict=True):
            item = NewItem(
                id="", intake="opinion", kind="opinion", doc=request.doc, source="demo",
                external_id="", received_at=datetime.now(UTC),
            )  # fmt: skip
            said = answers_of(analysis)
            parents = pipeline.taxonomy.parents
            found.append(
                Sample(
                    item_row(item),
                    analysis_row(analysis, seq=0, run_id=run_id),
                    answer_row(said, seq=0, run_id=run_id),
                    list(index_rows(said, seq=0, run_id=run_id, parents=parents)),
                )
            )
    return found


def rows(
    given: Sequence[Sample], *, n_items: int, run_id: int
) -> Iterator[tuple[Row, Row, Row, list[Row]]]:
    """So many items, one every fifty seconds, the last one now."""
    begin = datetime.now(UTC) - n_items * _STEP
    for seq in range(1, n_items + 1):
        own = given[(seq * 7919) % len(given)]
        item_id = f"{seq:032x}"
        item = own.item | {
            "seq": seq,
            "id": item_id,
            "external_id": str(seq),
            "run_id": run_id,
            "source": _SOURCES[seq % 100 == 0],
            "received_at": begin + seq * _STEP,
        }
        whole = own.analysis | {
            "seq": seq,
            "analysis": own.analysis["analysis"].replace("0" * 32, item_id, 1),
        }
        codes = [code | {"seq": seq} for code in own.codes]
        yield item, whole, own.answer | {"seq": seq}, codes


def trait_row(item: Row) -> Row:
    """What rules would find in an item: one in twenty says the same as the one before."""
    seq = item["seq"]
    return {
        "seq": seq,
        "day": item["received_at"].astimezone(VIETNAM).date(),
        "source": item["source"],
        "channel": "phản ánh" if seq % 3 else "kiến nghị",
        "urgency": "normal" if seq % 50 else "life_safety",
        "group_seq": seq - (seq % 20 == 0),
        "n_syllables": 40,
        "plain_share": 0.0,
        "unknown_share": 0.0,
    }


def mention_rows(seq: int) -> Iterator[Row]:
    """A third of the items name one of 126 wards."""
    if seq % 3 == 0:
        yield {"kind": "ward", "code": f"{seq * 7919 % 126:05}", "seq": seq, "n_candidates": 1}


def fill(url: str, *, n_items: int) -> None:
    """Make the archive."""
    migrate(url)
    engine = open_engine(url)
    pipeline = build_pipeline(Settings())
    run_id = ensure_run(engine, pipeline.provenance, now=datetime.now(UTC))
    given = samples(pipeline, run_id=run_id)
    started = time.perf_counter()
    made = rows(given, n_items=n_items, run_id=run_id)
    while some := list(islice(made, _BATCH)):
        items, wholes, answers, codes = zip(*some, strict=True)
        with writing(engine) as connection:
            connection.execute(tables.items.insert(), list(items))
            connection.execute(tables.analyses.insert(), list(wholes))
            connection.execute(tables.answers.insert(), list(answers))
            connection.execute(tables.label_index.insert(), [one for own in codes for one in own])
            connection.execute(tables.traits.insert(), [trait_row(item) for item in items])
            named = [row for item in items for row in mention_rows(item["seq"])]
            connection.execute(tables.mentions.insert(), named)
            index_texts(connection, ((item["seq"], item["text"]) for item in items))
    with engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    _say(f"{n_items} items in {time.perf_counter() - started:.0f} s")
    engine.dispose()


QUERIES = {
    "newest": Query(kind="opinion"),
    "a common field": Query(labels=(LabelFilter("civic_field", "LV03"),)),
    "a rare field": Query(labels=(LabelFilter("civic_field", "LV17"),)),
    "field and sentiment": Query(
        labels=(LabelFilter("civic_field", "LV02"), LabelFilter("sentiment", "positive"))
    ),
    "an area above": Query(labels=(LabelFilter("task_area", "DV3"),)),
    "abstained": Query(labels=(LabelFilter("civic_field", "abstain"),)),
    "a rare source": Query(source="web_upload"),
    "source and field": Query(source="web_upload", labels=(LabelFilter("civic_field", "LV02"),)),
    "common words": Query(text="duong"),
    "two words": Query(text="đất đai"),
    "a phrase": Query(text='"ủy ban nhân dân"'),
    "rare words": Query(text="tiêm vắc xin"),
    "words and a rare field": Query(text="không", labels=(LabelFilter("civic_field", "LV17"),)),
    "nothing found": Query(text="không", source="nobody"),
    "deep page": Query(kind="opinion", cursor="1000"),
}


def _of_a_month() -> dict[str, Query]:
    """Lists of a month a year ago."""
    begin = datetime.now(UTC) - timedelta(days=365)
    month = Query(received_from=begin, received_to=begin + timedelta(days=30))
    field = (LabelFilter("civic_field", "LV02"),)
    return {"a month a year ago": month, "a month and a field": replace(month, labels=field)}


def search(url: str) -> None:
    """How long a page of 50 takes, the median and the longest of some tries, in milliseconds."""
    engine = open_engine(url)
    for name, query in (QUERIES | _of_a_month()).items():
        times = []
        for _ in range(_REPEATS):
            started = time.perf_counter()
            page = list_items(engine, query)
            times.append((time.perf_counter() - started) * 1000)
        _say(
            f"{name:24} {len(page.items):3} items  median {statistics.median(times):7.1f}"
            f"  longest {max(times):7.1f} ms"
        )
    engine.dispose()


TRENDS: dict[str, tuple[Name, Name | None, dict[str, str]]] = {
    "fields by week": ("civic_field", None, {}),
    "areas by week": ("task_area", None, {}),
    "sentiment by week": ("sentiment", None, {}),
    "fields and sentiment": ("civic_field", "sentiment", {}),
    "wards by week": ("ward", None, {}),
    "wards and fields": ("ward", "civic_field", {}),
    "sources by week": ("source", None, {}),
    "PAPI by week": ("papi", None, {}),
    "sentiment of a field": ("sentiment", None, {"civic_field": "LV03"}),
    "fields of a ward": ("civic_field", None, {"ward": "00042"}),
}


def trends(url: str) -> None:
    """How long twelve weeks take to count, the median and the longest of some tries, in milliseconds."""
    settings = Settings(database_url=url, access="open", workers=0)
    last = datetime.now(VIETNAM).date()
    days = {"from": str(last - timedelta(weeks=12)), "to": str(last)}
    app = create_app(settings)
    with TestClient(app) as client:
        for name, (by, then, filters) in TRENDS.items():
            asked = days | {"by": by} | ({"then": then} if then else {}) | filters
            times = []
            for _ in range(_REPEATS):
                started = time.perf_counter()
                answer = client.get("/v1/trends", params=asked)
                times.append((time.perf_counter() - started) * 1000)
            told = answer.json()
            _say(
                f"{name:24} {told['total']['count']:7} opinions  {len(told['groups']):3} groups"
                f"  median {statistics.median(times):7.1f}  longest {max(times):7.1f} ms"
            )


def reclassify(url: str, *, n_workers: int, models: Path) -> None:
    """Read the whole archive again: rate, memory, and how long comparing and promoting take."""
    environment = os.environ | {
        "DANVAN_DATABASE_URL": url,
        "DANVAN_MODELS_FOLDER": str(models),
        "DANVAN_WORKERS": "0",
    }
    command = [sys.executable, "-m", "service", "worker"]
    workers = [
        subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        for _ in range(n_workers)
    ]
    settings = Settings(database_url=url, models_folder=models)
    archive = open_archive(settings)
    newest = archive.models()[-1]
    try:
        started = time.perf_counter()
        wish = Wish(f"{newest.name}@{newest.version}", Query(), "benchmark")
        found = reclassifying.start(archive, wish)
        memory = [0]
        while found.job.state in {"queued", "running"}:
            time.sleep(1)
            memory.append(max(_memory(worker.pid) for worker in workers))
            found = reclassifying.look(archive, found.job.id)
        took = time.perf_counter() - started
        half = len(memory) // 2
        _say(
            f"{n_workers} workers: {found.job.state}, {found.progress.n_done} items in {took:.0f} s,"
            f" {found.progress.n_done / took:.0f} a second; memory of a worker at most"
            f" {max(memory[:half]):.0f} MiB in the first half,"
            f" {max(memory[half:]):.0f} MiB in the second"
        )
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(timeout=60)
    for name, work in (
        ("diff", lambda: reclassifying.compare(archive, found.job.id)),
        ("first changes", lambda: reclassifying.changes(archive, found.job.id, shown=_SHOWN)),
        ("promote", lambda: _promote(archive, found.job.id)),
        ("rollback", lambda: reclassifying.take_back(archive, found.job.id, made_by="benchmark")),
    ):
        started = time.perf_counter()
        work()
        _say(f"{name}: {time.perf_counter() - started:.3f} s")
    archive.engine.dispose()


def _memory(pid: int) -> int:
    """What a process holds in memory, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


_SHOWN = Shown("civic_field", "abstain", None, None, 20)


def _promote(archive: Archive, job_id: str) -> None:
    reclassifying.put_on_top(archive, job_id, facets=FACETS, made_by="benchmark")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["fill", "search", "trends", "reclassify"])
    parser.add_argument("url")
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--models", type=Path, default=Settings().models_folder)
    given = parser.parse_args()
    if given.command == "fill":
        fill(given.url, n_items=given.items)
    elif given.command == "search":
        search(given.url)
    elif given.command == "trends":
        trends(given.url)
    else:
        reclassify(given.url, n_workers=given.workers, models=given.models)


if __name__ == "__main__":
    main()

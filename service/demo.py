"""What `make demo` stores: the files it shows, and opinions enough for pages about many of them.

The opinions are those of the labelled corpus, written by hand for this project; they are spread over the last
twelve weeks, and one matter rises at the end, so that there is an alert to look at.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from nlp.pipeline import Pipeline
from service.actions import Desk, Upload, store_document
from service.assembly import build_desk
from service.opinions import Opinion, store_opinions
from service.records import is_table, read_records
from service.settings import Settings

_STAFF = "web_upload"
_SOURCE = "demo"
_N_DAYS = 84
_PER_DAY = 18
_RISES = "LV03"  # the field of the matter that rises
_RISE_DAYS = (2, 3)  # before today
_RISE_PER_DAY = 12
_AT_ONCE = 200


def store_all(files: Sequence[Path], *, settings: Settings, pipeline: Pipeline) -> int:
    """Keep documents and opinions in the store; sent twice, they are kept once.

    Returns:
        How many items are in the store from these files and from the corpus.
    """
    Path("data").mkdir(exist_ok=True)
    desk = build_desk(settings, pipeline=pipeline)
    try:
        n_stored = sum(_store_file(desk, path) for path in files)
        opinions = list(_twelve_weeks(settings.corpus_folder, now=desk.now()))
        return n_stored + _store_opinions(desk, opinions)
    finally:
        desk.engine.dispose()


def _store_file(desk: Desk, path: Path) -> int:
    if is_table(path):
        return _store_opinions(
            desk, [Opinion(_STAFF, row.id, row.text) for row in read_records(path)]
        )
    store_document(desk, Upload(path.read_bytes(), path.name, source=_STAFF))
    return 1


def _store_opinions(desk: Desk, opinions: Sequence[Opinion]) -> int:
    n_stored = 0
    for start in range(0, len(opinions), _AT_ONCE):
        outcomes = store_opinions(desk, opinions[start : start + _AT_ONCE])
        n_stored += sum(outcome.status != "error" for outcome in outcomes)
    return n_stored


def _twelve_weeks(corpus: Path, *, now: datetime) -> Iterator[Opinion]:
    """So many opinions a day, in an order that is always the same; where there is no corpus, none."""
    rows = [
        json.loads(line)
        for path in sorted(corpus.glob("labelled/ct07/opinions/*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    rows.sort(key=lambda row: sha256(row["text"].encode()).digest())
    rising = [
        row for row in rows if _RISES in row["civic_field"] and row["sentiment"] == "negative"
    ]
    n_rising = _RISE_PER_DAY * len(_RISE_DAYS)
    held = {row["text"] for row in rising[:n_rising]}
    usual = [row for row in rows if row["text"] not in held][: _N_DAYS * _PER_DAY]
    days = [number % _N_DAYS + 1 for number in range(len(usual))]
    days += [_RISE_DAYS[number % len(_RISE_DAYS)] for number in range(len(rising[:n_rising]))]
    for number, (row, day) in enumerate(zip([*usual, *rising[:n_rising]], days, strict=True)):
        posted_at = now - timedelta(days=day, minutes=number % 300)
        yield Opinion(_SOURCE, f"demo-{number}", row["text"], posted_at=posted_at)

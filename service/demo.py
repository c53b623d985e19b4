"""What `make demo` stores: the files it shows, as if a member of staff had sent them."""

from collections.abc import Sequence
from pathlib import Path

from nlp.pipeline import Pipeline
from service.actions import Upload, store_document
from service.app import build_desk
from service.opinions import Opinion, store_opinions
from service.records import is_table, read_records
from service.settings import Settings

_SOURCE = "web_upload"  # the page lists what staff handed in


def store_all(files: Sequence[Path], *, settings: Settings, pipeline: Pipeline) -> int:
    """Keep documents and opinions in the store; sent twice, they are kept once.

    Returns:
        How many items are in the store from these files.
    """
    Path("data").mkdir(exist_ok=True)
    desk = build_desk(settings, pipeline=pipeline)
    try:
        n_stored = 0
        for path in files:
            if is_table(path):
                opinions = [Opinion(_SOURCE, row.id, row.text) for row in read_records(path)]
                outcomes = store_opinions(desk, opinions)
                n_stored += sum(outcome.status != "error" for outcome in outcomes)
            else:
                upload = Upload(path.read_bytes(), path.name, source=_SOURCE)
                store_document(desk, upload)
                n_stored += 1
        return n_stored
    finally:
        desk.engine.dispose()

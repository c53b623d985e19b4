"""What `make demo` stores is enough to look at every page, and is stored once."""

from pathlib import Path
from typing import cast

import pytest

from nlp.pipeline import Pipeline
from service.demo import store_all
from service.settings import Settings
from service.store.dialect import opened
from service.store.query import Query
from service.store.views import list_items
from tests.conftest import ROOT
from tests.service.rules import RulePipeline

SAMPLES = [
    ROOT / "corpus" / "samples" / "chi-thi-mau.md",
    ROOT / "corpus" / "samples" / "y-kien-mau.jsonl",
]


@pytest.mark.slow
def test_the_demo_is_stored_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings(
        database_url=f"sqlite:///{tmp_path}/danvan.db", corpus_folder=ROOT / "corpus"
    )
    pipeline = cast(Pipeline, RulePipeline())

    first = store_all(SAMPLES, settings=settings, pipeline=pipeline)
    again = store_all(SAMPLES, settings=settings, pipeline=pipeline)

    assert first == again > 1_500
    with opened(settings.database_url) as engine:
        documents = list_items(engine, Query(intake="document")).items
    assert [item.file_name for item in documents] == ["chi-thi-mau.md"]

"""The parts are put together, or it is told which one is missing."""

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from nlp.errors import ArtifactError, TaxonomyError
from nlp.pipeline import Pipeline
from service.assembly import build_desk
from service.pipelines import build_pipeline
from service.settings import Settings
from service.store.errors import StoreError
from tests.service.rules import RulePipeline

PIPELINE = cast(Pipeline, RulePipeline())  # it has what the service uses


def test_a_missing_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="default"):
        build_pipeline(Settings(models_folder=tmp_path))


def test_a_damaged_pack_is_told_before_anything_is_served(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "taxonomies" / "x").mkdir(parents=True)
    (tmp_path / "taxonomies" / "x" / "pack.toml").write_text("name = ")

    with pytest.raises(TaxonomyError, match=r"pack\.toml"):
        build_desk(settings.model_copy(update={"corpus_folder": tmp_path}), pipeline=PIPELINE)


def test_a_database_that_was_never_migrated_is_told(settings: Settings) -> None:
    with pytest.raises(StoreError, match="danvan migrate"):
        build_desk(settings.model_copy(update={"migrate_on_start": False}), pipeline=PIPELINE)


def test_another_model_is_another_run(settings: Settings) -> None:
    newer = cast(Pipeline, replace(RulePipeline(), version="2"))

    first, second = (build_desk(settings, pipeline=p) for p in (PIPELINE, newer))

    assert first.run_id != second.run_id
    first.engine.dispose()
    second.engine.dispose()

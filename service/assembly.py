"""The desk and the archive put together from the settings: the analysis at its store, nothing of the web."""

from datetime import UTC, datetime

from sqlalchemy.exc import DatabaseError

from models.registry import list_models
from nlp.pipeline import Pipeline
from nlp.taxonomy import load_packs
from service.actions import Desk
from service.jobs.seam import Context
from service.monitor.traits import load_rules
from service.pipelines import build_pipeline
from service.reclassifying import Archive
from service.settings import Settings
from service.store.dialect import open_engine
from service.store.errors import StoreError
from service.store.intake import ensure_run
from service.store.migrate import migrate


def build_desk(settings: Settings, *, pipeline: Pipeline | None = None) -> Desk:
    """The pipeline at its store; `pipeline` is built from the settings when it is not given.

    Raises:
        DanvanError: a part is missing or damaged, or the database cannot be opened.
    """
    pipeline = pipeline or build_pipeline(settings)
    # a damaged one is told now, not to its first reader
    load_packs(settings.corpus_folder / "taxonomies")
    if settings.migrate_on_start:
        migrate(settings.database_url)
    engine = open_engine(settings.database_url)
    try:
        run_id = ensure_run(engine, pipeline.provenance, now=datetime.now(UTC))
    except DatabaseError as error:
        raise StoreError("the database is not ready; run `danvan migrate`") from error
    return Desk(
        pipeline=pipeline,
        engine=engine,
        run_id=run_id,
        rules=load_rules(settings.corpus_folder / "registers"),
        limits=settings.limits(),
        taxonomies=lambda: load_packs(settings.corpus_folder / "taxonomies"),
        models=lambda: list_models(settings.models_folder),
        sealer=settings.sealer,
    )


def open_archive(settings: Settings) -> Archive:
    """What is stored, with the models and packs at hand; no model is loaded.

    Raises:
        StoreError: the folder of the database cannot be made.
    """
    return Archive(
        engine=open_engine(settings.database_url),
        taxonomies=lambda: load_packs(settings.corpus_folder / "taxonomies"),
        models=lambda: list_models(settings.models_folder),
    )


def build_context(settings: Settings) -> Context:
    """What the kinds of jobs need; pipelines are built when a job asks for them.

    Raises:
        StoreError: the folder of the database cannot be made.
    """
    engine = open_engine(settings.database_url)
    return Context(engine=engine, settings=settings, build=build_pipeline)

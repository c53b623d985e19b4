"""The one place where the parts are put together."""

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from limits import parse
from sqlalchemy.exc import DatabaseError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from models.denunciation import load_score
from models.registry import list_models, load_classifier
from nlp.errors import ArtifactError, InputError
from nlp.hints import load_triage
from nlp.pipeline import Pipeline
from nlp.protocols import Classifier
from nlp.structure import load_registers
from nlp.taxonomy import Taxonomy, load_pack, load_packs
from service import api, ui
from service.access import Public, lenient_paths
from service.actions import Desk
from service.api.problems import problem_response
from service.auth import is_claimed
from service.door import Door, is_loopback
from service.faults import fault_of
from service.guard import Bounds, Guard
from service.jobs.seam import Context
from service.journal import Journal
from service.metrics import build_meters, instrument
from service.monitor.traits import load_rules
from service.rates import Rates
from service.reclassifying import Archive
from service.request_log import RequestLog
from service.settings import Settings, SettingsError
from service.store.dialect import open_engine
from service.store.errors import StoreError
from service.store.intake import ensure_run
from service.store.migrate import migrate

_FRAMING_BYTES = 64 * 1024  # what a multipart body holds besides the file
_FOR_PROGRAMS = ("/v1/", "/healthz", "/readyz", "/metrics", "/openapi.json")
_ROUTERS: tuple[APIRouter, ...] = (*api.ROUTERS, *ui.ROUTERS)


def build_pipeline(settings: Settings) -> Pipeline:
    """The analysis with the model, pack and registers that the settings name.

    Raises:
        ArtifactError, TaxonomyError, CorpusError: one of them is missing or damaged.
    """
    corpus = settings.corpus_folder
    classifier = load_classifier(settings.model, folder=settings.models_folder)
    taxonomy = load_pack(corpus / "taxonomies" / settings.taxonomy)
    if classifier.taxonomy != (taxonomy.name, taxonomy.version):
        taxonomy = _pack_of(classifier, corpus / "taxonomies", instead_of=taxonomy)
    pipeline = Pipeline(
        classifier=classifier,
        taxonomy=taxonomy,
        registers=load_registers(corpus / "registers"),
        triage=load_triage(corpus / "registers"),
        accusations=load_score().find,
    )
    gc.freeze()  # what was loaded stays: to look at it again and again takes a fifth of the time of a batch
    return pipeline


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


def create_app(settings: Settings, *, pipeline: Pipeline | None = None) -> FastAPI:
    """The whole service, ready to serve.

    Raises:
        SettingsError: the service would be open to others than this machine.
        DanvanError: as `build_desk`.
    """
    desk = build_desk(settings, pipeline=pipeline)
    if not is_loopback(settings.host):
        _check_exposure(settings, engine=desk.engine)
    app = FastAPI(
        title="danvan",
        version=desk.pipeline.provenance.code_version,
        summary="Vietnamese document intelligence for dân vận work",
        docs_url=None,  # Swagger and ReDoc load scripts from elsewhere
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.desk = desk
    app.state.settings = settings
    for router in _ROUTERS:
        app.include_router(router)
    app.mount("/static", ui.static_files(), name="static")
    for error in (InputError, HTTPException, RequestValidationError):
        app.add_exception_handler(error, _answer)
    _add_access(app, settings)
    app.state.meters = build_meters(
        desk.pipeline.provenance,
        templates=_templates(),
        worker_dead_after_s=settings.worker_dead_after_s,
    )
    instrument(app, app.state.meters)
    app.add_middleware(RequestLog, meters=app.state.meters)
    return app


def _check_exposure(settings: Settings, *, engine: sa.Engine) -> None:
    """Refuse to listen to others than this machine where nobody is asked who they are."""
    reason = None
    if settings.access == "open":
        reason = (
            f"DANVAN_ACCESS=open would give everything to everybody who reaches {settings.host}; "
            "listen on 127.0.0.1, or set DANVAN_ACCESS=auto and make a key (`danvan keys create`)"
        )
    elif settings.access == "auto" and not is_claimed(engine):
        reason = (
            f"nobody could use the service at {settings.host} yet; first make a key "
            "(`danvan keys create`) or let somebody sign in (`danvan staff add`)"
        )
    if reason is not None:
        engine.dispose()
        raise SettingsError(reason)


def _add_access(app: FastAPI, settings: Settings) -> None:
    """From the inside out: who calls, what holds for every request, pages of other sites."""
    app.state.journal = Journal(app.state.desk.engine)
    app.state.rates = Rates(parse(settings.rate_limit), parse(settings.sign_in_limit))
    life = timedelta(hours=settings.session_hours)
    app.state.reception = ui.Reception(life, settings.provider())
    app.state.memory = ui.Memory()
    lenient = {"/openapi.json": Public(), **lenient_paths(_routes())}
    app.add_middleware(Door, mode=settings.access, rates=app.state.rates, lenient=lenient)
    origins = settings.cors_origins
    limit = settings.max_upload_bytes + _FRAMING_BYTES
    bounds = Bounds(limit, settings.request_timeout_s, origins=frozenset(origins))
    app.add_middleware(Guard, bounds=bounds, answer=_answer)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["authorization", "content-type", "x-request-id"],
            expose_headers=["location", "retry-after", "x-request-id"],
        )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.journal.close()
    app.state.desk.engine.dispose()


def _pack_of(classifier: Classifier, folder: Path, *, instead_of: Taxonomy) -> Taxonomy:
    """The version of a pack that a model was trained for, where it lies beside the newest."""
    for pack in load_packs(folder):
        if (pack.name, pack.version) == classifier.taxonomy and pack.name == instead_of.name:
            return pack
    wanted, found = " ".join(classifier.taxonomy), f"{instead_of.name} {instead_of.version}"
    raise ArtifactError(f"the model was trained for {wanted}, not for {found}; train it again")


def _answer(request: Request, error: Exception) -> Response:
    """An error as a page for people and as problem+json for programs."""
    fault = fault_of(error)
    if fault.status == 405:
        fault = replace(fault, headers={"allow": ", ".join(_allowed(request))})
    path, accepted = request.url.path, request.headers.get("accept", "")
    is_page = "text/html" in accepted or "hx-request" in request.headers
    if is_page and not path.startswith(_FOR_PROGRAMS):
        return (ui.sign_in_first if fault.status == 401 else ui.error_page)(request, fault)
    return problem_response(request, fault)


def _templates() -> Iterator[str]:
    """The paths of all routes, as they are declared."""
    yield from ("/static", "/openapi.json")
    yield from (getattr(route, "path", "") for route in _routes())


def _routes() -> Iterator[BaseRoute]:
    """Every route of ours; the application itself gives them out by router only."""
    return (route for router in _ROUTERS for route in router.routes)


def _allowed(request: Request) -> list[str]:
    """Every method of a path: Starlette names those of the first route only."""
    methods = {
        method
        for route in _routes()
        if route.matches(dict(request.scope))[0] is not Match.NONE
        for method in getattr(route, "methods", None) or ()
    }
    return sorted(methods)

"""The one place where the parts are put together."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DatabaseError, OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from models.registry import list_models, load_classifier
from nlp.errors import ArtifactError, DanvanError
from nlp.pipeline import Pipeline
from nlp.structure import load_registers
from nlp.taxonomy import Taxonomy, load_pack
from service import api, ui
from service.actions import Desk
from service.api.problems import problem_response
from service.faults import fault_of
from service.guard import Guard
from service.settings import Settings
from service.store.dialect import open_engine
from service.store.errors import StoreError
from service.store.intake import ensure_run
from service.store.migrate import migrate

_FRAMING_BYTES = 64 * 1024  # what a multipart body holds besides the file
_FOR_PROGRAMS = ("/v1/", "/healthz", "/readyz", "/openapi.json")
_ROUTERS: tuple[APIRouter, ...] = (*api.ROUTERS, ui.router)


def build_pipeline(settings: Settings) -> Pipeline:
    """The analysis with the model, pack and registers that the settings name.

    Raises:
        ArtifactError, TaxonomyError, CorpusError: one of them is missing or damaged.
    """
    corpus = settings.corpus_folder
    classifier = load_classifier(settings.model, folder=settings.models_folder)
    taxonomy = load_pack(corpus / "taxonomies" / settings.taxonomy)
    if classifier.taxonomy != (taxonomy.name, taxonomy.version):
        wanted, found = " ".join(classifier.taxonomy), f"{taxonomy.name} {taxonomy.version}"
        raise ArtifactError(f"the model was trained for {wanted}, not for {found}; train it again")
    return Pipeline(
        classifier=classifier,
        taxonomy=taxonomy,
        registers=load_registers(corpus / "registers"),
    )


def build_desk(settings: Settings, *, pipeline: Pipeline | None = None) -> Desk:
    """The pipeline at its store; `pipeline` is built from the settings when it is not given.

    Raises:
        DanvanError: a part is missing or damaged, or the database cannot be opened.
    """
    pipeline = pipeline or build_pipeline(settings)
    packs = tuple(_packs(settings.corpus_folder / "taxonomies"))
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
        limits=settings.limits(),
        taxonomies=packs,
        models=list_models(settings.models_folder),
    )


def create_app(settings: Settings, *, pipeline: Pipeline | None = None) -> FastAPI:
    """The whole service, ready to serve.

    Raises:
        DanvanError: as `build_desk`.
    """
    desk = build_desk(settings, pipeline=pipeline)
    app = FastAPI(
        title="danvan",
        version=desk.pipeline.provenance.code_version,
        summary="Vietnamese document intelligence for dân vận work",
        docs_url=None,  # Swagger and ReDoc load scripts from elsewhere
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.desk = desk
    for router in _ROUTERS:
        app.include_router(router)
    app.mount("/static", ui.static_files(), name="static")
    for error in (DanvanError, HTTPException, RequestValidationError, OperationalError):
        app.add_exception_handler(error, _answer)
    limit = settings.max_upload_bytes + _FRAMING_BYTES
    app.add_middleware(Guard, max_body_bytes=limit, answer=_answer)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.desk.engine.dispose()


def _packs(folder: Path) -> Iterator[Taxonomy]:
    for pack in sorted(folder.glob("*/pack.toml")):
        yield load_pack(pack.parent)


def _answer(request: Request, error: Exception) -> Response:
    """An error as a page for people and as problem+json for programs."""
    fault = fault_of(error)
    if fault.status == 405:
        fault = replace(fault, headers={"allow": ", ".join(_allowed(request))})
    path, accepted = request.url.path, request.headers.get("accept", "")
    if "text/html" in accepted and not path.startswith(_FOR_PROGRAMS):
        return ui.error_page(request, fault)
    return problem_response(request, fault)


def _allowed(request: Request) -> list[str]:
    """Every method of a path: Starlette names those of the first route only."""
    methods = {
        method
        for router in _ROUTERS
        for route in router.routes
        if route.matches(dict(request.scope))[0] is not Match.NONE
        for method in getattr(route, "methods", None) or ()
    }
    return sorted(methods)

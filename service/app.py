"""The one place where the parts are put together."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from limits import parse
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from nlp.errors import InputError
from nlp.pipeline import Pipeline
from service import api, ui
from service.access import Public, lenient_paths
from service.api.problems import problem_response
from service.assembly import build_desk
from service.auth import is_claimed
from service.door import Door, is_loopback
from service.faults import fault_of
from service.guard import Bounds, Guard
from service.journal import Journal
from service.metrics import build_meters, instrument
from service.rates import Rates
from service.request_log import RequestLog
from service.settings import Settings, SettingsError

_FRAMING_BYTES = 64 * 1024  # what a multipart body holds besides the file
_FOR_PROGRAMS = ("/v1/", "/healthz", "/readyz", "/metrics", "/openapi.json")
_ROUTERS: tuple[APIRouter, ...] = (*api.ROUTERS, *ui.ROUTERS)


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

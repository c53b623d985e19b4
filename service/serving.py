"""Serves the application: listens, answers, and ends without dropping what it has begun."""

import signal
import socket
from asyncio import TimerHandle, Transport
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import h11
import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from nlp.pipeline import Pipeline
from service.app import create_app
from service.jobs.crew import COMMAND, keep_crew
from service.logs import configure_logs
from service.settings import Settings, SettingsError

_BACKLOG = 2048
_HEADERS_S = 15.0  # for the whole head of a request to come in
_MAX_HEAD_BYTES = 32 * 1024
_log = structlog.get_logger()


def serve(settings: Settings, *, pipeline: Pipeline | None = None) -> None:
    """Serve until SIGTERM or Ctrl+C; requests under way are answered first.

    Raises:
        SettingsError: the address to listen on cannot be had.
        DanvanError: as `create_app`.
    """
    configure_logs(level=settings.log_level, form=settings.log_format)
    # the address first: finding it taken must cost nothing and change nothing
    with listening(settings.host, port=settings.port) as sockets:
        app = create_app(settings, pipeline=pipeline)
        for listener in sockets:
            with _told(settings.host, port=settings.port):
                listener.listen(_BACKLOG)
        # workers read their settings themselves, and `serve --model` must hold for them too
        own = {"DANVAN_MODEL": settings.model}
        with keep_crew([COMMAND] * settings.workers, settings=own):
            _run(app, sockets, settings=settings)


@contextmanager
def listening(host: str, *, port: int) -> Iterator[list[socket.socket]]:
    """Sockets bound to every address that `host` names; they do not listen yet.

    Raises:
        SettingsError: it names none, or one of them cannot be had.
    """
    with ExitStack() as opened, _told(host, port=port):
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # port 0 would be another one for each address
        found = found[:1] if port == 0 else found
        sockets = [_bind(opened, *address) for address in found]
        kept = opened.pop_all()
    with kept:
        yield sockets


def _bind(opened: ExitStack, *address: Any) -> socket.socket:
    """A bound socket. `Any`: what `getaddrinfo` gives has no name."""
    family, kind, protocol, _, place = address
    sock = opened.enter_context(socket.socket(family, kind, protocol))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind(place)
    return sock


@contextmanager
def _told(host: str, *, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host} port {port}: {(error.strerror or 'refused').lower()}; "
            "choose another with DANVAN_HOST and DANVAN_PORT, or stop what listens there"
        ) from error


def configure(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How uvicorn is to serve: our log in place of its own, and nobody waited for without an end."""
    return uvicorn.Config(
        app,
        http=_Connection,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        backlog=_BACKLOG,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.shutdown_s,
        h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
    )


def _run(app: FastAPI, sockets: Sequence[socket.socket], *, settings: Settings) -> None:
    server = uvicorn.Server(configure(app, settings))
    addresses = [f"{sock.getsockname()[0]} port {sock.getsockname()[1]}" for sock in sockets]
    _log.info("listening", addresses=addresses, version=app.version)
    # also for when all is answered: uvicorn sends itself the signal again, which is no failure
    signal.signal(signal.SIGTERM, server.handle_exit)
    with suppress(KeyboardInterrupt):
        server.run(sockets=list(sockets))
    _log.info("stopped")


class _Connection(H11Protocol):
    """A connection that is closed when the head of a request does not come in time.

    uvicorn itself waits for it for ever, and each that waits holds a file open.
    """

    _due: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._unwatch()
        elif self._due is None:
            self._due = self.loop.call_later(_HEADERS_S, self.transport.close)

    def _unwatch(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

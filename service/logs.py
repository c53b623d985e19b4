"""What the processes that serve say on stderr: one line an event, as JSON or for a terminal.

Whatever a library logs comes out in the same form but without what it quotes: a message is kept only
where it is a constant of the library's own, and of an error the type and the place. The rest could be a
text, a name or an address, and the place says which message it was.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["auto", "json", "text"]

# these write their messages as constants and put what varies into arguments
_PLAIN_SPOKEN = ("uvicorn", "alembic")
# DBOS prints by itself unless its logger has a handler
_SELF_PRINTING = ("dbos",)
_HIDDEN = "…"
_ROOT = Path(__file__).parents[1]


class _Pen:
    """Writes lines; that the log cannot be written (a full disk, a closed pipe) stops no request."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def msg(self, line: str) -> None:
        with suppress(OSError, ValueError), self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = msg


class _Foreign(logging.Handler):
    """Takes what libraries log by the standard library over into our lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say what was logged without what it quotes."""
        log = structlog.get_logger()
        where = f"{Path(record.pathname).parent.name}/{record.filename}:{record.lineno}"
        fields = _told_of(record.exc_info[1]) if record.exc_info and record.exc_info[1] else {}
        log.log(record.levelno, _message(record), logger=record.name, at=where, **fields)


def configure_logs(
    *, level: LogLevel = "info", form: LogFormat = "auto", stream: TextIO | None = None
) -> None:
    """Set up the log of this process, once at its start; `stream` is stderr when it is not given.

    Libraries are heard from `warning` on, the server from `info` on, whatever our own level.
    """
    stream = stream or sys.stderr
    as_text = form == "text" or (form == "auto" and stream.isatty())
    threshold = logging.getLevelNamesMapping()[level.upper()]
    pen = _Pen(stream)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _tell_error,
            _renderer(stream, as_text=as_text),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: pen,
    )
    logging.raiseExceptions = False  # a failure to log would print the arguments
    logging.captureWarnings(capture=True)
    logging.basicConfig(level=logging.WARNING, handlers=[_Foreign()], force=True)
    logging.getLogger("uvicorn").setLevel(max(threshold, logging.INFO))
    for name in _SELF_PRINTING:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [_Foreign()], False
    _take_last_words()


def place_of(error: BaseException) -> str:
    """Where in our own code an error came up, as `file:line`; of one that never passed it, where it began."""
    frames = [
        (Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)
    ]
    ours = [
        (file.relative_to(_ROOT), line)
        for file, line in frames
        if file.is_relative_to(_ROOT) and "site-packages" not in file.parts
    ]
    file, line = (ours or frames or [(Path("unknown"), 0)])[-1]
    return f"{file}:{line}"


def _message(record: logging.LogRecord) -> str:
    template = record.msg if isinstance(record.msg, str) else ""
    if not record.args and not record.name.startswith(_PLAIN_SPOKEN):
        return "message withheld"  # it may have been put together from anything
    if not record.args:
        return template.partition("\n")[0].strip() or "message withheld"
    if isinstance(record.args, Mapping):
        return template
    shown = tuple(arg if isinstance(arg, int | float) else _HIDDEN for arg in record.args)
    try:
        return template % shown
    except (TypeError, ValueError):
        return template


def _told_of(error: BaseException) -> dict[str, str]:
    """An error without its message, which quotes values, and values are people's texts."""
    return {"error": type(error).__name__, "where": place_of(error)}


def _tell_error(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by the type and place of the error."""
    found: object = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()[1]
    if isinstance(found, tuple):
        found = found[1]
    if isinstance(found, BaseException):
        event.update(_told_of(found))
    event.pop("stack_info", None)
    return event


def _renderer(stream: TextIO, *, as_text: bool) -> Processor:
    if as_text:
        return structlog.dev.ConsoleRenderer(colors=stream.isatty(), timestamp_key="time")
    return structlog.processors.JSONRenderer(default=lambda value: type(value).__name__)


def _take_last_words() -> None:
    """What ends a process or a thread is logged without its message, too."""

    def log(event: str, error: BaseException | None) -> None:
        if error is not None and not isinstance(error, KeyboardInterrupt | SystemExit):
            structlog.get_logger().critical(event, **_told_of(error))

    sys.excepthook = lambda kind, error, trace: log("process_failed", error)
    sys.unraisablehook = lambda told: log("cleaning_failed", told.exc_value)
    threading.excepthook = lambda told: log("thread_failed", told.exc_value)

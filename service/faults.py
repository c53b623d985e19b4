"""From an exception to what the caller is told: one table, for the API and the pages alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException

from nlp.errors import InputError, TooLarge, UnreadableFile, UnsupportedMediaType
from service.auth import MissingScope, StaleForm, Unauthenticated
from service.oidc import ProviderError, SignInRefused
from service.rates import TooManyRequests
from service.schemas import MANY, ONE
from service.store.dialect import is_away, is_full
from service.store.errors import Conflict, KeptApart, NotFound, NotMigrated, UnknownSource

# Python's own phrases changed between versions; programs may rely on these.
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
    507: "Insufficient Storage",
}
_WRAPPINGS = {"body", "query", ONE, MANY}  # say nothing to the caller
_KEY_CHARS = 40  # a stray key is named so that it can be found, but it may be anything
_FULL = "the server has no room left; nothing of this was kept: try again when room has been made"
_STATUS: tuple[tuple[type[InputError], int], ...] = (
    (UnsupportedMediaType, 415),
    (UnreadableFile, 422),
    (TooLarge, 413),
    (UnknownSource, 422),
    (KeptApart, 422),
    (Conflict, 409),
    (NotFound, 404),
    (Unauthenticated, 401),
    (MissingScope, 403),
    (StaleForm, 403),
    (SignInRefused, 403),
    (TooManyRequests, 429),
    (InputError, 422),
)


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field; never its value."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Fault:
    """An error as the caller sees it; `name` is stable and made for programs."""

    status: int
    name: str
    detail: str
    errors: tuple[FieldFault, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The reason phrase of the status."""
        return TITLES.get(self.status, "Error")


def fault_of(error: Exception) -> Fault:
    """Tell what went wrong without quoting what was sent."""
    if isinstance(error, InputError):
        status = next(status for kind, status in _STATUS if isinstance(error, kind))
        headers: Mapping[str, str] = getattr(error, "headers", {})
        return Fault(status, type(error).__name__, str(error), headers=headers)
    if isinstance(error, RequestValidationError):
        return _invalid_request(error)
    if isinstance(error, HTTPException) and not is_full(error.__cause__):
        status = error.status_code
        name = "TooLarge" if status == 413 else TITLES.get(status, "Error").replace(" ", "")
        return Fault(status, name, error.detail, headers=error.headers or {})
    return _own_fault(error)


def _own_fault(error: Exception) -> Fault:
    """What is no fault of the caller."""
    if is_full(error) or is_full(error.__cause__):
        return Fault(507, "StoreFull", _FULL)
    if isinstance(error, NotMigrated):
        return Fault(503, "NotMigrated", str(error))
    if is_away(error):
        told = "the database cannot be reached; try again shortly"
        return Fault(503, "StoreUnavailable", told, headers={"retry-after": "5"})
    if isinstance(error, ProviderError):
        return Fault(503, "ProviderUnavailable", str(error))
    return Fault(500, "InternalError", "the server failed; the fault has been logged")


def _invalid_request(error: RequestValidationError) -> Fault:
    details: list[ErrorDetails] = list(error.errors())
    if any(detail["type"] == "json_invalid" for detail in details):
        return Fault(400, "MalformedJson", "the body is not valid JSON")
    faults = tuple(field_fault(detail) for detail in details)
    told = "; ".join(f"{fault.field}: {fault.message}" for fault in faults[:3])
    return Fault(422, "InvalidRequest", told, faults)


def field_fault(detail: ErrorDetails) -> FieldFault:
    """One complaint of Pydantic without the value it complains about."""
    place = ".".join(str(part)[:_KEY_CHARS] for part in detail["loc"] if part not in _WRAPPINGS)
    message = "unknown key, refused" if detail["type"] == "extra_forbidden" else detail["msg"]
    return FieldFault(place or "value", message)


def describe(error: ValidationError) -> str:
    """Everything that is wrong with one record, in one line without its values."""
    faults = [field_fault(detail) for detail in error.errors(include_input=False)]
    return "; ".join(f"{fault.field}: {fault.message}" for fault in faults)

"""Errors as problem+json, and their place in the OpenAPI description.

Source: RFC 9457, Problem Details for HTTP APIs.
"""

import re
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from service.faults import TITLES, Fault
from service.schemas import Problem

_MEDIA_TYPE = "application/problem+json"
Responses = dict[int | str, dict[str, Any]]  # FastAPI's own type


def problem_response(request: Request, fault: Fault) -> JSONResponse:
    """The answer of the API to an error."""
    body: dict[str, object] = {
        "type": f"urn:danvan:problem:{re.sub('(?<=.)(?=[A-Z])', '-', fault.name).lower()}",
        "title": fault.title,
        "status": fault.status,
        "detail": fault.detail,
        "instance": request.url.path,
    }
    if fault.errors:
        body["errors"] = [asdict(error) for error in fault.errors]
    return JSONResponse(
        body, status_code=fault.status, headers=dict(fault.headers), media_type=_MEDIA_TYPE
    )


def problems(*statuses: int, public: bool = False) -> Responses:
    """The errors a route can answer, for its OpenAPI description.

    500 and 503 always can be, 408 and 507 where a body can be too large, and what keeps callers out
    unless the route is `public`.
    """
    of_access = () if public else (401, 403, 429)
    of_body = (408, 507) if 413 in statuses else ()
    return {
        status: {
            "description": TITLES[status],
            "content": {_MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
        }
        for status in (*of_access, *of_body, *statuses, 500, 503)
    }

"""Báo cáo: figures of a period as a page and as files."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from service.access import needs
from service.ui.rendering import templates

router = APIRouter(include_in_schema=False)


@router.get("/reports", dependencies=[needs("read")])
def show_reports(request: Request) -> Response:
    """The screen."""
    return templates.TemplateResponse(request, "reports.html", {})

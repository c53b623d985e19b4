"""Quản trị: sources, keys, people, models, taxonomies, the access log, health."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from service.access import needs
from service.ui.rendering import templates

router = APIRouter(include_in_schema=False)


@router.get("/admin", dependencies=[needs("read")])
def show_admin(request: Request) -> Response:
    """The screen."""
    return templates.TemplateResponse(request, "admin.html", {})

"""Phân loại lại: let a model read the archive again, look at what changes, promote it or go back."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from service.access import needs
from service.ui.rendering import templates

router = APIRouter(include_in_schema=False)


@router.get("/reclassifications", dependencies=[needs("analyse")])
def show_reclassifications(request: Request) -> Response:
    """The screen."""
    return templates.TemplateResponse(request, "reclassifications.html", {})

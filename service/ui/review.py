"""Duyệt: one item at a time, the most useful first."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from service.access import needs
from service.ui.rendering import templates

router = APIRouter(include_in_schema=False)


@router.get("/review", dependencies=[needs("review")])
def show_review(request: Request) -> Response:
    """The screen."""
    return templates.TemplateResponse(request, "review.html", {})

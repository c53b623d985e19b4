"""`/metrics`, for Prometheus."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from sqlalchemy.exc import SQLAlchemyError

from service.access import needs
from service.actions import Desk
from service.api.desk import TheDesk
from service.api.problems import problems
from service.metrics import Meters, expose
from service.store.vitals import Vitals, read_vitals

router = APIRouter(tags=["health"])
_TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "the metrics"}


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: _TEXT, **problems()},
    dependencies=[needs("read", local=True)],
)
def get_metrics(desk: TheDesk, request: Request) -> Response:
    """Counts and times of requests, and how the store is; without the latter when it does not answer."""
    meters: Meters = request.app.state.meters
    text = expose(meters, _vitals(desk, dead_after_s=meters.worker_dead_after_s))
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _vitals(desk: Desk, *, dead_after_s: float) -> Vitals | None:
    try:
        return read_vitals(desk.engine, now=desk.now(), dead_after_s=dead_after_s)
    except (SQLAlchemyError, OSError):
        return None

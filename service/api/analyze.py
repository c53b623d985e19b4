"""`POST /v1/analyze`: texts in, analyses out, nothing kept."""

import orjson
from fastapi import APIRouter, Depends, Response

from nlp.errors import TooLarge
from nlp.pipeline import Request as Asked
from nlp.readers import from_text
from nlp.types import Analysis
from service.access import needs
from service.actions import analyze_texts
from service.api.desk import TheDesk, takes
from service.api.problems import problems
from service.schemas import AnalyzeIn, ResultsOut, TextIn

router = APIRouter(tags=["analyze"])


@router.post(
    "/v1/analyze",
    response_model=Analysis | ResultsOut,
    responses=problems(400, 403, 413, 415, 422),
    dependencies=[needs(), Depends(takes("application/json"))],
)
def analyze(body: AnalyzeIn, desk: TheDesk) -> Response:
    """Analyse one text or several; nothing is stored. Offsets count code points of the NFC text."""
    texts = [body] if isinstance(body, TextIn) else body.texts
    if len(texts) > desk.limits.max_batch:
        raise TooLarge(f"{len(texts)} texts in one request; at most {desk.limits.max_batch}")
    asked = [
        Asked(str(number) if text.id is None else text.id, from_text(text.text), text.kind)
        for number, text in enumerate(texts, start=1)
    ]
    analyses = analyze_texts(desk, asked)
    answer = analyses[0] if isinstance(body, TextIn) else {"results": analyses}
    return Response(orjson.dumps(answer), media_type="application/json")

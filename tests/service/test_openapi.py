"""The HTTP interface does what its own description says, for requests nobody would think of."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, cast

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from nlp.pipeline import Pipeline
from service import auth
from service.app import create_app
from service.auth import CONSOLE
from service.settings import Settings
from tests.service.rules import RulePipeline


@pytest.fixture
def closed(settings: Settings, pipeline: RulePipeline) -> Iterator[FastAPI]:
    """A service that asks for a key."""
    app = create_app(
        settings.model_copy(update={"access": "keys"}), pipeline=cast(Pipeline, pipeline)
    )
    yield app
    app.state.desk.engine.dispose()


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_as_described(closed: FastAPI, mode: GenerationMode) -> None:
    now = datetime.now(UTC)
    made = auth.make_key(closed.state.desk.engine, "test", role="admin", by=CONSOLE, now=now)
    schema = schemathesis.openapi.from_asgi("/openapi.json", closed)
    schema.config.generation.update(with_security_parameters=False)

    for found in schema.get_all_operations():
        # a request without parameters cannot be wrong
        assert isinstance(found, Ok)
        with suppress(Unsatisfiable):
            check(found.ok(), mode=mode, key=made.key)


def check(
    operation: schemathesis.APIOperation[Any, Any, Any, Any], *, mode: GenerationMode, key: str
) -> None:
    # no description can say which bytes are a readable file, which addresses are public, which day is later
    is_vague = (operation.method, operation.path) in {
        ("post", "/v1/documents"),
        ("post", "/v1/webhooks"),
        ("post", "/v1/feeds"),
        ("get", "/v1/trends"),
    }

    @given(operation.as_strategy(generation_mode=mode))
    @tries(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    def answers_as_described(case: schemathesis.Case[Any]) -> None:
        # with a key that opens; that none and a wrong one do not is one of the checks
        case.call_and_validate(
            headers={"Authorization": f"Bearer {key}"},
            excluded_checks=[positive_data_acceptance] if is_vague else [],
        )

    answers_as_described()

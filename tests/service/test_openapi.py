"""The HTTP interface does what its own description says, for requests nobody would think of."""

from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_as_described(app: FastAPI, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)

    for found in schema.get_all_operations():
        # a request without parameters cannot be wrong
        assert isinstance(found, Ok)
        with suppress(Unsatisfiable):
            check(found.ok(), mode=mode)


def check(
    operation: schemathesis.APIOperation[Any, Any, Any, Any], *, mode: GenerationMode
) -> None:
    # no description can say which bytes are a readable file
    is_upload = (operation.method, operation.path) == ("post", "/v1/documents")

    @given(operation.as_strategy(generation_mode=mode))
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    def answers_as_described(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(excluded_checks=[positive_data_acceptance] if is_upload else [])

    answers_as_described()

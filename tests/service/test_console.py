"""What a terminal is told of a text: in words that fit the question."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from nlp.pipeline import Request
from nlp.readers import from_text
from nlp.types import CategoryResult
from service.console import Printer
from tests.service.rules import PACK, RulePipeline


@pytest.mark.parametrize(
    ("facet", "told"),
    [
        ("civic_field", "không thuộc lĩnh vực nào"),
        ("task_area", "không thuộc mảng công tác nào"),
    ],
)
def test_that_nothing_fits_is_said_of_what_was_asked(facet: str, told: str) -> None:
    text, out = "Xin chào", io.StringIO()
    analysis = RulePipeline().analyze(Request("a", from_text(text)))
    answer = CategoryResult("none_of_these")

    printer = Printer.of(Console(file=out, width=100), taxonomy=PACK)
    printer.show(replace(analysis, **{facet: answer}), text=text)  # type: ignore[arg-type] # by name

    assert out.getvalue().count(told) == 1

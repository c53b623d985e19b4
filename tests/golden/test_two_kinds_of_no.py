"""The committed model says no where nothing is to be said: never a sure wrong answer."""

import pytest

from models.registry import load_classifier
from nlp.hints import TriageRules
from nlp.pipeline import Pipeline, Request
from nlp.readers import from_text
from nlp.structure import Registers
from nlp.taxonomy import Taxonomy
from nlp.types import Analysis
from tests.conftest import ROOT

STRAY = {
    "weather chat": "Sáng nay trời se lạnh, chiều nắng hanh, mai nghe nói có gió mùa đông bắc đấy.",
    "greeting": "Chào cả nhà, cuối tuần vui vẻ nhé mọi người ơi!",
    "English": "The committee will meet again on Thursday to discuss the annual budget for road repairs.",
    "lorem ipsum": "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor.",
    "poem": "Trăng lên đầu núi chờ ai,\nSông khuya lặng gió thuyền trôi lững lờ.",
    "one word": "ừ",
    "another word": "bàn",
    "digits": "12 34 56 78 90",
    "French": "Le chat dort sur la chaise près de la fenêtre et la pluie tombe doucement.",
    "keys": "asdf jkl qwer zxcv asdfgh",
}


@pytest.fixture(scope="module")
def pipeline(pack: Taxonomy, registers: Registers, triage: TriageRules) -> Pipeline:
    model = load_classifier("default", folder=ROOT / "models" / "artifacts")
    return Pipeline(classifier=model, taxonomy=pack, registers=registers, triage=triage)


def asserted(analysis: Analysis) -> list[str]:
    """What is claimed about a text, LV00 apart, which says that it is about no field."""
    labels = [label.code for label in (*analysis.task_area.labels, *analysis.civic_field.labels)]
    return [code for code in labels if code != "LV00"]


@pytest.mark.parametrize("name", STRAY)
def test_a_stray_text_gets_no_category(pipeline: Pipeline, name: str) -> None:
    analysis = pipeline.analyze(Request("a", from_text(STRAY[name])))

    assert not asserted(analysis)


@pytest.mark.parametrize("name", STRAY)
def test_nor_does_it_when_it_is_sent_as_an_opinion(pipeline: Pipeline, name: str) -> None:
    analysis = pipeline.analyze(Request("a", from_text(STRAY[name]), kind="opinion"))

    assert not asserted(analysis)


def test_chat_about_no_field_is_a_decision(pipeline: Pipeline) -> None:
    analysis = pipeline.analyze(Request("a", from_text(STRAY["weather chat"]), kind="opinion"))

    assert analysis.civic_field.decision in {"none_of_these", "abstain"}


def test_an_opinion_with_a_field_is_no_stray_text(pipeline: Pipeline) -> None:
    text = "Đường trước cổng chợ đầy ổ gà, xe máy ngã liên tục mà phường không sửa."

    analysis = pipeline.analyze(Request("a", from_text(text), kind="opinion"))

    assert analysis.civic_field.primary == "LV03"

"""The sixty whole documents of our own: their facts, duties and citations, whatever they come as.

The figures by field and by route stand in `nlp/README.md`; here is what they may not fall under.
"""

from collections import Counter

import pytest

from nlp.readers import read_file
from nlp.readers.child import read_in_child
from nlp.structure import Registers, read_structure
from tests import rendered
from tests.own_documents import OwnDocument, own_documents, to_docx
from tests.scoring import Score, error_rate, score_citations, score_duties, verdicts

SOME = ("dang-chi-thi-01", "ke-hoach-03", "phuong-01")  # without tables, which a scan tears


def named(name: str) -> OwnDocument:
    return next(own for own in own_documents() if own.id == name)


def test_the_documents_are_whole_and_their_facts_stand_in_them() -> None:
    assert len(own_documents()) == 60
    for own in own_documents():
        assert own.raw["form"] in {"state", "party", "front"}
        assert own.duties or own.gold["kind"] in {
            "Báo cáo",
            "Tờ trình",
            "Thông báo",
            "Giấy mời",
            "Nghị quyết",
        }
        for citation in own.citations:
            assert " ".join(citation["text"].split()) in " ".join(own.text.split())


def test_fields_duties_and_citations_are_read(registers: Registers) -> None:
    score, duties, citations = Score(), Counter[str](), Counter[str]()
    for own in own_documents():
        doc = read_file(to_docx(own), name=f"{own.id}.docx")
        structure = read_structure(doc, registers=registers)
        score.add(own.id, verdicts(structure.metadata, own.gold))
        duties += score_duties(own, doc, structure)
        citations += score_citations(own, doc, structure)

    assert score.invented == 0, score.failures
    assert score.right >= 0.97, score.failures
    assert duties["found"] >= 0.87 * duties["wanted"]
    assert duties["found"] >= 0.87 * (duties["found"] + duties["extra"])
    assert duties["exact"] >= 0.72 * duties["found"]
    assert duties["deadline"] >= 0.90 * duties["found"]
    assert citations["canonical"] >= 0.97 * citations["wanted"]


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("route", ["doc", "pdf", "scan", "old font"])
def test_the_route_does_not_change_the_facts(registers: Registers, route: str, name: str) -> None:
    own = named(name)
    if route == "old font":
        data = rendered.converted(to_docx(own, old_font=True), "doc")
    else:
        data = rendered.converted(to_docx(own), "doc" if route == "doc" else "pdf")
        data = rendered.scan(data) if route == "scan" else data
    extension = "doc" if route in {"doc", "old font"} else "pdf"

    doc = read_in_child(data, name=f"a.{extension}")

    assert error_rate(doc.text, own.text) < 0.04
    told = verdicts(read_structure(doc, registers=registers).metadata, own.gold)
    assert list(told.values()).count("right") >= len(told) - 1, told
    assert "invented" not in told.values()

"""The main job on a real document: Directive 07-CT/TU of 1 October 2021.

Its text is not part of the project; the test reads it where it lies beside the checkout. What stands here
are facts about it: numbers, dates, counts, labels.
"""

import io
import os
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from models.registry import load_classifier
from nlp.hints import load_triage
from nlp.pipeline import Pipeline, Request
from nlp.readers import read_file
from nlp.structure import load_registers
from nlp.taxonomy import load_pack
from nlp.types import Analysis, Document, Field

ROOT = Path(__file__).parents[2]
PATH = ROOT.parent / "shared" / "data" / "07-CT-TU.md"
FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")

if not PATH.exists():
    if os.environ.get("DANVAN_REQUIRE_REAL"):
        pytest.fail(f"{PATH.name} is not beside the checkout", pytrace=False)
    pytest.skip("the real directive is not at hand", allow_module_level=True)

CITED = {
    "25-NQ/TW": "2013-06-03",
    "23-QĐ/TW": "2021-07-30",
    "114-KL/TW": "2015-07-14",
    "97/QH14": "2019-11-27",
    "04/2015/NĐ-CP": "2015-01-09",
    "16/CT-TTg": "2016-05-16",
    "04-NQ/TU": "2021-05-31",
    "15-NQ/TU": None,
    "15-CT/TU": None,
    "2200-QĐ/TU": "2017-05-25",
    "217-QĐ/TW": "2013-12-12",
    "218-QĐ/TW": "2013-12-12",
    "124-QĐ/TW": "2018-02-02",
    "213-QĐ/TW": "2020-01-02",
}
ACTORS = {
    "2": "Các cấp ủy đảng",
    "3": "Cơ quan nhà nước các cấp",
    "5": "MTTQ và các tổ chức chính trị - xã hội các cấp",
    "7": "Đảng đoàn HĐND Thành phố",
    "8": "Ban cán sự đảng UBND Thành phố",
    "10": "Ban Dân vận Thành ủy",
}
TONES = {
    "trong những năm qua": "achievement",
    "tuy nhiên": "limitation",
    "nguyên nhân": "cause",
    "để đẩy mạnh": "directive",
    "đẩy mạnh cải cách hành chính": "directive",
    "đẩy mạnh cải cách tư pháp": "directive",
    "nâng cao đạo đức công vụ": "directive",
    "8. ban cán sự đảng": "directive",
    "9. các quận": "directive",
    "10. ban dân vận": "directive",
}


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline(
        classifier=load_classifier("default", folder=ROOT / "models" / "artifacts"),
        taxonomy=load_pack(ROOT / "corpus" / "taxonomies" / "ct07"),
        registers=load_registers(ROOT / "corpus" / "registers"),
        triage=load_triage(ROOT / "corpus" / "registers"),
    )


@pytest.fixture(scope="module")
def original() -> Document:
    return read_file(PATH.read_bytes(), name=PATH.name)


@pytest.fixture(scope="module")
def analysis(pipeline: Pipeline, original: Document) -> Analysis:
    return pipeline.analyze(Request("07", original))


def value(field: Field | None) -> object:
    return field.value if field is not None else None


def test_the_letterhead_is_read_exactly(analysis: Analysis) -> None:
    metadata = analysis.metadata

    assert analysis.kind == "official"
    assert metadata is not None
    assert value(metadata.canonical) == "07-CT/TU"
    assert value(metadata.number) == "07"
    assert value(metadata.symbol) == "CT/TU"
    assert value(metadata.date) == "2021-10-01"
    assert value(metadata.place) == "Hà Nội"
    assert value(metadata.kind) == "Chỉ thị"
    assert metadata.issuer is not None
    assert metadata.issuer.inferred
    assert value(metadata.signer) == "Đinh Tiên Dũng"
    assert "\n" not in str(value(metadata.subject))
    assert str(value(metadata.subject)).endswith("công tác dân vận của các cơ quan nhà nước")


def test_fifteen_recipient_lines_are_found(analysis: Analysis) -> None:
    assert analysis.metadata is not None
    recipients = value(analysis.metadata.recipients)

    assert isinstance(recipients, tuple)
    assert len(recipients) == 15


def test_ten_tasks_have_their_actors_and_no_deadline_is_invented(analysis: Analysis) -> None:
    duties = {duty.task_number: duty for duty in analysis.duties}

    assert list(duties) == [str(number) for number in range(1, 11)]
    assert [duty.deadline for duty in analysis.duties] == [None] * 10
    for number, actor in ACTORS.items():
        assert duties[number].actors[0].startswith(actor)


def test_every_citation_is_found_with_its_date(analysis: Analysis) -> None:
    found = {citation.canonical: citation.date for citation in analysis.citations}

    assert len(analysis.citations) == 17
    assert {number: found.get(number) for number in CITED} == CITED
    ambiguous = {citation.canonical for citation in analysis.citations if citation.ambiguous}
    assert {"15-NQ/TU", "15-CT/TU"} <= ambiguous


@pytest.mark.parametrize(("opening", "tone"), TONES.items())
def test_tones_are_in_the_right_paragraphs(
    analysis: Analysis, original: Document, opening: str, tone: str
) -> None:
    text = original.text.lower()
    [segment] = [s for s in analysis.segments if text.startswith(opening, s.start)]

    assert segment.tone == tone


def test_the_paragraph_on_public_service_ethics_has_both_its_areas(
    analysis: Analysis, original: Document
) -> None:
    at = original.text.index("đạo đức công vụ")
    [segment] = [s for s in analysis.segments if s.start <= at < s.end]

    assert {"DV3.7", "DV3.8"} <= set(segment.task_area)
    assert segment.tone == "directive"


def test_the_whole_paragraph_cut_by_a_page_break_is_one_segment(
    analysis: Analysis, original: Document
) -> None:
    at = original.text.index("sự hiệu quả. Công tác kiểm tra")
    [segment] = [s for s in analysis.segments if s.start <= at < s.end]

    assert segment.tone == "cause"


def test_evidence_is_words_of_the_text(analysis: Analysis, original: Document) -> None:
    spans = [span for label in analysis.task_area.labels for span in label.evidence]

    assert spans
    for span in spans:
        assert original.text[span.start : span.end].strip()


def paragraphs_of(doc: Document) -> list[str]:
    return [doc.text[block.start : block.end] for block in doc.blocks]


def as_html(doc: Document) -> bytes:
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs_of(doc))
    return f"<html><head><meta charset='utf-8'></head><body>{body}</body></html>".encode()


def as_docx(doc: Document) -> bytes:
    import docx

    made = docx.Document()
    for paragraph in paragraphs_of(doc):
        made.add_paragraph(paragraph)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def as_pdf(doc: Document) -> bytes:
    from fpdf import FPDF

    pdf = FPDF(format="A4")
    pdf.set_margins(30, 20, 20)
    pdf.add_font("DejaVu", fname=str(FONT))
    pdf.set_font("DejaVu", size=12)
    pdf.add_page()
    for paragraph in paragraphs_of(doc):
        pdf.multi_cell(0, 7, paragraph, new_x="LMARGIN", new_y="NEXT")
        pdf.ln(2)
    return bytes(pdf.output())


def as_txt(doc: Document) -> bytes:
    return doc.text.encode("utf-16")


FORMATS: dict[str, Callable[[Document], bytes]] = {
    "a.html": as_html,
    "a.docx": as_docx,
    "a.pdf": as_pdf,
    "a.txt": as_txt,
}


def labels_of(analysis: Analysis) -> tuple[object, ...]:
    """What must not change with the format: labels of the whole and of each segment."""
    return (
        {label.code for label in analysis.task_area.labels},
        analysis.task_area.primary,
        [(segment.task_area, segment.tone) for segment in analysis.segments],
    )


@pytest.mark.parametrize("name", FORMATS)
def test_another_format_gives_the_same_labels(
    pipeline: Pipeline, original: Document, analysis: Analysis, name: str
) -> None:
    if name == "a.pdf" and not FONT.exists():
        pytest.skip("the DejaVu font is not installed")

    doc = read_file(FORMATS[name](original), name=name)
    again = pipeline.analyze(Request("07", doc))

    assert labels_of(again) == labels_of(analysis)
    assert value(again.metadata.canonical if again.metadata else None) == "07-CT/TU"


def new_style(text: str) -> str:
    """`hòa` to `hoà`: the mark moves to the second vowel of an open syllable."""
    mark = "([\u0300\u0301\u0303\u0309\u0323])"
    pattern = re.compile(f"(?<!q)(?:(o){mark}([ae])|(u){mark}(y))(?!\\w)", re.IGNORECASE)
    moved = pattern.sub(r"\1\4\3\6\2\5", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", moved)


VARIANTS: dict[str, Callable[[str], str]] = {
    "NFD": lambda text: unicodedata.normalize("NFD", text),
    "new tone style": new_style,
    "lower case": str.lower,
    "windows line ends": lambda text: text.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_another_way_of_writing_gives_the_same_labels(
    pipeline: Pipeline, analysis: Analysis, variant: str
) -> None:
    source = VARIANTS[variant](PATH.read_text(encoding="utf-8"))

    doc = read_file(source.encode(), name=PATH.name)
    again = pipeline.analyze(Request("07", doc))

    assert labels_of(again) == labels_of(analysis)

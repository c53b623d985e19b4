"""Directive 07-CT/TU as it reached its readers, in every disguise; skipped where the file is not at hand."""

import unicodedata
from collections.abc import Callable
from functools import cache

import pytest

from nlp.readers import from_text, read_file
from nlp.structure import Registers, read_structure
from nlp.types import Document, Structure
from tests.structure.conftest import ROOT

SEED = ROOT.parent / "shared" / "data" / "07-CT-TU.md"
pytestmark = pytest.mark.skipif(not SEED.exists(), reason="the directive is not at hand")

TARGETS = [
    "25-NQ/TW",
    "23-QĐ/TW",
    "114-KL/TW",
    "97/QH14",
    "04/2015/NĐ-CP",
    "16/CT-TTg",
    "Nghị quyết Trung ương 4 khóa XI",
    "Nghị quyết Trung ương 4 khóa XII",
    "04-NQ/TU",
    "15-NQ/TU",
    "15-CT/TU",
    "2200-QĐ/TU",
    "58/2020/QH14",  # by its name, which one law alone has
    "217-QĐ/TW",
    "218-QĐ/TW",
    "124-QĐ/TW",
    "213-QĐ/TW",
]


@cache
def markdown() -> Document:
    return read_file(SEED.read_bytes(), name=SEED.name)


@pytest.fixture
def seed(registers: Registers) -> Structure:
    return read_structure(markdown(), registers=registers)


def test_metadata_are_those_of_the_directive(seed: Structure) -> None:
    meta = seed.metadata
    recipients = meta.recipients.value if meta.recipients else ()

    assert {
        name: field.value if (field := getattr(meta, name)) else None
        for name in meta.__slots__
        if name != "recipients"
    } == {
        "kind": "Chỉ thị",
        "number": "07",
        "symbol": "CT/TU",
        "canonical": "07-CT/TU",
        "date": "2021-10-01",
        "place": "Hà Nội",
        "issuer": "Ban Thường vụ Thành ủy Hà Nội",
        "subject": (
            "về đẩy mạnh, nâng cao chất lượng, hiệu quả công tác dân vận của các cơ quan nhà nước"
        ),
        "signer": "Đinh Tiên Dũng",
        "signer_title": "Bí thư",
    }
    assert len(recipients) == 15
    assert recipients[-1] == "Lưu TH, VT"


def test_all_seventeen_citations_are_found(seed: Structure) -> None:
    assert [c.canonical for c in seed.citations] == TARGETS
    assert [c.canonical for c in seed.citations if c.ambiguous] == ["15-NQ/TU", "15-CT/TU"]
    assert sum(c.date is not None for c in seed.citations) == 12


def test_the_ten_tasks_have_their_actors_and_no_deadline(seed: Structure) -> None:
    assert {d.task_number: d.actors for d in seed.duties} == {
        "1": (),
        "2": ("Các cấp ủy đảng",),
        "3": ("Cơ quan nhà nước các cấp",),
        "4": (),
        "5": ("MTTQ và các tổ chức chính trị - xã hội các cấp",),
        "6": (),
        "7": ("Đảng đoàn HĐND Thành phố",),
        "8": ("Ban cán sự đảng UBND Thành phố",),
        "9": ("Các quận, huyện, thị ủy", "Đảng ủy trực thuộc Thành ủy"),
        "10": ("Ban Dân vận Thành ủy",),
    }
    assert not any(d.deadline for d in seed.duties)
    assert [d.recurrence for d in seed.duties if d.recurrence] == [
        "hàng năm",
        "hàng năm",
        "định kỳ",
        "định kỳ",
    ]
    assert seed.duties[8].report_to == "Ban Thường vụ Thành ủy (qua Ban Dân vận Thành ủy)"


def test_paragraphs_cut_by_page_breaks_are_whole(seed: Structure) -> None:
    text = markdown().text
    body = [text[p.start : p.end] for p in seed.paragraphs if p.role == "body"]

    cause = next(words for words in body if words.startswith("Nguyên nhân"))
    assert cause.endswith("còn hình thức...")
    assert len(body) == 19


@pytest.mark.parametrize(
    "disguise",
    [
        str.lower,
        lambda text: unicodedata.normalize("NFD", text),
        lambda text: text.replace("òa", "oà").replace("óa", "oá").replace("ủy", "uỷ"),
        lambda text: text.replace("**", "").replace("\\*", "*"),
    ],
    ids=["lower case", "NFD", "old tone places", "without markdown"],
)
def test_no_disguise_changes_number_roles_or_citations(
    registers: Registers, disguise: Callable[[str], str]
) -> None:
    raw = SEED.read_text(encoding="utf-8")
    plain = read_structure(from_text(raw), registers=registers)

    found = read_structure(from_text(disguise(raw)), registers=registers)

    assert found.metadata.canonical is not None
    assert found.metadata.canonical.value == "07-CT/TU"
    assert [(p.role, p.task_number) for p in found.paragraphs] == [
        (p.role, p.task_number) for p in plain.paragraphs
    ]
    assert [c.canonical for c in found.citations] == TARGETS

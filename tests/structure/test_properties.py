"""What holds for every text: spans lie in it, blocks are covered once, the same text reads the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.structure import Registers, read_structure
from nlp.types import Block, Document, Field, Metadata
from tests.structure.papers import LETTER, PARTY_PLAN, STATE_DECISION, document

LINES = [line for paper in (PARTY_PLAN, STATE_DECISION, LETTER) for line in paper.split("\n")]
# Lines of papers in any order, with noise between: every part of the form in every wrong place.
TEXTS = st.lists(
    st.sampled_from(
        [*LINES, "|", "**", "- ", "1.", "Số:", "ngày", "Nơi nhận:", "TM.", "(", "\u0323"]
    )
    | st.text(max_size=30),
    max_size=30,
).map("\n".join)
RUNS = settings(deadline=None, max_examples=60)
TASK = (
    "1. Các cơ quan nhà nước tiếp tục đổi mới nội dung, phương thức thực hiện công tác dân vận, chú trọng "
    "các vấn đề liên quan đến đời sống của Nhân dân và kịp thời giải quyết kiến nghị chính đáng."
)


def fields(metadata: Metadata) -> list[Field]:
    return [field for name in Metadata.__slots__ if (field := getattr(metadata, name))]


@RUNS
@given(TEXTS)
def test_every_span_lies_in_the_text(registers: Registers, text: str) -> None:
    doc = document(text)

    found = read_structure(doc, registers=registers)

    spans = [(f.start, f.end) for f in fields(found.metadata) if f.start is not None]
    spans += [(p.start, p.end) for p in found.paragraphs]
    spans += [(c.start, c.end) for c in found.citations]
    spans += [(d.text_start, d.text_end) for d in found.duties]
    assert all(end is not None and 0 <= start < end <= len(doc.text) for start, end in spans)


@RUNS
@given(TEXTS)
def test_every_block_with_ink_is_covered_by_one_paragraph(registers: Registers, text: str) -> None:
    doc = document(text)

    paragraphs = read_structure(doc, registers=registers).paragraphs

    for block in doc.blocks:
        over = [p for p in paragraphs if p.start < block.end and p.end > block.start]
        ink = doc.text[block.start : block.end].strip()
        assert len(over) == 1
        assert ink in doc.text[over[0].start : over[0].end]
    assert list(paragraphs) == sorted(paragraphs, key=lambda p: p.start)


@RUNS
@given(TEXTS)
def test_an_explicit_name_is_spelled_with_letters_of_its_span(
    registers: Registers, text: str
) -> None:
    doc = document(text)
    metadata = read_structure(doc, registers=registers).metadata

    for field in (metadata.place, metadata.signer, metadata.number):
        if field and not field.inferred:
            shown = doc.text[field.start : field.end].replace("*", "")
            assert " ".join(shown.split()) == field.value


@RUNS
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=25).map("\n".join))
def test_the_same_bytes_give_the_same_structure(registers: Registers, text: str) -> None:
    first, second = (read_structure(document(text), registers=registers) for _ in range(2))

    assert first == second


@RUNS
@given(st.integers(0, 10**6), st.integers(2, 30))
def test_any_cut_of_a_long_task_by_a_page_break_is_mended(
    registers: Registers, position: int, gap: int
) -> None:
    words = TASK.split(" ")
    at = 22 + position % (len(words) - 23)
    first, rest = " ".join(words[:at]), " ".join(words[at:])
    text = first + "\n" * gap + rest
    doc = Document(text, (Block(0, len(first)), Block(len(first) + gap, len(text))))

    (paragraph,) = read_structure(doc, registers=registers).paragraphs

    assert (paragraph.start, paragraph.end) == (0, len(text))


@RUNS
@given(st.text(max_size=300))
def test_arbitrary_text_in_one_block_is_read(registers: Registers, text: str) -> None:
    doc = Document(text, (Block(0, len(text)),) if text.strip() else ())

    assert (
        read_structure(doc, registers=registers).metadata.canonical is None
        or "-" in text
        or "/" in text
        or "–" in text
    )

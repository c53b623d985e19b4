"""What every reader must do: the same paragraphs of the same document, whatever its format."""

from collections.abc import Callable
from functools import partial

import pytest

from nlp.readers import EXTENSIONS, read_file, sniff
from nlp.readers.child import read_in_child
from nlp.types import Document
from tests import directive

RENDERED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "utf-8": ("a.txt", partial(directive.to_txt, "utf-8")),
    "utf-8 with mark": ("a.txt", partial(directive.to_txt, "utf-8-sig")),
    "utf-16": ("a.txt", partial(directive.to_txt, "utf-16")),
    "utf-16 without mark": ("a.txt", partial(directive.to_txt, "utf-16-le")),
    "utf-32": ("a.txt", partial(directive.to_txt, "utf-32")),
    "windows-1258": ("a.txt", directive.to_windows_1258),
    "no extension": ("vanban", partial(directive.to_txt, "utf-8")),
    "markdown": ("a.md", directive.to_markdown),
    "html": ("a.html", partial(directive.to_html, charset=None)),
    "html with charset": ("a.htm", partial(directive.to_html, charset="utf-8")),
    "html in ascii": ("a.html", partial(directive.to_html, charset="us-ascii")),
    "docx": ("a.docx", directive.to_docx),
    "docx with merged cells": ("a.docx", partial(directive.to_docx, merged=True)),
    "pdf": ("a.pdf", directive.to_pdf),
}
MEDIA_TYPES = {
    name: EXTENSIONS.get(f".{file.split('.')[-1]}", "text/plain")
    for name, (file, _) in RENDERED.items()
}


@pytest.fixture(scope="module")
def read() -> Callable[[str], Document]:
    known: dict[str, Document] = {}

    def read_once(name: str) -> Document:
        if name not in known:
            file, render = RENDERED[name]
            known[name] = read_file(render(), name=file)
        return known[name]

    return read_once


def blocks_of(doc: Document) -> list[str]:
    return [" ".join(doc.text[block.start : block.end].split()) for block in doc.blocks]


@pytest.mark.parametrize("name", RENDERED)
def test_every_format_gives_the_same_paragraphs_in_the_same_order(
    read: Callable[[str], Document], name: str
) -> None:
    assert blocks_of(read(name)) == list(directive.PARAGRAPHS)


@pytest.mark.parametrize("name", RENDERED)
def test_blocks_are_in_order_and_hold_every_letter(
    read: Callable[[str], Document], name: str
) -> None:
    doc = read(name)

    end = 0
    for block in doc.blocks:
        assert end <= block.start < block.end
        assert doc.text[end : block.start].strip() == ""
        assert doc.text[block.start : block.end].strip() == doc.text[block.start : block.end]
        end = block.end
    assert doc.text[end:].strip() == ""


@pytest.mark.parametrize("name", RENDERED)
def test_the_media_type_is_told(read: Callable[[str], Document], name: str) -> None:
    assert read(name).media_type == MEDIA_TYPES[name]


@pytest.mark.parametrize("name", ["utf-16", "markdown", "html", "docx", "pdf"])
def test_the_child_reads_what_the_reader_reads(read: Callable[[str], Document], name: str) -> None:
    file, render = RENDERED[name]

    assert read_in_child(render(), name=file) == read_file(render(), name=file)


@pytest.mark.parametrize(
    ("name", "as_file"), [("pdf", "a.docx"), ("pdf", "a.txt"), ("docx", "a.pdf"), ("docx", "a")]
)
def test_the_content_counts_more_than_the_name(name: str, as_file: str) -> None:
    assert sniff(RENDERED[name][1](), name=as_file) == MEDIA_TYPES[name]


def test_headings_and_cells_are_told_apart(read: Callable[[str], Document]) -> None:
    for name in ("markdown", "html", "docx"):
        doc = read(name)
        headings = [doc.text[b.start : b.end] for b in doc.blocks if b.kind == "heading"]
        assert headings == [directive.KIND]
    assert [block.kind for block in read("docx").blocks[:4]] == ["cell"] * 4


def test_a_pdf_knows_the_page_of_each_block(read: Callable[[str], Document]) -> None:
    pages = [block.page for block in read("pdf").blocks]

    assert pages == sorted(page for page in pages if page is not None)
    assert set(pages) > {1, 2}

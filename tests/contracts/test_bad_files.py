"""A file that cannot be read is refused in one clear sentence, never with another error."""

import http.server
import io
import os
import random
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path

import fpdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nlp.errors import InputError, TooLarge, UnreadableFile, UnsupportedMediaType
from nlp.readers import MAX_UNPACKED_BYTES, read_file
from nlp.readers.child import Limits, read_in_child
from nlp.readers.containers import MAX_FILES, is_container, safe_name, unpack
from tests import directive, rendered
from tests.properties.test_mutated_files import FORMATS, WORDS, damaged, good, small_docx, zipped

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ROOT = Path(__file__).parents[2]
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


@cache
def good_docx() -> bytes:
    return directive.to_docx()


@cache
def good_pdf() -> bytes:
    return directive.to_pdf()


def noise(n_bytes: int) -> bytes:
    return random.Random(7).randbytes(n_bytes)  # noqa: S311 - the same noise in every run


def docx_with(parts: Mapping[str, bytes]) -> bytes:
    """The good .docx with some of its parts replaced."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(good_docx())) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for entry in old.infolist():
            new.writestr(entry.filename, parts.get(entry.filename, old.read(entry)))
    return out.getvalue()


def docx_body(xml: str, *, prolog: str = "") -> bytes:
    page = f"{prolog}<w:document {W}><w:body>{xml}</w:body></w:document>"
    return docx_with({"word/document.xml": page.encode()})


def declaring(data: bytes, *, size_bytes: int) -> bytes:
    """The same container with another unpacked size declared for every part."""
    patched = bytearray(data)
    for mark, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = data.find(mark)
        while at >= 0:
            struct.pack_into("<I", patched, at + offset, size_bytes)
            at = data.find(mark, at + 4)
    return bytes(patched)


def entity_bomb() -> bytes:
    lines = ['<!ENTITY a0 "ha">']
    lines += [f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12)]
    prolog = f'<?xml version="1.0"?><!DOCTYPE d [{"".join(lines)}]>'
    return docx_body("<w:p><w:r><w:t>&a11;</w:t></w:r></w:p>", prolog=prolog)


def encrypted_docx() -> bytes:
    """The container that Word writes around an encrypted document, as far as a reader looks."""
    return OLE + bytes(504) + "EncryptedPackage".encode("utf-16-le") + bytes(512)


def locked(container: bytes) -> bytes:
    """A container whose parts carry the flag of an old zip password."""
    patched = bytearray(container)
    for mark, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = patched.find(mark)
        while at >= 0:
            patched[at + offset] |= 1
            at = patched.find(mark, at + 4)
    return bytes(patched)


def encrypted_pdf() -> bytes:
    pdf = fpdf.FPDF()
    pdf.set_encryption(owner_password="one", user_password="two")
    pdf.add_page()
    pdf.set_font("Helvetica")
    pdf.cell(text="not for everybody")
    return bytes(pdf.output())


def scanned_pdf() -> bytes:
    pdf = fpdf.FPDF()
    pdf.add_page()
    pdf.rect(10, 10, 50, 50, style="F")
    return bytes(pdf.output())


def broken_deflate() -> bytes:
    data = bytearray(good_docx())
    at = data.find(b"word/document.xml") + 60
    data[at : at + 60] = bytes(b ^ 0xFF for b in data[at : at + 60])
    return bytes(data)


Bad = tuple[str, Callable[[], bytes], type[InputError]]
BAD: dict[str, Bad] = {
    "empty": ("a.txt", lambda: b"", UnreadableFile),
    "blank": ("a.txt", lambda: b" \n\t\r\n", UnreadableFile),
    "unknown type": ("a.exe", lambda: b"MZ\x00", UnsupportedMediaType),
    "30 MB of zeros": ("a.txt", lambda: bytes(30_000_000), UnreadableFile),
    "zeros named .pdf": ("a.pdf", lambda: bytes(30_000_000), UnreadableFile),
    "noise named .txt": ("a.txt", partial(noise, 50_000), UnreadableFile),
    "noise named .html": ("a.html", partial(noise, 50_000), UnreadableFile),
    "noise named .md": ("a.md", partial(noise, 5_000), UnreadableFile),
    "noise named .docx": ("a.docx", partial(noise, 50_000), UnreadableFile),
    "noise named .pdf": ("a.pdf", partial(noise, 50_000), UnreadableFile),
    "pdf that is cut off": ("a.pdf", lambda: good_pdf()[:900], UnreadableFile),
    "pdf of a header": ("a.pdf", lambda: b"%PDF-1.7\n", UnreadableFile),
    "encrypted pdf": ("a.pdf", encrypted_pdf, UnreadableFile),
    "pdf without a text layer": ("a.pdf", scanned_pdf, UnreadableFile),
    "docx that is cut off": ("a.docx", lambda: good_docx()[:-3000], UnreadableFile),
    "docx with a broken part": ("a.docx", broken_deflate, UnreadableFile),
    "docx with a password on its parts": ("a.docx", lambda: locked(good_docx()), UnreadableFile),
    "docx that is encrypted": ("a.docx", encrypted_docx, UnreadableFile),
    "docx that is an old .doc": ("a.docx", lambda: OLE + bytes(2000), UnsupportedMediaType),
    "docx without text": ("a.docx", lambda: docx_body("<w:p/>"), UnreadableFile),
    "docx without a body": (
        "a.docx",
        lambda: docx_with({"word/document.xml": f"<w:document {W}/>".encode()}),
        UnreadableFile,
    ),
    "docx of another XML": (
        "a.docx",
        lambda: docx_with({"word/document.xml": b"<html><body/></html>"}),
        UnreadableFile,
    ),
    "docx that bursts with entities": ("a.docx", entity_bomb, UnreadableFile),
    "docx nested too deep": (
        "a.docx",
        lambda: docx_body("<w:tbl><w:tr><w:tc>" * 900 + "</w:tc></w:tr></w:tbl>" * 900),
        UnreadableFile,
    ),
    "zip that says it is too large": (
        "a.docx",
        lambda: declaring(good_docx(), size_bytes=MAX_UNPACKED_BYTES),
        TooLarge,
    ),
    "zip that hides how large it is": (
        "a.docx",
        lambda: declaring(
            docx_with({"word/document.xml": b"<" + bytes(20_000_000)}), size_bytes=1000
        ),
        UnreadableFile,
    ),
    "zip that is no docx": ("a.docx", lambda: zip_of("a.txt"), UnsupportedMediaType),
    "html nested too deep": ("a.html", lambda: b"<div>" * 100_000 + b"x", UnreadableFile),
    "html without text": ("a.html", lambda: b"<script>var a = 1;</script>", UnreadableFile),
    "markdown without text": ("a.md", lambda: b"---\n***\n", UnreadableFile),
}  # fmt: skip


def zip_of(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "chữ")
    return out.getvalue()


def check_sentence(error: InputError) -> None:
    message = str(error)
    assert 20 < len(message) < 200
    assert "\n" not in message
    assert "Traceback" not in message


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_in_one_sentence(name: str) -> None:
    file, make, expected = BAD[name]

    with pytest.raises(InputError) as caught:
        read_file(make(), name=file)

    assert type(caught.value) is expected
    check_sentence(caught.value)


@pytest.mark.parametrize("name", BAD)
def test_the_child_refuses_a_bad_file_as_the_reader_does(name: str) -> None:
    file, make, expected = BAD[name]

    with pytest.raises(InputError) as caught:
        read_in_child(make(), name=file)

    assert type(caught.value) is expected
    check_sentence(caught.value)


def test_a_reader_that_does_not_end_is_ended() -> None:
    slow_page = b"<span>" * 60_000 + b"<div>a</div>" * 60_000  # quadratic in the parser
    begun = time.monotonic()

    with pytest.raises(TooLarge, match=r"longer than 0\.5 s"):
        read_in_child(slow_page, name="a.html", limits=Limits(timeout_s=0.5))

    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html"])
def test_a_reader_that_takes_too_much_memory_is_ended(name: str) -> None:
    page = "ý kiến của dân\n".encode() * 1_500_000

    with pytest.raises(TooLarge, match="more memory"):
        read_in_child(page, name=name, limits=Limits(memory_bytes=250 * 1024 * 1024))


def test_a_child_that_was_ended_leaves_the_next_one_alone() -> None:
    with pytest.raises(TooLarge):
        read_in_child("một hai ".encode() * 3_000_000, name="a.md", limits=Limits(timeout_s=0.01))

    assert read_in_child("một hai".encode(), name="a.txt").text == "một hai"


def try_to_read(data: bytes, *, name: str) -> None:
    """Read without another error than those meant for people."""
    try:
        doc = read_file(data, name=name)
    except InputError as error:
        check_sentence(error)
    else:
        assert doc.text.strip()


@pytest.mark.parametrize("name", ["a.docx", "a.pdf"])
@settings(max_examples=60)
@given(data=st.data())
def test_a_file_with_changed_bytes_is_read_or_refused(name: str, data: st.DataObject) -> None:
    good = good_docx() if name == "a.docx" else good_pdf()
    changed = bytearray(good)
    places = st.tuples(st.integers(0, len(good) - 1), st.integers(0, 255))
    for place, value in data.draw(st.lists(places, min_size=1, max_size=20)):
        changed[place] = value

    try_to_read(bytes(changed), name=name)


@pytest.mark.parametrize("name", ["a.docx", "a.pdf"])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_file_that_is_cut_off_anywhere_is_read_or_refused(name: str, share: float) -> None:
    good = good_docx() if name == "a.docx" else good_pdf()

    try_to_read(good[: int(len(good) * share)], name=name)


@given(
    st.binary(max_size=300), st.sampled_from(["a.txt", "a.md", "a.html", "a.docx", "a.pdf", "a"])
)
def test_any_bytes_under_any_name_are_read_or_refused(data: bytes, name: str) -> None:
    try_to_read(data, name=name)


def with_part(data: bytes, name: str, *, old: str, new: str) -> bytes:
    """A container with some words of one of its parts replaced."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {entry: archive.read(entry) for entry in archive.namelist()}
    assert old.encode() in parts[name]
    return zipped(parts | {name: parts[name].replace(old.encode(), new.encode(), 1)})


def good_odt() -> bytes:
    return rendered.converted(small_docx(), "odt")


def odt_with(body: str, *, dtd: str = "") -> bytes:
    changed = with_part(
        good_odt(),
        "content.xml",
        old="<office:document-content",
        new=f"{dtd}<office:document-content",
    )
    return with_part(changed, "content.xml", old="</office:text>", new=f"{body}</office:text>")


def bombs(*, innermost: str) -> str:
    """Definitions of entities, each ten times the one before."""
    lines = [f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 12)]
    return f"<!DOCTYPE d [<!ENTITY a0 {innermost}>{''.join(lines)}]>"


def zeros(n_bytes: int) -> bytes:
    """So many zeros, deflated, without ever holding them."""
    deflate = zlib.compressobj(9)
    return (
        b"".join(deflate.compress(bytes(10**6)) for _ in range(n_bytes // 10**6)) + deflate.flush()
    )


def pdf_of(*objects: bytes) -> bytes:
    """A PDF of bare objects, the first of them the catalogue."""
    out, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))
    return out + head + rows + tail


def pdf_of_pages(n_pages: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % (i + 3) for i in range(n_pages))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>"
    pages = b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, n_pages)
    return pdf_of(b"<</Type/Catalog/Pages 2 0 R>>", pages, *[page] * n_pages)


def pdf_page(content: bytes, *, picture: bytes = b"null", box: bytes = b"0 0 595 842") -> bytes:
    page = (
        b"<</Type/Page/Parent 2 0 R/MediaBox[%b]/Resources<</XObject<</I 5 0 R>>>>/Contents 4 0 R>>"
    )
    pages = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
    return pdf_of(b"<</Type/Catalog/Pages 2 0 R>>", pages, page % box, content, picture)


def stream(data: bytes, *, entries: bytes = b"") -> bytes:
    return b"<<%b/Length %d>>stream\n%b\nendstream" % (entries, len(data), data)


def pdf_with_picture(side: int) -> bytes:
    """A page with a picture of one bit a pixel."""
    entries = (
        b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray/BitsPerComponent 1"
        b"/Filter/FlateDecode" % (side, side)
    )
    picture = stream(zeros(side * side // 8), entries=entries)
    return pdf_page(stream(b"q 595 0 0 842 0 0 cm /I Do Q"), picture=picture)


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zeros(height * (width // 8 + 1))
    body = chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def tiff(n_pages: int) -> bytes:
    pages = [Image.new("1", (8, 8), 1) for _ in range(n_pages)]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:])
    return out.getvalue()


def mail(head: bytes, body: bytes = b"Duong thon lay loi") -> bytes:
    return b"Subject: Kien nghi\nMIME-Version: 1.0\n" + head + b"\n\n" + body


def nested_mail(depth: int) -> bytes:
    levels = [f"Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n" for i in range(depth)]
    return b"Subject: a\n" + "".join(levels).encode() + b"Content-Type: text/plain\n\nDuong thon"


def locked_doc() -> bytes:
    """An old Word file whose header says that the rest is encrypted ([MS-DOC] 2.5.1, fEncrypted)."""
    data = bytearray(rendered.converted(small_docx(), "doc"))
    at = data.find(b"\xec\xa5", 512)
    data[at + 11] |= 1
    data[at + 14 : at + 18] = struct.pack("<I", 0x34)
    return bytes(data)


HARD: dict[str, Bad] = {
    "encrypted .doc": ("a.doc", locked_doc, UnreadableFile),
    "encrypted .xlsx": ("a.xlsx", encrypted_docx, UnreadableFile),
    "docx of a long part": (
        "a.docx",
        lambda: docx_body(f"<w:p><w:r><w:t>{' ' * 250_000_000}</w:t></w:r></w:p>"),
        UnreadableFile,
    ),
    "odt that bursts with entities": (
        "a.odt",
        lambda: odt_with("<text:p>&a11;</text:p>", dtd=bombs(innermost="'ha'")),
        UnreadableFile,
    ),
    "odt that hides how large it is": (
        "a.odt",
        lambda: declaring(odt_with(f"<text:p>{'a' * 250_000_000}</text:p>"), size_bytes=1000),
        UnreadableFile,
    ),
    "zip whose type is a bomb": (
        "a.odt",
        lambda: zipped({"mimetype": bytes(400_000_000)}),
        TooLarge,
    ),
    "zip with a name in no encoding": (
        "a.docx",
        lambda: zipped({"thư.txt": b"a"}).replace("ư".encode(), b"\xff\xff"),
        UnreadableFile,
    ),
    "pdf of 2,000 pages": ("a.pdf", partial(pdf_of_pages, 2_000), TooLarge),
    "pdf of 1,000 empty pages": ("a.pdf", partial(pdf_of_pages, 1_000), TooLarge),
    "pdf whose pages are in a ring": (
        "a.pdf",
        lambda: pdf_of(
            b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R]/Count 5>>"
        ),
        UnreadableFile,
    ),
    "pdf that bursts": (
        "a.pdf",
        lambda: pdf_page(stream(zeros(5 * 10**8), entries=b"/Filter/FlateDecode")),
        UnreadableFile,
    ),
    "pdf with a large picture": ("a.pdf", partial(pdf_with_picture, 20_000), UnreadableFile),
    "pdf with a large page": (
        "a.pdf",
        lambda: pdf_page(stream(b"0 0 9 9 re f"), box=b"0 0 20000 20000"),
        UnreadableFile,
    ),
    "pdf with a page like a thread": (
        "a.pdf",
        lambda: pdf_page(stream(b"0 0 1 1 re f"), box=b"0 0 100000000 0.0001"),
        UnreadableFile,
    ),
    "picture of 20,000 by 20,000 pixels": ("a.png", partial(png, 20_000, 20_000), TooLarge),
    "picture one pixel high": ("a.png", partial(png, 20_000, 1), UnreadableFile),
    "tif of 400 pages": ("a.tif", partial(tiff, 400), TooLarge),
    "message with a very long subject": (
        "a.eml",
        lambda: b"Subject: " + b"=?utf-8?q?a?= " * 60_000 + b"\n\nDuong thon",
        TooLarge,
    ),
    "message with a very long type": (
        "a.eml",
        lambda: mail(b"Content-Type: text/plain; " + b"a=b; " * 60_000),
        TooLarge,
    ),
    "message nested too deep": ("a.eml", partial(nested_mail, 5_000), UnreadableFile),
    "type of 600 letters": ("a." + "x" * 600, lambda: b"a", UnsupportedMediaType),
    "zip of a type of 600 letters": ("a." + "x" * 600, partial(zip_of, "a"), UnsupportedMediaType),
    "script named .docx": ("a.docx", lambda: b"#!/bin/sh\ntouch ran\n", UnreadableFile),
    "script named .pdf": ("a.pdf", lambda: b"#!/bin/sh\ntouch ran\n", UnreadableFile),
    "program named .doc": ("a.doc", lambda: b"MZ" + bytes(9_999), UnreadableFile),
    "docx behind the head of a pdf": (
        "a.docx",
        lambda: b"%PDF-1.4\n" + good_docx(),
        UnreadableFile,
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", HARD)
def test_a_file_that_costs_too_much_is_refused_in_time(name: str) -> None:
    file, make, expected = HARD[name]
    data = make()
    begun = time.monotonic()

    with pytest.raises(InputError) as caught:
        read_in_child(data, name=file)

    assert type(caught.value) is expected
    check_sentence(caught.value)
    assert time.monotonic() - begun < 30


ODD: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "pdf that is a zip": ("a.zip", lambda: good_pdf() + zipped({"a.txt": b"no"}), directive.KIND),
    "web page named .pdf": ("a.pdf", lambda: b"<html><p>Thong bao", "Thong bao"),
    "text that begins like a picture": ("a.txt", lambda: "BM là Ban Mặt".encode(), "BM là Ban"),
    "docx with macros": (
        "a.docx",
        lambda: zipped_with(small_docx(), "word/vbaProject.bin", b"Sub AutoOpen()"),
        WORDS,
    ),
    "sheet with rows without end": (
        "a.xlsx",
        lambda: with_part(
            good("a.xlsx"), "xl/worksheets/sheet1.xml", old='<row r="3">', new=f'<row r="{10**18}">'
        ),
        "Ngày",
    ),
    "sheet that declares itself smaller": (
        "a.xlsx",
        lambda: with_part(good("a.xlsx"), "xl/worksheets/sheet1.xml", old='"A1:B3"', new='"A1"'),
        "Ngày",
    ),
    "formulas in .csv": ("a.csv", lambda: b'=HYPERLINK("http://vi.du";"a")', "=HYPERLINK("),
    "pptx that bursts": (
        "a.pptx",
        lambda: with_part(
            good("a.pptx"), "ppt/slides/slide1.xml", old=WORDS, new=WORDS + " " * 99_000_000
        ),
        WORDS,
    ),
    "message nested deep": ("a.eml", partial(nested_mail, 90), "Duong thon"),
    "rtf nested deep": (
        "a.rtf",
        lambda: b"{\\rtf1 " + b"{" * 99_999 + b"ban" + b"}" * 99_999,
        "ban",
    ),
    "web page with an instruction": ("a.html", lambda: b"<p>mot<?q x>hai", "mothai"),
}  # fmt: skip


def zipped_with(data: bytes, name: str, part: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return zipped({entry: archive.read(entry) for entry in archive.namelist()} | {name: part})


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_is_read_for_its_words(name: str) -> None:
    file, make, words = ODD[name]

    assert words in read_in_child(make(), name=file).text


@pytest.mark.parametrize(
    "charset", ["x-unknown", "idna", "punycode", "hex", "undefined", "zip", "\xff"]
)
def test_a_charset_of_a_message_that_cannot_be_true_is_not_believed(charset: str) -> None:
    head = b"Content-Type: text/plain; charset=" + charset.encode("latin-1")

    assert "dân vận" in read_file(mail(head, "dân vận".encode()), name="a.eml").text


@pytest.mark.parametrize("kind", ["docx", "xlsx", "pptx", "odt"])
def test_a_document_cannot_name_a_file_of_ours(tmp_path: Path, kind: str) -> None:
    (tmp_path / "secret.txt").write_text("bí mật")
    dtd = f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{tmp_path}/secret.txt">]>'
    make: dict[str, Callable[[], bytes]] = {
        "docx": lambda: docx_body("<w:p><w:r><w:t>a &x;</w:t></w:r></w:p>", prolog=dtd),
        "odt": lambda: odt_with("<text:p>&x;</text:p>", dtd=dtd),
        "xlsx": lambda: opened_by(dtd, good("a.xlsx"), "xl/worksheets/sheet1.xml", "<v>2</v>"),
        "pptx": lambda: opened_by(dtd, good("a.pptx"), "ppt/slides/slide1.xml", WORDS),
    }

    try:
        text = read_in_child(make[kind](), name=f"a.{kind}").text
    except InputError as error:
        text = str(error)

    assert "bí mật" not in text


def opened_by(dtd: str, data: bytes, name: str, words: str) -> bytes:
    """A container with an entity in the place of some words of one of its parts."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        part = archive.read(name).decode()
    root = part.index("<", part.index("?>") + 2 if "?>" in part else 0)
    entity = words.replace("2", "&x;") if words.startswith("<") else "&x;"
    changed = part[:root] + dtd + part[root:].replace(words, entity, 1)
    return with_part(data, name, old=part, new=changed)


@pytest.fixture
def visits() -> Iterator[tuple[str, list[str]]]:
    """The address of a server of our own, and what it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            asked.append(self.rfile.readline().decode("latin-1"))

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def test_nothing_that_a_document_names_is_fetched(visits: tuple[str, list[str]]) -> None:
    address, asked = visits
    frame = '<draw:frame svg:width="2cm" svg:height="2cm">'
    picture = f'{frame}<draw:image xlink:href="{address}/a.png" xlink:type="simple"/></draw:frame>'
    section = f'<text:section text:name="s"><text:section-source xlink:href="{address}/b.txt"/>'
    data = odt_with(f"<text:p>{picture}</text:p>{section}<text:p>a</text:p></text:section>")

    assert WORDS in read_in_child(data, name="a.odt").text
    assert asked == []


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("../../etc/a.txt", "etc/a.txt"),
        ("/etc/a.txt", "etc/a.txt"),
        ("C:\\tam\\a.txt", "tam/a.txt"),
        ("C:a.txt", "a.txt"),
        ("\\\\may\\chung\\a.txt", "a.txt"),
        ("//may/chung/a.txt", "a.txt"),
        ("a/../../D:/b.txt", "a/b.txt"),
        ("a\nb\x1b[31m.txt", "a_b[31m.txt"),
        ("don\u202etxt.exe", "dontxt.exe"),
        (".\u200b./a.txt", "a.txt"),
        ("a\udcff.txt", "a?.txt"),
        ("thu\u031b.txt", "thư.txt"),
        ("..", "unnamed"),
        ("a/" * 9_000 + "b.txt", "a/" * 97 + "b.txt"),
    ],
)
def test_a_path_in_an_archive_leads_nowhere(path: str, safe: str) -> None:
    assert safe_name(path) == safe


def overlapping(n_entries: int) -> bytes:
    """An archive whose entries are all the same bytes (Fifield 2019, a better zip bomb)."""
    data = zipped({"a.txt": bytes(3_000_000)})
    start, end = data.find(b"PK\x01\x02"), data.find(b"PK\x05\x06")
    tail = bytearray(data[end:])
    struct.pack_into("<HHI", tail, 8, n_entries, n_entries, (end - start) * n_entries)
    return data[:start] + data[start:end] * n_entries + bytes(tail)


def nested_zip(depth: int) -> bytes:
    data = zipped({"a.txt": b"mot"})
    for _ in range(depth):
        data = zipped({"a.zip": data})
    return data


ARCHIVES: dict[str, tuple[Callable[[], bytes], str]] = {
    "10,000 files": (lambda: zipped({f"{i}.txt": b"a" for i in range(10_000)}), f"{MAX_FILES} files"),
    "a bomb": (lambda: zipped({"a.txt": bytes(400_000_000)}), "300 MiB"),
    "bombs in archives": (
        lambda: zipped(dict.fromkeys(("a.zip", "b.zip"), zipped({"a.txt": bytes(200_000_000)}))),
        "300 MiB",
    ),
    "entries that overlap": (partial(overlapping, 2_000), "300 MiB"),
    "archives twenty deep": (partial(nested_zip, 20), "two deep"),
    "a size that is not true": (
        lambda: declaring(zipped({"a.txt": bytes(400_000_000)}), size_bytes=10),
        "damaged",
    ),
    "a password": (lambda: locked(zipped({"a.txt": b"mot"})), "password"),
    "a name in no encoding": (
        lambda: zipped({"thư.txt": b"a"}).replace("ư".encode(), b"\xff\xff"),
        "damaged",
    ),
    "a table of contents that is cut": (lambda: zipped({"a.txt": b"mot"})[:-30], "damaged"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_that_is_none_is_refused_in_time(name: str) -> None:
    make, words = ARCHIVES[name]
    data = make()
    begun = time.monotonic()

    assert is_container(data, name="a.zip")
    try:
        refused = [part.error for part in unpack(data, name="a.zip") if part.error]
    except InputError as error:
        refused = [error]

    assert [words in str(error) for error in refused] == [True]
    check_sentence(refused[0])
    assert time.monotonic() - begun < 15


@pytest.mark.parametrize("words", [b"attachment; " + b"filename*0=b; " * 50_000, b"(" * 5_000])
def test_a_message_whose_headers_would_take_minutes_is_refused_when_unpacked(words: bytes) -> None:
    part = b"--b\n\nmot\n--b\nContent-Disposition: " + words + b"\n\nhai\n--b--\n"
    begun = time.monotonic()

    try:
        parts = list(unpack(mail(b"Content-Type: multipart/mixed; boundary=b", part), name="a.eml"))
    except InputError as error:
        check_sentence(error)
    else:
        assert len(parts) == 2

    assert time.monotonic() - begun < 10


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_any_format_is_read_or_refused_however_much_is_cut(name: str) -> None:
    for share in (0.05, 0.4, 0.8, 0.97):
        data = good(name)[: int(len(good(name)) * share)]
        if name.endswith(".zip"):
            continue  # above
        try:
            read_in_child(data, name=name)
        except InputError as error:
            check_sentence(error)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["doc", "odt"])
def test_a_damaged_file_that_libreoffice_reads_is_read_or_refused(kind: str) -> None:
    whole = rendered.converted(small_docx(), kind)
    for seed in range(2):
        data = damaged(whole, random.Random(seed))  # noqa: S311 - repeatable, not secret
        try:
            read_in_child(data, name=f"a.{kind}")
        except InputError as error:
            check_sentence(error)


READ = """
import sys
from pathlib import Path
from nlp.errors import InputError
from nlp.readers.child import Limits, read_in_child
name, limits = sys.argv[1], Limits(timeout_s=float(sys.argv[2]))
try:
    read_in_child(Path(name).read_bytes(), name=name, limits=limits)
    print("read")
except InputError as error:
    print(error)
"""


def read_apart(
    path: Path, *, timeout_s: int, environment: Mapping[str, str]
) -> tuple[str, list[str]]:
    """What a program of its own says to a file, and what it leaves in temporary folders."""
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            [sys.executable, "-c", READ, str(path), str(timeout_s)],
            cwd=ROOT, env={**os.environ, "TMPDIR": place, **environment},
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        return done.stdout.strip(), [path.name for path in Path(place).iterdir()]


def commands_of(mark: str) -> list[str]:
    """The command lines of the processes of this machine in which a mark stands."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().decode("utf-8", "replace")
        except OSError:
            continue  # it has ended
        if mark in command:
            found.append(command)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("listing", ["echo vie", "hang"])
def test_a_program_that_hangs_is_ended_with_all_that_it_started(
    tmp_path: Path, listing: str
) -> None:
    seconds = f"8{os.getpid()}{len(listing)}"  # tells these processes from others
    hang = f"echo a > $TMPDIR/left; sleep {seconds} & sleep {seconds}"
    program = tmp_path / "tesseract"
    list_languages = hang if listing == "hang" else listing
    program.write_text(
        f'#!/bin/sh\nif [ "$1" = --list-langs ]; then {list_languages}\nelse {hang}; fi\n'
    )
    program.chmod(0o755)
    picture = tmp_path / "a.png"
    picture.write_bytes(rendered.as_picture(Image.new("L", (300, 300), 255), "PNG"))

    said, left = read_apart(
        picture, timeout_s=3, environment={"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    )

    assert "longer than 3 s" in said
    assert left == []
    assert commands_of(seconds) == []


@pytest.mark.slow
def test_a_conversion_writes_nothing_outside_temporary_folders(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    document = tmp_path / "a.odt"
    document.write_bytes(good_odt())

    said, left = read_apart(document, timeout_s=30, environment={"HOME": str(home)})

    assert said == "read"
    assert left == []
    assert list(home.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir() if path != home] == ["a.odt"]

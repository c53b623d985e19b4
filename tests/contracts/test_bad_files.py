"""A file that cannot be read is refused in one clear sentence, never with another error."""

import io
import random
import struct
import time
import zipfile
from collections.abc import Callable, Mapping
from functools import cache, partial

import fpdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.errors import InputError, TooLarge, UnreadableFile, UnsupportedMediaType
from nlp.readers import MAX_UNPACKED_BYTES, read_file
from nlp.readers.child import Limits, read_in_child
from tests import directive

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
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


def locked_parts() -> bytes:
    """A .docx whose parts carry the flag of an old zip password."""
    patched = bytearray(good_docx())
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
    "docx with a password on its parts": ("a.docx", locked_parts, UnreadableFile),
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

"""Ten thousand damaged files: each is read or refused in one sentence, whatever the damage.

The files are read in worker processes, so that a reader that crashes or hangs the interpreter is a failure
that names its file: `make_mutant(number)` makes it again.
"""

import faulthandler
import io
import random
import re
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

import docx
import fpdf
import openpyxl
import pptx
import pytest
from PIL import Image

from nlp.errors import InputError
from nlp.readers import read_file
from nlp.readers.containers import unpack
from nlp.readers.lines import PrintedLine

ROOT = Path(__file__).parents[2]
TIME = re.compile(rb"20\d\d-\d\d-\d\dT[\d:.]+Z")
WORDS = "Đường thôn Đoài lầy lội cả mùa mưa, người dân kiến nghị xã sửa sớm."
N_FILES = 10_000
N_WORKERS = 2
SECONDS_A_FILE = 5
MEMORY_BYTES = 2 * 1024**3


def saved(document: object) -> bytes:
    """An Office file without the time at which it was made."""
    out = io.BytesIO()
    document.save(out)  # type: ignore[attr-defined]  # python-docx, python-pptx and openpyxl alike
    with zipfile.ZipFile(out) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return zipped({name: TIME.sub(b"2026-01-02T03:04:05Z", part) for name, part in parts.items()})


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def small_docx() -> bytes:
    """Words, a numbered list and a table."""
    document = docx.Document()
    document.add_paragraph(WORDS)
    document.add_paragraph(WORDS, style="List Number")
    document.add_table(1, 2).cell(0, 1).text = WORDS
    return saved(document)


def small_pdf(*lines: str) -> bytes:
    pdf = fpdf.FPDF()
    pdf.set_compression(False)
    pdf.set_creation_date(datetime(2026, 1, 2, tzinfo=UTC))
    pdf.add_page()
    pdf.set_font("Helvetica")
    for line in lines:
        pdf.cell(text=line, new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def small_rtf() -> bytes:
    coded = "".join(char if char.isascii() else f"\\u{ord(char)}?" for char in WORDS)
    head = r"{\rtf1\ansi\ansicpg1258{\fonttbl{\f0 Arial;}}\trowd\cellx900\intbl "
    return f"{head}{coded}\\cell\\row\\pard {coded}\\par}}".encode("ascii")


def small_xlsx() -> bytes:
    book = openpyxl.Workbook()
    for row in (["Nội dung", "Ngày"], [WORDS, 2], ["=1+1", True]):
        book.active.append(row)
    return saved(book)


def small_pptx() -> bytes:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = WORDS
    return saved(deck)


def small_odt() -> bytes:
    space = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<office:document-content xmlns:office="{space}:office:1.0" xmlns:text="{space}:text:1.0">'
        f"<office:body><office:text><text:p>{WORDS}</text:p><text:list><text:list-item><text:p>{WORDS}"
        "</text:p></text:list-item></text:list></office:text></office:body></office:document-content>"
    )
    return zipped(
        {"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": content.encode()}
    )


def small_eml() -> bytes:
    head = (
        "From: a@vi.du\r\nSubject: =?utf-8?q?Ki=E1=BA=BFn_ngh=E1=BB=8B?=\r\nMIME-Version: 1.0\r\n"
    )
    plain = (
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{WORDS}"
    )
    page = f"Content-Type: text/html; charset=utf-8\r\n\r\n<p>{WORDS}</p>"
    attached = (
        'Content-Type: application/pdf; name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n'
        "Content-Disposition: attachment; filename*=utf-8''v%C4%83n.txt\r\n\r\nVsSDbiBi4bqjbg=="
    )
    bounded = "\r\n--b\r\n".join(["", plain, page, attached])
    return f"{head}Content-Type: multipart/mixed; boundary=b\r\n{bounded}\r\n--b--\r\n".encode()


def small_picture(kind: str) -> bytes:
    pages = [Image.linear_gradient("L").resize((60, 40)) for _ in range(2)]
    out = io.BytesIO()
    more = {"save_all": True, "append_images": pages[1:]} if kind == "TIFF" else {}
    pages[0].save(out, kind, **more)
    return out.getvalue()


# name of the file -> how to make a good one
GOOD: dict[str, Callable[[], bytes]] = {
    "a.txt": lambda: f"{WORDS}\r\n- {WORDS}\n".encode(),
    "b.txt": lambda: f"{WORDS}\n".encode("utf-16"),
    "a.md": lambda: f"# {WORDS}\n\n1. *{WORDS}*\n\n| a | b |\n|---|---|\n| c | `d` |\n<b>".encode(),
    "a.html": lambda: f'<meta charset="utf-8"><ol start=3><li>{WORDS}<table><td>{WORDS}'.encode(),
    "a.docx": small_docx,
    "a.pdf": partial(small_pdf, "Ban dan van xa: hai dong chu", "Lam theo quy dinh"),
    "b.pdf": partial(small_pdf, "B an d a n v an x a", "qwrt zxcv"),  # read again by its places
    "a.rtf": small_rtf,
    "a.xlsx": small_xlsx,
    "a.pptx": small_pptx,
    "a.odt": small_odt,
    "a.eml": small_eml,
    "a.zip": lambda: zipped({"thư/a.txt": WORDS.encode(), "b.zip": zipped({"c.txt": b"mot"})}),
    "a.png": partial(small_picture, "PNG"),
    "a.tif": partial(small_picture, "TIFF"),
    "a.jpg": partial(small_picture, "JPEG"),
}
FORMATS = tuple(GOOD)


@cache
def good(name: str) -> bytes:
    return GOOD[name]()


def make_mutant(number: int) -> tuple[str, bytes]:
    """The name and the bytes of one damaged file, the same in every run."""
    rng = random.Random(number)  # noqa: S311 - repeatable, not secret
    name = rng.choice(FORMATS)
    data = good(name)
    if data.startswith(b"PK") and rng.random() < 0.6:
        return name, damaged_within(data, rng)
    return name, damaged(data, rng)


def damaged_within(data: bytes, rng: random.Random) -> bytes:
    """A container that is whole, with one part that is not: past the checksums, into the parsers."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    chosen = rng.choice(sorted(parts))
    parts[chosen] = damaged(parts[chosen], rng)
    return zipped(parts)


def damaged(data: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.choice((1, 1, 2, 5))):
        data = rng.choice(DAMAGES)(data, rng)
    return data


def flip_bits(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8) if data else 0):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(data: bytes, rng: random.Random) -> bytes:
    """The file without its end, or without a stretch of its middle."""
    start, end = stretch(data, rng)
    return data[:start] if rng.random() < 0.5 else data[:start] + data[end:]


def splice(data: bytes, rng: random.Random) -> bytes:
    """A stretch of a file of any format in the place of a stretch."""
    start, end = stretch(data, rng)
    other = good(rng.choice(FORMATS))
    first, last = stretch(other, rng)
    return data[:start] + other[first:last] + data[end:]


def repeat(data: bytes, rng: random.Random) -> bytes:
    start, end = stretch(data, rng)
    return data[:end] + data[start:end] * rng.randint(1, 20) + data[end:]


def enlarge(data: bytes, rng: random.Random) -> bytes:
    """A number within the file made very large, negative or no number."""
    at = data.find(bytes([rng.choice(b"0123456789")]), rng.randrange(len(data) + 1))
    number = rng.choice((b"-1", b"0", b"99999999999999999999", b"2147483648", b"1e9", b"x"))
    return data if at < 0 else data[:at] + number + data[at + 1 :]


DAMAGES = (flip_bits, cut, splice, repeat, enlarge)


def stretch(data: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.choice((1, 4, 40, 400)))


def read_mutant(number: int) -> str | None:
    """What was wrong with the reading of a damaged file, or None."""
    name, data = make_mutant(number)
    try:
        if name.endswith(".zip"):
            refused = [str(part.error) for part in unpack(data, name=name) if part.error]
        else:
            refused = []
            if not read_file(data, name=name).text.strip():
                return "a Document without text"
    except InputError as error:
        refused = [str(error)]
    except BaseException as error:  # a panic of a Rust library is no Exception
        return f"{type(error).__name__}: {error}"
    bad = [message for message in refused if not 20 <= len(message) <= 200 or "\n" in message]
    return f"no sentence: {bad[0]!r}" if bad else None


def read_all(first: int) -> None:
    """What a worker does: every file from `first` on that is its own, without other programs."""
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    line = PrintedLine(WORDS, 1, 0.1, 0.1, 0.9, 0.2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shutil.which", lambda program: None)
        patch.setattr("nlp.readers.picture.recognise", lambda image, *, page: ([line], ()))
        patch.setattr("nlp.readers.picture._LONG_SIDE", (60, 100))
        for number in range(first, N_FILES, N_WORKERS):
            faulthandler.dump_traceback_later(SECONDS_A_FILE, exit=True)
            sys.stdout.write(f"{number} ")
            sys.stdout.flush()
            sys.stdout.write(f"{read_mutant(number) or ''}\n")


@pytest.mark.slow
def test_ten_thousand_damaged_files_are_read_or_refused() -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.properties.test_mutated_files", str(first)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for first in range(N_WORKERS)
    ]  # fmt: skip

    said = [worker.communicate() for worker in workers]

    for worker, (out, err) in zip(workers, said, strict=True):
        last = out.split("\n")[-1]
        assert worker.returncode == 0, f"file {last} ended its reader:\n{err[-3000:]}"
    faults = [line for out, _ in said for line in out.splitlines() if line.strip(" 0123456789")]
    assert faults == []


if __name__ == "__main__":
    read_all(int(sys.argv[1]))

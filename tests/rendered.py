"""Documents in the forms that offices really send: converted by LibreOffice, scanned, torn, in old fonts."""

import io
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import docx
import fpdf
import numpy as np
import pypdfium2
import pytest
from docx.oxml.ns import qn
from PIL import Image, ImageFilter

from nlp.legacy import to_tcvn3
from tests import directive

DEJAVU = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


@cache
def converted(data: bytes, to: str) -> bytes:
    """A .docx file as LibreOffice saves it in another format: doc, odt, rtf, pdf."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not installed (apt-get install libreoffice-writer-nogui)")
    with tempfile.TemporaryDirectory() as place:
        Path(place, "a.docx").write_bytes(data)
        command = [
            program, f"-env:UserInstallation=file://{place}/profile", "--headless", "--convert-to", to,
            "--outdir", place, f"{place}/a.docx",
        ]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        return Path(place, f"a.{to}").read_bytes()


def pictures(pdf: bytes, *, dpi: int = 200) -> list[Image.Image]:
    """The pages of a PDF as grey pictures."""
    with pypdfium2.PdfDocument(pdf) as opened:
        return [page.render(scale=dpi / 72, grayscale=True).to_pil() for page in opened]


def worn(page: Image.Image, *, skew: float = 0.7, seed: int = 1) -> Image.Image:
    """A page as a cheap scanner gives it: askew, blurred, with specks."""
    turned = page.rotate(skew, resample=Image.Resampling.BICUBIC, fillcolor=255)
    grain = np.random.default_rng(seed).normal(0, 14, (turned.height, turned.width))
    grey = np.asarray(turned.filter(ImageFilter.GaussianBlur(0.6)), dtype=np.float64) + grain
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))


def bound(pages: Sequence[Image.Image], *, dpi: int = 200) -> bytes:
    """Pictures as the pages of a PDF, as a scanner saves them."""
    out = io.BytesIO()
    pages[0].save(
        out, "PDF", save_all=True, append_images=list(pages[1:]), resolution=dpi, quality=70
    )
    return out.getvalue()


def scan(pdf: bytes) -> bytes:
    """A PDF printed and scanned at 200 dpi."""
    return bound([worn(page, seed=i) for i, page in enumerate(pictures(pdf))])


def as_picture(page: Image.Image, kind: str) -> bytes:
    """A picture in a format of Pillow."""
    if kind == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    out = io.BytesIO()
    page.convert("RGB").save(out, kind)
    return out.getvalue()


def torn_pdf(lines: Sequence[str]) -> bytes:
    """A PDF whose Vietnamese letters stand apart from the others in the file, right on the page.

    So do programs whose font lacks those letters and takes them from a second one.
    """
    pdf = fpdf.FPDF()
    pdf.add_font("DejaVu", "", DEJAVU)
    pdf.set_font("DejaVu", size=10)
    pdf.add_page()
    places = []
    for row, line in enumerate(lines):
        x = 20.0
        for char in line:
            places.append((x, 20.0 + 6 * row, char))
            x += pdf.get_string_width(char)
    for own in (True, False):
        for left, top, char in places:
            if char.isascii() == own and char != " ":
                pdf.text(left, top, char)
    return bytes(pdf.output())


def in_old_font(paragraphs: Sequence[str], *, font: str = ".VnTime") -> bytes:
    """A .docx in an ABC font, as offices wrote before Unicode; titles in the font of capitals."""
    doc = docx.Document()
    for text in paragraphs:
        capital = text.isupper()
        run = doc.add_paragraph().add_run(to_tcvn3(text.lower() if capital else text))
        name = f"{font}H" if capital else font
        run.font.name = name
        run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:hAnsi"), name)
    out = io.BytesIO()
    doc.save(out)
    return out.getvalue()


@cache
def directive_pdf() -> bytes:
    return directive.to_pdf()

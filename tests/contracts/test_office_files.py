"""What staff upload beside text, web pages, .docx and born-digital PDF: every route with a real file."""

import email.message
import io
import zipfile
from collections.abc import Callable
from functools import partial

import openpyxl
import pptx
import pytest
import xlwt

from nlp.legacy import LEGACY
from nlp.readers import read_file
from nlp.readers.child import read_in_child
from nlp.readers.containers import unpack
from nlp.readers.ocr import OCR, require_tesseract
from nlp.readers.pdf import BROKEN_FONT
from nlp.syllables import known_share
from nlp.types import Document
from tests import directive, rendered
from tests.scoring import error_rate

SENTENCES = (
    "ỦY BAN NHÂN DÂN XÃ ĐÔNG SƠN",
    "Điều khoản thi hành của Quyết định này có hiệu lực kể từ ngày ký.",
    "Trưởng phòng Kinh tế, Chủ tịch Hội Nông dân và các hộ dân chịu trách nhiệm thi hành.",
)


def paragraphs_of(doc: Document) -> list[str]:
    return [" ".join(doc.text[block.start : block.end].split()) for block in doc.blocks]


@pytest.mark.parametrize("extension", ["doc", "odt", "rtf"])
def test_texts_of_office_programs_give_the_same_paragraphs(extension: str) -> None:
    data = rendered.converted(directive.to_docx(), extension)

    assert paragraphs_of(read_in_child(data, name=f"a.{extension}")) == list(directive.PARAGRAPHS)


def test_an_old_word_file_is_read_without_libreoffice_and_says_what_it_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = rendered.converted(directive.to_docx(), "doc")
    monkeypatch.setattr("shutil.which", lambda program: None)

    doc = read_file(data, name="a.doc")

    assert "automatic_numbers_lost" in doc.issues
    assert doc.text.startswith("THÀNH ỦY SÔNG NGỌC\nSố 12-CT/TU\n")
    assert error_rate(doc.text, "\n".join(directive.PARAGRAPHS)) < 0.02  # the numbers


@pytest.mark.parametrize("extension", ["docx", "doc", "rtf"])
def test_old_fonts_are_read_as_they_show(extension: str) -> None:
    data = rendered.in_old_font(SENTENCES)
    if extension != "docx":
        data = rendered.converted(data, extension)

    doc = read_in_child(data, name=f"a.{extension}")

    assert LEGACY in doc.issues
    found = paragraphs_of(doc)
    assert [text.casefold() for text in found] == [text.casefold() for text in SENTENCES]
    assert extension == "rtf" or found[0].isupper()  # RTF keeps no font that a reader of it tells


def test_a_scan_is_recognised_page_by_page() -> None:
    doc = read_in_child(rendered.scan(rendered.directive_pdf()), name="scan.pdf")

    assert OCR in doc.issues
    assert {place.page for place in doc.places} == {1, 2, 3}
    assert error_rate(doc.text, "\n".join(directive.PARAGRAPHS)) < 0.03


def test_only_the_pages_that_need_it_are_recognised() -> None:
    pages = rendered.pictures(rendered.directive_pdf())
    import pypdfium2

    mixed = pypdfium2.PdfDocument.new()
    mixed.import_pages(pypdfium2.PdfDocument(rendered.directive_pdf()), [0])
    mixed.import_pages(pypdfium2.PdfDocument(rendered.bound([rendered.worn(pages[1])])))
    out = io.BytesIO()
    mixed.save(out)

    doc = read_in_child(out.getvalue(), name="a.pdf")

    first = [line for line in doc.places if line.page == 1]
    clean = read_file(rendered.directive_pdf(), name="a.pdf")
    assert [doc.text[line.start : line.end] for line in first] == [
        clean.text[line.start : line.end] for line in clean.places if line.page == 1
    ]
    assert any(line.page == 2 for line in doc.places)
    assert OCR in doc.issues


def test_letters_torn_apart_in_the_file_are_put_together_by_their_places() -> None:
    doc = read_file(rendered.torn_pdf(SENTENCES), name="a.pdf")

    assert BROKEN_FONT in doc.issues
    assert paragraphs_of(doc) == list(SENTENCES)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "BMP", "HEIF"])
def test_a_photograph_is_recognised(kind: str) -> None:
    page = rendered.pictures(rendered.directive_pdf())[0]
    extension = {"JPEG": "jpg", "TIFF": "tif", "HEIF": "heic"}.get(kind, kind.lower())

    doc = read_in_child(rendered.as_picture(page, kind), name=f"anh.{extension}")

    assert OCR in doc.issues
    assert "THÀNH ỦY SÔNG NGỌC" in doc.text
    assert known_share(doc.text)[0] > 0.95


def test_places_are_where_the_letters_stand() -> None:
    page = rendered.pictures(rendered.directive_pdf(), dpi=100)[0]
    doc = read_file(rendered.directive_pdf(), name="a.pdf")

    for place in doc.places:
        assert 0 <= place.left < place.right <= 1
        assert 0 <= place.top < place.bottom <= 1
    for place in (p for p in doc.places if p.page == 1):
        left, right = int(place.left * page.width), int(place.right * page.width) + 1
        top, bottom = int(place.top * page.height), int(place.bottom * page.height) + 1
        assert min(page.crop((left, top, right, bottom)).tobytes()) < 128  # ink


def workbook() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["Nội dung", "Ngày"])
    book.active.append(["Đường ngập quá, khổ lắm", "2026-01-02"])
    book.active.append(['=HYPERLINK("http://vi.du", "bấm vào")', 3])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def old_workbook() -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Ý kiến")
    sheet.write(0, 0, "Đường ngập quá, khổ lắm")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def slides() -> bytes:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Kế hoạch dân vận năm 2026"
    slide.placeholders[1].text = "Tiếp công dân mỗi tuần một ngày"
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()


def message(*, html: bool = False) -> bytes:
    mail = email.message.EmailMessage()
    mail["From"] = "nguoi.gui@vi.du"
    mail["To"] = "ban.dan.van@vi.du"
    mail["Subject"] = "Kiến nghị về đường thôn Đoài"
    if html:
        mail.set_content("<p>Đường thôn <b>lầy lội</b> cả mùa mưa.</p>", subtype="html")
    else:
        mail.set_content("Đường thôn lầy lội cả mùa mưa.\n> thư trước của ai đó\n")
    mail.add_attachment(
        directive.to_docx(), maintype="application", subtype="msword", filename="chi-thi.docx"
    )
    return bytes(mail)


@pytest.mark.parametrize(
    ("name", "make", "wanted"),
    [
        ("a.xlsx", workbook, "Đường ngập quá, khổ lắm | 2026-01-02"),
        ("a.xls", old_workbook, "Đường ngập quá, khổ lắm"),
        ("a.pptx", slides, "Tiếp công dân mỗi tuần một ngày"),
        ("a.eml", message, "Đường thôn lầy lội cả mùa mưa."),
        ("a.eml", partial(message, html=True), "Đường thôn lầy lội cả mùa mưa."),
        ("a.csv", lambda: "noi_dung;ngay\nĐường ngập;1".encode("utf-16"), "Đường ngập;1"),
        ("a.doc", lambda: "<html><p>Thông báo</p></html>".encode(), "Thông báo"),
    ],
)
def test_other_formats_give_their_words(name: str, make: Callable[[], bytes], wanted: str) -> None:
    assert wanted in paragraphs_of(read_in_child(make(), name=name))


def test_a_formula_is_not_worked_out_and_who_wrote_a_mail_is_not_read() -> None:
    assert "bấm vào" not in read_file(workbook(), name="a.xlsx").text
    assert "vi.du" not in read_file(message(), name="a.eml").text
    assert "thư trước" not in read_file(message(), name="a.eml").text


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_the_files_of_an_archive_come_under_names_that_lead_nowhere() -> None:
    inner = zipped({"sau.txt": "Văn bản bên trong".encode()})
    data = zipped(
        {
            "../../etc/cron.d/a.txt": "Một".encode(),
            "C:\\tam\\b.txt": b"Hai",
            "thư mục/c.docx": directive.to_docx(),
            "d.zip": inner,
            "e.eml": message(),
            "__MACOSX/._c.docx": b"x",
        }
    )

    parts = {part.name: part for part in unpack(data, name="a.zip")}

    assert set(parts) == {
        "etc/cron.d/a.txt",
        "tam/b.txt",
        "thư mục/c.docx",
        "d.zip/sau.txt",
        "e.eml",
        "e.eml/chi-thi.docx",
    }
    assert all(part.error is None for part in parts.values())


def test_recognition_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    scan = rendered.bound([rendered.worn(rendered.pictures(rendered.directive_pdf())[0])])
    monkeypatch.setattr("shutil.which", lambda program: None)
    require_tesseract.cache_clear()
    try:
        with pytest.raises(Exception, match="tesseract-ocr-vie"):
            read_file(scan, name="a.pdf")
    finally:
        require_tesseract.cache_clear()


@pytest.mark.parametrize(
    "kind",
    [
        "application/vnd.ms-word.document.macroEnabled.main+xml",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml",
    ],
)
def test_a_word_file_with_macros_or_a_template_is_read_like_any_other(kind: str) -> None:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(directive.to_docx())) as old,
        zipfile.ZipFile(out, "w") as new,
    ):
        for entry in old.infolist():
            usual = (
                b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
            )
            new.writestr(entry.filename, old.read(entry).replace(usual, kind.encode()))

    doc = read_in_child(out.getvalue(), name="a.docm")

    assert paragraphs_of(doc) == list(directive.PARAGRAPHS)

"""Bytes to Document: one file a family of formats, found through one table.

The family is told by the bytes first and by the name second: a PDF called `.docx` is read as a PDF.
Files from outside go through `nlp.readers.child`, which runs `read_file` in a process that can be killed.
"""

import importlib
import re
import zipfile
from pathlib import PurePath

from nlp.errors import TooLarge, UnreadableFile, UnsupportedMediaType
from nlp.legacy import LEGACY, to_unicode
from nlp.protocols import Reader
from nlp.readers.containers import open_zip
from nlp.readers.lines import document_from_text
from nlp.types import Document

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_ODT = "application/vnd.oasis.opendocument.text"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
EXTENSIONS = {
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
    ".docx": _DOCX,
    ".doc": "application/msword",
    ".odt": _ODT,
    ".rtf": "application/rtf",
    ".pdf": "application/pdf",
    ".xlsx": _XLSX,
    ".xls": "application/vnd.ms-excel",
    ".csv": "text/csv",
    ".pptx": _PPTX,
    ".eml": "message/rfc822",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
    ".heic": "image/heic",
}
# media type -> module under nlp.readers with a function `read`; imported when first needed
_READERS = {
    "text/plain": "plain",
    "text/csv": "plain",
    "text/markdown": "markdown",
    "text/html": "html",
    _DOCX: "docx",
    "application/msword": "office",
    _ODT: "office",
    "application/rtf": "rtf",
    "application/pdf": "pdf",
    _XLSX: "sheet",
    "application/vnd.ms-excel": "office",
    _PPTX: "office",
    "message/rfc822": "mail",
    "image/jpeg": "picture",
    "image/png": "picture",
    "image/tiff": "picture",
    "image/webp": "picture",
    "image/bmp": "picture",
    "image/heic": "picture",
}
# the first bytes of formats that have them, most telling first
_MAGIC = (
    (re.compile(rb"\s*%PDF-"), "application/pdf"),
    (re.compile(rb"\{\\rtf"), "application/rtf"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"II\*\0|MM\0\*"), "image/tiff"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb".{4}ftyp(?:heic|heix|mif1|msf1|hevc)", re.DOTALL), "image/heic"),
    # two letters and the size of its second header: a text may begin with the letters
    (re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL), "image/bmp"),
)
_HEAD_BYTES = 1024  # of a file, in which its format is told
# what a zip container must hold to be of a format
_ZIP_MARKS = {
    "word/document.xml": _DOCX,
    "xl/workbook.xml": _XLSX,
    "ppt/presentation.xml": _PPTX,
}
_OLE_STREAMS = {
    "WordDocument": "application/msword",
    "Workbook": "application/vnd.ms-excel",
    "Book": "application/vnd.ms-excel",
}
_TOLD_BY_NAME = {"text/plain", "text/csv", "text/markdown", "text/html", "message/rfc822"}
_SHOWN_EXTENSION = 20  # characters
MAX_UNPACKED_BYTES = 300 * 1024 * 1024
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read_file(data: bytes, *, name: str) -> Document:
    """Read a file of any supported format.

    Args:
        data: the whole file.
        name: its name; only the extension counts.

    Raises:
        UnsupportedMediaType: no reader for this extension or content.
        UnreadableFile: empty, damaged, encrypted, or without text.
        TooLarge: it unpacks to more than 300 MiB.
    """
    if not data:
        raise UnreadableFile("the file is empty (0 bytes); send a file with text in it")
    media_type = sniff(data, name=name)
    reader: Reader = importlib.import_module(f"nlp.readers.{_READERS[media_type]}").read
    doc = reader(data, media_type=media_type)
    if not doc.text.strip():
        raise UnreadableFile("the file holds no text; send one with a text layer")
    return doc


def from_text(text: str) -> Document:
    """A Document over a string, such as an opinion or a field of a batch."""
    decoded = to_unicode(text)
    issues = () if decoded == text else (LEGACY,)
    return document_from_text(decoded, media_type="text/plain", issues=issues)


def sniff(data: bytes, *, name: str) -> str:
    """The media type of a file, by its first bytes, then by its name.

    Raises:
        UnsupportedMediaType: neither tells a format that has a reader.
        UnreadableFile: the bytes are those of a damaged or encrypted Office file.
        TooLarge: a zip container unpacks to more than 300 MiB.
    """
    extension = PurePath(name).suffix.lower()
    if told := _sniff_bytes(data, extension=extension):
        return told
    media_type = EXTENSIONS.get(extension) if extension else "text/plain"
    if media_type is None:
        raise UnsupportedMediaType(
            f"no reader for {extension[:_SHOWN_EXTENSION]!r} files; send a text, web page, Office file,"
            " PDF, e-mail or picture"
        )
    if media_type not in _TOLD_BY_NAME:
        if b"<html" in data[:_HEAD_BYTES].lower():
            return "text/html"  # web pages are often saved as .doc and .xls
        raise UnreadableFile(
            f"the file is named {extension} but its bytes are not of that format (damaged, cut off,"
            " or another kind of file); save it again and send it"
        )
    return media_type


def _sniff_bytes(data: bytes, *, extension: str) -> str | None:
    """The media type that the first bytes tell, or None."""
    if data.startswith(b"PK\x03\x04"):
        return _sniff_zip(data, extension=extension)
    if data.startswith(_OLE_MAGIC):
        return _sniff_ole(data)
    return next((told for magic, told in _MAGIC if magic.match(data[:_HEAD_BYTES])), None)


def _sniff_ole(data: bytes) -> str:
    """The format of an old Office file, by the names of its streams."""
    for name, media_type in _OLE_STREAMS.items():
        if f"{name}\0".encode("utf-16-le") in data:
            return media_type
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise UnreadableFile("the document is encrypted; remove its password and send it again")
    raise UnsupportedMediaType("an Office file of a kind that is not read; save it as .docx")


def _sniff_zip(data: bytes, *, extension: str) -> str:
    with open_zip(data) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MAX_UNPACKED_BYTES:
            raise TooLarge("the file unpacks to more than 300 MiB; it is not read")
        names = set(archive.namelist())
        for mark, media_type in _ZIP_MARKS.items():
            if mark in names:
                return media_type
        if "mimetype" in names and (own := _own_type(archive)) == _ODT:
            return own
    shown = extension[:_SHOWN_EXTENSION] or "no extension"
    raise UnsupportedMediaType(f"a zip container ({shown!r}) that is no document; unpack it first")


def _own_type(archive: zipfile.ZipFile) -> str:
    """What an OpenDocument file says that it is."""
    try:
        with archive.open("mimetype") as file:
            return file.read(100).decode("ascii", "replace").strip()
    except Exception as error:  # zipfile and its decompressors raise a dozen kinds
        raise UnreadableFile("the file is damaged or cut off; save it again and send it") from error

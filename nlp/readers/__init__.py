"""Bytes to Document: one file a family of formats, found through one table.

The family is told by the bytes first and by the name second: a PDF called `.docx` is read as a PDF.
Files from outside go through `nlp.readers.child`, which runs `read_file` in a process that can be killed.
"""

import importlib
import io
import zipfile
from pathlib import PurePath

from nlp.errors import InputError, TooLarge, UnreadableFile, UnsupportedMediaType
from nlp.legacy import LEGACY, to_unicode
from nlp.protocols import Reader
from nlp.readers.lines import document_from_text
from nlp.types import Document

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EXTENSIONS = {
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
    ".docx": _DOCX,
    ".pdf": "application/pdf",
}
# media type -> module under nlp.readers with a function `read`; imported when first needed
_READERS = {
    "text/plain": "plain",
    "text/markdown": "markdown",
    "text/html": "html",
    _DOCX: "docx",
    "application/pdf": "pdf",
}
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
    if data[:1024].lstrip().startswith(b"%PDF-"):
        return "application/pdf"
    if data.startswith(b"PK\x03\x04"):
        return _sniff_zip(data, extension=extension)
    if data.startswith(_OLE_MAGIC):
        raise _ole_error(data)
    media_type = EXTENSIONS.get(extension) if extension else "text/plain"
    if media_type is None:
        known = ", ".join(EXTENSIONS)
        raise UnsupportedMediaType(f"no reader for {extension!r} files; send one of {known}")
    if media_type in {_DOCX, "application/pdf"}:
        raise UnreadableFile(
            f"the file is named {extension} but its bytes are not of that format (damaged, cut off,"
            " or another kind of file); save it again and send it"
        )
    return media_type


def _ole_error(data: bytes) -> InputError:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return UnreadableFile("the document is encrypted; remove its password and send it again")
    return UnsupportedMediaType("old Office files (.doc, .xls) are not read; save it as .docx")


def _sniff_zip(data: bytes, *, extension: str) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
        raise UnreadableFile("the file is damaged or cut off; save it again and send it") from error
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
        raise TooLarge("the file unpacks to more than 300 MiB; it is not read")
    if "word/document.xml" in {entry.filename for entry in entries}:
        return _DOCX
    raise UnsupportedMediaType(f"a zip container ({extension or 'no extension'}) that is no .docx")

"""Plain text: bytes decoded by detection, never by hope."""

import codecs

from nlp.errors import UnreadableFile
from nlp.legacy import LEGACY, to_unicode
from nlp.readers.lines import document_from_text
from nlp.types import Document

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# A text in UTF-8 with a few broken bytes is still UTF-8; beyond this share it is something else.
_MAX_BROKEN_SHARE = 0.02
_MAX_CONTROL_SHARE = 0.05


def read(data: bytes, *, media_type: str) -> Document:
    """Read a text file in any common encoding; the text stays as it is, but for NFC.

    Raises:
        UnreadableFile: the bytes are not text in any encoding that could be told.
    """
    text, issues = decode(data)
    return document_from_text(text, media_type=media_type, issues=issues)


def decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Decode bytes of unknown encoding; the second value names what was wrong with them.

    Order: byte-order mark, UTF-8, UTF-8 with few broken bytes, UTF-16 without a mark, TCVN3, then the guess
    of charset-normalizer (windows-1258 among others).

    Raises:
        UnreadableFile: binary data, or no encoding fits.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data.decode(encoding, errors="replace"), ()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_legacy(data)
    return _checked(text, data), ()


def _decode_legacy(data: bytes) -> tuple[str, tuple[str, ...]]:
    text = data.decode("utf-8", errors="replace")
    n_foreign = sum(ch > "\x7f" for ch in text)
    if text.count("\ufffd") <= max(1, _MAX_BROKEN_SHARE * n_foreign) and n_foreign > 1:
        return _checked(text, data), ("broken_bytes",)
    latin = data.decode("latin-1")
    if (decoded := to_unicode(latin)) != latin:
        return _checked(decoded, data), (LEGACY,)
    from charset_normalizer import from_bytes  # 40 ms, only for old files

    best = from_bytes(data).best()
    if best is None:
        raise UnreadableFile(
            "the file is not text in any known encoding; save it as UTF-8 text or send the original"
        )
    return _checked(str(best), data), (f"decoded_{best.encoding}",)


def _checked(text: str, data: bytes) -> str:
    n_control = sum(ch < " " and ch not in "\t\n\r\f" for ch in text[:100_000])
    if not n_control or n_control <= _MAX_CONTROL_SHARE * min(len(text), 100_000):
        return text
    for encoding in ("utf-16-le", "utf-16-be"):
        # every second byte of Latin text in UTF-16 is zero
        zeros = data[1 if encoding == "utf-16-le" else 0 :: 2][:10_000]
        if 0.2 < zeros.count(0) / max(1, len(zeros)) < 1:
            return data.decode(encoding, errors="replace")
    raise UnreadableFile(
        "the file is binary, not text; send a .txt, .md, .html, .docx or .pdf file"
    )

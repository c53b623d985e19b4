"""E-mail (.eml): subject and words of the message; who wrote it is not read.

Attachments are documents of their own (`nlp.readers.containers`).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import EmailPolicy

from nlp.errors import InputError, TooLarge, UnreadableFile
from nlp.readers.lines import Piece, assemble
from nlp.readers.plain import decode
from nlp.types import Document

_MAX_HEADER = 8_000  # characters; the parser's time grows with their square
_PARSED = {"subject", "content-type", "content-disposition", "content-transfer-encoding"}
_QUOTED = re.compile(r"^>+ ?.*$", re.MULTILINE)  # what an earlier writer said


def read(data: bytes, *, media_type: str) -> Document:
    """Read the subject and the body of a message; senders and recipients are left out.

    Raises:
        UnreadableFile: it is no message, is damaged, or has no text.
        TooLarge: a header has over 8,000 characters.
    """
    with _as_unreadable():
        message = _parse(data)
        pieces = [Piece(str(message.get("subject", "")), "heading"), *_body(message)]
    if not any(piece.text.strip() for piece in pieces):
        raise UnreadableFile("the message has no text; send its attachments")
    return assemble(pieces, media_type=media_type)


def attachments(data: bytes) -> list[tuple[str, bytes]]:
    """Name and bytes of each attachment; either is empty where it cannot be told.

    Raises:
        UnreadableFile: it is no message, or is damaged.
        TooLarge: a header has over 8,000 characters.
    """
    with _as_unreadable():
        parts = _parse(data).iter_attachments()
        return [(part.get_filename() or "", _content(part)) for part in parts]


@contextmanager
def _as_unreadable() -> Iterator[None]:
    """Turn what the parser raises for damaged and for deeply nested messages into one error."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:  # the parser and its codecs raise a dozen kinds
        raise UnreadableFile("the message is damaged; save it again and send it") from error


class _BoundedPolicy(EmailPolicy):
    """The parser's own policy, without headers that would take it minutes."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """A header as it stands in the file."""
        name, value = super().header_source_parse(sourcelines)
        if len(value) > _MAX_HEADER and name.lower() in _PARSED:
            raise TooLarge(f"a header of the message has over {_MAX_HEADER} characters")
        return name, value


def _parse(data: bytes) -> EmailMessage:
    message = BytesParser(policy=_BoundedPolicy()).parsebytes(data)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise UnreadableFile("the file is no e-mail message; save it again as .eml and send it")
    return message


def _body(message: EmailMessage) -> Iterator[Piece]:
    part = message.get_body(("plain", "html"))
    if part is None:
        return
    try:
        text = part.get_content()
    except (LookupError, ValueError):  # a charset that does not exist, or cannot be true
        text, _ = decode(_content(part))
    if part.get_content_subtype() == "html":
        from nlp.readers import html

        doc = html.read(text.encode(), media_type="text/html")
        yield from (Piece(doc.text[b.start : b.end], b.kind) for b in doc.blocks)
        return
    yield from (Piece(line) for line in _QUOTED.sub("", text).split("\n"))


def _content(part: Message) -> bytes:
    """The bytes of a part; none where they cannot be decoded."""
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError):
        return b""
    return content if isinstance(content, bytes) else b""

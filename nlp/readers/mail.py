"""E-mail (.eml): subject and words of the message; who wrote it is not read.

Attachments are documents of their own (`nlp.readers.containers`).
"""

import re
from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from nlp.errors import UnreadableFile
from nlp.readers.lines import Piece, assemble
from nlp.types import Document

_QUOTED = re.compile(r"^>+ ?.*$", re.MULTILINE)  # what an earlier writer said


def read(data: bytes, *, media_type: str) -> Document:
    """Read the subject and the body of a message; senders and recipients are left out.

    Raises:
        UnreadableFile: it is no message, or has no text.
    """
    message = parse(data)
    pieces = [Piece(str(message.get("subject", "")), "heading"), *_body(message)]
    if not any(piece.text.strip() for piece in pieces):
        raise UnreadableFile("the message has no text; send its attachments")
    return assemble(pieces, media_type=media_type)


def parse(data: bytes) -> EmailMessage:
    """The message in a file.

    Raises:
        UnreadableFile: it cannot be parsed.
    """
    try:
        message = BytesParser(policy=policy.default).parsebytes(data)
    except (ValueError, LookupError, IndexError, AttributeError, RecursionError) as error:
        raise UnreadableFile("the message is damaged; save it again and send it") from error
    if not isinstance(message, EmailMessage) or not message.keys():
        raise UnreadableFile("the file is no e-mail message; save it again as .eml and send it")
    return message


def _body(message: EmailMessage) -> Iterator[Piece]:
    part = message.get_body(("plain", "html"))
    if part is None:
        return
    try:
        text = part.get_content()
    except (LookupError, ValueError, KeyError) as error:
        raise UnreadableFile("the message has an unknown encoding; send its text") from error
    if part.get_content_subtype() == "html":
        from nlp.readers import html

        doc = html.read(text.encode(), media_type="text/html")
        yield from (Piece(doc.text[b.start : b.end], b.kind) for b in doc.blocks)
        return
    yield from (Piece(line) for line in _QUOTED.sub("", text).split("\n"))

"""Markdown: marks off, lists and numbers kept, one block a paragraph."""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

from nlp.readers.lines import Piece, assemble, paragraph_starts
from nlp.readers.plain import decode
from nlp.types import BlockKind, Document

_RULE = re.compile(r"[\s|*_=–—-]*")
_TAG = re.compile(r"<[^<>]*>")


def read(data: bytes, *, media_type: str) -> Document:
    """Read Markdown (CommonMark with tables).

    Rules and lone table bars are dropped. A soft line break joins lines only where it wraps a line: many
    documents saved from web pages have one line a paragraph without a blank line between.

    Raises:
        UnreadableFile: the bytes are not text.
    """
    text, issues = decode(data)
    pieces = _pieces(MarkdownIt("commonmark").enable("table").parse(text))
    return assemble(pieces, media_type=media_type, issues=issues)


def _pieces(tokens: list[Token]) -> Iterator[Piece]:
    marker = ""
    kind: BlockKind = "paragraph"
    lines: list[str] = []
    kinds: list[BlockKind] = []
    for token in tokens:
        if token.type == "list_item_open":
            marker = f"{token.info}{token.markup} "
        elif token.type in {"heading_open", "th_open", "td_open", "paragraph_open"}:
            kind = _KINDS[token.type]
        elif token.type in {"inline", "code_block", "fence", "html_block"}:
            for line in (marker + _plain(token)).split("\n"):
                lines.append("" if _RULE.fullmatch(line) else line.strip())
                kinds.append(kind)
            lines.append("")
            kinds.append(kind)
            marker = ""
    yield from _join(lines, kinds)


_KINDS: dict[str, BlockKind] = {
    "heading_open": "heading",
    "th_open": "cell",
    "td_open": "cell",
    "paragraph_open": "paragraph",
}


def _join(lines: list[str], kinds: list[BlockKind]) -> Iterator[Piece]:
    """Put wrapped lines back together; a blank line always ends a block."""
    held: list[str] = []
    held_kind: BlockKind = "paragraph"
    for line, kind, begins in zip(lines, kinds, paragraph_starts(lines), strict=True):
        if held and (begins or not line):
            yield Piece(" ".join(held), held_kind)
            held = []
        if line:
            held.append(line)
            held_kind = kind
    if held:
        yield Piece(" ".join(held), held_kind)


def _plain(token: Token) -> str:
    """The words of a token; a line feed for each line break."""
    if token.children is None:
        return _TAG.sub("", token.content)
    parts = []
    for child in token.children:
        if child.type in {"softbreak", "hardbreak"}:
            parts.append("\n")
        elif child.type in {"text", "code_inline", "text_special"}:
            parts.append(child.content)
        elif child.type == "html_inline" and child.content.lower().startswith("<br"):
            parts.append("\n")
    return "".join(parts)

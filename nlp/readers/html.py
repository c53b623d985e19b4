"""HTML pages: visible text, one block an element that stands on its own line."""

import codecs
import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from nlp.errors import UnreadableFile
from nlp.readers.lines import Piece, assemble
from nlp.readers.plain import decode
from nlp.types import BlockKind, Document

_SKIPPED = {"script", "style", "noscript", "template", "head", "svg", "iframe", "object", "select"}
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_INLINE = {
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "dfn", "em", "font", "i", "img", "ins",
    "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time",
    "tt", "u", "var", "wbr",
}  # fmt: skip
_META_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([a-zA-Z0-9_-]+)", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_NUMBER = re.compile(r"[0-9]{1,6}")
_BLOCK_TAG = re.compile(
    r"<(/?)(?:address|article|aside|blockquote|center|details|div|dl|fieldset|figure|footer|form|header"
    r"|main|menu|nav|ol|section|table|ul)\b",
    re.IGNORECASE,
)
_MAX_NODES = 500_000
_MAX_DEPTH = 2_000


def read(data: bytes, *, media_type: str) -> Document:
    """Read an HTML page.

    The encoding is the declared one where it decodes, else it is detected. Text of list items gets back
    the number or dash that the browser draws.

    Raises:
        UnreadableFile: the bytes are not text, or the page has over 500,000 nodes or nests its blocks
            over 2,000 deep.
    """
    text, issues = _decode(data)
    _check_depth(text)
    body = LexborHTMLParser(text).body
    pieces = _pieces(body) if body is not None else iter(())
    return assemble(pieces, media_type=media_type, issues=issues)


def _decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    declared = _META_CHARSET.search(data[:4096])
    charset = declared[1].decode("ascii").lower() if declared else "utf-8"
    if charset in {"utf-8", "utf8"} or data.startswith(codecs.BOM_UTF8):
        return decode(data)
    try:
        # a name that was readable as ASCII cannot stand for UTF-16 (WHATWG HTML, 13.2.3.2)
        return (data.decode(charset), ()) if "<".encode(charset) == b"<" else decode(data)
    except (LookupError, UnicodeError):
        return decode(data)


def _check_depth(text: str) -> None:
    """Refuse what the parser would take minutes for: its time grows with the square of the depth."""
    depth = 0
    for match in _BLOCK_TAG.finditer(text):
        depth = max(0, depth + (-1 if match[1] else 1))
        if depth > _MAX_DEPTH:
            raise UnreadableFile(f"the page nests blocks over {_MAX_DEPTH} deep; it is not read")


def _pieces(body: LexborNode) -> Iterator[Piece]:
    """Walk without recursion: pages may be nested deeper than Python's stack."""
    words: list[str] = []
    kind: BlockKind = "paragraph"
    mark = ""
    for step in _steps(body):
        if isinstance(step, str):
            words.append(step)
            continue
        text = _SPACE.sub(" ", "".join(words)).strip()
        if text:
            yield Piece(mark + text, kind)
            mark = ""
        words = []
        kind, new_mark = step
        mark = mark if new_mark is None else new_mark


def _steps(body: LexborNode) -> Iterator[str | tuple[BlockKind, str | None]]:
    """Text, and at each border of a block the kind of what follows.

    The list mark with it waits for the first text of its item; None changes nothing.
    """
    stack: list[tuple[LexborNode, str, bool]] = [(body, "", False)]
    n_nodes = 0
    while stack:
        node, mark, leaving = stack.pop()
        n_nodes += 1
        if n_nodes > _MAX_NODES:
            raise UnreadableFile(f"the page has more than {_MAX_NODES} nodes; it is not read")
        tag = node.tag or ""
        if tag == "-text":
            yield node.text_content or ""
            continue
        if tag in _SKIPPED:
            continue
        if tag not in _INLINE:
            yield ("paragraph" if leaving else _kind(tag), mark if tag == "li" else None)
        if not leaving:
            stack.append((node, "", True))
            stack.extend((child, mark, False) for child, mark in reversed(_children(node)))


def _children(node: LexborNode) -> list[tuple[LexborNode, str]]:
    """The elements and texts in a node, each with the list mark that the browser draws before it.

    To ask a processing instruction (`<?xml ...>`) for its tag can end the process (selectolax 0.4).
    """
    start = node.attributes.get("start") or "" if node.tag == "ol" else ""
    number = int(start) if _NUMBER.fullmatch(start) else 1
    children = []
    for child in node.iter(include_text=True):
        if not (child.is_element_node or child.is_text_node):
            continue
        mark = ""
        if child.tag == "li":
            mark = f"{number}. " if node.tag == "ol" else "- "
            number += 1
        children.append((child, mark))
    return children


def _kind(tag: str) -> BlockKind:
    if tag in _HEADINGS:
        return "heading"
    return "cell" if tag in {"td", "th"} else "paragraph"

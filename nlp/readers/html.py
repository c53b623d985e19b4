"""HTML pages: visible text, one block an element that stands on its own line."""

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
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "dfn", "em", "font", "i", "ins",
    "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time",
    "tt", "u", "var", "wbr",
}  # fmt: skip
_META_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([a-zA-Z0-9_-]+)", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_MAX_NODES = 500_000


def read(data: bytes, *, media_type: str) -> Document:
    """Read an HTML page.

    The encoding is the declared one where it decodes, else it is detected. Text of list items gets back
    the number or dash that the browser draws.

    Raises:
        UnreadableFile: the bytes are not text, or the page has over 500,000 nodes.
    """
    text, issues = _decode(data)
    body = LexborHTMLParser(text).body
    pieces = _pieces(body) if body is not None else iter(())
    return assemble(pieces, media_type=media_type, issues=issues)


def _decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    declared = _META_CHARSET.search(data[:4096])
    if declared and declared[1].lower() not in {b"utf-8", b"utf8"}:
        try:
            return data.decode(declared[1].decode("ascii")), ()
        except (LookupError, UnicodeDecodeError):
            return decode(data)
    return decode(data)


def _pieces(body: LexborNode) -> Iterator[Piece]:
    """Walk without recursion: pages may be nested deeper than Python's stack."""
    words: list[str] = []
    kind: BlockKind = "paragraph"
    for step in _steps(body):
        if isinstance(step, str):
            words.append(step)
            continue
        text = _SPACE.sub(" ", "".join(words)).strip()
        if text:
            yield Piece(text, kind)
        words, kind = [], step[0]
        if step[1]:
            words.append(step[1])
    text = _SPACE.sub(" ", "".join(words)).strip()
    if text:
        yield Piece(text, kind)


def _steps(body: LexborNode) -> Iterator[str | tuple[BlockKind, str]]:
    """Text, and at each border of a block the kind and the list mark of what follows."""
    stack: list[tuple[LexborNode, bool]] = [(body, False)]
    n_nodes = 0
    while stack:
        node, leaving = stack.pop()
        n_nodes += 1
        if n_nodes > _MAX_NODES:
            raise UnreadableFile(f"the page has more than {_MAX_NODES} nodes; it is not read")
        tag = node.tag or ""
        if tag == "-text":
            yield node.text_content or ""
            continue
        if tag in _SKIPPED or tag.startswith(("-", "!", "_")):
            continue
        if tag not in _INLINE:
            yield ("paragraph", "") if leaving else (_kind(tag), _list_mark(node, tag))
        if not leaving:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(_children(node)))


def _children(node: LexborNode) -> list[LexborNode]:
    return list(node.iter(include_text=True))


def _kind(tag: str) -> BlockKind:
    if tag in _HEADINGS:
        return "heading"
    return "cell" if tag in {"td", "th"} else "paragraph"


def _list_mark(node: LexborNode, tag: str) -> str:
    if tag != "li" or node.parent is None:
        return ""
    if node.parent.tag != "ol":
        return "- "
    first = node.parent.attributes.get("start") or "1"
    n_before = 0
    sibling = node.prev
    while sibling is not None:
        n_before += sibling.tag == "li"
        sibling = sibling.prev
    return f"{(int(first) if first.isdigit() else 1) + n_before}. "

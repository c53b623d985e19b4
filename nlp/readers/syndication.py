"""RSS and Atom: the entries of a feed. Who wrote them is not read."""

import io
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime
from time import struct_time
from typing import Any

from nlp.errors import InputError, UnreadableFile
from nlp.readers import html
from nlp.readers.rows import Row

COLUMNS = ("title", "summary", "id", "published")


def read_entries(data: bytes) -> Iterator[Row]:
    """Entries as rows of `COLUMNS`: the whole text where the feed has it, else its summary; no HTML.

    `id` is what the feed calls the entry, else its address.

    Raises:
        UnreadableFile: neither RSS nor Atom.
    """
    import feedparser  # 100 ms of code

    # as a file: the library would take a text for an address and fetch it
    parsed = feedparser.parse(io.BytesIO(data), resolve_relative_uris=False, sanitize_html=False)
    if not parsed.version and not parsed.entries:
        raise UnreadableFile("what came is neither RSS nor Atom; look at the address in a browser")
    for number, entry in enumerate(parsed.entries, start=1):
        yield _row(entry, place=f"entry {number}")


def _row(entry: Any, *, place: str) -> Row:
    """`Any`: the library has no types."""
    body = (entry.get("content") or [entry.get("summary_detail") or {}])[0]
    try:
        title, summary = _plain(entry.get("title_detail") or {}), _plain(body)
    except InputError as error:
        return Row(place, fault=str(error))
    moment = entry.get("published_parsed") or entry.get("updated_parsed")
    cells = {
        "title": title,
        "summary": summary,
        "id": str(entry.get("id") or entry.get("link") or ""),
        "published": _iso(moment) if moment else "",
    }
    return Row(place, cells)


def _iso(moment: struct_time) -> str:
    return datetime.fromtimestamp(timegm(moment), UTC).isoformat()


def _plain(detail: Any) -> str:
    """The text of a title or body. `Any`: as above."""
    value = str(detail.get("value") or "")
    if detail.get("type") == "text/plain":
        return value.strip()
    return html.read(value.encode("utf-8", "replace"), media_type="text/html").text

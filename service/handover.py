"""Restricted texts on their way to the body that is competent for them: one file, at once or not at all.

Whoever hands over names the body; the access log keeps it with the number of texts, and never a text.
Source: Luật Tố cáo 25/2018/QH14 (on denunciations): art. 8 forbids to disclose who denounces, art. 56
protects what would tell it. Which body is competent is for people to know.
"""

import re
from datetime import datetime
from pathlib import Path

import orjson
import sqlalchemy as sa

from nlp.errors import InvalidRecord
from service.auth import Caller
from service.jobs.files import made_whole
from service.jobs.retention import order_wiping
from service.sealing import Sealer
from service.store.access import Entry, add_entries
from service.store.dialect import writing
from service.store.restricted import Sealed, mark_handed_over, oldest_waiting

ACTION = "restricted.handed_over"
_BODY = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")  # the log has room for it and a count


def hand_over(
    engine: sa.Engine,
    out: Path,
    *,
    to: str,
    sealer: Sealer,
    by: Caller,
    now: datetime,
    limit: int,
) -> int:
    """Write the oldest texts that wait into a new file for its owner alone, and delete them here.

    The file has JSON lines: id, source, external_id, received_at, text. Where none waits nothing is written.

    Returns:
        how many texts were handed over; their rows stay, to be counted, until their retention ends.

    Raises:
        InvalidRecord: the name of the body cannot be written into the log, or the file is there already.
        SealError: a text was sealed under another key; nothing was handed over.
    """
    if not _BODY.fullmatch(to):
        raise InvalidRecord("name the body with 1 to 40 of a-z, 0-9, point, dash and underscore")
    if out.exists():
        raise InvalidRecord(f"{out} is there already; name a new file")
    is_written = False
    try:
        with writing(engine) as connection:
            texts = oldest_waiting(connection, limit=limit)
            if not texts:
                return 0
            with made_whole(out) as file:
                file.writelines(_line(text, sealer=sealer) for text in texts)
            is_written = True
            mark_handed_over(connection, [text.id for text in texts], now=now)
            add_entries(connection, [Entry(now, by.name, ACTION, f"{to}:{len(texts)}")])
            order_wiping(connection, asked_by=by.name, now=now)
    except BaseException:
        if is_written:  # the texts are still here, so they must not lie there as well
            out.unlink(missing_ok=True)
        raise
    return len(texts)


def _line(text: Sealed, *, sealer: Sealer) -> bytes:
    row = {
        "id": text.id,
        "source": text.source,
        "external_id": text.external_id,
        "received_at": text.received_at,
        "text": sealer.open(text.sealed).decode(),
    }
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)

"""Files on their way in: read at once where that is quick, else by a worker.

A file that waits for a worker may hold personal data that nobody could mask yet: it is sealed until then.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import orjson

from nlp.errors import TooLarge
from nlp.readers.child import read_in_child
from nlp.readers.containers import Part, is_container, unpack
from nlp.types import Document
from service.actions import (
    Desk,
    Upload,
    check_upload,
    find_upload,
    keep_document,
    new_id,
    open_item,
)
from service.store import spool
from service.store.dialect import writing
from service.store.jobs import add_job
from service.store.views import Stored

KIND = "upload"
_QUICK_PAGES = 2  # to be recognised, at a second or two each


class _TakesLong(Exception):  # noqa: N818 - no error: it ends the quick attempt
    """The file is better left to a worker."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file: an item, new or known, or the job that reads it."""

    item: Stored | None = None
    is_new: bool = False
    job_id: str | None = None


def take_upload(desk: Desk, upload: Upload, *, asked_by: str, later: bool = False) -> Taken:
    """Take a file in; an archive, and what takes longer than `upload_wait_s`, is left to a worker.

    Args:
        desk: where it is kept.
        upload: the file.
        asked_by: who sent it: a key or a member of staff.
        later: leave it to a worker in any case.

    Raises:
        InputError: the file cannot be read, is too large, or its source is not registered.
    """
    check_upload(desk, upload)
    known = find_upload(desk, upload)
    if known is not None:
        return Taken(item=open_item(desk, known))
    if later or is_container(upload.data, name=upload.name):
        return Taken(job_id=_leave(desk, upload, asked_by=asked_by))
    doc = _read_quickly(desk, upload)
    if doc is None:
        return Taken(job_id=_leave(desk, upload, asked_by=asked_by))
    item, is_new = keep_document(desk, upload, doc=doc)
    return Taken(item=item, is_new=is_new)


def _read_quickly(desk: Desk, upload: Upload) -> Document | None:
    """The document, or None when reading it takes long or others are being read."""
    wait_s = desk.limits.upload_wait_s
    quick = replace(desk.limits.reading, timeout_s=min(wait_s, desk.limits.reading.timeout_s))
    if not desk.readers.acquire(blocking=False):
        return None
    started = time.monotonic()
    try:
        listener = partial(_give_up_on_scans, deadline=started + wait_s)
        return read_in_child(upload.data, name=upload.name, limits=quick, listener=listener)
    except _TakesLong:
        return None
    except TooLarge:
        if time.monotonic() - started < quick.timeout_s:
            raise
        return None
    finally:
        desk.readers.release()


def _give_up_on_scans(done: int, of: int, *, deadline: float) -> None:
    if of - done > _QUICK_PAGES or time.monotonic() > deadline:
        raise _TakesLong


def _leave(desk: Desk, upload: Upload, *, asked_by: str) -> str:
    moment = desk.now()
    job_id = new_id(moment)
    sealed = desk.sealer.seal(_pack(upload))
    with writing(desk.engine) as connection:
        add_job(
            connection,
            KIND,
            job_id=job_id,
            params={"kind": upload.kind, "source": upload.source},
            asked_by=asked_by,
            now=moment,
        )
        spool.put(connection, job_id, sealed=sealed, now=moment)
    return job_id


def _pack(upload: Upload) -> bytes:
    """Name and data in one; the name of a file may tell a person and is sealed as well."""
    return orjson.dumps({"name": upload.name}) + b"\n" + upload.data


def open_parts(packed: bytes) -> Iterator[Part]:
    """The file, or the files in an archive; each with its name, and what keeps it from being read."""
    head, _, data = packed.partition(b"\n")
    name = orjson.loads(head)["name"]
    if is_container(data, name=name):
        yield from unpack(data, name=name)
    else:
        yield Part(name, data)

"""A scene with feeds: where they lie, what they bring, how they are."""

import os
from pathlib import Path

import sqlalchemy as sa

from service.auth import CONSOLE
from service.jobs.feeds import register
from service.jobs.looking import Wish
from service.store import tables
from service.store.feeds import Feed, FeedKind, find_feed
from service.store.jobs import Job
from tests.service.flows import Scene

WISH = Wish("folder", "hotline", "demo", {"text": "Nội dung", "external_id": "Mã"})
TABLE = "Mã;Nội dung\n1;Đường hỏng\n2;Rác ùn, gọi 0912 345 678\n"
LETTER = (
    "From: Nguyen Van An <an@dan.example>\r\nTo: gop-y@xa.example\r\nMessage-ID: <1@dan.example>\r\n"
    "Subject: Duong hong\r\nDate: Mon, 05 Jan 2026 08:00:00 +0700\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    "Đường liên thôn hỏng.\r\n> hôm trước tôi viết\r\n-- \r\nNguyễn Văn An\r\n"
)


def put(folder: Path, name: str, data: str | bytes, *, age_s: float = 3600, scene: Scene) -> Path:
    """A file that was last written so long ago."""
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    written = scene.now.timestamp() - age_s
    os.utime(path, (written, written))
    return path


def feed(scene: Scene, kind: FeedKind, address: str, **columns: str) -> Feed:
    wish = Wish(kind, address, "demo", columns)
    return register(
        scene.engine, "it", wish=wish, by=CONSOLE, now=scene.now, settings=scene.settings
    )


def watch(scene: Scene) -> Feed:
    return register(
        scene.engine, "it", wish=WISH, by=CONSOLE, now=scene.now, settings=scene.settings
    )


def run(scene: Scene) -> Job:
    return scene.carry_out("feed", name="it")


def counts(job: Job) -> tuple[int, int, int]:
    assert job.state == "done", job.reason
    accepted, duplicate, refused = (
        job.result[name] for name in ("accepted", "duplicate", "refused")
    )
    return accepted, duplicate, refused


def kept(scene: Scene) -> list[tuple[str, str]]:
    items = tables.items.c
    query = sa.select(items.external_id, items.text).order_by(items.seq)
    with scene.engine.connect() as connection:
        return [(row[0], row[1]) for row in connection.execute(query)]


def now_of(scene: Scene) -> Feed:
    with scene.engine.connect() as connection:
        found = find_feed(connection, "it")
    assert found is not None
    return found

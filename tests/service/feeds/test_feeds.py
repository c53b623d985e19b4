"""Feeds bring texts in once, go on where they were, and tell what they could not read."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa

from nlp.errors import InvalidRecord
from service.auth import CONSOLE
from service.jobs.feeds import end, order_due, register
from service.jobs.here import carry_out
from service.jobs.kinds import KINDS
from service.jobs.looking import Wish, check, preview
from service.store import tables
from service.store.errors import Conflict, NotFound, UnknownSource
from service.store.feeds import FeedKind
from service.store.jobs import JobQuery, list_faults, list_jobs
from service.store.vitals import read_vitals
from tests.conftest import ROOT
from tests.nlp.test_rows import RSS
from tests.service.feeds.feeding import (
    TABLE,
    WISH,
    counts,
    feed,
    kept,
    now_of,
    put,
    run,
    watch,
)
from tests.service.feeds.places import Site
from tests.service.flows import Scene


def test_the_rows_of_a_table_come_in_masked_and_once(scene: Scene, folder: Path) -> None:
    put(folder, "tuan-1.csv", TABLE, scene=scene)
    watch(scene)

    first, again = run(scene), run(scene)

    assert (counts(first), counts(again)) == ((2, 0, 0), (0, 0, 0))
    assert kept(scene)[0] == ("1", "Đường hỏng")
    assert "345" not in kept(scene)[1][1]
    assert list_jobs(scene.engine, JobQuery(kind="reading"))[0].state == "queued"


def test_a_file_that_was_changed_is_read_again_and_what_was_known_is_passed_over(
    scene: Scene, folder: Path
) -> None:
    put(folder, "a.csv", TABLE, scene=scene)
    watch(scene)
    run(scene)
    put(folder, "a.csv", f"{TABLE}3;Đèn hỏng\n", age_s=1800, scene=scene)
    put(folder, "copy.csv", TABLE, scene=scene)

    assert counts(run(scene)) == (1, 2, 0)
    assert len(kept(scene)) == 3


def test_a_file_that_is_being_written_waits_until_it_lies_still(scene: Scene, folder: Path) -> None:
    put(folder, "a.csv", TABLE[:20], age_s=1, scene=scene)
    watch(scene)

    assert counts(run(scene)) == (0, 0, 0)
    put(folder, "a.csv", TABLE, age_s=0, scene=scene)
    assert counts(run(scene)) == (0, 0, 0)
    assert counts(run(scene)) == (2, 0, 0)


def test_a_broken_file_is_named_and_keeps_no_other_out(scene: Scene, folder: Path) -> None:
    put(folder, "a.xlsx", b"PK\x03\x04 broken", scene=scene)
    put(folder, "b.csv", "Ngày;Tên\n1;2\n", scene=scene)
    put(folder, "c.csv", TABLE, scene=scene)
    (folder / "d.csv").symlink_to("/etc/hostname")
    put(folder, "~$e.xlsx", b"lock", scene=scene)
    watch(scene)

    job = run(scene)

    assert counts(job) == (2, 0, 3)
    faults = {fault.subject: fault.reason for fault in list_faults(scene.engine, job.id, limit=9)}
    assert "damaged" in faults["a.xlsx"]
    assert "names the columns" in faults["b.csv"]
    assert "link" in faults["d.csv"]


def test_a_workbook_gives_its_rows_with_their_days(scene: Scene, folder: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["Mã", "Nội dung", "Ngày"], [7, "Đường hỏng", scene.now.replace(tzinfo=None)]):
        book.worksheets[0].append(row)
    book.save(folder / "a.xlsx")
    put(folder, "a.xlsx", (folder / "a.xlsx").read_bytes(), scene=scene)
    columns = {"text": "Nội dung", "external_id": "Mã", "posted_at": "Ngày"}
    feed(scene, "folder", "hotline", **columns)

    run(scene)

    with scene.engine.connect() as connection:
        [found] = connection.execute(
            sa.select(tables.items.c.external_id, tables.items.c.posted_at)
        )
    assert tuple(found) == ("7", scene.now - timedelta(hours=7))


def test_a_row_that_cannot_be_taken_is_counted_with_its_reason(scene: Scene, folder: Path) -> None:
    rows = [
        {"text": "Đường hỏng", "posted_at": "mai"},
        {"text": " "},
        {"text": "Rác", "author": "An"},
    ]
    put(folder, "a.jsonl", "\n".join(map(json.dumps, rows)), scene=scene)
    feed(scene, "folder", "hotline")

    job = run(scene)

    assert counts(job) == (1, 0, 2)
    assert sorted(job.result["reasons"]) == [
        "the moment cannot be read; write dd/mm/yyyy or as in ISO 8601",
        "the text is empty",
    ]


@pytest.mark.parametrize("address", ["..", "/etc", "hotline/../../..", "a\x00b"])
def test_no_folder_outside_of_the_root_is_watched(scene: Scene, address: str) -> None:
    with pytest.raises(InvalidRecord):
        feed(scene, "folder", address)


def test_a_link_leads_to_no_folder_outside(scene: Scene, folder: Path, tmp_path: Path) -> None:
    put(tmp_path, "secret.csv", TABLE, scene=scene)
    watch(scene)
    folder.rmdir()
    folder.symlink_to(tmp_path)

    job = run(scene)

    assert (job.state, kept(scene)) == ("failed", [])


def test_a_process_that_is_killed_within_a_file_loses_and_doubles_nothing(
    scene: Scene, folder: Path
) -> None:
    table = "".join(f"{n};Phản ánh số {n} về đường\n" for n in range(900))
    put(folder, "a.csv", f"Mã;Nội dung\n{table}", scene=scene)
    watch(scene)
    url = scene.engine.url.render_as_string(hide_password=False)
    died = subprocess.run(
        [sys.executable, "-c", DIES, url, str(scene.settings.feeds_folder)], cwd=ROOT, check=False
    )
    before = len(kept(scene))

    job = run(scene)

    assert died.returncode == -signal.SIGKILL
    assert 0 < before < 900
    assert counts(job) == (900 - before, before, 0)
    assert sorted(int(name) for name, _ in kept(scene)) == list(range(900))


DIES = dedent(
    """
    import os, signal, sys
    from datetime import UTC, datetime
    from service.jobs import feeds
    from service.jobs.here import carry_out_here
    from service.jobs.kinds import KINDS
    from service.jobs.seam import Context
    from service.settings import Settings
    from service.store.dialect import open_engine
    from tests.service.flows import START
    from tests.service.rules import RulePipeline

    keep, times = feeds.store_opinions, []

    def dying(*args, **options):
        times.append(1)
        if len(times) > 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return keep(*args, **options)

    feeds.store_opinions = dying
    settings = Settings(database_url=sys.argv[1], feeds_folder=sys.argv[2])
    ctx = Context(open_engine(sys.argv[1]), settings, lambda _: RulePipeline(), lambda: START)
    carry_out_here(ctx, "feed", params={"name": "it"}, asked_by="test", kinds=KINDS)
    """
)


def test_a_feed_is_fetched_whole_once_and_then_asked_for_what_is_new(
    scene: Scene, site: Site
) -> None:
    site.pages["/rss"] = (200, {"etag": '"1"', "last-modified": "Mon"}, RSS.encode())
    feed(scene, "feed", site.url("/rss"))

    first, again = run(scene), run(scene)

    assert (counts(first), counts(again)) == ((2, 0, 0), (0, 0, 0))
    assert kept(scene)[0] == ("g-1", "Đường & rác\nĐường hỏng.\nBa tháng.")
    assert "if-none-match" not in site.asked[0][1]
    assert site.asked[1][1]["if-none-match"] == '"1"'
    assert site.asked[1][1]["if-modified-since"] == "Mon"


def test_a_redirect_is_followed_where_it_may_be(scene: Scene, site: Site) -> None:
    site.pages["/old"] = (301, {"location": "/rss"}, b"")
    site.pages["/rss"] = (200, {}, RSS.encode())
    feed(scene, "feed", site.url("/old"))

    assert counts(run(scene)) == (2, 0, 0)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ((302, {"location": "http://localhost:1/rss"}, b""), "not public"),
        ((302, {"location": "http://169.254.169.254/"}, b""), "not public"),
        ((302, {"location": "/it"}, b""), "redirects"),
        ((200, {}, b"x" * 2_000_000), "more than 1000000 bytes"),
        ((200, {}, b"<html></html>"), "neither RSS nor Atom"),
        ((503, {}, b""), "answered 503"),
    ],
)
def test_what_cannot_be_fetched_is_told_and_waited_for_longer_and_longer(
    scene: Scene, site: Site, page: Any, reason: str
) -> None:
    scene.settings = scene.settings.model_copy(update={"max_upload_bytes": 1_000_000})
    site.pages["/it"] = page
    feed(scene, "feed", site.url("/it"))

    job = run(scene)
    run(scene)

    assert job.state == "failed"
    assert reason in str(job.reason)
    assert site.url("/it") not in str(job.reason)
    found = now_of(scene)
    assert (found.n_failed, found.reason) == (2, job.reason)
    assert found.due_at == scene.now + timedelta(hours=1)
    assert read_vitals(scene.engine, now=scene.now, dead_after_s=30).n_feeds_failing == 1


@pytest.mark.parametrize(
    ("kind", "address", "reason"),
    [
        ("feed", "http://127.0.0.1/rss", "DANVAN_FEED_ALLOW_HTTP"),
        ("feed", "https://127.0.0.1/rss", "DANVAN_FEED_HOSTS"),
        ("feed", "https://an:mat@example.org/rss", "user"),
        ("mailbox", "imap://an@example.org", "DANVAN_FEED_ALLOW_HTTP"),
        ("mailbox", "imaps://an:mat@example.org", "no password"),
        ("mailbox", "imaps://example.org", "form"),
        ("mailbox", "imaps://a%0db@example.org", "form"),
    ],
)
def test_an_address_that_may_not_be_reached_is_refused(
    scene: Scene, kind: FeedKind, address: str, reason: str
) -> None:
    settings = scene.settings.model_copy(update={"feed_allow_http": False, "feed_hosts": ()})
    wish = Wish(kind, address, "demo", {})

    with pytest.raises(InvalidRecord, match=reason):
        check(wish.named("it", now=scene.now), settings=settings)


def test_a_preview_shows_what_would_be_kept_and_keeps_nothing(scene: Scene, folder: Path) -> None:
    put(folder, "a.csv", f"{TABLE}3;\n4;Rác\n5;Rác\n6;Rác\n", age_s=0, scene=scene)
    put(folder, "0.xlsx", b"broken", scene=scene)

    shown = preview(WISH.named("it", now=scene.now), settings=scene.settings, now=scene.now)

    assert [(entry.place, entry.fault) for entry in shown[1:]] == [
        ("row 2", None),
        ("row 3", None),
        ("row 4", "the text is empty"),
        ("row 5", None),
    ]
    assert (shown[0].place, shown[2].text) == ("0.xlsx", kept_as("Rác ùn, gọi 0912 345 678"))
    assert kept(scene) == []


def test_a_preview_shows_no_word_of_what_would_be_sealed(scene: Scene, folder: Path) -> None:
    takes = "Cô kế toán trường ghi thừa bốn suất ăn, tiền đó cô với hiệu trưởng chia nhau"
    put(folder, "a.csv", f"{TABLE}3;{takes}\n", age_s=0, scene=scene)

    shown = preview(WISH.named("it", now=scene.now), settings=scene.settings, now=scene.now)

    assert (shown[-1].text, "sealed" in (shown[-1].fault or "")) == ("", True)


def kept_as(text: str) -> str:
    from nlp.privacy import mask

    return mask(text)


def test_a_feed_is_ordered_when_its_time_has_come_and_not_twice(scene: Scene, folder: Path) -> None:
    put(folder, "a.csv", TABLE, scene=scene)
    watch(scene)

    order_due(scene.ctx)
    order_due(scene.ctx)
    [job] = list_jobs(scene.engine, JobQuery(kind="feed"))
    carry_out(scene.ctx, job, kinds=KINDS)
    order_due(scene.ctx)
    assert len(list_jobs(scene.engine, JobQuery(kind="feed"))) == 1

    for _ in range(3):
        scene.now += timedelta(minutes=15)
        order_due(scene.ctx)
        for job in list_jobs(scene.engine, JobQuery(kind="feed", state="queued")):
            carry_out(scene.ctx, job, kinds=KINDS)

    # looks that found nothing are forgotten, but for the last
    assert len(list_jobs(scene.engine, JobQuery(kind="feed"))) == 2


def test_a_feed_that_has_ended_is_left_alone_and_keeps_its_name(scene: Scene, folder: Path) -> None:
    watch(scene)
    end(scene.engine, "it", by=CONSOLE, now=scene.now)

    order_due(scene.ctx)

    assert list_jobs(scene.engine, JobQuery(kind="feed")) == ()
    with pytest.raises(Conflict, match="taken"):
        watch(scene)
    with pytest.raises(NotFound):
        end(scene.engine, "it", by=CONSOLE, now=scene.now)


def test_a_source_must_be_registered(scene: Scene) -> None:
    with pytest.raises(UnknownSource):
        register(
            scene.engine,
            "it",
            wish=replace(WISH, source="nobody"),
            by=CONSOLE,
            now=scene.now,
            settings=scene.settings,
        )

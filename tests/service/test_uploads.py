"""Files in: at once where that is quick, else sealed until a worker has read them, and never twice."""

import io
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from nlp.errors import TooLarge
from nlp.pipeline import Pipeline
from nlp.readers.child import read_in_child
from service import uploading
from service.actions import Desk, Upload
from service.jobs.runner import ShardRun
from service.jobs.seam import Context
from service.jobs.upload import UPLOAD
from service.settings import Settings
from service.store import shards, tables
from service.store.dialect import writing
from service.store.jobs import Fault, Job, cancel_job, list_faults, read_job, retry_job
from service.store.query import Query
from service.store.spool import clear
from service.store.views import list_items
from service.uploading import Taken, take_upload
from tests.service.archive import Part, carry_out
from tests.service.rules import RulePipeline

DIRECTIVE = "CHỈ THỊ\nvề thủ tục hành chính\nTuy nhiên còn chậm"
LETTER = "Kính gửi phường, đường hỏng lắm. Số của tôi 0912345678"
LETTER_NAME = "don cua Nguyen Thi Bi Mat.txt"
LATER = {"prefer": "respond-async"}


@pytest.fixture
def context(desk: Desk, settings: Settings, pipeline: RulePipeline) -> Context:
    """What a worker has; it shares nothing with the service but the database and the key."""
    return Context(desk.engine, settings, lambda _: cast(Pipeline, pipeline), now=desk.now)


Send = Callable[..., Response]


@pytest.fixture
def send(client: TestClient) -> Send:
    def send(
        data: str | bytes, name: str = "a.txt", *, later: bool = False, **form: str
    ) -> Response:
        body = data.encode() if isinstance(data, str) else data
        headers = LATER if later else {}
        return client.post(
            "/v1/documents", files={"file": (name, body)}, data=form, headers=headers
        )

    return send


def zipped(**files: str | bytes) -> bytes:
    """An archive; `__` in a name stands for a dot."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "."), data)
    return packed.getvalue()


def job_of(answer: Response) -> str:
    """The job of a file that is left to a worker."""
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["job_id"]
    assert answer.headers["location"] == f"/v1/jobs/{job_id}"
    return job_id


def items_of(job: Job) -> list[dict[str, Any]]:
    assert job.state == "done", job.reason
    found: list[dict[str, Any]] = job.result["items"]
    return found


def faults_of(context: Context, job_id: str) -> tuple[Fault, ...]:
    return list_faults(context.engine, job_id, limit=100)


def n_waiting(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(tables.spool)) or 0


def stored_bytes(settings: Settings) -> bytes:
    """Every byte of every file beside the database, but the key."""
    folder = Path(settings.database_url.removeprefix("sqlite:///")).parent
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.name != "spool.key")


def test_a_quick_file_is_read_at_once(send: Send, desk: Desk) -> None:
    assert send(DIRECTIVE).status_code == 201
    assert n_waiting(desk.engine) == 0


def test_a_worker_makes_the_same_item(send: Send, client: TestClient, context: Context) -> None:
    [made] = items_of(carry_out(context, job_of(send(DIRECTIVE, "chi-thi.txt", later=True))))

    slow = client.get(f"/v1/documents/{made['id']}").json()
    again = send(DIRECTIVE, "chi-thi.txt")
    other = send(DIRECTIVE, "chi-thi.txt", source="demo").json()
    assert (made["file"], made["is_new"]) == (1, True)
    assert (again.status_code, again.json()) == (200, slow)
    own = {"id", "received_at", "source", "analysis"}
    assert {k: v for k, v in slow.items() if k not in own} == {
        k: v for k, v in other.items() if k not in own
    }
    assert slow["analysis"] | {"id": ""} == other["analysis"] | {"id": ""}


def test_an_archive_gives_an_item_a_file_and_names_the_bad_ones(
    send: Send, client: TestClient, context: Context
) -> None:
    archive = zipped(
        chi_thi__txt=DIRECTIVE, thu__txt=LETTER, hong__docx=b"PK none", la__xyz="x", rong__txt=""
    )

    job = carry_out(context, job_of(send(archive, "goi.zip")))

    made = items_of(job)
    items = [client.get(f"/v1/documents/{item['id']}").json() for item in made]
    assert [item["file"] for item in made] == [1, 2]
    assert [(item["kind"], item["file_name"]) for item in items] == [
        ("official", "chi_thi.txt"),
        ("opinion", None),
    ]
    faults = faults_of(context, job.id)
    assert [fault.subject for fault in faults] == ["file 3", "file 4", "file 5"]
    assert all(len(fault.reason) > 20 for fault in faults)
    assert not any(name in str(faults) for name in ("hong", "la.", "rong"))


def test_an_archive_within_an_archive_is_opened_too(send: Send, context: Context) -> None:
    inner = zipped(a__txt=DIRECTIVE)

    job = carry_out(context, job_of(send(zipped(b__zip=inner, c__txt=LETTER), "goi.zip")))

    assert len(items_of(job)) == 2


def test_the_same_file_twice_in_an_archive_is_one_item(send: Send, context: Context) -> None:
    job = carry_out(context, job_of(send(zipped(a__txt=LETTER, b__txt=LETTER), "goi.zip")))

    first, second = items_of(job)
    assert (first["id"], first["is_new"], second["is_new"]) == (second["id"], True, False)


def test_a_file_read_at_once_while_it_waits_is_one_item(send: Send, context: Context) -> None:
    waiting = job_of(send(LETTER, later=True))

    at_once = send(LETTER)
    [made] = items_of(carry_out(context, waiting))

    assert at_once.status_code == 201
    assert (made["id"], made["is_new"]) == (at_once.json()["id"], False)


def test_a_known_file_is_never_left_to_a_worker(send: Send, desk: Desk) -> None:
    first = send(LETTER)

    again = send(LETTER, later=True)

    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert n_waiting(desk.engine) == 0


def test_a_worker_killed_after_keeping_an_item_makes_no_second_one(
    send: Send, context: Context, desk: Desk
) -> None:
    job_id = job_of(send(LETTER, later=True))
    part = Part(context, job_id)
    part.plan()
    go = shards.begin_shard(context.engine, job_id, attempt=1, shard=0)
    assert go is not None
    UPLOAD.shard(context, ShardRun(context.engine, go, threading.Event()))

    part.do(0)
    part.finish()

    [made] = items_of(read_job(context.engine, job_id))
    assert len(list_items(desk.engine, Query()).items) == 1
    assert made["id"] == list_items(desk.engine, Query()).items[0].id


@pytest.mark.parametrize(("n_deaths", "blamed"), [(0, None), (1, None), (2, "file 1")])
def test_a_file_is_blamed_for_dead_workers_only_when_it_was_so_twice(
    send: Send,
    context: Context,
    pipeline: RulePipeline,
    monkeypatch: pytest.MonkeyPatch,
    n_deaths: int,
    blamed: str | None,
) -> None:
    job_id = job_of(send(LETTER, later=True))
    part = Part(context, job_id)
    part.plan()
    for _ in range(n_deaths):
        shards.begin_shard(context.engine, job_id, attempt=1, shard=0)
    trying = sa.select(tables.job_shards.c.trying).where(tables.job_shards.c.job_id == job_id)
    analyze_all, seen = pipeline.analyze_all, []

    def look(requests: Any) -> Any:
        with context.engine.connect() as connection:
            seen.append(connection.scalar(trying))
        return analyze_all(requests)

    monkeypatch.setattr(pipeline, "analyze_all", look)
    part.do(0)
    part.finish()

    assert seen[0] == blamed
    assert len(items_of(read_job(context.engine, job_id))) == 1


def test_summing_up_may_be_done_twice(send: Send, context: Context) -> None:
    job = carry_out(context, job_of(send(LETTER, later=True)))
    results = job.result["items"]

    again = UPLOAD.finish(context, job, results=results)

    assert again == job.result


def test_a_file_that_takes_longer_than_somebody_waits_is_left_to_a_worker(
    desk: Desk, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait_in_vain(data: bytes, *, name: str, limits: Any, listener: object) -> None:
        time.sleep(limits.timeout_s)
        raise TooLarge("reading took too long")

    hasty = replace(desk, limits=replace(desk.limits, upload_wait_s=0.001))
    with monkeypatch.context() as patched:
        patched.setattr(uploading, "read_in_child", wait_in_vain)
        taken = take(hasty, LETTER)

    assert taken.job_id is not None
    assert len(items_of(carry_out(context, taken.job_id))) == 1


def test_a_scan_of_many_pages_is_left_to_a_worker(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def recognise(data: bytes, *, name: str, limits: object, listener: Any) -> None:
        listener(0, 40)
        raise AssertionError("it went on reading")

    monkeypatch.setattr(uploading, "read_in_child", recognise)

    assert take(desk, "a scan").job_id is not None


def test_a_scan_of_few_pages_is_read_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    read = read_in_child

    def recognise(data: bytes, *, name: str, limits: Any, listener: Any) -> Any:
        listener(0, 2)
        listener(1, 2)
        return read(data, name=name, limits=limits)

    monkeypatch.setattr(uploading, "read_in_child", recognise)

    assert take(desk, LETTER).is_new


def test_when_every_reader_is_busy_a_worker_reads(desk: Desk, context: Context) -> None:
    while desk.readers.acquire(blocking=False):
        pass

    taken = take(desk, LETTER)

    assert taken.job_id is not None
    assert len(items_of(carry_out(context, taken.job_id))) == 1


@pytest.mark.parametrize("text", [LETTER, ""], ids=["read", "refused"])
def test_a_reader_is_free_again_afterwards(send: Send, desk: Desk, text: str) -> None:
    for _ in range(6):
        send(text)

    assert all(desk.readers.acquire(blocking=False) for _ in range(4))


def take(desk: Desk, data: str | bytes, name: str = "a.txt") -> Taken:
    upload = Upload(data.encode() if isinstance(data, str) else data, name)
    return take_upload(desk, upload, asked_by="staff:lan")


@pytest.mark.parametrize("canary", ["0912345678", "Nguyen Thi", "Kính gửi", "hỏng"])
def test_what_waits_cannot_be_read(send: Send, settings: Settings, canary: str) -> None:
    send(LETTER, LETTER_NAME, later=True)

    assert canary.encode() not in stored_bytes(settings)


def test_nothing_personal_is_left_when_it_was_read(
    send: Send, context: Context, settings: Settings, client: TestClient
) -> None:
    job = carry_out(context, job_of(send(LETTER, LETTER_NAME, later=True)))

    item = client.get(f"/v1/documents/{items_of(job)[0]['id']}").json()
    assert (item["text"], item["file_name"]) == (LETTER.replace("0912345678", "•" * 10), None)
    kept = stored_bytes(settings)
    assert "Kính gửi".encode() in kept
    assert b"0912345678" not in kept
    assert b"Nguyen Thi" not in kept
    assert n_waiting(context.engine) == 0


def test_another_key_opens_nothing_and_says_so(
    send: Send, context: Context, settings: Settings
) -> None:
    job_id = job_of(send(LETTER, later=True))
    other = settings.model_copy(update={"spool_key": _secret(Fernet.generate_key())})

    job = carry_out(replace(context, settings=other), job_id)

    assert job.state == "failed"
    assert job.reason is not None
    assert "DANVAN_SPOOL_KEY" in job.reason
    retry_job(context.engine, job_id)
    assert len(items_of(carry_out(context, job_id))) == 1


def _secret(value: bytes) -> Any:
    return Settings(spool_key=value.decode()).spool_key  # type: ignore[arg-type] # a str makes one


def test_a_file_of_a_cancelled_job_is_cleared_away(
    send: Send, context: Context, desk: Desk
) -> None:
    gone, waiting, done = (job_of(send(f"{LETTER} {n}", later=True)) for n in range(3))
    cancel_job(context.engine, gone, now=desk.now())
    with writing(context.engine) as connection:
        connection.execute(
            tables.jobs.update().where(tables.jobs.c.id == done).values(state="done")
        )

    with writing(context.engine) as connection:
        n_cleared = clear(connection, before=desk.now().replace(year=2000))

    assert n_cleared == 2
    assert len(items_of(carry_out(context, waiting))) == 1


def test_a_file_that_nobody_reads_is_cleared_away_in_time(
    send: Send, context: Context, desk: Desk
) -> None:
    job_id = job_of(send(LETTER, later=True))
    with writing(context.engine) as connection:
        assert clear(connection, before=desk.now()) == 1

    job = carry_out(context, job_id)

    assert (job.state, job.reason) == ("failed", "the file is gone; hand it in again")


def test_an_archive_of_too_many_files_is_refused_whole(desk: Desk, context: Context) -> None:
    roomy = replace(desk, limits=replace(desk.limits, max_upload_bytes=1_000_000))
    archive = zipped(**{f"{n}__txt": b"" for n in range(2_001)})

    taken = take(roomy, archive, "goi.zip")
    assert taken.job_id is not None
    job = carry_out(context, taken.job_id)

    assert job.state == "failed"
    assert job.reason == "the archive holds more than 2000 files; send it in parts"


def test_a_file_too_large_is_refused_at_once_and_in_an_archive(
    send: Send, context: Context, desk: Desk
) -> None:
    too_large = b"a" * 100_001

    at_once = [send(too_large, later=later).status_code for later in (False, True)]
    job = carry_out(context, job_of(send(zipped(a__txt=too_large, b__txt=LETTER), "goi.zip")))

    assert at_once == [413, 413]
    assert len(items_of(job)) == 1
    [fault] = faults_of(context, job.id)
    assert "100001 bytes" in fault.reason
    assert n_waiting(desk.engine) == 0


def test_a_file_of_an_unregistered_source_is_not_kept_waiting(send: Send, desk: Desk) -> None:
    assert send(LETTER, later=True, source="nobody").status_code == 422
    assert n_waiting(desk.engine) == 0


def test_a_file_whose_text_breaks_the_model_is_named(send: Send, context: Context) -> None:
    job = carry_out(context, job_of(send(zipped(a__txt="hỏng máy", b__txt=LETTER), "goi.zip")))

    assert job.state == "done", job.reason
    assert len(items_of(job)) == 1
    assert [fault.subject for fault in faults_of(context, job.id)] == ["file 1"]


def test_the_page_of_a_file_that_waits_leads_to_its_items(
    client: TestClient, context: Context, app: FastAPI
) -> None:
    files = {"file": ("goi.zip", zipped(a__txt=LETTER, hong__docx=b"PK none"))}

    sent = client.post("/documents", files=files, follow_redirects=False)
    before = client.get(sent.headers["location"]).text
    job = carry_out(context, sent.headers["location"].rpartition("/")[2])
    after = client.get(sent.headers["location"]).text

    item_id = items_of(job)[0]["id"]
    assert sent.status_code == 303
    assert item_id not in before
    assert f"/documents/{item_id}" in after

"""Opinions that are kept at once and read by a worker: masked from the first moment, and none forgotten."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from nlp.pipeline import Pipeline
from service.actions import Desk
from service.jobs import archive
from service.jobs.seam import Context
from service.jobs.waiting import order_forgotten
from service.opinions import Opinion, store_opinions
from service.settings import Settings
from service.store import shards, tables
from service.store.dialect import writing
from service.store.jobs import JobQuery, cancel_job, list_faults, list_jobs, read_job, retry_job
from service.store.query import Query
from service.store.retention import erase, find_seq
from service.store.views import list_items
from tests.service.archive import Part, carry_out
from tests.service.rules import RulePipeline

TEXT = "Đường thôn hỏng, gọi 0912345678"
MASKED = TEXT.replace("0912345678", "•" * 10)


@pytest.fixture
def context(desk: Desk, settings: Settings, pipeline: RulePipeline) -> Context:
    return Context(desk.engine, settings, lambda _: cast(Pipeline, pipeline), now=desk.now)


def row(number: int, text: str = TEXT) -> dict[str, object]:
    return {"source": "demo", "external_id": str(number), "text": text}


Post = Callable[..., Any]


@pytest.fixture
def post(client: TestClient) -> Post:
    """Hand rows in for later; the answer."""

    def post(*rows: object, later: bool = True) -> Any:
        headers = {"content-type": "application/json"}
        if later:
            headers["prefer"] = "wait=1, Respond-Async"
        answer = client.post("/v1/opinions", content=json.dumps(rows), headers=headers)
        assert answer.status_code == (202 if later else 200), answer.text
        return answer.json()

    return post


def ids_of(answer: Any) -> list[str]:
    return [result["id"] for result in answer["results"]]


def reading_jobs(engine: sa.Engine) -> list[str]:
    return [job.id for job in list_jobs(engine, JobQuery(kind="reading"))]


def test_an_opinion_for_later_is_kept_masked_and_read_by_a_worker(
    post: Post, client: TestClient, context: Context
) -> None:
    answer = post(row(1))
    [item_id] = ids_of(answer)

    waits = client.get(f"/v1/opinions/{item_id}").json()
    carry_out(context, answer["job_id"])
    is_read = client.get(f"/v1/opinions/{item_id}").json()

    assert (answer["accepted"], waits["text"], waits["analysis"]) == (1, MASKED, None)
    assert is_read["analysis"]["civic_field"]["primary"] == "LV03"
    assert {**waits, "analysis": is_read["analysis"]} == is_read


def test_a_worker_says_what_would_have_been_said_at_once(
    post: Post, client: TestClient, context: Context
) -> None:
    at_once, later = post(row(1), later=False), post(row(2))
    carry_out(context, later["job_id"])

    first, second = (
        client.get(f"/v1/opinions/{ids_of(answer)[0]}").json()["analysis"]
        for answer in (at_once, later)
    )

    assert first | {"id": ""} == second | {"id": ""}


def test_what_is_masked_is_in_no_file_at_any_time(
    post: Post, context: Context, settings: Settings
) -> None:
    folder = Path(settings.database_url.removeprefix("sqlite:///")).parent

    answer = post(row(1))
    before = b"".join(file.read_bytes() for file in folder.iterdir())
    carry_out(context, answer["job_id"])
    after = b"".join(file.read_bytes() for file in folder.iterdir())

    assert "Đường thôn hỏng".encode() in before
    assert b"0912345678" not in before + after


def test_what_waits_is_listed_and_found_by_its_words(post: Post, client: TestClient) -> None:
    [item_id] = ids_of(post(row(1)))

    for path in ("/v1/opinions", "/v1/opinions?q=duong+thon", "/v1/opinions?source=demo"):
        [listed] = client.get(path).json()["items"]
        assert (listed["id"], listed["labels"]) == (item_id, {})
    assert client.get("/v1/opinions?decision=abstain").json()["items"] == []


def test_the_page_of_what_waits_says_so(post: Post, client: TestClient, context: Context) -> None:
    answer = post(row(1))
    page = f"/documents/{ids_of(answer)[0]}"

    before = client.get(page)
    carry_out(context, answer["job_id"])
    after = client.get(page)

    assert before.status_code == 200
    assert "Đang chờ phân tích" in before.text
    assert "Đang chờ phân tích" not in after.text


def test_a_row_again_is_a_duplicate_while_it_waits(post: Post) -> None:
    [first] = post(row(1))["results"]

    again, other = (post(row(1), later=later)["results"][0] for later in (True, False))
    [another_text] = post(row(1, "khác"))["results"]

    assert (again["status"], other["status"]) == ("duplicate", "duplicate")
    assert {again["id"], other["id"], another_text["id"]} == {first["id"]}
    assert another_text["status"] == "error"


@pytest.mark.parametrize("later", [True, False])
def test_rows_of_one_request_keep_their_order(post: Post, client: TestClient, later: bool) -> None:
    rows = [row(1), row(2, "hai"), row(1, "khác"), row(3, "ba")]

    states = [result["status"] for result in post(*rows, later=later)["results"]]

    listed = client.get("/v1/opinions").json()["items"]
    assert states == ["accepted", "accepted", "error", "accepted"]
    assert [item["external_id"] for item in listed] == ["3", "2", "1"]  # the newest first


def test_bad_rows_do_not_keep_others_out(post: Post) -> None:
    answer = post(row(1), {**row(2), "author": "x"}, row(3, " "), {**row(4), "source": "nobody"})

    states = [result["status"] for result in answer["results"]]
    assert states == ["accepted", "error", "error", "error"]


def test_where_nothing_was_taken_nothing_is_ordered(post: Post, desk: Desk) -> None:
    answer = post(row(1, " "))

    assert answer["job_id"] is None
    assert reading_jobs(desk.engine) == []


def test_what_comes_before_a_job_begins_joins_it(post: Post, context: Context) -> None:
    first, second = post(row(1)), post(row(2))

    carry_out(context, first["job_id"])

    assert first["job_id"] == second["job_id"]
    assert list_items(context.engine, Query(waits=True)).items == ()


def test_what_comes_after_a_job_was_planned_is_read_by_another(
    post: Post, context: Context
) -> None:
    first = post(row(1))
    part = Part(context, first["job_id"])
    part.plan()

    while_it_runs = post(row(2))
    cancel_job(context.engine, first["job_id"], now=context.now())
    retry_job(context.engine, first["job_id"])  # queued again, with the plan that it had
    while_it_waits = post(row(3))

    assert first["job_id"] not in {while_it_runs["job_id"], while_it_waits["job_id"]}
    carry_out(context, while_it_waits["job_id"])
    assert list_items(context.engine, Query(waits=True)).items == ()


def test_two_jobs_read_an_item_once(post: Post, context: Context, pipeline: RulePipeline) -> None:
    first = post(row(1))
    part = Part(context, first["job_id"])
    part.plan()
    carry_out(context, post(row(2))["job_id"])

    part.do(0)
    part.finish()

    assert sorted(pipeline.seen) == [MASKED, MASKED]
    assert read_job(context.engine, first["job_id"]).state == "done"


def test_stretches_of_the_archive_are_read_each_for_itself(
    post: Post, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_STRETCH", 3)
    monkeypatch.setattr(archive, "_CHUNK_ROWS", 2)
    answer = post(*(row(n) for n in range(7)))

    job = carry_out(context, answer["job_id"])

    assert (job.state, job.n_total) == ("done", 7)
    assert list_items(context.engine, Query(waits=True)).items == ()


def test_a_text_that_breaks_the_model_is_set_aside(
    post: Post, context: Context, client: TestClient
) -> None:
    answer = post(row(1), row(2, "hỏng máy"), row(3))

    job = carry_out(context, answer["job_id"])

    [fault] = list_faults(context.engine, job.id, limit=9)
    assert (job.state, fault.subject) == ("done", ids_of(answer)[1])
    assert "hỏng" not in fault.reason
    assert client.get(f"/v1/opinions/{fault.subject}").json()["analysis"] is None


def test_a_text_that_kills_a_worker_is_set_aside(post: Post, context: Context) -> None:
    answer = post(row(1), row(2), row(3))
    part = Part(context, answer["job_id"])
    part.plan()
    for _ in range(2):  # deaths without a word
        shards.begin_shard(context.engine, answer["job_id"], attempt=1, shard=0)
    go = shards.begin_shard(context.engine, answer["job_id"], attempt=1, shard=0)
    assert go is not None
    shards.note_trying(context.engine, go, ids_of(answer)[1])  # and one with a last word

    part.do(0)
    part.finish()

    waits = list_items(context.engine, Query(waits=True)).items
    assert [item.id for item in waits] == [ids_of(answer)[1]]
    assert read_job(context.engine, answer["job_id"]).state == "done"


def test_what_is_erased_while_it_is_read_stays_erased(
    post: Post, context: Context, pipeline: RulePipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = post(row(1), row(2, "rác"))
    analyze_all = pipeline.analyze_all

    def erase_meanwhile(requests: Any) -> Any:
        found = analyze_all(requests)
        with writing(context.engine) as connection:
            seq = find_seq(connection, ids_of(answer)[0])
            if seq is not None:
                erase(connection, [seq])
        return found

    monkeypatch.setattr(pipeline, "analyze_all", erase_meanwhile)

    carry_out(context, answer["job_id"])

    assert [item.id for item in list_items(context.engine, Query()).items] == ids_of(answer)[1:]
    with context.engine.connect() as connection:
        for table in (tables.answers, tables.analyses):
            n_rows = connection.scalar(sa.select(sa.func.count()).select_from(table))
            assert n_rows == 1


def test_a_restricted_area_never_shows(post: Post, client: TestClient, context: Context) -> None:
    answer = post(row(1, "kỷ cương, đường hỏng"))
    carry_out(context, answer["job_id"])

    assert "DV4.3" not in client.get(f"/v1/opinions/{ids_of(answer)[0]}").text
    assert client.get("/v1/opinions?task_area=DV4.3").json()["items"] == []


def forgotten(desk: Desk, *, text: str = TEXT) -> None:
    """An opinion whose receiver died before it could order a reading."""
    store_opinions(desk, [Opinion("demo", "f", text)], later=True)


def after(context: Context, minutes: float) -> Context:
    """So long after the clock of the service has begun."""
    moment = datetime(2026, 1, 5, 8, 0, tzinfo=UTC) + timedelta(minutes=minutes)
    return replace(context, now=lambda: moment)


def test_what_was_forgotten_is_ordered_once(desk: Desk, context: Context) -> None:
    forgotten(desk)

    order_forgotten(after(context, 0.5))
    assert reading_jobs(desk.engine) == []
    for minutes in (2, 2.5, 10):
        order_forgotten(after(context, minutes))

    [job_id] = reading_jobs(desk.engine)
    carry_out(context, job_id)
    order_forgotten(after(context, 60))
    assert reading_jobs(desk.engine) == [job_id]


def test_what_a_job_under_way_will_read_is_not_ordered_again(post: Post, context: Context) -> None:
    answer = post(row(1))
    Part(context, answer["job_id"]).plan()

    order_forgotten(after(context, 60))

    assert reading_jobs(context.engine) == [answer["job_id"]]


def test_what_no_model_can_read_is_not_ordered_for_ever(desk: Desk, context: Context) -> None:
    forgotten(desk, text="hỏng máy")
    order_forgotten(after(context, 2))
    [job_id] = reading_jobs(desk.engine)
    carry_out(context, job_id)

    order_forgotten(after(context, 60))

    assert reading_jobs(desk.engine) == [job_id]

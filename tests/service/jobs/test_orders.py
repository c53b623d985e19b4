"""What is asked for, how far it is, whose seat it is: the rows of jobs and workers, without any worker."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from service.jobs.orders import submit, submit_within
from service.store import shards, workers
from service.store.dialect import writing
from service.store.errors import Conflict, NotFound
from service.store.jobs import (
    Job,
    JobQuery,
    Progress,
    State,
    cancel_job,
    list_jobs,
    measure,
    read_job,
    retry_job,
)

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def ask(engine: sa.Engine, job_id: str | None = None, *, kind: str = "a", minute: int = 0) -> Job:
    now = NOON + timedelta(minutes=minute)
    return submit(engine, kind, params={"n": 1}, asked_by="staff:lan", now=now, job_id=job_id)


def begin(engine: sa.Engine, job: Job, *sizes: int) -> list[shards.Go]:
    """A running job with shards of these sizes, each begun."""
    running = shards.begin_job(engine, job.id, attempt=job.attempt, now=NOON)
    assert running is not None
    shards.save_plan(engine, running, [(n, size) for n, size in enumerate(sizes)])
    goes = [again(engine, job, shard=n) for n in range(len(sizes))]
    return [go for go in goes if go is not None]


def again(engine: sa.Engine, job: Job, *, shard: int = 0) -> shards.Go | None:
    return shards.begin_shard(engine, job.id, attempt=job.attempt, shard=shard)


def progress(engine: sa.Engine, job: Job, *, minutes: int = 1) -> Progress:
    now = NOON + timedelta(minutes=minutes)
    return measure(engine, [read_job(engine, job.id)], now=now)[job.id]


def count(engine: sa.Engine, go: shards.Go, n: int) -> bool:
    with writing(engine) as connection:
        return shards.count_done(connection, go, n)


def test_a_job_is_queued_as_it_was_asked_for(engine: sa.Engine) -> None:
    job = ask(engine)

    assert (job.state, job.params, job.asked_by, job.created_at) == (
        "queued",
        {"n": 1},
        "staff:lan",
        NOON,
    )
    assert read_job(engine, job.id) == job
    assert workers.list_unsent(engine, limit=9) == ((job.id, 1),)


def test_asking_twice_under_one_id_is_asking_once(engine: sa.Engine) -> None:
    first = ask(engine, "mine", kind="a")

    assert ask(engine, "mine", kind="b", minute=5) == first
    assert len(list_jobs(engine, JobQuery())) == 1


def test_a_job_asked_for_in_a_transaction_goes_with_it(engine: sa.Engine) -> None:
    def ask_and_fail() -> None:
        with writing(engine) as connection:
            submit_within(connection, "a", params={}, asked_by="key:x", now=NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask_and_fail()

    assert list_jobs(engine, JobQuery()) == ()


def test_jobs_are_listed_newest_first_page_by_page(engine: sa.Engine) -> None:
    for n, minute in enumerate((0, 1, 1, 2, 3)):
        ask(engine, f"job{n}", minute=minute)

    first = list_jobs(engine, JobQuery(limit=3))
    ask(engine, "newest", minute=9)
    second = list_jobs(engine, JobQuery(limit=3, cursor=first[-1].id))

    assert [job.id for job in (*first, *second)] == ["job4", "job3", "job2", "job1", "job0"]
    assert list_jobs(engine, JobQuery(cursor="nobody")) == ()


def test_jobs_are_found_by_state_and_kind(engine: sa.Engine) -> None:
    ask(engine, "one", kind="a")
    ask(engine, "two", kind="b")
    cancel_job(engine, "two", now=NOON)

    assert [job.id for job in list_jobs(engine, JobQuery(state="cancelled"))] == ["two"]
    assert [job.id for job in list_jobs(engine, JobQuery(kind="a"))] == ["one"]
    assert list_jobs(engine, JobQuery(kind="a", state="cancelled")) == ()


def test_progress_tells_rate_and_time_left(engine: sa.Engine) -> None:
    job = ask(engine)
    first, second = begin(engine, job, 60, 240)

    count(engine, first, 60)
    count(engine, second, 30)
    shards.set_aside(engine, second, subject="item", reason="bad")

    told = progress(engine, job, minutes=1)
    assert (told.n_done, told.n_failed, told.per_second) == (90, 1, 1.5)
    assert told.seconds_left == pytest.approx(209 / 1.5)


def test_the_rate_counts_what_this_attempt_did(engine: sa.Engine) -> None:
    job = ask(engine)
    first, _ = begin(engine, job, 600, 60)
    count(engine, first, 600)
    shards.end_shard(engine, first, result=1)
    cancel_job(engine, job.id, now=NOON)
    job = retry_job(engine, job.id)
    assert shards.begin_job(engine, job.id, attempt=job.attempt, now=NOON) is not None
    second = again(engine, job, shard=1)
    assert second is not None

    count(engine, second, 30)

    assert progress(engine, job, minutes=1) == Progress(630, 0, 0.5, 60.0)


def test_only_the_last_runner_of_a_shard_counts(engine: sa.Engine) -> None:
    job = ask(engine)
    [first] = begin(engine, job, 10)
    count(engine, first, 4)
    second = again(engine, job)
    assert second is not None

    assert not count(engine, first, 3)
    shards.end_shard(engine, first, result="old")
    assert count(engine, second, 10)
    shards.end_shard(engine, second, result="new")

    assert progress(engine, job).n_done == 10
    assert shards.tally(engine, read_job(engine, job.id)).results == ("new",)
    assert again(engine, job) is None


def test_a_shard_of_a_cancelled_job_is_not_begun(engine: sa.Engine) -> None:
    job = ask(engine)
    [go] = begin(engine, job, 10)

    cancel_job(engine, job.id, now=NOON)

    assert not shards.has(engine, go)
    assert again(engine, job) is None


def test_deaths_are_counted_and_good_ends_are_not(engine: sa.Engine) -> None:
    job = ask(engine)
    [go] = begin(engine, job, 10)
    shards.let_go(engine, go)

    assert [getattr(again(engine, job), "deaths", None) for _ in range(3)] == [0, 1, 2]


def test_what_was_being_tried_at_a_death_is_set_aside_and_the_death_settled(
    engine: sa.Engine,
) -> None:
    job = ask(engine)
    begin(engine, job, 10)
    for _ in range(4):
        go = again(engine, job)
    assert go is not None
    shards.note_trying(engine, go, "item")

    after = again(engine, job)

    assert after is not None
    assert after.aside == {"item"}
    assert after.deaths == shards.CAREFUL_AFTER


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_what_has_ended_cannot_be_cancelled(engine: sa.Engine, state: State) -> None:
    job = ask(engine)
    begin(engine, job)
    shards.end_job(engine, job, state, now=NOON)

    with pytest.raises(Conflict, match=state):
        cancel_job(engine, job.id, now=NOON)


def test_what_is_queued_or_done_cannot_be_retried(engine: sa.Engine) -> None:
    job = ask(engine)
    with pytest.raises(Conflict, match="queued"):
        retry_job(engine, job.id)
    begin(engine, job)
    shards.end_job(engine, job, "done", now=NOON)

    with pytest.raises(Conflict, match="done"):
        retry_job(engine, job.id)


def test_a_retry_forgets_the_faults_of_what_is_done_again(engine: sa.Engine) -> None:
    job = ask(engine)
    good, bad = begin(engine, job, 5, 5)
    shards.set_aside(engine, good, subject="a", reason="bad")
    shards.end_shard(engine, good)
    shards.set_aside(engine, bad, subject="b", reason="bad")
    shards.end_shard(engine, bad, reason="broken")
    shards.end_job(engine, job, "failed", now=NOON, reason="broken")

    job = retry_job(engine, job.id)

    assert (job.state, job.reason, job.attempt) == ("queued", None, 2)
    assert progress(engine, job).n_failed == 1
    assert workers.list_unsent(engine, limit=9) == ((job.id, 2),)


def test_a_late_end_of_an_earlier_attempt_changes_nothing(engine: sa.Engine) -> None:
    first = ask(engine)
    begin(engine, first, 5)
    cancel_job(engine, first.id, now=NOON)
    retry_job(engine, first.id)

    shards.end_job(engine, first, "done", now=NOON)

    assert read_job(engine, first.id).state == "queued"


def test_an_unknown_job_is_not_found(engine: sa.Engine) -> None:
    for asked in (read_job, retry_job):
        with pytest.raises(NotFound):
            asked(engine, "nobody")
    with pytest.raises(NotFound):
        cancel_job(engine, "nobody", now=NOON)


def test_workers_take_the_first_free_seat_of_their_host(engine: sa.Engine) -> None:
    def take(minute: int) -> workers.Seat:
        now = NOON + timedelta(minutes=minute)
        return workers.take_seat(engine, "host", now=now, dead_after_s=90)

    first, second = take(0), take(1)
    workers.leave(engine, second)
    third = take(1)
    fourth = take(2)

    assert [seat.id for seat in (first, second, third, fourth)] == [
        "host-1",
        "host-2",
        "host-2",
        "host-1",
    ]


def test_workers_that_come_at_once_take_different_seats(engine: sa.Engine) -> None:
    def take(_: int) -> str:
        return workers.take_seat(engine, "host", now=datetime.now(UTC), dead_after_s=90).id

    with ThreadPoolExecutor(4) as pool:
        seats = list(pool.map(take, range(4)))

    assert sorted(seats) == ["host-1", "host-2", "host-3", "host-4"]


def test_a_worker_whose_seat_was_taken_cannot_beat_any_more(engine: sa.Engine) -> None:
    old = workers.take_name(engine, "w1", now=NOON)
    new = workers.take_name(engine, "w1", now=NOON + timedelta(seconds=1))

    assert not workers.beat(engine, old, now=NOON + timedelta(seconds=2))
    assert workers.beat(engine, new, now=NOON + timedelta(seconds=2))


def test_of_two_that_bury_a_dead_worker_one_does(engine: sa.Engine) -> None:
    workers.take_name(engine, "gone", now=NOON)
    still = workers.list_beats(engine)

    assert [workers.bury(engine, still) for _ in range(2)] == [1, 0]
    assert workers.list_beats(engine) == {}


def test_a_worker_that_has_beaten_since_is_not_buried(engine: sa.Engine) -> None:
    seat = workers.take_name(engine, "slow", now=NOON)
    still = workers.list_beats(engine)
    workers.beat(engine, seat, now=NOON + timedelta(seconds=40))

    assert workers.bury(engine, still) == 0


def test_rows_of_workers_long_dead_are_taken_away(engine: sa.Engine) -> None:
    workers.take_name(engine, "gone", now=NOON)
    workers.bury(engine, workers.list_beats(engine))
    workers.take_name(engine, "live", now=NOON)

    workers.forget_workers(engine, before=NOON + timedelta(days=1))

    with engine.connect() as connection:
        left = connection.exec_driver_sql("SELECT id FROM workers").scalars().all()
    assert left == ["live"]

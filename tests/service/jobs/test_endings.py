"""What a job comes to: done, failed, cancelled, gone on with."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.store.errors import Conflict
from service.store.jobs import cancel_job, list_faults, retry_job
from service.store.tables import job_shards
from tests.service.jobs.team import SLOW, Team, on_sqlite, wait_for

pytestmark = pytest.mark.slow


def test_a_job_is_planned_carried_out_and_summed_up(team: Team) -> None:
    job_id = team.ask(sizes=[12, 5, 8])

    team.start("w1")

    job = team.until(job_id, "done")
    assert job.result == {"n": 25, "model": "rules"}
    assert job.n_total == 25
    assert team.progress(job_id).n_done == 25
    assert team.items() == list(range(25))


@on_sqlite
@pytest.mark.parametrize("sizes", [[], [7]])
def test_a_job_may_have_one_shard_or_none(team: Team, sizes: list[int]) -> None:
    team.start("w1")

    job = team.until(team.ask(sizes=sizes), "done")

    assert job.result["n"] == sum(sizes)
    assert job.n_total == sum(sizes)


def test_a_cancelled_job_stops_and_can_be_gone_on_with(team: Team) -> None:
    team.start("w1")
    job_id = team.ask(sizes=[60, 10], slow_s=SLOW)
    team.until_in_the_middle(job_id)

    cancelled = cancel_job(team.engine, job_id, now=datetime.now(UTC))

    assert cancelled.state == "cancelled"
    wait_for(lambda: set(team.read(job_shards.c.deaths)) == {0})  # it has noticed
    n_done = team.progress(job_id).n_done
    assert n_done < 60
    assert len(team.items()) == n_done
    with pytest.raises(Conflict, match="ended already: cancelled"):
        cancel_job(team.engine, job_id, now=datetime.now(UTC))

    retry_job(team.engine, job_id)

    assert team.until(job_id, "done").result["n"] == 70
    assert team.progress(job_id).n_done == 70


def test_a_failing_shard_fails_the_job_alone_and_is_retried_alone(
    team: Team, tmp_path: Path
) -> None:
    team.start("w1")
    mended = tmp_path / "mended"
    job_id = team.ask(sizes=[10, 10, 10], broken=13, mended=str(mended))

    job = team.until(job_id, "failed")

    assert job.reason is not None
    assert job.reason.startswith("ValueError at worker.py:")
    assert team.items() == [*range(10), *range(20, 30)]

    mended.touch()
    retry_job(team.engine, job_id)

    assert team.until(job_id, "done").result["n"] == 30
    assert team.items() == list(range(30))
    assert sorted(team.read(job_shards.c.go)) == [1, 1, 2]


@on_sqlite
def test_a_small_job_does_not_wait_for_a_big_one(team: Team) -> None:
    team.start("w1")
    big = team.ask(sizes=[200, 200], slow_s=SLOW)
    team.until_in_the_middle(big)

    team.until(team.ask(sizes=[3]), "done")

    assert team.job(big).state == "running"


@on_sqlite
def test_small_jobs_that_only_wait_do_so_together(team: Team, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    team.start("w1")

    guests = [team.ask("meeting", sizes=[1], place=str(place), n_guests=3) for _ in range(3)]

    for guest in guests:
        team.until(guest, "done")


@on_sqlite
@pytest.mark.parametrize(("n_shaky", "state"), [(2, "done"), (3, "failed")])
def test_what_may_pass_by_itself_is_tried_three_times(
    team: Team, tmp_path: Path, n_shaky: int, state: str
) -> None:
    team.start("w1")

    job = team.until(
        team.ask(sizes=[10], shaky=3, n_shaky=n_shaky, marks=str(tmp_path / "marks")),
        "done",
        "failed",
    )

    assert job.state == state
    assert job.reason is None or job.reason.startswith("OperationalError at worker.py:")


@on_sqlite
def test_a_plan_that_cannot_be_made_fails_the_job_with_its_reason(team: Team) -> None:
    team.start("w1")

    job = team.until(team.ask(unplannable=True), "failed")

    assert job.reason == "nothing can be planned of this"


@on_sqlite
def test_a_kind_that_nobody_knows_fails_with_its_name(team: Team) -> None:
    team.start("w1")

    job = team.until(team.ask("unheard_of"), "failed")

    assert job.reason == "this version of danvan has no kind of job 'unheard_of'"


@on_sqlite
def test_a_bad_item_is_set_aside_and_the_others_go_on(team: Team) -> None:
    team.start("w1")
    job_id = team.ask(sizes=[10, 10], bad=13)

    team.until(job_id, "done")

    assert team.progress(job_id).n_failed == 1
    assert team.progress(job_id).n_done == 19
    [fault] = list_faults(team.engine, job_id, limit=9)
    assert (fault.subject, fault.reason) == ("13", "it is bad")

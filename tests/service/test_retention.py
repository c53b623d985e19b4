"""What is past its time is gone for good; nothing else is, whatever the clock says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.backup import AFTER_RESTORE, make_backup, restore_backup
from service.jobs.retention import erase_overdue, order_daily
from service.store import spool, tables
from service.store.access import Session, Staff, add_session, put_staff
from service.store.dialect import open_engine, writing
from service.store.jobs import Job, JobQuery, list_jobs, read_job
from service.store.query import Query
from service.store.retention import BATCH
from service.store.views import list_items
from tests.service.flows import START, Scene, a_scene
from tests.service.shelf import Shelf


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with a_scene(request, tmp_path, database=request.param) as scene:
        yield scene


def test_what_is_past_its_time_goes_and_the_rest_stays(scene: Scene) -> None:
    brief, long = scene.source("brief", days=30), scene.source("long", days=300)
    scene.keep("đường hỏng", source=brief)
    scene.keep("đường xấu", source=long)
    scene.pass_days(20)
    scene.keep("rác", source=brief)
    scene.pass_days(10)

    job = scene.carry_out("retention")

    assert scene.here() == [2, 3]
    assert (job.state, job.result["erased"]) == ("done", {"brief": 1})
    assert [item.id for item in list_items(scene.engine, Query(text="duong")).items] == [
        f"{2:032x}"
    ]


def test_the_last_day_is_kept_to_its_end(scene: Scene) -> None:
    scene.keep("đường hỏng", source=scene.source("brief", days=30))
    scene.pass_days(30 - 1 / 24)

    scene.carry_out("retention")

    assert scene.here() == [1]


def test_more_than_a_batch_goes_in_one_job(scene: Scene) -> None:
    scene.keep(*(f"đường hỏng {n}" for n in range(BATCH + 3)), source=scene.source("brief", days=1))
    scene.pass_days(1)

    job = scene.carry_out("retention")

    assert scene.here() == []
    assert (job.n_total, job.result["erased"]) == (BATCH + 3, {"brief": BATCH + 3})


def test_retention_is_ordered_once_a_day_and_first_at_night(scene: Scene) -> None:
    moments = [
        datetime(2026, 1, 5, 12, tzinfo=UTC),
        datetime(2026, 1, 5, 17, 59, tzinfo=UTC),
        datetime(2026, 1, 5, 18, tzinfo=UTC),
        datetime(2026, 1, 6, 3, tzinfo=UTC),
    ]
    for scene.now in moments:
        order_daily(scene.ctx)

    jobs = tables.jobs.c
    with scene.engine.connect() as connection:
        ordered = connection.execute(sa.select(jobs.id, jobs.created_at).order_by(jobs.id)).all()
    assert [tuple(row) for row in ordered] == [
        ("retention-2026-01-04", moments[0]),
        ("retention-2026-01-05", moments[2]),
    ]


def add_old_job(scene: Scene, *, days: int = 91, kind: str = "reading") -> str:
    """A job that ended so long ago."""
    ended = scene.now - timedelta(days=days)
    row = {
        "id": f"{kind}-{days}",
        "kind": kind,
        "state": "failed",
        "params": {},
        "asked_by": "test",
        "created_at": ended,
        "finished_at": ended,
    }
    with writing(scene.engine) as connection:
        connection.execute(tables.jobs.insert(), row)
    return f"{kind}-{days}"


def test_a_backup_brings_nothing_back_that_is_past_its_time(scene: Scene, tmp_path: Path) -> None:
    scene.keep("đường hỏng", source=scene.source("brief", days=10))
    scene.keep("đường xấu")
    make_backup(scene.settings.database_url, tmp_path / "backup.zip", now=START)
    url = f"sqlite:///{tmp_path}/restored/store.db"

    later, after = START + timedelta(days=10), (*AFTER_RESTORE, erase_overdue)
    restore_backup(url, tmp_path / "backup.zip", now=later, after=after)

    restored = open_engine(url)
    found = list_items(restored, Query(text="duong")).items
    waiting = list_jobs(restored, JobQuery(kind="wiping", state="queued"))
    restored.dispose()
    assert [item.id for item in found] == [f"{2:032x}"]
    assert len(waiting) == 1


def test_old_exports_jobs_sessions_and_files_go_as_well(scene: Scene) -> None:
    add_old_job(scene)
    recent = add_old_job(scene, days=89)
    made_a_run = add_old_job(scene, days=92, kind="reclassification")
    Shelf(scene.engine).store("đường hỏng")
    with writing(scene.engine) as connection:
        connection.execute(tables.runs.update().values(job_id=made_a_run))
        put_staff(connection, Staff("lan", "reader", scene.now, password_hash="x"))
        for digit, left in (("a", -1), ("b", 1)):
            ends = scene.now + timedelta(hours=left)
            add_session(
                connection, Session(digit * 64, "lan", "x", START - timedelta(days=1), ends)
            )
        spool.put(connection, "nobody", sealed=b"x", now=scene.now)

    job = scene.carry_out("retention")

    assert {name: job.result[name] for name in ("jobs", "sessions", "files")} == {
        "jobs": 1,
        "sessions": 1,
        "files": 1,
    }
    kept = {row.id for row in all_jobs(scene)}
    assert kept == {recent, made_a_run, job.id}


def all_jobs(scene: Scene) -> list[Job]:
    with scene.engine.connect() as connection:
        ids = connection.scalars(sa.select(tables.jobs.c.id)).all()
    return [read_job(scene.engine, job_id) for job_id in ids]


def test_the_last_retention_is_remembered_however_old_it_is(scene: Scene) -> None:
    scene.keep("đường hỏng", source=scene.source("brief", days=30))
    first = scene.carry_out("retention")
    scene.now += timedelta(days=200)

    second = scene.carry_out("retention", confirmed=True)
    scene.pass_days(100)
    third = scene.carry_out("retention")

    assert (second.result["jobs"], third.state) == (0, "done")
    assert first.id not in {job.id for job in all_jobs(scene)}


def test_exports_are_kept_for_their_days(scene: Scene, tmp_path: Path) -> None:
    scene.settings = scene.settings.model_copy(update={"export_days": 2})
    folder = scene.settings.exports_folder
    folder.mkdir()
    (folder / "a.csv").write_text("")
    written = datetime.fromtimestamp((folder / "a.csv").stat().st_mtime, tz=UTC)

    scene.now = written + timedelta(days=2) - timedelta(minutes=1)
    early = scene.carry_out("retention").result["exports"]
    scene.now += timedelta(minutes=2)
    late = scene.carry_out("retention").result["exports"]

    assert (early, late) == (0, 1)

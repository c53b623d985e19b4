"""`danvan doctor` sees what is wrong, and says what to do."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.doctor import Finding, examine
from service.settings import Settings
from service.store import tables
from service.store.dialect import open_engine, writing
from service.store.migrate import migrate

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, tiny_models: Path) -> Settings:
    return Settings(
        database_url=f"sqlite:///{tmp_path}/data/store.db", models_folder=tiny_models, model="tiny"
    )


@pytest.fixture
def engine(settings: Settings) -> Iterator[sa.Engine]:
    migrate(settings.database_url)
    engine = open_engine(settings.database_url)
    yield engine
    engine.dispose()


def find(settings: Settings, name: str) -> Finding:
    return next(finding for finding in examine(settings, now=NOW) if finding.name == name)


def put(engine: sa.Engine, table: sa.Table, **row: object) -> None:
    with writing(engine) as connection:
        connection.execute(table.insert(), row)


def put_item(engine: sa.Engine, *, received_at: datetime) -> None:
    row: dict[str, object] = {c.name: "x" for c in tables.items.columns if not c.nullable}
    row |= {"blocks": [], "issues": [], "places": [], "source": "demo", "seq": 1}
    put(engine, tables.items, **{**row, "received_at": received_at})


def put_job(engine: sa.Engine, *, age_s: float) -> None:
    row = {"id": "j", "kind": "test", "state": "queued", "params": {}, "asked_by": "test"}
    put(engine, tables.jobs, **row, created_at=NOW - timedelta(seconds=age_s))


def put_worker(engine: sa.Engine, *, age_s: float) -> None:
    beat_at = NOW - timedelta(seconds=age_s)
    put(engine, tables.workers, id="w", state="live", started_at=beat_at, beat_at=beat_at)


def test_nothing_is_wrong_with_a_new_database(settings: Settings, engine: sa.Engine) -> None:
    wrong = [each for each in examine(settings, now=NOW) if not each.ok and each.weight != "extra"]

    assert [each for each in wrong if not each.name.startswith("room")] == []


def test_looking_makes_no_database(settings: Settings, tmp_path: Path) -> None:
    finding = find(settings, "database")

    assert finding.ok
    assert "not there yet" in finding.detail
    assert not (tmp_path / "data" / "store.db").exists()


def test_the_database_is_named_with_its_version(settings: Settings, engine: sa.Engine) -> None:
    assert find(settings, "database").detail.startswith("sqlite 3.")
    assert find(settings, "search").ok
    assert find(settings, "schema").ok


def test_postgresql_is_named_with_its_version(settings: Settings, postgres_url: str) -> None:
    settings = settings.model_copy(update={"database_url": postgres_url})
    looked = [each for each in examine(settings, now=NOW) if each.name in {"database", "search"}]

    assert looked[0].detail.startswith("postgresql ")
    assert looked[1].ok


def test_a_database_that_does_not_answer_is_told(settings: Settings) -> None:
    away = {"database_url": "postgresql+psycopg://a:bimat@127.0.0.1:1/x"}
    finding = find(settings.model_copy(update=away), "database")

    assert (finding.ok, finding.weight) == (False, "needed")
    assert "\n" not in finding.detail
    assert "bimat" not in finding.detail


def test_an_old_schema_is_told(settings: Settings, engine: sa.Engine) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")

    wrong = [each for each in examine(settings, now=NOW) if not each.ok and each.name == "database"]

    assert [each.weight for each in wrong] == ["needed"]
    assert "danvan migrate" in wrong[0].detail


@pytest.mark.parametrize(("ahead_s", "ok"), [(-3600, True), (5, True), (3600, False)])
def test_a_clock_behind_the_newest_item_is_told(
    settings: Settings, engine: sa.Engine, ahead_s: int, ok: bool
) -> None:
    put_item(engine, received_at=NOW + timedelta(seconds=ahead_s))

    finding = find(settings, "clock")

    assert (finding.ok, "still to come" in finding.detail) == (ok, not ok)


@pytest.mark.parametrize(
    ("worker_age_s", "job_age_s", "workers_ok", "jobs_ok"),
    [(None, None, True, True), (1, 5, True, True), (None, 5, False, True),
     (1_000, 5, False, True), (1, 5_000, True, False)],
)  # fmt: skip
def test_jobs_that_nobody_does_are_told(
    settings: Settings,
    engine: sa.Engine,
    worker_age_s: float | None,
    job_age_s: float | None,
    workers_ok: bool,
    jobs_ok: bool,
) -> None:
    if worker_age_s is not None:
        put_worker(engine, age_s=worker_age_s)
    if job_age_s is not None:
        put_job(engine, age_s=job_age_s)

    assert (find(settings, "workers").ok, find(settings, "jobs").ok) == (workers_ok, jobs_ok)


def test_a_service_nobody_can_enter_is_told(settings: Settings, engine: sa.Engine) -> None:
    locked = settings.model_copy(update={"access": "keys"})
    key = {"id": "a", "label": "a", "role": "reader", "sha256": "a", "created_at": NOW}
    before = find(locked, "access")
    put(engine, tables.api_keys, **key, expires_at=NOW - timedelta(days=1))
    expired = find(locked, "access")
    put(engine, tables.api_keys, **key | {"id": "b", "sha256": "b"})

    after = find(locked, "access")

    assert (before.ok, expired.ok, after.ok) == (False, False, True)
    assert "danvan keys create" in before.detail
    assert after.detail == "keys, 1 keys that open, 0 staff"


def test_a_database_for_everybody_to_read_is_told(settings: Settings, engine: sa.Engine) -> None:
    before = find(settings, "rights")
    Path(engine.url.database or "").chmod(0o644)

    after = find(settings, "rights")

    assert (before.ok, after.ok) == (True, False)
    assert "chmod o=" in after.detail


def test_little_room_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.doctor._LITTLE_ROOM_BYTES", 2**60)

    finding = find(settings, "room for data")

    assert (finding.ok, finding.weight) == (False, "watch")


def test_a_folder_that_cannot_be_written_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write everywhere

    finding = find(settings, "folder of data")

    assert (finding.ok, finding.weight) == (False, "needed")

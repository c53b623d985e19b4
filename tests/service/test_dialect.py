"""SQLite is opened so that several threads and processes can work on it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa

from service.store import tables
from service.store.dialect import UtcDateTime, insert_new, open_engine, writing
from service.store.errors import StoreError
from service.store.intake import Source, register_source
from service.store.migrate import migrate
from service.store.views import list_sources


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    url = f"sqlite:///{tmp_path}/store.db"
    migrate(url)
    engine = open_engine(url)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("foreign_keys", 1), ("busy_timeout", 10_000)]
)
def test_every_connection_is_prepared(engine: sa.Engine, pragma: str, value: object) -> None:
    with engine.connect() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_writers_wait_for_each_other(engine: sa.Engine) -> None:
    def register(number: int) -> None:
        for i in range(10):
            register_source(engine, Source(f"s{number}-{i}", "test", "none", 1))

    threads = [Thread(target=register, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(list_sources(engine)) == 2 + 40


def test_a_failed_transaction_leaves_nothing(engine: sa.Engine) -> None:
    row = {"name": "a", "channel": "test", "legal_basis": "none", "retention_days": 1}

    def write_and_fail() -> None:
        with writing(engine) as connection:
            connection.execute(insert_new(connection, tables.sources), row)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert [source.name for source in list_sources(engine)] == ["demo", "web_upload"]


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 5), open_dialect())


def test_a_moment_comes_back_in_utc() -> None:
    naive = datetime(2026, 1, 5, 8, 0)  # as SQLite gives it back

    assert UtcDateTime().process_result_value(naive, open_dialect()) == naive.replace(tzinfo=UTC)


def open_dialect() -> sa.Dialect:
    return sa.create_engine("sqlite://").dialect


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="cannot make the folder"):
        open_engine(f"sqlite:///{tmp_path}/file/store.db")


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text("not a database, but quite some text all the same")

    with pytest.raises(StoreError, match="cannot be opened"):
        migrate(f"sqlite:///{tmp_path}/store.db")


def test_a_database_of_a_newer_version_is_told(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(StoreError, match="newer version"):
        migrate(str(engine.url))


def test_a_new_file_is_for_its_owner_alone(engine: sa.Engine, tmp_path: Path) -> None:
    assert list_sources(engine)

    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("store.db*")}
    assert set(modes.values()) == {0o600}

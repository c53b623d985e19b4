"""`danvan backup`, `restore` and `doctor` as an operator meets them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.store.dialect import open_engine
from service.store.intake import Source, register_source
from service.store.migrate import migrate
from service.store.views import list_sources
from tests.service.commands import Danvan, commanding


@pytest.fixture
def danvan(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Danvan]:
    """Run `danvan` with these arguments on the database `store.db` of an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DANVAN_DATABASE_URL", "sqlite:///store.db")
    monkeypatch.setenv("COLUMNS", "100")

    with commanding(monkeypatch, capsys) as run:
        yield run


@pytest.fixture
def store(tmp_path: Path) -> str:
    """A database with a source of its own."""
    url = f"sqlite:///{tmp_path}/store.db"
    migrate(url)
    engine = open_engine(url)
    register_source(engine, Source("hotline", "hotline", "none", 30))
    engine.dispose()
    return url


def names(url: str) -> list[str]:
    engine = open_engine(url)
    found = [source.name for source in list_sources(engine)]
    engine.dispose()
    return found


def test_what_was_backed_up_is_restored(
    danvan: Danvan, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = danvan("backup", "a.zip")
    checked = danvan("restore", "a.zip", "--check")
    monkeypatch.setenv("DANVAN_DATABASE_URL", "sqlite:///new.db")
    restored = danvan("restore", "a.zip")

    assert [made.code, checked.code, restored.code] == [0, 0, 0]
    assert "a.zip: 3 rows" in made.out
    assert "is whole" in checked.out
    assert "is restored: 3 rows" in restored.out
    assert (
        names(f"sqlite:///{tmp_path}/new.db") == names(store) == ["demo", "hotline", "web_upload"]
    )


def test_old_backups_go_when_a_new_one_is_there(danvan: Danvan, store: str, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    long_ago = datetime.now(UTC) - timedelta(days=8)
    old = tmp_path / "kept" / f"danvan-{long_ago:%Y%m%dT%H%M%SZ}.zip"
    old.touch()

    outcome = danvan("backup", "kept", "--keep-days", "7")

    assert outcome.code == 0
    assert f"{old.name}: deleted" in outcome.out
    [left] = (tmp_path / "kept").iterdir()
    assert left.stat().st_size > 0


def test_a_failed_backup_deletes_no_old_one(danvan: Danvan, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "danvan-20200101T000000Z.zip").touch()

    outcome = danvan("backup", "kept", "--keep-days", "7")

    assert outcome.code == 1
    assert len(list((tmp_path / "kept").iterdir())) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("backup", "a.zip"),  # there is no database
        ("backup", "nowhere/a.zip"),
        ("restore", "none.zip"),
        ("restore", "."),
        ("restore", "empty.zip"),
        ("restore", "none.zip", "--check"),
    ],
    ids=" ".join,
)
def test_a_failure_is_one_sentence_and_exit_code_1(
    danvan: Danvan, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "empty.zip").touch()

    outcome = danvan(*arguments)

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.strip().count("\n") == 0
    assert len(outcome.err) > 20
    assert [path.name for path in tmp_path.iterdir()] == ["empty.zip"]


@pytest.mark.parametrize(
    "arguments", [("backup",), ("backup", "a.zip", "--keep-days", "7"), ("restore",)], ids=" ".join
)
def test_wrong_usage_is_exit_code_2(danvan: Danvan, arguments: tuple[str, ...]) -> None:
    assert danvan(*arguments).code == 2


def test_the_doctor_says_what_is_wrong_by_its_exit_code(
    danvan: Danvan, tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DANVAN_MODELS_FOLDER", str(tiny_models))
    monkeypatch.setenv("DANVAN_MODEL", "tiny")
    well = danvan("doctor")
    monkeypatch.setenv("DANVAN_MODEL", "none")

    ill = danvan("doctor")

    assert (well.code, ill.code) == (0, 1)
    assert "ok      model: tiny 0.0.1" in well.out
    assert "FAILED  model: no model 'none'" in ill.out

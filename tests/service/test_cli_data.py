"""`danvan retention` and `danvan export items` as an operator meets them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from service.store.jobs import JobQuery, list_jobs
from tests.service.commands import Danvan, commanding
from tests.service.flows import Scene, a_scene


@pytest.fixture
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with a_scene(request, tmp_path, database="sqlite") as scene:
        scene.now = datetime.now(UTC)
        yield scene


@pytest.fixture
def danvan(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Iterator[Danvan]:
    """Run `danvan` with these arguments on the store of the scene."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DANVAN_DATABASE_URL", scene.settings.database_url)
    monkeypatch.setenv("DANVAN_EXPORTS_FOLDER", str(scene.settings.exports_folder))
    monkeypatch.setenv("COLUMNS", "100")

    with commanding(monkeypatch, capsys) as run:
        yield run


def keep_old(scene: Scene, *, days_ago: float) -> None:
    """Two opinions past their time and one that is not; the newest thing that happened lies so far back."""
    today = scene.now
    scene.now = today - timedelta(days=40)
    scene.keep("đường hỏng", "đường xấu", source=scene.source("brief", days=30))
    scene.now = today - timedelta(days=days_ago)
    scene.keep("rác")
    scene.now = today


def test_a_dry_run_tells_what_is_due_and_erases_nothing(scene: Scene, danvan: Danvan) -> None:
    keep_old(scene, days_ago=1)

    told = danvan("retention", "--dry-run")

    assert (told.code, told.out) == (0, "brief: 2\n2 items due\n")
    assert scene.here() == [1, 2, 3]
    assert list_jobs(scene.engine, JobQuery()) == ()


def test_retention_tells_what_went(scene: Scene, danvan: Danvan) -> None:
    keep_old(scene, days_ago=1)

    told = danvan("retention")

    assert (told.code, told.out) == (0, "brief: 2\n2 items erased\n")
    assert scene.here() == [3]
    [job] = list_jobs(scene.engine, JobQuery())
    assert (job.kind, job.state, job.asked_by) == ("retention", "done", "console")


def test_a_clock_that_may_have_jumped_must_be_confirmed(scene: Scene, danvan: Danvan) -> None:
    keep_old(scene, days_ago=20)

    looked, refused = danvan("retention", "--dry-run"), danvan("retention")
    kept = scene.here()
    confirmed = danvan("retention", "--confirm")

    for told in (looked, refused):
        assert told.code == 1
        assert "danvan retention --confirm" in told.err
    assert kept == [1, 2, 3]
    assert (confirmed.code, scene.here()) == (0, [3])


@pytest.mark.parametrize("command", [("retention",), ("export", "items", "out.csv")])
def test_a_store_that_is_not_ready_is_told(
    danvan: Danvan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DANVAN_DATABASE_URL", f"sqlite:///{tmp_path}/empty.db")

    told = danvan(*command)

    assert (told.code, "danvan migrate" in told.err) == (1, True)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("ending", ["csv", "xlsx", "jsonl", "XLSX"])
def test_items_are_written_to_a_file(
    scene: Scene, danvan: Danvan, tmp_path: Path, ending: str
) -> None:
    scene.keep("đường hỏng", "rác ùn")

    told = danvan("export", "items", f"out.{ending}", "--civic-field", "LV03", "--with-text")

    assert (told.code, told.err.splitlines()[-1]) == (0, f"1 items in out.{ending}")
    data = (tmp_path / f"out.{ending}").read_bytes()
    if ending.lower() == "xlsx":
        book = openpyxl.load_workbook(tmp_path / f"out.{ending}")
        assert [row[-1] for row in book["Ý kiến"].values] == ["Nội dung", "đường hỏng"]
    else:
        assert "đường hỏng" in data.decode()
        assert "rác ùn" not in data.decode()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--received-from", "hôm qua"], "received_from"),
        (["--intake", "document", "--sentiment", "negative"], "sentiment: unknown key, refused"),
        (["--sentiment", "angry"], "sentiment"),
    ],
)
def test_a_filter_that_cannot_be_is_named(danvan: Danvan, options: list[str], told: str) -> None:
    outcome = danvan("export", "items", "out.csv", *options)

    assert outcome.code == 1
    assert told in outcome.err


def test_a_name_without_a_known_ending_is_wrong_usage(danvan: Danvan) -> None:
    assert danvan("export", "items", "out.docx").code == 2


def test_a_folder_that_is_not_there_is_told(danvan: Danvan) -> None:
    told = danvan("export", "items", "no/out.csv")

    assert (told.code, told.err.strip()) == (1, "danvan: no: no such folder; make it first")

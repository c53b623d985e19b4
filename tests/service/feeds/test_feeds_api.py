"""`/v1/feeds` and `danvan feeds` as an administrator meets them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.settings import Settings, feed_password
from tests.service.commands import Danvan, commanding
from tests.service.flows import Scene, a_scene

FEED = {
    "name": "it",
    "kind": "feed",
    "address": "https://example.org/rss",
    "source": "demo",
    "columns": {"text": "summary"},
}


def test_a_feed_is_made_listed_and_ended(client: TestClient) -> None:
    made = client.post("/v1/feeds", json=FEED)
    listed = client.get("/v1/feeds").json()["feeds"]
    ended = client.delete("/v1/feeds/it")
    again = client.delete("/v1/feeds/it")

    assert (made.status_code, ended.status_code, again.status_code) == (201, 200, 404)
    assert listed == [made.json()]
    assert made.json() | FEED == made.json()
    assert made.json()["due_at"] == made.json()["created_at"]
    assert (ended.json()["ended_at"] is not None, ended.json()["due_at"]) == (True, None)
    log = client.get("/v1/access-log?subject=it").json()["items"]
    assert [entry["action"] for entry in log] == ["feed.ended", "feed.made"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "It"}, 422),
        ({"address": "http://example.org/rss"}, 422),
        ({"address": "https://10.0.0.8/rss"}, 422),
        ({"columns": {"text": "author"}}, 422),
        ({"every_s": 1}, 422),
        ({"source": "nobody"}, 422),
        ({"password": "x"}, 422),
    ],
)
def test_what_cannot_be_looked_at_is_refused(
    client: TestClient, change: dict[str, object], status: int
) -> None:
    answer = client.post("/v1/feeds", json=FEED | change)

    assert answer.status_code == status
    assert "example.org" not in answer.text


def test_a_preview_says_what_is_there_or_why_nothing_is(
    client: TestClient, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = FEED | {"kind": "folder", "address": "hotline", "columns": {}}
    client.post("/v1/feeds", json=folder)
    missing = client.get("/v1/feeds/it/preview").json()
    (settings.feeds_folder / "hotline").mkdir(parents=True)
    (settings.feeds_folder / "hotline" / "a.csv").write_text("text\nGọi 0912 345 678\n\n")

    found = client.get("/v1/feeds/it/preview").json()

    assert (missing["entries"], "cannot be opened" in missing["reason"]) == ([], True)
    [entry] = found["entries"]
    assert (entry["place"], entry["fault"], found["reason"]) == ("row 2", None, None)
    assert "345" not in str(found)
    assert client.get("/v1/opinions").json()["items"] == []


def test_a_password_is_read_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "danvan_feed_it_password").write_text("của tệp\n")

    from_file = feed_password("it")
    monkeypatch.setenv("DANVAN_FEED_IT_PASSWORD", "của biến")

    assert (from_file, feed_password("it"), feed_password("no")) == ("của tệp", "của biến", None)


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
    monkeypatch.setenv("DANVAN_DATABASE_URL", scene.settings.database_url)
    monkeypatch.setenv("DANVAN_FEEDS_FOLDER", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("service.assembly.build_context", lambda settings: scene.ctx)
    with commanding(monkeypatch, capsys, "feeds") as run:
        yield run


def test_a_folder_is_tried_added_run_and_ended(
    danvan: Danvan, scene: Scene, tmp_path: Path
) -> None:
    (tmp_path / "hotline").mkdir()
    (tmp_path / "hotline" / "a.csv").write_text("Mã;Nội dung\n1;Đường hỏng\n2;\n")
    where = ("--kind", "folder", "--address", "hotline")
    columns = ("--map", "text=Nội dung", "--map", "external_id=Mã")

    tried = danvan("preview", "it", *where, *columns)
    added = danvan("add", "it", *where, *columns, "--source", "demo", "--every", "2h")
    scene.settings = scene.settings.model_copy(update={"feeds_folder": tmp_path})
    first, second = danvan("run", "it"), danvan("run", "it")
    listed = danvan("list")
    ended = danvan("end", "it")

    assert [one.code for one in (tried, added, first, second, listed, ended)] == [0] * 6
    assert "row 2: 1\n    Đường hỏng\n" in tried.out
    assert "row 3: " in tried.out
    assert "REFUSED: the text is empty" in tried.out
    assert "it: 0 accepted, 0 duplicate, 0 refused" in first.out  # it was written just now
    assert "it: 1 accepted, 0 duplicate, 1 refused" in second.out
    assert "2:00:00" in listed.out
    assert "well" in listed.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("run", "nobody"), 1),
        (("add", "it", "--kind", "feed", "--address", "x", "--source", "demo"), 1),
        (("add", "it", "--kind", "feed", "--address", "x", "--source", "demo", "--every", "5"), 2),
        (("preview", "it", "--kind", "folder", "--address", "x", "--map", "text"), 2),
    ],
)
def test_what_is_wrong_is_said(danvan: Danvan, arguments: tuple[str, ...], code: int) -> None:
    told = danvan(*arguments)

    assert told.code == code
    assert told.err

"""Texts that read like a denunciation are sealed, counted, handed over, forgotten; nobody reads them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from nlp.errors import InputError, InvalidRecord
from service.actions import Desk
from service.auth import CONSOLE
from service.backup import AFTER_RESTORE, make_backup, restore_backup
from service.handover import hand_over
from service.jobs.retention import erase_overdue
from service.monitor.denunciations import ToldMonth, tell
from service.sealing import Sealer, SealError
from service.store import tables
from service.store.access import LogQuery, list_entries
from service.store.dialect import open_engine, writing
from service.store.restricted import count_months, count_waiting, find, put
from tests.service.commands import Danvan, commanding
from tests.service.flows import START, Scene, a_scene

TEXT = "Tôi tố cáo ông trưởng thôn nhận tiền"


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with a_scene(request, tmp_path, database=request.param) as scene:
        yield scene


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    return Sealer(tmp_path / "spool.key")


def seal(
    engine: sa.Engine, sealer: Sealer, *numbers: int, source: str = "demo", at: datetime = START
) -> None:
    with writing(engine) as connection:
        for number in numbers:
            put(
                connection,
                id=f"{number:032x}",
                source=source,
                external_id=str(number),
                sealed=sealer.seal(f"{TEXT} {number}".encode()),
                received_at=at + timedelta(seconds=number),
            )


def waiting(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return count_waiting(connection)


def give(
    scene: Scene, out: Path, *, sealer: Sealer, to: str = "thanh-tra", limit: int = 100
) -> int:
    return hand_over(
        scene.engine, out, to=to, sealer=sealer, by=CONSOLE, now=scene.now, limit=limit
    )


def test_the_first_under_a_key_stays(scene: Scene, sealer: Sealer) -> None:
    seal(scene.engine, sealer, 1)

    with writing(scene.engine) as connection:
        row = {"source": "demo", "received_at": START, "sealed": b"x"}
        again = put(connection, id="b" * 32, external_id="1", **row)  # type: ignore[arg-type] # as above
        new = put(connection, id="c" * 32, external_id="2", **row)  # type: ignore[arg-type] # as above

    assert (again, new) == (f"{1:032x}", "c" * 32)
    assert waiting(scene.engine) == 2


def test_keys_are_found_by_the_thousand(scene: Scene, sealer: Sealer) -> None:
    seal(scene.engine, sealer, 1, 2)

    with scene.engine.connect() as connection:
        found = find(connection, [("demo", str(i)) for i in range(1_000)])

    assert found == {("demo", "1"): f"{1:032x}", ("demo", "2"): f"{2:032x}"}


def test_what_is_kept_cannot_be_read(scene: Scene, sealer: Sealer) -> None:
    seal(scene.engine, sealer, 1)

    with scene.engine.connect() as connection:
        [row] = connection.execute(sa.select(tables.restricted)).mappings()

    assert b"tr\xc6\xb0\xe1\xbb\x9fng" not in row["sealed"]
    assert sealer.open(row["sealed"]).decode() == f"{TEXT} 1"


def test_months_are_those_of_vietnam(scene: Scene, sealer: Sealer) -> None:
    last_evening = datetime(2026, 1, 31, 16, 59, tzinfo=UTC)
    seal(scene.engine, sealer, 1, at=last_evening)
    seal(scene.engine, sealer, 2, 3, at=last_evening + timedelta(minutes=2))
    seal(scene.engine, sealer, 4, at=datetime(2026, 4, 1, tzinfo=UTC))

    with scene.engine.connect() as connection:
        months = count_months(connection)

    assert [(month.month, month.n_received) for month in months] == [
        ("2026-04", 1),
        ("2026-03", 0),
        ("2026-02", 2),
        ("2026-01", 1),
    ]


def test_small_counts_are_not_told(scene: Scene, sealer: Sealer) -> None:
    few = scene.source("few", days=30)
    seal(scene.engine, sealer, *range(1, 15), at=START)
    seal(scene.engine, sealer, *range(100, 109), source=few, at=START + timedelta(days=31))

    with scene.engine.connect() as connection:
        told = tell(connection, k=10)

    assert told.months == (ToldMonth("2026-01", 10, None),)
    assert (told.sources, told.waiting) == (("demo",), 20)


def test_no_month_is_told_of_an_empty_queue(scene: Scene) -> None:
    with scene.engine.connect() as connection:
        told = tell(connection, k=10)

    assert (told.months, told.sources, told.waiting) == ((), (), None)


def test_the_oldest_are_handed_over_and_deleted(
    scene: Scene, sealer: Sealer, tmp_path: Path
) -> None:
    seal(scene.engine, sealer, 1, 2, 3)

    n_texts = give(scene, tmp_path / "out.jsonl", sealer=sealer, limit=2)

    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert n_texts == 2
    assert [(row["external_id"], row["text"]) for row in rows] == [
        ("1", f"{TEXT} 1"),
        ("2", f"{TEXT} 2"),
    ]
    assert (tmp_path / "out.jsonl").stat().st_mode & 0o777 == 0o600
    assert waiting(scene.engine) == 1
    with scene.engine.connect() as connection:
        sealed = connection.scalars(sa.select(tables.restricted.c.sealed)).all()
    assert sealed.count(None) == 2


def test_what_was_handed_over_still_counts_and_still_is_a_duplicate(
    scene: Scene, sealer: Sealer, tmp_path: Path
) -> None:
    seal(scene.engine, sealer, *range(12))

    give(scene, tmp_path / "out.jsonl", sealer=sealer)
    seal(scene.engine, sealer, 1)

    with scene.engine.connect() as connection:
        assert tell(connection, k=10).months == (ToldMonth("2026-01", 10, 10),)
    assert waiting(scene.engine) == 0


def test_the_log_says_how_many_went_where_and_nothing_else(
    scene: Scene, sealer: Sealer, tmp_path: Path
) -> None:
    seal(scene.engine, sealer, 1, 2)

    give(scene, tmp_path / "out.jsonl", sealer=sealer, to="thanh-tra-tp")

    with scene.engine.connect() as connection:
        [line] = list_entries(connection, LogQuery()).entries
    assert (line.actor, line.action, line.subject) == (
        "console",
        "restricted.handed_over",
        "thanh-tra-tp:2",
    )


def test_the_traces_of_what_was_handed_over_are_wiped_out(
    scene: Scene, sealer: Sealer, tmp_path: Path
) -> None:
    seal(scene.engine, sealer, 1)

    give(scene, tmp_path / "out.jsonl", sealer=sealer)

    with scene.engine.connect() as connection:
        assert connection.scalars(sa.select(tables.jobs.c.kind)).all() == ["wiping"]


def test_under_another_key_nothing_is_handed_over(
    scene: Scene, sealer: Sealer, tmp_path: Path
) -> None:
    seal(scene.engine, sealer, 1)
    seal(scene.engine, Sealer(tmp_path / "other.key"), 2)

    with pytest.raises(SealError):
        give(scene, tmp_path / "out.jsonl", sealer=sealer)

    assert waiting(scene.engine) == 2
    assert sorted(path.suffix for path in tmp_path.iterdir() if "out" in path.name) == []


def test_where_the_store_fails_the_file_is_taken_back(
    scene: Scene, sealer: Sealer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal(scene.engine, sealer, 1)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("service.handover.add_entries", fail)
    with pytest.raises(RuntimeError):
        give(scene, tmp_path / "out.jsonl", sealer=sealer)

    assert not (tmp_path / "out.jsonl").exists()
    assert waiting(scene.engine) == 1


def test_a_file_that_is_there_is_not_written_over(
    scene: Scene, sealer: Sealer, tmp_path: Path
) -> None:
    seal(scene.engine, sealer, 1)
    (tmp_path / "out.jsonl").write_text("earlier", encoding="utf-8")

    with pytest.raises(InvalidRecord, match="there already"):
        give(scene, tmp_path / "out.jsonl", sealer=sealer)

    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == "earlier"
    assert waiting(scene.engine) == 1


@pytest.mark.parametrize("body", ["", "Thanh tra", "a" * 41, "a\nb", "-a"])
def test_a_body_that_the_log_cannot_name_is_refused(
    scene: Scene, sealer: Sealer, tmp_path: Path, body: str
) -> None:
    with pytest.raises(InvalidRecord, match="name the body"):
        give(scene, tmp_path / "out.jsonl", sealer=sealer, to=body)


def test_a_folder_that_is_not_there_is_told(scene: Scene, sealer: Sealer, tmp_path: Path) -> None:
    seal(scene.engine, sealer, 1)

    with pytest.raises(InputError, match="no such folder"):
        give(scene, tmp_path / "none" / "out.jsonl", sealer=sealer)

    assert waiting(scene.engine) == 1


def test_of_an_empty_queue_nothing_is_written(scene: Scene, sealer: Sealer, tmp_path: Path) -> None:
    assert give(scene, tmp_path / "out.jsonl", sealer=sealer) == 0
    assert not (tmp_path / "out.jsonl").exists()


def test_retention_takes_them_away_handed_over_or_not(
    scene: Scene, sealer: Sealer, tmp_path: Path
) -> None:
    brief, long = scene.source("brief", days=30), scene.source("long", days=300)
    seal(scene.engine, sealer, 1, 2, source=brief)
    seal(scene.engine, sealer, 3, source=long)
    give(scene, tmp_path / "out.jsonl", sealer=sealer, limit=1)
    scene.pass_days(29)
    scene.carry_out("retention")
    before = count(scene)
    scene.pass_days(1.1)

    job = scene.carry_out("retention")

    assert (before, count(scene)) == (3, 1)
    assert "restricted" not in str(job.result)


def count(scene: Scene) -> int:
    with scene.engine.connect() as connection:
        query = sa.select(sa.func.count()).select_from(tables.restricted)
        return connection.scalar(query) or 0


def test_a_backup_holds_them_sealed_and_opens_with_the_key_alone(
    scene: Scene, sealer: Sealer, tmp_path: Path
) -> None:
    seal(scene.engine, sealer, 1)
    url = scene.engine.url.render_as_string(hide_password=False)
    made = make_backup(url, tmp_path / "a.zip", now=START)
    restored = f"sqlite:///{tmp_path}/restored.db"

    restore_backup(restored, made.path, now=START)

    engine = open_engine(restored)
    with engine.connect() as connection:
        sealed = connection.execute(sa.select(tables.restricted.c.sealed)).scalar_one()
    engine.dispose()
    assert sealer.open(sealed).decode() == f"{TEXT} 1"
    with pytest.raises(SealError):
        Sealer(tmp_path / "other.key").open(sealed)


def test_a_restore_forgets_what_is_past_its_time(
    scene: Scene, sealer: Sealer, tmp_path: Path
) -> None:
    seal(scene.engine, sealer, 1, source=scene.source("brief", days=30))
    url = scene.engine.url.render_as_string(hide_password=False)
    made = make_backup(url, tmp_path / "a.zip", now=START)
    restored, later = f"sqlite:///{tmp_path}/restored.db", START + timedelta(days=31)

    restore_backup(restored, made.path, now=later, after=(*AFTER_RESTORE, erase_overdue))

    engine = open_engine(restored)
    assert waiting(engine) == 0
    engine.dispose()


def test_the_api_answers_counts_alone(client: TestClient, desk: Desk) -> None:
    seal(desk.engine, desk.sealer, *range(23), at=datetime(2026, 1, 5, tzinfo=UTC))

    answer = client.get("/v1/restricted").json()

    assert answer["months"] == [{"month": "2026-01", "received": 20, "handed_over": None}]
    assert answer["sources"] == ["demo"]
    assert "không phải kết quả điều tra" in answer["note"]
    assert set(answer) == {"min_group", "note", "sources", "months"}


def test_no_list_search_or_export_meets_them(client: TestClient, desk: Desk) -> None:
    seal(desk.engine, desk.sealer, 1)

    pages = [client.get(path).json()["items"] for path in ("/v1/opinions", "/v1/documents")]
    found = client.get("/v1/opinions", params={"q": "tố cáo"}).json()["items"]
    opened = client.get(f"/v1/items/{1:032x}")

    assert (pages, found, opened.status_code) == ([[], []], [], 404)


@pytest.fixture
def danvan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Danvan]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DANVAN_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.setenv("COLUMNS", "100")
    with commanding(monkeypatch, capsys) as run:
        yield run


def test_the_console_counts_and_hands_over(danvan: Danvan, tmp_path: Path) -> None:
    danvan("migrate")
    engine = open_engine(f"sqlite:///{tmp_path}/store.db")
    seal(engine, Sealer(tmp_path / "spool.key"), *range(12))

    before = danvan("restricted", "count")
    gone = danvan("restricted", "hand-over", "-o", "out.jsonl", "--to", "thanh-tra")
    after = danvan("restricted", "count")
    again = danvan("restricted", "hand-over", "-o", "more.jsonl", "--to", "thanh-tra")
    engine.dispose()

    assert (before.code, gone.code, after.code, again.code) == (0, 0, 0, 0)
    assert "waiting to be handed over: 10" in before.out
    assert "12 texts in out.jsonl" in gone.err
    assert "waiting to be handed over: < 10" in after.out
    assert "no text waits" in again.err
    assert "trưởng thôn" not in before.out + gone.out + gone.err + after.out
    assert len((tmp_path / "out.jsonl").read_bytes().splitlines()) == 12

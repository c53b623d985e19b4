"""A backup holds everything as it was at one moment, and comes back the same in any database."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import sqlalchemy as sa

from service.backup import AFTER_RESTORE, make_backup, restore_backup, rotate, verify_backup
from service.store import dump, tables
from service.store.dialect import UtcDateTime, open_engine, writing
from service.store.errors import BackupError, StoreError
from service.store.intake import Source, register_source
from service.store.migrate import check_current, migrate, revisions
from service.store.search import matching
from tests.conftest import ROOT

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
TEXTS = ("Đất đai 🏠", 'a"b\\c\n\t\r\u2028\u0085', " '; DROP TABLE items; -- ")
FLOATS = (0.1 + 0.2, 5e-324, float("inf"))
MOMENTS = (NOW, NOW.replace(microsecond=123_457), datetime(1, 1, 2, tzinfo=UTC))
JSONS: tuple[Any, ...] = ({"ă": [1, 2.5, None, True]}, [], "null")
DAYS = (date(9999, 12, 31), date(1, 1, 1), date(2024, 2, 29))
ODD: tuple[tuple[type, tuple[Any, ...]], ...] = (
    (sa.JSON, JSONS),
    (sa.Float, FLOATS),
    (sa.Boolean, (False, True, True)),
    (sa.Date, DAYS),
    (sa.Integer, (0, 10**9 + 1, 2)),
    (UtcDateTime, MOMENTS),
    (sa.LargeBinary, (b"\xff\0", b"a", b"")),
)
Fresh = Callable[[str], str]
_numbers = count()


@pytest.fixture
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fresh]:
    """Makes the address of a database that is not there yet, or has no tables."""
    made: list[str] = []

    def make(kind: str) -> str:
        name = f"backup_{next(_numbers)}"
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/{name}.db"
        server = request.getfixturevalue("postgres_url")
        command(server, f"CREATE DATABASE {name}")
        made.append(name)
        address = sa.make_url(server).set(database=name)
        return address.render_as_string(hide_password=False)

    yield make
    for name in made:
        command(request.getfixturevalue("postgres_url"), f"DROP DATABASE {name} WITH (FORCE)")


def command(url: str, statement: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def odd_value(column: sa.Column[Any], *, number: int) -> Any:  # as its type
    """A value that is hard to carry, and that is another one for each number."""
    for key in column.foreign_keys:
        return odd_value(key.column, number=number)
    if column.nullable and number == 2:
        return None
    if isinstance(column.type, sa.String):
        return f"{number}{TEXTS[number]}"[: column.type.length]
    return next(values[number] for kind, values in ODD if isinstance(column.type, kind))


def fill(url: str) -> None:
    """Three rows in every table, each of which belongs to a row of the tables it refers to."""
    migrate(url)
    engine = open_engine(url)
    with writing(engine) as connection:
        for table in tables.metadata.sorted_tables:
            if table.info.get("derived"):
                continue
            for number in (1, 2, 0):
                row = {c.name: odd_value(c, number=number) for c in table.columns}
                if table.name == "sources":
                    row["retention_days"] = number + 1
                connection.execute(table.insert(), row)
    engine.dispose()


def contents(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row that is worth keeping, and whether a JSON column holds a null of SQL or one of JSON."""
    engine = open_engine(url)
    found = {}
    with engine.connect() as connection:
        for name in (shape.name for shape in dump.shapes()):
            table = tables.metadata.tables[name]
            absent = [column.is_(sa.null()) for column in table.columns]
            query = sa.select(table, *absent).order_by(*table.primary_key.columns)
            found[name] = [tuple(row) for row in connection.execute(query)]
    engine.dispose()
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
@pytest.mark.parametrize("source", ["sqlite", "postgresql"])
def test_what_is_restored_equals_what_was_there(
    fresh: Fresh, tmp_path: Path, source: str, target: str
) -> None:
    here, there = fresh(source), fresh(target)
    fill(here)

    made = make_backup(here, tmp_path / "a.zip", now=NOW)
    manifest = restore_backup(there, made.path, now=NOW)

    assert contents(there) == contents(here)
    assert manifest.n_rows == made.n_rows == sum(len(rows) for rows in contents(here).values())
    assert all(len(rows) >= 3 for rows in contents(there).values())


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_what_is_restored_can_be_searched(fresh: Fresh, tmp_path: Path, target: str) -> None:
    here, there = fresh("sqlite"), fresh(target)
    fill(here)
    restore_backup(there, make_backup(here, tmp_path / "a.zip", now=NOW).path, now=NOW)
    engine = open_engine(there)

    with engine.connect() as connection:
        found = matching(connection, "0dat dai")
        assert found is not None
        seqs = connection.scalars(sa.select(found[1])).all()

    assert seqs == [0]  # the number of the row whose text begins with these words
    engine.dispose()


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_a_restored_table_numbers_its_rows_on(fresh: Fresh, tmp_path: Path, target: str) -> None:
    here, there = fresh("sqlite"), fresh(target)
    fill(here)
    restore_backup(there, make_backup(here, tmp_path / "a.zip", now=NOW).path, now=NOW)
    engine = open_engine(there)

    with writing(engine) as connection:
        entry = {"at": NOW, "actor": "a", "action": "b", "subject": "c"}
        made = connection.execute(tables.access_log.insert(), entry)

    assert made.inserted_primary_key == (10**9 + 2,)
    engine.dispose()


def test_every_column_there_is_can_be_kept() -> None:
    kept = {shape.name: shape.columns for shape in dump.shapes()}

    left_out = {table.name for table in tables.metadata.sorted_tables if table.info.get("derived")}
    assert set(kept) == set(tables.metadata.tables) - left_out - {"sessions", "workers"}
    assert all(
        set(columns) == set(tables.metadata.tables[n].c.keys()) for n, columns in kept.items()
    )


def test_derived_tables_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tables.items.info, "derived", True)

    assert "items" not in {shape.name for shape in dump.shapes()}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_is_one_moment_while_others_write(
    fresh: Fresh, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = fresh(kind)
    fill(url)
    engine, started, written = open_engine(url), Event(), Event()
    dump_rows = dump.dump_rows

    def dump_slowly(connection: sa.Connection, shape: dump.Shape) -> Iterator[bytes]:
        yield from dump_rows(connection, shape)
        started.set()  # the first table is read: from now on nothing that is written may show
        assert written.wait(30)

    def write() -> None:
        assert started.wait(30)
        register_source(engine, Source("later", "test", "none", 1))
        written.set()

    before = contents(url)
    monkeypatch.setattr(dump, "dump_rows", dump_slowly)
    writer = Thread(target=write)
    writer.start()
    made = make_backup(url, tmp_path / "a.zip", now=NOW)
    writer.join()
    there = fresh("sqlite")
    restore_backup(there, made.path, now=NOW)

    assert contents(there) == before
    assert contents(url) != before
    engine.dispose()


def test_a_backup_is_for_its_owner_alone(fresh: Fresh, tmp_path: Path) -> None:
    url = fresh("sqlite")
    fill(url)

    made = make_backup(url, tmp_path / "a.zip", now=NOW)

    assert made.path.stat().st_mode & 0o777 == 0o600
    assert made.sha256 == sha256(made.path.read_bytes()).hexdigest()
    assert made.n_bytes == made.path.stat().st_size
    assert not (tmp_path / "a.zip.part").exists()


def test_in_a_folder_a_backup_gets_a_dated_name(fresh: Fresh, tmp_path: Path) -> None:
    url = fresh("sqlite")
    migrate(url)

    assert make_backup(url, tmp_path, now=NOW).path == tmp_path / "danvan-20260105T080000Z.zip"


def test_a_file_that_is_there_is_not_written_over(fresh: Fresh, tmp_path: Path) -> None:
    url = fresh("sqlite")
    migrate(url)
    (tmp_path / "a.zip").write_bytes(b"precious")

    with pytest.raises(BackupError, match="is there already"):
        make_backup(url, tmp_path / "a.zip", now=NOW)
    assert (tmp_path / "a.zip").read_bytes() == b"precious"


def test_what_an_interrupted_backup_left_is_taken_over(fresh: Fresh, tmp_path: Path) -> None:
    url = fresh("sqlite")
    migrate(url)
    (tmp_path / "a.zip.part").write_bytes(b"half of it" * 10_000)

    made = make_backup(url, tmp_path / "a.zip", now=NOW)

    assert verify_backup(made.path).n_rows == made.n_rows
    assert made.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("url", "reason"), [("sqlite:///{}/none.db", "no database"), ("sqlite:///{}/old.db", "migrate")]
)
def test_a_database_that_is_not_ready_is_not_backed_up(
    tmp_path: Path, url: str, reason: str
) -> None:
    (tmp_path / "old.db").touch()

    with pytest.raises(StoreError, match=reason):
        make_backup(url.format(tmp_path), tmp_path / "a.zip", now=NOW)
    assert [
        path.name for path in tmp_path.iterdir() if "none" in path.name or "zip" in path.name
    ] == []


def test_a_full_disk_leaves_no_half_file(fresh: Fresh, tmp_path: Path) -> None:
    url = fresh("sqlite")
    fill(url)
    engine = open_engine(url)
    with writing(engine) as connection:
        entry = {"at": NOW, "actor": os.urandom(100_000).hex(), "action": "b", "subject": "c"}
        connection.execute(tables.access_log.insert(), entry)
    engine.dispose()
    program = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "from service.cli import main\nmain()\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program, "backup", str(tmp_path / "a.zip")],
        cwd=ROOT,
        env={**os.environ, "DANVAN_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1), ended.stderr
    assert "nothing of it was left" in ended.stderr
    assert not list(tmp_path.glob("a.zip*"))


@pytest.fixture
def backup(fresh: Fresh, tmp_path: Path) -> Path:
    url = fresh("sqlite")
    fill(url)
    return make_backup(url, tmp_path / "good.zip", now=NOW).path


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return path


def truncated(good: Path) -> bytes:
    return good.read_bytes()[:-100]


def damaged(good: Path) -> bytes:
    data = bytearray(good.read_bytes())
    with zipfile.ZipFile(good) as archive:
        *_, table, manifest = archive.infolist()
    # within the rows, as a head has bytes that nobody reads
    data[manifest.header_offset - table.compress_size // 2] ^= 0xFF
    return bytes(data)


def tampered(good: Path) -> bytes:
    inside = members(good)
    inside["staff.jsonl"] = inside["staff.jsonl"].replace(b'"1', b'"9', 1)
    return pack(good.with_name("t"), inside).read_bytes()


def without_a_table(good: Path) -> bytes:
    inside = members(good)
    manifest = json.loads(inside["manifest.json"])
    manifest["tables"] = [table for table in manifest["tables"] if table["name"] != "corrections"]
    inside["manifest.json"] = json.dumps(manifest).encode()
    del inside["corrections.jsonl"]
    return pack(good.with_name("t"), inside).read_bytes()


def rewritten(good: Path, name: str, data: bytes, *, rows: int) -> bytes:
    """With another table under the right hash, as nobody but a forger makes it."""
    inside = members(good)
    manifest = json.loads(inside["manifest.json"])
    for table in manifest["tables"]:
        if table["name"] == name:
            table.update(sha256=sha256(data).hexdigest(), rows=rows)
    inside |= {f"{name}.jsonl": data, "manifest.json": json.dumps(manifest).encode()}
    return pack(good.with_name("t"), inside).read_bytes()


BAD: dict[str, Callable[[Path], bytes]] = {
    "empty": lambda good: b"",
    "foreign": lambda good: b"PK, but not much of a ZIP",
    "another zip": lambda good: pack(good.with_name("t"), {"a.txt": b"a"}).read_bytes(),
    "an empty manifest": lambda good: pack(
        good.with_name("t"), members(good) | {"manifest.json": b"{}"}
    ).read_bytes(),
    "a member more": lambda good: pack(
        good.with_name("t"), members(good) | {"../../evil": b"a"}
    ).read_bytes(),
    "truncated": truncated,
    "damaged": damaged,
    "tampered": tampered,
    "without a table": without_a_table,
    "no rows": lambda good: rewritten(good, "webhooks", b"{}\n", rows=1),
    "short rows": lambda good: rewritten(good, "webhooks", b"[1]\n", rows=1),
    "no JSON": lambda good: rewritten(good, "webhooks", b"\xff\n", rows=1),
    "wrong kinds": lambda good: rewritten(good, "sources", b'["a", "b", "c", "many"]\n', rows=1),
    "numbers too large": lambda good: rewritten(
        good, "sources", b'["a", "b", "c", 18446744073709551615]\n', rows=1
    ),
}


PAST_THE_HASHES = {"without a table", "short rows", "wrong kinds", "numbers too large"}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_backup_is_refused_and_changes_nothing(fresh: Fresh, backup: Path, name: str) -> None:
    bad = backup.with_name("bad.zip")
    bad.write_bytes(BAD[name](backup))
    # what passes the hashes is stopped in the database, by its transaction
    url = fresh("postgresql" if name in PAST_THE_HASHES else "sqlite")

    with pytest.raises(StoreError) as caught:
        restore_backup(url, bad, now=NOW)

    assert "\n" not in str(caught.value)
    assert tables_of(url) == []


def tables_of(url: str) -> list[str]:
    engine = open_engine(url)
    found = sa.inspect(engine).get_table_names()
    engine.dispose()
    return found


def test_no_flipped_byte_goes_unnoticed(fresh: Fresh, backup: Path) -> None:
    whole, bad, url = backup.read_bytes(), backup.with_name("bad.zip"), fresh("sqlite")
    restore_backup(url, backup, now=NOW)
    right = members(backup)

    for at in range(0, len(whole), 97):
        bad.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            verify_backup(bad)
        except BackupError:
            continue
        assert members(bad) == right  # what it hit does not belong to what is kept


def test_a_backup_of_a_newer_version_is_refused(fresh: Fresh, backup: Path) -> None:
    inside = members(backup)
    inside["manifest.json"] = inside["manifest.json"].replace(revisions()[0].encode(), b"9999")
    pack(backup, inside)

    with pytest.raises(BackupError, match="9999 is not known here"):
        restore_backup(fresh("sqlite"), backup, now=NOW)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_is_restored_into_an_empty_database_only(
    fresh: Fresh, backup: Path, kind: str
) -> None:
    migrated, used = fresh(kind), fresh(kind)
    migrate(migrated)
    fill(used)
    before = contents(used)

    restore_backup(migrated, backup, now=NOW)

    with pytest.raises(BackupError, match="not empty"):
        restore_backup(used, backup, now=NOW)
    assert contents(used) == before


def test_a_failure_in_the_end_changes_nothing(fresh: Fresh, backup: Path) -> None:
    url = fresh("sqlite")

    def fail(connection: sa.Connection, now: datetime) -> None:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.items)) == 3
        raise StoreError("no")

    with pytest.raises(StoreError, match="no"):
        restore_backup(url, backup, now=NOW, after=[*AFTER_RESTORE, fail])

    assert tables_of(url) == []


def test_what_follows_a_restore_sees_the_rows_and_the_time(fresh: Fresh, backup: Path) -> None:
    def forget(connection: sa.Connection, now: datetime) -> None:
        connection.execute(tables.corrections.delete())
        seen.append(now)

    url, seen = fresh("sqlite"), list[datetime]()

    restore_backup(url, backup, now=NOW, after=[forget])

    assert (contents(url)["corrections"], seen) == ([], [NOW])


def test_a_backup_of_the_first_version_is_brought_up_to_date(fresh: Fresh, tmp_path: Path) -> None:
    # as it was written by hand from this form: it must be readable for ever
    row = ["hotline", "hotline", "Luật", 365]
    line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
    columns = {
        "name": "text",
        "channel": "text",
        "legal_basis": "text",
        "retention_days": "integer",
    }
    shapes = {
        "sources": columns,
        "runs": {
            "id": "integer", "model": "text", "model_version": "text", "model_sha256": "text",
            "taxonomy": "text", "taxonomy_version": "text", "code_version": "text", "scope": "text",
            "state": "text", "created_at": "moment",
        },
        "active_runs": {"facet": "text", "run_id": "integer"},
        "items": {
            "id": "text", "intake": "text", "kind": "text", "text": "text", "text_sha256": "text",
            "file_name": "text", "media_type": "text", "blocks": "json", "issues": "json",
            "source": "text", "external_id": "text", "received_at": "moment", "posted_at": "moment",
        },
        "analyses": {
            "item_id": "text", "run_id": "integer", "analysis": "json", "headline": "json",
            "dated": "date",
        },
        "label_sets": {
            "item_id": "text", "facet": "text", "run_id": "integer", "decision": "text",
            "primary_code": "text", "guess_code": "text", "guess_probability": "float",
            "labels": "json",
        },
        "label_codes": {"facet": "text", "code": "text", "item_id": "text", "run_id": "integer"},
    }  # fmt: skip
    lines = {name: line if name == "sources" else b"" for name in shapes}
    manifest = {
        "format": "danvan-backup",
        "format_version": 1,
        "danvan": "0.1.0",
        "revision": "0001",
        "made_at": "2026-01-05T08:00:00Z",
        "tables": [
            {
                "name": name,
                "columns": columns,
                "rows": lines[name].count(b"\n"),
                "sha256": sha256(lines[name]).hexdigest(),
            }
            for name, columns in shapes.items()
        ],
    }
    inside = {f"{name}.jsonl": data for name, data in lines.items()}
    old = pack(tmp_path / "old.zip", inside | {"manifest.json": json.dumps(manifest).encode()})
    url = fresh("sqlite")

    restore_backup(url, old, now=NOW)

    engine = open_engine(url)
    with engine.connect() as connection:
        check_current(connection)
    engine.dispose()
    assert [row[:4] for row in contents(url)["sources"]] == [tuple(row)]


def test_old_backups_are_deleted_by_the_moment_in_their_names(tmp_path: Path) -> None:
    old = [f"danvan-{NOW - timedelta(days=8):%Y%m%dT%H%M%SZ}.zip{end}" for end in ("", ".part")]
    others = [f"danvan-{NOW - timedelta(days=6):%Y%m%dT%H%M%SZ}.zip", "danvan-old.zip", "a.zip"]
    for name in (*old, *others):
        (tmp_path / name).touch()

    gone = rotate(tmp_path, keep_days=7, now=NOW)

    assert [path.name for path in gone] == old
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    program = (
        "import resource, sys\n"
        "from tests.service.test_backup import carry_many\n"
        "carry_many(sys.argv[1], n_rows=int(sys.argv[2]))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    )

    few, many = (
        int(
            subprocess.run(
                [sys.executable, "-c", program, str(tmp_path), str(n_rows)],
                cwd=ROOT,
                capture_output=True,
                check=True,
                timeout=120,
            ).stdout
        )
        for n_rows in (1_000, 100_000)
    )

    assert many - few < 16  # MiB; all rows at once would be some hundred


def carry_many(folder: str, *, n_rows: int) -> None:
    """Back up and restore that many rows."""
    here, there = (f"sqlite:///{folder}/{n_rows}-{name}.db" for name in ("here", "there"))
    migrate(here)
    engine = open_engine(here)
    rows = ({"at": NOW, "actor": "a", "action": "b", "subject": f"{i:064}"} for i in range(n_rows))
    with writing(engine) as connection:
        while some := [row for _, row in zip(range(500), rows, strict=False)]:
            connection.execute(tables.access_log.insert(), some)
    engine.dispose()
    made = make_backup(here, Path(folder) / f"{n_rows}.zip", now=NOW)
    assert restore_backup(there, made.path, now=NOW).n_rows >= n_rows

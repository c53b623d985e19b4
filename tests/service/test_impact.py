"""The impact assessment says what this service does, changes with its configuration, and tells no secret."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
import sqlalchemy as sa

from nlp.privacy import PersonalKind
from service import auth
from service.auth import CONSOLE
from service.messages import words_of
from service.store import tables
from service.store.dialect import open_engine, writing
from service.store.intake import Source, register_source
from tests.service.commands import Danvan, commanding

NOW = datetime.now(UTC)


@pytest.fixture
def folder(tmp_path: Path, tiny_artifact: Path) -> Path:
    """A folder of models with one in it."""
    folder = tmp_path / "models"
    shutil.copytree(tiny_artifact, folder / "tiny" / "0.0.1")
    return folder


@pytest.fixture
def danvan(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Danvan]:
    monkeypatch.setenv("DANVAN_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.setenv("DANVAN_MODELS_FOLDER", str(folder))
    monkeypatch.setenv("DANVAN_MODEL", "tiny")
    with commanding(monkeypatch, capsys) as run:
        run("migrate")
        yield run


@pytest.fixture
def engine(danvan: Danvan, tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_engine(f"sqlite:///{tmp_path}/store.db")
    yield engine
    engine.dispose()


def assess(danvan: Danvan) -> str:
    told = danvan("impact")
    assert (told.code, told.err) == (0, "")
    return told.out


def test_every_source_stands_there_with_its_basis_and_retention(
    danvan: Danvan, engine: sa.Engine
) -> None:
    before = assess(danvan)
    register_source(engine, Source("hotline", "đường | dây", "Luật Tiếp công dân 2013\n<b>", 365))

    after = assess(danvan)

    row = "| hotline | đường \\| dây | Luật Tiếp công dân 2013 &lt;b> | 365 |"
    assert row not in before
    assert row in after


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("MIN_GROUP", "25", "Nhóm dưới 25 ý kiến"),
        ("EXPORT_DAYS", "3", "tự xoá sau 3 ngày"),
        ("RETENTION_MAX_JUMP_DAYS", "9", "quá 9.0 ngày"),
        ("ACCESS", "keys", "Chế độ truy cập: `keys`"),
        ("WEBHOOK_ALLOW_HTTP", "true", "được phép gửi không mã hoá"),
    ],
)
def test_it_changes_with_the_settings(
    danvan: Danvan, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, expected: str
) -> None:
    before = assess(danvan)
    monkeypatch.setenv(f"DANVAN_{setting}", value)

    after = assess(danvan)

    assert expected not in before
    assert expected in after


def test_roles_are_counted_and_nobody_is_named(danvan: Danvan, engine: sa.Engine) -> None:
    for label in ("Bimat 1", "Bimat 2"):
        auth.make_key(engine, label, role="intake", by=CONSOLE, now=NOW)
    gone = auth.make_key(engine, "Bimat 3", role="intake", by=CONSOLE, now=NOW)
    auth.revoke_key(engine, gone.info.id, by=CONSOLE, now=NOW)
    old = NOW - timedelta(days=2)
    auth.make_key(engine, "Bimat 4", role="intake", by=CONSOLE, now=old, days=1)
    auth.add_staff(engine, "bimat", role="admin", by=CONSOLE, now=NOW, subject="bimat-subject")

    text = assess(danvan)

    assert "| intake | 0 | 2 |" in text
    assert "| admin | 1 | 0 |" in text
    assert "bimat" not in text.lower()


def test_no_secret_and_no_address_is_in_it(
    danvan: Danvan, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as connection:
        row = {"id": "w", "url": "https://bimat.vn/x", "secret": "whsec_bimat", "events": []}
        connection.execute(tables.webhooks.insert(), {**row, "created_at": NOW})
    for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"DANVAN_OIDC_{name}", "https://bimat.vn")

    text = assess(danvan)

    assert "bimat" not in text
    assert "(webhook): 1;" in text
    assert "nhà cung cấp danh tính" in text
    assert str(engine.url.database) not in text


def test_the_model_stands_there_with_its_figures(danvan: Danvan, folder: Path) -> None:
    text = assess(danvan)
    (folder / "tiny" / "0.0.1" / "reference.json").unlink()

    without = assess(danvan)

    assert "Mô hình tiny 0.0.1" in text
    assert "| sentiment | " in text
    assert "phần mẫu để dành" in text
    assert "Có số liệu đối chiếu" in text
    assert "Chưa có số liệu đối chiếu" in without


def test_what_waits_restricted_is_told_as_any_other_count(
    danvan: Danvan, engine: sa.Engine
) -> None:
    def put(n: int) -> None:
        row = {"source": "demo", "received_at": NOW, "sealed": b"x"}
        with writing(engine) as connection:
            connection.execute(tables.restricted.delete())
            rows = [{"id": str(i), "external_id": str(i), **row} for i in range(n)]
            connection.execute(tables.restricted.insert(), rows)

    put(9)
    few = assess(danvan)
    put(23)

    assert "không có hoặc dưới 10" in few
    assert "chờ chuyển:\n  20." in assess(danvan)


def test_the_last_retention_stands_there(danvan: Danvan) -> None:
    before = assess(danvan)
    danvan("retention", "--confirm")

    assert "chưa lần nào" in before
    assert "chưa lần nào" not in assess(danvan)


def test_what_is_masked_and_what_is_never_done_stands_there(danvan: Danvan) -> None:
    text = assess(danvan)

    assert all(words_of("personal_data")[kind] in text for kind in get_args(PersonalKind))
    for promise in (
        "đối tượng tác giả",
        "chính trị, tôn giáo, dân tộc",
        "DV4.3",
        "91/2025/QH15",
        "Điều 27",
    ):
        assert promise in text
    assert "không phải ý kiến pháp lý" in text


def test_it_is_written_into_a_file(danvan: Danvan, tmp_path: Path) -> None:
    told = danvan("impact", "-o", str(tmp_path / "impact.md"))

    text = (tmp_path / "impact.md").read_text(encoding="utf-8")
    assert (told.code, told.out) == (0, "")
    assert text.startswith("# Hồ sơ đánh giá tác động")
    assert "{" not in text

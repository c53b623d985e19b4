"""`danvan export report` as an operator meets it."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import docx
import pytest

from service.store.dialect import open_engine
from service.store.migrate import migrate
from tests.service.commands import Danvan, commanding
from tests.service.heard import Heard, keep

DAYS = ("--from", "2026-01-01", "--to", "2026-01-31")


@pytest.fixture
def danvan(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Danvan]:
    """Run `danvan` with these arguments on a store of 30 opinions of January."""
    url = f"sqlite:///{tmp_path}/store.db"
    migrate(url)
    engine = open_engine(url)
    keep(engine, [Heard(day=date(2026, 1, 31), places=(("ward", "00004"),))] * 30)
    engine.dispose()
    monkeypatch.setenv("DANVAN_DATABASE_URL", url)
    with commanding(monkeypatch, capsys, "export", "report") as run:
        yield run


def test_a_report_is_written_in_the_form_that_is_asked(danvan: Danvan, tmp_path: Path) -> None:
    out = tmp_path / "a.docx"

    told = danvan("-o", str(out), *DAYS, "--form", "party", "--issuer", "Ban Dân vận")

    assert (told.code, told.out) == (0, "")
    assert "written" in told.err
    head = docx.Document(str(out)).tables[0].rows[0].cells
    assert "BAN DÂN VẬN" in head[0].text
    assert "ĐẢNG CỘNG SẢN VIỆT NAM" in head[1].text


def test_both_days_belong_to_it_and_options_narrow_it(danvan: Danvan, tmp_path: Path) -> None:
    out = tmp_path / "a.csv"

    told = danvan("-o", str(out), *DAYS, "--ward", "Phường Ba Đình", "--civic-field", "LV03")

    assert told.code == 0
    lines = list(csv.reader(out.read_text(encoding="utf-8-sig").splitlines()))
    assert ["Xã, phường", "Phường Ba Đình, Hà Nội"] in lines
    assert any("khoảng 30 ý kiến" in line[-1] for line in lines if line)


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (("-o", "a.txt"), 2, ".docx, .xlsx or .csv"),
        (("-o", "a.docx", "--from", "mai"), 1, "2026-01-31"),
        (("-o", "a.docx", "--from", "2026-01-05"), 1, "both days"),
        (("-o", "a.docx", "--ward", "Phường Không Có"), 1, "no ward is called"),
        (("-o", "a.docx", "--civic-field", "LV99"), 1, "no civic_field"),
        (("-o", "missing/a.csv", *DAYS), 1, "no such folder"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    danvan: Danvan,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    monkeypatch.setenv("DANVAN_CORPUS_FOLDER", str(Path("corpus").absolute()))
    monkeypatch.chdir(tmp_path)

    ended = danvan(*options)

    assert ended.code == code
    assert told in " ".join(ended.err.split())
    assert list(tmp_path.glob("**/a.*")) == []

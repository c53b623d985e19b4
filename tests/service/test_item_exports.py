"""Exports hold what a filter finds, say what they are made of, and last some days."""

import csv
import io
import json
import stat
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa

from nlp.errors import InputError
from service.auth import CONSOLE
from service.item_table import Export, Format, write_items
from service.jobs.export import EXPORT, find_file, order_export
from service.jobs.files import made_whole
from service.jobs.here import carry_out_here
from service.jobs.seam import Context
from service.store import rows, tables
from service.store.dialect import writing
from service.store.errors import Conflict, NotFound
from service.store.query import LabelFilter, Query
from service.store.retention import erase
from tests.service.flows import START, Scene, a_scene
from tests.service.rules import PACK
from tests.service.shelf import Shelf, as_it_is

OPINIONS = Query(kind="opinion")


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with a_scene(request, tmp_path, database=request.param) as scene:
        yield scene


@pytest.fixture
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with a_scene(request, tmp_path, database="sqlite") as scene:
        yield scene


def written(
    scene: Scene, file_format: Format, query: Query = OPINIONS, *, with_text: bool = False
) -> Path:
    """The file of an export that was ordered and carried out."""
    export = Export(file_format, query, with_text)
    job = order_export(scene.engine, export, by=CONSOLE, now=scene.now)
    ended = scene.carry_out("export", **job.params)
    assert ended.state == "done", ended.reason
    return find_file(scene.engine, ended.id, folder=scene.settings.exports_folder)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def csv_rows(file: Path) -> list[dict[str, str]]:
    """The rows of a table by the names of its columns."""
    text = file.read_bytes().decode("utf-8-sig")
    _, _, table = text.partition("\r\n\r\n")
    return list(csv.DictReader(io.StringIO(table, newline="")))


def test_a_row_has_each_facet_with_its_name_probability_and_versions(scene: Scene) -> None:
    [item_id] = scene.keep("đường hỏng")

    _, row = lines(written(scene, "jsonl"))

    assert row["civic_field"] == {
        "decision": "labelled",
        "primary": "LV03",
        "name": "Giao thông, đường sá, vận tải",
        "probability": 0.91,
        "codes": ["LV03"],
        "corrected": False,
        "model": "rules@1",
        "taxonomy": "ct07@1.0.0",
    }
    assert {name: row[name] for name in ("id", "intake", "kind", "source", "received_at")} == {
        "id": item_id,
        "intake": "opinion",
        "kind": "opinion",
        "source": "demo",
        "received_at": "2026-01-05T12:00:00.000000Z",
    }
    assert (row["sentiment"]["primary"], row["task_area"]["decision"]) == ("negative", "abstain")
    assert "text" not in row


def test_a_table_speaks_vietnamese_and_shows_vietnamese_time(scene: Scene) -> None:
    scene.keep("đường hỏng")

    [row] = csv_rows(written(scene, "csv"))

    shown = {
        "Nhận lúc (giờ Việt Nam)": "2026-01-05 19:00:00",
        "Loại": "Ý kiến",
        "Lĩnh vực: kết luận": "đã gán",
        "Lĩnh vực: mã": "LV03",
        "Lĩnh vực: xác suất": "0.91",
        "Lĩnh vực: người đã sửa": "",
        "Cảm xúc: tên": "Tiêu cực",
        "Mô hình": "rules@1",
        "Bộ phân loại": "ct07@1.0.0",
    }
    assert {name: row[name] for name in shown} == shown
    assert "Nội dung" not in row


def test_that_nothing_fits_is_said_of_what_was_asked(scene: Scene) -> None:
    scene.keep("xin chào")

    [row] = csv_rows(written(scene, "csv"))

    assert row["Lĩnh vực: kết luận"] == "không thuộc lĩnh vực nào"


def test_texts_come_only_where_they_are_asked_for_and_then_with_a_warning(scene: Scene) -> None:
    scene.keep("=đường hỏng\nxã chưa sửa")

    file = written(scene, "csv", with_text=True)

    assert csv_rows(file)[0]["Nội dung"] == "'=đường hỏng\nxã chưa sửa"
    assert "Dữ liệu cá nhân" in file.read_text(encoding="utf-8")
    assert "Dữ liệu cá nhân" not in written(scene, "csv").read_text(encoding="utf-8")


def test_a_document_has_its_number_date_and_subject(scene: Scene) -> None:
    scene.keep("CHỈ THỊ\nvề thủ tục hành chính", intake="document")

    [row] = csv_rows(written(scene, "csv", Query(intake="document")))
    _, told = lines(written(scene, "jsonl", Query(intake="document")))

    assert (row["Số, ký hiệu"], row["Ngày ban hành"]) == ("07-CT/TU", "2021-10-01")
    assert told["headline"]["canonical"] == "07-CT/TU"


def test_a_corrected_answer_is_a_persons(scene: Scene) -> None:
    shelf = Shelf(scene.engine)
    shelf.store("đường hỏng", "đường xấu")
    shelf.say(1, "LV02")

    _, second, first = lines(written(scene, "jsonl"))

    assert first["civic_field"] == {
        "decision": "labelled",
        "primary": "LV02",
        "name": "Môi trường, rác thải, không khí, ngập úng",
        "probability": None,
        "codes": ["LV02"],
        "corrected": True,
        "model": "people",
        "taxonomy": "ct07@1.0.0",
    }
    assert first["sentiment"]["corrected"] is False
    assert second["civic_field"]["corrected"] is False


def test_versions_are_those_of_the_run_that_stands(scene: Scene) -> None:
    shelf = Shelf(scene.engine)
    shelf.store("đường hỏng")
    shelf.promote(shelf.read_again(as_it_is))

    [row] = csv_rows(written(scene, "csv"))

    assert row["Mô hình"] == "rules@2"


def test_an_item_that_nobody_has_read_has_no_answers(scene: Scene) -> None:
    scene.keep("đường hỏng")
    with writing(scene.engine) as connection:
        for table in (tables.analyses, tables.answers, tables.label_index):
            connection.execute(table.delete())
        connection.execute(tables.items.update().values(run_id=None))

    _, row = lines(written(scene, "jsonl"))
    [shown] = csv_rows(written(scene, "csv"))

    assert [row[facet] for facet in tables.FACETS] == [None] * 4
    assert shown["Lĩnh vực: kết luận"] == ""


def test_the_notes_say_when_what_how_much_of_which_sources_and_that_it_is_no_survey(
    scene: Scene,
) -> None:
    scene.keep("đường hỏng", "đường xấu", source=scene.source("hotline", days=9))
    scene.keep("đường đẹp")
    query = replace(
        OPINIONS,
        text="đường",
        labels=(LabelFilter("civic_field", "LV03"),),
        received_from=START,
    )

    book = openpyxl.load_workbook(written(scene, "xlsx", query))

    assert book.sheetnames == ["Ghi chú", "Ý kiến"]
    notes = list(book["Ghi chú"].values)
    assert notes[:5] == [
        ("Lập lúc (giờ Việt Nam)", datetime(2026, 1, 5, 19, 0)),
        ("Số mục", 3),
        (
            "Điều kiện lọc",
            "từ cần tìm: đường; nhận từ: 2026-01-05 12:00:00+00:00; Lĩnh vực: LV03",
        ),
        ("Nguồn", "demo (demo): 1"),
        ("Nguồn", "hotline (kênh hotline): 2"),
    ]
    assert "không phải kết quả điều tra xã hội học" in str(notes[5][1])


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        (OPINIONS, [3, 2, 1]),
        (replace(OPINIONS, labels=(LabelFilter("civic_field", "LV03"),)), [3, 1]),
        (replace(OPINIONS, text="rac"), [2]),
        (replace(OPINIONS, text="..."), []),
        (Query(intake="document"), [4]),
    ],
)
def test_an_export_holds_what_its_filter_finds(
    scene: Scene, query: Query, numbers: list[int]
) -> None:
    scene.keep("đường hỏng", "rác ùn", "đường xấu")
    scene.keep("CHỈ THỊ", intake="document")

    notes, *found = lines(written(scene, "jsonl", query))

    assert [int(row["id"], 16) for row in found] == numbers
    assert notes["notes"]["n_rows"] == len(numbers)


def test_pages_and_texts_follow_each_other_without_gap_or_repeat(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "_PAGE_ROWS", 7)
    monkeypatch.setattr(rows, "_TEXT_CHARS", 30)
    scene.keep(*(f"đường hỏng {n:02}" for n in range(1, 31)))

    _, *found = lines(written(scene, "jsonl", with_text=True))

    assert [row["text"] for row in found] == [f"đường hỏng {n:02}" for n in range(30, 0, -1)]


def test_what_is_erased_meanwhile_is_left_out(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(rows, "_PAGE_ROWS", 2)
    scene.keep(*(f"đường {n}" for n in range(1, 7)))
    seqs = {number: scene.seq(number) for number in range(1, 7)}

    def erase_some(_n_rows: int) -> None:
        with writing(scene.engine) as connection:
            erase(connection, [seqs[3], seqs[2]])

    with made_whole(tmp_path / "out.jsonl") as out:
        export = Export("jsonl", OPINIONS)
        counts = write_items(
            scene.engine, export, out=out, packs=[PACK], now=scene.now, report=erase_some
        )

    notes, *found = lines(tmp_path / "out.jsonl")
    assert [int(row["id"], 16) for row in found] == [6, 5, 4, 1]
    assert (counts, notes["notes"]["n_rows"]) == ({"demo": 4}, 4)


def test_a_file_is_for_its_owner_alone(here: Scene) -> None:
    here.keep("đường hỏng")

    file = written(here, "xlsx")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert list(file.parent.iterdir()) == [file]


def test_an_attempt_that_fails_leaves_nothing_and_the_next_one_writes_anew(here: Scene) -> None:
    here.keep("đường hỏng")
    fail = {"now": True}

    def failing(ctx: Context, run: Any) -> Any:
        if fail.pop("now", False):
            folder = ctx.settings.exports_folder
            folder.mkdir(exist_ok=True)
            (folder / f"{run.job.id}.csv.0011.part").write_text("what a killed process leaves")
            raise OSError("the disk was away")
        return EXPORT.shard(ctx, run)

    job = carry_out_here(
        here.ctx,
        "export",
        params=order_export(here.engine, Export("csv", OPINIONS), by=CONSOLE, now=here.now).params,
        asked_by="test",
        kinds={"export": replace(EXPORT, shard=failing)},
    )

    assert (job.state, job.result["n_rows"]) == ("done", 1)
    assert [file.name for file in here.settings.exports_folder.iterdir()] == [f"{job.id}.csv"]


def test_a_file_that_is_taken_away_while_it_is_written_is_no_file(tmp_path: Path) -> None:
    def write() -> None:
        with made_whole(tmp_path / "out.csv") as out:
            out.write(b"what was erased meanwhile")
            next(tmp_path.iterdir()).unlink()

    with pytest.raises(FileNotFoundError):
        write()

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"), made_whole(tmp_path / "no" / "out.csv"):
        pass


def test_progress_counts_rows(here: Scene) -> None:
    here.keep("đường hỏng", "đường xấu")

    job = here.carry_out("export", format="csv", with_text=False, query={"kind": "opinion"})

    shards = tables.job_shards.c
    with here.engine.connect() as connection:
        n_done = connection.scalar(sa.select(shards.n_done).where(shards.job_id == job.id))
    assert (job.n_total, n_done) == (2, 2)
    assert job.result == {
        "file": f"/v1/exports/{job.id}/file",
        "n_rows": 2,
        "sources": {"demo": 2},
    }


def test_memory_does_not_grow_with_the_items(here: Scene, tmp_path: Path) -> None:
    here.keep(*(f"đường hỏng {n}" for n in range(3_000)))

    def peak(query: Query) -> int:
        tracemalloc.start()
        with made_whole(tmp_path / "out.xlsx") as out:
            export = Export("xlsx", query, with_text=True)
            write_items(here.engine, export, out=out, packs=[PACK], now=here.now)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(replace(OPINIONS, to_seq=500))  # what is loaded once
    small, large = peak(replace(OPINIONS, to_seq=1_000)), peak(OPINIONS)

    assert large < small * 1.5


def test_the_job_of_another_kind_has_no_file(scene: Scene) -> None:
    job = scene.carry_out("retention")

    with pytest.raises(NotFound):
        find_file(scene.engine, job.id, folder=scene.settings.exports_folder)


def test_a_failed_export_has_no_file(here: Scene) -> None:
    job = here.carry_out(
        "export", format="csv", with_text=False, query={"received_from": "no moment"}
    )

    assert job.state == "failed"
    with pytest.raises(Conflict, match="failed"):
        find_file(here.engine, job.id, folder=here.settings.exports_folder)

"""Tables open as what they are in other programs, and nothing in them runs."""

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import kreuzberg
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.sheets import Cell, Cells, Sheet, may_run, write_csv, write_lines, write_xlsx

SHEET = Sheet("Ý kiến", "Ghi chú", (("Mã", 10), ("Nội dung", 40)))
NOTES: Sequence[Cells] = (("Số mục", 2), ("Lưu ý", "không phải điều tra"))
RISKY = ["=1+1", "+84", "-5", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1d1", "\uff0d1"]


def as_csv(folder: Path, rows: Iterable[Cells]) -> str:
    with (folder / "out.csv").open("w+b") as out:
        write_csv(out, SHEET, rows=rows, notes=lambda: NOTES)
    return (folder / "out.csv").read_bytes().decode("utf-8")


def as_book(folder: Path, rows: Iterable[Cells], *, sheet_rows: int = 100) -> openpyxl.Workbook:
    with (folder / "out.xlsx").open("w+b") as out:
        write_xlsx(out, SHEET, rows=rows, notes=lambda: NOTES, sheet_rows=sheet_rows)
    return openpyxl.load_workbook(folder / "out.xlsx")


def test_a_csv_begins_as_excel_knows_utf_8_with_its_notes_first(tmp_path: Path) -> None:
    text = as_csv(tmp_path, [("a", "đường hỏng")])

    assert text.startswith("\ufeff")
    assert list(csv.reader(io.StringIO(text[1:], newline=""))) == [
        ["Số mục", "2"],
        ["Lưu ý", "không phải điều tra"],
        [],
        ["Mã", "Nội dung"],
        ["a", "đường hỏng"],
    ]


@pytest.mark.parametrize("text", RISKY)
def test_a_csv_never_holds_what_a_program_may_run(tmp_path: Path, text: str) -> None:
    *_, row = csv.reader(io.StringIO(as_csv(tmp_path, [("a", text)]), newline=""))

    assert row == ["a", f"'{text}"]
    assert not may_run(row[1])


def test_a_quote_or_separator_does_not_open_a_new_cell(tmp_path: Path) -> None:
    *_, row = csv.reader(io.StringIO(as_csv(tmp_path, [("a", 'nói ";=1+1;", rồi')]), newline=""))

    assert row == ["a", 'nói ";=1+1;", rồi']


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (datetime(2026, 1, 5, 15, 30), "2026-01-05 15:30:00"),
        (date(2021, 10, 1), "2021-10-01"),
        (0.25, "0.25"),
        (None, ""),
        ("a\x00b", "ab"),
        ("\x00=1", "'=1"),
    ],
)
def test_a_csv_cell_is_written_plainly(tmp_path: Path, cell: Cell, shown: str) -> None:
    *_, row = csv.reader(io.StringIO(as_csv(tmp_path, [("a", cell)]), newline=""))

    assert row[1] == shown


def test_a_workbook_has_its_notes_first_and_names_above_the_columns(tmp_path: Path) -> None:
    book = as_book(tmp_path, [("a", "đường hỏng")])

    assert book.sheetnames == ["Ghi chú", "Ý kiến"]
    assert list(book["Ghi chú"].values) == list(NOTES)
    assert list(book["Ý kiến"].values) == [("Mã", "Nội dung"), ("a", "đường hỏng")]
    assert book["Ý kiến"].freeze_panes == "A2"


@pytest.mark.parametrize("text", RISKY)
def test_a_cell_of_a_workbook_is_a_text_whatever_it_begins_with(tmp_path: Path, text: str) -> None:
    book = as_book(tmp_path, [("a", text)])

    cell = book["Ý kiến"]["B2"]
    assert (cell.data_type, cell.quotePrefix) == ("s", True)
    # XML makes one kind of line break of all
    assert cell.value == text.replace("\r", "\n")


@pytest.mark.parametrize(
    "cell",
    [datetime(2026, 1, 5, 15, 30), datetime(2021, 10, 1), 0.25, 12, None, "<b>&\"'</b>", " a "],
)
def test_a_cell_of_a_workbook_comes_back(tmp_path: Path, cell: Cell) -> None:
    assert as_book(tmp_path, [("a", cell)])["Ý kiến"]["B2"].value == cell


def test_a_day_is_shown_as_a_day_and_one_before_all_days_as_a_text(tmp_path: Path) -> None:
    sheet = as_book(tmp_path, [("a", date(2021, 10, 1)), ("b", date(1890, 5, 19))])["Ý kiến"]

    assert (sheet["B2"].value, sheet["B2"].number_format) == (datetime(2021, 10, 1), "dd/mm/yyyy")
    assert sheet["B3"].value == "19/05/1890"


@pytest.mark.parametrize("letter", ["đ", "😀"])
def test_a_text_is_cut_to_what_a_cell_holds(tmp_path: Path, letter: str) -> None:
    text = as_book(tmp_path, [("a", letter * 40_000)])["Ý kiến"]["B2"].value

    assert len(text.encode("utf-16-le")) // 2 <= 32_767
    assert text.rstrip("…") == letter * (len(text) - 1)


@pytest.mark.parametrize(
    ("n_rows", "sizes"), [(0, [0]), (1, [1]), (3, [3]), (4, [3, 1]), (6, [3, 3])]
)
def test_rows_go_on_as_many_sheets_as_they_need(
    tmp_path: Path, n_rows: int, sizes: list[int]
) -> None:
    book = as_book(tmp_path, ((str(n), "x") for n in range(n_rows)), sheet_rows=3)

    names = ["Ý kiến", "Ý kiến 2"][: len(sizes)]
    assert book.sheetnames == ["Ghi chú", *names]
    assert [book[name].max_row - 1 for name in names] == sizes
    written = [row[0] for name in names for row in list(book[name].values)[1:]]
    assert written == [str(n) for n in range(n_rows)]


def test_columns_go_on_after_the_last_letter(tmp_path: Path) -> None:
    wide = Sheet("A", "B", tuple((f"c{n}", 5) for n in range(60)))
    with (tmp_path / "out.xlsx").open("w+b") as out:
        write_xlsx(out, wide, rows=[list(range(60))], notes=lambda: NOTES)

    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["A"]
    assert [cell.value for cell in sheet[2]] == list(range(60))
    assert (sheet["Z1"].value, sheet["AA1"].value, sheet["BH1"].value) == ("c25", "c26", "c59")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), max_size=8))
def test_any_texts_make_sound_files(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    as_book(tmp_path, rows)
    read = list(csv.reader(io.StringIO(as_csv(tmp_path, rows), newline="")))[4:]

    with ZipFile(tmp_path / "out.xlsx") as book:
        for name in book.namelist():
            assert ElementTree.fromstring(book.read(name)).tag  # noqa: S314 - of our own making
    assert len(read) == len(rows)
    assert not any(may_run(cell) for row in read for cell in row)


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    as_book(tmp_path, [("a", "b")])
    first = (tmp_path / "out.xlsx").read_bytes()

    as_book(tmp_path, [("a", "b")])

    assert (tmp_path / "out.xlsx").read_bytes() == first


def test_a_program_of_others_reads_the_workbook(tmp_path: Path) -> None:
    as_book(tmp_path, [("a", "=1+1"), ("b", "đường hỏng")])

    read = kreuzberg.extract_file_sync(str(tmp_path / "out.xlsx")).content

    assert read.split("Ý kiến", 1)[1].split() == [
        "Mã",
        "Nội",
        "dung",
        "a",
        "=1+1",
        "b",
        "đường",
        "hỏng",
    ]


def test_lines_for_programs_begin_with_the_notes(tmp_path: Path) -> None:
    with (tmp_path / "out.jsonl").open("w+b") as out:
        write_lines(out, [{"text": "=1+1"}, {"text": "a\nb"}], notes=lambda: {"n_rows": 2})

    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"notes": {"n_rows": 2}},
        {"text": "=1+1"},
        {"text": "a\nb"},
    ]


@pytest.mark.parametrize("write", [write_csv, write_xlsx])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, write: Callable[..., None]) -> None:
    def peak(n_rows: int) -> int:
        tracemalloc.start()
        with (tmp_path / "out").open("w+b") as out:
            rows = ((str(n), f"đường hỏng {n} " * 20) for n in range(n_rows))
            write(out, SHEET, rows=rows, notes=lambda: NOTES)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    small, large = peak(2_000), peak(20_000)

    assert large < small * 1.5


def test_notes_are_made_when_all_rows_are_written(tmp_path: Path) -> None:
    counted = []

    def rows() -> Iterable[Cells]:
        for n in range(3):
            counted.append(n)
            yield (n, "x")

    with (tmp_path / "out.csv").open("w+b") as out:
        write_csv(out, SHEET, rows=rows(), notes=lambda: [("n", len(counted))])

    assert (tmp_path / "out.csv").read_text(encoding="utf-8").startswith('\ufeff"n","3"')


def test_nothing_but_the_file_itself_is_written(tmp_path: Path) -> None:
    seen = []

    def rows() -> Iterable[Cells]:
        seen.append([file.name for file in tmp_path.iterdir()])
        yield ("a", "b")

    with (tmp_path / "out.csv").open("w+b") as out:
        write_csv(out, SHEET, rows=rows(), notes=lambda: NOTES)

    assert seen == [["out.csv"]]

"""The duties of documents as a table and as a calendar, each read again by its library."""

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from icalendar import Calendar

from nlp.pipeline import Pipeline, Request
from nlp.readers import from_text
from service.exports import DutyRow, make_rows, to_calendar, to_workbook
from tests import directive
from tests.service.commands import Outcome, commanding

STAMP = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
LETTER = """ỦY BAN NHÂN DÂN
TỈNH SÔNG NGỌC
Số: 15/CT-UBND
CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Độc lập - Tự do - Hạnh phúc
Sông Ngọc, ngày 12 tháng 01 năm 2026
CHỈ THỊ
Về chấn chỉnh việc tiếp công dân ở cơ sở
Chủ tịch Ủy ban nhân dân tỉnh yêu cầu các cơ quan thực hiện những việc sau:
1. Sở Nội vụ rà soát lịch tiếp công dân của các xã,   hoàn thành trước ngày 30/6/2026.
2. Sở Tài chính bố trí kinh phí và báo cáo Ủy ban nhân dân tỉnh hằng quý, lần đầu trước ngày 31/3/2026.
3. Thanh tra tỉnh theo dõi, đôn đốc việc thực hiện Chỉ thị này.
Nơi nhận:
- Các sở, ngành;
- Lưu: VT.
CHỦ TỊCH
Trần Văn Mẫu
"""
ROW = DutyRow(
    uid="0@danvan",
    actors="Sở Nội vụ",
    text="1. Sở Nội vụ rà soát lịch tiếp công dân.",
    deadline=date(2026, 6, 30),
    recurrence=None,
    report_to=None,
    number="15/CT-UBND",
    issued=date(2026, 1, 12),
    issuer="Ủy ban nhân dân tỉnh Sông Ngọc",
    task_number="1",
    file="a.docx",
)
HEADERS = [
    "Ai làm", "Nội dung nhiệm vụ", "Thời hạn", "Định kỳ", "Báo cáo", "Số, ký hiệu", "Ngày ban hành",
    "Cơ quan ban hành", "Nhiệm vụ số", "Tệp",
]  # fmt: skip


def sheet_of(data: bytes) -> Any:  # openpyxl ships no types
    return openpyxl.load_workbook(io.BytesIO(data)).active


def events_of(data: bytes) -> list[Any]:  # what a property holds depends on its name
    return Calendar.from_ical(data).walk("VEVENT")


def rule_of(words: str, *, deadline: date, recurrence: str | None) -> str | None:
    row = replace(ROW, text=words, deadline=deadline, recurrence=recurrence)
    (event,) = events_of(to_calendar([row], STAMP))
    return event["rrule"].to_ical().decode() if "rrule" in event else None


def test_a_row_is_a_duty_with_its_document(tiny_pipeline: Pipeline) -> None:
    doc = from_text(LETTER)

    rows = make_rows(tiny_pipeline.analyze(Request("a.txt", doc)), text=doc.text)

    assert [row.actors for row in rows] == ["Sở Nội vụ", "Sở Tài chính", "Thanh tra tỉnh"]
    assert [row.deadline for row in rows] == [date(2026, 6, 30), date(2026, 3, 31), None]
    assert {(row.number, row.issued, row.file) for row in rows} == {
        ("15/CT-UBND", date(2026, 1, 12), "a.txt")
    }
    assert rows[0].text.endswith("các xã, hoàn thành trước ngày 30/6/2026.")
    assert (rows[1].recurrence, rows[1].report_to) == ("hằng quý", "Ủy ban nhân dân tỉnh")
    assert [row.task_number for row in rows] == ["1", "2", "3"]
    assert len({row.uid for row in rows}) == 3


def test_a_text_that_is_no_official_document_has_no_rows(tiny_pipeline: Pipeline) -> None:
    doc = from_text("Đường vào thôn hỏng, đề nghị Sở Xây dựng sửa trước ngày 30/6/2026.")
    analysis = tiny_pipeline.analyze(Request("a", doc, "opinion"))

    assert make_rows(analysis, text=doc.text) == ()


def test_the_sheet_has_headers_in_vietnamese_that_stay_in_sight() -> None:
    sheet = sheet_of(to_workbook([ROW], STAMP))

    assert [cell.value for cell in sheet[1]] == HEADERS
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:J2"
    assert sheet["B2"].alignment.wrap_text
    assert sheet.column_dimensions["B"].width == 80


def test_days_are_dates_of_excel_and_what_lacks_is_empty() -> None:
    sheet = sheet_of(to_workbook([ROW], STAMP))

    assert (sheet["C2"].value, sheet["C2"].is_date) == (datetime(2026, 6, 30), True)
    assert {sheet["C2"].number_format, sheet["G2"].number_format} == {"dd/mm/yyyy"}
    assert (sheet["D2"].value, sheet["E2"].value) == (None, None)


def test_a_day_that_excel_does_not_know_is_a_text() -> None:
    sheet = sheet_of(to_workbook([replace(ROW, issued=date(1026, 1, 2))], STAMP))

    assert sheet["G2"].value == "02/01/1026"


@pytest.mark.parametrize("text", ["=1+1", '=HYPERLINK("x")', "+1", "-1", "@SUM(1)", "#N/A"])
def test_a_cell_never_becomes_a_formula(text: str) -> None:
    sheet = sheet_of(to_workbook([replace(ROW, text=text)], STAMP))

    assert (sheet["B2"].value, sheet["B2"].data_type) == (text, "s")
    assert sheet["B2"].quotePrefix is (text[0] in "=+-@")


def test_control_characters_are_dropped(tiny_pipeline: Pipeline) -> None:
    doc = from_text(LETTER)
    analysis = tiny_pipeline.analyze(Request("a\x00\x1b[31m\uffff\n.txt", doc))
    marred = doc.text.replace("rà soát lịch", "rà\x0bsoát\x07lịch")  # as long as before

    rows = make_rows(analysis, text=marred)

    assert rows[0].file == "a[31m .txt"
    assert "rà soátlịch" in rows[0].text
    assert sheet_of(to_workbook(rows, STAMP))["B2"].value == rows[0].text


def test_a_text_longer_than_a_cell_shows_that_it_is_cut() -> None:
    sheet = sheet_of(to_workbook([replace(ROW, text="a" * 40_000)], STAMP))

    assert len(sheet["B2"].value) == 32_767
    assert sheet["B2"].value.endswith("a…")


def test_an_event_is_the_day_of_a_deadline() -> None:
    (event,) = events_of(to_calendar([ROW], STAMP))

    assert event.decoded("dtstart") == date(2026, 6, 30)
    assert event.decoded("dtstamp") == STAMP
    assert event["uid"] == "0@danvan"
    assert event["transp"] == "TRANSPARENT"
    assert "rrule" not in event
    assert "attendee" not in event
    assert "organizer" not in event


def test_a_duty_without_a_deadline_is_no_event() -> None:
    assert events_of(to_calendar([replace(ROW, deadline=None)], STAMP)) == []


@pytest.mark.parametrize(
    ("actors", "text", "summary"),
    [
        ("Sở Nội vụ", "1. Sở Nội vụ rà soát.", "1. Sở Nội vụ rà soát."),
        ("Sở Nội vụ", "a) Rà soát.", "Sở Nội vụ: a) Rà soát."),
        (None, "a) Rà soát.", "a) Rà soát."),
        (None, "việc " * 40, "việc " * 19 + "…"),
    ],
)
def test_the_summary_is_who_and_how_the_task_begins(
    actors: str | None, text: str, summary: str
) -> None:
    (event,) = events_of(to_calendar([replace(ROW, actors=actors, text=text.strip())], STAMP))

    assert event["summary"] == summary


def test_the_description_is_the_task_and_its_document() -> None:
    (event,) = events_of(to_calendar([replace(ROW, text="Rà soát, báo cáo; \\ xong.")], STAMP))

    assert event["description"].splitlines() == [
        "Rà soát, báo cáo; \\ xong.",
        "",
        "Ai làm: Sở Nội vụ",
        "Thời hạn: 30/06/2026",
        "Số, ký hiệu: 15/CT-UBND",
        "Ngày ban hành: 12/01/2026",
        "Cơ quan ban hành: Ủy ban nhân dân tỉnh Sông Ngọc",
        "Nhiệm vụ số: 1",
    ]


def test_lines_of_the_calendar_are_folded() -> None:
    data = to_calendar([replace(ROW, text="Rà soát " * 200)], STAMP)

    assert max(len(line) for line in data.split(b"\r\n")) <= 75


@pytest.mark.parametrize(
    ("recurrence", "rule"),
    [
        ("hằng tuần", "FREQ=WEEKLY"),
        ("hàng tháng", "FREQ=MONTHLY;BYMONTHDAY=15"),
        ("mỗi quý", "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=15"),
        ("03 tháng một lần", "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=15"),
        ("định kỳ 6 tháng, hằng năm", "FREQ=MONTHLY;INTERVAL=6;BYMONTHDAY=15"),
        ("định kỳ sáu tháng", "FREQ=MONTHLY;INTERVAL=6;BYMONTHDAY=15"),
        ("hằng năm", "FREQ=YEARLY;BYMONTHDAY=15;BYMONTH=6"),
        ("trước ngày 06 tháng 12 hằng năm", "FREQ=YEARLY;BYMONTHDAY=15;BYMONTH=6"),
        ("định kỳ", None),
        (None, None),
    ],
)
def test_an_event_recurs_as_the_words_say(recurrence: str | None, rule: str | None) -> None:
    words = f"Báo cáo {recurrence}, lần đầu trước ngày 15/6/2026."

    assert rule_of(words, deadline=date(2026, 6, 15), recurrence=recurrence) == rule


@pytest.mark.parametrize(
    ("deadline", "days"),
    [
        (date(2026, 6, 30), "BYMONTHDAY=-1"),
        (date(2026, 2, 28), "BYMONTHDAY=-1"),
        (date(2026, 7, 30), "BYMONTHDAY=28,29,30;BYSETPOS=-1"),
        (date(2026, 7, 28), "BYMONTHDAY=28"),
    ],
)
def test_no_month_is_left_out_for_want_of_the_day(deadline: date, days: str) -> None:
    words = f"Hằng tháng báo cáo, bắt đầu trước ngày {deadline:%d/%m/%Y}."

    assert rule_of(words, deadline=deadline, recurrence="hằng tháng") == f"FREQ=MONTHLY;{days}"


@pytest.mark.parametrize(
    ("words", "recurs"),
    [
        ("Báo cáo hằng quý, lần đầu trong quý II/2026.", True),
        ("Báo cáo hằng quý, lần đầu trong tháng 6 năm 2026.", True),
        ("Báo cáo hằng quý, lần đầu trước ngày 30 tháng 06 năm 2026.", True),
        ("Hoàn thành trước ngày 30/6/2026; hằng quý báo cáo Sở.", False),
        ("Hoàn thành trong quý II/2026. Kiểm tra hằng quý.", False),
        ("Họp hằng quý, từ quý III/2026; xong trước ngày 30/6/2026.", False),
    ],
)
def test_a_period_of_another_clause_does_not_repeat_the_deadline(words: str, recurs: bool) -> None:
    rule = rule_of(words, deadline=date(2026, 6, 30), recurrence="hằng quý")

    assert (rule is not None) is recurs


@pytest.mark.parametrize("make", [to_workbook, to_calendar])
def test_the_same_rows_give_the_same_bytes(
    make: Callable[[list[DutyRow], datetime], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = make([ROW], STAMP)
    monkeypatch.setattr("time.localtime", lambda *at: datetime(2031, 5, 6).timetuple())

    assert make([ROW], STAMP) == before
    assert make([ROW], STAMP.replace(year=2027)) != before


def test_the_workbook_bears_the_stamp_and_not_the_time_of_day() -> None:
    about = openpyxl.load_workbook(io.BytesIO(to_workbook([ROW], STAMP))).properties

    assert about.created == about.modified == STAMP.replace(tzinfo=None)


def test_an_event_keeps_its_uid_when_the_file_is_renamed(tiny_pipeline: Pipeline) -> None:
    doc = from_text(LETTER)

    here, there = (
        make_rows(tiny_pipeline.analyze(Request(name, doc)), text=doc.text) for name in ("a", "b")
    )

    assert [row.uid for row in here] == [row.uid for row in there]


Export = Callable[..., Outcome]


@pytest.fixture
def export(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tiny_models: Path,
    tmp_path: Path,
) -> Iterator[Export]:
    """Run `danvan export duties` in a folder with a directive, with the tiny model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DANVAN_MODELS_FOLDER", str(tiny_models))
    monkeypatch.setenv("DANVAN_MODEL", "tiny")
    (tmp_path / "a.txt").write_text(LETTER, encoding="utf-8")

    with commanding(monkeypatch, capsys, "export", "duties") as danvan:

        def run(*arguments: str) -> Outcome:
            ended = danvan(*arguments)
            assert ended.out == ""
            return ended

        yield run


def test_files_become_one_table(export: Export, tmp_path: Path) -> None:
    (tmp_path / "b.docx").write_bytes(directive.to_docx())

    outcome = export("a.txt", "b.docx", "-o", "ra.xlsx")

    sheet = sheet_of((tmp_path / "ra.xlsx").read_bytes())
    numbers = [row[5] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert outcome.code == 0
    assert f"ra.xlsx: {len(numbers)} duties found in 2 documents" in outcome.err
    assert numbers[:3] == ["15/CT-UBND"] * 3
    assert set(numbers[3:]) == {"12-CT/TU"}


def test_a_calendar_says_how_many_have_no_deadline(export: Export, tmp_path: Path) -> None:
    outcome = export("a.txt", "-o", "ra.ICS", "--stamp", "2026-01-05T08:00:00")

    events = events_of((tmp_path / "ra.ICS").read_bytes())
    assert outcome.code == 0
    assert "2 duties found in 1 documents, 1 without a deadline left out" in outcome.err
    assert [event.decoded("dtstart") for event in events] == [date(2026, 6, 30), date(2026, 3, 31)]
    assert [event.decoded("dtstamp") for event in events] == [STAMP, STAMP]
    assert ["rrule" in event for event in events] == [False, True]


def test_a_folder_is_read_with_its_archives_and_without_the_last_table(
    export: Export, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "goi.zip", "w") as archive:
        archive.writestr("b.docx", directive.to_docx())
        archive.writestr("a2.txt", LETTER)
    arguments = (".", "-o", "ra.xlsx", "--stamp", "2026-01-05T08:00:00")

    first, before = export(*arguments), (tmp_path / "ra.xlsx").read_bytes()
    second = export(*arguments)

    assert (first.code, second.code) == (0, 0)
    assert "in 2 documents, 1 came twice" in second.err
    assert (tmp_path / "ra.xlsx").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "goi.zip", "ra.xlsx"]


@pytest.mark.parametrize("name", ["ra.xlsx", "ra.ics"])
def test_nothing_found_is_an_empty_file_and_a_sentence(
    export: Export, tmp_path: Path, name: str
) -> None:
    (tmp_path / "b.txt").write_text("Cảm ơn bộ phận một cửa của phường.", encoding="utf-8")

    outcome = export("b.txt", "-o", name)

    data = (tmp_path / name).read_bytes()
    assert outcome.code == 0
    assert "no duties found in 1 documents, so nothing is listed" in outcome.err
    if name == "ra.xlsx":
        assert [[cell.value for cell in row] for row in sheet_of(data)] == [HEADERS]
    else:
        assert events_of(data) == []


def test_a_file_that_cannot_be_read_does_not_stop_the_others(
    export: Export, tmp_path: Path
) -> None:
    (tmp_path / "hong.pdf").write_bytes(b"no pdf at all")

    outcome = export("hong.pdf", "a.txt", "-o", "ra.xlsx")

    assert outcome.code == 1
    assert "hong.pdf: " in outcome.err
    assert sheet_of((tmp_path / "ra.xlsx").read_bytes()).max_row == 4


@pytest.mark.parametrize(
    "arguments",
    [
        ("none.txt", "-o", "ra.xlsx"),
        ("a.txt", "-o", "nowhere/ra.xlsx"),
        ("a.txt", "-o", "folder.ics"),
        ("ra.xlsx", "-o", "ra.xlsx"),
    ],
    ids=" ".join,
)
def test_a_failure_is_one_sentence_and_leaves_the_target_as_it_was(
    export: Export, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "ra.xlsx").write_bytes(b"before")
    (tmp_path / "folder.ics").mkdir()

    outcome = export(*arguments)

    assert outcome.code == 1
    assert outcome.err.strip().count("\n") == 0
    assert len(outcome.err) > 20
    assert (tmp_path / "ra.xlsx").read_bytes() == b"before"


@pytest.mark.parametrize(
    "arguments",
    [
        ("a.txt",),
        ("-o", "ra.xlsx"),
        ("a.txt", "-o", "ra.csv"),
        ("a.txt", "-o", "ra"),
        ("a.txt", "-o", "ra.xlsx", "--stamp", "now"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(
    export: Export, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    assert export(*arguments).code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_failed_write_leaves_the_old_file_and_no_other(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device", str(path))

    (tmp_path / "ra.xlsx").write_bytes(b"before")
    monkeypatch.setattr(Path, "replace", fail)

    outcome = export("a.txt", "-o", "ra.xlsx")

    assert outcome.code == 1
    assert "No space left" in outcome.err
    assert (tmp_path / "ra.xlsx").read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "ra.xlsx"]

"""Entries: moments as people write them, columns as they are named, names that may be kept."""

from datetime import UTC, datetime

import pytest

from nlp.errors import InvalidRecord
from nlp.readers.rows import Row
from service.feeds.entries import (
    Columns,
    Entry,
    as_shown,
    columns_of,
    entry_of,
    read_moment,
    to_opinion,
)
from service.feeds.folder import COLUMNS

NOW = datetime(2026, 1, 6, tzinfo=UTC)
MORNING = datetime(2026, 1, 5, 1, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 1, 4, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("05/01/2026", MIDNIGHT),
        ("5-1-2026", MIDNIGHT),
        ("05.01.2026 08:30", MORNING),
        ("08:30 05/01/2026", MORNING),
        ("8h30 - 05/01/2026", MORNING),
        ("2026-01-05", MIDNIGHT),
        ("2026-01-05 08:30:00", MORNING),
        ("2026-01-05T01:30:00Z", MORNING),
        ("46027", MIDNIGHT),
        (" ", None),
    ],
)
def test_a_moment_is_read_as_it_is_written_in_vietnam(
    written: str, expected: datetime | None
) -> None:
    assert read_moment(written, now=NOW) == expected


@pytest.mark.parametrize(
    "written",
    [
        "05/13/2026",
        "5/1/26",
        "hôm qua",
        "08/01/2026",
        "01/01/1900",
        "0001-01-01",
        "05/01.2026",
        "99999",
    ],
)
def test_a_moment_that_cannot_be_is_refused_without_being_quoted(written: str) -> None:
    with pytest.raises(ValueError, match="the moment") as caught:
        read_moment(written, now=NOW)

    assert written not in str(caught.value)


def test_a_text_may_stand_in_several_columns() -> None:
    columns = columns_of({"text": "Tiêu đề + Nội dung"}, otherwise=COLUMNS)
    row = Row("row 2", {"Tiêu đề": "Đường", "Nội dung": "Hỏng rồi"})

    assert columns.asked.needed == ("Nội dung", "Tiêu đề")
    assert entry_of(row, columns=columns, now=NOW).text == "Đường\nHỏng rồi"


def test_a_title_that_is_the_beginning_of_its_text_stands_there_once() -> None:
    row = Row("entry 1", {"title": "Đường hỏng", "summary": "Đường hỏng đã ba tháng"})

    entry = entry_of(row, columns=Columns(("title", "summary"), "id", "published"), now=NOW)

    assert entry.text == "Đường hỏng đã ba tháng"


@pytest.mark.parametrize(
    "options", [{"author": "Họ tên"}, {"text": ""}, {"text": "A+"}, {"external_id": "A+B"}]
)
def test_columns_that_cannot_be_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(InvalidRecord):
        columns_of(options, otherwise=COLUMNS)


def test_a_column_that_somebody_named_must_be_there_and_others_need_not() -> None:
    asked = columns_of({"posted_at": "Ngày"}, otherwise=COLUMNS).asked

    assert (asked.needed, asked.wanted) == (("Ngày", "text"), ("external_id",))


def test_a_text_without_a_name_goes_by_the_hash_of_its_masked_text() -> None:
    one, other = (
        to_opinion(Entry("row 2", f"Gọi {number} nhé"), source="demo").external_id
        for number in ("0912 345 678", "0987 654 321")
    )

    assert one == other
    assert one.startswith("sha256:")


@pytest.mark.parametrize("name", ["x" * 201, "a\x00b", "a\nb"])
def test_a_name_that_cannot_be_kept_goes_by_its_hash(name: str) -> None:
    assert to_opinion(Entry("row 2", "Rác", name), source="demo").external_id.startswith("sha256:")


def test_what_is_shown_is_masked_and_says_what_the_intake_would_say() -> None:
    entries = [
        Entry("1", "Gọi 0912 345 678", "0912 345 678"),
        Entry("2", " "),
        Entry("3", "x" * 99),
    ]

    shown = [as_shown(entry, max_chars=50) for entry in entries]

    assert "345" not in f"{shown[0].text} {shown[0].external_id}"
    assert [entry.fault for entry in shown] == [
        None,
        "the text is empty",
        "the text has 99 characters; at most 50 are read",
    ]

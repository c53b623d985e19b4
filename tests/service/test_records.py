"""Records of every kind of table, whatever state it is in."""

import io
import json
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nlp.errors import InputError, UnsupportedMediaType
from service.records import Record, is_table, read_records


def records(folder: Path, name: str, data: bytes) -> list[Record]:
    path = folder / name
    path.write_bytes(data)
    return list(read_records(path))


def xlsx(*rows: tuple[object, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b" ")), max_size=8))
def test_each_line_of_json_lines_is_one_record(tmp_path: Path, lines: list[bytes]) -> None:
    found = records(tmp_path, "a.jsonl", b"".join(line + b"\n" for line in lines))

    assert len(found) == len(lines)
    assert all(record.id.encode("utf-8") for record in found)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=st.dictionaries(st.sampled_from(["id", "text", "kind"]), json_values) | json_values)
def test_any_json_value_is_a_record_or_an_error(tmp_path: Path, row: object) -> None:
    [record] = records(tmp_path, "a.ndjson", json.dumps(row).encode() + b"\n")

    assert record.error is None or record.text == ""
    assert record.error is not None or isinstance(row, dict)
    assert record.id


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"id": "a", "text": "m\xe1\xbb\x99t", "kind": "opinion"}', Record("a", "một", "opinion")),
        (b'{"id": 7, "text": "x"}', Record("7", "x")),
        (b'{"id": "", "text": "x", "kind": ""}', Record("line 1", "x")),
        (b'{"id": null, "text": "x"}', Record("line 1", "x")),
        (b'{"id": [1], "text": "x"}', Record("line 1", "x")),
        (b'\xef\xbb\xbf{"id": "a", "text": "x"}', Record("a", "x")),
        (b'{"id": "\\ud800", "text": 3}', Record("?", error="the record has no text")),
    ],
)  # fmt: skip
def test_fields_are_taken_as_they_stand(tmp_path: Path, line: bytes, expected: Record) -> None:
    assert records(tmp_path, "a.jsonl", line) == [expected]


def test_a_line_too_long_to_hold_is_skipped_and_the_next_one_read(tmp_path: Path) -> None:
    long_line = b'{"id": "a", "text": "' + b"x" * (17 * 1024 * 1024) + b'"}\n'

    first, second = records(tmp_path, "a.jsonl", long_line + b'{"id": "b", "text": "x"}')

    assert first.error is not None
    assert "longer than" in first.error
    assert second == Record("b", "x")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("id,text,kind\na,một,opinion\n", [Record("a", "một", "opinion")]),
        ("\ufeffID, Text \na,một\n", [Record("a", "một")]),
        ("noi_dung\nmột\n", [Record("line 2", "một")]),
        ("Ý kiến,id\nmột,a\n", [Record("a", "một")]),
        ('id,text\na,"một\nhai"\n', [Record("a", "một\nhai")]),
        ("id,text\na\nb,\n,,\n", [Record("a", ""), Record("b", "")]),
        ("id,text\na,một,thừa\n", [Record("a", "một")]),
    ],
)
def test_a_csv_is_read_under_its_header(tmp_path: Path, data: str, expected: list[Record]) -> None:
    assert records(tmp_path, "a.csv", data.encode()) == expected


def test_a_csv_row_that_cannot_be_read_costs_only_itself(tmp_path: Path) -> None:
    long_cell = '"' + "x" * (17 * 1024 * 1024) + '"'

    first, second = records(tmp_path, "a.csv", f"text\n{long_cell}\nmột\n".encode())

    assert first == Record("line 2", error="the row is malformed or too long")
    assert second.text == "một"


def test_a_sheet_may_hold_numbers_and_empty_cells(tmp_path: Path) -> None:
    data = xlsx(("id", "text"), (1, "một"), (2, 34), (None, None), ("c", None), (None, "hai"))

    assert records(tmp_path, "a.xlsx", data) == [
        Record("1", "một"),
        Record("2", "34"),
        Record("c", ""),
        Record("line 6", "hai"),
    ]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"", "no column named text"),
        ("a.csv", b"id;body\n", "no column named text"),
        ("a.xlsx", xlsx(("id", "body")), "no column named text"),
        ("a.xlsx", b"PK\x03\x04", "not a readable .xlsx"),
        ("a.parquet", b"PAR1", "parquet"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(
    tmp_path: Path, name: str, data: bytes, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        records(tmp_path, name, data)

    assert "\n" not in str(caught.value)


def test_a_file_of_another_kind_is_no_table(tmp_path: Path) -> None:
    assert not is_table(tmp_path / "a.docx")
    assert is_table(tmp_path / "A.JSONL")
    with pytest.raises(UnsupportedMediaType, match=r"a\.docx: not one of \.jsonl"):
        read_records(tmp_path / "a.docx")

"""Rows come out of every kind of table as they stand there, and only in the columns asked for."""

import io
import json
from datetime import datetime

import openpyxl
import pytest

from nlp.errors import InputError, UnreadableFile, UnsupportedMediaType
from nlp.readers.child import Limits, rows_in_child
from nlp.readers.rows import FEED, Asked, Row, read_rows

ASKED = Asked(("Nội dung",), ("Mã", "Ngày"))
CELLS = {"Mã": "HT-1", "Nội dung": "Đường hỏng, lầy lội", "Ngày": "05/01/2026"}
TABLE = "Mã;Nội dung;Ngày;Họ tên\nHT-1;Đường hỏng, lầy lội;05/01/2026;Nguyễn Văn An\n"


def rows(data: bytes, name: str = "a.csv", asked: Asked = ASKED) -> list[Row]:
    return list(read_rows(data, name=name, asked=asked))


def in_windows_1258(text: str) -> bytes:
    """As Windows writes it: the tone behind its letter."""
    import unicodedata

    out = b""
    for char in text:
        whole = unicodedata.normalize("NFD", char)
        tones = "".join(c for c in whole if c in "\u0300\u0301\u0303\u0309\u0323")
        letter = unicodedata.normalize("NFC", whole.translate(dict.fromkeys(map(ord, tones))))
        out += char.encode("cp1258") if not tones else (letter + tones).encode("cp1258")
    return out


@pytest.mark.parametrize(
    "data",
    [
        TABLE.encode(),
        TABLE.encode("utf-8-sig"),
        TABLE.encode("utf-16"),
        TABLE.encode("utf-16-le"),
        in_windows_1258(TABLE),
        in_windows_1258("Mã;Nội dung;Ngày\nHT-1;Đường hỏng, lầy lội;05/01/2026\n"),
        TABLE.replace(";", "\t").encode(),
        TABLE.replace("Đường hỏng, lầy lội", '"Đường hỏng, lầy lội"').replace(";", ",").encode(),
        f"BÁO CÁO TUẦN;;;\n\n{TABLE}".encode(),
        TABLE.replace("Nội dung", " NỘI  DUNG ").encode(),
    ],
    ids=[
        "utf-8",
        "mark",
        "utf-16",
        "unmarked",
        "1258",
        "1258, a few words",
        "tab",
        "comma",
        "title above",
        "other case",
    ],
)
def test_a_table_is_read_whatever_program_wrote_it(data: bytes) -> None:
    [row] = rows(data)

    assert row.cells == CELLS


def test_a_column_that_was_not_asked_for_does_not_come_out() -> None:
    asked = Asked(("Nội dung",))

    [row] = rows(TABLE.encode(), asked=asked)

    assert row.cells == {"Nội dung": "Đường hỏng, lầy lội"}


def test_a_workbook_gives_its_dates_and_whole_numbers() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Phản ánh tuần 1"])
    sheet.append(["Mã", "Nội dung", "Ngày"])
    sheet.append([12.0, "Đèn hỏng", datetime(2026, 1, 5, 8, 30)])
    out = io.BytesIO()
    book.save(out)

    [row] = rows(out.getvalue(), "a.xlsx")

    assert row == Row("row 3", {"Mã": "12", "Nội dung": "Đèn hỏng", "Ngày": "2026-01-05T08:30:00"})


def test_a_bad_line_does_not_keep_the_others_out() -> None:
    lines = [json.dumps({"nội dung": "Rác", "Mã": 5, "Họ tên": "An"}), "{", "[]", '{"Mã": 1}']

    found = rows("\n".join(lines).encode(), "a.jsonl")

    assert found[0].cells == {"Nội dung": "Rác", "Mã": "5"}
    assert [row.fault for row in found] == [
        None,
        "the line is not valid JSON",
        "the line is no JSON object",
        "the object has no 'Nội dung'",
    ]


def test_a_text_that_falls_apart_at_its_commas_is_not_cut_short() -> None:
    found = rows("Nội dung\nĐường hỏng, lầy lội\n".encode())

    assert found[0].cells == {}
    assert "more cells than columns" in str(found[0].fault)


@pytest.mark.parametrize(
    ("name", "data", "error", "reason"),
    [
        ("a.csv", b"", UnreadableFile, "empty"),
        ("a.csv", "Mã;Ngày\n1;2\n".encode(), InputError, "names the columns: 'Nội dung'"),
        ("a.csv", "Nội dung;nội dung\na;b\n".encode(), InputError, "two columns are named"),
        ("a.csv", bytes(range(256)) * 20, UnreadableFile, "not text"),
        ("a.xlsx", b"PK\x03\x04 nothing", UnreadableFile, "damaged"),
        ("a.xls", b"text", UnsupportedMediaType, "save it as one of them"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    name: str, data: bytes, error: type[InputError], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        list(rows_in_child(data, name=name, asked=ASKED))


def test_rows_come_some_at_a_time_and_not_all_need_be_taken() -> None:
    table = "Nội dung\n" + "".join(f"dòng {n}\n" for n in range(1000))

    some = rows_in_child(table.encode(), name="a.csv", asked=ASKED)
    first = next(some)
    some.close()

    assert [row.cells["Nội dung"] for row in first] == [f"dòng {n}" for n in range(200)]


def test_a_file_that_takes_too_much_memory_is_given_up() -> None:
    table = f"Nội dung\n{'x' * 15_000_000}\n"
    limits = Limits(memory_bytes=120 * 1024 * 1024)

    with pytest.raises(InputError):
        list(rows_in_child(table.encode(), name="a.csv", asked=ASKED, limits=limits))


RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Góp ý</title>
<item><title>Đường &amp; rác</title><guid>g-1</guid><author>an@example.org (An)</author>
<dc:creator>Nguyễn Văn An</dc:creator><pubDate>Mon, 05 Jan 2026 08:00:00 +0700</pubDate>
<description>&lt;p&gt;Đường hỏng.&lt;/p&gt;
&lt;script&gt;alert(1)&lt;/script&gt;&lt;p&gt;Ba tháng.&lt;/p&gt;</description></item>
<item><link>https://example.org/2</link><description>Rác ùn</description></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><entry><id>urn:1</id>
<title type="text">Đường 1 < 2</title><author><name>Nguyễn Văn An</name></author>
<updated>2026-01-05T01:00:00Z</updated>
<content type="html">&lt;b&gt;Đường&lt;/b&gt; hỏng</content></entry></feed>"""


def test_entries_of_rss_come_as_plain_text_without_who_wrote_them() -> None:
    first, second = rows(RSS.encode(), FEED)

    assert first.cells == {
        "title": "Đường & rác",
        "summary": "Đường hỏng.\nBa tháng.",
        "id": "g-1",
        "published": "2026-01-05T01:00:00+00:00",
    }
    assert (second.cells["id"], second.cells["published"]) == ("https://example.org/2", "")


def test_entries_of_atom_are_read_even_where_the_xml_is_not_sound() -> None:
    [entry] = rows(ATOM.encode(), FEED)

    assert (entry.cells["id"], entry.cells["summary"]) == ("urn:1", "Đường hỏng")
    assert "An" not in str(entry.cells)


def test_a_page_that_is_no_feed_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="neither RSS nor Atom"):
        rows(b"<html><body>404</body></html>", FEED)


def test_entities_that_multiply_do_no_harm() -> None:
    steps = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a0 "ha">{steps}]>'
    data = f"{bomb}<rss><channel><item><title>&a9;</title></item></channel></rss>".encode()

    found = [row for some in rows_in_child(data, name=FEED, asked=ASKED) for row in some]

    assert all(len(str(row.cells)) < 1000 for row in found)

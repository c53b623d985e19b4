"""What is particular to each format; what all share is in contracts/test_readers.py."""

import io

import docx
import pytest
from docx.oxml import parse_xml

from nlp.errors import UnreadableFile
from nlp.readers import from_text, read_file

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def blocks(data: bytes | str, name: str) -> list[str]:
    doc = read_file(data.encode() if isinstance(data, str) else data, name=name)
    return [doc.text[block.start : block.end] for block in doc.blocks]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p>một <b>hai</b>\n ba<br>bốn", ["một hai ba", "bốn"]),
        ("một<p>hai<div>ba</div>bốn", ["một", "hai", "ba", "bốn"]),
        ("<p>a<!-- ẩn -->b <img src=x>c</p>", ["ab c"]),
        ("<ol start=4><li>bốn<li>năm</ol>", ["4. bốn", "5. năm"]),
        ("<ol><li><p>một</p><p>vẫn một</p></li><li>hai</ol>", ["1. một", "vẫn một", "2. hai"]),
        ("<ul><li>một<ol><li>a</ol><li>hai</ul>ba", ["- một", "1. a", "- hai", "ba"]),
        ("<ul><li></li></ul><p>sau", ["sau"]),
        ('<ol start="²"><li>một</ol>', ["1. một"]),
        (f'<ol start="{"9" * 5000}"><li>một</ol>', ["1. một"]),
        ("<p>1 &lt; 2 &amp; 3</p>", ["1 < 2 & 3"]),
        ("<p>ẩn<style>p{}</style><noscript>x</noscript></p>", ["ẩn"]),
        ("<svg><text>x</text></svg><p>một</p>", ["một"]),
        ("<p>một</p" + "</div>" * 50, ["một"]),
        ("<b>" * 3000 + "một", ["một"]),
    ],
)
def test_html_is_read_as_a_browser_shows_it(page: str, expected: list[str]) -> None:
    assert blocks(page, "a.html") == expected


@pytest.mark.parametrize(
    "charset", ["utf-16", "utf-32", "idna", "punycode", "undefined", "x-unknown", "hex"]
)
def test_a_charset_that_cannot_be_true_is_not_believed(charset: str) -> None:
    assert blocks(f'<meta charset="{charset}"><p>tiếp công dân</p>', "a.html") == ["tiếp công dân"]


def test_a_declared_charset_is_believed_where_it_decodes() -> None:
    page = '<meta charset="iso-8859-15"><p>5 €</p>'

    assert blocks(page.encode("iso-8859-15"), "a.html") == ["5 €"]


def test_a_byte_order_mark_counts_more_than_a_declared_charset() -> None:
    page = '<meta charset="iso-8859-1"><p>dân vận</p>'

    assert blocks(page.encode("utf-8-sig"), "a.html") == ["dân vận"]


def test_a_list_of_many_items_takes_no_longer_an_item() -> None:
    assert blocks("<ol>" + "<li>việc" * 20_000, "a.html")[-1] == "20000. việc"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Một\nhai", ["Một", "hai"]),
        ("Một *hai* **ba** `bốn`", ["Một hai ba bốn"]),
        ("1. một\n2. hai\n   - ba", ["1. một", "2. hai", "- ba"]),
        ("một  \nhai", ["một", "hai"]),
        ("| a | b |\n|---|---|\n| c | d |", ["a", "b", "c", "d"]),
        ("một\n\n---\n\nhai", ["một", "hai"]),
        ("một<br>hai <u>ba</u>", ["một", "hai ba"]),
        ("```\nmột\n```", ["một"]),
        ("một \\* hai &amp; ba", ["một * hai & ba"]),
    ],
)
def test_markdown_loses_its_marks_and_keeps_its_numbers(text: str, expected: list[str]) -> None:
    assert blocks(text, "a.md") == expected


def docx_of(document: docx.document.Document) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def numbered(*levels: tuple[str, str], paragraphs: list[tuple[int, str]]) -> bytes:
    """Paragraphs on the levels of one list, each level with its format and pattern."""
    document = docx.Document()
    numbering = document.part.numbering_part.element
    rows = "".join(
        f'<w:lvl w:ilvl="{i}"><w:start w:val="1"/><w:numFmt w:val="{fmt}"/>'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
        for i, (fmt, text) in enumerate(levels)
    )
    numbering.insert(
        0, parse_xml(f'<w:abstractNum {W} w:abstractNumId="77">{rows}</w:abstractNum>')
    )
    link = '<w:abstractNumId w:val="77"/>'
    numbering.append(parse_xml(f'<w:num {W} w:numId="77">{link}</w:num>'))
    for level, text in paragraphs:
        mark = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="77"/></w:numPr>'
        properties = document.add_paragraph(text)._p.get_or_add_pPr()
        properties.append(parse_xml(mark.replace("<w:numPr>", f"<w:numPr {W}>")))
    return docx_of(document)


def test_word_numbers_are_counted_and_restart_below_a_new_one() -> None:
    data = numbered(
        ("upperRoman", "%1."),
        ("decimal", "%1.%2."),
        ("lowerLetter", "%3)"),
        paragraphs=[(0, "a"), (1, "b"), (2, "c"), (2, "d"), (1, "e"), (0, "f"), (1, "g")],
    )

    assert blocks(data, "a.docx") == [
        "I. a",
        "I.1. b",
        "a) c",
        "b) d",
        "I.2. e",
        "II. f",
        "II.1. g",
    ]


def test_bullets_become_dashes_and_empty_numbers_nothing() -> None:
    data = numbered(("bullet", "·"), ("none", ""), paragraphs=[(0, "a"), (1, "b"), (5, "c")])

    assert blocks(data, "a.docx") == ["- a", "b", "c"]


def test_roman_numbers_are_right_to_forty() -> None:
    data = numbered(("lowerRoman", "%1)"), paragraphs=[(0, "x")] * 39)

    marks = [block.split(")")[0] for block in blocks(data, "a.docx")]
    assert marks[3] == "iv"
    assert marks[8] == "ix"
    assert marks[13] == "xiv"
    assert marks[38] == "xxxix"


def test_a_table_within_a_cell_is_read_in_its_place() -> None:
    document = docx.Document()
    cell = document.add_table(1, 2).cell(0, 0)
    cell.text = "một"
    cell.add_table(1, 1).cell(0, 0).text = "hai"
    document.tables[0].cell(0, 1).text = "ba"

    assert blocks(docx_of(document), "a.docx") == ["một", "hai", "ba"]


def test_a_line_break_in_word_begins_a_block() -> None:
    document = docx.Document()
    document.add_paragraph("một\nhai")

    assert blocks(docx_of(document), "a.docx") == ["một", "hai"]


def test_a_large_table_is_read_in_time_that_grows_with_its_size() -> None:
    document = docx.Document()
    table = document.add_table(400, 4)
    for row in table._tbl.tr_lst:
        for cell in row.tc_lst:
            cell.p_lst[0].add_r().text = "ô"

    assert len(blocks(docx_of(document), "a.docx")) == 1600


def test_a_text_with_one_broken_byte_is_read_and_says_so() -> None:
    doc = read_file("tiếp công dân ở phường ".encode() * 20 + b"\xff", name="a.txt")

    assert doc.issues == ("broken_bytes",)
    assert "\ufffd" in doc.text


def test_utf_16_is_told_without_its_mark() -> None:
    doc = read_file("Ý kiến của nhân dân về đường sá".encode("utf-16-be"), name="a.txt")

    assert doc.text == "Ý kiến của nhân dân về đường sá"


def test_binary_data_that_happen_to_be_utf8_are_refused() -> None:
    with pytest.raises(UnreadableFile, match="binary"):
        read_file(b"\x01\x02\x03abc" * 100, name="a.txt")


WRAPPED = """Căn cứ Luật Tiếp công dân
ngày 25 tháng 11 năm 2013;
Ủy ban nhân dân phường yêu cầu các tổ dân phố rà soát những
hộ còn đơn chưa được trả lời và báo cáo trước ngày 10
1. Tổ dân phố lập danh sách các hộ có đơn từ đầu năm đến nay
kèm theo giấy hẹn;
- Danh sách gửi cả bản giấy lẫn bản điện tử về văn phòng Ủy
ban nhân dân phường.

Nơi nhận: các tổ dân phố"""


def test_wrapped_lines_are_joined_to_paragraphs() -> None:
    doc = from_text(WRAPPED)

    starts = [doc.text[block.start :].split()[:2] for block in doc.blocks]
    assert starts == [["Căn", "cứ"], ["Ủy", "ban"], ["1.", "Tổ"], ["-", "Danh"], ["Nơi", "nhận:"]]


def test_lines_that_were_not_wrapped_are_paragraphs_of_their_own() -> None:
    lines = ["câu ngắn", "câu dài " * 30, "câu ngắn nữa", "câu vừa " * 5, "hết"]

    doc = from_text("\n".join(lines))

    assert len(doc.blocks) == len(lines)


@pytest.mark.parametrize("text", ["", " ", "\n\n\t\n"])
def test_a_text_without_ink_has_no_blocks(text: str) -> None:
    assert from_text(text).blocks == ()


def test_words_in_tracked_insertions_and_content_controls_are_read() -> None:
    made = docx.Document()
    paragraph = made.add_paragraph("Ủy ban ")
    for wrapper in ("ins", "sdt"):
        run = paragraph.add_run(f"xã {wrapper} ")
        around = docx.oxml.OxmlElement(f"w:{wrapper}")
        run._r.addprevious(around)
        around.append(run._r)
    out = io.BytesIO()
    made.save(out)

    assert read_file(out.getvalue(), name="a.docx").text == "Ủy ban xã ins xã sdt"

"""One directive, written for the tests, in every format that danvan reads."""

import html
import io
import unicodedata
from collections.abc import Iterator

import docx
import fpdf

LEFT = ("THÀNH ỦY SÔNG NGỌC", "Số 12-CT/TU")
RIGHT = ("ĐẢNG CỘNG SẢN VIỆT NAM", "Sông Ngọc, ngày 05 tháng 3 năm 2024")
KIND = "CHỈ THỊ"
SUBJECT = "Về nâng cao chất lượng tiếp công dân ở cơ sở"
OPENING = (
    "Thời gian qua, việc tiếp công dân ở các xã, phường đã có chuyển biến; nhiều nơi người đứng đầu trực "
    "tiếp gặp dân, trả lời ngay tại chỗ những việc thuộc thẩm quyền, số đơn vượt cấp giảm rõ so với "
    "năm trước.",
    "Tuy nhiên, một số nơi còn giao cấp phó tiếp thay, lịch tiếp không niêm yết, hồ sơ ghi chép sơ sài; có "
    "vụ việc kéo dài qua nhiều năm mà chưa ai đối thoại với người có đơn để tìm cách tháo gỡ.",
    "Để khắc phục, Ban Thường vụ Thành ủy yêu cầu các cấp ủy, cơ quan, đơn vị thực hiện những việc sau:",
)
# A numbered task and the dashes below it; what is numbered by Word in .docx is typed in the others.
TASKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Người đứng đầu cấp ủy tiếp công dân ít nhất mỗi tháng một ngày, không ủy quyền; lịch tiếp được niêm "
        "yết tại trụ sở và trên trang thông tin của đơn vị trước ngày 25 tháng trước.",
        (
            "Mỗi buổi tiếp có biên bản, ghi rõ việc, người phụ trách và hạn trả lời.",
            "Việc đã hứa với dân phải được kiểm tra lại sau ba mươi ngày; nơi nào chậm thì người đứng đầu "
            "giải trình bằng văn bản với cấp ủy cấp trên trực tiếp.",
        ),
    ),
    (
        "Rà soát các vụ việc tồn đọng trên hai năm; mỗi vụ giao một đồng chí cấp ủy viên theo dõi, tổ chức "
        "đối thoại ít nhất một lần trong quý II và công khai kết quả.",
        (),
    ),
    (
        "Văn phòng cấp ủy mở sổ theo dõi chung, nối với phần mềm của tỉnh.",
        (
            "Số liệu được cập nhật trong ngày làm việc.",
            "Hồ sơ giấy lưu tại bộ phận văn thư theo quy định hiện hành.",
            "Người dân được xem tình trạng đơn của mình.",
        ),
    ),
    (
        "Ban Dân vận chủ trì, phối hợp với Ủy ban Kiểm tra theo dõi việc thực hiện Chỉ thị này, định kỳ sáu "
        "tháng báo cáo Ban Thường vụ.",
        (),
    ),
)
CLOSING = "Chỉ thị này được phổ biến đến chi bộ."
RECIPIENTS = (
    "Nơi nhận:",
    "- Các đảng ủy trực thuộc;",
    "- Các ban của Thành ủy;",
    "- Lưu Văn phòng.",
)
SIGNATURE = ("T/M BAN THƯỜNG VỤ", "BÍ THƯ", "Lê Thị Mẫu")


def numbered_lines() -> Iterator[str]:
    for number, (task, dashes) in enumerate(TASKS, start=1):
        yield f"{number}. {task}"
        yield from (f"- {dash}" for dash in dashes)


PARAGRAPHS = (
    *LEFT, *RIGHT, KIND, SUBJECT, *OPENING, *numbered_lines(), CLOSING, *RECIPIENTS, *SIGNATURE,
)  # fmt: skip


def to_txt(encoding: str) -> bytes:
    return "\r\n".join(PARAGRAPHS).encode(encoding)


def to_windows_1258() -> bytes:
    """Letters with their tone as a mark of its own, the way the code page has them."""
    coded = ""
    for char in "\n".join(PARAGRAPHS):
        letter, tone = char, ""
        for mark in unicodedata.normalize("NFD", char)[1:]:
            if mark in "\u0300\u0301\u0303\u0309\u0323":
                letter = unicodedata.normalize(
                    "NFC", unicodedata.normalize("NFD", char).replace(mark, "")
                )
                tone = mark
        coded += letter + tone
    return coded.encode("windows-1258")


def to_markdown() -> bytes:
    head = "\n\n".join([*LEFT, *RIGHT])
    tail = "\n\n".join([CLOSING, "\n".join(RECIPIENTS), "\n".join(f"**{s}**  " for s in SIGNATURE)])
    body = "\n\n".join([f"# {KIND}", f"*{SUBJECT}*", *OPENING])
    tasks = "\n".join(numbered_lines())
    return f"{head}\n\n---\n\n{body}\n\n{tasks}\n\n{tail}\n".encode()


def to_html(*, charset: str | None) -> bytes:
    """Letterhead and signature in tables, tasks in nested lists, a script that must not be read."""
    tasks = "".join(
        f"<li>{html.escape(task)}"
        + (f"<ul>{''.join(f'<li><p>{d}</p></li>' for d in dashes)}</ul>" if dashes else "")
        + "</li>"
        for task, dashes in TASKS
    )
    body = (
        f"<script>var x = '<p>không đọc</p>';</script>{_table(LEFT, RIGHT)}"
        f"<h1>{KIND}</h1><p><b>Về nâng cao</b> chất lượng\n tiếp <i>công dân</i> ở cơ&nbsp;sở</p>"
        f"{''.join(f'<p>{p}</p>' for p in OPENING)}<ol>{tasks}</ol><p>{CLOSING}<!-- ẩn --></p>"
        f"{_table(RECIPIENTS, SIGNATURE)}"
    )
    meta = (
        f'<meta http-equiv="Content-Type" content="text/html; charset={charset}">'
        if charset
        else ""
    )
    page = f"<html><head>{meta}<title>không đọc</title></head><body>{body}</body></html>"
    return page.encode(charset or "utf-8", "xmlcharrefreplace")


def _table(left: tuple[str, ...], right: tuple[str, ...]) -> str:
    cells = "".join(f"<td>{'<br>'.join(lines)}</td>" for lines in (left, right))
    return f"<table><tr>{cells}</tr></table>"


def to_docx(*, merged: bool = False) -> bytes:
    """Letterhead and signature in tables, tasks numbered by Word itself; `merged` adds merged cells."""
    doc = docx.Document()
    doc.sections[0].header.paragraphs[0].text = "không đọc"
    _fill(doc.add_table(1, 3 if merged else 2), LEFT, RIGHT)
    doc.add_paragraph(KIND, style="Heading 1")
    for line in (SUBJECT, *OPENING):
        doc.add_paragraph(line)
    for task, dashes in TASKS:
        doc.add_paragraph(task, style="List Number")
        for dash in dashes:
            doc.add_paragraph(dash, style="List Bullet")
    doc.add_paragraph("")
    doc.add_paragraph(CLOSING)
    _fill(doc.add_table(2, 3 if merged else 2), RECIPIENTS, SIGNATURE)
    out = io.BytesIO()
    doc.save(out)
    return out.getvalue()


def _fill(table: docx.table.Table, left: tuple[str, ...], right: tuple[str, ...]) -> None:
    """Left and right cell of a table; columns and rows beyond them are merged into them."""
    last_row, last_column = len(table.rows) - 1, len(table.columns) - 1
    one = table.cell(0, 0).merge(table.cell(last_row, last_column - 1))
    other = table.cell(0, last_column).merge(table.cell(last_row, last_column))
    for cell, lines in ((one, left), (other, right)):
        cell.text = lines[0]
        for line in lines[1:]:
            cell.add_paragraph(line)


class _Pdf(fpdf.FPDF):
    """A page with its number at the foot."""

    def footer(self) -> None:
        self.set_y(-15)
        self.cell(0, 10, f"- {self.page_no()} -", align="C")


def to_pdf() -> bytes:
    """Justified lines on small pages, so that paragraphs run over page breaks."""
    pdf = _Pdf(format=(148, 120))
    pdf.add_font("DejaVu", "", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
    pdf.set_font("DejaVu", size=10)
    pdf.set_auto_page_break(auto=True, margin=20)
    pdf.add_page()
    for line in PARAGRAPHS:
        pdf.multi_cell(0, 5, line, align="J", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(2)
    return bytes(pdf.output())

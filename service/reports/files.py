"""A report as a file: which formats there are. What writes one is loaded when somebody asks for it."""

import re
from typing import Literal, get_args

from nlp.text import fold, to_nfc
from service.reports.letterhead import Letterhead
from service.reports.report import Report

Ending = Literal["docx", "xlsx", "csv"]
ENDINGS: tuple[Ending, ...] = get_args(Ending)
MEDIA_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}

_LONGEST = 30  # letters of what a report is narrowed to, in the name of its file


def write_file(report: Report, ending: Ending, *, head: Letterhead) -> bytes:
    """The report in one of the formats; only a document bears the letterhead."""
    if ending == "docx":
        from service.reports.docx import write_docx

        return write_docx(report, head)
    if ending == "xlsx":
        from service.reports.xlsx import write_xlsx

        return write_xlsx(report)
    from service.reports.csv import write_csv

    return write_csv(report)


def file_name(report: Report, ending: Ending) -> str:
    """`bao-cao-2026-10-01-2026-10-31-giao-duc.docx`: the first day, the last, what it is narrowed to."""
    period = report.asked.period
    last = period.day_to.fromordinal(period.day_to.toordinal() - 1)
    parts = ["bao-cao", str(period.day_from), str(last), *(_plain(v) for _, v in report.scope)]
    return f"{'-'.join(part for part in parts if part)}.{ending}"


def _plain(name: str) -> str:
    """The first words of a name in plain letters, as every system takes them in the name of a file."""
    words = re.findall("[a-z0-9]+", fold(to_nfc(name)))
    whole = "-".join(words)
    return whole if len(whole) <= _LONGEST else whole[: _LONGEST + 1].rpartition("-")[0]

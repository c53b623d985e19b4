"""A report as a file: which formats there are. What writes one is loaded when somebody asks for it."""

from typing import Literal, get_args

from service.reports.letterhead import Letterhead
from service.reports.report import Report

Ending = Literal["docx", "xlsx", "csv"]
ENDINGS: tuple[Ending, ...] = get_args(Ending)
MEDIA_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


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
    """`bao-cao-2026-10-01-2026-10-31.docx`: from the first day to the last."""
    period = report.asked.period
    last = period.day_to.fromordinal(period.day_to.toordinal() - 1)
    return f"bao-cao-{period.day_from}-{last}.{ending}"

"""A report as a table for other programs: a line for each cell, counts and words in columns of their own."""

from collections.abc import Iterator

from service.messages import say
from service.monitor.told import Figure
from service.reports.report import Report, Reposts, Row, Section, Table, show_cell, show_count
from service.sheets import Cells, to_csv

_COLUMNS = (
    "section",
    "table",
    "group",
    "column",
    "count",
    "plain_share",
    "plain_low",
    "plain_high",
    "value",
)


def write_csv(report: Report) -> bytes:
    """The notes, an empty line, the names of the columns, the cells; UTF-8 as Excel reads it."""
    return to_csv(_lines(report))


def _lines(report: Report) -> Iterator[Cells]:
    yield [report.subject]
    for name, value in report.scope:
        yield [name, value]
    for note in report.notes:
        yield [note]
    yield []
    yield [say(f"reports.{name}") for name in _COLUMNS]
    for section in report.sections:
        yield from _section(section, k=report.k)


def _section(section: Section, *, k: int) -> Iterator[Cells]:
    for sentence in section.says:
        yield [section.title, "", "", "", None, None, None, None, sentence]
    for table in section.tables:
        for row in table.rows:
            for cells in _row(row, table, k=k):
                yield [section.title, table.title, *cells]
    for quotes in section.quotes:
        for item in quotes.items:
            quoted = say("reports.quoted")
            yield [
                section.title,
                quoted,
                quotes.title,
                item.id,
                None,
                None,
                None,
                None,
                item.excerpt,
            ]


def _row(row: Row, table: Table, *, k: int) -> Iterator[Cells]:
    first, *columns = table.columns
    group = show_cell(row.cells[0], kind=first.kind, k=k)
    for column, cell in zip(columns, row.cells[1:], strict=True):
        if isinstance(cell, Figure):
            share = cell.share
            shares = (share.value, share.low, share.high) if share else (None, None, None)
            told = show_count(None, k=k) if cell.count is None else None
            yield [group, column.name, cell.count, *shares, told]
        elif isinstance(cell, Reposts):
            told = show_count(None, k=k) if cell.count is None else None
            yield [group, column.name, cell.count, None, None, None, told]
        else:
            text = show_cell(cell, kind=column.kind, k=k)
            yield [group, column.name, None, None, None, None, text]

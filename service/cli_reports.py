"""`danvan export report`: the report of a period as a file."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from nlp.errors import InvalidRecord
from nlp.gazetteer import load_gazetteer
from nlp.taxonomy import load_pack
from service.jobs.files import made_whole
from service.reports.asked import PARTS, USUAL_PARTS, Asked, find_code, find_days
from service.reports.compose import make_report
from service.reports.facts import Ground
from service.reports.files import ENDINGS, write_file
from service.reports.letterhead import Form, read_letterhead
from service.settings import load_settings
from service.store.days import VIETNAM
from service.store.dialect import opened

app = typer.Typer()
export_app = typer.Typer()
app.add_typer(export_app, name="export")
_err = Console(stderr=True, markup=False, emoji=False, highlight=False)
_Only = typer.Option(help="only opinions of this code")
_Place = typer.Option(help="only opinions that name it: a code, or its name")
_Head = typer.Option(help="of the letterhead; else dots to fill in")


@export_app.command()
def report(
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", help="a file that ends in .docx, .xlsx or .csv")
    ],
    from_: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="the first day, 2026-01-31")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="the last day; else the last month")
    ] = None,
    with_examples: Annotated[
        bool, typer.Option("--with-examples", help="quote some masked opinions")
    ] = False,
    civic_field: Annotated[str | None, _Only] = None,
    task_area: Annotated[str | None, _Only] = None,
    source: Annotated[str | None, _Only] = None,
    ward: Annotated[str | None, _Place] = None,
    body: Annotated[str | None, _Place] = None,
    form: Annotated[
        Form, typer.Option(help="of a .docx: that of the State or the Party")
    ] = "state",
    upper: Annotated[str, _Head] = "",
    issuer: Annotated[str, _Head] = "",
    symbol: Annotated[str, _Head] = "",
    number: Annotated[str, _Head] = "",
    place: Annotated[str, _Head] = "",
    dated: Annotated[str, typer.Option(metavar="DAY", help="of the letterhead")] = "",
    signer: Annotated[str, typer.Option(help="the title of who signs")] = "",
) -> None:
    """Write the report of a period: counts, changes, alerts, limits."""
    ending = next((own for own in ENDINGS if output.suffix.lower() == f".{own}"), None)
    if ending is None:
        raise typer.BadParameter("the name must end in .docx, .xlsx or .csv")
    given = {
        "civic_field": civic_field,
        "task_area": task_area,
        "source": source,
        "ward": ward,
        "body": body,
    }
    head = read_letterhead(
        {
            "form": form,
            "upper": upper,
            "body": issuer,
            "symbol": symbol,
            "number": number,
            "place": place,
            "dated": _checked(dated) or "",
            "signer": signer,
        }
    )
    settings, now = load_settings(), datetime.now(UTC)
    corpus = settings.corpus_folder
    with opened(settings.database_url) as engine:
        ground = Ground(
            engine=engine,
            taxonomy=load_pack(corpus / "taxonomies" / settings.taxonomy),
            places=load_gazetteer(corpus / "registers"),
            k=settings.min_group,
            now=now,
        )
        asked = _asked(ground, from_, to, given=given, with_examples=with_examples)
        made = make_report(ground, asked)
    data = write_file(made, ending, head=head)
    with made_whole(output) as file:
        file.write(data)
    _err.print(f"{output}: written", soft_wrap=True)


def _asked(
    ground: Ground,
    first: str | None,
    last: str | None,
    *,
    given: Mapping[str, str | None],
    with_examples: bool,
) -> Asked:
    """What the options ask for.

    Raises:
        InputError: a day, code or name is none.
    """
    stretch: Literal["days", "last_month"] = "days" if first or last else "last_month"
    days = [date.fromisoformat(day) if (day := _checked(text)) else None for text in (first, last)]
    today = ground.now.astimezone(VIETNAM).date()
    period, before = find_days(stretch, today=today, first=days[0], last=days[1])
    filters = {name: code for name, code in given.items() if code is not None}
    for name in ("civic_field", "task_area"):
        known = {own.code for own in ground.taxonomy.facets[name].categories}
        if name in filters and filters[name] not in known:
            raise InvalidRecord(f"the taxonomy has no {name} {filters[name]!r}; see its pack")
    for kind in ("ward", "body"):
        if kind in filters:
            filters[kind] = find_code(filters[kind], kind, places=ground.places)
    parts = PARTS if with_examples else USUAL_PARTS
    return Asked(stretch, period, before, filters, parts)


def _checked(day: str | None) -> str | None:
    try:
        return date.fromisoformat(day).isoformat() if day else None
    except ValueError as error:
        raise InvalidRecord("a day is written as 2026-01-31") from error

"""The commands about listening: `danvan drift`, `danvan impact`, `danvan restricted`."""

import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from service.settings import Settings, load_settings
from service.store.dialect import opened

app = typer.Typer()
restricted_app = typer.Typer(
    help="Texts that read like a denunciation: sealed, counted, handed over.", no_args_is_help=True
)
app.add_typer(restricted_app, name="restricted")
_out = Console(markup=False, emoji=False, highlight=False)
_err = Console(stderr=True, markup=False, emoji=False, highlight=False)


@app.command()
def drift(
    *,
    days: Annotated[int, typer.Option(min=1, max=90, help="so many, up to yesterday")] = 7,
) -> None:
    """Say whether recent opinions are still such as the model was measured on."""
    from models.reference import read_reference
    from models.registry import find_model
    from service.messages import words_of
    from service.monitor.drift import read_drift
    from service.store.days import VIETNAM

    settings = load_settings()
    reference = read_reference(find_model(settings.model, folder=settings.models_folder).folder)
    if reference is None:
        _out.print(words_of("drift")["no_reference"], soft_wrap=True)
        _err.print(f"make one with `danvan reference {settings.model}`", soft_wrap=True)
        return
    until, k = datetime.now(VIETNAM).date(), settings.min_group
    with opened(settings.database_url) as engine, engine.connect() as connection:
        found = read_drift(connection, reference, until=until, days=days, k=k)
    table = Table("of", "level", "n", "PSI", "by chance", box=None, pad_edge=False)
    for shift in found.shifts:
        figures = (shift.n, shift.psi, shift.by_chance)
        table.add_row(shift.of, shift.level, *("" if one is None else str(one) for one in figures))
    _out.print(table)
    _out.print(words_of("drift")[found.verdict], soft_wrap=True)


@app.command()
def impact(
    *,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="a file; else it is printed")
    ] = None,
) -> None:
    """Write the impact assessment of this service from its running configuration."""
    text = _assess(load_settings())
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8")
        _err.print(f"{output}: written", soft_wrap=True)


def _assess(settings: Settings) -> str:
    from models.registry import find_model
    from nlp.taxonomy import load_pack
    from service.auth import ROLES
    from service.monitor.impact import Config, write_impact

    config = Config(
        code_version=version("danvan"),
        access=settings.access,
        min_group=settings.min_group,
        export_days=settings.export_days,
        retention_max_jump_days=settings.retention_max_jump_days,
        has_provider=settings.provider() is not None,
        webhook_allow_http=settings.webhook_allow_http,
    )
    with opened(settings.database_url) as engine, engine.connect() as connection:
        return write_impact(
            connection,
            config,
            model=find_model(settings.model, folder=settings.models_folder),
            taxonomy=load_pack(settings.corpus_folder / "taxonomies" / settings.taxonomy),
            roles=tuple(ROLES),
            now=datetime.now(UTC),
        )


@restricted_app.command()
def count() -> None:
    """How many came in and how many were handed over, by month; never a small number."""
    from service.monitor.denunciations import tell

    settings = load_settings()
    k = settings.min_group
    with opened(settings.database_url) as engine, engine.connect() as connection:
        told = tell(connection, k=k)
    table = Table("month", "received", "handed over", box=None, pad_edge=False)
    few = f"< {k}"
    for month in told.months:
        table.add_row(month.month, str(month.received), str(month.handed_over or few))
    _out.print(table)
    _out.print(f"waiting to be handed over: {told.waiting or few}", soft_wrap=True)


@restricted_app.command("hand-over")
def hand_over(
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="a new file of JSON lines")],
    to: Annotated[str, typer.Option(help="the body: a-z, 0-9, point, dash, underscore")],
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="the oldest so many")] = 1_000,
) -> None:
    """Write the oldest texts, opened, for the body that is competent, and delete them here."""
    from service.auth import CONSOLE
    from service.handover import hand_over as carry_out

    settings, now = load_settings(), datetime.now(UTC)
    with opened(settings.database_url) as engine:
        n_texts = carry_out(
            engine, output, to=to, sealer=settings.sealer, by=CONSOLE, now=now, limit=limit
        )
    if not n_texts:
        _err.print("no text waits; nothing was written", soft_wrap=True)
        return
    _err.print(f"{n_texts} texts in {output}; they are deleted here", soft_wrap=True)

"""`danvan feeds`: where texts are fetched from, tried before anything is kept."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console

from service.auth import CONSOLE
from service.settings import load_settings
from service.store.dialect import opened
from service.store.feeds import Feed, FeedKind, list_feeds

app = typer.Typer()
feeds_app = typer.Typer(help="Fetch texts for a registered source.", no_args_is_help=True)
app.add_typer(feeds_app, name="feeds")
_TITLES = ("name", "kind", "source", "every", "looked at", "next", "how it is")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_out = Console(markup=False, emoji=False, highlight=False)

_Name = Annotated[str, typer.Argument(help="a-z, 0-9 and _")]
_Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        help="text=COLUMN, external_id=COLUMN, posted_at=COLUMN; text may be A+B; repeatable",
    ),
]


def _seconds(written: str) -> int:
    found = re.fullmatch(r"(\d{1,6})([smhd])", written)
    if found is None:
        raise typer.BadParameter("write a number and s, m, h or d, such as 15m")
    return int(timedelta(**{_UNITS[found[2]]: int(found[1])}).total_seconds())


@feeds_app.command()
def add(
    name: _Name,
    *,
    kind: Annotated[FeedKind, typer.Option(help="RSS or Atom, a folder of tables, IMAP")],
    address: Annotated[
        str, typer.Option(help="https://..., a folder's name, imaps://LOGIN@HOST/FOLDER")
    ],
    source: Annotated[str, typer.Option(help="a registered source")],
    columns: _Map = None,
    every: Annotated[str, typer.Option(help="how often to look, such as 15m")] = "15m",
) -> None:
    """Look somewhere from now on."""
    from service.jobs.feeds import register
    from service.jobs.looking import Wish

    wish = Wish(kind, address, source, _mapped(columns), _seconds(every))
    now = datetime.now(UTC)
    with opened(load_settings().database_url) as engine:
        register(engine, name, wish=wish, by=CONSOLE, now=now, settings=load_settings())
    _out.print(f"{name} is looked at every {every}; try `danvan feeds run {name}`", soft_wrap=True)


@feeds_app.command()
def preview(
    name: _Name,
    *,
    address: Annotated[
        str | None, typer.Option(help="of a feed that is not added yet; with --kind and --map")
    ] = None,
    kind: Annotated[FeedKind, typer.Option(help="of that feed")] = "feed",
    columns: _Map = None,
) -> None:
    """Show the first entries as they would be kept, masked; nothing is kept."""
    from service.jobs import looking
    from service.jobs.feeds import find

    now = datetime.now(UTC)
    if address is None:
        with opened(load_settings().database_url) as engine:
            feed = find(engine, name)
    else:
        feed = looking.Wish(kind, address, "preview", _mapped(columns)).named(name, now=now)
    entries = looking.preview(feed, settings=load_settings(), now=now)
    for entry in entries:
        day = f" {entry.posted_at:%Y-%m-%d %H:%M} UTC" if entry.posted_at else ""
        fault = f" REFUSED: {entry.fault}" if entry.fault else ""
        _out.print(f"{entry.place}:{day} {entry.external_id}{fault}", soft_wrap=True)
        if entry.text:
            _out.print(f"    {' '.join(entry.text.split())}", soft_wrap=True)
    if not entries:
        _out.print("nothing is there")


@feeds_app.command(name="list")
def list_() -> None:
    """Show the feeds that are looked at, and how they are."""
    with opened(load_settings().database_url) as engine, engine.connect() as connection:
        feeds = [feed for feed in list_feeds(connection) if feed.ended_at is None]
    rows = [_TITLES, *map(_row, feeds)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        _out.print("  ".join(map(str.ljust, row, widths)).rstrip(), soft_wrap=True)


@feeds_app.command()
def run(name: _Name) -> None:
    """Look now, and keep what is new; a worker reads it."""
    from service.assembly import build_context
    from service.jobs.feeds import KIND, find
    from service.jobs.here import carry_out_here
    from service.jobs.kinds import KINDS

    ctx = build_context(load_settings())
    try:
        params = {"name": find(ctx.engine, name).name}
        job = carry_out_here(ctx, KIND, params=params, asked_by=CONSOLE.name, kinds=KINDS)
    finally:
        ctx.engine.dispose()
    if job.state != "done":
        _out.print(f"{name}: {job.reason or job.state}", soft_wrap=True)
        raise typer.Exit(1)
    told = job.result
    counts = ", ".join(f"{told[what]} {what}" for what in ("accepted", "duplicate", "refused"))
    _out.print(f"{name}: {counts}", soft_wrap=True)
    for reason, n_times in told["reasons"].items():
        _out.print(f"    {n_times} refused: {reason}", soft_wrap=True)


@feeds_app.command()
def end(name: _Name) -> None:
    """Look there no more; what was taken stays."""
    from service.jobs import feeds

    with opened(load_settings().database_url) as engine:
        feeds.end(engine, name, by=CONSOLE, now=datetime.now(UTC))
    _out.print(f"{name} is not looked at any more")


def _mapped(columns: list[str] | None) -> dict[str, str]:
    pairs = [part.partition("=") for part in columns or ()]
    if not all(sign for _, sign, _ in pairs):
        raise typer.BadParameter("write --map text=COLUMN")
    return {name.strip(): column.strip() for name, _, column in pairs}


def _row(feed: Feed) -> tuple[str, ...]:
    looked_at = f"{feed.looked_at:%Y-%m-%d %H:%M}" if feed.looked_at else "never"
    state = feed.reason or "well"
    every = str(timedelta(seconds=feed.every_s))
    return (feed.name, feed.kind, feed.source, every, looked_at, f"{feed.due_at:%H:%M}", state)

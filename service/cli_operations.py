"""The commands of whoever runs danvan: `migrate`, `doctor`, `backup`, `restore`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from service.settings import load_settings

app = typer.Typer()
_MARKS = {"needed": "FAILED", "watch": "WARNING", "extra": "absent"}
_out = Console(markup=False, emoji=False, highlight=False)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    from service.jobs.flow import migrate_queue
    from service.store.migrate import migrate as run_migrations

    url = load_settings().database_url
    run_migrations(url)
    migrate_queue(url)
    _out.print("the database is up to date")


@app.command()
def doctor() -> None:
    """Say what is installed, how the store is, what is missing, and what that costs."""
    from service.doctor import examine

    failed = False
    for finding in examine(load_settings()):
        failed |= finding.weight == "needed" and not finding.ok
        mark = "ok" if finding.ok else _MARKS[finding.weight]
        _out.print(f"{mark:7} {finding.name}: {finding.detail}", soft_wrap=True)
    raise typer.Exit(1 if failed else 0)


@app.command()
def backup(
    out: Annotated[
        Path, typer.Argument(help="a new file, or a folder: there it gets a dated name")
    ],
    *,
    keep_days: Annotated[
        int | None,
        typer.Option(min=1, max=36_500, help="delete older backups from the folder afterwards"),
    ] = None,
) -> None:
    """Write the whole database into one portable file, while it is being worked with."""
    from service.backup import make_backup, rotate

    if keep_days is not None and not out.is_dir():
        raise typer.BadParameter("--keep-days goes with a folder that is there")
    now = datetime.now(UTC)
    made = make_backup(load_settings().database_url, out, now=now)
    _out.print(f"{made.path}: {made.n_rows} rows, {made.n_bytes} bytes", soft_wrap=True)
    _out.print(f"sha256 {made.sha256}", soft_wrap=True)
    if keep_days is not None:
        for gone in rotate(out, keep_days=keep_days, now=now):
            _out.print(f"{gone}: deleted, older than {keep_days} days", soft_wrap=True)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="what `danvan backup` wrote")],
    *,
    check: Annotated[bool, typer.Option("--check", help="only see whether it is whole")] = False,
) -> None:
    """Bring a backup into an empty database, SQLite or PostgreSQL."""
    from service.backup import AFTER_RESTORE, restore_backup, verify_backup
    from service.jobs.retention import erase_overdue

    now = datetime.now(UTC)
    if check:
        found, done = verify_backup(file), "is whole"
    else:
        url, after = load_settings().database_url, (*AFTER_RESTORE, erase_overdue)
        found, done = restore_backup(url, file, now=now, after=after), "is restored"
    made = f"{found.made_at:%Y-%m-%d %H:%M} UTC by danvan {found.danvan}"
    _out.print(f"{file} {done}: {found.n_rows} rows of {made}", soft_wrap=True)

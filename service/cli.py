"""The command line `danvan`: a thin shell around the pipeline and the service.

Exit codes: 0 done, 1 something failed (one sentence on stderr says what), 2 wrong usage.
"""

import logging
import sys
from collections import UserDict
from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

import typer
from rich.console import Console
from typer.core import TyperGroup

from nlp.errors import DanvanError

_err = Console(stderr=True, markup=False, emoji=False, highlight=False)


class _Rooms(UserDict[str, Any]):
    """Commands, or the module of one until it is asked for. `Any`: typer keeps its types to itself."""

    path: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Any:
        """A command; its module is imported now, and its `app` has it under `path`."""
        found = super().__getitem__(name)
        if not isinstance(found, str):
            return found
        room = typer.main.get_group(import_module(found).app)
        for part in self.path:
            room = room.commands[part]  # type: ignore[assignment] # groups lead to commands
        return room.commands[name]


class _Lazy(TyperGroup):
    """Commands whose modules are imported when they are called, as most need libraries that others do not."""

    path: ClassVar[tuple[str, ...]] = ()
    rooms: ClassVar[Mapping[str, str]] = {}

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = _Rooms({**self.rooms, **self.commands})
        self.commands.path = self.path


class _Commands(_Lazy):
    rooms: ClassVar[Mapping[str, str]] = {
        "analyze": "service.cli_texts",
        "text": "service.cli_texts",
        "batch": "service.cli_batch",
        "serve": "service.cli_texts",
        "worker": "service.cli_jobs",
        "jobs": "service.cli_jobs",
        "alerts": "service.cli_alerts",
        "reclassify": "service.cli_reclassify",
        "feeds": "service.cli_feeds",
        "train": "service.cli_learning",
        "reference": "service.cli_learning",
        "evaluate": "service.cli_texts",
        "keys": "service.cli_access",
        "staff": "service.cli_access",
        "retention": "service.cli_data",
        "drift": "service.cli_monitor",
        "impact": "service.cli_monitor",
        "restricted": "service.cli_monitor",
        "migrate": "service.cli_operations",
        "doctor": "service.cli_operations",
        "backup": "service.cli_operations",
        "restore": "service.cli_operations",
        "demo": "service.cli_texts",
    }


class _Taxonomy(_Lazy):
    path: ClassVar[tuple[str, ...]] = ("taxonomy",)
    rooms: ClassVar[Mapping[str, str]] = {
        "check": "service.cli_texts",
        "draft": "service.cli_texts",
        "diff": "service.cli_learning",
    }


class _Export(_Lazy):
    path: ClassVar[tuple[str, ...]] = ("export",)
    rooms: ClassVar[Mapping[str, str]] = {
        "duties": "service.cli_texts",
        "items": "service.cli_data",
        "report": "service.cli_reports",
        "onnx": "service.cli_learning",
    }


app = typer.Typer(
    cls=_Commands,
    help="Vietnamese document intelligence: task areas, tone and sentiment, with the words that prove them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(
    typer.Typer(cls=_Taxonomy, help="Work with taxonomy packs.", no_args_is_help=True),
    name="taxonomy",
)
app.add_typer(
    typer.Typer(cls=_Export, help="Write what was found for the office.", no_args_is_help=True),
    name="export",
)


def main() -> None:
    """Run the command line; an error raised on purpose becomes one sentence and exit code 1."""
    logging.captureWarnings(capture=True)
    try:
        app()
    except DanvanError as error:
        _err.print(f"danvan: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:  # a full disk, a folder without rights, a file that is a folder
        _err.print(f"danvan: {error.filename or 'the system'}: {error.strerror}", soft_wrap=True)
        sys.exit(1)

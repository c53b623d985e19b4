"""A throw-away PostgreSQL for the tests, where its programs are installed."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def find_programs() -> Path | None:
    """The folder with `initdb` and `pg_ctl`; Debian keeps it off the PATH."""
    on_path = shutil.which("pg_ctl")
    if on_path:
        return Path(on_path).parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return found[-1].parent if found else None


@contextmanager
def running(programs: Path) -> Iterator[str]:
    """Start a server on a free port of this machine; its data are thrown away afterwards.

    Yields:
        The SQLAlchemy address of an empty database.
    """
    with tempfile.TemporaryDirectory(prefix="danvan-pg-") as name:
        folder = Path(name)
        # PostgreSQL refuses to run as root; Debian's package brings a user for it
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if as_user:
            shutil.chown(folder, "postgres")
        port = _free_port()
        data, log = folder / "data", folder / "log"
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
        pg_ctl = [*as_user, str(programs / "pg_ctl"), "-D", str(data), "-w"]
        initdb = [
            str(programs / "initdb"),
            "-D",
            str(data),
            "-A",
            "trust",
            "-U",
            "danvan",
            "-E",
            "UTF8",
        ]
        _run([*as_user, *initdb, "--locale=C.UTF-8"])
        _run([*pg_ctl, "-l", str(log), "-o", options, "start"])
        try:
            yield f"postgresql+psycopg://danvan@127.0.0.1:{port}/postgres"
        finally:
            _run([*pg_ctl, "-m", "immediate", "stop"])


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, timeout=120)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

"""A throw-away PostgreSQL for the tests, where its programs are installed."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Server:
    """A server that can go away and come back with its data; `url` is SQLAlchemy's address of it."""

    url: str
    control: tuple[str, ...]
    options: tuple[str, ...]

    def start(self) -> None:
        """Let it run; it answers when this returns."""
        _run([*self.control, *self.options, "start"])

    def stop(self) -> None:
        """Cut every connection at once, as a crash does."""
        _run([*self.control, "-m", "immediate", "stop"])


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
    with serving(programs) as server:
        yield server.url


@contextmanager
def serving(programs: Path) -> Iterator[Server]:
    """As `running`, for tests that stop and start it."""
    with tempfile.TemporaryDirectory(prefix="danvan-pg-") as name:
        folder = Path(name)
        # PostgreSQL refuses to run as root; Debian's package brings a user for it
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if as_user:
            shutil.chown(folder, "postgres")
        port = free_port()
        data, log = folder / "data", folder / "log"
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c fsync=off"
        initdb = [str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "danvan"]
        _run([*as_user, *initdb, "-E", "UTF8", "--locale=C.UTF-8"])
        server = Server(
            url=f"postgresql+psycopg://danvan@127.0.0.1:{port}/postgres",
            control=(*as_user, str(programs / "pg_ctl"), "-D", str(data), "-w"),
            options=("-l", str(log), "-o", options),
        )
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, timeout=120)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

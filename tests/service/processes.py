"""The service as a process of its own, as an operator runs it."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition, Thread
from typing import Any

from tests.conftest import ROOT

_PATIENCE_S = 60.0
Line = dict[str, Any]


@dataclass
class Served:
    """A running `danvan serve`; `lines` is what it has logged so far."""

    process: subprocess.Popen[str]
    lines: list[Line] = field(default_factory=list)
    heard: Condition = field(default_factory=Condition)
    is_over: bool = False

    @property
    def port(self) -> int:
        """Where it listens."""
        [address] = self.wait(lambda line: line["event"] == "listening")["addresses"]
        return int(address.rpartition(" ")[2])

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.port}"

    def wait(self, is_it: Callable[[Line], bool]) -> Line:
        """The first line that is it, once it is there."""
        with self.heard:
            self.heard.wait_for(
                lambda: self.is_over or any(map(is_it, self.lines)), timeout=_PATIENCE_S
            )
            return next(line for line in self.lines if is_it(line))

    def end(self) -> int:
        """Ask it to end, and wait for its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_PATIENCE_S)

    def listen(self) -> None:
        """Take in what it logs until it ends."""
        assert self.process.stderr is not None
        for text in self.process.stderr:
            line = json.loads(text) if text.startswith("{") else {"event": text}
            with self.heard:
                self.lines.append(line)
                self.heard.notify_all()
        with self.heard:
            self.is_over = True
            self.heard.notify_all()


@contextmanager
def served(settings: Mapping[str, object], *, before: str = "") -> Iterator[Served]:
    """Serve with these settings on a free port, without workers; `before` is run in the process first."""
    program = f"{before}\nfrom service.cli import main\nmain()\n"
    with subprocess.Popen(
        [sys.executable, "-c", program, "serve", "--port", "0"],
        cwd=ROOT,
        env=environment({"workers": 0, "log_format": "json", **settings}),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        running = Served(process)
        listener = Thread(target=running.listen)
        listener.start()
        try:
            yield running
        finally:
            process.kill()
            listener.join()


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """The environment with these settings and no others of ours."""
    ours = re.compile("DANVAN_.*")
    others = {name: value for name, value in os.environ.items() if not ours.fullmatch(name)}
    return others | {f"DANVAN_{name.upper()}": str(value) for name, value in settings.items()}

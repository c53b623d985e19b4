"""`danvan` as it is typed, and how it ended."""

import io
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from service.cli import main


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


Danvan = Callable[..., Outcome]


@contextmanager
def commanding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *before: str
) -> Iterator[Danvan]:
    """Run `danvan` with these arguments behind those in `before`; `stdin` is what is typed."""

    def run(*arguments: str, stdin: str = "") -> Outcome:
        monkeypatch.setattr(sys, "argv", ["danvan", *before, *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        code = ended.value.code
        return Outcome(code if isinstance(code, int) else 0, captured.out, captured.err)

    yield run
    logging.captureWarnings(capture=False)

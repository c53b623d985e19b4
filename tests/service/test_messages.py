"""Every Vietnamese word of the pages stands in one file, and what they say is there."""

import re
import string
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from service import messages
from service.messages import all_words, say

UI = Path(messages.__file__).parent / "ui"
_VIETNAMESE = re.compile(r"[À-ỹĐđ]")
_SAID = re.compile(r"""say\(\s*["']([a-z_]+\.[A-Za-z_]+)["']\s*[,)]""")


def sources() -> list[Path]:
    return [
        *UI.rglob("*.html"),
        *UI.rglob("*.py"),
        *UI.glob("static/*.js"),
        *UI.glob("static/screens/*.js"),
    ]


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_no_page_holds_vietnamese_of_its_own(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix == ".py":  # a docstring names the screen as people call it
        lines = lines[1:]
    found = [line.strip() for line in lines if _VIETNAMESE.search(line)]

    assert found == []


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_every_message_that_is_said_is_there(path: Path) -> None:
    keys = _SAID.findall(path.read_text(encoding="utf-8"))
    missing = [
        key
        for key in keys
        if key.partition(".")[2] not in all_words().get(key.partition(".")[0], {})
    ]

    assert missing == []


def test_places_in_messages_have_names() -> None:
    for section, own in all_words().items():
        for name, text in own.items():
            fields = [
                field for _, field, _, _ in string.Formatter().parse(text) if field is not None
            ]
            assert all(field.isidentifier() for field in fields), f"{section}.{name}"


def test_values_are_written_as_in_vietnam() -> None:
    assert say("admin.n_days", n=36500) == "36.500 ngày"
    assert say("page.dated", day=date(2026, 1, 5)) == "Ngày 05/01/2026"
    assert (
        say("page.received", at=datetime(2026, 1, 5, 20, 0, tzinfo=UTC))
        == "Nhận lúc 03:00, 06/01/2026"
    )


def test_a_missing_message_or_value_is_told() -> None:
    with pytest.raises(KeyError):
        say("page.nothing_like_it")
    with pytest.raises(KeyError):
        say("admin.n_days")

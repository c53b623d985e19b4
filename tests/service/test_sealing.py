"""What is sealed opens with the same key alone, whoever made it and whenever."""

import os
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from service.sealing import Sealer, SealError
from tests.service.sealed import seal_together


def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    sealer = Sealer(tmp_path / "new" / "spool.key")

    assert sealer.open(sealer.seal(b"x")) == b"x"
    assert (tmp_path / "new" / "spool.key").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["spool.key"]


def test_processes_that_make_the_key_at_once_agree(tmp_path: Path) -> None:
    context = get_context("forkserver")
    sealed: Any = context.Queue()
    gate = context.Barrier(4)
    makers = [
        context.Process(target=seal_together, args=(tmp_path / "spool.key", gate, sealed))
        for _ in range(4)
    ]
    for maker in makers:
        maker.start()
    found = [sealed.get(timeout=60) for _ in makers]
    for maker in makers:
        maker.join()

    assert [Sealer(tmp_path / "spool.key").open(one) for one in found] == [b"x"] * 4


def test_a_key_that_is_made_while_another_is_put_in_place_spoils_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "spool.key"
    link = os.link
    seen: list[bytes] = []

    def link_and_meet(source: Path, target: Path) -> None:
        link(source, target)
        seen.append(target.read_bytes())
        monkeypatch.setattr(os, "link", link)
        Sealer(file)._make_key()  # of another thread, which had found no key yet

    monkeypatch.setattr(os, "link", link_and_meet)

    sealed = Sealer(file).seal(b"x")

    assert file.read_bytes() == seen[0]
    assert Sealer(file).open(sealed) == b"x"


@pytest.mark.parametrize("content", [b"", b"short", b"\xff\xfe"])
def test_a_key_file_that_holds_no_key_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "spool.key"
    file.write_bytes(content)

    with pytest.raises(SealError, match=r"spool\.key is no key; make one with"):
        Sealer(file).seal(b"x")


def test_a_key_given_is_used_and_none_is_made(tmp_path: Path) -> None:
    sealer = partial(Sealer, tmp_path / "spool.key")
    key = Fernet.generate_key().decode()

    assert sealer(key).open(sealer(key).seal(b"x")) == b"x"
    assert not (tmp_path / "spool.key").exists()
    with pytest.raises(SealError, match="DANVAN_SPOOL_KEY is no key"):
        sealer("x").seal(b"x")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SealError, match="cannot use the key file"):
        Sealer(tmp_path / "file" / "spool.key").seal(b"x")

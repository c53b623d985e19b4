"""The registers: shipped data are sound, broken data are refused, names are spelled."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from nlp.errors import CorpusError
from nlp.structure import Registers, load_registers
from nlp.structure.registers import spell
from tests.structure.conftest import ROOT

FOLDER = ROOT / "corpus" / "registers"
REFORM = date(2025, 7, 1)


def test_there_are_34_provinces_since_the_reform_and_63_before(registers: Registers) -> None:
    now = [p for p in registers.places if p.valid_from == REFORM and p.valid_to is None]
    before = [p for p in registers.places if p.valid_to == REFORM]

    assert (len(now), len(before)) == (34, 63)


def test_every_province_of_before_leads_to_one_of_now(registers: Registers) -> None:
    now = {p.name for p in registers.places if p.valid_to is None}

    assert all(p.successor in now for p in registers.places if p.valid_to == REFORM)


def test_a_body_that_ended_names_its_successor(registers: Registers) -> None:
    assert all(body.successor for body in registers.issuers if body.valid_to)


def test_regulation_and_decision_share_a_party_symbol(registers: Registers) -> None:
    kinds = {kind.name for kind in registers.kinds if "QĐ" in kind.party}

    assert kinds == {"Quyết định", "Quy định"}


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("ỦY BAN NHÂN DÂN TỈNH PHÚ THỌ", "Ủy ban nhân dân tỉnh Phú Thọ"),
        ("UỶ BAN NHÂN DÂN PHƯỜNG KINH BẮC", "Uỷ ban nhân dân phường Kinh Bắc"),
        ("ban thường vụ thành ủy", "Ban Thường vụ Thành ủy"),
        ("UBND THÀNH PHỐ HÀ NỘI", "UBND thành phố Hà Nội"),
        ("BỘ LAO ĐỘNG - THƯƠNG BINH VÀ XÃ HỘI", "Bộ Lao động - Thương binh và Xã hội"),
        ("ĐẢNG ỦY CÁC CƠ QUAN ĐẢNG TỈNH", "Đảng ủy các cơ quan Đảng tỉnh"),
        ("BAN QUẢN LÝ DỰ ÁN", "Ban Quản lý dự án"),
        ("TRƯỜNG TIỂU HỌC SỐ 2", "Trường Tiểu học số 2"),
        ("UBND QUAN BA DINH", "UBND quan Ba Dinh"),
        ("Cục Thuế", "Cục Thuế"),
        ("", ""),
    ],
)
def test_a_name_in_capitals_is_spelled_by_the_registers(
    registers: Registers, written: str, spelled: str
) -> None:
    assert spell(written, registers=registers) == spelled


def test_a_missing_register_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"kinds\.toml"):
        load_registers(tmp_path)


@pytest.mark.parametrize(
    ("file", "row", "complaint"),
    [
        ("kinds.toml", '[[kind]]\nname = "Sổ"\ncolour = "đỏ"\n', r"kinds\.toml"),
        (
            "places.toml",
            '[[place]]\nname = "X"\nkind = "tỉnh"\nsuccessor = "Y"\n',
            "unknown successor Y",
        ),
        ("titles.toml", "heads = [", r"titles\.toml"),
    ],
)
def test_a_broken_row_is_refused(tmp_path: Path, file: str, row: str, complaint: str) -> None:
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    with (tmp_path / file).open("a", encoding="utf-8") as register:
        register.write(f"\n{row}")

    with pytest.raises(CorpusError, match=complaint):
        load_registers(tmp_path)

"""What a new version of a pack changes is told, and no correction loses its place unseen."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from nlp.errors import TaxonomyError
from service.cli import app
from service.pack_diff import Changed, compare_packs
from tests.conftest import ROOT
from tests.nlp.test_migrations import pack, step
from tests.nlp.test_taxonomy import PACK, entry, write_pack

OLD = pack("1.0.0", "A B C D P E<P")


def test_the_same_pack_changes_nothing() -> None:
    found = compare_packs(OLD, OLD)

    assert (found.added, found.removed, found.moved, found.changed, found.faults) == ((),) * 5


def test_what_came_went_and_moved_is_told() -> None:
    steps = (step("rename", "A", "X"), step("merge", "B C", "M"), step("split", "D", "D1 D2"))
    new = pack("1.1.0", "X M D1 D2 P E<P N", *steps)

    found = compare_packs(OLD, new)

    assert found.added == ("area X", "area M", "area D1", "area D2", "area N")
    assert found.removed == ("area A", "area B", "area C", "area D")
    assert found.moved == steps
    assert found.faults == ()


def test_a_code_that_vanishes_without_a_migration_is_a_fault() -> None:
    found = compare_packs(OLD, pack("1.1.0", "A B C P E<P"))

    assert found.faults == ("area: D can no longer be given, and no migration says what it became",)


def test_a_leaf_that_became_a_parent_is_a_fault() -> None:
    [fault] = compare_packs(OLD, pack("1.1.0", "A B C D F<D P E<P")).faults

    assert fault.startswith("area: D can no longer be given")


def test_a_migration_to_a_code_that_is_not_there_is_a_fault() -> None:
    new = pack("1.1.0", "B C D1 P E<P", step("rename", "A", "Z"), step("split", "D", "D1 D2"))

    assert compare_packs(OLD, new).faults == (
        "area: A becomes Z, which cannot be given",
        "area: D becomes D2, which cannot be given",
    )


def test_a_rename_onto_a_code_that_stays_is_a_fault() -> None:
    new = pack("1.1.0", "B C D P E<P", step("rename", "A", "B"))

    assert compare_packs(OLD, new).faults == (
        "area: A is renamed to B, which was there before; write a merge of both",
    )


def test_codes_that_change_places_are_no_fault() -> None:
    new = pack("1.1.0", "A B C D P E<P", step("rename", "A", "B"), step("rename", "B", "A"))

    assert compare_packs(OLD, new).faults == ()


def test_steps_over_several_versions_lead_to_what_is_there() -> None:
    new = pack(
        "1.2.0",
        "Y B C D P E<P",
        step("rename", "X", "Y", versions="1.1.0 1.2.0"),
        step("rename", "A", "X"),
    )

    found = compare_packs(OLD, new)

    assert found.faults == ()
    assert [move.to_version for move in found.moved] == ["1.1.0", "1.2.0"]


def test_a_parent_may_go_as_nobody_could_give_it() -> None:
    assert compare_packs(OLD, pack("1.1.0", "A B C D E")).faults == ()


def test_another_meaning_is_told() -> None:
    facet = OLD.facets["area"]
    first, *others = facet.categories
    other = replace(first, definition="khác", restricted=True, cues=("thêm",))
    new = replace(
        OLD, version="1.1.0", facets={"area": replace(facet, categories=(other, *others))}
    )

    assert compare_packs(OLD, new).changed == (Changed("area", "A", ("definition", "restricted")),)


def test_a_change_without_a_new_version_is_a_fault() -> None:
    [fault] = compare_packs(OLD, replace(pack("1.1.0", "A B C D N P E<P"), version="1.0.0")).faults

    assert "both call themselves 1.0.0" in fault


def test_a_facet_that_is_gone_takes_its_codes_with_it() -> None:
    found = compare_packs(OLD, replace(OLD, version="1.1.0", facets={}))

    assert len(found.faults) == 5


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (pack("0.9.0", "A"), "0.9.0 is earlier than 1.0.0"),
        (replace(pack("1.1.0", "A"), name="other"), "different packs"),
    ],
)
def test_what_cannot_be_compared_is_refused(new: object, message: str) -> None:
    with pytest.raises(TaxonomyError, match=message):
        compare_packs(OLD, new)  # type: ignore[arg-type] # it is a Taxonomy


def danvan(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["taxonomy", *(str(argument) for argument in arguments)])


def write(folder: Path, *, version: str, codes: str, migrations: str = "") -> Path:
    folder.mkdir()
    area = "".join(entry(code) for code in codes.split())
    write_pack(folder, pack=PACK.replace("1.0.0", version), area=area)
    folder.joinpath("migrations.toml").write_text(migrations, encoding="utf-8")
    return folder


MIGRATION = (
    '[[migration]]\nfrom_version = "1.0.0"\nto_version = "1.1.0"\nfacet = "area"\n'
    'kind = "split"\nfrom = ["A"]\nto = ["A1", "A2"]\n'
)


def test_the_command_tells_and_ends_well(tmp_path: Path) -> None:
    old = write(tmp_path / "old", version="1.0.0", codes="A B")
    new = write(tmp_path / "new", version="1.1.0", codes="A1 A2 B", migrations=MIGRATION)

    told = danvan("diff", old, new)

    assert told.exit_code == 0
    assert told.stdout.splitlines() == [
        "toy: 1.0.0 to 1.1.0",
        "+ area A1",
        "+ area A2",
        "- area A",
        "> area A to A1, A2 (split): corrections go to review",
    ]


def test_the_command_fails_where_a_code_vanishes(tmp_path: Path) -> None:
    old = write(tmp_path / "old", version="1.0.0", codes="A B")
    new = write(tmp_path / "new", version="1.1.0", codes="B")

    told = danvan("diff", old, new)

    assert told.exit_code == 1
    assert told.stderr == "! area: A can no longer be given, and no migration says what it became\n"


def test_checking_a_pack_checks_its_migrations(tmp_path: Path) -> None:
    broken = MIGRATION.replace("1.1.0", "0.1.0")
    folder = write(tmp_path / "old", version="1.0.0", codes="A B", migrations=broken)

    told = danvan("check", folder)

    assert isinstance(told.exception, TaxonomyError)
    assert "to_version must be later" in str(told.exception)


def test_the_pack_of_the_project_is_the_same_as_itself() -> None:
    ct07 = ROOT / "corpus" / "taxonomies" / "ct07"

    told = danvan("diff", ct07, ct07)

    assert (told.exit_code, told.stdout) == (0, "ct07: 1.0.0 to 1.0.0\n")

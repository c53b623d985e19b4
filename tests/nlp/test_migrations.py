"""What became of a code: carried forward and back over versions, or given to a person to look at."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.errors import TaxonomyError
from nlp.taxonomy import Category, Facet, Migration, Taxonomy, carry_codes, load_pack
from tests.nlp.test_taxonomy import entry, write_pack

Kind = Literal["rename", "merge", "split"]


def category(code: str, *, parent: str | None = None) -> Category:
    return Category(code, code, code, code, parent, (), (), ("opinion",), restricted=False)


def pack(version: str, codes: str, *steps: Migration) -> Taxonomy:
    """A pack of one facet with these codes; `B<A` is B under the parent A."""
    pairs = [code.partition("<") for code in codes.split()]
    categories = tuple(category(code, parent=parent or None) for code, _, parent in pairs)
    return Taxonomy("toy", version, "Toy", {"area": Facet("area", "Area", categories, None)}, steps)


def step(
    kind: Kind, before: str, after: str, *, versions: str = "1.0.0 1.1.0", facet: str = "area"
) -> Migration:
    low, high = versions.split()
    return Migration(low, high, facet, kind, tuple(before.split()), tuple(after.split()))


def carry(codes: str, *, under: str, to: Taxonomy, newest: Taxonomy) -> str | None:
    carried = carry_codes(tuple(codes.split()), facet="area", under=under, to=to, newest=newest)
    return None if carried is None else " ".join(carried)


OLD = pack("1.0.0", "A B C D")
NEW = pack(
    "1.1.0",
    "X M D D1 D2",
    step("rename", "A", "X"),
    step("merge", "B C", "M"),
)
SPLIT = pack("1.1.0", "A B C D1 D2", step("split", "D", "D1 D2"))


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ("A", "X"),
        ("D", "D"),
        ("B", "M"),
        ("B C", "M"),
        ("D A", "D X"),
        ("", ""),
        ("Z", None),
        ("A Z", None),
    ],
)
def test_codes_go_forward(codes: str, expected: str | None) -> None:
    assert carry(codes, under="1.0.0", to=NEW, newest=NEW) == expected


@pytest.mark.parametrize(
    ("codes", "expected"),
    [("X", "A"), ("D", "D"), ("X D", "A D"), ("M", None), ("D1", None), ("D M", None)],
)
def test_codes_go_back_unless_several_became_one(codes: str, expected: str | None) -> None:
    assert carry(codes, under="1.1.0", to=OLD, newest=NEW) == expected


def test_a_split_needs_a_person_and_its_parts_go_back_to_the_whole() -> None:
    assert carry("D", under="1.0.0", to=SPLIT, newest=SPLIT) is None
    assert carry("A D", under="1.0.0", to=SPLIT, newest=SPLIT) is None
    assert carry("D2 D1", under="1.1.0", to=OLD, newest=SPLIT) == "D"


def test_a_code_that_became_a_parent_needs_a_person() -> None:
    new = pack("1.1.0", "A B<A")

    assert carry("A", under="1.0.0", to=new, newest=new) is None


def test_steps_follow_each_other_in_the_order_of_versions_whatever_the_file_says() -> None:
    newest = pack(
        "1.10.0",
        "C",
        step("rename", "B", "C", versions="1.9.0 1.10.0"),
        step("rename", "A", "B", versions="1.0.0 1.9.0"),
    )

    assert carry("A", under="1.0.0", to=newest, newest=newest) == "C"
    assert carry("C", under="1.10.0", to=pack("1.0.0", "A"), newest=newest) == "A"
    assert carry("A", under="1.0.0", to=pack("1.9.0", "B"), newest=newest) == "B"


def test_a_step_before_a_correction_was_made_does_not_concern_it() -> None:
    newest = pack(
        "1.2.0",
        "A B",
        step("rename", "A", "B", versions="1.0.0 1.1.0"),
    )

    assert carry("A", under="1.1.0", to=newest, newest=newest) == "A"


def test_codes_may_change_places() -> None:
    newest = pack("1.1.0", "A B", step("rename", "A", "B"), step("rename", "B", "A"))

    assert carry("A B", under="1.0.0", to=newest, newest=newest) == "B A"


def test_steps_of_another_facet_do_not_concern_a_code() -> None:
    newest = pack("1.1.0", "A", step("rename", "A", "B", facet="tone"))

    assert carry("A", under="1.0.0", to=newest, newest=newest) == "A"


def test_a_facet_that_is_gone_knows_nothing() -> None:
    gone = replace(pack("1.1.0", "A"), facets={})

    assert carry("A", under="1.0.0", to=gone, newest=gone) is None


@given(st.permutations("ABCDEF"), st.permutations("ABCDEF"), st.lists(st.sampled_from("ABCDEF")))
def test_renamed_and_back_is_the_same(first: list[str], then: list[str], codes: list[str]) -> None:
    every = " ".join("ABCDEF")
    old, middle = pack("1.0.0", every), pack("1.1.0", every)
    steps = [
        step("rename", before, after, versions=versions)
        for versions, names in (("1.0.0 1.1.0", first), ("1.1.0 1.2.0", then))
        for before, after in zip("ABCDEF", names, strict=True)
        if before != after
    ]
    newest = pack("1.2.0", every, *steps)
    given_ = tuple(dict.fromkeys(codes))

    for version in (middle, newest):
        there = carry_codes(given_, facet="area", under="1.0.0", to=version, newest=newest)
        assert there is not None
        back = carry_codes(there, facet="area", under=version.version, to=old, newest=newest)
        assert back == given_


ENTRY = (
    '[[migration]]\nfrom_version = "1.0.0"\nto_version = "1.1.0"\nfacet = "area"\n'
    'kind = "rename"\nfrom = ["A"]\nto = ["B"]\n'
)


def with_migrations(folder: Path, text: str) -> Path:
    write_pack(folder, area=entry("A"))
    folder.joinpath("migrations.toml").write_text(text, encoding="utf-8")
    return folder


def test_migrations_are_loaded_with_the_pack(tmp_path: Path) -> None:
    assert load_pack(with_migrations(tmp_path, ENTRY)).migrations == (step("rename", "A", "B"),)


def test_a_pack_without_migrations_is_sound(tmp_path: Path) -> None:
    assert load_pack(write_pack(tmp_path, area=entry("A"))).migrations == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("1.1.0", "1.0.0"), "entry 1: to_version must be later"),
        (("1.1.0", "1.1"), r"entry 1: a version is no x\.y\.z"),
        (('"area"', '"tone"'), "entry 1: facet 'tone' is none of the pack"),
        (('["B"]', '["B", "C"]'), "entry 1: a rename cannot go from 1 to 2 codes"),
        (('"rename"', '"move"'), "migration.0.kind"),
        (('["B"]', "[]"), "migration.0.to"),
        (("[[migration]]", "[[migration"), "not valid TOML"),
    ],
)
def test_a_broken_migration_is_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    folder = with_migrations(tmp_path, ENTRY.replace(*change))

    with pytest.raises(TaxonomyError, match=message):
        load_pack(folder)

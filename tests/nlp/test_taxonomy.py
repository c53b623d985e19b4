"""A taxonomy pack is checked when it is loaded, and ct07 is what its guide says."""

import re
from pathlib import Path
from typing import get_args

import pytest

from nlp.errors import TaxonomyError
from nlp.taxonomy import Facet, Taxonomy, load_pack
from nlp.types import Intent, Sentiment, Tone

CT07 = Path(__file__).parents[2] / "corpus" / "taxonomies" / "ct07"
OPINION_AREAS = (
    "DV2.3",
    "DV3.2",
    "DV3.3",
    "DV3.5",
    "DV3.6",
    "DV3.7",
    "DV3.8",
    "DV3.11",
    "DV4.1",
    "DV5.1",
)
MIN_CUES = 6
PACK = 'name = "toy"\nversion = "1.0.0"\ntitle = "Thử"\nfacets = ["area"]\n'


def entry(code: str, extra: str = "") -> str:
    return (
        f'[[category]]\ncode = "{code}"\nname = "Tên"\ngloss = "Name"\n'
        f'definition = "Nghĩa."\n{extra}\n'
    )


def write_pack(folder: Path, *, pack: str = PACK, area: str | None = None) -> Path:
    folder.joinpath("pack.toml").write_text(pack, encoding="utf-8")
    if area is not None:
        folder.joinpath("area.toml").write_text('title = "Mảng"\n' + area, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def ct07() -> Taxonomy:
    return load_pack(CT07)


def leaves(facet: Facet) -> tuple[str, ...]:
    parents = {category.parent for category in facet.categories}
    return tuple(c.code for c in facet.categories if c.code not in parents)


def test_a_good_pack_keeps_order_and_fills_in_what_is_left_out(tmp_path: Path) -> None:
    area = entry("P") + entry("B", 'parent = "P"\ncues = ["hai"]') + entry("A", 'parent = "P"')

    pack = load_pack(write_pack(tmp_path, area=area))

    facet = pack.facets["area"]
    assert (pack.name, pack.version, pack.title) == ("toy", "1.0.0", "Thử")
    assert [category.code for category in facet.categories] == ["P", "B", "A"]
    assert facet.leaves("official") == facet.leaves("opinion") == ("B", "A")
    assert facet.category("B").cues == ("hai",)
    assert facet.category("A").cues == ()
    assert facet.reject_code is None


def test_a_kind_of_text_sees_only_its_leaves(tmp_path: Path) -> None:
    area = (
        entry("A", 'occurs_in = ["official"]')
        + entry("B", 'occurs_in = ["opinion"]')
        + entry("C", 'occurs_in = ["official"]\nrestricted = true')
    )

    facet = load_pack(write_pack(tmp_path, area=area)).facets["area"]

    assert facet.leaves("official") == ("A", "C")
    assert facet.leaves("opinion") == ("B",)


def test_an_unknown_code_is_a_key_error(ct07: Taxonomy) -> None:
    with pytest.raises(KeyError, match="LV99"):
        ct07.facets["civic_field"].category("LV99")


@pytest.mark.parametrize(
    ("area", "message"),
    [
        (entry("A") + entry("A"), "A stands twice"),
        (entry("A", 'parent = "Z"'), "A: parent Z is no category"),
        (entry("A") + entry("B", 'parent = "A"') + entry("C", 'parent = "B"'), "C: deeper than"),
        (entry("A", "restricted = true"), "A: restricted, yet occurs in opinions"),
        ('reject_code = "Z"\n' + entry("A"), "reject_code Z is no category"),
        (entry("A", 'occurs_in = ["poem"]'), "category.0.occurs_in"),
        (entry("A", 'colour = "red"'), "category.0.colour"),
        (entry(" "), "category.0.code"),
        ('[[category]]\ncode = "A"\n', "category.0.name"),
        ("", "category: Field required"),
        ("[[category", "not valid TOML"),
        (None, r"area\.toml: no such file"),
    ],
)
def test_a_broken_facet_is_named(tmp_path: Path, area: str | None, message: str) -> None:
    with pytest.raises(TaxonomyError, match=message):
        load_pack(write_pack(tmp_path, area=area))


@pytest.mark.parametrize(
    ("pack", "message"),
    [
        (PACK.replace("1.0.0", "1.0"), r"version '1\.0' is no x\.y\.z"),
        (PACK.replace('["area"]', "[]"), "facets"),
        (PACK.replace('name = "toy"\n', ""), "name"),
        ("=", "not valid TOML"),
    ],
)
def test_a_broken_pack_file_is_named(tmp_path: Path, pack: str, message: str) -> None:
    with pytest.raises(TaxonomyError, match=message):
        load_pack(write_pack(tmp_path, pack=pack, area=entry("A")))


def test_a_folder_without_a_pack_is_named(tmp_path: Path) -> None:
    with pytest.raises(TaxonomyError, match=r"pack\.toml: no such file"):
        load_pack(tmp_path)


def test_bytes_that_are_no_utf8_are_no_toml(tmp_path: Path) -> None:
    write_pack(tmp_path).joinpath("area.toml").write_bytes(b'title = "\xff"')

    with pytest.raises(TaxonomyError, match="not valid TOML"):
        load_pack(tmp_path)


def test_every_contradiction_is_told_at_once(tmp_path: Path) -> None:
    area = entry("A") + entry("A") + entry("B", 'parent = "Z"')

    with pytest.raises(TaxonomyError, match=r"A stands twice.*B: parent Z"):
        load_pack(write_pack(tmp_path, area=area))


def test_ct07_has_seven_areas_thirty_leaves_and_eighteen_fields(ct07: Taxonomy) -> None:
    area, field = ct07.facets["task_area"], ct07.facets["civic_field"]

    assert (len(area.categories), len(area.leaves("official"))) == (37, 30)
    assert len(field.leaves("opinion")) == len(field.categories) == 18
    assert field.reject_code == "LV00"


def test_opinions_get_ten_task_areas(ct07: Taxonomy) -> None:
    assert ct07.facets["task_area"].leaves("opinion") == OPINION_AREAS


def test_the_discipline_clause_is_for_official_documents_only(ct07: Taxonomy) -> None:
    area = ct07.facets["task_area"]

    assert [c.code for c in area.categories if c.restricted] == ["DV4.3"]
    assert "DV4.3" in area.leaves("official")
    assert "DV4.3" not in area.leaves("opinion")


@pytest.mark.parametrize(
    ("facet", "kind", "codes"),
    [
        ("tone", "official", get_args(Tone)),
        ("sentiment", "opinion", get_args(Sentiment)),
        ("intent", "opinion", get_args(Intent)),
    ],
)
def test_closed_facets_have_the_codes_of_the_contract(
    ct07: Taxonomy, facet: str, kind: str, codes: tuple[str, ...]
) -> None:
    categories = ct07.facets[facet].categories

    assert tuple(category.code for category in categories) == codes
    assert {category.occurs_in for category in categories} == {(kind,)}


def test_text_kinds_are_asked_of_every_text(ct07: Taxonomy) -> None:
    facet = ct07.facets["text_kind"]

    assert facet.leaves("official") == facet.leaves("opinion") == ("official", "opinion", "other")


def test_every_leaf_has_enough_cues_and_no_cue_tells_two(ct07: Taxonomy) -> None:
    for facet in ct07.facets.values():
        cues = [cue.lower() for category in facet.categories for cue in category.cues]

        assert len(cues) == len(set(cues)), facet.name
        assert [c for c in leaves(facet) if len(facet.category(c).cues) < MIN_CUES] == []


def test_every_code_and_name_stands_in_the_guide(ct07: Taxonomy) -> None:
    guide = (CT07 / "guide.md").read_text(encoding="utf-8")
    rows = {
        (code.strip(" *`"), name.strip())
        for code, name in re.findall(r"^\| (?:[a-z_]+ \| )?([^|]+)\| ([^|]+) \|", guide, re.M)
    }

    documented = {(c.code, c.name) for f in ct07.facets.values() for c in f.categories}

    assert documented - rows == set()


def test_every_code_that_a_definition_names_exists(ct07: Taxonomy) -> None:
    codes = {c.code for f in ct07.facets.values() for c in f.categories}

    for facet in ct07.facets.values():
        for category in facet.categories:
            named = set(re.findall(r"(?:DV|LV)\d[\d.]*\d|DV\d", category.definition))
            assert named - codes == set(), category.code


VIEW = '[[view]]\nname = "other"\ntitle = "Khác"\nnote = "Chỉ là cách nhóm."\n'
PART = '[[view.part]]\ncode = "D1"\nname = "Phần"\ngloss = "Part"\narea = ["A"]\n'


def write_views(folder: Path, views: str) -> Path:
    write_pack(folder, area=entry("A"))
    folder.joinpath("views.toml").write_text(views, encoding="utf-8")
    return folder


def test_a_view_groups_the_labels_of_facets(tmp_path: Path) -> None:
    [view] = load_pack(write_views(tmp_path, VIEW + PART)).views

    assert (view.name, view.note) == ("other", "Chỉ là cách nhóm.")
    assert [(part.code, part.labels) for part in view.parts] == [("D1", (("area", "A"),))]


@pytest.mark.parametrize(
    ("views", "message"),
    [
        (VIEW + PART + PART, "D1 stands twice"),
        (VIEW + PART.replace('"A"', '"B"'), "area B is none of the pack"),
        (VIEW + PART.replace("area =", "field ="), "field A is none of the pack"),
        (VIEW, "view.0.part"),
    ],
)
def test_a_view_that_the_pack_does_not_bear_out_is_named(
    tmp_path: Path, views: str, message: str
) -> None:
    with pytest.raises(TaxonomyError, match=message):
        load_pack(write_views(tmp_path, views))


def test_papi_has_its_eight_dimensions_and_says_that_they_are_no_score(ct07: Taxonomy) -> None:
    [papi] = [view for view in ct07.views if view.name == "papi"]

    assert [part.code for part in papi.parts] == [f"D{i}" for i in range(1, 9)]
    assert "không phải điểm PAPI" in papi.note

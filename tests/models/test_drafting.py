"""A directive becomes a sound pack in its own words; what is no directive is refused."""

import tomllib
from pathlib import Path

import pytest

from models.drafting import draft_pack, slug
from models.recipe import load_recipe
from nlp.errors import InputError, TaxonomyError
from nlp.readers import from_text, read_file
from nlp.structure import Registers, read_structure
from nlp.taxonomy import load_pack
from nlp.types import Document
from tests.conftest import ROOT

CT07 = ROOT / "corpus" / "taxonomies" / "ct07"
SAMPLE = ROOT / "corpus" / "samples" / "chi-thi-mau.md"


@pytest.fixture(scope="module")
def directive() -> Document:
    return read_file(SAMPLE.read_bytes(), name=SAMPLE.name)


@pytest.fixture
def draft(directive: Document, registers: Registers, tmp_path: Path) -> Path:
    structure = read_structure(directive, registers=registers)
    draft_pack(directive, structure, base=CT07, folder=tmp_path / "new")
    return tmp_path / "new"


def test_a_draft_is_a_sound_pack_with_an_area_for_each_task(draft: Path) -> None:
    pack = load_pack(draft)

    areas = pack.facets["task_area"]
    parents = [c.code for c in areas.categories if c.parent is None]
    assert parents == [f"NV{number}" for number in range(1, 11)]
    assert set(pack.facets) == set(load_pack(CT07).facets)
    assert pack.facets["civic_field"] == load_pack(CT07).facets["civic_field"]


def test_a_task_of_several_paragraphs_is_a_parent(draft: Path) -> None:
    areas = load_pack(draft).facets["task_area"]

    assert [c.code for c in areas.categories if c.parent == "NV3"] == [
        f"NV3.{i}" for i in range(1, 7)
    ]
    assert areas.category("NV3.2").stems_from == ("3 para 2",)
    assert not areas.category("NV3").cues


def test_cues_are_words_of_their_own_task(draft: Path, directive: Document) -> None:
    text = " ".join(directive.text.split()).lower()

    for category in load_pack(draft).facets["task_area"].categories:
        assert all(cue.lower() in text for cue in category.cues), category.code
        assert len(set(category.cues)) == len(category.cues)


def test_the_recipe_beside_it_learns_areas_from_its_words(draft: Path) -> None:
    recipe = load_recipe(draft / "recipe.toml")

    assert recipe.taxonomy == draft
    assert not recipe.labelled_areas


def test_a_folder_that_exists_is_left_alone(
    draft: Path, directive: Document, registers: Registers
) -> None:
    before = {path.name: path.read_bytes() for path in draft.iterdir()}

    with pytest.raises(TaxonomyError, match="exists already"):
        draft_pack(
            directive, read_structure(directive, registers=registers), base=CT07, folder=draft
        )

    assert {path.name: path.read_bytes() for path in draft.iterdir()} == before


def test_a_text_without_tasks_is_refused_and_leaves_nothing(
    registers: Registers, tmp_path: Path
) -> None:
    doc = from_text("Hôm nay trời đẹp, cả xóm ra đồng gặt lúa.")

    with pytest.raises(InputError, match="no numbered tasks"):
        draft_pack(doc, read_structure(doc, registers=registers), base=CT07, folder=tmp_path / "a")

    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("name", "expected"), [("07-CT/TU", "07_ct_tu"), ("Chỉ thị mẫu", "chi_thi_mau"), ("…", "draft")]
)
def test_a_pack_is_called_after_its_directive(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_toml_of_a_draft_has_no_stray_keys(draft: Path) -> None:
    values = tomllib.loads((draft / "pack.toml").read_text(encoding="utf-8"))

    assert set(values) == {"name", "version", "title", "facets"}

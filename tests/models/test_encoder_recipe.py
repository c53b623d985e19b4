"""A recipe may name a checkpoint: what does not fit together is refused in plain words."""

from pathlib import Path

import pytest

from models.recipe import load_recipe
from nlp.errors import CorpusError
from tests.conftest import ROOT

BASE = 'name = "a"\nversion = "1.0.0"\ntaxonomy = "t"\ncorpus = "c"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(BASE + text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[encoder]", "encoder: name either `checkpoint`, a folder, or `hub`"),
        ('[encoder]\ncheckpoint = "a"\nhub = "b/c"', "name either `checkpoint`"),
        ('[encoder]\nhub = "b/c"', "`hub` and `revision`, the hash of a commit, belong together"),
        ('[encoder]\nhub = "b/c"\nrevision = "main"', "encoder.revision: "),
        ('[encoder]\ncheckpoint = "a"\noverlap = 65', "`overlap` is more than a quarter"),
        ('[encoder]\ncheckpoint = "a"\ncolour = "red"', "encoder.colour: Extra inputs"),
        ('[encoder]\ncheckpoint = "a"\ndropout = 1.0', "encoder.dropout: "),
        ('cost = 2.0\n[encoder]\ncheckpoint = "a"', "of a linear model alone: cost"),
        (
            '[heads.tone]\nbayes = 1.0\n[encoder]\ncheckpoint = "a"',
            "of a linear model alone: heads.tone.bayes",
        ),
        ('labelled_areas = false\n[encoder]\ncheckpoint = "a"', "`labelled_areas` must be true"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CorpusError) as caught:
        load_recipe(written(tmp_path, text))

    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_of_the_hub_is_named_by_its_commit(tmp_path: Path) -> None:
    text = f'[encoder]\nhub = "vinai/phobert-base-v2"\nrevision = "{"0" * 40}"'

    recipe = load_recipe(written(tmp_path, text))

    assert recipe.encoder is not None
    assert recipe.encoder.hub == "vinai/phobert-base-v2"


@pytest.mark.parametrize("path", sorted((ROOT / "models" / "recipes").glob("*.toml")), ids=str)
def test_every_recipe_of_the_project_is_valid(path: Path) -> None:
    recipe = load_recipe(path)

    assert recipe.name == path.stem

"""What a model was measured against: counts of held-out opinions, kept beside weights that do not change."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from models.corpus import Example, load_corpus
from models.reference import (
    Reference,
    histogram,
    measure_reference,
    read_reference,
    write_reference,
)
from models.registry import MANIFEST, REFERENCE, WEIGHTS, load_classifier
from models.train import renew_reference
from nlp.errors import ArtifactError, CorpusError
from nlp.privacy import mask
from nlp.taxonomy import Taxonomy
from tests.conftest import TINY_CORPUS


@pytest.fixture
def artifact(tiny_artifact: Path, tmp_path: Path) -> Path:
    """The trained model in a folder of its own."""
    folder = tmp_path / "tiny" / "0.0.1"
    shutil.copytree(tiny_artifact, folder)
    return folder


@pytest.fixture
def held_out(pack: Taxonomy) -> list[Example]:
    examples = load_corpus(TINY_CORPUS, taxonomy=pack)
    return [e for e in examples if e.split == "test" and e.kind == "opinion"]


def test_training_keeps_it(artifact: Path, held_out: list[Example]) -> None:
    reference = read_reference(artifact)

    assert reference is not None
    assert reference.n == len(held_out) > 0
    assert reference.model_sha256 == sha256((artifact / MANIFEST).read_bytes()).hexdigest()


def test_every_held_out_opinion_is_counted_once(artifact: Path, held_out: list[Example]) -> None:
    reference = read_reference(artifact)
    assert reference is not None

    histograms = (*reference.style.values(), *reference.confidence.values())
    assert {sum(own.counts) for own in histograms} == {len(held_out)}
    assert {sum(own.values()) for own in reference.decisions.values()} == {len(held_out)}
    for confusion in reference.confusions.values():
        assert sum(map(sum, confusion.counts)) == len(held_out)


def test_a_row_is_a_true_label_and_a_column_an_answer(
    tiny_models: Path, pack: Taxonomy, held_out: list[Example]
) -> None:
    model = load_classifier("tiny", folder=tiny_models)
    told = [example.sentiment for example in held_out]

    confusion = measure_reference(model, held_out, taxonomy=pack).confusions["sentiment"]

    assert confusion.answers == (*confusion.labels, "abstain", "none_of_these")
    by_label = dict(zip(confusion.labels, map(sum, confusion.counts), strict=True))
    assert by_label == {label: told.count(label) for label in confusion.labels}  # type: ignore[arg-type] # a label


def test_a_model_that_doubts_everything_abstains_in_every_row(
    tiny_models: Path, pack: Taxonomy, held_out: list[Example]
) -> None:
    model = load_classifier("tiny", folder=tiny_models)
    for spec in model.heads.values():
        object.__setattr__(spec, "assert_at", (1.01,) * len(spec.labels))

    reference = measure_reference(model, held_out, taxonomy=pack)

    confusion = reference.confusions["intent"]
    column = confusion.answers.index("abstain")
    assert sum(row[column] for row in confusion.counts) == len(held_out)
    assert reference.decisions["intent"] == {"abstain": len(held_out)}


def test_personal_data_is_masked_before_the_model_reads(
    tiny_models: Path, pack: Taxonomy, held_out: list[Example]
) -> None:
    model = load_classifier("tiny", folder=tiny_models)
    text = "Gọi tôi 0912345678 nhé"
    plain, masked = ([replace(held_out[0], text=own)] for own in (text, mask(text)))

    found = [measure_reference(model, some, taxonomy=pack) for some in (plain, masked)]

    assert found[0] == found[1]


def test_nothing_held_out_is_an_error(tiny_models: Path, pack: Taxonomy) -> None:
    model = load_classifier("tiny", folder=tiny_models)

    with pytest.raises(CorpusError, match="no opinion is held out"):
        measure_reference(model, [Example("x", "official")], taxonomy=pack)


@pytest.mark.parametrize(
    ("values", "edges", "counts"),
    [
        (range(100), range(10, 100, 10), [10] * 10),
        ([0.0] * 80 + [0.5] * 20, [0.5], [80, 20]),
        ([3.0] * 5, [], [5]),
    ],
)
def test_bins_hold_a_tenth_where_values_differ(
    values: Sequence[float], edges: Sequence[float], counts: list[int]
) -> None:
    found = histogram(values)

    assert list(found.edges) == list(edges)
    assert list(found.counts) == counts


def test_it_comes_back_as_it_was_written(artifact: Path) -> None:
    reference = read_reference(artifact)
    assert reference is not None
    (artifact / REFERENCE).unlink()

    write_reference(reference, folder=artifact)

    assert read_reference(artifact) == reference


def test_that_of_other_weights_is_none(artifact: Path) -> None:
    with (artifact / MANIFEST).open("a", encoding="utf-8") as manifest:
        manifest.write("\n")

    assert read_reference(artifact) is None


def test_a_damaged_one_is_told(artifact: Path) -> None:
    (artifact / REFERENCE).write_text('{"n": 1}', encoding="utf-8")

    with pytest.raises(ArtifactError, match="danvan reference"):
        read_reference(artifact)


def test_one_is_made_for_a_model_that_has_none_and_the_model_stays(artifact: Path) -> None:
    kept = read_reference(artifact)
    (artifact / REFERENCE).unlink()
    before = {name: (artifact / name).read_bytes() for name in (MANIFEST, WEIGHTS)}

    path, made = renew_reference("tiny", folder=artifact.parents[1])

    assert (path, made, read_reference(artifact)) == (artifact / REFERENCE, kept, kept)
    assert {name: (artifact / name).read_bytes() for name in before} == before
    assert f"{made.n:,} opinions held out" in (artifact / "card.md").read_text(encoding="utf-8")


def test_a_corpus_that_has_changed_is_refused(artifact: Path) -> None:
    manifest = json.loads((artifact / MANIFEST).read_bytes())
    manifest["training"]["corpus_sha256"] = "0" * 64
    (artifact / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")

    with pytest.raises(CorpusError, match="not the corpus that tiny"):
        renew_reference("tiny", folder=artifact.parents[1])


def test_a_model_that_does_not_say_what_it_is_made_of_is_refused(tiny_models: Path) -> None:
    with pytest.raises(ArtifactError, match="names no recipe"):
        renew_reference("tiny", folder=tiny_models)


def test_the_default_model_has_one() -> None:
    folder = TINY_CORPUS.parents[2] / "models" / "artifacts" / "default" / "0.3.0"

    reference = read_reference(folder)

    assert isinstance(reference, Reference)
    assert reference.n > 2_000

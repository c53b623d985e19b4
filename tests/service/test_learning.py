"""What becomes a lesson: the newest word on each text, of opinions alone, under the version to be learnt."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from models.candidates import Corrections
from models.corpus import Example
from models.real import measured_hashes, real_split
from models.registry import find_model, list_models
from nlp.errors import CorpusError
from nlp.taxonomy import Taxonomy
from service.cli import app
from service.learning import read_lessons
from service.reclassifying import Archive, _model
from service.settings import load_settings
from service.store import tables
from service.store.dialect import open_engine
from service.store.errors import StoreError
from service.store.migrate import migrate
from service.store.records import text_hash
from service.store.runs import packs_of
from tests.conftest import ROOT
from tests.service.rules import PACK
from tests.service.shelf import RENAMED, SPLIT, Shelf, says_field


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    url = f"sqlite:///{tmp_path}/store.db"
    migrate(url)
    engine = open_engine(url)
    yield Shelf(engine)
    engine.dispose()


def lessons(shelf: Shelf, *, kept_out: frozenset[str] = frozenset()) -> Corrections:
    return read_lessons(shelf.engine, PACK, packs=shelf.packs, kept_out=kept_out)


def lesson(text: str, *facets: str, **said: object) -> Example:
    blank = Example(text, "opinion", source="correction", plain=True, facets=facets)
    return replace(blank, **said)  # type: ignore[arg-type] # fields of an Example


def test_words_about_one_text_are_one_lesson_of_their_facets(shelf: Shelf) -> None:
    shelf.store("đường hỏng")
    shelf.say(1, "LV02 LV04")
    shelf.say(1, "neutral", facet="sentiment")
    shelf.say(1, "praise", facet="intent")
    shelf.say(1, "-", facet="task_area")

    found = lessons(shelf)

    assert found.examples == [
        lesson(
            "đường hỏng",
            "civic_field",
            "intent",
            "sentiment",
            "task_area",
            civic_field=("LV02", "LV04"),
            sentiment="neutral",
            intent="praise",
        )
    ]
    assert (found.number, found.left_out) == (4, {})


def test_what_nobody_corrected_teaches_nothing(shelf: Shelf) -> None:
    shelf.store("đường hỏng", "đường xấu")
    shelf.say(2, "LV02")

    [only] = lessons(shelf).examples

    assert only == lesson("đường xấu", "civic_field", civic_field=("LV02",))
    assert (only.sentiment, only.intent) == (None, None)


def test_the_word_that_counts_is_taught(shelf: Shelf) -> None:
    shelf.store("đường hỏng")
    for codes, by in (("LV02", "staff:lan"), ("LV04", "staff:minh"), ("undo", "staff:minh")):
        shelf.say(1, codes, by=by)

    assert lessons(shelf).examples == [lesson("đường hỏng", "civic_field", civic_field=("LV02",))]


def test_of_the_same_text_twice_the_newest_word_is_taught(shelf: Shelf) -> None:
    shelf.store("đường hỏng", "đường hỏng", "đường hỏng")
    for number, codes in ((2, "LV04"), (3, "LV05"), (1, "LV02")):
        shelf.say(number, codes)

    assert lessons(shelf).examples == [lesson("đường hỏng", "civic_field", civic_field=("LV02",))]


def test_documents_are_left_out_and_counted(shelf: Shelf) -> None:
    shelf.store("đường hỏng", "thủ tục hành chính")
    items = tables.items
    shelf.say(1, "LV02")
    shelf.say(2, "DV3.8", facet="task_area")
    with shelf.engine.begin() as connection:
        second = items.c.seq == shelf.seq(2)
        connection.execute(items.update().where(second).values(kind="official"))

    found = lessons(shelf)

    assert [example.text for example in found.examples] == ["đường hỏng"]
    assert found.left_out == {
        "labels of official documents, which no paragraph answers for": 1,
    }


@pytest.mark.parametrize(("newer", "code"), [(RENAMED, "LV30"), (SPLIT, "LV32")])
def test_words_of_a_later_version_are_carried_back(
    shelf: Shelf, newer: Taxonomy, code: str
) -> None:
    shelf.packs = packs_of([PACK, newer])
    shelf.store("rác nhiều")
    shelf.promote(shelf.read_again(says_field("LV02"), taxonomy=newer))
    shelf.say(1, code)

    assert lessons(shelf).examples == [lesson("rác nhiều", "civic_field", civic_field=("LV03",))]


def test_words_that_have_no_place_are_left_out_and_counted(shelf: Shelf) -> None:
    shelf.packs = packs_of([PACK, SPLIT])
    shelf.store("rác nhiều", "đường hỏng")
    shelf.say(1, "LV03")
    shelf.say(2, "LV05")

    found = read_lessons(shelf.engine, SPLIT, packs=shelf.packs)

    assert [example.text for example in found.examples] == ["đường hỏng"]
    assert found.left_out == {"labels that have no place in this version of the taxonomy": 1}


def test_texts_that_models_are_measured_on_are_never_learnt(shelf: Shelf) -> None:
    shelf.store("đường hỏng", "đường xấu")
    shelf.say(1, "LV02")
    shelf.say(2, "LV02")

    found = lessons(shelf, kept_out=frozenset({text_hash("đường xấu")}))

    assert [example.text for example in found.examples] == ["đường hỏng"]
    assert found.left_out == {"texts that models are measured on": 1}


def test_the_hashes_of_the_card_half_are_kept_out() -> None:
    hashes = measured_hashes(ROOT / "corpus" / "labelled" / "real")

    assert len(hashes) > 900
    assert {real_split(sha256) for sha256 in hashes} == {"test"}


def test_a_text_that_was_masked_is_learnt_as_it_is_kept(shelf: Shelf) -> None:
    shelf.store("gọi •••••••••• không ai nghe")
    shelf.say(1, "LV02")

    assert lessons(shelf).examples[0].text == "gọi •••••••••• không ai nghe"


def test_without_corrections_there_is_nothing_to_learn(shelf: Shelf) -> None:
    shelf.store("đường hỏng")

    with pytest.raises(CorpusError, match="no corrections of opinions"):
        lessons(shelf)


@pytest.fixture
def at_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_models: Path, shelf: Shelf
) -> Path:
    """The command line at the store of the shelf, with a folder of models of its own."""
    models = Path(shutil.copytree(tiny_models, tmp_path / "models"))
    monkeypatch.setenv("DANVAN_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.setenv("DANVAN_MODELS_FOLDER", str(models))
    monkeypatch.setenv("DANVAN_MODEL", "tiny")
    return models


def danvan(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_candidate_is_trained_beside_the_standing_model(
    at_work: Path, shelf: Shelf, tiny_recipe: Path
) -> None:
    shelf.store(*(f"rác ùn ở ngõ {i}" for i in range(12)))
    for number in shelf.texts:
        shelf.say(number, "LV05")

    trained = danvan("train", tiny_recipe, "--with-corrections")

    folder = at_work / "tiny" / "0.0.1+corrections.12"
    assert trained.exit_code == 0
    assert trained.stdout.strip() == str(folder)
    assert "corrections: " in trained.stderr
    assert load_settings().model == "tiny"
    assert find_model("tiny", folder=at_work).version == "0.0.1"
    archive = Archive(shelf.engine, tuple, lambda: list_models(at_work))
    assert _model(archive, "tiny").version == "0.0.1"
    assert _model(archive, "tiny@0.0.1+corrections.12").is_candidate
    card = (folder / "card.md").read_text(encoding="utf-8")
    assert "A candidate with corrections" in card
    assert "ùn" not in card


def test_a_store_that_is_not_there_is_told(
    at_work: Path, tiny_recipe: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DANVAN_DATABASE_URL", f"sqlite:///{tmp_path}/none/none.db")

    trained = danvan("train", tiny_recipe, "--with-corrections")

    assert isinstance(trained.exception, StoreError)
    assert "danvan migrate" in str(trained.exception)

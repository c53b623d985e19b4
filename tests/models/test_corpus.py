"""A labelled file is checked line by line; what is wrong is named with its place."""

import json
import unicodedata
from pathlib import Path

import pytest

from models.corpus import (
    N_FOLDS,
    Example,
    load_corpus,
    load_lexicon,
    load_second,
    pack_terms,
)
from nlp.errors import CorpusError
from nlp.taxonomy import Taxonomy
from tests.conftest import ROOT, TINY_CORPUS

Row = dict[str, object]
OFFICIAL: Row = {"text": "Yêu cầu rà soát.", "task_area": ["DV3.5"], "tone": "directive"}
OPINION: Row = {
    "text": "Đường hỏng quá.",
    "civic_field": ["LV03"],
    "task_area": [],
    "sentiment": "negative",
    "intent": "complaint",
}


def write(folder: Path, kind: str, *lines: Row | bytes) -> Path:
    path = folder / kind / "a.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"".join((x if isinstance(x, bytes) else json.dumps(x).encode()) + b"\n" for x in lines)
    )
    return folder


def test_each_kind_is_loaded_with_its_labels_in_the_order_of_lines(
    tmp_path: Path, pack: Taxonomy
) -> None:
    write(tmp_path, "official", OFFICIAL | {"heading": "1. Nhiệm vụ"})
    write(tmp_path, "opinions", OPINION, OPINION | {"text": "Đường tốt.", "task_area": ["DV3.5"]})
    write(tmp_path, "other", {"text": "Trăng sáng.", "what": "poem"})

    official, opinion, second, other = load_corpus(tmp_path, taxonomy=pack)

    assert (official.kind, official.task_area, official.tone) == (
        "official",
        ("DV3.5",),
        "directive",
    )
    assert official.heading == "1. Nhiệm vụ"
    assert (opinion.civic_field, opinion.sentiment, opinion.intent) == (
        ("LV03",),
        "negative",
        "complaint",
    )
    assert second.source == "opinions/a.jsonl:2"
    assert other == Example("Trăng sáng.", "other", source="other/a.jsonl:1")


def test_texts_are_brought_to_nfc_and_trimmed(tmp_path: Path, pack: Taxonomy) -> None:
    write(tmp_path, "other", {"text": unicodedata.normalize("NFD", " Trăng sáng.\n")})

    [example] = load_corpus(tmp_path, taxonomy=pack)

    assert example.text == "Trăng sáng."


BAD_LINES: dict[str, tuple[str, Row | bytes]] = {
    "no JSON": ("other", b"{"),
    "blank": ("other", b""),
    "not UTF-8": ("other", b'{"text": "\xff"}'),
    "nested too deep": ("other", b"[" * 100_000),
    "a number too long": ("other", b'{"text": "a", "n": ' + b"9" * 5000 + b"}"),
    "no object": ("other", b'["a"]'),
    "no text": ("other", b"{}"),
    "text that is no string": ("other", {"text": 1}),
    "empty text": ("other", {"text": " \u200b\n"}),
    "no task area": ("official", {"text": "a", "tone": "other"}),
    "task area that is no list": ("official", OFFICIAL | {"task_area": "DV3.5"}),
    "task area of lists": ("official", OFFICIAL | {"task_area": [["DV3.5"]]}),
    "task area twice": ("official", OFFICIAL | {"task_area": ["DV3.5", "DV3.5"]}),
    "unknown task area": ("official", OFFICIAL | {"task_area": ["DV9.9"]}),
    "task area with parts": ("official", OFFICIAL | {"task_area": ["DV3"]}),
    "no tone": ("official", {"text": "a", "task_area": []}),
    "unknown tone": ("official", OFFICIAL | {"tone": "angry"}),
    "tone that is a list": ("official", OFFICIAL | {"tone": ["other"]}),
    "heading that is no string": ("official", OFFICIAL | {"heading": 3}),
    "no civic field": ("opinions", OPINION | {"civic_field": []}),
    "unknown civic field": ("opinions", OPINION | {"civic_field": ["LV99"]}),
    "restricted task area": ("opinions", OPINION | {"task_area": ["DV4.3"]}),
    "official task area": ("opinions", OPINION | {"task_area": ["DV7.2"]}),
    "unknown sentiment": ("opinions", OPINION | {"sentiment": "furious"}),
    "no intent": ("opinions", {k: v for k, v in OPINION.items() if k != "intent"}),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_malformed_line_is_named_with_file_and_line(
    tmp_path: Path, pack: Taxonomy, name: str
) -> None:
    kind, line = BAD_LINES[name]
    good = {"official": OFFICIAL, "opinions": OPINION}.get(kind, {}) | {"text": "Câu trước."}
    write(tmp_path, kind, good, line)

    with pytest.raises(CorpusError, match=rf"^{kind}/a\.jsonl:2: ") as caught:
        load_corpus(tmp_path, taxonomy=pack)

    assert "\n" not in str(caught.value)


def test_a_text_that_stands_twice_is_refused(tmp_path: Path, pack: Taxonomy) -> None:
    write(tmp_path, "opinions", OPINION)
    write(tmp_path, "other", {"text": unicodedata.normalize("NFD", str(OPINION["text"]))})

    with pytest.raises(CorpusError, match=r"other/a\.jsonl:1: .* twice"):
        load_corpus(tmp_path, taxonomy=pack)


def test_a_folder_without_texts_is_refused(tmp_path: Path, pack: Taxonomy) -> None:
    with pytest.raises(CorpusError, match="no labelled texts"):
        load_corpus(tmp_path, taxonomy=pack)


def test_splits_and_folds_come_from_the_text_alone() -> None:
    examples = [Example(f"câu số {i}", "other") for i in range(2000)]

    n_test = sum(example.split == "test" for example in examples)
    folds = [example.fold for example in examples]

    assert 140 < n_test < 270
    assert {folds.count(fold) // 100 for fold in range(N_FOLDS)} <= {3, 4}
    assert Example("câu số 1", "opinion").split == examples[1].split


def test_second_labels_meet_their_texts(pack: Taxonomy, tmp_path: Path) -> None:
    examples = load_corpus(TINY_CORPUS, taxonomy=pack)
    one = next(example for example in examples if example.kind == "opinion")
    row = {"sha256": one.sha256, "civic_field": ["LV01"], "task_area": [], "sentiment": "neutral"}
    (tmp_path / "opinions.jsonl").write_text(json.dumps(row | {"intent": "other"}) + "\n")

    [second] = load_second(tmp_path, examples=examples, taxonomy=pack).values()

    assert second.text == one.text
    assert second.civic_field == ("LV01",)
    assert load_second(tmp_path / "none", examples=examples, taxonomy=pack) == {}


def test_a_second_label_without_its_text_is_an_error(pack: Taxonomy, tmp_path: Path) -> None:
    (tmp_path / "opinions.jsonl").write_text('{"sha256": "00"}\n')

    with pytest.raises(CorpusError, match="no text of the corpus has this SHA-256"):
        load_second(tmp_path, examples=(), taxonomy=pack)


def write_lexicon(folder: Path, *, fields: str = "sổ đỏ\tLV01\n", feelings: str = "") -> Path:
    folder.joinpath("civic_field.tsv").write_text(fields, encoding="utf-8")
    folder.joinpath("sentiment.tsv").write_text(feelings, encoding="utf-8")
    return folder


def test_a_lexicon_is_read_as_short_examples(pack: Taxonomy, tmp_path: Path) -> None:
    feelings = "quá hay\tpositive\n😀\tpositive negative\n"

    terms = load_lexicon(write_lexicon(tmp_path, feelings=feelings), taxonomy=pack)

    assert [(e.text, e.civic_field) for e in terms["civic_field"]] == [("sổ đỏ", ("LV01",))]
    assert [(e.text, e.sentiment) for e in terms["sentiment"]] == [("quá hay", "positive")]


@pytest.mark.parametrize("line", ["sổ đỏ", "sổ đỏ\t", "\tLV01", "sổ đỏ\tLV99", "a\tLV01\nA\tLV02"])
def test_a_bad_line_of_a_lexicon_is_named(pack: Taxonomy, tmp_path: Path, line: str) -> None:
    with pytest.raises(CorpusError, match=r"civic_field\.tsv:[12]"):
        load_lexicon(write_lexicon(tmp_path, fields=line + "\n"), taxonomy=pack)


def test_the_projects_own_lexicon_is_sound(pack: Taxonomy) -> None:
    terms = load_lexicon(ROOT / "corpus" / "lexicons" / "ct07", taxonomy=pack)

    fields = {code for example in terms["civic_field"] for code in example.civic_field}
    assert fields == set(pack.facets["civic_field"].leaves("opinion"))
    assert {example.sentiment for example in terms["sentiment"]} == {
        "negative",
        "neutral",
        "positive",
    }


def test_a_pack_speaks_for_its_own_areas(pack: Taxonomy) -> None:
    terms = pack_terms(pack, kind="opinion")

    assert {code for term in terms for code in term.task_area} == set(
        pack.facets["task_area"].leaves("opinion")
    )
    assert ("tiếp công dân", ("DV3.8",)) in {(term.text, term.task_area) for term in terms}

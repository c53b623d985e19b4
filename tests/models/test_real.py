"""Labels by hash meet their texts, and nothing else."""

import hashlib
import json
from pathlib import Path

import pytest

from models.real import find_texts, join_labels, real_split
from nlp.errors import CorpusError
from nlp.structure import Registers
from tests.conftest import ROOT

OPINION = "Đường trước nhà tôi sửa mãi chưa xong."
PARAGRAPH = "Ủy ban nhân dân xã tiếp công dân vào thứ Năm hằng tuần tại trụ sở."


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    opinion = {"sha256": sha256(OPINION), "civic_field": ["LV03"], "sentiment": "negative"}
    paragraph = {"sha256": sha256(PARAGRAPH), "task_area": ["DV3.8"], "tone": "directive"}
    for name, row in (("opinions", opinion | {"intent": "complaint"}), ("official", paragraph)):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    return tmp_path


def test_opinions_and_paragraphs_get_their_labels(labels: Path, registers: Registers) -> None:
    comments = labels / "comments.jsonl"
    comments.write_text(json.dumps({"text": f" {OPINION} "}) + '\n{"text": "khác"}\n')
    document = labels / "a.txt"
    document.write_text(PARAGRAPH, encoding="utf-8")

    texts = find_texts([comments, document], registers=registers)
    found = {example.kind: example for example in join_labels(labels, texts=texts)}

    assert found["opinion"].text == OPINION
    assert found["opinion"].civic_field == ("LV03",)
    assert found["official"].task_area == ("DV3.8",)
    assert found["official"].tone == "directive"


def test_texts_without_any_label_are_said(labels: Path) -> None:
    with pytest.raises(CorpusError, match="none of the given texts"):
        join_labels(labels, texts=[])


def test_a_malformed_line_is_named(labels: Path, registers: Registers) -> None:
    path = labels / "broken.jsonl"
    path.write_text('{"text": "a"}\n[]\n')

    with pytest.raises(CorpusError, match=r"broken\.jsonl:2"):
        list(find_texts([path], registers=registers))


def test_the_committed_labels_hold_no_text_and_both_halves() -> None:
    for name in ("opinions", "official"):
        path = ROOT / "corpus" / "labelled" / "real" / f"{name}.jsonl"
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

        assert all(len(row["sha256"]) == 64 for row in rows)
        assert not any("text" in row for row in rows)
        halves = [real_split(row["sha256"]) for row in rows]
        assert 0.4 < halves.count("test") / len(halves) < 0.6

"""A score learnt from labelled texts finds denunciations that no word of accusation tells."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from models.denunciation import (
    ARTIFACT,
    DenunciationScore,
    Lesson,
    choose_threshold,
    fit_score,
    load_lessons,
    load_score,
    read_lessons,
    save_score,
    scores_out_of_fold,
    train,
)
from models.registry import list_models
from nlp.errors import ArtifactError, CorpusError
from nlp.hints import DENUNCIATION, TriageRules, find_all_hints
from nlp.text import fold

TAKES = (
    "Cô kế toán trường tháng nào cũng ghi thừa bốn suất ăn, tiền đó cô với hiệu trưởng chia nhau"
)
LAMP = "Đèn đường trước chợ hỏng đã hai tuần, tối đi lại rất nguy hiểm, đề nghị phường cho sửa"
TRIAGE = Path(__file__).parents[2] / "corpus" / "labelled" / "triage"


@pytest.fixture(scope="module")
def lessons() -> list[Lesson]:
    """Forty texts in which a word tells what they are; half are opinions of the corpus."""
    accusing = [f"Ông {who} bỏ túi tiền của {whom}" for who in "abcde" for whom in "xyzt"]
    plain = [f"Đường {where} ngập {how}, xin sửa" for where in "abcde" for how in "xyzt"]
    return [Lesson("development", text, denounces=True, is_doubtful=False) for text in accusing] + [
        Lesson("read", text, denounces=False, is_doubtful=False) for text in plain
    ]


@pytest.fixture(scope="module")
def score(lessons: list[Lesson]) -> DenunciationScore:
    return fit_score(lessons)


def test_what_was_learnt_is_told_apart(score: DenunciationScore) -> None:
    taken, flooded = score.scores(["Bà h bỏ túi tiền của k", "Đường h ngập k"])

    assert taken > 0 > flooded


def test_a_text_without_diacritics_is_read_too(score: DenunciationScore) -> None:
    taken, flooded = score.scores([fold("Bà h bỏ túi tiền của k"), fold("Đường h ngập k")])

    assert taken > 0 > flooded


def test_the_words_that_say_so_are_shown(score: DenunciationScore) -> None:
    text = "Hôm qua bà h bỏ túi tiền của k"

    [spans] = score.find([text])

    assert spans is not None
    assert "túi" in " ".join(text[span.start : span.end] for span in spans)


def test_a_text_is_found_from_the_threshold_on(score: DenunciationScore) -> None:
    text = "Bà h bỏ túi tiền của k"
    [own] = score.scores([text])
    at, above = (
        DenunciationScore(score.vectorizer, score.head, threshold)
        for threshold in (float(own), float(np.nextafter(own, np.float32(np.inf))))
    )

    assert at.find([text]) != [None]
    assert above.find([text]) == [None]


@pytest.mark.parametrize("text", ["", "  \n", "🙂", "..."])
def test_a_text_without_words_is_none(text: str) -> None:
    assert load_score().find([text]) == [None]


def test_no_text_gives_no_answer(score: DenunciationScore) -> None:
    assert score.find([]) == []


def test_a_text_in_doubt_teaches_nothing(lessons: list[Lesson], score: DenunciationScore) -> None:
    doubtful = Lesson("read", "Đường a ngập x, xin sửa", denounces=True, is_doubtful=True)

    again = fit_score([*lessons, doubtful])

    assert np.array_equal(again.head.weights, score.head.weights)


def test_the_threshold_lets_no_more_through_than_allowed() -> None:
    scores = np.array([0.5, -1.0, 0.25, -0.5, 0.12344], dtype=np.float32)

    threshold = choose_threshold(scores, n_allowed=2)

    assert threshold == 0.1235
    assert (scores >= threshold).sum() == 2


def test_too_few_texts_give_no_threshold() -> None:
    with pytest.raises(CorpusError, match="too few"):
        choose_threshold(np.zeros(2, dtype=np.float32), n_allowed=2)


def test_a_score_out_of_fold_has_not_seen_its_text(lessons: list[Lesson]) -> None:
    wrong = Lesson("development", "Chuyện lạ lùng thay", denounces=True, is_doubtful=False)

    seen = fit_score([*lessons, wrong]).scores([wrong.text])[0]
    unseen = scores_out_of_fold([*lessons, wrong])[-1]

    assert unseen < seen


def test_the_same_texts_give_the_same_bytes(
    lessons: list[Lesson], triage: TriageRules, tmp_path: Path
) -> None:
    for name in ("one", "other"):
        train(lessons, rules=triage, folder=tmp_path / name)

    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()


def test_a_saved_score_answers_as_before(score: DenunciationScore, tmp_path: Path) -> None:
    save_score(score, folder=tmp_path, training={})

    loaded = load_score(tmp_path)

    assert np.array_equal(loaded.scores([TAKES, LAMP]), score.scores([TAKES, LAMP]))


@pytest.mark.parametrize("text", [TAKES, fold(TAKES), TAKES.upper()])
def test_what_is_committed_finds_an_accusation_without_its_words(text: str) -> None:
    assert load_score().find([text]) != [None]


def test_what_is_committed_leaves_a_plain_complaint_alone() -> None:
    assert load_score().find([LAMP, fold(LAMP)]) == [None, None]


def test_what_is_committed_is_small_and_kept_its_measure() -> None:
    kept = json.loads((ARTIFACT / "score.json").read_text(encoding="utf-8"))["training"]

    assert sum(path.stat().st_size for path in ARTIFACT.iterdir()) < 2_000_000
    assert kept["n_negatives_sealed"] / kept["n_negatives"] <= 0.007


def test_it_is_not_listed_among_the_models() -> None:
    assert "denunciation" not in {info.name for info in list_models(ARTIFACT.parents[1])}


def test_a_changed_byte_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ARTIFACT, tmp_path / "copy"))
    path = folder / "score.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")

    with pytest.raises(ArtifactError, match="SHA-256"):
        load_score(folder)


@pytest.mark.parametrize("content", [None, b"{", b"[]", b'{"format": 99}'])
def test_a_missing_or_strange_artifact_is_told(tmp_path: Path, content: bytes | None) -> None:
    folder = Path(shutil.copytree(ARTIFACT, tmp_path / "copy"))
    (folder / "score.json").unlink()
    if content is not None:
        (folder / "score.json").write_bytes(content)

    with pytest.raises(ArtifactError, match=r"denunciation|train it again"):
        load_score(folder)


def test_an_artifact_that_lacks_something_is_refused(
    score: DenunciationScore, tmp_path: Path
) -> None:
    save_score(score, folder=tmp_path, training={})
    facts = json.loads((tmp_path / "score.json").read_text(encoding="utf-8"))
    del facts["threshold"]
    (tmp_path / "score.json").write_text(json.dumps(facts), encoding="utf-8")

    with pytest.raises(ArtifactError, match="do not fit together"):
        load_score(tmp_path)


def test_the_labelled_texts_are_read() -> None:
    lessons = load_lessons(TRIAGE)

    assert len(lessons) == 3060
    assert sum(lesson.is_doubtful for lesson in lessons) == 74
    assert {lesson.file for lesson in lessons if lesson.is_doubtful} == {"read"}


@pytest.mark.parametrize("line", ["{", '{"text": "a"}'])
def test_a_broken_file_of_texts_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "development.jsonl"
    path.write_text(line + "\n", encoding="utf-8")

    with pytest.raises(CorpusError, match=r"development\.jsonl"):
        read_lessons(path)


def test_an_accusation_by_the_score_counts_as_one(triage: TriageRules) -> None:
    hints, plain = find_all_hints([TAKES, LAMP], rules=triage, accusations=load_score().find)
    [by_rules] = find_all_hints([TAKES], rules=triage, accusations=None)

    assert (hints.channel, by_rules.channel == DENUNCIATION) == (DENUNCIATION, False)
    assert hints.evidence.channel
    assert plain.channel != DENUNCIATION

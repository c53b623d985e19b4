"""Rules find the channel, the urgency and what is missing, and show the words that say so."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.cues import Lexicon, find_cues
from nlp.errors import CorpusError
from nlp.hints import DENUNCIATION, TriageRules, find_hints, load_triage
from nlp.text import fold, to_nfc
from nlp.types import HintEvidence, Hints, Span

LABELLED = Path(__file__).parents[2] / "corpus" / "labelled" / "triage"
CHANNELS = {"phản ánh", "kiến nghị", "khiếu nại", DENUNCIATION, "hỏi đáp", "không rõ"}
BRIBE = "Ông trưởng thôn ở xã Mẫu Sơn nhận hối lộ 20 triệu hôm 5/3, tôi có ghi âm"


def words_of(text: str, spans: tuple[Span, ...]) -> list[str]:
    return [text[span.start : span.end] for span in spans]


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("Rác chất đống ở đầu ngõ mấy hôm nay không ai dọn", "phản ánh"),
        ("Nên lắp thêm đèn ở ngã tư Mẫu Sơn", "kiến nghị"),
        ("Tôi không đồng ý với quyết định xử phạt, yêu cầu hủy quyết định đó", "khiếu nại"),
        (BRIBE, DENUNCIATION),
        ("Cho tôi hỏi làm căn cước cần giấy tờ gì", "hỏi đáp"),
        ("Chúc các anh chị năm mới vui vẻ", "không rõ"),
    ],
)
def test_each_channel_is_found(text: str, channel: str, triage: TriageRules) -> None:
    assert find_hints(text, rules=triage).channel == channel


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("Cho em hỏi muốn tố cáo thì gửi đơn đến đâu ạ?", "hỏi đáp"),
        ("Em xin tố cáo cái ổ gà trước cổng chợ, mấy tháng rồi không ai vá", "phản ánh"),
        ("Tôi không tố cáo ai, chỉ thấy đèn đường hỏng cả tuần nay", "phản ánh"),
        ("Ông chủ tịch này bị bắt vì nhận hối lộ, xử nặng vào", "không rõ"),
    ],
)
def test_words_in_passing_make_no_denunciation(
    text: str, channel: str, triage: TriageRules
) -> None:
    found = find_hints(text, rules=triage).channel

    assert found != DENUNCIATION
    assert found == channel


@pytest.mark.parametrize("text", [BRIBE, fold(BRIBE), BRIBE.upper()])
def test_an_accusation_is_found_in_any_spelling(text: str, triage: TriageRules) -> None:
    assert find_hints(text, rules=triage).channel == DENUNCIATION


def test_shorthand_reads_as_the_word_it_stands_for(triage: TriageRules) -> None:
    hints = find_hints("rác để đầu hẻm mấy hôm nay k ai dọn", rules=triage)

    assert hints.channel == "phản ánh"


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("Dây điện đứt rơi xuống đường, đang tóe lửa", "life_safety"),
        ("Mất nước ba ngày nay rồi", "time_bound"),
        ("Trường chưa trả hồ sơ mà còn 3 ngày nữa là hết hạn nộp", "time_bound"),
        ("Đường nhiều ổ gà từ Tết đến giờ", "normal"),
    ],
)
def test_urgency_is_found(text: str, urgency: str, triage: TriageRules) -> None:
    assert find_hints(text, rules=triage).urgency == urgency


def test_danger_outweighs_a_date(triage: TriageRules) -> None:
    text = "Nhà nứt toác, sắp sập, mai bão vào mà chưa ai tới xem"

    assert find_hints(text, rules=triage).urgency == "life_safety"


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("Rác ngập vỉa hè không ai dọn", ("place", "time", "body")),
        ("Rác ngập vỉa hè đường Mẫu Sơn không ai dọn", ("time", "body")),
        ("Sáng nay rác ngập vỉa hè đường Mẫu Sơn không ai dọn", ("body",)),
        ("Sáng nay rác ngập vỉa hè đường Mẫu Sơn, UBND phường không dọn", ()),
        ("Tôi phản ánh việc này ạ", ("place", "time", "body", "object")),
    ],
)
def test_what_is_missing_is_named(text: str, missing: tuple[str, ...], triage: TriageRules) -> None:
    assert find_hints(text, rules=triage).missing == missing


def test_every_answer_shows_its_words(triage: TriageRules) -> None:
    hints = find_hints(BRIBE, rules=triage)

    assert "hối lộ" in " ".join(words_of(BRIBE, hints.evidence.channel))
    assert "trưởng thôn" in " ".join(words_of(BRIBE, hints.evidence.channel))


def test_what_holds_by_default_has_no_evidence(triage: TriageRules) -> None:
    assert find_hints("", rules=triage) == Hints("không rõ", "normal", (), HintEvidence())


@given(text=st.text(max_size=80))
def test_any_text_is_answered_with_spans_of_it(text: str, triage: TriageRules) -> None:
    text = to_nfc(text)

    hints = find_hints(text, rules=triage)

    spans = (*hints.evidence.channel, *hints.evidence.urgency)
    assert hints.channel in CHANNELS
    assert all(0 <= span.start < span.end <= len(text) for span in spans)


@pytest.mark.parametrize(("part", "share"), [("development", 0.95), ("development_b", 0.9)])
def test_accusations_in_the_development_texts_are_found(
    part: str, share: float, triage: TriageRules
) -> None:
    lines = (LABELLED / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    found = [find_hints(row["text"], rules=triage).channel == DENUNCIATION for row in rows]
    gold = [row["channel"] == DENUNCIATION for row in rows]

    right = sum(a and b for a, b in zip(found, gold, strict=True))

    assert right / sum(found) >= 0.95
    assert right / sum(gold) >= share


def lexicon(*phrases: str, passing: tuple[str, ...] = ()) -> Lexicon:
    cues = {"cue": phrases, "passing": passing}
    return Lexicon.of(cues, shorthand={}, dialect={}, unnamed=("này",), passing="passing")


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("có ... không ?", "Có phải nộp không?"),
        ("chó (dữ|dại)", "con chó dại"),
        ("đường <name>", "đường Mẫu Sơn"),
        ("tổ <number>", "tổ 12b"),
        ("<proper>", "ở Mẫu"),
        ("giãi quyết", "giải quyết"),
        ("khoẻ", "khỏe"),
    ],
)
def test_a_phrase_is_found(phrase: str, text: str) -> None:
    assert "cue" in find_cues(text, lexicon=lexicon(phrase)).found


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("có ... không ?", "Có nộp rồi. Sao không?"),
        ("báo cáo", "bảo cao"),
        ("mất nước", "mất, nước"),
        ("đường <name>", "đường này"),
        ("<proper>", "Mẫu này"),
        ("rác", "rac"),
    ],
)
def test_a_phrase_is_not_found(phrase: str, text: str) -> None:
    assert "cue" not in find_cues(text, lexicon=lexicon(phrase)).found


def test_what_lies_in_passing_is_not_found() -> None:
    read = find_cues("không tố cáo ai", lexicon=lexicon("tố cáo", passing=("không tố cáo",)))

    assert read.found == {}


@pytest.mark.parametrize(
    "broken", ["", "channel = 1", '[[channel]]\nanswer = "tố cáo"\nneeds = [["unheard"]]']
)
def test_a_broken_register_is_refused(tmp_path: Path, broken: str) -> None:
    (tmp_path / "triage.toml").write_text(broken, encoding="utf-8")

    with pytest.raises(CorpusError, match=r"triage\.toml"):
        load_triage(tmp_path)


def test_a_rule_with_a_cue_without_phrases_is_refused(tmp_path: Path) -> None:
    (tmp_path / "triage.toml").write_text(
        "unnamed = []\nempty = []\nmissing = []\nurgency = []\n[shorthand]\n[dialect]\n[cues]\n"
        '[[channel]]\nanswer = "tố cáo"\nneeds = [["unheard"]]\n',
        encoding="utf-8",
    )

    with pytest.raises(CorpusError, match="unheard has no phrases"):
        load_triage(tmp_path)

"""Subword tokens lie where they say, windows lose nothing, and PhoBERT reads as its own tokenizer does."""

from pathlib import Path

import pytest

pytest.importorskip("transformers", reason="the transformer extra is not installed")

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from models.encoded import CutText, WindowSpec
from models.transformer import build_phobert, open_checkpoint
from models.windows import TOKENIZER, Windows, join_words
from nlp.errors import ArtifactError
from nlp.text import to_nfc
from tests.models.checkpoints import KINDS, LONGEST, sample_texts, write_checkpoint

pytestmark = pytest.mark.transformer

WORDS = (
    *("đường", "sá", "ổ", "gà", "cán", "bộ", "nhiệt tình", "UBND", "rác", "thải,", "hoà", "Uỷ"),
    *("!", "...", "12%", "😡", "<mask>", "</s>", "_", "a_b", "\u0301", " ", "\n", "\t", "\u00a0"),
)
texts = st.one_of(
    st.text(max_size=80).map(to_nfc),
    st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join).map(to_nfc),
)


@pytest.fixture(scope="module", params=sorted(KINDS))
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(request.param, tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def windows(checkpoint: Path) -> Windows:
    return open_checkpoint(checkpoint, max_tokens=24, overlap=4).windows


def joined_ids(cut: CutText) -> list[int]:
    """The tokens of the text put together from its windows again."""
    ids: dict[int, int] = {}
    for window in cut.windows:
        for i in range(window.n):
            ids[window.first + i] = window.ids[window.at + i]
    return [ids[i] for i in range(len(ids))]


@settings(max_examples=40)
@given(text=texts)
def test_spans_lie_in_the_text_and_never_cross(windows: Windows, text: str) -> None:
    spans = windows.cut(text).spans

    for span in spans:
        assert 0 <= span.start <= span.end <= len(text)
        assert text[span.start : span.end] == text[span.start : span.end].strip()
    for before, after in itertools.pairwise(spans):
        assert before.start <= after.start or before.start == before.end
        assert before.end <= after.end or after.start == after.end


@settings(max_examples=40)
@given(text=texts)
def test_every_letter_and_mark_stands_in_a_token(windows: Windows, text: str) -> None:
    covered = {i for span in windows.cut(text).spans for i in range(span.start, span.end)}

    missing = {i for i, char in enumerate(text) if char.isalnum()} - covered

    assert not missing


@settings(max_examples=40)
@given(text=texts, context=texts)
def test_windows_lose_nothing_and_overlap(windows: Windows, text: str, context: str) -> None:
    whole, within = windows.cut(text), windows.cut(text, context=context)

    assert joined_ids(within) == joined_ids(whole)
    assert len(joined_ids(whole)) == len(whole.spans)
    for window in within.windows:
        assert len(window.ids) <= 24
    for before, after in zip(within.windows, within.windows[1:], strict=False):
        assert after.first == before.first + before.n - 4


def test_a_window_stands_between_the_special_tokens_of_the_checkpoint(
    checkpoint: Path, windows: Windows
) -> None:
    own = AutoTokenizer.from_pretrained(checkpoint)
    text = "rác thải"
    written = " ".join(w for w, _ in join_words(text)) if windows.spec.segmented else text

    assert list(windows.cut(text).windows[0].ids) == own(written)["input_ids"]
    assert list(windows.cut(text, context="rác").windows[0].ids) == own(written, "rác")["input_ids"]


@pytest.mark.parametrize("text", ["<mask>", "</s> <s> [SEP]", "[CLS]<pad>"])
def test_nothing_in_a_text_is_a_command(windows: Windows, text: str) -> None:
    special = set(range(windows.tokenizer.get_vocab_size())) & {
        windows.tokenizer.token_to_id(name)
        for name in ("<s>", "</s>", "<mask>", "<pad>", "[CLS]", "[SEP]", "[MASK]", "[PAD]")
    }

    assert not special & set(joined_ids(windows.cut(text)))


def test_a_long_context_leaves_room_for_the_text(windows: Windows) -> None:
    cut = windows.cut("rác thải", context="cán bộ " * 500)

    assert len(cut.windows) == 1 or cut.windows[0].n > 4


@settings(max_examples=40)
@given(text=texts)
def test_words_are_joined_at_their_places(text: str) -> None:
    at: list[int] = []
    for written, places in join_words(text):
        assert len(written) == len(places)
        for char, place in zip(written, places, strict=True):
            assert char == text[place] or (char == "_" and text[place].isspace())
        at += places

    assert at == sorted(set(at))
    assert {i for i, char in enumerate(text) if not char.isspace()} <= set(at)


def test_syllables_of_a_word_are_joined_and_marks_stand_apart() -> None:
    words = [written for written, _ in join_words("Cán  bộ nhiệt tình, giúp đỡ dân!!!")]

    assert words[0] == "Cán_bộ"
    assert words[-1] == "!!!"
    assert "," in words


@settings(max_examples=40)
@given(text=texts)
def test_phobert_reads_as_its_own_tokenizer(phobert: tuple[Windows, object], text: str) -> None:
    windows, slow = phobert
    written = [word for word, _ in join_words(text) if "@" not in word]

    expected = [i for word in written for i in slow.convert_tokens_to_ids(slow._tokenize(word))]  # type: ignore[attr-defined] # transformers has no types
    found = windows.tokenizer.encode(written, is_pretokenized=True, add_special_tokens=False)

    assert list(windows._known(found)) == expected


@pytest.fixture(scope="module")
def phobert(tmp_path_factory: pytest.TempPathFactory) -> tuple[Windows, object]:
    folder = write_checkpoint("phobert", tmp_path_factory.mktemp("phobert"))
    slow = AutoTokenizer.from_pretrained(folder)
    spec = WindowSpec(24, 4, segmented=True, n_ids=len(slow))
    return Windows.of(build_phobert(slow), spec=spec), slow


def test_phobert_has_merges_through_pieces_that_it_does_not_know(
    phobert: tuple[Windows, object],
) -> None:
    windows, slow = phobert

    assert windows.tokenizer.get_vocab_size() > len(slow)  # type: ignore[arg-type] # as above
    known = {i for text in sample_texts() for i in joined_ids(windows.cut(text))}
    assert max(known) < len(slow)  # type: ignore[arg-type] # as above


def test_a_tokenizer_is_read_again_as_it_was_written(windows: Windows, tmp_path: Path) -> None:
    windows.save(tmp_path)

    again = Windows.load(tmp_path, spec=windows.spec)

    for text in sample_texts():
        assert again.cut(text, context="Tồn tại") == windows.cut(text, context="Tồn tại")


def test_a_damaged_tokenizer_is_refused(windows: Windows, tmp_path: Path) -> None:
    (tmp_path / TOKENIZER).write_text("{}", encoding="utf-8")

    with pytest.raises(ArtifactError, match="not a tokenizer"):
        Windows.load(tmp_path, spec=windows.spec)


def test_the_sample_checkpoints_are_as_long_as_they_say(checkpoint: Path) -> None:
    with pytest.raises(ArtifactError, match=f"at most {LONGEST} tokens"):
        open_checkpoint(checkpoint, max_tokens=LONGEST + 1, overlap=4)

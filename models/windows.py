"""A text as the subword tokens of a checkpoint, each with its place in the text, in windows of a set length.

No text is cut: what does not fit into one window goes on in the next, and neighbours share some tokens. Only
the `tokenizers` library reads here, so that a model exported to ONNX needs neither torch nor transformers.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tokenizers import Encoding, Tokenizer

from models.encoded import CutText, Window, WindowSpec
from nlp.errors import ArtifactError
from nlp.types import Span
from nlp.words import segment_words

TOKENIZER = "tokenizer.json"
_MARKS = re.compile(r"(\S)\1*")  # what stands between words, a mark and its repetitions at a time
_BLANKS = re.compile(r"\s+")
_HEADING_SHARE = 4  # a context gets at most this part of a window


@dataclass(frozen=True, slots=True)
class _Frame:
    """The special tokens before a text, between it and its context, and after both."""

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True)
class Windows:
    """Cuts texts for one checkpoint."""

    tokenizer: Tokenizer
    spec: WindowSpec

    @classmethod
    def load(cls, folder: Path, *, spec: WindowSpec) -> "Windows":
        """Read `tokenizer.json` in `folder`.

        Raises:
            ArtifactError: it cannot be read.
        """
        try:
            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        except Exception as error:  # the library raises nothing narrower
            raise ArtifactError(f"{folder / TOKENIZER}: not a tokenizer; fetch it again") from error
        return cls.of(tokenizer, spec=spec)

    @classmethod
    def of(cls, tokenizer: Tokenizer, *, spec: WindowSpec) -> "Windows":
        """Over a tokenizer, which is changed: it cuts nothing, and takes nothing in a text for a command."""
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = True
        return cls(tokenizer, spec)

    def save(self, folder: Path) -> None:
        """Write `tokenizer.json`."""
        self.tokenizer.save(str(folder / TOKENIZER))

    def cut(self, text: str, *, context: str = "") -> CutText:
        """Cut a text (Unicode NFC); its context stands in each of its windows, at most a quarter of it."""
        ids, spans = self._read(text)
        heading = self._read(context)[0][: self.spec.max_tokens // _HEADING_SHARE]
        frame = self._pair if heading else self._single
        room = self.spec.max_tokens - len(frame.before + frame.between + frame.after) - len(heading)
        starts = range(0, max(1, len(ids) - self.spec.overlap), room - self.spec.overlap)
        rest = (*frame.between, *heading, *frame.after)
        windows = tuple(
            Window((*frame.before, *own, *rest), start, len(frame.before), len(own))
            for start in starts
            for own in (ids[start : start + room],)
        )
        return CutText(spans, windows)

    def _read(self, text: str) -> tuple[tuple[int, ...], tuple[Span, ...]]:
        if not text.strip():
            return (), ()
        if not self.spec.segmented:
            found = self.tokenizer.encode(text, add_special_tokens=False)
            return self._known(found), tuple(_trim(*at, text=text) for at in found.offsets)
        words = tuple(join_words(text))
        written = [written for written, _ in words]
        found = self.tokenizer.encode(written, is_pretokenized=True, add_special_tokens=False)
        pairs = zip(found.word_ids, found.offsets, strict=True)
        places = ((words[number or 0][1], at) for number, at in pairs)
        spans = (_trim(own[start], own[end - 1] + 1, text=text) for own, (start, end) in places)
        return self._known(found), tuple(spans)

    def _known(self, found: Encoding) -> tuple[int, ...]:
        """The ids; the unknown one for pieces without an embedding, and for special tokens spelt out."""
        n, special = self.spec.n_ids, self._special
        return tuple(i if i < n and i not in special else self.unknown for i in found.ids)

    @cached_property
    def _special(self) -> frozenset[int]:
        added = self.tokenizer.get_added_tokens_decoder()
        return frozenset(i for i, token in added.items() if token.special)

    @cached_property
    def unknown(self) -> int:
        """The id of the unknown token, or of the mask where there is none, as in some byte-level ones."""
        names = (
            getattr(self.tokenizer.model, "unk_token", None),
            "<unk>",
            "[UNK]",
            "<mask>",
            "[MASK]",
        )
        ids = (self.tokenizer.token_to_id(name) for name in names if name)
        return next((i for i in ids if i is not None), 0)

    @cached_property
    def _single(self) -> _Frame:
        found = self.tokenizer.encode("a")
        ids, parts = found.ids, found.sequence_ids
        first, last = parts.index(0), _last(parts, 0)
        return _Frame(tuple(ids[:first]), (), tuple(ids[last + 1 :]))

    @cached_property
    def _pair(self) -> _Frame:
        found = self.tokenizer.encode("a", "a")
        ids, parts = found.ids, found.sequence_ids
        first, last = parts.index(0), _last(parts, 0)
        second, end = parts.index(1), _last(parts, 1)
        return _Frame(tuple(ids[:first]), tuple(ids[last + 1 : second]), tuple(ids[end + 1 :]))


def join_words(text: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Words with "_" between their syllables, marks apart, as PhoBERT was trained.

    Yields:
        what is read, and for each of its characters the offset of the character in `text` it stands for.
        Every character that is no white space stands in exactly one of them.
    """
    end = 0
    for word in segment_words(text):
        yield from _marks(text, start=end, end=word.start)
        own = text[word.start : word.end]
        blanks = {m.start(): m.end() for m in _BLANKS.finditer(own)}
        inside = {i for start, stop in blanks.items() for i in range(start + 1, stop)}
        kept = [i for i in range(len(own)) if i not in inside]
        written = "".join("_" if i in blanks else own[i] for i in kept)
        yield written, tuple(word.start + i for i in kept)
        end = word.end
    yield from _marks(text, start=end, end=len(text))


def _marks(text: str, *, start: int, end: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    for found in _MARKS.finditer(text, start, end):
        yield found[0], tuple(range(found.start(), found.end()))


def _trim(start: int, end: int, *, text: str) -> Span:
    """A span without the blanks around it, which some tokenizers count to their tokens."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return Span(start, end)


def _last(parts: list[int | None], part: int) -> int:
    return len(parts) - 1 - parts[::-1].index(part)

"""underthesea behind offsets: the one file that imports it, late, and without the parts we have no use for.

`import underthesea` also loads parts that fetch models when used and, where transformers is installed,
transformers itself (2 s, 300 MB), and the dictionary of its taggers, three times. With the former absent and
the latter empty the import takes 0.2 s and 20 MB.

Source: underthesea 9.5 (Apache-2.0); Vu et al., sentence and word segmentation by CRF.
"""

import re
import sys
from collections.abc import Callable, Iterable
from functools import cache
from threading import Lock
from types import ModuleType

from nlp.types import Span

_LONG_RUN = re.compile(r"\S{200,}")
_NETWORK_PARTS = (
    "translate",
    "dependency_parse",
    "classification",
    "sentiment",
    "lang_detect",
    "agent",
)
_TAGGERS = {
    "chunking": "chunk",
    "ner": "ner",
    "pos_tag": "pos_tag",
}  # with what is imported from each


# underthesea fills its globals at the first call, half of them before the model is read: two threads that
# come first together would meet an empty model
_loading = Lock()


def _sentence_tokenizer() -> Callable[[str], list[str]]:
    with _loading:
        return _load_sentences()


def _word_tokenizer() -> Callable[..., list[str]]:
    with _loading:
        return _load_words()


@cache
def _load_sentences() -> Callable[[str], list[str]]:
    _leave_out_unused_parts()
    from underthesea import sent_tokenize

    sent_tokenize("một.")
    return sent_tokenize  # type: ignore[no-any-return] # it has no types


@cache
def _load_words() -> Callable[..., list[str]]:
    """Apart from sentences, as its model takes a second to read and opinions need no words."""
    _leave_out_unused_parts()
    from underthesea import word_tokenize

    word_tokenize("một", use_token_normalize=False)
    return word_tokenize  # type: ignore[no-any-return] # it has no types


def _leave_out_unused_parts() -> None:
    for part in _NETWORK_PARTS:
        sys.modules.setdefault(f"underthesea.pipeline.{part}", None)  # type: ignore[arg-type] # means absent
    for part, name in _TAGGERS.items():
        empty = ModuleType(f"underthesea.pipeline.{part}")
        setattr(empty, name, None)
        sys.modules.setdefault(empty.__name__, empty)


def hide_long_runs(text: str) -> str:
    """Put letters in place of runs of 200 and more characters without a blank, one for one.

    Such runs hold no words, and underthesea's time grows with the square of their length: a minute for
    100,000 characters of "9.9.9.".
    """
    return _LONG_RUN.sub(lambda match: "x" * len(match[0]), text)


def sentence_pieces(text: str) -> list[str]:
    """Sentences as underthesea cuts them; white space between them is lost."""
    return _sentence_tokenizer()(text)


def word_pieces(text: str) -> list[str]:
    """Words as underthesea joins syllables, with token normalisation off so that letters stay."""
    return _word_tokenizer()(text, use_token_normalize=False) if text.strip() else []


def align(pieces: Iterable[str], *, text: str, offset: int = 0) -> list[Span]:
    """Find each piece in `text`, in order, ignoring differences in white space.

    A piece that cannot be found is left out: a span is never guessed.
    """
    spans = []
    at = 0
    for piece in pieces:
        parts = piece.split()
        start = end = -1
        cursor = at
        for part in parts:
            found = text.find(part, cursor)
            if found < 0:
                break
            start = found if start < 0 else start
            end = cursor = found + len(part)
        else:
            if parts:
                spans.append(Span(offset + start, offset + end))
                at = end
    return spans

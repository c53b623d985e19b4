"""A directive to a draft pack: its tasks become task areas, with names and cues in its own words.

The draft is for an editor to mend; it is sound and classifies as it is (`labelled_areas = false` in the
recipe beside it). Every other facet is taken over from the pack in use.
"""

import math
import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import tomli_w

from nlp.errors import InputError, TaxonomyError
from nlp.taxonomy import load_pack
from nlp.text import fold
from nlp.types import Document, Metadata, Span, Structure
from nlp.words import segment_words

_NUMBER = re.compile(r"\s*[\divxlc]+(?:\.\d+)*[.)/]\s*|\s*[-–+•]\s*", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.;](?=\s|$)")
_CLAUSE_END = re.compile(r"[,;:.()“”\"]")
_MAX_NAME, _MAX_DEFINITION = 100, 400  # code points
_MAX_CUES, _MAX_WORDS = 14, 3
_LONGER_IS_RARER = 0.3  # a longer phrase tells more, but is met less often
# Words that neither begin nor end a cue: they join others or stand in every task.
_JOINING = frozenset(
    """
    và với của các những cho trong về theo đến từ để là có được bị do tại trên dưới cùng hoặc nhất nhằm khi
    bằng này đó như một mỗi mọi từng không chưa đã đang sẽ phải cần việc sự cuộc nhà ra vào lên qua giữa đối
    tiếp tục thực hiện tốt tăng cường nâng cao đẩy mạnh chủ động kịp thời thường xuyên hiệu quả chất lượng
    công tác năm ngày số hàng hằng nghiêm túc xác định
    """.split()  # noqa: SIM905 - a list of words reads better so
)


@dataclass(frozen=True, slots=True)
class _Part:
    """A task, or a paragraph of one."""

    number: str  # "3", or "3.2" for its second paragraph
    text: str


def draft_pack(doc: Document, structure: Structure, *, base: Path, folder: Path) -> tuple[str, ...]:
    """Write a draft pack into `folder`, which must not exist yet.

    Args:
        doc: the directive.
        structure: its form, as `nlp.structure` reads it.
        base: the pack whose other facets are taken over.
        folder: where the draft goes; its name becomes that of the pack.

    Returns:
        The codes of the new task areas.

    Raises:
        InputError: the document has fewer than two numbered tasks.
        TaxonomyError: the folder exists, or the base is no sound pack.
    """
    tasks = {
        duty.task_number: _paragraphs(doc, structure, within=Span(duty.text_start, duty.text_end))
        for duty in structure.duties
        if duty.task_number is not None
    }
    if len(tasks) < 2:
        raise InputError("the document has no numbered tasks to make task areas of")
    if folder.exists():
        raise TaxonomyError(f"{folder}: exists already; name another folder with --out")
    old = load_pack(base)
    folder.mkdir(parents=True)
    for name in old.facets:
        if name != "task_area":
            shutil.copy(base / f"{name}.toml", folder)
    areas = list(_areas(tasks))
    title = _title(structure.metadata)
    _write(folder / "task_area.toml", {"title": f"Nhiệm vụ theo {title}", "category": areas})
    pack = {
        "name": folder.name,
        "version": "0.1.0",
        "title": f"Theo {title}",
        "facets": [*old.facets],
    }
    _write(folder / "pack.toml", pack)
    _write(folder / "recipe.toml", _recipe(folder))
    (folder / "migrations.toml").write_text(
        "# Codes that changed since the version before.\n", encoding="utf-8"
    )
    (folder / "guide.md").write_text(_guide(title, areas), encoding="utf-8")
    return tuple(area["code"] for area in areas)


def _title(metadata: Metadata) -> str:
    """What the directive is called: its kind and number, as far as the document says them."""
    parts = [field.value for field in (metadata.kind, metadata.canonical) if field]
    return " ".join(map(str, parts)) or "văn bản"


def slug(name: str) -> str:
    """A folder name made of the letters and digits of a name: "07-CT/TU" becomes "07_ct_tu"."""
    return "_".join(re.findall(r"[a-z0-9]+", fold(unicodedata.normalize("NFC", name)))) or "draft"


def _paragraphs(doc: Document, structure: Structure, *, within: Span) -> list[str]:
    found = [
        doc.text[part.start : part.end]
        for part in structure.paragraphs
        if within.start <= part.start < within.end and part.role == "body"
    ]
    return found or [doc.text[within.start : within.end]]


def _areas(tasks: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    """Categories in TOML's values: a task of one paragraph is an area, one of several is a parent."""
    parts = [
        _Part(number if len(texts) == 1 else f"{number}.{i}", text)
        for number, texts in tasks.items()
        for i, text in enumerate(texts, start=1)
    ]
    cues = _cues([part.text for part in parts])
    named = dict(zip(parts, cues, strict=True))
    for number, texts in tasks.items():
        own = [
            part for part in parts if part.number in {number, *_paragraph_numbers(number, texts)}
        ]
        if len(texts) > 1:
            yield _area(f"NV{number}", texts[0], gloss=f"Task {number}", stems=[number])
        for part in own:
            paragraph = part.number.removeprefix(number).lstrip(".")
            stem = f"{number} para {paragraph}" if paragraph else number
            area = _area(f"NV{part.number}", part.text, gloss=f"Task {stem}", stems=[stem])
            area["cues"] = named[part]
            if paragraph:
                area["parent"] = f"NV{number}"
            yield area


def _paragraph_numbers(number: str, texts: Sequence[str]) -> list[str]:
    return [f"{number}.{i}" for i in range(1, len(texts) + 1)]


def _area(code: str, text: str, *, gloss: str, stems: list[str]) -> dict[str, Any]:
    bare = text[match.end() :] if (match := _NUMBER.match(text)) else text
    bare = " ".join(bare.split())
    sentence = bare[: end.start()] if (end := _SENTENCE_END.search(bare)) else bare
    return {
        "code": code,
        "name": _cut(_CLAUSE_END.split(sentence)[0] or sentence, _MAX_NAME),
        "gloss": gloss,
        "definition": _cut(sentence, _MAX_DEFINITION) + ".",
        "stems_from": stems,
        "occurs_in": ["official", "opinion"],
    }


def _cut(text: str, length: int) -> str:
    """At most `length` code points, cut between words."""
    return text if len(text) <= length else text[: text.rfind(" ", 0, length)]


def _cues(texts: Sequence[str]) -> list[list[str]]:
    """For each text the phrases of one to three words that tell it from the others, best first."""
    counted = [Counter(_phrases(text)) for text in texts]
    spread = Counter(phrase for own in counted for phrase in own)
    chosen = []
    for own in counted:
        weight = {
            phrase: n
            * math.log((1 + len(texts)) / spread[phrase])
            * len(phrase.split()) ** _LONGER_IS_RARER
            for phrase, n in own.items()
        }
        kept: list[str] = []
        for phrase in sorted(weight, key=lambda phrase: (-round(weight[phrase], 6), phrase)):
            if len(kept) < _MAX_CUES and not any(
                phrase in other or other in phrase for other in kept
            ):
                kept.append(phrase)
        chosen.append(kept)
    return chosen


def _phrases(text: str) -> Iterator[str]:
    """Runs of up to three neighbouring words, at least two syllables, none torn by punctuation."""
    words = segment_words(text)
    for size in range(1, _MAX_WORDS + 1):
        for i in range(len(words) - size + 1):
            run = words[i : i + size]
            if any(text[a.end : b.start].strip() for a, b in pairwise(run)):
                continue
            first, last = (text[word.start : word.end].lower() for word in (run[0], run[-1]))
            if _is_joining(first) or _is_joining(last):
                continue
            phrase = " ".join(text[run[0].start : run[-1].end].split())
            if " " in phrase and not phrase.replace(" ", "").isdigit():
                yield phrase[0].lower() + phrase[1:] if phrase[1:].islower() else phrase


def _is_joining(word: str) -> bool:
    return set(word.split()) <= _JOINING


def _recipe(folder: Path) -> dict[str, Any]:
    return {
        "name": folder.name,
        "version": "0.1.0",
        "taxonomy": folder.as_posix(),
        "corpus": "corpus/labelled/ct07",
        "lexicon": "corpus/lexicons/ct07",
        "labelled_areas": False,
        "sources": ["corpus/labelled/ct07 without its task areas; the pack's own words"],
        "licence": "Apache-2.0",
    }


def _guide(title: str, areas: Sequence[dict[str, Any]]) -> str:
    rows = "\n".join(f"| {area['code']} | {area['name']} |" for area in areas)
    return (
        f"# Guide to a draft pack: {title}\n\nDrafted from the document; nobody has read it yet. Mend names,"
        " definitions and cues, merge what cannot be told apart, say where each area occurs, and write down"
        f" the borders.\n\n| code | name |\n|---|---|\n{rows}\n"
    )


def _write(path: Path, values: dict[str, Any]) -> None:
    path.write_text(tomli_w.dumps(values, multiline_strings=False), encoding="utf-8")

"""The labelled corpus as checked values, with splits fixed by the hash of each text.

The format is described in `corpus/labelled/ct07/README.md`.
"""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from nlp.errors import CorpusError
from nlp.taxonomy import OccursIn, Taxonomy
from nlp.text import to_nfc
from nlp.types import Intent, Sentiment, Tone

ExampleKind = Literal["official", "opinion", "other"]
Split = Literal["train", "test"]
_FOLDERS: dict[str, ExampleKind] = {"official": "official", "opinions": "opinion", "other": "other"}
N_FOLDS = 5
_PLAIN = "plain"
_TEST_SHARE = 26  # of 256: a tenth


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled text; what does not apply to its kind is empty or None.

    `plain` texts are written in the register of real ones (tag `plain`); `fold` in [0, 5) groups the
    training texts for cross-validation. `facets` are those that somebody labelled where not all were asked
    (None: all were): the others say nothing, not even "none".
    """

    text: str
    kind: ExampleKind
    task_area: tuple[str, ...] = ()
    tone: Tone | None = None
    heading: str | None = None
    civic_field: tuple[str, ...] = ()
    sentiment: Sentiment | None = None
    intent: Intent | None = None
    source: str = ""
    plain: bool = False
    facets: tuple[str, ...] | None = None

    @property
    def sha256(self) -> str:
        """SHA-256 of the NFC text in UTF-8, hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def context(self) -> str:
        """The heading it stands under, as a classifier takes it: "" for none."""
        return self.heading or ""

    @property
    def split(self) -> Split:
        """A tenth of all texts is for testing, by the first byte of the hash."""
        return "test" if int(self.sha256[:2], 16) < _TEST_SHARE else "train"

    @property
    def fold(self) -> int:
        """The cross-validation fold, by the second byte of the hash."""
        return int(self.sha256[2:4], 16) % N_FOLDS


def load_corpus(
    folder: Path, *, taxonomy: Taxonomy, with_areas: bool = True
) -> tuple[Example, ...]:
    """Load every labelled text under `folder`, in the order of file names and lines.

    Without `with_areas`, the task areas of the texts are not read: those of another pack are no use.

    Raises:
        CorpusError: a line is malformed, names an unknown code, or repeats a text; the message names
            file and line.
    """
    examples: dict[str, Example] = {}
    for name, kind in _FOLDERS.items():
        for path in sorted((folder / name).glob("*.jsonl")):
            for where, row in _rows(path):
                row = row if with_areas else row | {"task_area": []}
                example = _example(row, kind=kind, where=where, taxonomy=taxonomy)
                if example.text in examples:
                    raise CorpusError(f"{where}: the text stands in the corpus twice")
                examples[example.text] = example
    if not examples:
        raise CorpusError(f"{folder}: no labelled texts")
    return tuple(examples.values())


def load_second(
    folder: Path, *, examples: Sequence[Example], taxonomy: Taxonomy
) -> dict[str, Example]:
    """The labels of a second, blind reading of some of the texts; by SHA-256.

    `folder` has `official.jsonl` and `opinions.jsonl` with `sha256` in place of `text`, and may be absent.

    Raises:
        CorpusError: a line is malformed, or names a text that is not among `examples`.
    """
    texts = {example.sha256: example for example in examples}
    second = {}
    for name, kind in _FOLDERS.items():
        path = folder / f"{name}.jsonl"
        for where, row in _rows(path, key="sha256") if path.exists() else ():
            if row["sha256"] not in texts:
                raise CorpusError(f"{where}: no text of the corpus has this SHA-256")
            first = texts[row["sha256"]]
            labels = row | {"text": first.text, "heading": first.heading}
            second[first.sha256] = _example(labels, kind=kind, where=where, taxonomy=taxonomy)
    return second


def load_lexicon(folder: Path, *, taxonomy: Taxonomy) -> dict[str, tuple[Example, ...]]:
    """Words and phrases that speak for a label, as very short examples; by the head they teach.

    One file a head, `civic_field.tsv` and `sentiment.tsv`: a term, a tab, one or two labels.

    Raises:
        CorpusError: a line is malformed, names an unknown label, or repeats a term.
    """
    fields = taxonomy.facets["civic_field"].leaves("opinion")
    return {
        "civic_field": tuple(
            Example(term, "opinion", civic_field=labels)
            for term, labels in _terms(folder / "civic_field.tsv", allowed=fields)
        ),
        "sentiment": tuple(
            Example(term, "opinion", sentiment=labels[0])  # type: ignore[arg-type] # one of them
            for term, labels in _terms(folder / "sentiment.tsv", allowed=get_args(Sentiment))
            if len(labels) == 1
        ),
    }


def load_sentiments(
    path: Path, *, text: str, label: str, labels: Mapping[str, Sentiment]
) -> tuple[Example, ...]:
    """Rows of a comma-separated table as opinions with a sentiment alone.

    `text` and `label` name its columns, `labels` says what its values mean; other values are left out.

    Raises:
        CorpusError: the file is not at hand, or lacks a column.
    """
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = [(to_nfc(row[text]).strip(), row[label]) for row in csv.DictReader(lines)]
    except OSError as error:
        raise CorpusError(f"{path}: not at hand; this recipe needs it") from error
    except KeyError as error:
        raise CorpusError(f"{path}: has no column {error}") from error
    return tuple(
        Example(own, "opinion", sentiment=labels[value], source=path.name)
        for own, value in rows
        if own and value in labels
    )


def pack_terms(taxonomy: Taxonomy, *, kind: OccursIn) -> tuple[Example, ...]:
    """What a pack itself says of its task areas: names, definitions and cues as very short examples.

    Of a definition the first sentence; the others say what does not belong.
    """
    areas = taxonomy.facets["task_area"]
    return tuple(
        Example(to_nfc(term), kind, task_area=(code,))
        for code in areas.leaves(kind)
        for category in (areas.category(code),)
        for term in (category.name, category.definition.partition(". ")[0], *category.cues)
    )


def _terms(path: Path, *, allowed: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    known: set[str] = set()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read") from error
    for number, line in enumerate(lines, start=1):
        where = f"{path.parent.name}/{path.name}:{number}"
        term, _, rest = to_nfc(line).partition("\t")
        labels = tuple(rest.split())
        if not term.strip() or not labels or not set(labels) <= set(allowed):
            raise CorpusError(f"{where}: not a term, a tab and its labels")
        if term.lower() in known:
            raise CorpusError(f"{where}: the term stands there twice")
        known.add(term.lower())
        yield term, labels


def _rows(path: Path, *, key: str = "text") -> Iterator[tuple[str, dict[str, Any]]]:
    """Lines of a file with their place. `Any`: the values are checked in `_example`."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            where = f"{path.parent.name}/{path.name}:{number}"
            try:
                row = json.loads(line.decode("utf-8"))
            except (ValueError, RecursionError) as error:  # bad UTF-8 and bad JSON are ValueErrors
                raise CorpusError(f"{where}: not valid JSON in UTF-8") from error
            if not isinstance(row, dict) or not isinstance(row.get(key), str):
                raise CorpusError(f"{where}: not an object with a {key}")
            if not to_nfc(row[key]).strip():
                raise CorpusError(f"{where}: the {key} is empty")
            yield where, row


def _example(row: dict[str, Any], *, kind: ExampleKind, where: str, taxonomy: Taxonomy) -> Example:
    text = to_nfc(row["text"]).strip()
    plain = _PLAIN in (row.get("tags") or ())
    if kind == "other":
        return Example(text, kind, source=where)
    areas = _codes(row, "task_area", where=where, allowed=taxonomy.facets["task_area"].leaves(kind))
    if kind == "official":
        tone: Tone = _one_of(row, "tone", values=get_args(Tone), where=where)
        heading = row.get("heading")
        if heading is not None and not isinstance(heading, str):
            raise CorpusError(f"{where}: heading is neither a string nor null")
        return Example(text, kind, areas, tone, heading, source=where, plain=plain)
    fields = _codes(
        row, "civic_field", where=where, allowed=taxonomy.facets["civic_field"].leaves(kind)
    )
    if not fields:
        raise CorpusError(f"{where}: civic_field is empty; write LV00 for none of the fields")
    return Example(
        text,
        kind,
        areas,
        civic_field=fields,
        sentiment=_one_of(row, "sentiment", values=get_args(Sentiment), where=where),
        intent=_one_of(row, "intent", values=get_args(Intent), where=where),
        source=where,
        plain=plain,
    )


def _codes(
    row: dict[str, Any], key: str, *, where: str, allowed: tuple[str, ...]
) -> tuple[str, ...]:
    codes = row.get(key)
    if not isinstance(codes, list) or len(set(map(repr, codes))) != len(codes):
        raise CorpusError(f"{where}: {key} is not a list of different codes")
    unknown = [code for code in codes if code not in allowed]
    if unknown:
        raise CorpusError(f"{where}: {key} has {unknown[0]!r}, which this kind of text cannot have")
    return tuple(codes)


def _one_of(row: dict[str, Any], key: str, *, values: tuple[str, ...], where: str) -> Any:
    """The value of a closed set. `Any`: the caller's annotation narrows it to that set."""
    if row.get(key) not in values:
        raise CorpusError(f"{where}: {key} is {row.get(key)!r}, not one of {', '.join(values)}")
    return row[key]

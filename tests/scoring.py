"""How well the form of documents is read: verdicts on fields, duties and citations against facts."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapidfuzz.distance import Levenshtein

from nlp.text import fold
from nlp.types import Document, Metadata, Structure
from tests.own_documents import OwnDocument

FIELDS = ("kind", "canonical", "date", "place", "issuer", "subject", "signer", "signer_title")
VERDICTS = ("right", "wrong", "missing", "invented")
_DUTY_WORDS = 8


def same(value: object) -> str:
    """A value as it is compared: folded, white space and points at the end aside."""
    return " ".join(fold(str(value)).split()).strip(" .")


def digest(value: object) -> str:
    """The SHA-256 of a compared value, hexadecimal: facts that name a person are kept so."""
    return hashlib.sha256(same(value).encode()).hexdigest()


def verdict(found: object | None, wanted: object | None, *, hashed: bool = False) -> str:
    """Right: the fact, or nothing where the document has none. Invented: a value where it has none."""
    if found is None:
        return "right" if wanted is None else "missing"
    if wanted is None:
        return "invented"
    fits = digest(found) == wanted if hashed else same(found) == same(wanted)
    return "right" if fits else "wrong"


def verdicts(metadata: Metadata, facts: Mapping[str, Any]) -> dict[str, str]:
    """The verdict of each field that the facts speak of, `<field>_sha256` being hashed ones. `Any`: JSON."""
    told = {}
    for name in FIELDS:
        found = getattr(metadata, name)
        value = found.value if found else None
        if f"{name}_sha256" in facts:
            told[name] = verdict(value, facts[f"{name}_sha256"], hashed=True)
        elif name in facts:
            told[name] = verdict(value, facts[name])
    return told


@dataclass(slots=True)
class Score:
    """Verdicts of many documents."""

    fields: Counter[tuple[str, str]] = field(default_factory=Counter)
    whole: list[bool] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, name: str, told: Mapping[str, str]) -> None:
        """Count one document."""
        self.fields.update(told.items())
        self.whole.append(all(value == "right" for value in told.values()))
        self.failures += [
            f"{name}: {key} {value}" for key, value in told.items() if value != "right"
        ]

    @property
    def right(self) -> float:
        """The share of fields that are right, in [0, 1]."""
        n = sum(self.fields.values())
        return sum(v for (_, told), v in self.fields.items() if told == "right") / max(1, n)

    @property
    def invented(self) -> int:
        """Values where the document has none."""
        return sum(v for (_, told), v in self.fields.items() if told == "invented")


def score_duties(own: OwnDocument, doc: Document, structure: Structure) -> Counter[str]:
    """Paragraphs and rows that lay duties: `wanted`, `found`, `extra`, and of the found ones what is right.

    `actors`: every wanted actor is named, be the name longer or shorter; `exact`: the very names, no others.
    `deadline`: the same deadlines, or none.
    """
    counts: Counter[str] = Counter()
    passages = {
        (duty.text_start, duty.text_end): same(doc.text[duty.text_start : duty.text_end])
        for duty in structure.duties
    }
    used = set()
    for text in dict.fromkeys(duty["text"] for duty in own.duties):
        wanted = [duty for duty in own.duties if duty["text"] == text]
        key = " ".join(same(text).split()[:_DUTY_WORDS])
        counts["wanted"] += 1
        at = next((place for place, words in passages.items() if key in words), None)
        if at is None:
            continue
        used.add(at)
        counts["found"] += 1
        found = [duty for duty in structure.duties if (duty.text_start, duty.text_end) == at]
        names = [same(actor) for duty in found for actor in duty.actors]
        asked = [same(actor) for duty in wanted for actor in duty["actors"]]
        counts["actors"] += all(any(a in n or n in a for n in names) for a in asked)
        counts["exact"] += set(names) == set(asked)
        deadlines = {duty.deadline for duty in found} - {None}
        counts["deadline"] += deadlines == {duty["deadline"] for duty in wanted} - {None}
        recurs = any(duty.recurrence for duty in found)
        counts["recurrence"] += recurs == any(duty["recurrence"] for duty in wanted)
        reports = any(duty.report_to for duty in found)
        counts["report_to"] += reports == any(duty["report_to"] for duty in wanted)
    counts["extra"] = len(set(passages) - used)
    return counts


def score_citations(own: OwnDocument, doc: Document, structure: Structure) -> Counter[str]:
    """Mentions of other documents: `wanted`, `found`, and of these with the right `canonical`; `extra`.

    Of a law named without its number the facts tell none: the register of laws may.
    """
    mentions = [(c.canonical, same(doc.text[c.start : c.end])) for c in structure.citations]
    counts: Counter[str] = Counter()
    used: set[int] = set()
    for wanted in own.citations:
        text = same(wanted["text"])
        at = next(
            (i for i, (_, own_text) in enumerate(mentions) if text in own_text or own_text in text),
            None,
        )
        counts["wanted"] += 1
        if at is not None:
            used.add(at)
            counts["found"] += 1
            counts["canonical"] += wanted["canonical"] in {None, mentions[at][0]}
    counts["extra"] = len(mentions) - len(used)
    return counts


def error_rate(found: str, wanted: str) -> float:
    """The character error rate: edits over wanted characters, white space collapsed."""
    one, other = " ".join(found.split()), " ".join(wanted.split())
    return Levenshtein.distance(one, other) / max(1, len(other))


def percent(part: float, whole: float) -> str:
    """A share with one decimal."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def rows(score: Score) -> Sequence[tuple[object, ...]]:
    """A line a field: its name, the four verdicts, the share that is right."""
    lines = []
    for name in FIELDS:
        numbers = [score.fields[name, told] for told in VERDICTS]
        if sum(numbers):
            lines.append((name, *numbers, percent(numbers[0], sum(numbers))))
    return lines

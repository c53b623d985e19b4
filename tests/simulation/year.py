"""A year of listening that never was: what comes in day by day, and what is hidden in it.

The texts are the labelled opinions of the corpus, in an order in which none comes again within ninety days:
nothing is a re-post but what is planted as one. The days lie before any clock that runs this.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import numpy as np

from models.corpus import load_corpus
from nlp.hints import DENUNCIATION, find_hints, load_triage
from nlp.taxonomy import load_pack
from tests.conftest import ROOT

FIRST = date(2024, 10, 7)  # a Monday
N_DAYS = 364
PER_DAY = 200
SHARE_PERSONAL, SHARE_DENUNCIATIONS = 0.05, 0.02
SOURCES = {"hotline": 0.5, "portal": 0.35, "forum": 0.15}
_WEEK = (1.2, 1.15, 1.1, 1.1, 1.05, 0.75, 0.65)  # Monday to Sunday
CANARY = "0977"  # how every telephone number here begins
_NAMES = ("Đỗ Thị Mận", "Lường Văn Bền", "Tống Khánh Vy", "Cao Xuân Quế")
_N_SPAM = 2_000  # different texts of the flood
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Event:
    """Something planted: from which day on, for how many days, how many a day."""

    name: str
    start: int
    n_days: int
    per_day: tuple[int, ...]

    @property
    def days(self) -> range:
        """Its days, counted from the first of the year."""
        return range(self.start, self.start + self.n_days)

    def date_of(self, day: int) -> date:
        """The date of one of its days."""
        return FIRST + timedelta(days=day)


SUDDEN = Event("LV03", 150, 5, (60,) * 5)
RAMP = Event("LV08", 300, 10, tuple(range(8, 88, 8)))
WARD = Event("00103", 250, 5, (30,) * 5)  # phường Tây Hồ, Hà Nội
FLOOD = Event("forum", 200, 1, (50_000,))
CAMPAIGNS = (Event("a004", 110, 3, (60,) * 3), Event("a067", 340, 2, (100,) * 2))
EVENTS = (SUDDEN, RAMP, WARD, FLOOD, *CAMPAIGNS)


@dataclass
class Year:
    """Makes the rows of every day; `sent` counts what was planted."""

    seed: int = 7
    n_flood: int = 50_000
    sent: dict[str, int] = field(default_factory=dict)
    _number: int = 0

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)
        folder = ROOT / "corpus"
        pack = load_pack(folder / "taxonomies" / "ct07")
        examples = [
            own
            for own in load_corpus(folder / "labelled" / "ct07", taxonomy=pack)
            if own.kind == "opinion"
        ]
        # those of a rise, and of the flood, come at no other time, or they would be re-posts
        self._of_field = {
            event.name: [own.text for own in examples if own.civic_field[:1] == (event.name,)][
                : sum(event.per_day)
            ]
            for event in (SUDDEN, RAMP)
        }
        reserved = {text for texts in self._of_field.values() for text in texts}
        usual = [own.text for own in examples if own.text not in reserved]
        shuffled: list[str] = [usual[i] for i in self._random.permutation(len(usual))]
        self._spam, self._texts = shuffled[:_N_SPAM], shuffled[_N_SPAM:]
        self._accusing = _accusing()
        self._letters = _letters([event.name for event in CAMPAIGNS])
        self._next = 0

    def days(self) -> Iterator[list[Row]]:
        """The rows of each day."""
        for day in range(N_DAYS):
            rows = list(self._usual(day))
            for event in EVENTS:
                if day in event.days:
                    rows += self._planted(event, day)
            yield rows

    def _usual(self, day: int) -> Iterator[Row]:
        n_texts = self._random.poisson(PER_DAY * _WEEK[day % 7])
        for source in self._sources(int(n_texts)):
            chance = self._random.random()
            if chance < SHARE_DENUNCIATIONS:
                text = self._accusing[self._count("denunciations") % len(self._accusing)]
            else:
                text = self._fresh()
                if chance < SHARE_DENUNCIATIONS + SHARE_PERSONAL:
                    text = f"{text} {self._personal()}"
            yield self._row(text, day=day, source=source)

    def _planted(self, event: Event, day: int) -> list[Row]:
        n_texts = event.per_day[day - event.start]
        if event is FLOOD:
            chosen = [self._spam[i % _N_SPAM] for i in range(self.n_flood)]
            return [self._row(text, day=day, source="forum") for text in chosen]
        texts: Sequence[str]
        if event in CAMPAIGNS:
            texts = self._letters[event.name]
            chosen = [texts[self._count(event.name) % len(texts)] for _ in range(n_texts)]
        elif event is WARD:
            chosen = [
                f"{self._fresh()} Chuyện này ở phường Tây Hồ, Hà Nội." for _ in range(n_texts)
            ]
        else:
            texts = self._of_field[event.name]
            chosen = [texts[self._count(event.name) % len(texts)] for _ in range(n_texts)]
        if event in CAMPAIGNS:
            return [self._row(text, day=day, source="portal") for text in chosen]
        return [
            self._row(text, day=day, source=source)
            for text, source in zip(chosen, self._sources(n_texts), strict=True)
        ]

    def _sources(self, n_texts: int) -> list[str]:
        names, shares = zip(*SOURCES.items(), strict=True)
        return [str(name) for name in self._random.choice(names, n_texts, p=shares)]

    def _fresh(self) -> str:
        self._next += 1
        return self._texts[self._next % len(self._texts)]

    def _personal(self) -> str:
        number = self._count("personal")
        return (
            f"Tôi là {_NAMES[number % len(_NAMES)]}, gọi tôi số {CANARY}{number % 1_000_000:06d}."
        )

    def _count(self, name: str) -> int:
        number = self.sent.get(name, 0)
        self.sent[name] = number + 1
        return number

    def _row(self, text: str, *, day: int, source: str) -> Row:
        self._number += 1
        minute = int(self._random.integers(60, 1_000))  # of the day in UTC: the same day in Vietnam
        posted = datetime.combine(FIRST, datetime.min.time(), UTC) + timedelta(
            days=day, minutes=minute
        )
        return {
            "source": source,
            "external_id": str(self._number),
            "text": text,
            "posted_at": posted.isoformat(),
        }


def _accusing() -> list[str]:
    """Hand-written denunciations that the rules at the door know for such."""
    rules = load_triage(ROOT / "corpus" / "registers")
    texts = []
    for path in sorted((ROOT / "corpus" / "labelled" / "triage").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if (
                row.get("channel") == DENUNCIATION
                and find_hints(row["text"], rules=rules).channel == DENUNCIATION
            ):
                texts.append(row["text"])
    return texts


def _letters(groups: Sequence[str]) -> Mapping[str, list[str]]:
    """The texts of some groups of re-posts, the original first."""
    found: dict[str, list[str]] = {group: [] for group in groups}
    for part in ("development", "held_out"):
        path = ROOT / "corpus" / "labelled" / "reposts" / f"{part}.jsonl"
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["group"] in found:
                found[row["group"]].append(row["text"])
    return found

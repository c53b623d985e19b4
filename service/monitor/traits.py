"""What is found in a citizen's text at the door: channel, urgency, places, re-posts.

Here, and nowhere else, it is decided what reads like a denunciation: what the rules find, or the learned
score. Every door asks, and so do the jobs that read old texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.denunciation import load_score
from nlp.gazetteer import Gazetteer, load_gazetteer
from nlp.hints import DENUNCIATION, Accusations, TriageRules, find_all_hints, load_triage
from nlp.places import find_mentions
from nlp.quality import profile
from nlp.reposts import Runs, find_buckets
from nlp.types import Hints
from service.store.records import Traits


@dataclass(frozen=True, slots=True)
class Rules:
    """What the door reads by."""

    triage: TriageRules
    gazetteer: Gazetteer
    accusations: Accusations


def load_rules(registers: Path) -> Rules:
    """The rules of a folder of registers, and the score for denunciations that comes with the code.

    Raises:
        CorpusError: a register is missing or malformed.
        ArtifactError: the score is missing or damaged.
    """
    return Rules(load_triage(registers), load_gazetteer(registers), load_score().find)


def read_hints(texts: Sequence[str], *, rules: Rules) -> list[Hints]:
    """The triage hints of masked texts, in their order."""
    return find_all_hints(texts, rules=rules.triage, accusations=rules.accusations)


def is_denunciation(found: Hints | Traits) -> bool:
    """Whether a text with these hints or traits reads like a denunciation, and so is sealed."""
    return found.channel == DENUNCIATION


def read_traits(texts: Sequence[str], *, rules: Rules) -> list[Traits]:
    """The traits of masked texts, in their order."""
    hints = read_hints(texts, rules=rules)
    buckets = find_buckets([Runs.of(text) for text in texts])
    return [
        _traits(text, hints=own, rules=rules, buckets=its)
        for text, own, its in zip(texts, hints, buckets, strict=True)
    ]


def _traits(text: str, *, hints: Hints, rules: Rules, buckets: tuple[int, ...]) -> Traits:
    written = profile(text)
    named: dict[tuple[str, str], int] = {}
    for mention in find_mentions(text, gazetteer=rules.gazetteer):
        for code in mention.codes:
            key = (mention.kind, code)
            named[key] = min(named.get(key, len(mention.codes)), len(mention.codes))
    return Traits(
        hints.channel,
        hints.urgency,
        written.n_syllables,
        written.plain_share,
        written.unknown_share,
        buckets,
        tuple((kind, code, n_candidates) for (kind, code), n_candidates in sorted(named.items())),
    )

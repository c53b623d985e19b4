"""What rules find in a citizen's text at the door, without a model: channel, urgency, places, re-posts."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nlp.gazetteer import Gazetteer, load_gazetteer
from nlp.hints import TriageRules, find_hints, load_triage
from nlp.places import find_mentions
from nlp.quality import profile
from nlp.reposts import Runs, find_buckets
from service.store.records import Traits


@dataclass(frozen=True, slots=True)
class Rules:
    """What the door reads by."""

    triage: TriageRules
    gazetteer: Gazetteer


def load_rules(registers: Path) -> Rules:
    """The rules of a folder of registers.

    Raises:
        CorpusError: a register is missing or malformed.
    """
    return Rules(load_triage(registers), load_gazetteer(registers))


def read_traits(texts: Sequence[str], *, rules: Rules) -> list[Traits]:
    """The traits of masked texts, in their order."""
    buckets = find_buckets([Runs.of(text) for text in texts])
    return [
        _traits(text, rules=rules, buckets=own) for text, own in zip(texts, buckets, strict=True)
    ]


def _traits(text: str, *, rules: Rules, buckets: tuple[int, ...]) -> Traits:
    hints, written = find_hints(text, rules=rules.triage), profile(text)
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

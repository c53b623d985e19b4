"""Triage hints for an opinion: its channel in law, how urgent it is, and what it lacks to be handled.

An ordered list of rules decides (`corpus/registers/triage.toml`): the first whose cues are all there, and
none of those that speak against it, gives the answer, and its cues are the evidence. Beside the rules a
learned score may find denunciations that none of their cues tells. A hint sorts the desk; it is never a
finding about a person.

Source: Luật Tố cáo 2018 (Law on denunciations), art. 2; Luật Khiếu nại 2011 (Law on complaints), art. 2;
Luật Tiếp công dân 2013 (Law on receiving citizens), art. 2, which tells kiến nghị and phản ánh apart.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from nlp.cues import PLAIN, Lexicon, Reading, find_cues, word_forms
from nlp.errors import CorpusError
from nlp.types import HintEvidence, Hints, Span

Channel = Literal["phản ánh", "kiến nghị", "khiếu nại", "tố cáo", "hỏi đáp", "không rõ"]
Urgency = Literal["life_safety", "time_bound", "normal"]
Item = Literal["place", "time", "body", "object"]
# Of each text that reads like a denunciation the words that say so; None for the others.
Accusations = Callable[[Sequence[str]], Sequence[tuple[Span, ...] | None]]
DENUNCIATION: Channel = "tố cáo"
_UNCLEAR: Channel = "không rõ"
_NORMAL: Urgency = "normal"
_PASSING = "passing"
_MAX_SPANS = 6  # of evidence; more proves nothing more
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Rule:
    """An answer, what must be there for it (of each need one of its cues), and what must not.

    `of` are the channels a rule about missing things holds for; `max_content` the number of words that say
    something beyond which a text is not empty; `within` how many characters may lie between cues of the
    first two needs.
    """

    __pydantic_config__ = _STRICT
    answer: Channel | Urgency | Item
    needs: tuple[frozenset[str], ...] = ()
    unless: frozenset[str] = frozenset()
    of: tuple[Channel, ...] = ()
    max_content: int | None = None
    within: int | None = None

    def evidence(self, found: Mapping[str, tuple[Span, ...]]) -> tuple[Span, ...] | None:
        """The spans that speak for the answer; None where the rule does not hold."""
        if not self.unless.isdisjoint(found):
            return None
        for need in self.needs:
            if need.isdisjoint(found):
                return None
        met = [[span for cue in need & found.keys() for span in found[cue]] for need in self.needs]
        if not all(met):  # a text without diacritics has a cue without words
            return None
        if self.within is not None:
            met[:2] = _close(met[0], met[1], within=self.within)
            if not met[0]:
                return None
        return _joined(span for spans in met for span in spans)


@dataclass(frozen=True, slots=True)
class TriageRules:
    """The rules in their order, and the phrases of their cues; `empty` words say nothing of a matter."""

    lexicon: Lexicon
    empty: frozenset[str]
    channel: tuple[Rule, ...]
    urgency: tuple[Rule, ...]
    missing: tuple[Rule, ...]


def find_all_hints(
    texts: Sequence[str], *, rules: TriageRules, accusations: Accusations | None
) -> list[Hints]:
    """The hints of many texts, each a denunciation where the rules or `accusations` find one."""
    accusing = accusations(texts) if accusations is not None else [None] * len(texts)
    return [
        find_hints(text, rules=rules, accusing=words)
        for text, words in zip(texts, accusing, strict=True)
    ]


def find_hints(text: str, *, rules: TriageRules, accusing: tuple[Span, ...] | None = None) -> Hints:
    """Channel, urgency and what is missing, with the words that speak for them. Expects NFC.

    `accusing`: the words by which something else found a denunciation; then it is one in any case.
    """
    reading = find_cues(text, lexicon=rules.lexicon)
    channel, for_channel = _decide(rules.channel, reading, default=_UNCLEAR)
    if accusing is not None and channel != DENUNCIATION:
        channel, for_channel = DENUNCIATION, accusing
    if channel == _UNCLEAR:
        return Hints(_UNCLEAR, _NORMAL, evidence=HintEvidence(for_channel))
    urgency, for_urgency = _decide(rules.urgency, reading, default=_NORMAL)
    missing = tuple(
        rule.answer for rule in rules.missing if _lacks(rule, reading, channel=channel, rules=rules)
    )
    return Hints(
        channel, urgency, tuple(dict.fromkeys(missing)), HintEvidence(for_channel, for_urgency)
    )


@cache
def load_triage(folder: Path) -> TriageRules:
    """Read `triage.toml` of a folder of registers, once.

    Raises:
        CorpusError: the file is missing or malformed, or a rule names a cue that has no phrases.
    """
    path = folder / "triage.toml"
    try:
        data = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise CorpusError(f"register {path.name} cannot be read: {error}") from error
    named = {
        cue
        for rule in (*data.channel, *data.urgency, *data.missing)
        for cue in (*rule.unless, *(cue for need in rule.needs for cue in need))
    }
    if unknown := sorted(named - data.cues.keys() - {PLAIN}):
        raise CorpusError(
            f"register {path.name}: cue {unknown[0]} has no phrases; add it to [cues]"
        )
    lexicon = Lexicon.of(
        data.cues,
        shorthand=data.shorthand,
        dialect=data.dialect,
        unnamed=data.unnamed,
        passing=_PASSING,
    )
    return TriageRules(lexicon, word_forms(data.empty), data.channel, data.urgency, data.missing)


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The first stretches that the spans cover together, in reading order."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start < joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return tuple(joined[:_MAX_SPANS])


def _close(ones: list[Span], others: list[Span], *, within: int) -> list[list[Span]]:
    """Those of two lists that lie near one of the other."""
    pairs = [
        (a, b) for a in ones for b in others if max(a.start, b.start) - min(a.end, b.end) <= within
    ]
    return [[a for a, _ in pairs], [b for _, b in pairs]]


def _decide(
    rules: tuple[Rule, ...], reading: Reading, *, default: str
) -> tuple[str, tuple[Span, ...]]:
    for rule in rules:
        spans = rule.evidence(reading.found)
        if spans is not None:
            return rule.answer, spans
    return default, ()


def _lacks(rule: Rule, reading: Reading, *, channel: str, rules: TriageRules) -> bool:
    if channel not in rule.of or rule.evidence(reading.found) is None:
        return False
    if rule.max_content is None:
        return True
    said = sum(word.isalnum() and word not in rules.empty for word in reading.words)
    return said <= rule.max_content


class _File(BaseModel):
    model_config = _STRICT

    shorthand: dict[str, tuple[str, ...]]
    unnamed: tuple[str, ...]
    dialect: dict[str, tuple[str, ...]]
    empty: tuple[str, ...]
    cues: dict[str, tuple[str, ...]]
    channel: tuple[Rule, ...]
    urgency: tuple[Rule, ...]
    missing: tuple[Rule, ...]

"""What the filters of the lists offer: codes with the names people know them by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

from nlp.gazetteer import Gazetteer
from nlp.hints import DENUNCIATION, Channel
from nlp.places import MentionKind
from nlp.taxonomy import Facet, OccursIn
from service.actions import Desk
from service.formats import sort_key
from service.messages import say, words_of
from service.store.views import list_sources

_FACETS = ("civic_field", "task_area", "sentiment", "intent")
_DECISIONS = ("labelled", "none_of_these", "abstain")


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that can be chosen."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class ChoiceGroup:
    """Answers that belong together; without a name they stand by themselves."""

    name: str
    choices: tuple[Choice, ...]


Choices = Mapping[str, tuple[ChoiceGroup, ...]]  # by the parameter that they are values of


def choices_of_documents(desk: Desk) -> Choices:
    """What documents can be filtered by."""
    return {
        "kind": _plain((kind, say(f"lists.kind_{kind}")) for kind in words_of("kind")),
        "task_area": _of_facet(desk.pipeline.taxonomy.facets["task_area"], kind="official"),
        "decision": _decisions("page.none_of_areas"),
        "source": _sources(desk),
    }


def choices_of_opinions(desk: Desk, *, province: str | None) -> Choices:
    """What opinions can be filtered by; wards are those of one province, without one there are none."""
    facets = desk.pipeline.taxonomy.facets
    places = desk.rules.gazetteer
    channels = (channel for channel in get_args(Channel) if channel != DENUNCIATION)
    papi = (view for view in desk.pipeline.taxonomy.views if view.name == "papi")
    return {
        **{name: _of_facet(facets[name], kind="opinion") for name in _FACETS},
        "decision": _decisions("page.none_of_fields"),
        "source": _sources(desk),
        "province": _places(places, "province"),
        "ward": _places(places, "ward", within=province) if province else (),
        "body": _places(places, "body"),
        "channel": _plain((code, code[0].upper() + code[1:]) for code in channels),
        "urgency": _plain(words_of("urgency").items()),
        "reposts": _plain((code, say(f"lists.reposts_{code}")) for code in ("all", "once")),
        "papi": _plain((part.code, part.name) for view in papi for part in view.parts),
    }


def name_of(choices: Choices, name: str, *, code: str) -> str | None:
    """What a code is called; None where it is no choice."""
    for group in choices.get(name, ()):
        for choice in group.choices:
            if choice.code == code:
                return choice.name
    return None


def _plain(pairs: Iterable[tuple[str, str]]) -> tuple[ChoiceGroup, ...]:
    return (ChoiceGroup("", tuple(Choice(code, name) for code, name in pairs)),)


def _decisions(none_of_these: str) -> tuple[ChoiceGroup, ...]:
    """The decisions that a person looks for, each in the words of its list."""
    names = (say("lists.labelled"), say(none_of_these), say("page.abstain"))
    return _plain(zip(_DECISIONS, names, strict=True))


def _sources(desk: Desk) -> tuple[ChoiceGroup, ...]:
    names = sorted((source.name for source in list_sources(desk.engine)), key=sort_key)
    return _plain((name, name) for name in names)


def _places(
    places: Gazetteer, kind: MentionKind, *, within: str | None = None
) -> tuple[ChoiceGroup, ...]:
    named = (
        (code, name)
        for (own, code), name in places.names.items()
        if own == kind and (within is None or places.province_of(code) == within)
    )
    return _plain(sorted(named, key=lambda pair: sort_key(pair[1])))


def _of_facet(facet: Facet, *, kind: OccursIn) -> tuple[ChoiceGroup, ...]:
    """The categories of a kind of text in the order of the pack; a parent begins its group."""
    leaves = {code: facet.category(code) for code in facet.leaves(kind)}
    leaves.pop(facet.reject_code or "", None)
    groups: list[ChoiceGroup] = []
    for parent in dict.fromkeys(own.parent for own in leaves.values()):
        below = tuple(Choice(c, own.name) for c, own in leaves.items() if own.parent == parent)
        if parent is None:
            groups.append(ChoiceGroup("", below))
        else:
            name = facet.category(parent).name
            whole = Choice(parent, say("lists.whole_group", name=name))
            groups.append(ChoiceGroup(name, (whole, *below)))
    return tuple(groups)

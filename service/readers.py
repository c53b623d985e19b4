"""How far people agree with each other, and with what models say now. Nobody is rated.

No figure is of one person: readers have no names here, and what fewer than two have done is left out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.agreement import Answers, Reliability, reliability
from service.actions import Desk
from service.reviewing import packs_at_hand
from service.store.corrections import Correction, Layer, Packs, carried, read_layer
from service.store.dialect import snapshot
from service.store.readings import read_models, read_newest
from service.store.records import Answer
from service.store.tables import FACETS

MIN_READERS = 2
LOOKED_AT = 10_000  # of the newest corrections


@dataclass(frozen=True, slots=True)
class AgainstModel:
    """How often people left a model's label (or its `none_of_these`) as it is, and how often not."""

    label: str
    n_confirmed: int
    n_corrected: int


@dataclass(frozen=True, slots=True)
class FacetAgreement:
    """One facet: readers with each other (None where no item has two), and with models by their label."""

    facet: str
    between_readers: Reliability | None
    against_model: tuple[AgainstModel, ...]


def agreement_of(desk: Desk) -> tuple[FacetAgreement, ...]:
    """Agreement over the newest corrections, facet by facet."""
    packs = packs_at_hand(desk)
    with snapshot(desk.engine) as connection:
        layer = read_layer(connection)
        if layer is None:
            return tuple(FacetAgreement(facet, None, ()) for facet in FACETS)
        words = read_newest(connection, n=LOOKED_AT)
        said = read_models(connection, words)
    readings = {
        place: dict(_carried(own, layer=layer, packs=packs)) for place, own in words.items()
    }
    return tuple(
        FacetAgreement(
            facet,
            _between([own for place, own in readings.items() if place[1] == facet]),
            tuple(
                _against(
                    (answer, readings[place]) for place, answer in said.items() if place[1] == facet
                )
            ),
        )
        for facet in FACETS
    )


def _carried(
    words: Sequence[Correction], *, layer: Layer, packs: Packs
) -> Iterator[tuple[str, Answers]]:
    """The last word of each reader under the version that views read, in the order it was said."""
    last = {word.made_by: word for word in words}
    for word in sorted(last.values(), key=words.index):
        codes = carried(word, layer.pack, packs=packs)
        if codes is not None:
            yield word.made_by, frozenset(codes)


def _between(readings: Iterable[Mapping[str, Answers]]) -> Reliability | None:
    units = [tuple(own.values()) for own in readings if len(own) >= MIN_READERS]
    return reliability(units) if units else None


def _against(
    pairs: Iterable[tuple[Answer, Mapping[str, Answers]]],
) -> Iterator[AgainstModel]:
    """What models say beside what counts of people's words; a model's doubt is no answer."""
    readers: dict[str, set[str]] = defaultdict(set)
    confirmed, corrected = Counter[str](), Counter[str]()
    for answer, own in pairs:
        if answer.decision not in {"labelled", "none_of_these"} or not own:
            continue
        name, codes = list(own.items())[-1]
        readers[answer.label].add(name)
        counts = confirmed if codes == frozenset(answer.codes) else corrected
        counts[answer.label] += 1
    for label in sorted(readers):
        if len(readers[label]) >= MIN_READERS:
            yield AgainstModel(label, confirmed[label], corrected[label])

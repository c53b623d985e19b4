"""What people said of an item, as its page shows it: never who said it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from nlp.taxonomy import Taxonomy
from service.store.corrections import Correction, Packs, carried, standing_words
from service.ui.view import category_name


@dataclass(frozen=True, slots=True)
class Spoken:
    """What people said of one facet and what of it stands.

    `at`: when the word was said that stands. `is_own`: the reader said it and may take it back. `lost`: the
    names of labels that have no place in the version that views read, so that the machine's stand.
    """

    at: datetime | None = None
    is_own: bool = False
    lost: tuple[str, ...] = ()
    lost_version: str = ""

    @property
    def stands(self) -> bool:
        """Whether a person's word stands."""
        return self.at is not None


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was said, under the names of its time; without names it was none of them."""

    at: datetime
    title: str
    facet: str
    decision: str
    names: tuple[str, ...]
    version: str


def spoken_of(
    corrections: Sequence[Correction],
    facet: str,
    *,
    taxonomy: Taxonomy,
    packs: Packs,
    reader: str,
) -> Spoken:
    """What people said of a facet.

    Args:
        corrections: of the item, the newest first.
        facet: the one that is asked about.
        taxonomy: the version that views read.
        packs: the versions at hand.
        reader: the name of whoever looks.
    """
    words = standing_words(word for word in reversed(corrections) if word.facet == facet)
    if not words:
        return Spoken()
    last = words[-1]
    is_own = last.made_by == reader
    if carried(last, (taxonomy.name, taxonomy.version), packs=packs) is not None:
        return Spoken(last.made_at, is_own)
    names = _names(last, packs=packs, fallback=taxonomy)
    return Spoken(is_own=is_own, lost=names, lost_version=last.taxonomy_version)


def history_of(
    corrections: Sequence[Correction], *, taxonomy: Taxonomy, packs: Packs
) -> Iterator[Line]:
    """Everything that was said, the newest first."""
    for word in corrections:
        yield Line(
            word.made_at,
            taxonomy.facets[word.facet].title,
            word.facet,
            word.decision,
            _names(word, packs=packs, fallback=taxonomy),
            word.taxonomy_version,
        )


def _names(word: Correction, *, packs: Packs, fallback: Taxonomy) -> tuple[str, ...]:
    pack = packs.get((word.taxonomy, word.taxonomy_version), fallback)
    return tuple(category_name(pack, word.facet, code=code) for code in word.codes)

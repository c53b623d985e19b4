"""One question of the queue as a reader meets it: the text, what the machine holds likely, what may be said.

Whoever reads an item a second time sees nothing of what was said before; whoever is the first says beside the
answer which labels they saw, so that two who answer at once notice each other.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from nlp.pipeline import Request
from nlp.taxonomy import Category, Facet, OccursIn
from nlp.types import AssignedLabel, KindAsked, Span
from service.actions import Desk, open_item
from service.review_queue import Entry, next_to_review
from service.reviewing import FACETS_OF, WITH_NONE, standing_pack
from service.store.corrections import standing_words
from service.store.days import start_of_day
from service.store.dialect import snapshot
from service.store.errors import NotFound
from service.store.readings import count_since
from service.store.records import labels_of
from service.store.review import Waiting, Wanted, count_waiting
from service.store.views import Stored

MAX_GUESSES = 9  # the keys 1 to 9
_MAX_ENTRIES = 100  # of the queue that are looked through for an item that is asked for
_LIKELY = 0.02  # less is no guess, but noise of the calibration
_AT_LEAST = 3
_FEW = 5  # categories; of so few all are shown
_WEIGHED_CHARS = 100_000  # a longer text is not read again while somebody waits
_HEX = 8  # of the end of an id, enough to tell the items of one day's reading apart


@dataclass(frozen=True, slots=True)
class Place:
    """A facet of an item; in addresses it is the id with the first letter of the facet."""

    item_id: str
    facet: str

    @property
    def key(self) -> str:
        """As it stands in addresses."""
        return self.item_id + self.facet[0]

    @property
    def short_key(self) -> str:
        """Enough of it to be told from others."""
        return self.key[-_HEX - 1 :]

    @classmethod
    def of_key(cls, key: str) -> "Place":
        """The place of a key that was checked to be one."""
        facet = next(facet for facet in FACETS_OF["opinion"] if facet[0] == key[-1])
        return cls(key[:-1], facet)


@dataclass(frozen=True, slots=True)
class Choice:
    """A category that may be said; the answer that is `standing` has it, or that of a `newer` run."""

    category: Category
    probability: float | None
    standing: bool
    newer: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Categories under the same one above them; no name where there is none above."""

    name: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a reader; `entry` is None where the item was asked for and stands in no queue.

    `item` is as models have it. `evidence` speaks for the likeliest category, `first`: None is none of them,
    which has `none_probability`. `said` and `decision` are the answer that shows now, or that of models where
    the reader `is_blind`; `by_person`: a person has said it.
    """

    place: Place
    item: Stored
    entry: Entry | None
    first: str | None
    evidence: tuple[Span, ...]
    none_probability: float | None
    best: tuple[Choice, ...]
    groups: tuple[Group, ...]
    has_none: bool
    said: tuple[str, ...]
    decision: str
    is_blind: bool
    by_person: bool


@dataclass(frozen=True, slots=True)
class Day:
    """What everybody together did today, and what waits."""

    n_done: int
    waiting: Waiting


def next_question(desk: Desk, wanted: Wanted, *, passed: Collection[str]) -> Question | None:
    """The most useful question but for those passed over, by their short keys; None when all is done."""
    for entry in next_to_review(desk, wanted, limit=len(passed) + 2):
        place = Place(entry.id, entry.facet)
        if place.short_key not in passed:
            try:
                return _ask(desk, place, entry=entry)
            except NotFound:  # erased since the queue was read
                continue
    return None


def this_question(desk: Desk, wanted: Wanted, place: Place) -> Question:
    """The question about one facet of one item, whether it stands in the queue or not.

    Raises:
        NotFound: no item has this id.
    """
    around = replace(wanted, facets=(place.facet,), kind=None, source=None, reason=None)
    entries = next_to_review(desk, around, limit=_MAX_ENTRIES)
    mine = (one for one in entries if one.id == place.item_id)
    return _ask(desk, place, entry=next(mine, None))


def question_of(desk: Desk, place: Place) -> Question:
    """The question about one facet of one item as anybody may ask it, whatever waits in the queue.

    Raises:
        NotFound: no item has this id.
    """
    return _ask(desk, place, entry=None)


def day_of_board(desk: Desk, wanted: Wanted) -> Day:
    """What was done today and what waits."""
    with snapshot(desk.engine) as connection:
        n_done = count_since(connection, start_of_day(desk.now()))
        return Day(n_done, count_waiting(connection, wanted))


def _ask(desk: Desk, place: Place, *, entry: Entry | None) -> Question:
    by_models = open_item(desk, place.item_id, corrected=False)
    is_blind = entry is not None and "second_reading" in entry.reasons
    shown = by_models if is_blind else open_item(desk, place.item_id)
    answer = shown.analysis.get(place.facet, {})
    said = tuple(label["code"] for label in labels_of(answer)) if answer else ()
    weighed = _weigh(desk, by_models, place.facet)
    facet = standing_pack(desk).facets[place.facet]
    kind: OccursIn = "official" if by_models.kind == "official" else "opinion"
    leaves = {*facet.leaves(kind)} - {facet.reject_code}
    newer = entry.other.codes if entry is not None and entry.other is not None else ()
    chances = {label.code: label.probability for label in weighed}
    choices = [
        Choice(own, chances.get(own.code), standing=own.code in said, newer=own.code in newer)
        for own in facet.categories
        if own.code in leaves
    ]
    return Question(
        place=place,
        item=by_models,
        entry=entry,
        first=next((label.code for label in weighed[:1] if label.code in leaves), None),
        none_probability=chances.get(facet.reject_code or ""),
        evidence=tuple(span for label in weighed[:1] for span in label.evidence),
        best=_best(choices),
        groups=_grouped(facet, choices),
        has_none=place.facet in WITH_NONE,
        said=said,
        decision=answer.get("decision", "abstain"),
        is_blind=is_blind,
        by_person=_is_persons(shown, place.facet),
    )


def _weigh(desk: Desk, item: Stored, facet: str) -> tuple[AssignedLabel, ...]:
    """What the machine holds likely, the most probable first; of a long text what it has said of it."""
    if item.kind == "opinion" or len(item.doc.text) <= _WEIGHED_CHARS:
        kind: KindAsked = "opinion" if item.kind == "opinion" else "official"
        return desk.pipeline.weigh(Request(item.id, item.doc, kind), facet)
    return tuple(
        AssignedLabel(
            label["code"],
            label["probability"],
            tuple(Span(span["start"], span["end"]) for span in label["evidence"]),
        )
        for label in labels_of(item.analysis[facet])
    )


def _best(choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """The likely ones, and whatever a model asserts, the most probable first; of a few categories all."""
    order = sorted(choices, key=lambda one: -(one.probability or 0.0))
    said = [one for one in order if one.standing or one.newer]
    others = [one for one in order if one not in said]
    likely = [one for one in others if (one.probability or 0.0) >= _LIKELY]
    n = len(order) if len(order) <= _FEW else max(len(likely), _AT_LEAST)
    kept = [*said, *others[: max(0, min(n, MAX_GUESSES - len(said)))]]
    return tuple(one for one in order if one in kept)[:MAX_GUESSES]


def _grouped(facet: Facet, choices: Sequence[Choice]) -> tuple[Group, ...]:
    """All categories in the order of the pack, under the names of those above them."""
    names = {own.code: own.name for own in facet.categories}
    groups: dict[str, list[Choice]] = {}
    for one in choices:
        groups.setdefault(names.get(one.category.parent or "", ""), []).append(one)
    return tuple(Group(name, tuple(own)) for name, own in groups.items())


def _is_persons(item: Stored, facet: str) -> bool:
    """Whether a word of a person stands; an item as models have it knows of none."""
    return bool(standing_words(word for word in item.corrections[::-1] if word.facet == facet))

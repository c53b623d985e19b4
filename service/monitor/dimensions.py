"""By what opinions can be counted, and which groups there are.

Where the groups are known beforehand each is told, an empty one like a small one, so that its presence says
nothing. Places, bodies and channels are known only from the texts: of those only the groups that are large
enough are told.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from nlp.errors import InputError
from nlp.taxonomy import Facet, Taxonomy, View
from service.store.intake import Source
from service.store.tables import FACETS

Name = Literal[
    "civic_field", "sentiment", "intent", "task_area", "source", "province", "ward", "body",
    "channel", "urgency", "papi",
]  # fmt: skip
NAMES: tuple[Name, ...] = get_args(Name)
PLACES = ("province", "ward", "body")
_UNDECIDED = ("none_of_these", "abstain")
WORDS = ("decision", "urgency", "trends")  # sections of `service/texts/vi.toml`
Words = Mapping[str, Mapping[str, str]]
Value = tuple[str | None, ...]  # of one dimension in a row of counts


@dataclass(frozen=True, slots=True)
class Group:
    """One group: `truth` are the labels of a facet that it has by right, where an error can be corrected."""

    code: str
    name: str
    truth: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dimension:
    """A way to part opinions. An opinion stands in each group that `codes_of` gives for its value.

    `facets` are read from the answers that stand. The value of each are its codes, parted by blanks, the
    primary label first; else the decision.
    """

    name: Name
    groups: tuple[Group, ...]
    codes_of: Callable[[Value], tuple[str, ...]]
    name_of: Callable[[str], str]
    facets: tuple[str, ...] = ()
    is_many: bool = False  # an opinion may stand in several groups


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What things are called; `places` has the names of places and bodies by kind and code."""

    taxonomy: Taxonomy
    words: Words
    places: Mapping[tuple[str, str], str]


def find_view(taxonomy: Taxonomy, name: str) -> View:
    """A view of the pack.

    Raises:
        InputError: the pack has none of this name.
    """
    found = [view for view in taxonomy.views if view.name == name]
    if not found:
        raise InputError(f"the taxonomy {taxonomy.name} has no view {name!r}; see its views.toml")
    return found[0]


def build_dimension(name: Name, lexicon: Lexicon, *, sources: tuple[Source, ...] = ()) -> Dimension:
    """The dimension of this name.

    Raises:
        InputError: it is a view that the taxonomy does not have.
    """
    if name in FACETS:
        return _of_facet(name, lexicon)
    if name == "papi":
        return _of_view(find_view(lexicon.taxonomy, name))
    if name == "source":
        groups = tuple(Group(source.name, source.name) for source in sources)
        return Dimension(name, groups, _as_it_is, _as_named)
    if name in PLACES:
        places = lexicon.places
        # one that was merged since has no name
        return Dimension(
            name, (), _as_it_is, lambda code: places.get((name, code), code), is_many=True
        )
    words = lexicon.words.get(name, {})
    groups = tuple(Group(code, called) for code, called in words.items())
    return Dimension(name, groups, _as_it_is, _as_named)


def _as_it_is(value: Value) -> tuple[str, ...]:
    return (value[0],) if value[0] is not None else ()


def _as_named(code: str) -> str:
    return code


def _of_facet(name: Name, lexicon: Lexicon) -> Dimension:
    facet = lexicon.taxonomy.facets[name]
    parents = lexicon.taxonomy.parents[name]
    undecided = lexicon.words["decision"]

    @cache
    def codes_of(value: Value) -> tuple[str, ...]:
        own = [code for code in (value[0] or "").split() if code != "not_applicable"]
        return tuple(dict.fromkeys([*own, *(parents[code] for code in own if code in parents)]))

    groups = [*_categories(facet)]
    rejected = (facet.reject_code,) if facet.reject_code else ()
    # a facet that has no areas has no answer `none of these`
    decisions = _UNDECIDED if name in ("civic_field", "task_area") else _UNDECIDED[1:]
    for code in decisions:
        truth = rejected if code == "none_of_these" else ()
        groups.append(Group(code, undecided[code], truth))
    called = {category.code: category.name for category in facet.categories}
    many = name in ("civic_field", "task_area")
    return Dimension(
        name, tuple(groups), codes_of, lambda c: called.get(c, c), facets=(name,), is_many=many
    )


def _categories(facet: Facet) -> list[Group]:
    """What an opinion can be labelled with, and the areas above it."""
    leaves = [code for code in facet.leaves("opinion") if code != facet.reject_code]
    below: dict[str, tuple[str, ...]] = {code: (code,) for code in leaves}
    for code in leaves:
        parent = facet.category(code).parent
        if parent is not None:
            below[parent] = (*below.get(parent, ()), code)
    return [
        Group(own.code, own.name, below[own.code]) for own in facet.categories if own.code in below
    ]


def _of_view(view: View) -> Dimension:
    parts: dict[tuple[str, str], tuple[str, ...]] = {}
    for part in view.parts:
        for label in part.labels:
            parts[label] = (*parts.get(label, ()), part.code)
    facets = tuple(dict.fromkeys(facet for facet, _ in parts))

    @cache
    def codes_of(value: Value) -> tuple[str, ...]:
        said = zip(facets, value, strict=True)
        labels = ((facet, code) for facet, codes in said for code in (codes or "").split())
        return tuple(dict.fromkeys(part for label in labels for part in parts.get(label, ())))

    groups = tuple(Group(part.code, part.name) for part in view.parts)
    return Dimension("papi", groups, codes_of, _as_named, facets=facets, is_many=True)

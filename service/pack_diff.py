"""What is another thing in a later version of a taxonomy pack, and what of it nobody accounted for."""

from collections.abc import Iterator
from dataclasses import dataclass

from nlp.errors import TaxonomyError
from nlp.taxonomy import Facet, Migration, Taxonomy, version_key

_FIELDS = ("name", "definition", "parent", "occurs_in", "restricted")
_NOTHING = Facet("", "", (), None)


@dataclass(frozen=True, slots=True)
class Changed:
    """A category whose meaning or use is another; `fields` are those that differ."""

    facet: str
    code: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PackDiff:
    """From one version to a later one; codes stand as `facet code`.

    `moved` are the migrations between the two. `faults` are sentences: what would leave corrections of people
    without a place, or with a wrong one.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    moved: tuple[Migration, ...]
    changed: tuple[Changed, ...]
    faults: tuple[str, ...]


def compare_packs(old: Taxonomy, new: Taxonomy) -> PackDiff:
    """Everything that differs.

    Raises:
        TaxonomyError: they are different packs, or the second is the earlier one.
    """
    if old.name != new.name:
        raise TaxonomyError(f"{old.name} and {new.name} are different packs; nothing migrates")
    if version_key(new.version) < version_key(old.version):
        raise TaxonomyError(
            f"{new.version} is earlier than {old.version}; give the older one first"
        )
    before, after = _codes(old), _codes(new)
    moved = tuple(_steps(old, new))
    changed = tuple(_changed(old, new))
    faults = [*_lost(old, new, moved), *_collided(old, moved)]
    if old.version == new.version and (before != after or changed):
        faults.insert(0, f"both call themselves {new.version}; raise the version of the new one")
    return PackDiff(
        added=tuple(code for code in after if code not in before),
        removed=tuple(code for code in before if code not in after),
        moved=moved,
        changed=changed,
        faults=tuple(faults),
    )


def _codes(pack: Taxonomy) -> tuple[str, ...]:
    return tuple(
        f"{facet.name} {own.code}" for facet in pack.facets.values() for own in facet.categories
    )


def _steps(old: Taxonomy, new: Taxonomy) -> list[Migration]:
    """The migrations from the one to the other, in the order of versions."""
    low, high = version_key(old.version), version_key(new.version)
    found = [
        step
        for step in new.migrations
        if low <= version_key(step.from_version) and version_key(step.to_version) <= high
    ]
    return sorted(found, key=lambda step: version_key(step.to_version))


def _changed(old: Taxonomy, new: Taxonomy) -> Iterator[Changed]:
    for facet in old.facets.values():
        known = {own.code: own for own in new.facets.get(facet.name, _NOTHING).categories}
        for own in facet.categories:
            now = known.get(own.code)
            fields = tuple(f for f in _FIELDS if now and getattr(own, f) != getattr(now, f))
            if fields:
                yield Changed(facet.name, own.code, fields)


def _lost(old: Taxonomy, new: Taxonomy, moved: tuple[Migration, ...]) -> Iterator[str]:
    """Codes that could be given and cannot be any more, and no migration leads to one that can."""
    for facet in old.facets.values():
        steps = [step for step in moved if step.facet == facet.name]
        for own in facet.categories:
            if not old.knows(facet.name, [own.code]):
                continue  # a parent: nobody could give it
            heirs = _heirs(own.code, steps)
            lost = [code for code in sorted(heirs) if not new.knows(facet.name, [code])]
            if lost == [own.code]:
                yield f"{facet.name}: {own.code} can no longer be given, and no migration says what it became"
            elif lost:
                yield f"{facet.name}: {own.code} becomes {', '.join(lost)}, which cannot be given"


def _heirs(code: str, steps: list[Migration]) -> set[str]:
    """What a code has become; several where it was split."""
    codes = {code}
    for version in sorted({step.to_version for step in steps}, key=version_key):
        now = [step for step in steps if step.to_version == version]
        found = set()
        for own in codes:
            after = next((step.after for step in now if own in step.before), (own,))
            found |= set(after)
        codes = found
    return codes


def _collided(old: Taxonomy, moved: tuple[Migration, ...]) -> Iterator[str]:
    """Renames onto a code that somebody had given already: what it meant could not be told apart."""
    gone = {(step.facet, code) for step in moved for code in step.before}
    for step in moved:
        taken = (step.facet, step.after[0]) not in gone and old.knows(step.facet, step.after)
        if step.kind == "rename" and taken:
            yield (
                f"{step.facet}: {step.before[0]} is renamed to {step.after[0]}, which was there before;"
                " write a merge of both"
            )

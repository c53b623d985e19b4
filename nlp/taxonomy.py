"""Taxonomy packs: the categories a text can be given, as versioned data.

A pack is a folder with `pack.toml` (name, version, facets), one TOML file a facet, `guide.md` for people
and `migrations.toml` (what became of a code in a later version) and `views.toml` (other ways to group).
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from nlp.errors import TaxonomyError

OccursIn = Literal["official", "opinion"]
_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
_Model = TypeVar("_Model", bound=BaseModel)
_VERSION = re.compile(r"\d+\.\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Category:
    """One category: what it is called, what it means, where it may be predicted.

    `name` and `definition` are Vietnamese, `gloss` English. `cues` are words that often, not always, tell
    it. `stems_from` names tasks of the directive ("3 para 5"). A `restricted` category is never shown for
    a citizen's text.
    """

    code: str
    name: str
    gloss: str
    definition: str
    parent: str | None
    cues: tuple[str, ...]
    stems_from: tuple[str, ...]
    occurs_in: tuple[OccursIn, ...]
    restricted: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """One question about a text and its possible answers, in the order of the pack."""

    name: str
    title: str
    categories: tuple[Category, ...]
    reject_code: str | None

    def leaves(self, kind: OccursIn) -> tuple[str, ...]:
        """Codes that may be predicted for a kind of text: no parents, and none masked for it."""
        parents = {category.parent for category in self.categories}
        return tuple(
            category.code
            for category in self.categories
            if category.code not in parents
            and kind in category.occurs_in
            and not (category.restricted and kind == "opinion")
        )

    def category(self, code: str) -> Category:
        """The category with this code.

        Raises:
            KeyError: no such code in this facet.
        """
        for category in self.categories:
            if category.code == code:
                return category
        raise KeyError(code)


@dataclass(frozen=True, slots=True)
class Migration:
    """What became of codes of a facet between two versions of a pack; each may go both ways."""

    from_version: str
    to_version: str
    facet: str
    kind: Literal["rename", "merge", "split"]
    before: tuple[str, ...]
    after: tuple[str, ...]

    def carry(self, codes: tuple[str, ...], *, back: bool = False) -> tuple[str, ...] | None:
        """The codes as they are called afterwards; None where nobody can know: one became several."""
        old, new = (self.after, self.before) if back else (self.before, self.after)
        if not set(codes) & set(old):
            return codes
        if len(new) > 1:
            return None
        return tuple(dict.fromkeys(new[0] if code in old else code for code in codes))


@dataclass(frozen=True, slots=True)
class ViewPart:
    """A group of a view: the texts with one of these labels; `labels` are pairs of facet and code."""

    code: str
    name: str
    gloss: str
    labels: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class View:
    """Another way to group the same texts; `note` says what it must not be taken for."""

    name: str
    title: str
    note: str
    parts: tuple[ViewPart, ...]


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """A checked pack."""

    name: str
    version: str
    title: str
    facets: Mapping[str, Facet]
    migrations: tuple[Migration, ...] = ()
    views: tuple[View, ...] = ()

    @property
    def parents(self) -> dict[str, dict[str, str]]:
        """Of each facet the category above each category that has one."""
        return {
            name: {own.code: own.parent for own in facet.categories if own.parent is not None}
            for name, facet in self.facets.items()
        }

    def knows(self, facet: str, codes: Iterable[str]) -> bool:
        """Whether every code may be given to a text in this version: it exists and is no parent."""
        categories = self.facets[facet].categories if facet in self.facets else ()
        parents = {category.parent for category in categories}
        return set(codes) <= {own.code for own in categories if own.code not in parents}


def carry_codes(
    codes: tuple[str, ...], *, facet: str, under: str, to: Taxonomy, newest: Taxonomy
) -> tuple[str, ...] | None:
    """Bring labels given under one version of a pack to another, forward or back.

    `newest` is the newest version at hand: its migrations are those of all versions before it.

    Returns:
        the codes as the version `to` has them; None where a person must look: a code became several, or
        is unknown there.
    """
    start, end = version_key(under), version_key(to.version)
    back = end < start
    low, high = sorted((start, end))
    steps: dict[tuple[tuple[int, ...], tuple[int, ...]], list[Migration]] = {}
    for step in newest.migrations:
        versions = (version_key(step.from_version), version_key(step.to_version))
        if step.facet == facet and low <= versions[0] and versions[1] <= high:
            steps.setdefault(versions, []).append(step)
    for versions in sorted(steps, reverse=back):
        carried = _carry_at_once(codes, steps[versions], back=back)
        if carried is None:
            return None
        codes = carried
    return codes if to.knows(facet, codes) else None


def _carry_at_once(
    codes: tuple[str, ...], steps: Sequence[Migration], *, back: bool
) -> tuple[str, ...] | None:
    """Carry codes over steps between the same two versions: two codes may change places."""
    found: list[str] = []
    for code in codes:
        moved = (step.carry((code,), back=back) for step in steps)
        carried = next((after for after in moved if after != (code,)), (code,))
        if carried is None:
            return None
        found += carried
    return tuple(dict.fromkeys(found))


def version_key(version: str) -> tuple[int, ...]:
    """A version x.y.z in the order of versions."""
    return tuple(int(part) for part in version.split("."))


class _Entry(BaseModel):
    """A category as it stands in TOML."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: _Text
    name: _Text
    gloss: _Text
    definition: _Text
    parent: str | None = None
    cues: tuple[_Text, ...] = ()
    stems_from: tuple[_Text, ...] = ()
    occurs_in: tuple[OccursIn, ...] = ("official", "opinion")
    restricted: bool = False


class _FacetFile(BaseModel):
    """`<facet>.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: _Text
    reject_code: str | None = None
    category: tuple[_Entry, ...] = Field(min_length=1)


class _PackFile(BaseModel):
    """`pack.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Text
    version: _Text
    title: _Text
    facets: tuple[_Text, ...] = Field(min_length=1)


def load_packs(folder: Path) -> tuple[Taxonomy, ...]:
    """Every pack under `folder`, by name of its folder.

    Raises:
        TaxonomyError: as `load_pack`.
    """
    return tuple(load_pack(path.parent) for path in sorted(folder.glob("*/pack.toml")))


class _MigrationEntry(BaseModel):
    """One entry of `migrations.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_version: _Text
    to_version: _Text
    facet: _Text
    kind: Literal["rename", "merge", "split"]
    before: tuple[_Text, ...] = Field(min_length=1, alias="from")
    after: tuple[_Text, ...] = Field(min_length=1, alias="to")


class _MigrationsFile(BaseModel):
    """`migrations.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    migration: tuple[_MigrationEntry, ...] = ()


class _PartEntry(BaseModel):
    """A part of a view as it stands in TOML: under the name of a facet its codes."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, tuple[_Text, ...]]

    code: _Text
    name: _Text
    gloss: _Text


class _ViewEntry(BaseModel):
    """One entry of `views.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Text
    title: _Text
    note: _Text
    part: tuple[_PartEntry, ...] = Field(min_length=1)


class _ViewsFile(BaseModel):
    """`views.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    view: tuple[_ViewEntry, ...] = ()


def load_pack(folder: Path) -> Taxonomy:
    """Load and check a pack.

    Raises:
        TaxonomyError: a file is missing or malformed, or the categories contradict each other; the
            message names what was found.
    """
    pack = _parse(folder / "pack.toml", _PackFile)
    facets = {}
    problems = [] if _VERSION.fullmatch(pack.version) else [f"version {pack.version!r} is no x.y.z"]
    for name in pack.facets:
        file = _parse(folder / f"{name}.toml", _FacetFile)
        categories = tuple(
            Category(**entry.model_dump(exclude={"code"}), code=entry.code)
            for entry in file.category
        )
        facets[name] = Facet(name, file.title, categories, file.reject_code)
        problems += [f"{name}: {problem}" for problem in _problems(facets[name])]
    migrations = _load_migrations(folder / "migrations.toml")
    for number, step in enumerate(migrations, start=1):
        problems += [
            f"migrations.toml: entry {number}: {problem}"
            for problem in _migration_problems(step, pack=pack)
        ]
    views = _load_views(folder / "views.toml")
    problems += [f"views.toml: {problem}" for problem in _view_problems(views, facets=facets)]
    if problems:
        raise TaxonomyError(f"pack {folder.name}: " + "; ".join(problems))
    return Taxonomy(pack.name, pack.version, pack.title, facets, migrations, views)


def _load_views(path: Path) -> tuple[View, ...]:
    if not path.exists():
        return ()
    return tuple(
        View(view.name, view.title, view.note, tuple(_view_part(part) for part in view.part))
        for view in _parse(path, _ViewsFile).view
    )


def _view_part(entry: _PartEntry) -> ViewPart:
    labels = ((facet, code) for facet, own in entry.__pydantic_extra__.items() for code in own)
    return ViewPart(entry.code, entry.name, entry.gloss, tuple(labels))


def _view_problems(views: Iterable[View], *, facets: Mapping[str, Facet]) -> Iterable[str]:
    """Parts that stand twice, and labels that the pack does not have."""
    for view in views:
        codes = [part.code for part in view.parts]
        yield from (
            f"{view.name}: {code} stands twice"
            for code in sorted({code for code in codes if codes.count(code) > 1})
        )
        for part in view.parts:
            for facet, code in part.labels:
                known = [own.code for own in facets[facet].categories] if facet in facets else []
                if code not in known:
                    yield f"{view.name}: {part.code}: {facet} {code} is none of the pack"


def _load_migrations(path: Path) -> tuple[Migration, ...]:
    if not path.exists():
        return ()
    return tuple(
        Migration(**entry.model_dump()) for entry in _parse(path, _MigrationsFile).migration
    )


def _migration_problems(step: Migration, *, pack: _PackFile) -> Iterable[str]:
    """What is wrong with one migration; codes of later versions may be gone again and are not checked."""
    versions = (step.from_version, step.to_version)
    if not all(_VERSION.fullmatch(version) for version in versions):
        yield "a version is no x.y.z"
    elif version_key(step.from_version) >= version_key(step.to_version):
        yield "to_version must be later than from_version"
    if step.facet not in pack.facets:
        yield f"facet {step.facet!r} is none of the pack"
    shape = {"rename": (1, 1), "merge": (None, 1), "split": (1, None)}[step.kind]
    sizes = (len(step.before), len(step.after))
    if any(wanted not in {None, size} for wanted, size in zip(shape, sizes, strict=True)):
        yield f"a {step.kind} cannot go from {sizes[0]} to {sizes[1]} codes"


def _parse(path: Path, model: type[_Model]) -> _Model:
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise TaxonomyError(f"{path}: no such file; a pack needs it") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TaxonomyError(f"{path}: not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TaxonomyError(f"{path}: {where}: {first['msg']}") from error


def _problems(facet: Facet) -> Iterable[str]:
    """What contradicts itself in one facet."""
    codes = [category.code for category in facet.categories]
    yield from (
        f"code {code} stands twice" for code in sorted({c for c in codes if codes.count(c) > 1})
    )
    if facet.reject_code is not None and facet.reject_code not in codes:
        yield f"reject_code {facet.reject_code} is no category"
    for category in facet.categories:
        if category.parent is not None and category.parent not in codes:
            yield f"{category.code}: parent {category.parent} is no category"
        elif category.parent is not None and facet.category(category.parent).parent is not None:
            yield f"{category.code}: deeper than two levels"
        if category.restricted and "opinion" in category.occurs_in:
            yield f"{category.code}: restricted, yet occurs in opinions"

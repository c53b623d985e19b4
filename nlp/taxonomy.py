"""Taxonomy packs: the categories a text can be given, as versioned data.

A pack is a folder with `pack.toml` (name, version, facets), one TOML file a facet, `guide.md` for people
and `migrations.toml` (what became of a code in a later version).
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
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
class Taxonomy:
    """A checked pack."""

    name: str
    version: str
    title: str
    facets: Mapping[str, Facet]


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
    if problems:
        raise TaxonomyError(f"pack {folder.name}: " + "; ".join(problems))
    return Taxonomy(pack.name, pack.version, pack.title, facets)


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

"""What is asked for: a training recipe, `models/recipes/*.toml`."""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from nlp.errors import CorpusError
from nlp.features import FeatureSpec
from nlp.types import Sentiment


class SentimentTable(BaseModel):
    """A table of texts with sentiments, `models.corpus.load_sentiments`; for research recipes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    text: str
    label: str
    labels: dict[str, Sentiment]


class HeadRecipe(BaseModel):
    """What is particular to one head.

    `plain` and `other` weigh texts in the plain register of real ones and the rest; `bayes` is the share of
    naive Bayes beside the separators (heads with one answer); calibration and thresholds come from the
    plain texts where there are enough, or from all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    plain: float = 1.0
    other: float = 1.0
    bayes: float = 0.0
    calibrated_on: Literal["plain", "all"] = "plain"


class Recipe(BaseModel):
    """A training recipe, `models/recipes/*.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    version: str
    taxonomy: Path
    corpus: Path
    written: tuple[int, ...] = (1, 2)
    folded: tuple[int, ...] = (1, 2)
    characters: tuple[int, ...] = (4,)
    opening_tokens: int = 6
    min_texts: int = 2
    lexicon: Path | None = None
    lexicon_weight: float = 0.3  # of a term beside a text
    heads: dict[str, HeadRecipe] = {}
    cost: float = 1.0
    no_diacritics_weight: float = 0.3
    precision: float = 0.9
    seed: int = 0
    sources: tuple[str, ...] = ()
    licence: str = ""
    labelled_areas: bool = True  # False: task areas are learnt from the words of the pack alone
    sentiment_tables: tuple[SentimentTable, ...] = ()  # read as the terms of the lexicon are
    real: Path | None = None  # labels by hash; their half for choosing is learnt from too
    real_texts: tuple[Path, ...] = ()  # files with those texts
    registers: Path = Path("corpus/registers")
    measured: Path | None = None  # figures on real texts, kept for the card

    def head(self, name: str) -> HeadRecipe:
        """What is particular to a head; the defaults where the recipe says nothing."""
        return self.heads.get(name, HeadRecipe())

    @property
    def features(self) -> FeatureSpec:
        """Which n-grams the model reads."""
        return FeatureSpec(self.written, self.folded, self.characters, self.opening_tokens)


def load_recipe(path: Path) -> Recipe:
    """Read a recipe; relative paths in it count from the working folder.

    Raises:
        CorpusError: missing or malformed.
    """
    try:
        return Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CorpusError(f"{path}: no such recipe") from error
    except ValueError as error:  # bad UTF-8, bad TOML and bad values alike
        raise CorpusError(f"{path}: not a valid recipe: {str(error).splitlines()[0]}") from error

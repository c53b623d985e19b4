"""What is asked for: a training recipe, `models/recipes/*.toml`."""

import tomllib
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

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


class EncoderRecipe(BaseModel):
    """A transformer checkpoint and how it is fine-tuned, with the head of every question at once.

    `checkpoint` is a folder laid out as the hub does; or `hub` names one there, by its commit `revision`.
    Texts are read in windows of `max_tokens` that share `overlap`; of a longer text at most `windows` are
    learnt from, evenly spread. `bare` is the share of texts read without diacritics, `bfloat16` computes in
    mixed precision. Training ends `patience` epochs after the loss on validation was lowest.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    checkpoint: Path | None = None
    hub: str | None = None
    revision: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")
    max_tokens: int = Field(default=256, ge=16)
    overlap: int = Field(default=32, ge=0)
    windows: int = Field(default=4, ge=1)
    epochs: int = Field(default=5, ge=1)
    patience: int = Field(default=2, ge=1)
    batch: int = Field(default=16, ge=1)  # texts
    learning_rate: float = Field(default=3e-5, gt=0)
    head_learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    warmup: float = Field(default=0.1, ge=0, lt=1)  # share of the steps
    dropout: float = Field(default=0.1, ge=0, lt=1)
    bare: float = Field(default=0.15, ge=0, le=1)
    bfloat16: bool = True
    save_every: int = Field(default=200, ge=1)  # steps, besides the end of each epoch

    @model_validator(mode="after")
    def _names_one_checkpoint(self) -> Self:
        if (self.checkpoint is None) == (self.hub is None):
            raise ValueError("name either `checkpoint`, a folder, or `hub`")
        if (self.hub is None) != (self.revision is None):
            raise ValueError("`hub` and `revision`, the hash of a commit, belong together")
        if self.overlap > self.max_tokens // 4:
            raise ValueError("`overlap` is more than a quarter of `max_tokens`")
        return self


# of a linear model alone
_LINEAR_ONLY = {
    "written",
    "folded",
    "characters",
    "opening_tokens",
    "min_texts",
    "cost",
    "no_diacritics_weight",
}


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
    encoder: EncoderRecipe | None = None  # a transformer in place of the linear model

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        if self.encoder is None:
            return self
        strange = sorted(_LINEAR_ONLY & self.model_fields_set)
        strange += [f"heads.{name}.bayes" for name, own in self.heads.items() if own.bayes]
        if strange:
            raise ValueError(f"of a linear model alone: {', '.join(strange)}")
        if not self.labelled_areas:
            raise ValueError("an encoder learns from labelled texts: `labelled_areas` must be true")
        return self

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
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        what = first["msg"].removeprefix("Value error, ").splitlines()[0]
        raise CorpusError(
            f"{path}: not a valid recipe: {f'{where}: {what}' if where else what}"
        ) from error
    except ValueError as error:  # bad UTF-8 and bad TOML alike
        raise CorpusError(f"{path}: not a valid recipe: {str(error).splitlines()[0]}") from error

"""Everything that can be set, read from the environment here and nowhere else."""

from pathlib import Path

import sqlalchemy as sa
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from nlp.errors import DanvanError
from nlp.readers.child import Limits as ReadLimits
from service.actions import Limits

_ROOT = Path(__file__).parents[1]
_MIB = 1024 * 1024


class SettingsError(DanvanError):
    """A setting has a value that cannot be used."""


class Settings(BaseSettings):
    """The settings; each is the variable DANVAN_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="DANVAN_", frozen=True)

    database_url: str = Field(
        default="sqlite:///data/danvan.db",
        description="where items are kept: sqlite:///FILE or postgresql",
    )
    migrate_on_start: bool = Field(
        default=True, description="bring the database up to date when serving"
    )
    model: str = Field(
        default="default", min_length=1, description="NAME or NAME@VERSION of the model"
    )
    models_folder: Path = Field(
        default=_ROOT / "models" / "artifacts", description="where models are"
    )
    taxonomy: str = Field(default="ct07", pattern=r"^[a-z0-9_-]+$", description="the taxonomy pack")
    corpus_folder: Path = Field(
        default=_ROOT / "corpus", description="packs, registers and lexicons"
    )
    max_upload_bytes: int = Field(
        default=25 * _MIB, ge=1, description="of a file, and of any request"
    )
    max_document_chars: int = Field(default=2_000_000, ge=1, description="of a document's text")
    max_opinion_chars: int = Field(default=200_000, ge=1, description="of an opinion")
    max_batch: int = Field(
        default=256, ge=1, description="texts analysed in one pass, or in one request"
    )
    read_timeout_s: float = Field(default=30.0, gt=0, description="time to read one file")
    read_memory_bytes: int = Field(
        default=ReadLimits().memory_bytes, ge=256 * _MIB, description="memory to read one file"
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(
        default=8000, ge=0, le=65_535, description="port to listen on; 0 picks a free one"
    )

    @field_validator("database_url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        try:
            url = sa.make_url(value)
        except sa.exc.ArgumentError as error:
            raise ValueError("not a database address; write sqlite:///FILE") from error
        if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
            raise ValueError("names no file; write sqlite:///FILE")
        if url.get_backend_name() not in {"sqlite", "postgresql"}:
            raise ValueError("only sqlite and postgresql are known")
        return value

    def limits(self) -> Limits:
        """How much one caller may ask for."""
        return Limits(
            max_upload_bytes=self.max_upload_bytes,
            max_document_chars=self.max_document_chars,
            max_opinion_chars=self.max_opinion_chars,
            max_batch=self.max_batch,
            reading=ReadLimits(self.read_timeout_s, self.read_memory_bytes),
        )


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        SettingsError: a value cannot be used; it is named but not shown, as it may hold a password.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = f"DANVAN_{str(first['loc'][0]).upper()}"
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{name}: {reason} (service/README.md lists all settings)") from error

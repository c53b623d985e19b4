"""Everything that can be set, read from the environment here and nowhere else."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from nlp.errors import DanvanError
from nlp.readers.child import Limits as ReadLimits
from service.limits import Limits
from service.logs import LogFormat, LogLevel
from service.oidc import Provider
from service.sealing import Sealer

if TYPE_CHECKING:
    from sqlalchemy import URL

Mode = Literal["auto", "keys", "open"]
_ROOT = Path(__file__).parents[1]
_SECRETS = "/run/secrets"
_MIB = 1024 * 1024
_RATE = r"^[1-9][0-9]{0,6}/(second|minute|hour)$"
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
_ON_THIS_MACHINE = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:|/|$)")


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
    upload_wait_s: float = Field(
        default=5.0, gt=0, description="a file that takes longer to read is left to a worker"
    )
    spool_key: SecretStr | None = Field(
        default=None,
        description="key that seals files until a worker has read them, the same on every host; else "
        "spool.key beside the database, made on first use",
    )
    read_timeout_s: float = Field(default=30.0, gt=0, description="time to read one file")
    read_memory_bytes: int = Field(
        default=ReadLimits().memory_bytes, ge=256 * _MIB, description="memory to read one file"
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="address to listen on")
    port: int = Field(
        default=8000, ge=0, le=65_535, description="port to listen on; 0 picks a free one"
    )
    trusted_proxies: str = Field(
        default="127.0.0.1,::1",
        description="addresses of reverse proxies whose X-Forwarded headers are believed",
    )
    keep_alive_s: int = Field(
        default=20, ge=1, description="how long a connection without requests stays open"
    )
    shutdown_s: int = Field(
        default=30, ge=1, description="how long the end waits for requests under way"
    )
    log_level: LogLevel = Field(default="info", description="debug, info, warning or error")
    log_format: LogFormat = Field(
        default="auto", description="json, text, or auto: text on a terminal, else json"
    )

    access: Mode = Field(
        default="auto",
        description="keys: everybody needs a key or signs in; auto: so too, once there is a key or a "
        "member of staff, and before only for others than this machine; open: nobody does",
    )
    session_hours: float = Field(
        default=12.0, gt=0, le=744, description="how long somebody stays signed in"
    )
    rate_limit: str = Field(
        default="6000/minute", pattern=_RATE, description="requests of one key, person or address"
    )
    sign_in_limit: str = Field(
        default="10/minute", pattern=_RATE, description="failed attempts by name and by address"
    )
    request_timeout_s: float = Field(
        default=60.0, gt=0, description="for the whole body of a request to come in"
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="sites whose pages may call the API, parted by commas; none"
    )
    oidc_issuer: str | None = Field(
        default=None, description="identity provider (OpenID Connect) to sign in at, optional"
    )
    oidc_client_id: str | None = Field(default=None, description="our name there")
    oidc_client_secret: SecretStr | None = Field(default=None, description="our secret there")

    workers: int = Field(
        default=1, ge=0, le=64, description="processes that `danvan serve` keeps for jobs"
    )
    heartbeat_s: float = Field(
        default=5.0, gt=0, description="how often a worker says that it lives"
    )
    worker_poll_s: float = Field(
        default=0.25, gt=0, description="how often a worker looks for something to do"
    )
    worker_dead_after_s: float = Field(
        default=30.0, gt=0, description="after how long a silent worker's jobs are taken over"
    )

    min_group: int = Field(
        default=10, ge=5, description="fewer opinions are not told, counts are rounded to it"
    )
    retention_max_jump_days: float = Field(
        default=4.0,
        ge=1,
        description="retention erases nothing when for longer nothing was heard of the service, as the "
        "clock may have jumped",
    )
    exports_folder: Path = Field(
        default=Path("data/exports"),
        description="where exports lie until they are fetched; the same for the API and all workers",
    )
    export_days: int = Field(default=7, ge=1, le=365, description="how long an export is kept")
    alarms_per_year: float = Field(
        default=6.0,
        gt=0,
        le=365,
        description="false alarms a year, of all series that are watched together",
    )
    webhook_allow_http: bool = Field(
        default=False, description="whether webhooks may be sent without encryption"
    )
    webhook_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="hosts of webhooks that may have addresses of your own network, parted by commas",
    )
    feeds_folder: Path = Field(
        default=Path("data/feeds"), description="watched folders must lie below this one"
    )
    feed_allow_http: bool = Field(
        default=False,
        description="whether feeds and mailboxes may be read without encryption (http, imap)",
    )
    feed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="hosts of feeds and mailboxes that may have addresses of your own network",
    )

    @field_validator("worker_dead_after_s")
    @classmethod
    def _check_beats(cls, value: float, info: ValidationInfo) -> float:
        if value < 3 * info.data.get("heartbeat_s", 0.0):
            raise ValueError("must be at least three times DANVAN_HEARTBEAT_S")
        return value

    @field_validator("cors_origins", "webhook_hosts", "feed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_ORIGIN.fullmatch(origin) for origin in value):
            raise ValueError("not a list of origins; write https://a.example,https://b.example")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _check_issuer(cls, value: str | None) -> str | None:
        if value is None or value.startswith("https://") or _ON_THIS_MACHINE.match(value):
            return value
        raise ValueError("the identity provider must be reached by https")

    @model_validator(mode="after")
    def _check_oidc(self) -> Self:
        given = {self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret}
        if None in given and len(given) > 1:
            raise ValueError("DANVAN_OIDC_ISSUER, _CLIENT_ID and _CLIENT_SECRET go together")
        return self

    @field_validator("database_url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        url = _url(value)
        if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
            raise ValueError("names no file; write sqlite:///FILE")
        if url.get_backend_name() not in {"sqlite", "postgresql"}:
            raise ValueError("only sqlite and postgresql are known")
        return value

    @property
    def sealer(self) -> Sealer:
        """Seals files that wait; its key lies beside the database of SQLite, else in `data`."""
        url = _url(self.database_url)
        is_file = url.get_backend_name() == "sqlite"
        folder = Path(url.database or "").parent if is_file else Path("data")
        key = self.spool_key.get_secret_value() if self.spool_key else None
        return Sealer(folder / "spool.key", key)

    def limits(self) -> Limits:
        """How much one caller may ask for."""
        return Limits(
            max_upload_bytes=self.max_upload_bytes,
            max_document_chars=self.max_document_chars,
            max_opinion_chars=self.max_opinion_chars,
            max_batch=self.max_batch,
            upload_wait_s=self.upload_wait_s,
            reading=ReadLimits(self.read_timeout_s, self.read_memory_bytes),
        )

    def provider(self) -> Provider | None:
        """The identity provider, where one is set."""
        if not self.oidc_issuer or not self.oidc_client_id or not self.oidc_client_secret:
            return None
        secret = self.oidc_client_secret.get_secret_value()
        return Provider(self.oidc_issuer, self.oidc_client_id, secret)


def _url(written: str) -> "URL":
    """The parts of a database's address; what takes it apart is imported where there is one to read."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(written)
    except ArgumentError as error:
        raise ValueError("not a database address; write sqlite:///FILE") from error


def feed_password(name: str) -> str | None:
    """The password of a feed: DANVAN_FEED_<NAME>_PASSWORD, else the file named like it in lower case.

    It is read when it is needed, so that a new one needs no restart, and None where there is none.
    """
    variable = f"DANVAN_FEED_{name.upper()}_PASSWORD"
    file = _secrets_place() / variable.lower()
    if variable not in os.environ and file.is_file():
        return file.read_text(encoding="utf-8").strip()
    return os.environ.get(variable)


def _secrets_place() -> Path:
    return Path(os.environ.get("CREDENTIALS_DIRECTORY", _SECRETS))


def load_settings(*, store: str | None = None) -> Settings:
    """Read the environment, and what it does not set from files that are named like variables.

    `store` stands in for `DANVAN_DATABASE_URL`.

    systemd lays such files down as credentials, a container engine as secrets.

    Raises:
        SettingsError: a value cannot be used; it is named but not shown, as it may hold a password.
    """
    place = _secrets_place()
    try:
        given = {} if store is None else {"database_url": store}
        # mypy sees the fields alone
        return Settings(_secrets_dir=place if place.is_dir() else None, **given)  # type: ignore[call-arg, arg-type]
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        # what is wrong with several settings together names them itself
        name = "".join(f"DANVAN_{str(part).upper()}: " for part in first["loc"][:1])
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{name}{reason} (service/README.md lists all settings)") from error

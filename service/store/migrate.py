"""Brings a database to the schema of this version, from the first table on."""

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from service.store.dialect import lock_schema, open_engine, writing
from service.store.errors import NotMigrated, StoreError

_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(url: str) -> None:
    """Run every migration that has not run yet, all in one transaction.

    Raises:
        StoreError: the database cannot be reached, or a newer version of danvan wrote it.
    """
    engine = open_engine(url)
    try:
        with writing(engine) as connection:
            lock_schema(connection)
            upgrade(connection)
    except sa.exc.DatabaseError as error:
        raise StoreError(f"the database cannot be opened: {error.orig}") from error
    finally:
        engine.dispose()


def upgrade(connection: sa.Connection, revision: str = "head") -> None:
    """Run the migrations up to a revision in the transaction of the caller.

    Raises:
        StoreError: a newer version of danvan wrote the database.
    """
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise StoreError(
            "the database was written by a newer version of danvan; install that version"
        ) from error


def revision_of(connection: sa.Connection) -> str | None:
    """The revision that a database is at; None before its first migration."""
    return MigrationContext.configure(connection).get_current_revision()


@cache
def revisions() -> tuple[str, ...]:
    """Every revision this version knows, the newest first."""
    scripts = ScriptDirectory.from_config(_config())
    return tuple(script.revision for script in scripts.walk_revisions())


def check_current(connection: sa.Connection) -> None:
    """See whether the database is at the schema of this version.

    Raises:
        NotMigrated: it is not.
        SQLAlchemyError: it cannot be reached.
    """
    found, wanted = revision_of(connection), revisions()[0]
    if found is not None and found not in revisions():
        raise NotMigrated("the database was written by a newer version of danvan; install that one")
    if found != wanted:
        raise NotMigrated(
            f"the database is at revision {found or 'none'} and not at {wanted}; run `danvan migrate`"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config

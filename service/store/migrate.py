"""Brings a database to the schema of this version, from the first table on."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from service.store.dialect import open_engine, writing
from service.store.errors import StoreError

_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(url: str) -> None:
    """Run every migration that has not run yet, all in one transaction.

    Raises:
        StoreError: the database cannot be reached, or a newer version of danvan wrote it.
    """
    engine = open_engine(url)
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    try:
        with writing(engine) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            "the database was written by a newer version of danvan; install that version"
        ) from error
    except sa.exc.DatabaseError as error:
        raise StoreError(f"the database cannot be opened: {error.orig}") from error
    finally:
        engine.dispose()

"""By which number a document is found, so that a citation leads to what it cites."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_INDEX = "ix_analyses_canonical"
_CHARS = 200


def upgrade() -> None:
    """Add the column, and take the numbers from the headlines that are there."""
    op.add_column("analyses", sa.Column("canonical", sa.String(_CHARS)))
    analyses = sa.table(
        "analyses", sa.column("headline", sa.JSON), sa.column("canonical", sa.String)
    )
    number = analyses.c.headline["canonical"].as_string()
    values = {"canonical": sa.func.substr(number, 1, _CHARS)}
    op.execute(analyses.update().where(number.is_not(None)).values(values))
    has_number = sa.text("canonical IS NOT NULL")
    op.create_index(
        _INDEX,
        "analyses",
        ["canonical", "dated"],
        sqlite_where=has_number,
        postgresql_where=has_number,
    )

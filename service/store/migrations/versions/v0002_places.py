"""Where each printed line of a document stands on its page."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the places; of documents already kept they are not known."""
    places = sa.Column("places", sa.JSON, nullable=False, server_default=sa.text("'[]'"))
    op.add_column("items", places)


def downgrade() -> None:
    """Take the places away."""
    op.drop_column("items", "places")

"""The first tables, and the two sources every installation has."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    _make_sources()
    _make_items()
    _make_runs()
    _make_analyses()
    _make_labels()


def _make_sources() -> None:
    sources = op.create_table(
        "sources",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("legal_basis", sa.Text, nullable=False),
        sa.Column("retention_days", sa.Integer, nullable=False),
        sa.CheckConstraint("retention_days > 0", name="retention"),
    )
    op.bulk_insert(
        sources,
        [
            {
                "name": "web_upload",
                "channel": "upload",
                "legal_basis": "handed in by staff in the course of their duties",
                "retention_days": 3650,
            },
            {
                "name": "demo",
                "channel": "demo",
                "legal_basis": "invented texts for trying the program out",
                "retention_days": 30,
            },
        ],
    )


def _make_items() -> None:
    op.create_table(
        "items",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("intake", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("text_sha256", sa.String(64), nullable=False, index=True),
        sa.Column("file_name", sa.Text),
        sa.Column("media_type", sa.String(128), nullable=False),
        sa.Column("blocks", sa.JSON, nullable=False),
        sa.Column("issues", sa.JSON, nullable=False),
        sa.Column("source", sa.String(64), sa.ForeignKey("sources.name"), nullable=False),
        sa.Column("external_id", sa.String(200), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("source", "external_id"),
        sa.Index(None, "intake", "id"),
        sa.Index(None, "kind", "id"),
    )


def _make_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("model_version", sa.String(64), nullable=False),
        sa.Column("model_sha256", sa.String(64), nullable=False),
        sa.Column("taxonomy", sa.String(64), nullable=False),
        sa.Column("taxonomy_version", sa.String(64), nullable=False),
        sa.Column("code_version", sa.String(64), nullable=False),
        sa.Column("scope", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "active_runs",
        sa.Column("facet", sa.String(32), primary_key=True),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id"), nullable=False),
    )


def _item_and_run() -> tuple[sa.Column[str], sa.Column[int]]:
    return (
        sa.Column(
            "item_id",
            sa.String(32),
            sa.ForeignKey("items.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id"), primary_key=True),
    )


def _make_analyses() -> None:
    op.create_table(
        "analyses",
        *_item_and_run(),
        sa.Column("analysis", sa.JSON, nullable=False),
        sa.Column("headline", sa.JSON, nullable=False),
        sa.Column("dated", sa.Date, index=True),
    )


def _make_labels() -> None:
    item_id, run_id = _item_and_run()
    op.create_table(
        "label_sets",
        item_id,
        sa.Column("facet", sa.String(32), primary_key=True),
        run_id,
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("primary_code", sa.String(32)),
        sa.Column("guess_code", sa.String(32)),
        sa.Column("guess_probability", sa.Float),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Index(None, "facet", "decision", "item_id"),
    )
    item_id, run_id = _item_and_run()
    op.create_table(
        "label_codes",
        sa.Column("facet", sa.String(32), primary_key=True),
        sa.Column("code", sa.String(32), primary_key=True),
        item_id,
        run_id,
    )

"""What rules find in citizens' texts, re-posts, places, the restricted queue, feeds and alerts."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, and order the job that fills them for what is already there."""
    op.create_table(
        "traits",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("urgency", sa.String(16), nullable=False),
        sa.Column("group_seq", sa.BigInteger, nullable=False),
        sa.Column("n_syllables", sa.Integer, nullable=False),
        sa.Column("plain_share", sa.Float, nullable=False),
        sa.Column("unknown_share", sa.Float, nullable=False),
        sa.Index(None, "day", "seq"),
        sa.Index(None, "source", "day"),
        sa.Index(None, "group_seq", "seq"),
    )
    op.create_table(
        "repost_buckets",
        sa.Column("bucket", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Index(None, "seq"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "mentions",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("code", sa.String(64), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("n_candidates", sa.Integer, nullable=False),
        sa.Index(None, "seq"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "restricted",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("source", sa.String(64), sa.ForeignKey("sources.name"), nullable=False),
        sa.Column("external_id", sa.String(200), nullable=False),
        sa.Column("received_at", _Moment, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("handed_over_at", _Moment),
        sa.UniqueConstraint("source", "external_id"),
        sa.Index(None, "received_at"),
    )
    op.create_table(
        "feeds",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("source", sa.String(64), sa.ForeignKey("sources.name"), nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("every_s", sa.Integer, nullable=False),
        sa.Column("state", sa.JSON, nullable=False),
        sa.Column("created_at", _Moment, nullable=False),
        sa.Column("ended_at", _Moment),
        sa.Column("looked_at", _Moment),
        sa.Column("reason", sa.Text),
        sa.Column("n_failed", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("job_id", sa.String(64)),
    )
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("series", sa.String(200), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("observed", sa.Integer, nullable=False),
        sa.Column("expected", sa.Float, nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
        sa.Column("raised_at", _Moment, nullable=False),
        sa.Column("acknowledged_at", _Moment),
        sa.Column("acknowledged_by", sa.String(80)),
        sa.Column("note", sa.Text),
        sa.UniqueConstraint("series", "day"),
        sa.Index(None, "raised_at", "id"),
    )
    _order_traits(op.get_bind())


def _order_traits(connection: sa.Connection) -> None:
    if connection.scalar(sa.text("SELECT 1 FROM items WHERE kind = 'opinion' LIMIT 1")) is None:
        return
    jobs = sa.table(
        "jobs",
        sa.column("id"),
        sa.column("kind"),
        sa.column("state"),
        sa.column("params", sa.JSON),
        sa.column("asked_by"),
        sa.column("created_at", _Moment),
    )
    job = {
        "id": "traits-0005",
        "kind": "traits",
        "state": "queued",
        "params": {},
        "asked_by": "danvan",
    }
    connection.execute(jobs.insert().values(**job, created_at=datetime.now(UTC)))

"""Jobs with their workers, and who may do what."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_Moment = sa.DateTime(timezone=True)
_Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _make_jobs()
    _make_job_parts()
    _make_spool()
    _make_workers()
    _make_access()


def _make_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("params", sa.JSON, nullable=False),
        sa.Column("result", sa.JSON),
        sa.Column("reason", sa.Text),
        sa.Column("n_total", sa.Integer),
        sa.Column("asked_by", sa.String(80), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False, server_default=sa.text("1")),
        sa.Column("sent", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("deaths", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("created_at", _Moment, nullable=False),
        sa.Column("started_at", _Moment),
        sa.Column("finished_at", _Moment),
        sa.Index(None, "state", "created_at"),
        sa.Index(None, "created_at", "id"),
    )


def _make_job_parts() -> None:
    op.create_table(
        "job_shards",
        sa.Column("job_id", sa.String(64), _of_a_job(), primary_key=True),
        sa.Column("shard", sa.Integer, primary_key=True),
        sa.Column("data", sa.JSON, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("go", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("deaths", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("trying", sa.String(64)),
        sa.Column("n_done", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("result", sa.JSON),
        sa.Column("reason", sa.Text),
    )
    op.create_table(
        "job_faults",
        sa.Column("job_id", sa.String(64), _of_a_job(), primary_key=True),
        sa.Column("subject", sa.String(64), primary_key=True),
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )


def _of_a_job() -> sa.ForeignKey:
    return sa.ForeignKey("jobs.id", ondelete="CASCADE")


def _make_spool() -> None:
    op.create_table(
        "spool",
        sa.Column("job_id", sa.String(64), primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", _Moment, nullable=False),
    )


def _make_workers() -> None:
    op.create_table(
        "workers",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started_at", _Moment, nullable=False),
        sa.Column("beat_at", _Moment, nullable=False),
    )
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("secret", sa.String(128), nullable=False),
        sa.Column("events", sa.JSON, nullable=False),
        sa.Column("created_at", _Moment, nullable=False),
        sa.Column("ended_at", _Moment),
        sa.Column("rests_until", _Moment),
    )


def _make_access() -> None:
    op.create_table(
        "staff",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("subject", sa.String(255), unique=True),
        sa.Column("created_at", _Moment, nullable=False),
        sa.Column("ended_at", _Moment),
    )
    staff = sa.ForeignKey("staff.name", ondelete="CASCADE")
    op.create_table(
        "sessions",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("staff", sa.String(64), staff, nullable=False),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("created_at", _Moment, nullable=False),
        sa.Column("expires_at", _Moment, nullable=False),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", _Moment, nullable=False),
        sa.Column("expires_at", _Moment),
        sa.Column("ended_at", _Moment),
    )
    op.create_table(
        "access_log",
        sa.Column("id", _Serial, primary_key=True),
        sa.Column("at", _Moment, nullable=False, index=True),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
    )

"""The tables. Migrations make them; a test holds both to be the same.

No table has a column for an author, and none may get one.
"""

import sqlalchemy as sa

from service.store.dialect import UtcDateTime

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# SQLite counts up by itself only in a column declared INTEGER
_Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("channel", sa.String(64), nullable=False),
    sa.Column("legal_basis", sa.Text, nullable=False),
    sa.Column("retention_days", sa.Integer, nullable=False),
    sa.CheckConstraint("retention_days > 0", name="retention"),
)

# Never updated. `id` begins with the moment of receipt, so that its order is the order of receipt.
# `intake` is the door an item came through (document, opinion); `kind` is what it was found to be.
items = sa.Table(
    "items",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("intake", sa.String(16), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("text_sha256", sa.String(64), nullable=False, index=True),
    sa.Column("file_name", sa.Text),
    sa.Column("media_type", sa.String(128), nullable=False),
    sa.Column("blocks", sa.JSON, nullable=False),
    sa.Column("issues", sa.JSON, nullable=False),
    sa.Column("places", sa.JSON, nullable=False, server_default=sa.text("'[]'")),
    sa.Column("source", sa.ForeignKey("sources.name"), nullable=False),
    sa.Column("external_id", sa.String(200), nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("posted_at", UtcDateTime),
    sa.UniqueConstraint("source", "external_id"),
    sa.Index(None, "intake", "id"),
    sa.Index(None, "kind", "id"),
)

# Who labelled: one model under one pack and code version. Views read runs whose state is `live`.
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("model", sa.String(128), nullable=False),
    sa.Column("model_version", sa.String(64), nullable=False),
    sa.Column("model_sha256", sa.String(64), nullable=False),
    sa.Column("taxonomy", sa.String(64), nullable=False),
    sa.Column("taxonomy_version", sa.String(64), nullable=False),
    sa.Column("code_version", sa.String(64), nullable=False),
    sa.Column("scope", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

active_runs = sa.Table(
    "active_runs",
    metadata,
    sa.Column("facet", sa.String(32), primary_key=True),
    sa.Column("run_id", sa.ForeignKey("runs.id"), nullable=False),
)

# The whole Analysis, and what lists show of it.
analyses = sa.Table(
    "analyses",
    metadata,
    sa.Column("item_id", sa.ForeignKey("items.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("run_id", sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("analysis", sa.JSON, nullable=False),
    sa.Column("headline", sa.JSON, nullable=False),
    sa.Column("dated", sa.Date, index=True),
)

# Append only: one answer of one run to one question about one item.
label_sets = sa.Table(
    "label_sets",
    metadata,
    sa.Column("item_id", sa.ForeignKey("items.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("facet", sa.String(32), primary_key=True),
    sa.Column("run_id", sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("decision", sa.String(16), nullable=False),
    sa.Column("primary_code", sa.String(32)),
    sa.Column("guess_code", sa.String(32)),
    sa.Column("guess_probability", sa.Float),
    sa.Column("labels", sa.JSON, nullable=False),
    sa.Index(None, "facet", "decision", "item_id"),
)

# The asserted codes of a label set once more, one a row, in the order searches need.
label_codes = sa.Table(
    "label_codes",
    metadata,
    sa.Column("facet", sa.String(32), primary_key=True),
    sa.Column("code", sa.String(32), primary_key=True),
    sa.Column("item_id", sa.ForeignKey("items.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("run_id", sa.ForeignKey("runs.id"), primary_key=True),
)

# What was asked for and how far it is. `params` and `result` hold names of things, never texts.
# `state`: queued, running, done, failed, cancelled.
jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("params", sa.JSON, nullable=False),
    sa.Column("result", sa.JSON),
    sa.Column("reason", sa.Text),
    sa.Column("n_total", sa.Integer),
    sa.Column("n_done", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("n_failed", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("asked_by", sa.String(80), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("started_at", UtcDateTime),
    sa.Column("finished_at", UtcDateTime),
    sa.Index(None, "state", "created_at"),
)

# What a job set aside, and why: it goes on without it.
job_faults = sa.Table(
    "job_faults",
    metadata,
    sa.Column("job_id", sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("subject", sa.String(64), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
)

# Processes that carry out jobs. `state`: live, stopped, dead.
workers = sa.Table(
    "workers",
    metadata,
    sa.Column("id", sa.String(128), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("beat_at", UtcDateTime, nullable=False),
)

# Who is told of what. The secret signs what is sent and therefore cannot be hashed.
webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("secret", sa.String(128), nullable=False),
    sa.Column("events", sa.JSON, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
)

# Staff who may sign in. One of `password_hash` (argon2id) and `subject` (of the OIDC provider) is set.
staff = sa.Table(
    "staff",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("password_hash", sa.Text),
    sa.Column("subject", sa.String(255), unique=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
)

# A session is known by the hash of its cookie alone.
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("staff", sa.ForeignKey("staff.name", ondelete="CASCADE"), nullable=False),
    sa.Column("csrf", sa.String(64), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)

# `id` is the public first part of a key, `sha256` the hash of the whole of it.
api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("label", sa.String(64), nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("ended_at", UtcDateTime),
)

# Which member of staff or key did what to which thing; never a text.
access_log = sa.Table(
    "access_log",
    metadata,
    sa.Column("id", _Serial, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("actor", sa.String(80), nullable=False),
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("subject", sa.String(64), nullable=False),
)

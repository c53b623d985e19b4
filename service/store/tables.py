"""The tables. Migrations make them; a test holds both to be the same.

No table has a column for an author, and none may get one.
"""

from typing import Any

import sqlalchemy as sa

from service.store.dialect import UtcDateTime

FACETS = ("task_area", "civic_field", "sentiment", "intent")

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

# Never updated, but for `run_id`: the run that read the item first, null while it waits to be read.
# `seq` orders by receipt and is what other tables refer to; `id` is what callers see.
# `intake` is the door an item came through (document, opinion); `kind` is what it was found to be.
items = sa.Table(
    "items",
    metadata,
    sa.Column("seq", _Serial, primary_key=True),
    sa.Column("id", sa.String(32), nullable=False, unique=True),
    sa.Column("intake", sa.String(16), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("text_sha256", sa.String(64), nullable=False, index=True),
    sa.Column("file_name", sa.Text),
    sa.Column("media_type", sa.String(128), nullable=False),
    sa.Column("blocks", sa.JSON, nullable=False),
    sa.Column("issues", sa.JSON, nullable=False),
    sa.Column("places", sa.JSON, nullable=False),
    sa.Column("source", sa.ForeignKey("sources.name"), nullable=False),
    sa.Column("external_id", sa.String(200), nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("posted_at", UtcDateTime),
    sa.Column("run_id", sa.ForeignKey("runs.id")),
    sa.UniqueConstraint("source", "external_id"),
    sa.Index(None, "intake", "seq"),
    sa.Index(None, "kind", "seq"),
    sa.Index(None, "source", "seq"),
    sa.Index(None, "received_at", "seq"),
    sa.Index(None, "source", "received_at"),
)
sa.Index(
    "ix_items_waiting",
    items.c.seq,
    sqlite_where=items.c.run_id.is_(None),
    postgresql_where=items.c.run_id.is_(None),
)

# Who labelled. `kind`: intake (a model reads what comes in), reclassification (a model reads what is
# there), human (the corrections under one version of a taxonomy).
# `state`: live; of a re-classification building, complete, failed, cancelled.
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("model", sa.String(128), nullable=False),
    sa.Column("model_version", sa.String(64), nullable=False),
    sa.Column("model_sha256", sa.String(64), nullable=False),
    sa.Column("taxonomy", sa.String(64), nullable=False),
    sa.Column("taxonomy_version", sa.String(64), nullable=False),
    sa.Column("code_version", sa.String(64), nullable=False),
    sa.Column("scope", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("job_id", sa.String(64), unique=True),
    sa.Column("made_by", sa.String(80), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

# What views read, a stack a facet: the run of the highest rank that has read an item answers for it;
# where none has, the run that read it first.
active_runs = sa.Table(
    "active_runs",
    metadata,
    sa.Column("facet", sa.String(32), primary_key=True),
    sa.Column("rank", sa.Integer, primary_key=True),
    sa.Column("run_id", sa.ForeignKey("runs.id"), nullable=False),
)

# Who moved the stack, when: promote or rollback of a run. Append only.
promotions = sa.Table(
    "promotions",
    metadata,
    sa.Column("id", _Serial, primary_key=True),
    sa.Column("run_id", sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("facets", sa.JSON, nullable=False),
    sa.Column("made_by", sa.String(80), nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
)

# The next three tables hold several rows for each item and run. They have no foreign keys: checking them
# is a third of the cost of writing. One function writes them (`intake.append_answers`), one erases
# (`retention.erase`), and both hold on to the rows of `items` meanwhile.

# The whole Analysis as JSON text, to the byte as the model gave it, and what lists show of it; the day and
# the number of a document once more, as it is looked for by them.
analyses = sa.Table(
    "analyses",
    metadata,
    sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("analysis", sa.Text, nullable=False),
    sa.Column("headline", sa.JSON, nullable=False),
    sa.Column("dated", sa.Date, index=True),
    sa.Column("canonical", sa.String(200)),
)
sa.Index(
    "ix_analyses_canonical",
    analyses.c.canonical,
    analyses.c.dated,
    sqlite_where=analyses.c.canonical.is_not(None),
    postgresql_where=analyses.c.canonical.is_not(None),
)


def _facet_columns(facet: str) -> tuple[sa.Column[Any], ...]:
    """One answer: see `answers`."""
    return (
        sa.Column(f"{facet}_label", sa.String(32)),
        sa.Column(f"{facet}_codes", sa.Text),
        sa.Column(f"{facet}_guess", sa.String(32)),
        sa.Column(f"{facet}_probability", sa.Float),
    )


# What a run says of an item, a facet in four columns: the primary label, or the decision where nothing is
# asserted (null: this run does not answer this facet, as corrections do not); all asserted labels, parted
# by blanks; the best guess and its probability. Append only, but for the rows of human runs.
answers = sa.Table(
    "answers",
    metadata,
    sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    *(column for facet in FACETS for column in _facet_columns(facet)),
    sqlite_with_rowid=False,
)

# By what an item is found: each asserted label and the category above it; the decisions abstain and
# none_of_these; `unsure` for a label that was a close call.
label_index = sa.Table(
    "label_index",
    metadata,
    sa.Column("facet", sa.String(32), primary_key=True),
    sa.Column("code", sa.String(32), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# What people said, append only. `decision`: labelled, none_of_these, withdrawn (takes back the last word of
# the same person). Of an item and facet the newest word counts that was not taken back.
corrections = sa.Table(
    "corrections",
    metadata,
    sa.Column("id", _Serial, primary_key=True),
    sa.Column("seq", sa.ForeignKey("items.seq", ondelete="CASCADE"), nullable=False),
    sa.Column("facet", sa.String(32), nullable=False),
    sa.Column("decision", sa.String(16), nullable=False),
    sa.Column("codes", sa.JSON, nullable=False),
    sa.Column("taxonomy", sa.String(64), nullable=False),
    sa.Column("taxonomy_version", sa.String(64), nullable=False),
    sa.Column("made_by", sa.String(80), nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Index(None, "seq", "facet"),
)

# The pages of an official document as they look, so that evidence can be lit on them. No other item has any:
# a picture would show what is masked in the text.
pictures = sa.Table(
    "pictures",
    metadata,
    sa.Column(
        "seq",
        sa.ForeignKey("items.seq", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("webp", sa.LargeBinary, nullable=False),
)

# What rules find in a citizen's text as it is kept, without a model. `day` is the day in Vietnam on which it
# was posted, else received. `group_seq` is the first item that says the same (its own number if none did).
# `plain_share`: of its syllables those without any diacritic; `unknown_share`: those that no Vietnamese
# syllable looks like.
traits = sa.Table(
    "traits",
    metadata,
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

# By what texts that say the same are found (locality-sensitive hashing), of recent items alone.
repost_buckets = sa.Table(
    "repost_buckets",
    metadata,
    sa.Column("bucket", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Index(None, "seq"),
    sqlite_with_rowid=False,
)

# Places and bodies that a text names. `kind`: province, ward, body. Where a name fits several, each is there
# and `n_candidates` says how many.
mentions = sa.Table(
    "mentions",
    metadata,
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("code", sa.String(64), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("n_candidates", sa.Integer, nullable=False),
    sa.Index(None, "seq"),
    sqlite_with_rowid=False,
)

# Texts that read like a denunciation: sealed, counted, never listed and never analysed.
restricted = sa.Table(
    "restricted",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("source", sa.ForeignKey("sources.name"), nullable=False),
    sa.Column("external_id", sa.String(200), nullable=False),
    sa.Column("received_at", UtcDateTime, nullable=False),
    sa.Column("sealed", sa.LargeBinary),
    sa.Column("handed_over_at", UtcDateTime),
    sa.UniqueConstraint("source", "external_id"),
    sa.Index(None, "received_at"),
)

# Where texts are fetched from. `kind`: feed (RSS, Atom), folder, mailbox. `state` is what the last look left
# behind (entity tags, files done); no secret stands in any column. `looked_at` is when a look was last
# ordered or done, `job_id` the job that was ordered, `n_failed` how many looks in a row have failed, `reason`
# why the last one.
feeds = sa.Table(
    "feeds",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("source", sa.ForeignKey("sources.name"), nullable=False),
    sa.Column("options", sa.JSON, nullable=False),
    sa.Column("every_s", sa.Integer, nullable=False),
    sa.Column("state", sa.JSON, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("looked_at", UtcDateTime),
    sa.Column("reason", sa.Text),
    sa.Column("n_failed", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("job_id", sa.String(64)),
)

# Rises that a test found. `series` says of what, `day` is the day that raised it, `last_day` the last one on
# which it was still high. `figures`: its name, over how many days, how unlikely, which sources were left out.
alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("series", sa.String(200), nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("observed", sa.Integer, nullable=False),
    sa.Column("expected", sa.Float, nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),
    sa.Column("raised_at", UtcDateTime, nullable=False),
    sa.Column("acknowledged_at", UtcDateTime),
    sa.Column("acknowledged_by", sa.String(80)),
    sa.Column("note", sa.Text),
    sa.UniqueConstraint("series", "day"),
    sa.Index(None, "raised_at", "id"),
)

# What was asked for. `params` and `result` hold names of things, never texts.
# `state`: queued, running, done, failed, cancelled. `attempt` counts the times it was asked for again;
# `sent` says whether the workers' queue has this attempt; `deaths` how often planning or summing up has
# ended its process.
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
    sa.Column("asked_by", sa.String(80), nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False, server_default=sa.text("1")),
    sa.Column("sent", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("deaths", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("started_at", UtcDateTime),
    sa.Column("finished_at", UtcDateTime),
    sa.Index(None, "state", "created_at"),
    sa.Index(None, "created_at", "id"),
)

# The parts of a job. `state`: waiting, done, failed. `go` numbers the times it was begun: only the runner
# of the last one may write. `deaths` counts those that ended without a word; `trying` is the item a
# careful runner is at.
job_shards = sa.Table(
    "job_shards",
    metadata,
    sa.Column("job_id", sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
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

# Files that wait for a worker, sealed. Never part of a backup: they may hold what must be masked.
spool = sa.Table(
    "spool",
    metadata,
    sa.Column("job_id", sa.String(64), primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    info={"derived": True},
)

# What a job set aside, and why: it goes on without it.
job_faults = sa.Table(
    "job_faults",
    metadata,
    sa.Column("job_id", sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("subject", sa.String(64), primary_key=True),
    sa.Column("shard", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

# Processes that carry out jobs. `state`: live, stopped (its work is to be taken over), dead.
workers = sa.Table(
    "workers",
    metadata,
    sa.Column("id", sa.String(128), primary_key=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("beat_at", UtcDateTime, nullable=False),
)

# Who is told of what. The secret signs what is sent and therefore cannot be hashed; it is emptied when the
# hook ends. A receiver that did not answer is left alone until `rests_until`.
webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("secret", sa.String(128), nullable=False),
    sa.Column("events", sa.JSON, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("rests_until", UtcDateTime),
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

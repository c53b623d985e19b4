"""Items by number, runs that stand on each other, corrections, full-text search.

Every table about items is made anew: their old rows are kept aside and brought over.
"""

from collections.abc import Iterator
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

from service.store.dialect import count_on
from service.store.search import index_texts, make_index

revision = "0004"
down_revision = "0003"

_FACETS = ("task_area", "civic_field", "sentiment", "intent")
_OLD = ("label_codes", "label_sets", "analyses", "active_runs", "runs", "items")  # children first
_BATCH = 500
_Moment = sa.DateTime(timezone=True)
_Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_Row = dict[str, Any]  # a table's row: the columns have different types
_UNSURE_BELOW = 0.6
# Views read an item from the active run, or from the newest where that had not read it.
_STOOD = """COALESCE(
  (SELECT MAX(own.run_id) FROM old_analyses AS own JOIN old_active_runs AS active
    ON active.run_id = own.run_id WHERE own.item_id = old_items.id AND active.facet = 'task_area'),
  (SELECT MAX(own.run_id) FROM old_analyses AS own WHERE own.item_id = old_items.id))"""


def upgrade() -> None:
    """Set the old tables aside, make the new ones, bring the rows over."""
    for name in _OLD:
        op.execute(f"CREATE TABLE old_{name} AS SELECT * FROM {name}")  # noqa: S608 - names of ours
    for name in _OLD:
        op.drop_table(name)
    _make_runs()
    _make_items()
    _make_answers()
    make_index(op.get_bind())
    _bring_over(op.get_bind())
    for name in _OLD:
        op.drop_table(f"old_{name}")


def _make_runs() -> None:
    op.create_table(
        "runs",
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
        sa.Column("created_at", _Moment, nullable=False),
    )
    op.create_table(
        "active_runs",
        sa.Column("facet", sa.String(32), primary_key=True),
        sa.Column("rank", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id"), nullable=False),
    )
    op.create_table(
        "promotions",
        sa.Column("id", _Serial, primary_key=True),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("facets", sa.JSON, nullable=False),
        sa.Column("made_by", sa.String(80), nullable=False),
        sa.Column("made_at", _Moment, nullable=False),
    )


def _make_items() -> None:
    op.create_table(
        "items",
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
        sa.Column("source", sa.String(64), sa.ForeignKey("sources.name"), nullable=False),
        sa.Column("external_id", sa.String(200), nullable=False),
        sa.Column("received_at", _Moment, nullable=False),
        sa.Column("posted_at", _Moment),
        sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id")),
        sa.UniqueConstraint("source", "external_id"),
        sa.Index(None, "intake", "seq"),
        sa.Index(None, "kind", "seq"),
        sa.Index(None, "source", "seq"),
        sa.Index(None, "received_at", "seq"),
        sa.Index(None, "source", "received_at"),
    )
    waiting = sa.text("run_id IS NULL")
    op.create_index(
        "ix_items_waiting", "items", ["seq"], sqlite_where=waiting, postgresql_where=waiting
    )


def _of_item_and_run() -> tuple[sa.Column[int], sa.Column[int]]:
    return (
        sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    )


def _make_answers() -> None:
    op.create_table(
        "analyses",
        *_of_item_and_run(),
        sa.Column("analysis", sa.Text, nullable=False),
        sa.Column("headline", sa.JSON, nullable=False),
        sa.Column("dated", sa.Date, index=True),
    )
    op.create_table(
        "answers",
        *_of_item_and_run(),
        *(column for facet in _FACETS for column in _facet_columns(facet)),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "label_index",
        sa.Column("facet", sa.String(32), primary_key=True),
        sa.Column("code", sa.String(32), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("run_id", sa.Integer, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    seq = sa.ForeignKey("items.seq", ondelete="CASCADE")
    op.create_table(
        "corrections",
        sa.Column("id", _Serial, primary_key=True),
        sa.Column("seq", _Serial, seq, nullable=False),
        sa.Column("facet", sa.String(32), nullable=False),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("codes", sa.JSON, nullable=False),
        sa.Column("taxonomy", sa.String(64), nullable=False),
        sa.Column("taxonomy_version", sa.String(64), nullable=False),
        sa.Column("made_by", sa.String(80), nullable=False),
        sa.Column("made_at", _Moment, nullable=False),
        sa.Index(None, "seq", "facet"),
    )


def _facet_columns(facet: str) -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column(f"{facet}_label", sa.String(32)),
        sa.Column(f"{facet}_codes", sa.Text),
        sa.Column(f"{facet}_guess", sa.String(32)),
        sa.Column(f"{facet}_probability", sa.Float),
    )


def _bring_over(connection: sa.Connection) -> None:
    connection.execute(
        sa.text(
            "INSERT INTO runs (id, kind, model, model_version, model_sha256, taxonomy,"
            " taxonomy_version, code_version, scope, state, made_by, created_at)"
            " SELECT id, 'intake', model, model_version, model_sha256, taxonomy, taxonomy_version,"
            " code_version, '{}', 'live', 'service', created_at FROM old_runs"
        )
    )
    count_on(connection, tables=("runs",))
    kept = (
        "id, intake, kind, text, text_sha256, file_name, media_type, blocks, issues, places, source,"
        " external_id, received_at, posted_at"
    )
    # a table made of a query has no index; without one each item would cost a walk through all of them
    connection.exec_driver_sql("CREATE INDEX old_analyses_of ON old_analyses (item_id, run_id)")
    connection.exec_driver_sql(
        f"INSERT INTO items ({kept}, run_id) SELECT {kept}, {_STOOD} FROM old_items ORDER BY id"  # noqa: S608
    )
    for some in _batches(connection, "SELECT seq, text FROM items ORDER BY seq"):
        index_texts(connection, ((row["seq"], row["text"]) for row in some))
    analyses = sa.text(
        "SELECT items.seq, old.run_id, old.analysis, old.headline, old.dated FROM old_analyses AS old"
        " JOIN items ON items.id = old.item_id ORDER BY items.seq"
    ).columns(analysis=sa.JSON, headline=sa.JSON, dated=sa.Date)
    for some in _batches(connection, analyses):
        _bring_answers(connection, some)


def _batches(connection: sa.Connection, query: str | sa.TextualSelect) -> Iterator[list[_Row]]:
    statement = sa.text(query) if isinstance(query, str) else query
    # else the driver of PostgreSQL would take everything into memory
    rows = connection.execute(statement.execution_options(stream_results=True)).mappings()
    while some := rows.fetchmany(_BATCH):
        yield [dict(row) for row in some]


def _bring_answers(connection: sa.Connection, rows: list[_Row]) -> None:
    wholes = [row | {"analysis": orjson.dumps(row["analysis"]).decode()} for row in rows]
    _insert(connection, "analyses", wholes)
    answers, codes = [], []
    for row in rows:
        key = {"run_id": row["run_id"], "seq": row["seq"]}
        answers.append(key | _answers(row["analysis"]))
        codes += [
            key | {"facet": facet, "code": code}
            for facet in _FACETS
            for code in _found_by(row["analysis"][facet])
        ]
    _insert(connection, "answers", answers)
    _insert(connection, "label_index", codes)


def _insert(connection: sa.Connection, name: str, rows: list[_Row]) -> None:
    if rows:
        types = {"headline": sa.JSON, "dated": sa.Date}
        columns: list[sa.ColumnClause[Any]] = [sa.column(key, types.get(key)) for key in rows[0]]
        connection.execute(sa.table(name, *columns).insert(), rows)


def _codes(verdict: _Row) -> list[str]:
    """The asserted labels, the primary one first."""
    if "labels" in verdict:
        codes = [label["code"] for label in verdict["labels"]]
        return sorted(codes, key=lambda code: code != verdict["primary"])
    return [verdict["label"]] if verdict["label"] else []


def _answers(analysis: _Row) -> _Row:
    row: _Row = {}
    for facet in _FACETS:
        verdict = analysis[facet]
        codes, guess = _codes(verdict), verdict["guess"] or {}
        row[f"{facet}_label"] = codes[0] if codes else verdict["decision"]
        row[f"{facet}_codes"] = " ".join(codes)
        row[f"{facet}_guess"] = guess.get("code")
        row[f"{facet}_probability"] = guess.get("probability")
    return row


def _found_by(verdict: _Row) -> set[str]:
    """Labels with the area above them (`DV3.5` under `DV3`), decisions against a label, and close calls."""
    codes = _codes(verdict)
    decisions = {verdict["decision"]} & {"abstain", "none_of_these"}
    probability = (verdict["guess"] or {}).get("probability")
    is_unsure = codes and probability is not None and probability < _UNSURE_BELOW
    found = {*codes, *(code.partition(".")[0] for code in codes), *decisions}
    return found | {"unsure"} if is_unsure else found

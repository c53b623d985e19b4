"""Runs of a model over what is stored: made, promoted, rolled back, discarded.

A run appends and overwrites nothing. Promote and rollback move the stack in one transaction, whatever comes
in meanwhile; what a run said stays until it is discarded.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from nlp.taxonomy import Taxonomy
from nlp.types import Provenance
from service.store import tables
from service.store.corrections import Packs, lay_on_top
from service.store.dialect import Then, lock_stack, writing
from service.store.errors import Conflict, NotFound
from service.store.retention import index_keys
from service.store.stack import HUMAN_RANK
from service.store.tables import FACETS

_STRETCH = (
    10_000  # numbers of items whose answers are erased at once: others wait for half a second
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run: who labelled what, and whether views read it (`active`: the facets it stands in)."""

    id: int
    kind: str
    model: str
    model_version: str
    model_sha256: str
    taxonomy: str
    taxonomy_version: str
    code_version: str
    scope: Mapping[str, Any]  # a Scope as JSON
    state: str
    job_id: str | None
    made_by: str
    created_at: datetime
    active: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """Who moves the stack, and when."""

    made_by: str
    at: datetime


def start_run(
    connection: sa.Connection,
    provenance: Provenance,
    *,
    scope: Mapping[str, Any],
    job_id: str,
    move: Move,
) -> int:
    """The run of a re-classification; nothing reads it before it is promoted."""
    runs = tables.runs
    row = {
        **asdict(provenance),
        "kind": "reclassification",
        "scope": dict(scope),
        "state": "building",
        "job_id": job_id,
        "made_by": move.made_by,
        "created_at": move.at,
    }
    run_id: int = connection.execute(runs.insert().values(row).returning(runs.c.id)).scalar_one()
    return run_id


def end_run(engine: sa.Engine, run_id: int, *, state: str) -> None:
    """Say what became of a run in the making, unless its job was cancelled meanwhile."""
    runs, jobs = tables.runs, tables.jobs.c
    is_cancelled = sa.exists().where(jobs.id == runs.c.job_id, jobs.state == "cancelled")
    mine = (runs.c.id == run_id, runs.c.state == "building", ~is_cancelled)
    with writing(engine) as connection:
        connection.execute(runs.update().where(*mine).values(state=state))


def hold_run(connection: sa.Connection, run_id: int) -> None:
    """Keep a run from being discarded before this transaction ends, as something is added to it.

    Raises:
        Conflict: it was discarded.
    """
    runs = tables.runs.c
    query = sa.select(runs.state).where(runs.id == run_id).with_for_update(read=True)
    if connection.scalar(query) == "discarded":
        raise Conflict("the run was discarded meanwhile; start another re-classification")


def runs_of_jobs(connection: sa.Connection, job_ids: Sequence[str]) -> dict[str, Run]:
    """The runs that jobs make, by the id of the job; a dry run makes none."""
    query = sa.select(tables.runs).where(tables.runs.c.job_id.in_(job_ids))
    active = _active(connection)
    rows = connection.execute(query).mappings()
    return {row["job_id"]: Run(**row, active=active.get(row["id"], ())) for row in rows}


def read_run(connection: sa.Connection, run_id: int) -> Run:
    """One run.

    Raises:
        NotFound: no run has this number.
    """
    query = sa.select(tables.runs).where(tables.runs.c.id == run_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound("no run has this number; /v1/reclassifications lists them")
    return Run(**row, active=_active(connection).get(run_id, ()))


def _active(connection: sa.Connection) -> dict[int, tuple[str, ...]]:
    """In which facets each run of the stack stands."""
    active = tables.active_runs.c
    found: dict[int, tuple[str, ...]] = {}
    for facet, run_id in connection.execute(
        sa.select(active.facet, active.run_id).order_by(active.facet)
    ):
        found[run_id] = (*found.get(run_id, ()), facet)
    return found


def promote(
    engine: sa.Engine,
    run_id: int,
    *,
    facets: Collection[str] = FACETS,
    move: Move,
    packs: Packs,
    then: Then = lambda connection: None,
) -> Run:
    """Let views read a run, in some facets or all; corrections come with it to its taxonomy version.

    `then` is done in the same transaction.

    Raises:
        NotFound: no such run, or no such facet.
        Conflict: the run is not complete, or stands in one of the facets already.
    """
    with writing(engine) as connection:
        lock_stack(connection)
        run = read_run(connection, run_id)
        _check_promotable(run, facets)
        active = tables.active_runs
        models = active.c.rank < HUMAN_RANK
        top = connection.scalar(sa.select(sa.func.max(active.c.rank)).where(models)) or 0
        rows = [{"facet": facet, "rank": top + 1, "run_id": run_id} for facet in set(facets)]
        connection.execute(active.insert(), rows)
        _after_move(connection, run, facets, action="promote", move=move, packs=packs)
        then(connection)
        return read_run(connection, run_id)


def _check_promotable(run: Run, facets: Collection[str]) -> None:
    if not facets or not set(facets) <= set(FACETS):
        raise NotFound(f"a facet is one of {', '.join(FACETS)}")
    if run.kind != "reclassification" or run.state not in {"complete", "live"}:
        raise Conflict(
            f"run {run.id} is {run.state}; only a complete re-classification is promoted"
        )
    if set(run.active) & set(facets):
        raise Conflict(f"run {run.id} is promoted already")


def roll_back(
    engine: sa.Engine,
    run_id: int,
    *,
    move: Move,
    packs: Packs,
    then: Then = lambda connection: None,
) -> Run:
    """Take a run out of the stack, wherever it stands; what lies below it shows again.

    `then` is done in the same transaction.

    Raises:
        NotFound: no such run.
        Conflict: it is not promoted.
    """
    with writing(engine) as connection:
        lock_stack(connection)
        run = read_run(connection, run_id)
        if not run.active or run.kind != "reclassification":
            raise Conflict(f"run {run_id} is not promoted; there is nothing to roll back")
        active = tables.active_runs
        connection.execute(active.delete().where(active.c.run_id == run_id))
        _after_move(connection, run, run.active, action="rollback", move=move, packs=packs)
        then(connection)
        return read_run(connection, run_id)


def _after_move(
    connection: sa.Connection,
    run: Run,
    facets: Collection[str],
    *,
    action: str,
    move: Move,
    packs: Packs,
) -> None:
    row = {
        "run_id": run.id,
        "action": action,
        "facets": sorted(set(facets)),
        "made_by": move.made_by,
        "made_at": move.at,
    }
    connection.execute(tables.promotions.insert(), row)
    wanted = standing_taxonomy(connection, fallback=(run.taxonomy, run.taxonomy_version))
    lay_on_top(connection, wanted, packs=packs, made_by=move.made_by, now=move.at)


def is_all_of(connection: sa.Connection, made: Provenance) -> bool:
    """Whether views read answers of one model only."""
    runs, active = tables.runs.c, tables.active_runs.c
    is_read = sa.or_(runs.kind == "intake", runs.id.in_(sa.select(active.run_id)))
    by_models = runs.kind.in_(("intake", "reclassification"))
    own = sa.and_(runs.model == made.model, runs.model_version == made.model_version)
    return not connection.scalar(sa.select(sa.exists().where(is_read, by_models, ~own)))


def standing_taxonomy(connection: sa.Connection, *, fallback: tuple[str, str]) -> tuple[str, str]:
    """Pack and version of the run on top of the stack, else of the newest intake."""
    active, runs = tables.active_runs.c, tables.runs.c
    version = sa.select(runs.taxonomy, runs.taxonomy_version)
    promoted = version.join(tables.active_runs, active.run_id == runs.id).where(
        runs.kind == "reclassification"
    )
    top = connection.execute(promoted.order_by(active.rank.desc()).limit(1)).first()
    if top is None:
        intake = version.where(runs.kind == "intake").order_by(runs.id.desc()).limit(1)
        top = connection.execute(intake).first()
    return (top[0], top[1]) if top else fallback


def forget_run(engine: sa.Engine, run_id: int) -> None:
    """Erase what an unpromoted re-classification said; that it was there is still known.

    Where this is cut short, doing it again does the rest.

    Raises:
        NotFound: no such run.
        Conflict: views read it, or it is still being made.
    """
    with writing(engine) as connection:
        lock_stack(connection)
        run = read_run(connection, run_id)
        if run.kind != "reclassification" or run.active or _is_being_made(connection, run):
            raise Conflict(f"run {run_id} is in use; roll it back or cancel it first")
        runs = tables.runs
        connection.execute(runs.update().where(runs.c.id == run_id).values(state="discarded"))
    answers = tables.answers.c
    first = sa.select(sa.func.min(answers.seq)).where(answers.run_id == run_id)
    while True:
        with writing(engine) as connection:
            start = connection.scalar(first)
            if start is None:
                return
            _forget_answers(connection, run_id, seqs=range(start, start + _STRETCH))


def _forget_answers(connection: sa.Connection, run_id: int, *, seqs: range) -> None:
    """Erase what a run said of the items with these numbers."""
    for table in (tables.analyses, tables.answers):
        within = (table.c.seq >= seqs.start, table.c.seq < seqs.stop)
        connection.execute(table.delete().where(table.c.run_id == run_id, *within))
    index = tables.label_index
    within = (index.c.seq >= seqs.start, index.c.seq < seqs.stop)
    for pair in index_keys(connection):
        connection.execute(index.delete().where(*pair, *within, index.c.run_id == run_id))


def _is_being_made(connection: sa.Connection, run: Run) -> bool:
    query = sa.select(tables.jobs.c.state).where(tables.jobs.c.id == run.job_id)
    return run.state == "building" and connection.scalar(query) in {"queued", "running"}


def packs_of(packs: Sequence[Taxonomy]) -> Packs:
    """Packs by name and version."""
    return {(pack.name, pack.version): pack for pack in packs}

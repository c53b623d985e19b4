"""Re-classification: a model reads again what is stored, beside what stands and without touching it.

Shards are stretches of the archive. What comes in while they are read is read at the end, so that a run over
everything is whole when it is complete. A dry run keeps nothing but counts and the ids of some examples.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from nlp.errors import ArtifactError
from nlp.pipeline import Pipeline
from nlp.types import Analysis
from service.jobs.archive import (
    UNREADABLE,
    Chunk,
    find_chunks,
    plan_stretches,
    read_chunk,
    read_each,
)
from service.jobs.seam import Context, Kind, Run, Shard
from service.store.dialect import insert_new, writing
from service.store.diff import NOT_READ
from service.store.intake import append_answers
from service.store.jobs import Job, list_faults
from service.store.query import query_from_json
from service.store.records import answers_of
from service.store.runs import end_run, hold_run
from service.store.stack import read_answers, read_stack
from service.store.tables import FACETS, job_faults

_ALL_FAULTS = 1_000_000
_EXAMPLES = 3  # of each transition in a dry run, a shard
_NO_SHARD = -1  # of what came in later
Json = dict[str, Any]  # results of shards and jobs: ids and counts


def plan(ctx: Context, job: Job) -> Iterable[Shard]:
    """Stretches of the archive that hold items in scope, with their numbers."""
    scope = query_from_json(job.params["scope"])
    return plan_stretches(ctx.engine, scope)


def shard(ctx: Context, run: Run) -> Json:
    """Read one stretch."""
    params, (start, end) = run.job.params, run.data
    pipeline = pipeline_of(ctx, params)
    told = _Tally()
    query = replace(query_from_json(params["scope"]), from_seq=start, to_seq=end)
    for chunk in read_each(ctx.engine, query, pipeline=pipeline, run=run):
        if params["dry_run"]:
            told.count(ctx.engine, chunk)
            run.report(len(chunk.analyses))
        else:
            _keep(ctx.engine, chunk, run=run, pipeline=pipeline)
    return told.result()


def finish(ctx: Context, job: Job, *, results: Sequence[Json]) -> Json:
    """Read what came in meanwhile, and say that the run is complete; of a dry run, sum up."""
    if job.params["dry_run"]:
        return _sum_up(results)
    n_late = _catch_up(ctx, job)
    end_run(ctx.engine, job.params["run_id"], state="complete")
    return {"run_id": job.params["run_id"], "n_late": n_late}


RECLASSIFICATION = Kind(plan, shard, finish)


def pipeline_of(ctx: Context, params: Mapping[str, Any]) -> Pipeline:
    """The pipeline of a run, checked to be the very model that was asked for.

    Raises:
        ArtifactError: this worker has another model under the same name.
    """
    pipeline = ctx.pipeline(model=params["model"])
    if pipeline.provenance.model_sha256 != params["model_sha256"]:
        raise ArtifactError(
            f"the model {params['model']} of this worker is not the one the run was started with;"
            " put the same files under models/artifacts on every host"
        )
    return pipeline


def _keep(engine: sa.Engine, chunk: Chunk, *, run: Run, pipeline: Pipeline) -> None:
    with writing(engine) as connection:
        _append(connection, chunk, run_id=run.job.params["run_id"], pipeline=pipeline)
        run.report(len(chunk.analyses), within=connection)


def _append(connection: sa.Connection, chunk: Chunk, *, run_id: int, pipeline: Pipeline) -> None:
    hold_run(connection, run_id)
    parents = pipeline.taxonomy.parents
    append_answers(connection, chunk.analyses, run_id=run_id, parents=parents)


def _catch_up(ctx: Context, job: Job) -> int:
    """Read what came in meanwhile and what was committed behind a shard's back; how many items."""
    params = job.params
    scope = query_from_json(params["scope"])
    unread = replace(scope, to_seq=None, unread_by=params["run_id"])
    pipeline = pipeline_of(ctx, params)
    aside = {fault.subject for fault in list_faults(ctx.engine, job.id, limit=_ALL_FAULTS)}
    n_late, n_seen = 0, 1
    while n_seen:
        n_seen = 0
        for found in find_chunks(ctx.engine, unread, aside=frozenset(aside)):
            chunk = read_chunk(ctx.engine, found, pipeline=pipeline)
            with writing(ctx.engine) as connection:
                _append(connection, chunk, run_id=params["run_id"], pipeline=pipeline)
                _set_aside(connection, job, chunk.failed)
            aside.update(chunk.failed)
            n_late += len(chunk.analyses)
            n_seen += len(chunk.rows)
    return n_late


def _set_aside(connection: sa.Connection, job: Job, item_ids: Sequence[str]) -> None:
    rows = [
        {"job_id": job.id, "shard": _NO_SHARD, "subject": item_id, "reason": UNREADABLE}
        for item_id in item_ids
    ]
    if rows:
        connection.execute(insert_new(connection, job_faults), rows)


class _Tally:
    """Counts from what to what labels would go, against what stands."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}

    def count(self, engine: sa.Engine, chunk: Chunk) -> None:
        first_runs = {row["seq"]: row["run_id"] for row in chunk.rows}
        with engine.connect() as connection:
            stack = read_stack(connection).of_models()
            standing = read_answers(connection, first_runs, stack=stack)
        for row in chunk.rows:
            if row["seq"] in chunk.analyses:
                self._compare(row["id"], standing[row["seq"]], chunk.analyses[row["seq"]])

    def _compare(self, item_id: str, old: Mapping[str, Any], analysis: Analysis) -> None:
        new = answers_of(analysis)
        for facet in FACETS:
            before = old[facet].answer.label if facet in old else NOT_READ
            step = f"{facet}:{before}:{new[facet].label}"
            self._counts[step] += 1
            if before != new[facet].label:
                kept = self._examples.setdefault(step, [])
                kept += [item_id][: _EXAMPLES - len(kept)]

    def result(self) -> Json:
        return {"counts": dict(self._counts), "examples": self._examples}


def _sum_up(results: Sequence[Json]) -> Json:
    counts: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    for result in results:
        counts.update(result["counts"])
        for step, ids in result["examples"].items():
            kept = examples.setdefault(step, [])
            kept += ids[: _EXAMPLES - len(kept)]
    return {"counts": dict(counts), "examples": examples}

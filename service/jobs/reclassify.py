"""Re-classification: a model reads again what is stored, beside what stands and without touching it.

Shards are stretches of the archive. What comes in while they are read is read at the end, so that a run over
everything is whole when it is complete. A dry run keeps nothing but counts and the ids of some examples.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from nlp.errors import ArtifactError
from nlp.pipeline import Pipeline
from nlp.types import Analysis
from service.jobs.archive import Chunk, find_chunks, plan_stretches, read_chunk, read_each
from service.jobs.seam import Context, Kind, Run, Shard
from service.store.dialect import writing
from service.store.intake import append_answers
from service.store.jobs import Job, list_faults
from service.store.records import answers_of
from service.store.runs import end_run
from service.store.stack import read_answers, read_stack
from service.store.tables import FACETS
from service.store.views import Query

_ALL_FAULTS = 1_000_000
_EXAMPLES = 3  # of each transition in a dry run, a shard
_NO_ANSWER = "not_read"
_QUERY = TypeAdapter(Query)
Json = dict[str, Any]  # results of shards and jobs: ids and counts


def plan(ctx: Context, job: Job) -> Iterable[Shard]:
    """Stretches of the archive that hold items in scope, with their numbers."""
    scope = _QUERY.validate_python(job.params["scope"])
    return plan_stretches(ctx.engine, scope)


def shard(ctx: Context, run: Run) -> Json:
    """Read one stretch."""
    params, (start, end) = run.job.params, run.data
    pipeline = pipeline_of(ctx, params)
    told = _Tally()
    query = replace(_QUERY.validate_python(params["scope"]), from_seq=start, to_seq=end)
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
        append_answers(
            connection,
            chunk.analyses,
            run_id=run.job.params["run_id"],
            parents=pipeline.taxonomy.parents,
        )
        run.report(len(chunk.analyses), within=connection)


def _catch_up(ctx: Context, job: Job) -> int:
    """Read what came in meanwhile and what was committed behind a shard's back; how many items."""
    params = job.params
    scope = _QUERY.validate_python(params["scope"])
    run_id: int = params["run_id"]
    unread = replace(scope, to_seq=None, unread_by=run_id)
    pipeline = pipeline_of(ctx, params)
    faults = list_faults(ctx.engine, job.id, limit=_ALL_FAULTS)
    aside = frozenset(fault.subject for fault in faults)
    n_late = 0
    while n_read := _read_rest(ctx.engine, unread, run_id=run_id, pipeline=pipeline, aside=aside):
        n_late += n_read
    return n_late


def _read_rest(
    engine: sa.Engine, unread: Query, *, run_id: int, pipeline: Pipeline, aside: frozenset[str]
) -> int:
    n_read = 0
    for found in find_chunks(engine, unread, aside=aside):
        chunk = read_chunk(engine, found, pipeline=pipeline)
        with writing(engine) as connection:
            append_answers(
                connection,
                chunk.analyses,
                run_id=run_id,
                parents=pipeline.taxonomy.parents,
            )
        n_read += len(chunk.analyses)
    return n_read


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
            before = old[facet].answer.label if facet in old else _NO_ANSWER
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

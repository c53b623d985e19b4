"""Exports: what a filter finds, as a file that is fetched within some days.

One shard writes the whole file; after a crash it is written anew. It takes its place at once or not at all.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from nlp.taxonomy import load_packs
from service.auth import Caller
from service.item_table import Export, Format, write_items
from service.jobs.files import erase_exports, export_file, made_whole, make_folder
from service.jobs.orders import submit_within
from service.jobs.seam import Context, Json, Kind, Run, Shard
from service.store.access import Entry, add_entries
from service.store.dialect import writing
from service.store.errors import Conflict, NotFound
from service.store.jobs import Job, read_job
from service.store.query import query_from_json, query_to_json
from service.store.rows import count_rows

KIND = "export"


def order_export(engine: sa.Engine, export: Export, *, by: Caller, now: datetime) -> Job:
    """Order an export; the access log keeps who did."""
    params = {
        "format": export.format,
        "with_text": export.with_text,
        "query": query_to_json(export.query),
    }
    with writing(engine) as connection:
        job = submit_within(connection, KIND, params=params, asked_by=by.name, now=now)
        add_entries(connection, [Entry(now, by.name, "export.ordered", job.id)])
    return job


def find_file(engine: sa.Engine, job_id: str, *, folder: Path) -> Path:
    """The file of an export.

    Raises:
        NotFound: there is no such export, or its file is gone.
        Conflict: it is not made yet, or could not be.
    """
    job = read_job(engine, job_id)
    if job.kind != KIND:
        raise NotFound("no export has this id; /v1/jobs?kind=export lists them")
    if job.state != "done":
        raise Conflict(f"the export is {job.state}; there is a file when it is done")
    file = export_file(folder, job.id, ending=job.params["format"])
    if not file.is_file():
        raise NotFound("the file was erased, as exports are after some days; order it again")
    return file


def plan(ctx: Context, job: Job) -> Iterable[Shard]:
    """One shard: a file has a beginning and an end."""
    return [Shard(None, size=count_rows(ctx.engine, _export(job).query))]


def shard(ctx: Context, run: Run) -> Json:
    """Write the file; how many items of which source it holds."""
    folder, export = ctx.settings.exports_folder, _export(run.job)
    make_folder(folder)
    erase_exports(folder, of_job=run.job.id)  # what an attempt before this one has left

    def report(n_rows: int) -> None:
        run.check()
        run.report(n_rows)

    run.check()
    with made_whole(export_file(folder, run.job.id, ending=export.format)) as out:
        return write_items(
            ctx.engine,
            export,
            out=out,
            packs=load_packs(ctx.settings.corpus_folder / "taxonomies"),
            now=ctx.now(),
            report=report,
        )


def finish(ctx: Context, job: Job, *, results: Sequence[Json]) -> Json:
    """Tell where the file is fetched."""
    [sources] = results
    return {
        "file": f"/v1/exports/{job.id}/file",
        "n_rows": sum(sources.values()),
        "sources": sources,
    }


EXPORT = Kind(plan, shard, finish)


def _export(job: Job) -> Export:
    params = job.params
    file_format: Format = params["format"]
    return Export(file_format, query_from_json(params["query"]), params["with_text"])

"""Reading files that take long, and archives: a shard a file."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from itertools import islice

import sqlalchemy as sa
import structlog

from nlp.errors import DanvanError, InputError, InvalidRecord
from nlp.readers.child import read_in_child
from nlp.readers.containers import Part
from service.actions import Desk, Upload, check_upload, find_upload, keep_document
from service.jobs.seam import Context, Json, Kind, Run, Shard
from service.monitor.traits import load_rules
from service.store import spool
from service.store.intake import ensure_run
from service.store.jobs import Job
from service.uploading import open_parts

_log = structlog.get_logger()


def plan(ctx: Context, job: Job) -> Iterable[Shard]:
    """A shard for each file."""
    return [Shard(number) for number, _ in enumerate(_parts(ctx, job))]


def shard(ctx: Context, run: Run) -> Json:
    """Read one file and keep it; one that cannot be read is set aside with the reason."""
    run.check()
    subject = f"file {run.data + 1}"  # its name may tell a person
    if subject in run.aside:
        return None
    part = next(islice(_parts(ctx, run.job), run.data, None))
    params = run.job.params
    upload = Upload(part.data, part.name, params["kind"], params["source"])
    try:
        # only then: a file is not to blame for a worker that was killed while reading it
        with run.trying(subject) if run.careful else nullcontext():
            item_id, is_new = _keep(desk_of(ctx), part, upload=upload)
    except InputError as error:
        run.set_aside(subject, str(error))
        return None
    run.report(1)
    return {"file": run.data + 1, "id": item_id, "is_new": is_new}


def finish(ctx: Context, job: Job, *, results: Sequence[Json]) -> Json:
    """Forget the sealed file; the result names the items."""
    spool.drop(ctx.engine, job.id)
    return {"items": [result for result in results if result is not None]}


UPLOAD = Kind(plan, shard, finish)


def desk_of(ctx: Context) -> Desk:
    """The desk of a worker: what it keeps joins the run of the model that the settings name."""
    pipeline = ctx.pipeline()
    return Desk(
        pipeline=pipeline,
        engine=ctx.engine,
        run_id=ensure_run(ctx.engine, pipeline.provenance, now=ctx.now()),
        rules=load_rules(ctx.settings.corpus_folder / "registers"),
        limits=ctx.settings.limits(),
        sealer=ctx.settings.sealer,
        now=ctx.now,
    )


def _parts(ctx: Context, job: Job) -> Iterable[Part]:
    sealed = spool.get(ctx.engine, job.id)
    if sealed is None:
        raise InputError("the file is gone; hand it in again")
    return open_parts(ctx.settings.sealer.open(sealed))


def _keep(desk: Desk, part: Part, *, upload: Upload) -> tuple[str, bool]:
    """The item of a file, and whether it is new."""
    if part.error is not None:
        raise part.error
    check_upload(desk, upload)
    known = find_upload(desk, upload)
    if known is not None:
        return known, False
    doc = read_in_child(upload.data, name=upload.name, limits=desk.limits.reading)
    try:
        stored, is_new = keep_document(desk, upload, doc=doc)
    except (DanvanError, sa.exc.SQLAlchemyError, OSError):
        raise
    except Exception as error:  # one text must not stop the others of an archive
        _log.error("analysis_failed", error=type(error).__name__)
        raise InvalidRecord("the model could not read this text") from error
    return stored.id, is_new

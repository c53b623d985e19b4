"""Many texts from a file to a file: streamed, in order, resumable; a bad line costs only itself.

Each record of the input becomes exactly one line of the output, in order: an Analysis, or
`{"id", "error"}`. Beside the output stands `<OUT>.progress.json`, which says what it was made of; after
an interruption the whole lines already there are kept and the rest is done. A Parquet file can be read
only when it is whole: its lines are gathered beside it first, and become the table at the end.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import IO, Any

import orjson

from nlp.errors import InputError
from nlp.pipeline import Pipeline, Request
from nlp.readers import from_text
from nlp.types import Provenance
from service import lake
from service.records import Record, read_records

CHUNK = 256
CHUNK_CHARS = 500_000
_OTHER = "exists and was made of other input or by another model; name another output or pass --overwrite"
Builder = Callable[[], Pipeline]


@dataclass(frozen=True, slots=True)
class Job:
    """What a batch does. `kind` is for records that name none."""

    source: Path
    target: Path
    kind: str = "auto"
    max_chars: int = 200_000
    n_workers: int = 1


@dataclass(frozen=True, slots=True)
class Tally:
    """How far a batch is: records done, and how many of them failed."""

    n_done: int
    n_failed: int


def run_batch(
    job: Job, *, build: Builder, report: Callable[[Tally], None], overwrite: bool = False
) -> Tally:
    """Analyse every record of `job.source`; `report` is called after each chunk.

    Raises:
        InputError: the input cannot be read, or the output belongs to another batch.
    """
    _check_paths(job)
    if not lake.is_lake(job.target):
        return _write_lines(job, build=build, report=report, overwrite=overwrite)
    lake.schema()  # that it can be written is found out now, not at the end
    gathered = replace(job, target=job.target.with_name(f"{job.target.name}.lines"))
    if job.target.exists() and not overwrite and not gathered.target.exists():
        identity = _identity(job, provenance=build().provenance)
        n_rows = lake.count_rows(job.target, identity=identity)
        if n_rows is None:
            raise InputError(f"{job.target} {_OTHER}")
        return Tally(n_rows, 0)
    tally = _write_lines(gathered, build=build, report=report, overwrite=overwrite)
    state = _state_path(gathered.target)
    with gathered.target.open("rb") as lines:
        lake.write_lake(lines, job.target, identity=state.read_text(encoding="utf-8"))
    gathered.target.unlink()
    state.unlink()
    return tally


def _write_lines(
    job: Job, *, build: Builder, report: Callable[[Tally], None], overwrite: bool
) -> Tally:
    pipeline = build()
    identity = _identity(job, provenance=pipeline.provenance)
    n_done = 0 if overwrite else _resume(job, identity=identity)
    tally = Tally(n_done, 0)
    state = _state_path(job.target)
    mode = "ab" if n_done else "wb"
    with closing(read_records(job.source)) as records, job.target.open(mode) as out:
        state.write_text(identity, encoding="utf-8")
        chunks = _chunks(islice(records, n_done, None))
        for lines, n_failed in _answers(chunks, job=job, pipeline=pipeline, build=build):
            out.write(b"".join(lines))
            out.flush()
            tally = Tally(tally.n_done + len(lines), tally.n_failed + n_failed)
            report(tally)
    return tally


def _check_paths(job: Job) -> None:
    if not job.source.is_file():
        raise InputError(f"{job.source}: no such file")
    if job.target.is_dir() or not job.target.parent.is_dir():
        raise InputError(f"{job.target}: not a file in a folder that exists; name another output")
    if job.target.exists() and job.target.samefile(job.source):
        raise InputError(f"{job.target}: is the input itself; name another output")


def _chunks(records: Iterator[Record]) -> Iterator[list[Record]]:
    """What is analysed at once: bounded in records, for progress, and in text, for memory."""
    chunk: list[Record] = []
    n_chars = 0
    for record in records:
        chunk.append(record)
        n_chars += len(record.text)
        if len(chunk) == CHUNK or n_chars >= CHUNK_CHARS:
            yield chunk
            chunk, n_chars = [], 0
    if chunk:
        yield chunk


def _answers(
    chunks: Iterator[list[Record]], *, job: Job, pipeline: Pipeline, build: Builder
) -> Iterator[tuple[list[bytes], int]]:
    if job.n_workers == 1:
        for chunk in chunks:
            yield analyze_chunk(chunk, pipeline=pipeline, job=job)
        return
    with ProcessPoolExecutor(
        job.n_workers, get_context("forkserver"), initializer=_start_worker, initargs=(build, job)
    ) as pool:
        waiting: list[Future[tuple[list[bytes], int]]] = []
        for chunk in chunks:
            waiting.append(pool.submit(_work, chunk))
            if len(waiting) > 2 * job.n_workers:  # bounded, so that memory stays flat
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()


_worker: dict[str, Any] = {}  # the pipeline and job of this worker process


def _start_worker(build: Builder, job: Job) -> None:
    _worker.update(pipeline=build(), job=job)


def _work(chunk: list[Record]) -> tuple[list[bytes], int]:
    return analyze_chunk(chunk, pipeline=_worker["pipeline"], job=_worker["job"])


def analyze_chunk(
    chunk: Sequence[Record], *, pipeline: Pipeline, job: Job
) -> tuple[list[bytes], int]:
    """One output line a record, in order, and how many of them are errors."""
    lines: list[bytes | None] = []
    requests: list[Request] = []
    for record in chunk:
        problem = record.error or _problem(record, job=job)
        if problem is not None:
            lines.append(_error_line(record.id, problem))
            continue
        lines.append(None)
        kind = record.kind or job.kind
        requests.append(Request(record.id, from_text(record.text), kind))  # type: ignore[arg-type] # checked
    answers = iter(_analyze(requests, pipeline=pipeline))
    whole = []
    n_failed = len(chunk) - len(requests)
    for record, line in zip(chunk, lines, strict=True):
        answer = line or next(answers)
        n_failed += answer is None
        whole.append(answer or _error_line(record.id, "the text could not be analysed"))
    return whole, n_failed


def _analyze(requests: Sequence[Request], *, pipeline: Pipeline) -> list[bytes | None]:
    """One line a request; None for a text that breaks the pipeline, which costs only itself."""
    try:
        return [
            orjson.dumps(analysis, option=orjson.OPT_APPEND_NEWLINE)
            for analysis in pipeline.analyze_all(requests)
        ]
    except Exception:
        if len(requests) == 1:
            return [None]
        return [line for request in requests for line in _analyze([request], pipeline=pipeline)]


def _problem(record: Record, *, job: Job) -> str | None:
    if not record.text.strip():
        return "the text is empty; send one with words"
    if len(record.text) > job.max_chars:
        return f"the text has {len(record.text)} characters; at most {job.max_chars} are read"
    if (record.kind or job.kind) not in {"auto", "official", "opinion"}:
        return "kind is not auto, official or opinion"
    return None


def _error_line(record_id: str, problem: str) -> bytes:
    return orjson.dumps({"id": record_id, "error": problem}, option=orjson.OPT_APPEND_NEWLINE)


def _state_path(target: Path) -> Path:
    return target.with_name(target.name + ".progress.json")


def _identity(job: Job, *, provenance: Provenance) -> str:
    """What an output is made of, as JSON."""
    with job.source.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return json.dumps({"input_sha256": sha256, "kind": job.kind, **asdict(provenance)})


def _resume(job: Job, *, identity: str) -> int:
    """How many whole lines the output already has; a cut-off last line is taken away."""
    if not job.target.exists() or not job.target.stat().st_size:
        return 0
    state = _state_path(job.target)
    known = state.read_text(encoding="utf-8") if state.exists() else None
    if known != identity:
        raise InputError(f"{job.target} {_OTHER}")
    with job.target.open("rb+") as out:
        n_lines, end = _whole_lines(out)
        out.truncate(end)
    return n_lines


def _whole_lines(out: IO[bytes]) -> tuple[int, int]:
    n_lines = end = 0
    for line in out:
        if line.endswith(b"\n"):
            n_lines, end = n_lines + 1, end + len(line)
    return n_lines, end

"""A lake read by Ray Data: a folder of Parquet in, another out, on all machines of a cluster.

The pipeline is built once in each actor. Ray notes the ids of each file that it has written, so that a run
which was killed goes on with the rest, and one that is done does nothing twice. The notes and what the
folder was made of lie in it under names that readers of lakes pass over.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nlp.errors import InputError
from service import lake
from service.batch import CHUNK, Builder, Job, analyze_chunk
from service.records import record_of, wanted_columns

LOCAL = "local"  # this machine alone
BLOCK_ROWS = 5_000  # of a file that is written, the least that is done again
_IDENTITY = "_danvan.json"
_CHECKPOINT = "_checkpoint"
_HELPERS = 2  # places that Ray wants for reading files and for its notes; they hardly compute


@dataclass(frozen=True, slots=True)
class Hands:
    """Who reads, in a cluster of this address: so many actors, else as many as there is room for.

    Each has so much of a GPU.
    """

    address: str = LOCAL
    n_actors: int | None = None
    n_gpus: float = 0.0


def read_lake(job: Job, *, build: Builder, hands: Hands) -> int:
    """Analyse every row of `job.source`, a file or folder, into the folder `job.target`.

    The ids must be unique: this is not checked. `build` runs on every machine, which therefore needs the
    same installation, corpus and models.

    Returns:
        how many rows the folder has now.

    Raises:
        InputError: Ray is not installed, the input has no usable columns, or the folder is of something else.
    """
    ray = _ray()
    lake.schema()
    columns = _columns(job.source)
    _claim(job, build=build)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers of us
    if not ray.is_initialized():
        # with one place for each core a run that goes on would wait for ever for those who read its notes
        n_places = (os.cpu_count() or 1) + _HELPERS if hands.address == LOCAL else None
        ray.init(hands.address, num_cpus=n_places, include_dashboard=False, log_to_driver=False)
    from ray.data.checkpoint import CheckpointConfig

    context = ray.data.DataContext.get_current()
    context.checkpoint_config = CheckpointConfig(
        id_column="id",
        checkpoint_path=str(job.target.absolute() / _CHECKPOINT),
        delete_checkpoint_on_success=False,
    )
    n_actors = hands.n_actors or _room(ray.cluster_resources(), hands)
    try:
        rows = ray.data.read_parquet(str(job.source.absolute()), columns=list(columns))
        rows.repartition(target_num_rows_per_block=BLOCK_ROWS).map_batches(
            _Reader,
            fn_constructor_args=(build, job, columns),
            batch_size=CHUNK,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=n_actors),
            num_cpus=1,
            num_gpus=hands.n_gpus,
        ).write_parquet(str(job.target.absolute()), compression="zstd")
    finally:
        context.checkpoint_config = None
    return count_rows(job.target)


def count_rows(folder: Path) -> int:
    """How many rows the files of a folder have."""
    lake.schema()
    from pyarrow import dataset

    n_rows: int = dataset.dataset(folder, format="parquet").count_rows()
    return n_rows


class _Reader:
    """An actor: the pipeline, and what it says of a batch. `Any`: tables of pyarrow."""

    def __init__(self, build: Builder, job: Job, columns: dict[str, str]) -> None:
        self._pipeline, self._job, self._columns = build(), job, columns

    def __call__(self, batch: Any) -> Any:
        rows = batch.rename_columns([self._columns[name] for name in batch.column_names])
        records = [record_of(row, number=0) for row in rows.to_pylist()]
        lines, _ = analyze_chunk(records, pipeline=self._pipeline, job=self._job)
        return lake.table_of(lines)


def _columns(source: Path) -> dict[str, str]:
    """The columns that are read; ids must be strings, as they come out."""
    from pyarrow import ArrowInvalid, dataset

    try:
        schema = dataset.dataset(source, format="parquet").schema
    except (OSError, ArrowInvalid) as error:
        raise InputError(f"{source}: no readable .parquet file, and no folder of them") from error
    columns = wanted_columns(schema.names, name=source.name)
    if columns.get("id") != "id" or str(schema.field("id").type) not in {"string", "large_string"}:
        raise InputError(f"{source.name}: no column id of strings; a lake needs unique ones")
    return columns


def _claim(job: Job, *, build: Builder) -> None:
    """See to it that a folder holds the answers of one model alone."""
    identity = json.dumps({"kind": job.kind, **asdict(build().provenance)})
    noted = job.target / _IDENTITY
    if job.target.exists() and not noted.is_file() and not _is_empty(job.target):
        raise InputError(f"{job.target}: not a folder that a lake was read into; name another one")
    if noted.is_file() and noted.read_text(encoding="utf-8") != identity:
        raise InputError(f"{job.target} was made by another model or kind; name another folder")
    job.target.mkdir(exist_ok=True)
    noted.write_text(identity, encoding="utf-8")


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not any(folder.iterdir())


def _room(resources: dict[str, float], hands: Hands) -> int:
    """How many actors there is room for, beside those who read and write files."""
    if hands.n_gpus:
        return max(1, int(resources.get("GPU", 0) / hands.n_gpus))
    return max(1, int(resources.get("CPU", 1)) - _HELPERS)


def _ray() -> Any:
    try:
        import ray.data
    except ImportError as error:
        raise InputError("this needs Ray: install danvan with the extra `ray`") from error
    return ray

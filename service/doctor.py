"""What is installed and how the store is; what is missing or wrong, and what that costs."""

import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from models.registry import load_classifier
from nlp.errors import DanvanError
from nlp.structure import load_registers
from nlp.taxonomy import load_pack
from service.settings import Settings
from service.store.dialect import describe, file_of, has_search, open_engine
from service.store.migrate import check_current
from service.store.vitals import Vitals, count_doors, newest_moment, read_vitals

# module -> what it is for; none is needed for the default model
_EXTRAS = {
    "torch": "transformer models (pip install 'danvan[transformer]')",
    "transformers": "transformer models (pip install 'danvan[transformer]')",
    "onnxruntime": "exported transformer models (pip install 'danvan[onnx]')",
    "psycopg": "PostgreSQL (pip install 'danvan[postgres]')",
    "pyarrow": "Parquet files (pip install 'danvan[parquet]')",
}
_PROGRAMS = {
    "tesseract": "scanned pages and photographs (apt-get install tesseract-ocr tesseract-ocr-vie)",
    "soffice": "numbers and old fonts of .doc and .odt (apt-get install libreoffice-writer-nogui)",
}
_MIB = 1024 * 1024
_LITTLE_ROOM_BYTES = 1024 * _MIB
_CLOCK_SLACK = timedelta(seconds=10)  # two machines on one database
_STUCK_S = 600

Weight = Literal["needed", "watch", "extra"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. Without a `needed` one the service cannot work; an `extra` may be absent."""

    name: str
    ok: bool
    weight: Weight
    detail: str


def examine(settings: Settings, *, now: datetime | None = None) -> Iterator[Finding]:
    """Look at everything that an analysis and the service need."""
    corpus = settings.corpus_folder
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("python", sys.version_info >= (3, 11), "needed", version)
    yield _try("taxonomy", lambda: _pack_line(settings))
    yield _try("registers", lambda: f"{corpus / 'registers'} {_loaded(settings)}")
    yield _try("model", lambda: _model_line(settings))
    yield from _examine_room(settings)
    yield from _examine_store(settings, now=now or datetime.now(UTC))
    for module, purpose in _EXTRAS.items():
        yield Finding(module, importlib.util.find_spec(module) is not None, "extra", purpose)
    for program, purpose in _PROGRAMS.items():
        yield Finding(program, shutil.which(program) is not None, "extra", purpose)


def _try(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, ok=True, weight="needed", detail=look())
    except (DanvanError, OSError, SQLAlchemyError) as error:
        return Finding(name, ok=False, weight="needed", detail=str(error).splitlines()[0])


def _pack_line(settings: Settings) -> str:
    pack = load_pack(settings.corpus_folder / "taxonomies" / settings.taxonomy)
    return f"{pack.name} {pack.version}"


def _loaded(settings: Settings) -> str:
    load_registers(settings.corpus_folder / "registers")
    return "loaded"


def _model_line(settings: Settings) -> str:
    model = load_classifier(settings.model, folder=settings.models_folder)
    return f"{model.name} {model.version}, sha256 {model.sha256[:12]}"


def _examine_room(settings: Settings) -> Iterator[Finding]:
    """The folders that are written to: whether they can be, how much fits in, who can look in."""
    file = file_of(settings.database_url)
    folders = {"uploads": Path(tempfile.gettempdir())}
    if file is not None:
        folders["data"] = file.parent
    for name, folder in folders.items():
        there = _nearest(folder)
        may = os.access(there, os.W_OK | os.X_OK)
        detail = f"{folder} can be written" if may else f"{folder} cannot be written by this user"
        yield Finding(f"folder of {name}", may, "needed", detail)
        n_free = shutil.disk_usage(there).free
        ok = n_free >= _LITTLE_ROOM_BYTES
        yield Finding(f"room for {name}", ok, "watch", f"{n_free // _MIB} MiB free in {there}")
    if file is not None and file.exists():
        is_ours = file.stat().st_mode & 0o007 == 0
        told = "is for its owner alone" if is_ours else f"can be read by others; chmod o= {file}"
        yield Finding("rights", is_ours, "watch", f"{file} {told}")


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that is there: it would be made in that."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def _examine_store(settings: Settings, *, now: datetime) -> Iterator[Finding]:
    file = file_of(settings.database_url)
    if file is not None and not file.exists():
        told = f"{file} is not there yet; `danvan serve` or `danvan migrate` makes it"
        yield Finding("database", ok=True, weight="needed", detail=told)
        return
    engine = open_engine(settings.database_url)
    try:
        with engine.connect() as connection:
            yield from _examine_database(connection)
            check_current(connection)
            yield Finding("schema", ok=True, weight="needed", detail="up to date")
            yield _clock(connection, now=now)
            yield _access(connection, settings, now=now)
        vitals = read_vitals(engine, now=now, dead_after_s=settings.worker_dead_after_s)
        yield from _examine_jobs(vitals)
    except (DanvanError, SQLAlchemyError) as error:
        yield Finding("database", ok=False, weight="needed", detail=str(error).splitlines()[0])
    finally:
        engine.dispose()


def _examine_database(connection: sa.Connection) -> Iterator[Finding]:
    yield Finding("database", ok=True, weight="needed", detail=f"{describe(connection)} answers")
    can = has_search(connection)
    told = "full text can be searched" if can else "this SQLite was built without FTS5"
    yield Finding("search", can, "needed", told)


def _clock(connection: sa.Connection, *, now: datetime) -> Finding:
    newest = newest_moment(connection)
    if newest is None or newest <= now + _CLOCK_SLACK:
        return Finding("clock", ok=True, weight="watch", detail=f"{now:%Y-%m-%d %H:%M:%S} UTC")
    told = (
        f"the newest item came in at {newest:%Y-%m-%d %H:%M:%S} UTC, which is still to come; set it"
    )
    return Finding("clock", ok=False, weight="watch", detail=told)


def _access(connection: sa.Connection, settings: Settings, *, now: datetime) -> Finding:
    doors = count_doors(connection, now=now)
    told = f"{settings.access}, {doors.n_keys} keys that open, {doors.n_staff} staff"
    is_locked = settings.access == "keys" and doors.n_keys + doors.n_staff == 0
    if is_locked:
        told += "; nobody can come in: `danvan keys create`, `danvan staff add`"
    return Finding("access", not is_locked, "watch", told)


def _examine_jobs(vitals: Vitals) -> Iterator[Finding]:
    n_open = vitals.jobs["queued"] + vitals.jobs["running"]
    manned = vitals.n_workers > 0 or n_open == 0
    told = f"{vitals.n_workers} live" + ("" if manned else f", and {n_open} jobs to do")
    yield Finding("workers", manned, "watch", told)
    moving = vitals.oldest_queued_s < _STUCK_S
    told = f"{vitals.jobs['queued']} queued, {vitals.jobs['running']} running"
    if not moving:
        told += f"; the oldest has waited {vitals.oldest_queued_s / 60:.0f} minutes"
    yield Finding("jobs", moving, "watch", told)

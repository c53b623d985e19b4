"""A lake read by Ray Data: every row once, also when the run was killed, and never by two models."""

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
import pytest

from nlp.errors import InputError
from nlp.pipeline import Pipeline, Request
from nlp.readers import from_text
from service import lake, ray_job
from service.batch import Job
from service.pipelines import build_pipeline
from service.ray_job import Hands, count_rows, read_lake
from service.settings import Settings
from tests.service.processes import environment

pyarrow = pytest.importorskip("pyarrow", reason="the parquet extra is not installed")
from pyarrow import dataset, parquet  # noqa: E402 - only where it is installed

N_ROWS = 12_000
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="the ray extra is not at hand")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A lake of two files, with a column that nobody asked for."""
    (tmp_path / "in").mkdir()
    for part in range(2):
        numbers = range(part, N_ROWS, 2)
        table = pyarrow.table(
            {
                "id": [f"n{n}" for n in numbers],
                "text": [f"Đường tổ {n} hỏng" if n % 100 else " " for n in numbers],
                "author": ["Nguyễn Văn A" for _ in numbers],
            }
        )
        parquet.write_table(table, tmp_path / "in" / f"{part}.parquet")
    return Job(tmp_path / "in", tmp_path / "out", "opinion")


def rows(folder: Path) -> Any:
    return dataset.dataset(folder, format="parquet").to_table()


@needs_ray
@pytest.mark.slow
def test_a_killed_run_goes_on_and_a_finished_one_does_nothing(job: Job, tiny_models: Path) -> None:
    command = [sys.executable, "-m", "service", "batch", str(job.source), "-o", str(job.target)]
    command += ["--ray", "local", "--workers", "1", "--kind", "opinion"]
    env = environment({"model": "tiny", "models_folder": tiny_models})
    first = subprocess.Popen(command, env=env, start_new_session=True)
    notes = job.target / "_checkpoint"
    while not any(".pending" not in path.name for path in notes.glob("*.parquet")):
        assert first.poll() is None
        time.sleep(0.05)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    n_at_first = count_rows(job.target)

    runs = [
        subprocess.run(command, env=env, stderr=subprocess.PIPE, text=True, check=True)
        for _ in range(2)
    ]

    table = rows(job.target)
    assert 0 < n_at_first < N_ROWS
    assert sorted(table["id"].to_pylist()) == sorted(f"n{n}" for n in range(N_ROWS))
    assert table.schema.equals(lake.schema())
    assert sum(error is not None for error in table["error"].to_pylist()) == N_ROWS // 100
    assert all(f"{N_ROWS} records in" in run.stderr for run in runs)
    last = table.filter(table["error"].is_null()).slice(0, 1).to_pylist()[0]
    text = f"Đường tổ {last['id'][1:]} hỏng"
    pipeline = build_pipeline(Settings(model="tiny", models_folder=tiny_models))
    analysis = pipeline.analyze(Request(last["id"], from_text(text), "opinion"))
    assert last["analysis"].encode() == orjson.dumps(analysis)


@pytest.fixture
def no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray is found but never reached."""
    monkeypatch.setattr(ray_job, "_ray", lambda: None)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"id": ["a"]}, "no column named text"),
        ({"text": ["a"]}, "no column id of strings"),
        ({"id": [1], "text": ["a"]}, "no column id of strings"),
        (None, "no readable"),
    ],
)
def test_an_input_that_cannot_be_is_refused(
    no_ray: None, tmp_path: Path, columns: dict[str, list[Any]] | None, message: str
) -> None:
    source = tmp_path / "in.parquet"
    if columns is not None:
        parquet.write_table(pyarrow.table(columns), source)

    with pytest.raises(InputError, match=message):
        read_lake(Job(source, tmp_path / "out"), build=build_pipeline_never, hands=Hands())

    assert not (tmp_path / "out").exists()


def build_pipeline_never() -> Pipeline:
    raise AssertionError("nothing is built for what cannot be")


def test_a_folder_of_something_else_is_not_touched(
    no_ray: None, job: Job, tiny_pipeline: Pipeline
) -> None:
    job.target.mkdir()
    (job.target / "mine.parquet").write_bytes(b"mine")

    with pytest.raises(InputError, match="not a folder that a lake was read into"):
        read_lake(job, build=lambda: tiny_pipeline, hands=Hands())

    assert [path.name for path in job.target.iterdir()] == ["mine.parquet"]


def test_a_folder_of_another_model_is_not_touched(
    no_ray: None, job: Job, tiny_pipeline: Pipeline
) -> None:
    job.target.mkdir()
    (job.target / "_danvan.json").write_text('{"model": "other"}')

    with pytest.raises(InputError, match="another model or kind"):
        read_lake(job, build=lambda: tiny_pipeline, hands=Hands())


def test_without_ray_it_is_said(monkeypatch: pytest.MonkeyPatch, job: Job) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)

    with pytest.raises(InputError, match="extra `ray`"):
        read_lake(job, build=build_pipeline_never, hands=Hands())

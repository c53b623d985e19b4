"""Answers as Parquet: the same columns always, whole or not there, the answers of the JSON lines."""

import json
import signal
import subprocess
import sys
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nlp.errors import InputError
from nlp.pipeline import Pipeline
from service import batch, lake, records
from service.batch import Job, Tally, run_batch
from tests.service.processes import environment

pyarrow = pytest.importorskip("pyarrow", reason="the parquet extra is not installed")
from pyarrow import parquet  # noqa: E402 - only where it is installed

TEXTS = ("Đường trước nhà ổ gà khắp nơi, bực quá!", "cảm ơn bộ phận một cửa", " ", "ok")


def run(job: Job, pipeline: Pipeline, **how: Any) -> Tally:
    return run_batch(job, build=lambda: pipeline, report=lambda tally: None, **how)


def lines_of(folder: Path, *texts: str) -> Path:
    path = folder / "in.jsonl"
    rows = [json.dumps({"id": f"n{i}", "text": text}) + "\n" for i, text in enumerate(texts)]
    path.write_text("".join(rows), encoding="utf-8")
    return path


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(lines_of(tmp_path, *TEXTS), tmp_path / "out.parquet", "opinion")


def test_a_table_holds_the_answers_of_the_json_lines(job: Job, tiny_pipeline: Pipeline) -> None:
    plain = replace(job, target=job.target.with_name("out.jsonl"))
    run(plain, tiny_pipeline)
    said = [json.loads(line) for line in plain.target.read_bytes().splitlines()]

    tally = run(job, tiny_pipeline)
    rows = parquet.read_table(job.target).to_pylist()

    assert tally == Tally(4, 1)
    assert [row["id"] for row in rows] == ["n0", "n1", "n2", "n3"]
    assert [row["error"] for row in rows] == [one.get("error") for one in said]
    assert {value for name, value in rows[2].items() if name not in {"id", "error"}} == {None}
    for row, one in zip(rows, said, strict=True):
        if row["error"] is None:
            assert json.loads(row["analysis"]) == one
            assert row["civic_field"] == one["civic_field"]["primary"]
            assert row["civic_field_codes"] == [x["code"] for x in one["civic_field"]["labels"]]
            assert row["sentiment"] == one["sentiment"]["label"]
            assert row["task_area_guess"] == one["task_area"]["guess"]["code"]
            assert row["urgency"] == one["hints"]["urgency"]
            assert row["model_sha256"] == one["provenance"]["model_sha256"]


@pytest.mark.parametrize("texts", [(), (" ",), TEXTS])
def test_the_columns_are_always_the_same(
    tmp_path: Path, tiny_pipeline: Pipeline, texts: tuple[str, ...]
) -> None:
    job = Job(lines_of(tmp_path, *texts), tmp_path / "out.parquet")

    run(job, tiny_pipeline)

    assert parquet.read_schema(job.target).equals(lake.schema())
    assert parquet.read_metadata(job.target).num_rows == len(texts)


def test_the_readme_names_every_column() -> None:
    readme = Path(lake.__file__).with_name("README.md").read_text(encoding="utf-8")

    missing = [name for name in lake.schema().names if f"`{name}`" not in readme]

    assert missing == []


def test_what_is_written_can_be_read_again(job: Job, tiny_pipeline: Pipeline) -> None:
    table = pyarrow.table({"Id": ["a", "b"], "KIND": ["opinion", None], "Ý kiến": ["một", "hai"]})
    source = job.source.with_suffix(".parquet")
    parquet.write_table(table, source)

    run(replace(job, source=source, kind="auto"), tiny_pipeline)

    rows = parquet.read_table(job.target).to_pylist()
    assert [(row["id"], row["kind"]) for row in rows] == [("a", "opinion"), ("b", rows[1]["kind"])]
    assert [row["error"] for row in rows] == [None, None]


def test_a_row_group_is_written_at_a_time(
    monkeypatch: pytest.MonkeyPatch, job: Job, tiny_pipeline: Pipeline
) -> None:
    monkeypatch.setattr(lake, "ROWS", 3)

    run(job, tiny_pipeline)

    footer = parquet.read_metadata(job.target)
    assert [footer.row_group(i).num_rows for i in range(footer.num_row_groups)] == [3, 1]


def test_a_finished_table_is_left_as_it_is(job: Job, tiny_pipeline: Pipeline) -> None:
    run(job, tiny_pipeline)
    before = (job.target.read_bytes(), job.target.stat().st_mtime_ns)

    assert run(job, tiny_pipeline) == Tally(4, 0)
    assert (job.target.read_bytes(), job.target.stat().st_mtime_ns) == before
    assert sorted(path.name for path in job.target.parent.iterdir()) == ["in.jsonl", "out.parquet"]


@pytest.mark.parametrize("other", [b"not a table", b"PAR1", b""])
def test_a_table_of_something_else_is_not_touched(
    job: Job, tiny_pipeline: Pipeline, other: bytes
) -> None:
    job.target.write_bytes(other)

    with pytest.raises(InputError, match="--overwrite"):
        run(job, tiny_pipeline)

    assert job.target.read_bytes() == other
    assert run(job, tiny_pipeline, overwrite=True) == Tally(4, 1)


def test_a_table_of_other_input_is_not_touched(job: Job, tiny_pipeline: Pipeline) -> None:
    run(job, tiny_pipeline)
    before = job.target.read_bytes()
    lines_of(job.source.parent, "khác")

    with pytest.raises(InputError, match="other input"):
        run(job, tiny_pipeline)

    assert job.target.read_bytes() == before


@pytest.mark.parametrize("fault", ["in the middle of the lines", "in the middle of the table"])
def test_a_run_that_breaks_off_leaves_no_table_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, job: Job, tiny_pipeline: Pipeline, fault: str
) -> None:
    with monkeypatch.context() as patched:
        if "lines" in fault:
            patched.setattr(batch, "CHUNK", 2)
        else:
            patched.setattr(lake, "ROWS", 2)
            patched.setattr(lake, "table_of", _Breaking(lake.table_of))

        def report(tally: Tally) -> None:
            if "lines" in fault:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run_batch(job, build=lambda: tiny_pipeline, report=report)
    assert not job.target.exists()
    tallies: list[Tally] = []

    last = run_batch(job, build=lambda: tiny_pipeline, report=tallies.append)

    assert last.n_done == parquet.read_metadata(job.target).num_rows == 4
    assert [tally.n_done for tally in tallies] == ([4] if "lines" in fault else [])


class _Breaking:
    """Breaks off at the second row group."""

    def __init__(self, own: Any) -> None:
        self._own, self._n = own, 0

    def __call__(self, lines: Any) -> Any:
        self._n += 1
        if self._n == 2:
            raise KeyboardInterrupt
        return self._own(lines)


@pytest.mark.slow
def test_a_killed_process_goes_on_where_it_was(tmp_path: Path, tiny_models: Path) -> None:
    texts = [f"{text} Lần {n}." for n in range(3_000) for text in TEXTS if text.strip()]
    source, target = lines_of(tmp_path, *texts), tmp_path / "out.parquet"
    gathered = tmp_path / "out.parquet.lines"
    command = [sys.executable, "-m", "service", "batch", str(source), "-o", str(target)]
    env = environment({"model": "tiny", "models_folder": tiny_models})
    first = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    while not gathered.exists() or gathered.stat().st_size == 0:
        assert first.poll() is None
        time.sleep(0.01)

    first.send_signal(signal.SIGKILL)
    first.wait()
    n_kept = gathered.read_bytes().count(b"\n")
    was_there = target.exists()
    second = subprocess.run(command, env=env, stderr=subprocess.PIPE, text=True, check=True)

    assert not was_there
    assert 0 < n_kept < len(texts)
    assert f"{len(texts)} records" in second.stderr
    ids = parquet.read_table(target, columns=["id"])["id"].to_pylist()
    assert ids == [f"n{i}" for i in range(len(texts))]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.parquet"]


def test_without_pyarrow_it_is_said_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch, job: Job, tiny_pipeline: Pipeline
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(InputError, match="extra `parquet`"):
        run(job, tiny_pipeline)

    assert [path.name for path in job.source.parent.iterdir()] == ["in.jsonl"]


def test_a_table_without_texts_is_refused(tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"body": ["một"]}), tmp_path / "in.parquet")

    with pytest.raises(InputError, match="no column named text"):
        list(records.read_records(tmp_path / "in.parquet"))


@pytest.mark.slow
def test_memory_grows_neither_with_the_rows_nor_with_their_groups(tmp_path: Path) -> None:
    peaks = []
    for n_rows, group in ((20_000, 20_000), (200_000, 20_000), (200_000, 200_000)):
        table = pyarrow.table({"text": [f"đường hỏng {i} " * 10 for i in range(n_rows)]})
        parquet.write_table(table, tmp_path / "in.parquet", row_group_size=group)
        del table
        tracemalloc.start()
        arrow = 0
        for record in records.read_records(tmp_path / "in.parquet"):
            if record.id.endswith("000"):
                arrow = max(arrow, pyarrow.total_allocated_bytes())
        peaks.append((tracemalloc.get_traced_memory()[1], arrow))
        tracemalloc.stop()

    assert max(python for python, _ in peaks) < 1.5 * peaks[0][0]
    assert max(arrow for _, arrow in peaks) < 48 * 1024 * 1024

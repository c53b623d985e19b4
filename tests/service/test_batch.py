"""Ten thousand records, good and bad: one line each, in order, whatever happens on the way."""

import json
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import openpyxl
import pytest

from nlp.errors import ArtifactError, InputError, UnsupportedMediaType
from nlp.pipeline import Pipeline, Request
from nlp.types import Analysis
from service.batch import Job, Tally, run_batch
from service.pipelines import build_pipeline
from service.settings import Settings

N_RECORDS = 10_000
OPINIONS = (
    "Đường trước nhà ổ gà khắp nơi, bực quá!",
    "cảm ơn bộ phận một cửa",
    "Cho hỏi thủ tục hành chính cần giấy tờ gì?",
    "ok",
    "Hôm nay trời se lạnh.",
)
# Every hundredth record is one of these: the line, and what the error says (None: an analysis).
ODD: tuple[tuple[bytes, str | None], ...] = (
    (b'{"id": "x", "text": "broken', "not valid JSON"),
    (b'["id", "text"]', "not a JSON object"),
    (b'{"id": "x", "text": "\xff\xfe"}', "not valid UTF-8 at byte 21"),
    (b"", "not valid JSON"),
    (b'{"id": "x"}', "no text"),
    (b'{"id": "x", "text": null}', "no text"),
    (b'{"id": "x", "text": " \\n "}', "the text is empty"),
    (b'{"id": "\\ud800", "kind": 3, "text": "a"}', "kind is not"),
    (b'{"id": "x", "text": "a", "kind": "nonsense"}', "kind is not"),
    (b'{"id": "x", "n": ' + b"9" * 5000 + b"}", "a number is too long"),
    (b"[" * 50_000, "nested too deep"),
    (b'{"id": "x", "text": "' + b"a " * 500_000 + b'"}', "at most 200000"),
    (b'{"id": "same", "text": "ok"}', None),
    (b'{"id": "same", "text": "ok"}', None),
    (b'{"id": 12, "text": "ok", "kind": "opinion"}', None),
    (b'{"text": "ok"}', None),
    (b'{"id": "x", "text": "\\u0000\\u0007 a \\ud800"}', None),
    (b'{"id": "x", "text": "\\u0000\\u0007"}', None),
    (b'{"id": "x", "text": "12 34", "kind": "opinion"}', None),
    (b'{"id": "x", "text": "ok", "author": "somebody"}', None),
)  # fmt: skip


def line(number: int) -> bytes:
    if number % 100 == 0:
        return ODD[number // 100 % len(ODD)][0]
    return json.dumps({"id": f"n{number}", "text": OPINIONS[number % len(OPINIONS)]}).encode()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("batch") / "in.jsonl"
    path.write_bytes(b"".join(line(i) + b"\n" for i in range(N_RECORDS)))
    return path


def run(job: Job, pipeline: Pipeline, *, overwrite: bool = False) -> Tally:
    return run_batch(job, build=lambda: pipeline, report=lambda tally: None, overwrite=overwrite)


@pytest.fixture(scope="module")
def whole(source: Path, tiny_pipeline: Pipeline) -> bytes:
    """What one undisturbed run writes."""
    target = source.with_name("out.jsonl")
    run(Job(source, target), tiny_pipeline)
    return target.read_bytes()


def test_every_record_becomes_one_line_in_order(whole: bytes) -> None:
    rows = [json.loads(text) for text in whole.splitlines()]

    assert whole.endswith(b"\n")
    assert len(rows) == N_RECORDS
    assert [row["id"] for i, row in enumerate(rows) if i % 100] == [
        f"n{i}" for i in range(N_RECORDS) if i % 100
    ]
    assert not any("error" in row for i, row in enumerate(rows) if i % 100)


@pytest.mark.parametrize("kind", range(len(ODD)))
def test_an_odd_record_costs_only_itself(whole: bytes, kind: int) -> None:
    row = json.loads(whole.splitlines()[kind * 100])
    expected = ODD[kind][1]

    if expected is None:
        assert "error" not in row
        assert row["kind"] in {"official", "opinion", "unknown"}
    else:
        assert set(row) == {"id", "error"}
        assert expected in row["error"]


def test_ids_are_kept_as_text_or_told_by_the_line(whole: bytes) -> None:
    rows = [json.loads(text) for text in whole.splitlines()]

    assert [rows[i * 100]["id"] for i in (0, 7, 12, 13, 14, 15)] == [
        "line 1", "?", "same", "same", "12", "line 1501",
    ]  # fmt: skip


def test_no_text_stands_in_an_error(whole: bytes) -> None:
    for text in whole.splitlines():
        row = json.loads(text)
        assert len(row.get("error", "")) < 100


@pytest.mark.parametrize("cut", [0.0, 0.00001, 0.3, 0.7, 0.99999])
def test_a_run_cut_off_anywhere_is_resumed_to_the_same_bytes(
    source: Path, whole: bytes, tiny_pipeline: Pipeline, cut: float
) -> None:
    target = source.with_name("out.jsonl")
    target.write_bytes(whole[: int(len(whole) * cut)])
    n_kept = target.read_bytes().count(b"\n")
    tallies: list[Tally] = []

    last = run_batch(Job(source, target), build=lambda: tiny_pipeline, report=tallies.append)

    assert target.read_bytes() == whole
    assert last.n_done == N_RECORDS
    assert [tally.n_done for tally in tallies] == sorted({t.n_done for t in tallies})
    assert not tallies or tallies[0].n_done > n_kept


def test_a_finished_run_is_left_as_it_is(
    source: Path, whole: bytes, tiny_pipeline: Pipeline
) -> None:
    target = source.with_name("out.jsonl")
    target.write_bytes(whole)

    assert run(Job(source, target), tiny_pipeline) == Tally(N_RECORDS, 0)
    assert target.read_bytes() == whole


@pytest.mark.slow
def test_two_workers_write_the_bytes_of_one(source: Path, whole: bytes, tiny_models: Path) -> None:
    settings = Settings(model="tiny", models_folder=tiny_models)
    target = source.with_name("two.jsonl")

    run_batch(
        Job(source, target, n_workers=2),
        build=partial(build_pipeline, settings),
        report=lambda tally: None,
    )

    assert target.read_bytes() == whole


@pytest.mark.slow
def test_memory_does_not_grow_with_the_input(tiny_pipeline: Pipeline, tmp_path: Path) -> None:
    peaks = []
    run(Job(records(tmp_path, 600), tmp_path / "warm.jsonl"), tiny_pipeline)
    for n_records in (1_024, 5_120):
        source = records(tmp_path, n_records)
        tracemalloc.start()
        run(Job(source, tmp_path / f"{n_records}.jsonl"), tiny_pipeline)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < 1.2 * peaks[0]


def test_long_texts_are_analysed_a_few_at_a_time(tiny_pipeline: Pipeline, tmp_path: Path) -> None:
    tallies: list[Tally] = []
    job = Job(small(tmp_path, *["a" * 190_000] * 12), tmp_path / "out.jsonl", max_chars=10)

    run_batch(job, build=lambda: tiny_pipeline, report=tallies.append)

    assert [tally.n_done for tally in tallies] == [3, 6, 9, 12]


def records(folder: Path, n_records: int) -> Path:
    path = folder / f"{n_records}.in.jsonl"
    path.write_bytes(b"".join(line(i) + b"\n" for i in range(1, n_records + 1) if i % 100))
    return path


def small(folder: Path, *texts: str) -> Path:
    path = folder / "in.jsonl"
    rows = [json.dumps({"id": str(i), "text": text}) for i, text in enumerate(texts)]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_the_last_line_needs_no_line_feed(tiny_pipeline: Pipeline, tmp_path: Path) -> None:
    job = Job(small(tmp_path, "một", "hai"), tmp_path / "out.jsonl")

    assert run(job, tiny_pipeline).n_done == 2


def test_an_empty_input_gives_an_empty_output(tiny_pipeline: Pipeline, tmp_path: Path) -> None:
    job = Job(small(tmp_path), tmp_path / "out.jsonl")

    assert run(job, tiny_pipeline) == Tally(0, 0)
    assert job.target.read_bytes() == b""


@pytest.fixture
def done(tiny_pipeline: Pipeline, tmp_path: Path) -> Job:
    """A small batch that was run."""
    job = Job(small(tmp_path, "Đường ổ gà.", "cảm ơn"), tmp_path / "out.jsonl")
    run(job, tiny_pipeline)
    return job


def test_an_output_of_other_input_is_not_touched(done: Job, tiny_pipeline: Pipeline) -> None:
    before = done.target.read_bytes()
    done.source.write_bytes(done.source.read_bytes().replace(b"0", b"9"))  # of the same size

    with pytest.raises(InputError, match="other input"):
        run(done, tiny_pipeline)

    assert done.target.read_bytes() == before


def test_an_output_of_another_kind_or_model_is_not_touched(
    done: Job, tiny_pipeline: Pipeline
) -> None:
    other = replace(tiny_pipeline, classifier=replace(tiny_pipeline.classifier, sha256="0" * 64))  # type: ignore[type-var] # the tiny classifier is a dataclass

    for job, pipeline in ((replace(done, kind="official"), tiny_pipeline), (done, other)):
        with pytest.raises(InputError, match="--overwrite"):
            run(job, pipeline)


def test_an_output_without_its_state_is_not_touched(done: Job, tiny_pipeline: Pipeline) -> None:
    done.target.with_name("out.jsonl.progress.json").unlink()

    with pytest.raises(InputError, match="other input"):
        run(done, tiny_pipeline)


def test_overwriting_starts_anew(done: Job, tiny_pipeline: Pipeline) -> None:
    before = done.target.read_bytes()
    done.source.write_bytes(done.source.read_bytes().replace(b"0", b"9"))

    assert run(done, tiny_pipeline, overwrite=True).n_done == 2
    assert done.target.read_bytes() != before


@pytest.mark.parametrize("target", [".", "nowhere/out.jsonl", "in.jsonl"])
def test_an_output_that_cannot_be_is_refused_and_the_input_kept(
    tiny_pipeline: Pipeline, tmp_path: Path, target: str
) -> None:
    source = small(tmp_path, "một")
    before = source.read_bytes()

    with pytest.raises(InputError, match="name another output"):
        run(Job(source, tmp_path / target), tiny_pipeline, overwrite=True)

    assert source.read_bytes() == before


def test_an_input_that_is_missing_or_of_another_kind_leaves_no_output(
    tiny_pipeline: Pipeline, tmp_path: Path
) -> None:
    other = tmp_path / "in.pdf"
    other.write_bytes(b"%PDF")

    with pytest.raises(InputError, match="no such file"):
        run(Job(tmp_path / "none.jsonl", tmp_path / "out.jsonl"), tiny_pipeline)
    with pytest.raises(UnsupportedMediaType, match=r"in\.pdf"):
        run(Job(other, tmp_path / "out.jsonl"), tiny_pipeline)

    assert not (tmp_path / "out.jsonl").exists()


def test_a_missing_model_is_said_once_also_with_workers(tmp_path: Path) -> None:
    settings = Settings(model="none", models_folder=tmp_path)

    with pytest.raises(ArtifactError, match="no model 'none'"):
        run_batch(
            Job(small(tmp_path, "một"), tmp_path / "out.jsonl", n_workers=2),
            build=partial(build_pipeline, settings),
            report=lambda tally: None,
        )


class Brittle(Pipeline):
    """A pipeline that some texts break."""

    def analyze_all(self, requests: Sequence[Request]) -> tuple[Analysis, ...]:
        if any("vỡ" in request.doc.text for request in requests):
            raise RuntimeError("a fault nobody thought of")
        return super().analyze_all(requests)


def test_a_text_that_breaks_the_pipeline_costs_only_itself(
    tiny_pipeline: Pipeline, tmp_path: Path
) -> None:
    brittle = Brittle(
        tiny_pipeline.classifier,
        tiny_pipeline.taxonomy,
        tiny_pipeline.registers,
        tiny_pipeline.triage,
    )
    job = Job(small(tmp_path, "một", "vỡ rồi", "ba", "vỡ"), tmp_path / "out.jsonl")

    tally = run(job, brittle)

    rows = [json.loads(text) for text in job.target.read_bytes().splitlines()]
    assert tally == Tally(4, 2)
    assert [row["id"] for row in rows] == ["0", "1", "2", "3"]
    assert ["error" in row for row in rows] == [False, True, False, True]
    assert "vỡ" not in rows[1]["error"]


@pytest.mark.parametrize("name", ["in.csv", "in.xlsx", "in.parquet"])
def test_tables_give_the_answers_of_json_lines(
    tiny_pipeline: Pipeline, tmp_path: Path, name: str
) -> None:
    texts = ("Đường ổ gà.", 'cảm ơn "một cửa",\nnhanh gọn', "ok")
    plain = Job(small(tmp_path, *texts), tmp_path / "out.jsonl")
    run(plain, tiny_pipeline)
    table = Job(write_table(tmp_path / name, texts), tmp_path / "table.jsonl")

    run(table, tiny_pipeline)

    assert table.target.read_bytes() == plain.target.read_bytes()


def write_table(path: Path, texts: Sequence[str]) -> Path:
    rows = [(str(i), text) for i, text in enumerate(texts)]
    if path.suffix == ".csv":
        lines = [f'{number},"{text.replace(chr(34), chr(34) * 2)}"' for number, text in rows]
        path.write_text("\n".join(["id,Text", *lines]), encoding="utf-8-sig")
    elif path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        sheet = book.worksheets[0]
        for row in (("id", "text"), *rows):
            sheet.append(row)
        book.save(path)
    else:
        pyarrow = pytest.importorskip("pyarrow", reason="the parquet extra is not installed")
        from pyarrow import parquet

        columns = {"id": [row[0] for row in rows], "text": [row[1] for row in rows]}
        parquet.write_table(pyarrow.table(columns), path)
    return path

"""The command line: what it prints, how it fails, and with which code."""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.main import get_group

from nlp.text import to_nfc
from service import cli
from tests import directive
from tests.conftest import ROOT, TINY_CORPUS
from tests.service.commands import Danvan, Outcome, commanding


@pytest.fixture
def danvan(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tiny_models: Path,
    tmp_path: Path,
) -> Iterator[Danvan]:
    """Run `danvan` with these arguments in an empty folder, with the tiny model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DANVAN_MODELS_FOLDER", str(tiny_models))
    monkeypatch.setenv("DANVAN_MODEL", "tiny")
    monkeypatch.setenv("COLUMNS", "100")

    with commanding(monkeypatch, capsys) as run:
        yield run


def one_sentence(outcome: Outcome) -> bool:
    return outcome.code == 1 and outcome.err.strip().count("\n") == 0 and len(outcome.err) > 20


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a directive in some formats, and opinions."""
    (tmp_path / "a.txt").write_bytes(directive.to_txt("utf-8"))
    (tmp_path / "a.docx").write_bytes(directive.to_docx())
    rows = ["Đường ổ gà, bực quá!", "cảm ơn bộ phận một cửa"]
    lines = [json.dumps({"id": f"n{i}", "text": row}) for i, row in enumerate(rows)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def test_text_prints_the_text_that_offsets_count_in(danvan: Danvan, files: Path) -> None:
    outcome = danvan("text", "a.docx")

    assert outcome.code == 0
    assert outcome.out == to_nfc("\n".join(directive.PARAGRAPHS))


def test_analyze_prints_one_json_line_a_document(danvan: Danvan, files: Path) -> None:
    outcome = danvan("analyze", "a.txt", "a.docx", "in.jsonl", "--json")

    rows = [json.loads(line) for line in outcome.out.splitlines()]
    assert outcome.code == 0
    assert [row["id"] for row in rows] == ["a.txt", "a.docx", "n0", "n1"]
    assert rows[0]["kind"] == rows[1]["kind"] == "official"
    assert rows[0]["metadata"]["canonical"]["value"] == "12-CT/TU"


def test_analyze_prints_a_summary_for_people(danvan: Danvan, files: Path) -> None:
    outcome = danvan("analyze", "a.txt", "in.jsonl")

    assert outcome.code == 0
    assert "12-CT/TU" in outcome.out
    assert "DV3.8" in outcome.out


def test_the_kind_can_be_told(danvan: Danvan, files: Path) -> None:
    outcome = danvan("analyze", "a.txt", "--kind", "opinion", "--json")

    assert json.loads(outcome.out)["kind"] == "opinion"


def test_a_file_that_cannot_be_read_does_not_stop_the_others(danvan: Danvan, files: Path) -> None:
    (files / "bad.pdf").write_bytes(b"no pdf")

    outcome = danvan("analyze", "bad.pdf", "none.txt", "a.txt", "--json")

    assert outcome.code == 1
    assert json.loads(outcome.out)["id"] == "a.txt"
    first, second = outcome.err.splitlines()
    assert first.startswith("bad.pdf: ")
    assert second.startswith("none.txt: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("text", "none.txt"),
        ("text", "."),
        ("text", "empty.txt"),
        ("text", "program.exe"),
        ("analyze", "none.txt"),
        ("analyze", "bad.jsonl"),
        ("analyze", "bad.xlsx"),
        ("batch", "none.jsonl", "-o", "out.jsonl"),
        ("batch", "empty.txt", "-o", "out.jsonl"),
        ("batch", "in.jsonl", "-o", "nowhere/out.jsonl"),
        ("batch", "in.jsonl", "-o", "in.jsonl", "--overwrite"),
        ("batch", "in.jsonl", "-o", "out.jsonl", "--model", "none"),
        ("batch", "in.jsonl", "-o", "out.jsonl", "--model", "none", "--workers", "2"),
        ("train", "none.toml"),
        ("evaluate", "none", str(TINY_CORPUS)),
        ("evaluate", "tiny", "nowhere"),
        ("taxonomy", "check", "nowhere"),
    ],
    ids=" ".join,
)
def test_a_failure_is_one_sentence_and_exit_code_1(
    danvan: Danvan, files: Path, arguments: tuple[str, ...]
) -> None:
    (files / "empty.txt").write_bytes(b"")
    (files / "program.exe").write_bytes(b"MZ")
    (files / "bad.jsonl").write_bytes(b"{")
    (files / "bad.xlsx").write_bytes(b"PK")

    outcome = danvan(*arguments)

    assert one_sentence(outcome), outcome
    assert outcome.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("analyze",),
        ("analyze", "a.txt", "--kind", "novel"),
        ("batch", "in.jsonl"),
        ("batch", "in.jsonl", "-o", "out.jsonl", "--workers", "0"),
        ("evaluate", "tiny", str(TINY_CORPUS), "--split", "none"),
        ("text", "a.txt", "--unknown"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(
    danvan: Danvan, files: Path, arguments: tuple[str, ...]
) -> None:
    assert danvan(*arguments).code == 2


def test_a_wrong_setting_is_named(
    danvan: Danvan, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DANVAN_PORT", "many")

    outcome = danvan("text", "a.txt")

    assert one_sentence(outcome)
    assert "DANVAN_PORT" in outcome.err


def test_a_file_larger_than_allowed_is_refused(
    danvan: Danvan, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DANVAN_MAX_UPLOAD_BYTES", "100")

    outcome = danvan("text", "a.txt")

    assert one_sentence(outcome)
    assert "at most 100" in outcome.err


def test_batch_writes_a_line_a_record_and_says_how_many(danvan: Danvan, files: Path) -> None:
    with (files / "in.jsonl").open("ab") as lines:
        lines.write(b"\nno json\n")

    outcome = danvan("batch", "in.jsonl", "-o", "out.jsonl")

    rows = [json.loads(line) for line in (files / "out.jsonl").read_bytes().splitlines()]
    assert outcome.code == 0
    assert [row["id"] for row in rows] == ["n0", "n1", "line 3"]
    assert "3 records" in outcome.err
    assert "1 of this run with an error" in outcome.err


def test_batch_goes_on_after_an_interruption(danvan: Danvan, files: Path) -> None:
    danvan("batch", "in.jsonl", "-o", "out.jsonl")
    whole = (files / "out.jsonl").read_bytes()
    (files / "out.jsonl").write_bytes(whole[:-100])

    assert danvan("batch", "in.jsonl", "-o", "out.jsonl").code == 0
    assert (files / "out.jsonl").read_bytes() == whole


def test_batch_refuses_an_output_made_of_other_input(danvan: Danvan, files: Path) -> None:
    danvan("batch", "in.jsonl", "-o", "out.jsonl")
    (files / "in.jsonl").write_text('{"id": "a", "text": "khác"}', encoding="utf-8")

    refused = danvan("batch", "in.jsonl", "-o", "out.jsonl")
    redone = danvan("batch", "in.jsonl", "-o", "out.jsonl", "--overwrite")

    assert one_sentence(refused)
    assert redone.code == 0
    assert json.loads((files / "out.jsonl").read_bytes())["id"] == "a"


def test_batch_reads_sheets(danvan: Danvan, files: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(("id", "text"))
    book.worksheets[0].append(("a", "Đường ổ gà."))
    out = io.BytesIO()
    book.save(out)
    (files / "in.xlsx").write_bytes(out.getvalue())

    assert danvan("batch", "in.xlsx", "-o", "out.jsonl", "--kind", "opinion").code == 0
    assert json.loads((files / "out.jsonl").read_bytes())["kind"] == "opinion"


def test_a_model_is_trained_and_measured(danvan: Danvan, tiny_recipe: Path, files: Path) -> None:
    trained = danvan("train", str(tiny_recipe), "--out", "models")
    measured = danvan("evaluate", "tiny", str(TINY_CORPUS), "--split", "all")

    assert trained.code == measured.code == 0
    assert trained.out.strip() == "models/tiny/0.0.1"
    report = json.loads(measured.out)
    assert report["heads"]["text_kind"]["n"] == 60
    assert 0 <= report["heads"]["sentiment"]["macro_f1"] <= 1
    assert report["robustness"]["NFD"]["sentiment"]["same"] == 1
    assert report["evidence_cost"] > 0


def test_figures_are_kept_for_the_card(danvan: Danvan, tiny_recipe: Path, files: Path) -> None:
    text = tiny_recipe.read_text(encoding="utf-8") + 'measured = "kept.json"\n'
    (files / "recipe.toml").write_text(text, encoding="utf-8")
    danvan("train", "recipe.toml", "--out", "models")
    os.environ["DANVAN_MODELS_FOLDER"] = "models"  # the fixture puts it back

    before = (files / "models/tiny/0.0.1/card.md").read_text(encoding="utf-8")
    kept = danvan("evaluate", "tiny", str(TINY_CORPUS), "--split", "all", "--record")
    after = (files / "models/tiny/0.0.1/card.md").read_text(encoding="utf-8")

    assert kept.code == 0
    assert "Not measured for these weights" in before
    assert "### What is asked of it" in after
    danvan("train", "recipe.toml", "--out", "again")  # the same weights, so the same figures
    assert (files / "again/tiny/0.0.1/card.md").read_text(encoding="utf-8") == after


def test_figures_nobody_wants_are_not_kept(danvan: Danvan) -> None:
    outcome = danvan("evaluate", "tiny", str(TINY_CORPUS), "--split", "all", "--record")

    assert outcome.code == 1
    assert one_sentence(outcome)


def test_a_pack_is_drafted_from_a_directive(danvan: Danvan, files: Path) -> None:
    sample = str(ROOT / "corpus" / "samples" / "chi-thi-mau.md")

    drafted = danvan("taxonomy", "draft", sample, "--out", "new")
    checked = danvan("taxonomy", "check", "new")
    again = danvan("taxonomy", "draft", sample, "--out", "new")

    assert drafted.code == checked.code == 0
    assert "NV1" in drafted.out
    assert again.code == 1
    assert one_sentence(again)


def test_a_pack_is_checked(danvan: Danvan) -> None:
    outcome = danvan("taxonomy", "check", str(ROOT / "corpus" / "taxonomies" / "ct07"))

    assert outcome.code == 0
    assert "ct07 1.0.0 is sound" in outcome.out


def test_help_names_every_command(danvan: Danvan) -> None:
    outcome = danvan("--help")

    assert outcome.code == 0
    for command in ("analyze", "batch", "text", "serve", "migrate", "train", "evaluate", "doctor"):
        assert command in outcome.out


def test_the_module_is_the_command(files: Path, tiny_models: Path) -> None:
    environment = {**os.environ, "DANVAN_MODELS_FOLDER": str(tiny_models), "DANVAN_MODEL": "none"}

    done, failed = (
        subprocess.run(
            [sys.executable, "-m", "service", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            check=False,
            timeout=60,
        )
        for arguments in (["text", str(files / "a.txt")], ["analyze", str(files / "a.txt")])
    )

    assert done.returncode == 0
    assert done.stdout.decode("utf-8").startswith(directive.LEFT[0])
    assert failed.returncode == 1
    assert failed.stderr.decode("utf-8").startswith("danvan: no model 'none'")
    assert b"Traceback" not in failed.stderr


def test_a_folder_becomes_a_table_with_what_failed_and_what_came_twice(
    danvan: Danvan, files: Path
) -> None:
    many = files / "many"
    (many / "con").mkdir(parents=True)
    (many / "a.txt").write_bytes(directive.to_txt("utf-8"))
    (many / "con" / "b.docx").write_bytes(directive.to_docx())
    (many / "con" / "c.md").write_bytes(directive.to_markdown() + "\n\nThêm một dòng.\n".encode())
    (many / "hong.pdf").write_bytes(b"no pdf at all")
    (many / ".an").write_bytes(b"hidden")

    outcome = danvan("analyze", "many")

    assert outcome.code == 1
    assert "12-CT/TU" in outcome.out
    assert "05/3/2024" in outcome.out
    assert "trùng nguyên văn" in " ".join(outcome.out.split())
    assert "hong.pdf: " in outcome.err
    assert "3 files analysed, 1 failed, 2 came twice" in outcome.err
    assert ".an" not in outcome.out + outcome.err


def test_an_archive_is_read_like_the_folder_that_was_packed(danvan: Danvan, files: Path) -> None:
    with zipfile.ZipFile(files / "goi.zip", "w") as archive:
        archive.writestr("van-ban/a.docx", directive.to_docx())
        archive.writestr("../b.txt", directive.to_txt("utf-8"))

    outcome = danvan("analyze", "goi.zip", "--json")

    assert outcome.code == 0
    rows = [json.loads(line) for line in outcome.out.splitlines()]
    assert [row["id"] for row in rows] == ["goi.zip/van-ban/a.docx", "goi.zip/b.txt"]
    assert {row["metadata"]["canonical"]["value"] for row in rows} == {"12-CT/TU"}


def _offered(group: Any, *path: str) -> Iterator[tuple[str, ...]]:
    """The paths of all commands under a group."""
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if hasattr(command, "list_commands"):
            yield from _offered(command, *path, name)
        else:
            yield *path, name


def test_every_command_of_every_module_is_offered_and_no_other() -> None:
    rooms = [import_module(f"service.{path.stem}") for path in (ROOT / "service").glob("cli_*.py")]

    written = [path for room in rooms for path in _offered(get_group(room.app))]

    assert len(written) > 20
    assert sorted(_offered(get_group(cli.app))) == sorted(written)


@pytest.mark.parametrize(
    ("command", "unneeded"),
    [
        ("migrate", {"fastapi", "sqlalchemy", "scipy", "nlp.pipeline"}),
        ("batch", {"fastapi", "sqlalchemy", "datasketch", "alembic", "pyarrow", "sklearn"}),
        ("analyze", {"fastapi", "sqlalchemy", "datasketch", "alembic", "pyarrow", "sklearn"}),
    ],
)
def test_a_command_imports_no_more_than_it_needs(command: str, unneeded: set[str]) -> None:
    code = (
        "import sys; from typer.main import get_group; from service.cli import app\n"
        f"get_group(app).get_command(None, {command!r}); print(*sys.modules)"
    )

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not unneeded & set(ran.stdout.split())


def test_a_mistyped_command_is_told_the_one_that_was_meant(danvan: Danvan) -> None:
    assert "Did you mean 'analyze'" in danvan("analyse").err
    assert "Did you mean 'items'" in danvan("export", "item").err

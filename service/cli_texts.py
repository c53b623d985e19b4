"""`danvan analyze`, `text`, `evaluate`, `serve` and what else begins with texts on disk."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from nlp.errors import InputError
from nlp.hints import load_triage
from nlp.pipeline import Pipeline, Request
from nlp.readers import from_text
from nlp.readers.child import read_in_child
from nlp.structure import load_registers, read_structure
from nlp.taxonomy import Taxonomy, load_pack
from nlp.types import Document, KindAsked
from service.console import Printer
from service.exports import ExportJob, export_duties, is_known
from service.folder import count_files, is_many, read_all
from service.pipelines import build_pipeline
from service.records import is_table, read_records
from service.settings import Settings, load_settings

if TYPE_CHECKING:
    from models.evaluate import LabelledTexts

app = typer.Typer()
taxonomy_app = typer.Typer()
export_app = typer.Typer()
app.add_typer(taxonomy_app, name="taxonomy")
app.add_typer(export_app, name="export")


class Split(StrEnum):
    """Which part of labelled texts."""

    train = "train"
    test = "test"
    all = "all"


# texts and names of files are shown as they are: nothing in them is an instruction to the terminal
_BAR = (
    SpinnerColumn(),
    TextColumn("{task.description}"),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
)
_complaints: list[str] = []  # what went wrong in this run, one entry each
_out = Console(markup=False, emoji=False, highlight=False)
_err = Console(stderr=True, markup=False, emoji=False, highlight=False)


@app.command()
def analyze(
    files: Annotated[list[Path], typer.Argument(help="files, folders, .zip archives")],
    *,
    kind: Annotated[KindAsked, typer.Option(help="what the texts are")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="one Analysis a line")] = False,
) -> None:
    """Analyse files: a readable summary, or Analysis JSON lines; of a folder or archive a table."""
    settings = load_settings()
    pipeline = build_pipeline(settings)
    printer = Printer.of(_out, taxonomy=pipeline.taxonomy)
    _complaints.clear()
    if any(is_many(path) for path in files):
        _analyze_many(files, kind=kind, json=json, settings=settings, pipeline=pipeline)
        raise typer.Exit(1 if _complaints else 0)
    for path in files:
        try:
            for name, doc in _documents(path, settings=settings):
                analysis = pipeline.analyze(Request(name, doc, kind))
                if json:
                    sys.stdout.write(orjson.dumps(analysis).decode() + "\n")
                else:
                    printer.show(analysis, text=doc.text)
        except InputError as error:
            _complain(str(path), str(error))
    raise typer.Exit(1 if _complaints else 0)


def _analyze_many(
    paths: list[Path], *, kind: KindAsked, json: bool, settings: Settings, pipeline: Pipeline
) -> None:
    """Analyse folders and archives: a line a file as it is done, what failed and what came twice."""
    from service.duplicates import Twins  # datasketch takes a second to load

    limits = settings.limits()
    twins, rows, failed = Twins(), [], []
    with Progress(*_BAR, console=_err, transient=True) as progress:
        bar = progress.add_task("files", total=count_files(paths))
        for read in read_all(
            paths,
            limits=limits.reading,
            max_bytes=limits.max_upload_bytes,
            report=lambda name: progress.advance(bar),
        ):
            if read.doc is None:
                failed.append(read)
                continue
            analysis = pipeline.analyze(Request(read.name, read.doc, kind))
            if json:
                sys.stdout.write(orjson.dumps(analysis).decode() + "\n")
            rows.append((analysis, twins.remember(read.name, text=read.doc.text)))
    if not json:
        Printer.of(_out, taxonomy=pipeline.taxonomy).table(rows)
    for read in failed:
        _complain(read.name, read.error or "it cannot be read")
    n_twins = sum(twin is not None for _, twin in rows)
    _err.print(f"{len(rows)} files analysed, {len(failed)} failed, {n_twins} came twice")


@app.command()
def text(file: Annotated[Path, typer.Argument(help="the file to read")]) -> None:
    """Print the extracted NFC text, the one that all offsets count in."""
    sys.stdout.write(_read(file, settings=load_settings()).text)


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="NAME or NAME@VERSION")],
    data: Annotated[Path, typer.Argument(help="a folder of labelled texts")],
    *,
    split: Annotated[Split, typer.Option(help="which part of them")] = Split.test,
    texts: Annotated[
        list[Path] | None, typer.Option(help="where the texts are, if DATA has labels by hash only")
    ] = None,
    record: Annotated[bool, typer.Option(help="keep the figures for the card")] = False,
) -> None:
    """Measure a model on labelled texts; figures as JSON."""
    from models.card import record as keep
    from models.evaluate import evaluate_all
    from models.registry import find_model, load_classifier

    settings = load_settings()
    taxonomy = load_pack(settings.corpus_folder / "taxonomies" / settings.taxonomy)
    classifier = load_classifier(model, folder=settings.models_folder)
    data_set = _labelled(data, split=split, texts=texts, settings=settings, taxonomy=taxonomy)
    folder = settings.corpus_folder / "registers"
    pipeline = Pipeline(classifier, taxonomy, load_registers(folder), load_triage(folder))
    report = evaluate_all(pipeline, data_set)
    if record:
        kept = keep(find_model(model, folder=settings.models_folder).folder, report=report)
        _err.print(f"kept in {kept}; the card is written anew", soft_wrap=True)
    sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=1) + "\n")


def _labelled(
    data: Path,
    *,
    split: "Split",
    texts: list[Path] | None,
    settings: Settings,
    taxonomy: Taxonomy,
) -> "LabelledTexts":
    """The examples of one part of the data, and the labels of a second reading."""
    from models.corpus import load_corpus, load_second
    from models.evaluate import LabelledTexts
    from models.real import UNLABELLED_HEADS, find_texts, join_labels, real_split

    if texts is None:
        own = load_corpus(data, taxonomy=taxonomy)
        second = load_second(data / "second", examples=own, taxonomy=taxonomy)
        return LabelledTexts([e for e in own if split in {e.split, "all"}], second)
    registers = load_registers(settings.corpus_folder / "registers")
    at_hand = list(find_texts(texts, registers=registers))
    real = join_labels(data, texts=at_hand)
    again = join_labels(data / "second", texts=at_hand)
    chosen = [e for e in real if split in {real_split(e.sha256), "all"}]
    return LabelledTexts(chosen, {e.sha256: e for e in again}, UNLABELLED_HEADS)


@app.command()
def serve(
    *,
    host: Annotated[str | None, typer.Option(help="address to listen on")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="port to listen on")] = None,
    model: Annotated[str | None, typer.Option(help="NAME or NAME@VERSION")] = None,
) -> None:
    """Serve the API and the page."""
    changes = {"host": host, "port": port, "model": model}
    settings = load_settings().model_copy(
        update={k: v for k, v in changes.items() if v is not None}
    )
    _serve(settings, pipeline=None)


@taxonomy_app.command()
def check(folder: Annotated[Path, typer.Argument(help="the pack's folder")]) -> None:
    """Validate a taxonomy pack."""
    pack = load_pack(folder)
    sizes = ", ".join(f"{name} {len(facet.categories)}" for name, facet in pack.facets.items())
    _out.print(f"{pack.name} {pack.version} is sound: {sizes}", highlight=False, soft_wrap=True)


@taxonomy_app.command()
def draft(
    file: Annotated[Path, typer.Argument(help="a directive with numbered tasks")],
    *,
    out: Annotated[Path | None, typer.Option(help="the new pack's folder")] = None,
) -> None:
    """Draft a taxonomy pack from a directive: its tasks as codes, names and cues from its own words."""
    from models.drafting import draft_pack, slug

    settings = load_settings()
    packs = settings.corpus_folder / "taxonomies"
    doc = _read(file, settings=settings)
    structure = read_structure(doc, registers=load_registers(settings.corpus_folder / "registers"))
    canonical = structure.metadata.canonical
    folder = out or packs / slug(str(canonical.value) if canonical else file.stem)
    codes = draft_pack(doc, structure, base=packs / settings.taxonomy, folder=folder)
    _out.print(f"{folder}: {len(codes)} areas, {codes[0]} to {codes[-1]}", soft_wrap=True)
    _out.print(f"read and mend it, then: danvan train {folder / 'recipe.toml'}", soft_wrap=True)


def _known(output: Path) -> Path:
    if not is_known(output):
        raise typer.BadParameter("the name must end in .xlsx or .ics")
    return output


@export_app.command()
def duties(
    files: Annotated[list[Path], typer.Argument(help="files, folders, .zip archives")],
    *,
    output: Annotated[
        Path, typer.Option("-o", "--output", callback=_known, help="a table .xlsx, a calendar .ics")
    ],
    kind: Annotated[KindAsked, typer.Option(help="what the texts are")] = "auto",
    stamp: Annotated[
        datetime | None, typer.Option(help="time of making that OUT bears, in UTC; else now")
    ] = None,
) -> None:
    """Write who must do what by when: a table, or the deadlines as a calendar."""
    settings = load_settings()
    made = (stamp or datetime.now(UTC)).replace(tzinfo=UTC, microsecond=0)
    _complaints.clear()
    with Progress(*_BAR, console=_err, transient=True) as progress:
        bar = progress.add_task("files", total=count_files(files))
        exported = export_duties(
            ExportJob(tuple(files), output, kind, made),
            build=partial(build_pipeline, settings),
            limits=settings.limits(),
            report=lambda name: progress.advance(bar),
        )
    for read in exported.failed:
        _complain(read.name, read.error or "it cannot be read")
    if exported.is_written:
        _err.print(f"{output}: {exported}", soft_wrap=True)
    raise typer.Exit(1 if _complaints else 0)


@app.command(hidden=True)
def demo(
    files: Annotated[list[Path], typer.Argument(help="files to show")],
    *,
    port: Annotated[int, typer.Option(help="port to serve on")] = 8000,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="serve afterwards")] = True,
) -> None:
    """What `make demo` runs: analyse files, print them, store them, serve."""
    from service.demo import store_all

    settings = load_settings().model_copy(update={"port": port})
    pipeline = build_pipeline(settings)
    printer = Printer.of(_out, taxonomy=pipeline.taxonomy)
    named = [pair for path in files for pair in _documents(path, settings=settings)]
    for name, doc in named:
        printer.show(pipeline.analyze(Request(name, doc)), text=doc.text)
    n_stored = store_all(files, settings=settings, pipeline=pipeline)
    _err.print(f"{n_stored} items stored in {settings.database_url}", highlight=False)
    if serve:
        _err.print(f"serving http://localhost:{port} (Ctrl+C ends)", highlight=False)
        _serve(settings, pipeline=pipeline)


def _serve(settings: Settings, *, pipeline: Pipeline | None) -> None:
    from service.serving import serve

    serve(settings, pipeline=pipeline)


def _documents(path: Path, *, settings: Settings) -> Iterator[tuple[str, Document]]:
    """A file as one document, or the records of a table as one each."""
    if not is_table(path):
        yield path.name, _read(path, settings=settings)
        return
    if not path.is_file():
        raise InputError("no such file")
    for record in read_records(path):
        if record.error is not None or not record.text.strip():
            _complain(f"{path}: {record.id}", record.error or "the text is empty")
        else:
            yield record.id, from_text(record.text)


def _complain(where: str, what: str) -> None:
    """Say on stderr what was wrong; the exit code will be 1."""
    _complaints.append(where)
    _err.print(f"{where}: {what}", soft_wrap=True)


def _read(path: Path, *, settings: Settings) -> Document:
    limits = settings.limits()
    if not path.is_file():
        raise InputError("no such file")
    if path.stat().st_size > limits.max_upload_bytes:
        raise InputError(
            f"the file has {path.stat().st_size} bytes; at most {limits.max_upload_bytes} are read"
        )
    return read_in_child(path.read_bytes(), name=path.name, limits=limits.reading)

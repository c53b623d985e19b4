"""The commands around learning: `danvan train`, `danvan export onnx`, `danvan taxonomy diff`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from nlp.taxonomy import Migration, load_pack
from service.settings import Settings, load_settings

if TYPE_CHECKING:
    from models.candidates import Corrections

app = typer.Typer()
taxonomy_app = typer.Typer()
app.add_typer(taxonomy_app, name="taxonomy")
export_app = typer.Typer()
app.add_typer(export_app, name="export")
_out = Console(markup=False, emoji=False, highlight=False)
_err = Console(stderr=True, markup=False, emoji=False, highlight=False)


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="models/recipes/*.toml")],
    *,
    out: Annotated[Path | None, typer.Option(help="folder of artifacts")] = None,
    with_corrections: Annotated[
        bool,
        typer.Option(
            "--with-corrections", help="learn from corrected opinions too: a candidate version"
        ),
    ] = False,
) -> None:
    """Train a recipe: artifact and card. With corrections, a candidate beside the model that stands."""
    from models.train import train as run_recipe  # scikit-learn takes a second to load

    settings = load_settings()
    folder = run_recipe(
        recipe,
        out=out or settings.models_folder,
        report=_err.print,
        corrections=_corrections(recipe, settings) if with_corrections else None,
    )
    _out.print(str(folder), soft_wrap=True)


def _corrections(recipe: Path, settings: Settings) -> "Corrections":

    from models.real import measured_hashes
    from models.recipe import load_recipe
    from models.registry import load_classifier
    from service.learning import read_lessons
    from service.store.dialect import opened
    from service.store.runs import packs_of

    taxonomy = load_pack(load_recipe(recipe).taxonomy)
    folders = sorted((settings.corpus_folder / "taxonomies").glob("*/pack.toml"))
    with opened(settings.database_url) as engine:
        return read_lessons(
            engine,
            taxonomy,
            packs=packs_of([*(load_pack(file.parent) for file in folders), taxonomy]),
            kept_out=measured_hashes(settings.corpus_folder / "labelled" / "real"),
            standing=load_classifier(settings.model, folder=settings.models_folder),
        )


@app.command()
def reference(
    model: Annotated[str, typer.Argument(help="NAME or NAME@VERSION")],
) -> None:
    """Keep beside a model what later texts are compared with; training does so by itself."""
    from models.train import renew_reference

    path, kept = renew_reference(model, folder=load_settings().models_folder)
    _out.print(f"{path}: {kept.n} opinions held out", soft_wrap=True)


@export_app.command()
def onnx(
    model: Annotated[str, typer.Argument(help="NAME or NAME@VERSION, fine-tuned")],
    *,
    int8: Annotated[
        bool, typer.Option("--int8", help="weights of 8 bits: a quarter of the size, faster")
    ] = False,
) -> None:
    """Write a fine-tuned model anew as NAME-onnx or NAME-int8, which needs no torch."""
    from models.export import export_onnx

    folder = load_settings().models_folder
    _out.print(str(export_onnx(model, folder=folder, int8=int8, report=_err.print)), soft_wrap=True)


@taxonomy_app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="folder of the older version of the pack")],
    new: Annotated[Path, typer.Argument(help="folder of the newer version")],
) -> None:
    """Say what a new version of a pack changes; exit code 1 where a correction would lose its place."""
    from service.pack_diff import compare_packs

    before, after = load_pack(old), load_pack(new)
    found = compare_packs(before, after)
    _out.print(f"{before.name}: {before.version} to {after.version}")
    for sign, codes in (("+", found.added), ("-", found.removed)):
        for code in codes:
            _out.print(f"{sign} {code}", soft_wrap=True)
    for step in found.moved:
        _out.print(f"> {_told(step)}", soft_wrap=True)
    for one in found.changed:
        _out.print(f"~ {one.facet} {one.code}: {', '.join(one.fields)}", soft_wrap=True)
    for fault in found.faults:
        _err.print(f"! {fault}", soft_wrap=True)
    raise typer.Exit(1 if found.faults else 0)


def _told(step: Migration) -> str:
    """A migration in a line."""
    what = f"{step.facet} {', '.join(step.before)} to {', '.join(step.after)} ({step.kind})"
    return f"{what}: corrections go to review" if step.kind == "split" else what

"""`danvan batch`: many texts from a file, to a file or into a store."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from nlp.errors import DanvanError
from nlp.types import KindAsked
from service.batch import Job, Tally, run_batch
from service.pipelines import build_pipeline
from service.settings import Settings, load_settings

if TYPE_CHECKING:
    from service.loading import Outcome, Standing

app = typer.Typer()
_BAR = (
    SpinnerColumn(),
    TextColumn("{task.description}"),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
)
_IDLE = "no worker is at this store; start `danvan worker` with it, here or on another host"
_err = Console(stderr=True, markup=False, emoji=False, highlight=False)


@app.command()
def batch(
    source: Annotated[Path, typer.Argument(metavar="IN", help=".jsonl, .csv, .xlsx or .parquet")],
    *,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="where the answers go: .parquet or lines")
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(help="or into this store, by its workers: sqlite:///FILE, postgresql://..."),
    ] = None,
    of: Annotated[
        str | None, typer.Option("--source", help="with --store: the registered source")
    ] = None,
    kind: Annotated[KindAsked, typer.Option(help="of records that name none")] = "auto",
    workers: Annotated[
        int | None, typer.Option(min=1, help="processes; with --store besides those it has")
    ] = None,
    model: Annotated[str | None, typer.Option(help="NAME or NAME@VERSION")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="start anew")] = False,
    ray: Annotated[
        str | None,
        typer.Option(help="by Ray, from Parquet to a folder of it: `local` or a cluster's address"),
    ] = None,
    gpus: Annotated[float, typer.Option(min=0, help="with --ray: of a GPU for each process")] = 0,
) -> None:
    """Analyse many texts; a bad record costs only itself, and a broken run can be resumed."""
    wrong = {
        "say where the answers go: either -o FILE or --store ADDRESS": bool(output) == bool(store),
        "--store and --source go together: every text enters with a registered source": bool(store)
        != bool(of),
        "a store takes opinions, read by the model of its workers": store is not None
        and (kind == "official" or model is not None),
        "--ray reads into a folder, with neither --store nor --overwrite": ray is not None
        and (store is not None or overwrite),
        "--gpus is for --ray": gpus > 0 and ray is None,
    }
    for message in [message for message, is_so in wrong.items() if is_so]:
        raise typer.BadParameter(message)
    settings = load_settings(store=store)
    if output is None:
        _load(source, str(of), settings, again=overwrite, n_workers=workers or 0)
        return
    settings = settings.model_copy(update={"model": model}) if model else settings
    job = Job(source, output, kind, settings.max_opinion_chars, workers or 1)
    if ray is None:
        _to_file(job, settings, overwrite=overwrite)
    else:
        from service.ray_job import Hands, read_lake

        hands = Hands(ray, workers, gpus)
        n_rows = read_lake(job, build=partial(build_pipeline, settings), hands=hands)
        _err.print(f"{n_rows} records in {output}", soft_wrap=True)


def _to_file(job: Job, settings: Settings, *, overwrite: bool) -> None:
    with Progress(*_BAR, console=_err, transient=True) as progress:
        bar = progress.add_task("texts", total=None)

        def report(tally: Tally) -> None:
            progress.update(bar, completed=tally.n_done)

        tally = run_batch(
            job, build=partial(build_pipeline, settings), report=report, overwrite=overwrite
        )
    _err.print(
        f"{tally.n_done} records in {job.target}, {tally.n_failed} of this run with an error",
        soft_wrap=True,
    )


def _load(path: Path, source: str, settings: Settings, *, again: bool, n_workers: int) -> None:
    from service.jobs.crew import COMMAND, keep_crew
    from service.store.migrate import migrate

    if settings.migrate_on_start:
        migrate(settings.database_url)
    own = {"DANVAN_DATABASE_URL": settings.database_url}
    with keep_crew([COMMAND] * n_workers, settings=own):
        _to_store(path, source, settings, again=again, has_crew=bool(n_workers))


def _to_store(path: Path, source: str, settings: Settings, *, again: bool, has_crew: bool) -> None:
    from service.loading import load_file
    from service.store.dialect import opened

    is_told = has_crew  # they take a moment to come
    with (
        opened(settings.database_url) as engine,
        Progress(*_BAR, console=_err, transient=True) as progress,
    ):
        bar = progress.add_task("opinions", total=None)

        def report(standing: "Standing") -> None:
            nonlocal is_told
            progress.update(bar, completed=standing.n_done, total=standing.n_handed)
            if not standing.n_workers and not is_told:
                progress.console.print(_IDLE, soft_wrap=True)
                is_told = True

        outcome = load_file(
            engine, path, source=source, settings=settings, report=report, again=again
        )
    _tell(outcome)


def _tell(outcome: "Outcome") -> None:
    n = outcome.counts
    _err.print(
        f"{n['accepted']} opinions kept, {n['duplicate']} known, {n['refused']} refused,"
        f" {n['before']} handed in before",
        soft_wrap=True,
    )
    if outcome.failed:
        first = outcome.failed[0]
        raise DanvanError(
            f"{len(outcome.failed)} loads failed, the first ({first.id}): {first.reason};"
            " the same command tries them again"
        )

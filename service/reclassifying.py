"""Re-classification as people use it: start, look, compare, promote, go back."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import sqlalchemy as sa

from models.registry import ModelInfo
from nlp.errors import InputError
from nlp.taxonomy import Migration, Taxonomy, version_key
from nlp.types import Provenance
from service.actions import Desk, new_id
from service.jobs.webhooks import Event, emit
from service.store import tables
from service.store.access import Entry, add_entries
from service.store.choosing import draw_ids
from service.store.dialect import Then, writing
from service.store.diff import (
    Agreement,
    Change,
    Shown,
    Transition,
    agreement,
    list_changes,
    transitions,
)
from service.store.errors import Conflict, NotFound
from service.store.jobs import Job, JobQuery, Progress, add_job, list_jobs, measure, read_job
from service.store.query import LabelFilter, Query, query_to_json
from service.store.runs import (
    Move,
    Run,
    forget_run,
    packs_of,
    promote,
    roll_back,
    runs_of_jobs,
    standing_taxonomy,
    start_run,
)
from service.store.tables import FACETS

KIND = "reclassification"
_LISTED = 100


class NothingToRead(Conflict):
    """No item is in what was asked to be read again."""


@dataclass(frozen=True, slots=True)
class Archive:
    """What is stored, and the models and packs at hand to read it with."""

    engine: sa.Engine
    taxonomies: Callable[[], tuple[Taxonomy, ...]]
    models: Callable[[], tuple[ModelInfo, ...]]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


def archive_of(desk: Desk) -> Archive:
    """What re-classification needs of the desk."""
    return Archive(desk.engine, desk.taxonomies, desk.models, desk.now)


@dataclass(frozen=True, slots=True)
class Wish:
    """What to read again, with which model; `affected`: only what a change of the taxonomy concerns.

    `sample`: only so many items, spread over the newest of those. `must_find`: a scope without items is
    refused; for programs such a run is complete at once.
    """

    model: str
    query: Query
    asked_by: str
    affected: bool = False
    dry_run: bool = False
    sample: int | None = None
    must_find: bool = False


@dataclass(frozen=True, slots=True)
class Reclassification:
    """A re-classification: its job with its progress and, but for a dry run, its run."""

    job: Job
    progress: Progress
    run: Run | None

    @property
    def state(self) -> str:
        """What a person would say of it: promoted, discarded, else the state of its job."""
        if self.run is not None and self.run.active:
            return "promoted"
        if self.run is not None and self.run.state == "discarded":
            return "discarded"
        return self.job.state


@dataclass(frozen=True, slots=True)
class Diff:
    """What would change: how often each label becomes another, and how both agree with people."""

    transitions: tuple[Transition, ...]
    agreement: tuple[Agreement, ...]


def start(archive: Archive, wish: Wish) -> Reclassification:
    """Order a re-classification.

    Raises:
        NotFound: no such model.
        Conflict: the scope asks for what a change of the taxonomy concerns, and there is none.
        NothingToRead: an item must be found, and none is in the scope.
        InputError: one of the two versions of the taxonomy is not at hand.
    """
    info = _model(archive, wish.model)
    moment = archive.now()
    query = replace(wish.query, cursor=None)
    with writing(archive.engine) as connection:
        if wish.affected:
            query = replace(query, any_of=_affected(connection, archive, info))
        newest = connection.scalar(sa.select(sa.func.max(tables.items.c.seq)))
        query = replace(query, to_seq=(newest or 0) + 1)
        if wish.must_find and not draw_ids(connection, query, n=1):
            raise NothingToRead("nothing is stored that this asks for; ask for more")
        if wish.sample is not None:
            query = replace(query, ids=draw_ids(connection, query, n=wish.sample))
        job_id = new_id(moment)
        scope = query_to_json(query)
        params: dict[str, Any] = {
            "model": f"{info.name}@{info.version}",
            "model_sha256": info.sha256,
            "scope": scope,
            "dry_run": wish.dry_run,
        }
        if not wish.dry_run:
            move = Move(wish.asked_by, moment)
            params["run_id"] = start_run(
                connection, _provenance(info), scope=scope, job_id=job_id, move=move
            )
        add_job(connection, KIND, job_id=job_id, params=params, asked_by=wish.asked_by, now=moment)
    return look(archive, job_id)


def look(archive: Archive, job_id: str) -> Reclassification:
    """How far a re-classification is.

    Raises:
        NotFound: no re-classification has this id.
    """
    job = read_job(archive.engine, job_id)
    if job.kind != KIND:
        raise NotFound("no re-classification has this id; /v1/reclassifications lists them")
    progress = measure(archive.engine, [job], now=archive.now())[job.id]
    with archive.engine.connect() as connection:
        runs = runs_of_jobs(connection, [job_id])
    return Reclassification(job, progress, runs.get(job_id))


def look_at_all(archive: Archive) -> list[Reclassification]:
    """The last hundred, newest first."""
    jobs = list_jobs(archive.engine, JobQuery(kind=KIND, limit=_LISTED))
    progress = measure(archive.engine, jobs, now=archive.now())
    with archive.engine.connect() as connection:
        runs = runs_of_jobs(connection, [job.id for job in jobs])
    return [Reclassification(job, progress[job.id], runs.get(job.id)) for job in jobs]


def compare(archive: Archive, job_id: str, *, facets: Collection[str] = FACETS) -> Diff:
    """What a re-classification changes, or would change, as far as it is done.

    Raises:
        NotFound: no re-classification has this id.
    """
    found = look(archive, job_id)
    if found.run is None:
        return Diff(_of_dry_run(found.job, facets), ())
    run_id, packs = found.run.id, packs_of(archive.taxonomies())
    with archive.engine.connect() as connection:
        steps = [transitions(connection, run_id, facet=facet) for facet in facets]
        agreed = [agreement(connection, run_id, facet=facet, packs=packs) for facet in facets]
    return Diff(tuple(step for own in steps for step in own), tuple(agreed))


def changes(archive: Archive, job_id: str, *, shown: Shown) -> tuple[Change, ...]:
    """Items that change, the newest first, with the words that prove the old and the new answer.

    Raises:
        NotFound: no re-classification has this id.
        Conflict: it is a dry run, which keeps no answers.
    """
    run = _run(archive, job_id)
    with archive.engine.connect() as connection:
        return list_changes(connection, run.id, shown=shown)


def put_on_top(
    archive: Archive, job_id: str, *, facets: Collection[str], made_by: str
) -> Reclassification:
    """Let views read it from now on. Raises as `store.runs.promote`."""
    run = _run(archive, job_id)
    move = Move(made_by, archive.now())
    promote(
        archive.engine,
        run.id,
        facets=facets,
        move=move,
        packs=packs_of(archive.taxonomies()),
        then=_teller("run.promoted", job_id, run, move=move),
    )
    return look(archive, job_id)


def take_back(archive: Archive, job_id: str, *, made_by: str) -> Reclassification:
    """Let views read what they read before. Raises as `store.runs.roll_back`."""
    run = _run(archive, job_id)
    move = Move(made_by, archive.now())
    roll_back(
        archive.engine,
        run.id,
        move=move,
        packs=packs_of(archive.taxonomies()),
        then=_teller("run.rolled_back", job_id, run, move=move),
    )
    return look(archive, job_id)


def _teller(event: Event, job_id: str, run: Run, *, move: Move) -> Then:
    """Logs it and has everybody told who asked for it, in the transaction that moves the stack."""
    entry = Entry(move.at, move.made_by, event, job_id)
    facts = {
        "reclassification": job_id,
        "model": run.model,
        "model_version": run.model_version,
        "taxonomy": run.taxonomy,
        "taxonomy_version": run.taxonomy_version,
    }

    def tell(connection: sa.Connection) -> None:
        add_entries(connection, [entry])
        emit(connection, event=event, data=facts, now=move.at)

    return tell


def discard(archive: Archive, job_id: str) -> Reclassification:
    """Erase its answers to make room. Raises as `store.runs.forget_run`."""
    forget_run(archive.engine, _run(archive, job_id).id)
    return look(archive, job_id)


def _run(archive: Archive, job_id: str) -> Run:
    run = look(archive, job_id).run
    if run is None:
        raise Conflict("a dry run keeps no answers; start it again without dry_run")
    return run


def _model(archive: Archive, name: str) -> ModelInfo:
    wanted, _, wanted_version = name.partition("@")
    found = [
        info
        for info in archive.models()
        if info.name == wanted
        and (info.version == wanted_version if wanted_version else not info.is_candidate)
    ]
    if not found:
        raise NotFound("no model has this name and version; /v1/models lists them")
    return found[-1]  # the newest


def _provenance(info: ModelInfo) -> Provenance:
    return Provenance(
        model=info.name,
        model_version=info.version,
        model_sha256=info.sha256,
        taxonomy=info.taxonomy,
        taxonomy_version=info.taxonomy_version,
        code_version=version("danvan"),
    )


def _affected(
    connection: sa.Connection, archive: Archive, info: ModelInfo
) -> tuple[LabelFilter, ...]:
    """The labels whose meaning is another in the version that the model was trained for."""
    wanted = (info.taxonomy, info.taxonomy_version)
    standing = standing_taxonomy(connection, fallback=wanted)
    packs = packs_of(archive.taxonomies())
    if standing == wanted:
        raise Conflict(
            f"the labels in use are of {' '.join(wanted)} as well; leave out `affected` to read all again"
        )
    if standing not in packs or wanted not in packs:
        raise InputError("both versions of the taxonomy pack must lie under corpus/taxonomies")
    found = [
        LabelFilter(facet, code)
        for facet in FACETS
        for code in _changed_codes(packs[standing], packs[wanted], facet=facet)
    ]
    if not found:
        raise Conflict(
            "no label has another meaning in this version; there is nothing to read again"
        )
    return tuple(found)


def _changed_codes(old: Taxonomy, new: Taxonomy, *, facet: str) -> set[str]:
    before = {own.code: own for own in old.facets[facet].categories}
    after = {own.code: own for own in new.facets[facet].categories}
    changed = {code for code, own in before.items() if after.get(code) != own}
    since = (step for step in new.migrations if step.facet == facet and _is_later(step, old))
    known = {code for step in since for code in step.after}
    # what is new may be said of texts that nothing could be said of
    is_wider = after.keys() - before.keys() - known
    return changed | ({"abstain", "none_of_these"} if is_wider else set())


def _is_later(step: Migration, pack: Taxonomy) -> bool:
    return version_key(step.from_version) >= version_key(pack.version)


def _of_dry_run(job: Job, facets: Collection[str]) -> tuple[Transition, ...]:
    counts = (job.result or {}).get("counts", {})
    steps = [(*step.split(":"), n_items) for step, n_items in counts.items()]
    found = [Transition(*step) for step in steps if step[0] in facets]
    return tuple(sorted(found, key=lambda step: (step.facet, -step.n_items, step.old, step.new)))

"""Jobs as DBOS workflows: the one file that knows DBOS.

A job is a parent workflow on one queue; each of its shards is a child on another, so that parents who
wait hold no place that children need. DBOS remembers which step comes next and hands work around; what a
shard did stands in our own tables. Workflows take ids alone, so DBOS holds nothing else.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, WorkflowHandle, WorkflowStatus

from service.jobs.runner import Runner
from service.store.workers import Attempt

# Raise it only when the steps of a workflow below change: unfinished jobs of an older version are begun
# anew by the first newer worker, from what their shards have done.
VERSION = "1"
_APP, _SCHEMA = "danvan", "dbos"
_JOB, _SHARD = "job", "shard"  # each the name of a queue and of its workflow
_PARENTS_AT_ONCE = 32
_ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
_KEPT_AT_ONCE = 200


def queue_url(database_url: str) -> str:
    """Where DBOS keeps its own: a file beside a SQLite store, a schema in a PostgreSQL one."""
    url = sa.make_url(database_url)
    if url.get_backend_name() != "sqlite" or url.database is None:
        return database_url
    stem, dot, ending = url.database.rpartition(".")
    name = f"{stem}.jobs.{ending}" if dot and "/" not in ending else f"{url.database}.jobs"
    return url.set(database=name).render_as_string(hide_password=False)


def migrate_queue(database_url: str) -> None:
    """Bring the tables of DBOS up to date; several processes may do so at once."""
    url = queue_url(database_url)
    if url.startswith("sqlite"):
        _set_wal(url)
    DBOS.migrate(url, schema=_SCHEMA)


def _set_wal(url: str) -> None:
    # readers of the queue then never wait for its writers; the file remembers it
    engine = sa.create_engine(url, connect_args={"timeout": 30})
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    engine.dispose()


def launch(runner: Runner, *, worker_id: str) -> Callable[[], None]:
    """Take part in the work, under an id that a later process of the same seat can bear again.

    Returns:
        what to call when nothing new is to be taken.
    """
    config: DBOSConfig = {
        "name": _APP,
        "system_database_url": queue_url(runner.ctx.settings.database_url),
        "dbos_system_schema": _SCHEMA,
        "executor_id": worker_id,
        "application_version": VERSION,
        "serializer": DBOSPortableJSONSerializer(),
        "run_migrations": False,
        "enable_otlp": False,
        "log_level": "WARNING",
        "console_log_level": "WARNING",
    }
    dbos = DBOS(config=config)
    _register(runner)
    DBOS.launch()
    # work of the kinds is bound by the processor: more at a time in one process would only share it
    poll_s = runner.ctx.settings.worker_poll_s
    DBOS.register_queue(_SHARD, worker_concurrency=1, polling_interval_sec=poll_s)
    DBOS.register_queue(_JOB, worker_concurrency=_PARENTS_AT_ONCE, polling_interval_sec=poll_s)

    def take_nothing_new() -> None:
        for event in dbos.background_thread_stop_events:
            event.set()

    return take_nothing_new


def _register(runner: Runner) -> None:
    def job(job_id: str, attempt: int, window: int) -> None:
        with runner.answering_for(_own_id(), job_id=job_id, attempt=attempt):
            shards = DBOS.run_step({"name": "plan"}, runner.plan, job_id, attempt=attempt)
            if shards is None:
                return
            if len(shards) == 1:
                runner.carry_out_small(job_id, attempt=attempt, shard=shards[0])
            elif not _fan_out(runner, (job_id, attempt), shards=shards, window=window):
                return
            DBOS.run_step({"name": "finish"}, runner.finish, job_id, attempt=attempt)

    def shard(job_id: str, attempt: int, number: int) -> None:
        with runner.answering_for(_own_id(), job_id=job_id, attempt=attempt):
            runner.carry_out(job_id, attempt=attempt, shard=number)

    for name, function in ((_JOB, job), (_SHARD, shard)):
        # how often a shard may fail is counted in our own tables, where people can see it
        DBOS.workflow(name=name, max_recovery_attempts=None)(function)


def _own_id() -> str:
    return DBOS.workflow_id or ""


def _fan_out(runner: Runner, attempt: Attempt, *, shards: Sequence[int], window: int) -> bool:
    """Hand the shards out, so many at a time, and wait for them; False when the job has ended meanwhile."""
    job_id, number = attempt
    poll_s = runner.ctx.settings.worker_poll_s
    waiting: deque[WorkflowHandle[Any]] = deque()
    for n in shards:
        if len(waiting) >= window:
            waiting.popleft().get_result(polling_interval_sec=poll_s)
            if not runner.is_wanted(job_id, attempt=number):
                return False
        waiting.append(_enqueue(_SHARD, f"{workflow_id(attempt)}.{n}", job_id, number, n))
    for handle in waiting:
        handle.get_result(polling_interval_sec=poll_s)
    return runner.is_wanted(job_id, attempt=number)


def workflow_id(attempt: Attempt) -> str:
    """The id of the parent workflow of this attempt at a job."""
    return f"{attempt[0]}.{attempt[1]}"


def send(attempt: Attempt, *, window: int) -> None:
    """Hand a job to the queue; twice is once."""
    _enqueue(_JOB, workflow_id(attempt), *attempt, window)


def _enqueue(name: str, identity: str, *args: object) -> WorkflowHandle[Any]:
    options: Any = {"workflow_name": name, "queue_name": name, "workflow_id": identity}
    return DBOS.enqueue_workflow_with_options(options, *args)


def take_over(live: Collection[str]) -> int:
    """Put back on their queues what workers not among the live ones had begun; gives how many."""
    begun = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    return _put_back(workflow for workflow in begun if workflow.executor_id not in live)


def pick_up(runner: Runner, *, worker_id: str, before: datetime) -> int:
    """Put back what this worker took from a queue before that moment and is not at; gives how many.

    So it is when the queue could be read but not written for a moment, as on a full disk.
    """
    mine = DBOS.list_workflows(
        status="PENDING", executor_id=worker_id, load_input=False, load_output=False
    )
    moment_ms = before.timestamp() * 1000
    return _put_back(
        workflow
        for workflow in mine
        if workflow.workflow_id not in runner.bodies and (workflow.dequeued_at or 0) < moment_ms
    )


def _put_back(some: Iterable[WorkflowStatus]) -> int:
    lost: defaultdict[str | None, list[str]] = defaultdict(list)
    for workflow in some:
        lost[workflow.queue_name].append(workflow.workflow_id)
    for queue, ids in lost.items():
        DBOS.resume_workflows(ids, queue_name=queue)
    return sum(map(len, lost.values()))


def inspect(attempts: Sequence[Attempt]) -> tuple[list[Attempt], list[Attempt]]:
    """Of jobs that have not ended and should be in the queue: those to be sent again, those it gave up.

    Sent again are those that the queue does not have, has from an older version, or has finished: one of
    the two databases is then older than the other.
    """
    lost: list[Attempt] = []
    given_up: list[Attempt] = []
    for start in range(0, len(attempts), _KEPT_AT_ONCE):
        some = {workflow_id(each): each for each in attempts[start : start + _KEPT_AT_ONCE]}
        found = DBOS.list_workflows(workflow_ids=list(some), load_input=False, load_output=False)
        by_id = {workflow.workflow_id: workflow for workflow in found}
        for name, attempt in some.items():
            workflow = by_id.get(name)
            if workflow is None or workflow.status == "SUCCESS" or _is_old(workflow):
                lost.append(attempt)
            elif workflow.status in _ENDED:
                given_up.append(attempt)
    return lost, given_up


def _is_old(workflow: WorkflowStatus) -> bool:
    return int(workflow.app_version or VERSION) < int(VERSION)


def forget_workflows(*, before: datetime) -> None:
    """Take away what DBOS remembers of jobs that ended long ago; the jobs themselves stay."""
    old = DBOS.list_workflows(
        name=_JOB,
        status=list(_ENDED),
        completed_before=before.isoformat(),
        limit=_KEPT_AT_ONCE,
        load_input=False,
        load_output=False,
    )
    if old:
        ids = [workflow.workflow_id for workflow in old]
        DBOS.delete_workflows(ids, delete_children=True)

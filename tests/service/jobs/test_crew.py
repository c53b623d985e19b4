"""A process that keeps workers: they live as long as it does, whatever happens to either."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from service.jobs.crew import keep_crew
from service.store.dialect import open_engine
from service.store.migrate import migrate
from service.store.workers import list_beats
from tests.conftest import ROOT
from tests.service.jobs.team import wait_for

# Says that it has begun, and ends when its standard input closes.
CHILD = (
    "import os, sys; print(os.getpid(), flush=True, file=open(sys.argv[1], 'a')); sys.stdin.read()"
)


def begun(file: Path) -> list[int]:
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def lives(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_children_end_with_the_block(tmp_path: Path) -> None:
    file = tmp_path / "begun"

    with keep_crew([(sys.executable, "-c", CHILD, str(file))] * 2):
        wait_for(lambda: len(begun(file)) == 2)
        assert all(map(lives, begun(file)))

    assert not any(map(lives, begun(file)))


@pytest.mark.slow
def test_a_child_that_dies_is_begun_again(tmp_path: Path) -> None:
    file = tmp_path / "begun"

    with keep_crew([(sys.executable, "-c", CHILD, str(file))]):
        wait_for(lambda: len(begun(file)) == 1)
        os.kill(begun(file)[0], signal.SIGKILL)

        wait_for(lambda: len(begun(file)) == 2)

    assert not any(map(lives, begun(file)))


@pytest.mark.slow
def test_children_end_when_their_keeper_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "begun"
    keeper = (
        "import sys, threading; from service.jobs.crew import keep_crew\n"
        f"with keep_crew([(sys.executable, '-c', {CHILD!r}, {str(file)!r})]):\n"
        "    threading.Event().wait()\n"
    )

    with subprocess.Popen([sys.executable, "-c", keeper], cwd=ROOT) as process:
        wait_for(lambda: len(begun(file)) == 1)
        process.kill()

    wait_for(lambda: not lives(begun(file)[0]))


@pytest.mark.slow
def test_danvan_worker_keeps_as_many_processes_as_it_is_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/danvan.db"
    migrate(url)
    engine = open_engine(url)
    command = [sys.executable, "-m", "service", "worker", "--name", "n", "--slots", "2"]

    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"DANVAN_DATABASE_URL": url}
    ) as worker:
        wait_for(lambda: set(list_beats(engine)) == {"n-1", "n-2"})
        worker.terminate()

    assert worker.returncode == 0
    assert list_beats(engine) == {}
    engine.dispose()

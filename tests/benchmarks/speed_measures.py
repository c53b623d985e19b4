"""Rounds of ours and of the peers in turn, each measure in a fresh process on one thread.

This process stays small: what a child is told to have held at most counts from its parent's memory on.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any

from tests.benchmarks.speed_peers import PEERS
from tests.benchmarks.speed_process import numbered, read_held_out

OURS, ONE_HEAD = "ours", "ours_one_head"
_AFFORDED_S = 60  # a peer that needs longer for a number of texts is not asked
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
}
_PACKAGES = (
    "numpy", "scipy", "scikit-learn", "underthesea", "underthesea_core", "fasttext-numpy2-wheel",
    "onnxruntime", "torch",
)  # fmt: skip
Figures = dict[str, Any]  # what a process says as JSON: numbers by name


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured: rounds, processor seconds for each engine, texts through `danvan batch`."""

    peers: tuple[str, ...]
    rounds: int
    seconds: float
    n_batch: int
    sizes: tuple[int, ...] = ()
    with_limit: bool = True


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process took, as the system counts it; `start` is what went before its work began."""

    cpu_s: float
    wall_s: float
    memory_mb: float
    start_cpu_s: float
    start_s: float
    said: str


@dataclass(frozen=True, slots=True)
class Room:
    """Where a run works: `made` keeps the peers, `scratch` is its own and goes with it."""

    made: Path
    scratch: Path


def run(*command: str, sign: Path | None = None) -> Spent:
    """Run a module of ours in a fresh process and wait for it; `sign` appears when its work begins.

    Raises:
        SystemExit: it failed; its own words are passed on.
    """
    if sign:
        sign.unlink(missing_ok=True)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as complaints:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdout=out, stderr=complaints, env=os.environ | _ONE_THREAD,
        )  # fmt: skip
        start_cpu_s = _await(sign, process.pid) if sign else 0.0
        start_s = time.perf_counter() - begun
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            complaints.seek(0)
            sys.stderr.write(complaints.read().decode(errors="replace"))
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
        out.seek(0)
        said = out.read().decode()
    cpu_s = usage.ru_utime + usage.ru_stime
    return Spent(cpu_s, wall_s, usage.ru_maxrss * 1024 / 1e6, start_cpu_s, start_s, said)


def _await(sign: Path, pid: int) -> float:
    """Processor seconds of a process at the moment when a file appears, or it has ended."""
    while True:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        if sign.exists() or fields[0] == "Z":
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        time.sleep(0.01)


def ask(*command: str) -> Figures:
    """What a fresh process of `speed_process` says."""
    said = run("tests.benchmarks.speed_process", *command).said
    figures: Figures = json.loads(said.splitlines()[-1])
    return figures


def measure(plan: Plan, *, made: Path) -> Figures:
    """Everything that the plan asks for; `made` keeps the peers for the next time."""
    made.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="run-", dir=made) as scratch:
        return _measure(plan, room=Room(made, Path(scratch)))


def _measure(plan: Plan, *, room: Room) -> Figures:
    tell("texts and peers")
    texts = ask("prepare", str(room.scratch))
    present = [name for name in plan.peers if not PEERS[name].missing]
    made = {name: ask("make", name, str(room.made), str(room.scratch)) for name in present}
    rounds = [_round(number, present, plan=plan, room=room) for number in range(plan.rounds)]
    return {
        "machine": machine(),
        "texts": texts,
        "absent": {n: list(PEERS[n].missing) for n in plan.peers if PEERS[n].missing},
        "sizes_mb": {name: said["size_mb"] for name, said in made.items()}
        | dict.fromkeys((OURS, ONE_HEAD), texts["size_mb"]),
        "rounds": rounds,
        "growth": list(_growth(present, rounds[-1], plan=plan, room=room)),
        "serve": ask("serve") if plan.with_limit else None,
        "limit": ask("limit", str(room.scratch)) if plan.with_limit else None,
    }


def machine() -> Figures:
    """What the figures were taken on."""
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    return {
        "processor": info.partition("model name")[2].partition("\n")[0].strip("\t :"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    } | {name: _version(name) for name in _PACKAGES}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _round(number: int, peers: Sequence[str], *, plan: Plan, room: Room) -> Figures:
    """Each engine once, every other round in the reverse order."""
    names = [OURS, ONE_HEAD, *peers]
    found = {}
    for name in names if number % 2 == 0 else reversed(names):
        tell(f"round {number + 1} of {plan.rounds}: {name}")
        own = ask("engine", name, str(room.made), str(room.scratch), str(plan.seconds))
        if name != ONE_HEAD:
            n_texts = PEERS[name].n_whole if name in PEERS else plan.n_batch
            spent = _whole(name, lines_of(room, n_texts), room=room)
            own |= {
                "whole_per_cpu_s": n_texts / (spent.cpu_s - spent.start_cpu_s),
                "whole_memory_mb": spent.memory_mb,
                "whole_start_s": spent.start_s,
            }
        found[name] = own
    return found


def _whole(name: str, source: Path, *, room: Room) -> Spent:
    """From lines in a file to lines in a file: ours is the command itself, `danvan batch`."""
    target = room.scratch / "out.jsonl"
    sign = target.with_name(target.name + ".progress.json")
    if name == OURS:
        told = ("-o", str(target), "--kind", "opinion", "--overwrite")
        return run("service", "batch", str(source), *told, sign=sign)
    own = ("whole", name, str(room.made), str(source), str(target))
    return run("tests.benchmarks.speed_process", *own, sign=sign)


def lines_of(room: Room, n_texts: int) -> Path:
    """A file of so many records, each text with its own number."""
    path = room.scratch / f"texts-{n_texts}.jsonl"
    if path.exists():
        return path
    with path.open("w", encoding="utf-8") as out:
        texts = numbered([text for text, _ in read_held_out(room.scratch)])
        for number, text in enumerate(islice(texts, n_texts)):
            row = {"id": str(number), "text": text}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def _growth(peers: Sequence[str], known: Figures, *, plan: Plan, room: Room) -> Iterator[Figures]:
    """The cost of more and more texts; what would take a peer over a minute is left out."""
    for n_texts in plan.sizes:
        source = lines_of(room, n_texts)
        for name in (OURS, *peers):
            if name == OURS or n_texts / known[name]["whole_per_cpu_s"] < _AFFORDED_S:
                tell(f"{n_texts:,} texts: {name}")
                spent = _whole(name, source, room=room)
                yield {
                    "engine": name,
                    "n_texts": n_texts,
                    "wall_s": spent.wall_s,
                    "ms_a_text": (spent.cpu_s - spent.start_cpu_s) / n_texts * 1000,
                    "memory_mb": spent.memory_mb,
                }
        source.unlink()


def tell(line: str) -> None:
    """Say how far it is, apart from the result."""
    sys.stderr.write(f"{line} ...\n")

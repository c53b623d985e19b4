"""What runs inside one fresh process of the measurement of speed, and says its figures as JSON.

    python -m tests.benchmarks.speed_process prepare TEXTS           lessons for the peers, texts held out
    python -m tests.benchmarks.speed_process make PEER MADE TEXTS    teach a peer, unless it is there
    python -m tests.benchmarks.speed_process engine NAME MADE TEXTS SECONDS    one text, many texts
    python -m tests.benchmarks.speed_process whole PEER MADE IN OUT  read, answer, write
    python -m tests.benchmarks.speed_process serve                   until the service is ready
    python -m tests.benchmarks.speed_process limit TEXTS             what the machine itself could do

TEXTS and MADE are folders, of texts and of peers.

Nothing heavy is imported before it is needed: start-up and memory are part of what is measured.
"""

import hashlib
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count, islice
from pathlib import Path

from tests.benchmarks import speed_peers
from tests.benchmarks.speed_peers import PEERS, Answer

ROOT = Path(__file__).parents[2]
HELD_OUT = "held_out.jsonl"
_LESSONS = "lessons.json"
_CHUNK = 512
_N_SINGLE = 200
_N_LIMIT = 20_000
_READY_S = 60
Figures = Mapping[str, float | int | None]


def prepare(texts: Path) -> Figures:
    """Write the opinions held out of training, with their fields, and the others as lessons."""
    from models.corpus import load_corpus
    from models.registry import find_model
    from nlp.taxonomy import load_pack

    corpus = ROOT / "corpus"
    pack = load_pack(corpus / "taxonomies" / "ct07")
    opinions = [
        e for e in load_corpus(corpus / "labelled" / "ct07", taxonomy=pack) if e.kind == "opinion"
    ]
    held_out = [e for e in opinions if e.split == "test"]
    lessons = [(e.text, e.civic_field[0]) for e in opinions if e.split == "train"]
    (texts / _LESSONS).write_text(json.dumps(lessons), encoding="utf-8")
    with (texts / HELD_OUT).open("w", encoding="utf-8") as out:
        out.writelines(
            json.dumps({"text": e.text, "labels": e.civic_field}) + "\n" for e in held_out
        )
    n_bytes = statistics.mean(len(e.text.encode()) for e in held_out)
    artifacts = ROOT / "models" / "artifacts"
    own = find_model("default", folder=artifacts).folder, artifacts / "denunciation"
    return {
        "n_held_out": len(held_out),
        "n_lessons": len(lessons),
        "bytes": round(n_bytes),
        "size_mb": sum(map(_megabytes, own)),
    }


def make(name: str, folder: Path, texts: Path) -> Figures:
    """Teach a peer, unless it was made of the same lessons by the same libraries."""
    peer, place = PEERS[name], folder / name
    lessons = (texts / _LESSONS).read_bytes()
    code = Path(speed_peers.__file__).read_bytes()
    versions = " ".join(f"{part} {_version(part)}" for part in peer.needs)
    stamp = f"{hashlib.sha256(lessons + code).hexdigest()} {versions}"
    stamped = folder / f"{name}.stamp"
    if not stamped.exists() or stamped.read_text(encoding="utf-8") != stamp:
        place.mkdir(exist_ok=True)
        peer.make([(text, label) for text, label in json.loads(lessons)], place)
        stamped.write_text(stamp, encoding="utf-8")
    return {"size_mb": _megabytes(place)}


def _version(module: str) -> str:
    names = {"sklearn": "scikit-learn", "fasttext": "fasttext-numpy2-wheel"}
    with suppress(ImportError):  # another package may bring the same module
        return version(names.get(module, module))
    return "unknown"


def _megabytes(folder: Path) -> float:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6


def engine(name: str, made: Path, texts: Path, seconds: float) -> Figures:
    """Start one, let it answer single texts, then many for so many seconds of its own processor time."""
    rows = read_held_out(texts)
    source = numbered([text for text, _ in rows])
    answer, chunk, n_single = _load(name, made)
    ready_s = _since_start()
    answer([next(source)])
    started = {"ready_s": ready_s, "first_s": _since_start(), "first_cpu_s": time.process_time()}
    singles = [_timed(answer, [next(source)]) for _ in range(n_single)]
    n_texts, spent = 0, _Seconds(0, 0)
    while spent.cpu < seconds:
        some = list(islice(source, chunk))
        spent += _timed(answer, some)
        n_texts += len(some)
    waits = [one.wall * 1000 for one in singles]
    return started | {
        "per_cpu_s": n_texts / spent.cpu,
        "per_wall_s": n_texts / spent.wall,
        "single_cpu_ms": statistics.median(one.cpu for one in singles) * 1000,
        "single_ms": statistics.median(waits),
        "single_p95_ms": statistics.quantiles(waits, n=20)[-1],
        "memory_mb": peak_mb(),
        "right": _share_right(answer, rows) if name in _GRADED else None,
    }


def _load(name: str, made: Path) -> tuple[Answer, int, int]:
    """How it answers, how many texts it gets at once, and how many single ones are timed."""
    if name in PEERS:
        peer = PEERS[name]
        return peer.load(made / name), peer.chunk, peer.n_single
    return (_ours() if name == "ours" else _ours_one_head()), _CHUNK, _N_SINGLE


_GRADED = {"ours_one_head", *PEERS} - {
    "encoder"
}  # ours answers more than a label; weights at random


def _ours() -> Answer:
    """Everything: all heads with their evidence, sentences and hints."""
    from nlp.pipeline import Request
    from nlp.readers import from_text
    from service.pipelines import build_pipeline
    from service.settings import Settings

    pipeline = build_pipeline(Settings())

    def answer(texts: Sequence[str]) -> list[str]:
        requests = [Request("1", from_text(text), "opinion") for text in texts]
        return [str(analysis.kind) for analysis in pipeline.analyze_all(requests)]

    return answer


def _ours_one_head() -> Answer:
    """What the peers do and no more: the best field of each text."""
    from models.registry import load_classifier

    classifier = load_classifier("default", folder=ROOT / "models" / "artifacts")
    labels = classifier.heads["civic_field"].labels

    def answer(texts: Sequence[str]) -> list[str]:
        best = classifier.read(texts).probabilities("civic_field").argmax(axis=1)
        return [labels[i] for i in best.tolist()]

    return answer


@dataclass(frozen=True, slots=True)
class _Seconds:
    """Of the processor, for this process alone, and of the clock."""

    cpu: float
    wall: float

    def __add__(self, other: "_Seconds") -> "_Seconds":
        return _Seconds(self.cpu + other.cpu, self.wall + other.wall)


def _timed(answer: Answer, texts: Sequence[str]) -> _Seconds:
    cpu, wall = time.process_time(), time.perf_counter()
    answer(texts)
    return _Seconds(time.process_time() - cpu, time.perf_counter() - wall)


def _share_right(answer: Answer, rows: Sequence[tuple[str, Sequence[str]]]) -> float:
    found = answer([text for text, _ in rows])
    return statistics.mean(one in labels for one, (_, labels) in zip(found, rows, strict=True))


def read_held_out(folder: Path) -> list[tuple[str, list[str]]]:
    """Texts with their fields."""
    lines = (folder / HELD_OUT).read_text(encoding="utf-8").splitlines()
    return [(row["text"], row["labels"]) for row in map(json.loads, lines)]


def numbered(texts: Sequence[str]) -> Iterator[str]:
    """The texts again and again, each with its number: none comes twice, no memory of answers profits."""
    return (f"{texts[number * 7919 % len(texts)]} {number}" for number in count())


def _since_start() -> float:
    """Seconds since this process began, to a hundredth."""
    ticks = int(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


def peak_mb() -> float:
    """The most memory this process has held."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def whole(name: str, made: Path, source: Path, target: Path) -> Figures:
    """The script that a user of a peer would write: lines in, labels out."""
    import orjson

    answer, chunk, _ = _load(name, made)
    answer(["một"])
    target.with_name(target.name + ".progress.json").touch()  # as `danvan batch`: now it begins
    n_texts = 0
    with source.open("rb") as lines, target.open("wb") as out:
        while some := [orjson.loads(line) for line in islice(lines, chunk)]:
            found = answer([row["text"] for row in some])
            rows = [
                {"id": row["id"], "civic_field": label}
                for row, label in zip(some, found, strict=True)
            ]
            out.write(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
            n_texts += len(some)
    return {"n_texts": n_texts}


def serve() -> Figures:
    """Seconds until `danvan serve` says it is ready, on a store that is there already."""
    from tests.postgres import free_port

    with tempfile.TemporaryDirectory(prefix="danvan-speed-") as folder:
        _seconds_to_ready(free_port(), folder)  # makes the tables
        return {"ready_s": _seconds_to_ready(free_port(), folder)}


def _seconds_to_ready(port: int, folder: str) -> float:
    environment = os.environ | {
        "DANVAN_DATABASE_URL": f"sqlite:///{folder}/danvan.db",
        "DANVAN_WORKERS": "0",
        "DANVAN_LOG_LEVEL": "error",
    }
    command = [sys.executable, "-m", "service", "serve", "--port", str(port)]
    begun = time.perf_counter()
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            while not _is_ready(port):
                if time.perf_counter() - begun > _READY_S or server.poll() is not None:
                    raise SystemExit("danvan serve did not become ready")
                time.sleep(0.02)
            return time.perf_counter() - begun
        finally:
            server.terminate()


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def limit(folder: Path) -> Figures:
    """Texts a second of what cannot be left out, each done in the fastest way at hand."""
    import numpy as np
    import orjson

    texts = list(islice(numbered([text for text, _ in read_held_out(folder)]), _N_LIMIT))
    lines = [orjson.dumps({"id": str(i), "text": text}) for i, text in enumerate(texts)]
    together = "\n".join(texts).encode()
    answers = _answers(texts[:_CHUNK])
    table = np.zeros(1 << 22, dtype=np.int32)

    def look_up() -> None:
        for at in range(0, len(together), 65_536):
            some = np.frombuffer(together[at : at + 65_539], dtype=np.uint8).astype(np.uint32)
            four = some[:-3] | some[1:-2] << 8 | some[2:-1] << 16 | some[3:] << 24
            table[(four * np.uint32(2_654_435_769)) >> np.uint32(10)].sum()

    return {
        "bytes_s": len(together) / _best_s(lambda: zlib.crc32(together)),
        "checksum": len(texts) / _best_s(lambda: zlib.crc32(together)),
        "checksum_each": len(texts) / _best_s(lambda: [zlib.crc32(t.encode()) for t in texts]),
        "look_up": len(texts) / _best_s(look_up),
        "read": len(lines) / _best_s(lambda: [orjson.loads(line) for line in lines]),
        "write": len(answers) / _best_s(lambda: [orjson.dumps(one) for one in answers]),
        "answer_bytes": round(statistics.mean(len(orjson.dumps(one)) for one in answers)),
    }


def _answers(texts: Sequence[str]) -> Sequence[object]:
    from nlp.pipeline import Request
    from nlp.readers import from_text
    from service.pipelines import build_pipeline
    from service.settings import Settings

    requests = [Request("1", from_text(text), "opinion") for text in texts]
    return build_pipeline(Settings()).analyze_all(requests)


def _best_s(work: Callable[[], object]) -> float:
    """Processor seconds of the best of some rounds: other load can only make it look slower."""
    times = []
    for _ in range(7):
        before = time.process_time()
        work()
        times.append(time.process_time() - before)
    return min(times)


def main(command: str, *given: str) -> None:
    """Run one and print what it says."""
    figures: Figures
    if command == "make":
        figures = make(given[0], *map(Path, given[1:]))
    elif command == "engine":
        figures = engine(given[0], Path(given[1]), Path(given[2]), float(given[3]))
    elif command == "whole":
        figures = whole(given[0], *map(Path, given[1:]))
    elif command == "serve":
        figures = serve()
    else:
        figures = {"prepare": prepare, "limit": limit}[command](Path(given[0]))
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

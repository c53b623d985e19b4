"""One opinion a request, so many requests a second: how long the answers take.

    python -m tests.benchmarks.load [--rate 50] [--seconds 60] [--url http://127.0.0.1:8000]

Requests start when they are due, whether or not earlier ones have been answered, and the time counts from
when a request was due: a server that stalls is not let off (Gil Tene: coordinated omission). Without `--url`
a server of its own is started on an empty SQLite database, with one worker beside it.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
import numpy as np

from models.corpus import load_corpus
from nlp.taxonomy import load_pack
from service.settings import Settings
from tests.postgres import free_port

_WARM_UP_S = 3
_START_S = 30


@dataclass(frozen=True, slots=True)
class Sent:
    """One request: which path, how long its answer took in milliseconds, and its status."""

    path: str
    ms: float
    status: int


def read_texts() -> list[str]:
    """The opinions of the corpus."""
    folder = Settings().corpus_folder
    pack = load_pack(folder / "taxonomies" / "ct07")
    examples = load_corpus(folder / "labelled" / "ct07", taxonomy=pack)
    return [example.text for example in examples if example.kind == "opinion"]


async def send_all(url: str, *, path: str, rate: float, seconds: float) -> list[Sent]:
    """Send at a steady rate and wait for every answer."""
    texts = read_texts()
    limits = httpx2.Limits(max_connections=200, max_keepalive_connections=50)
    async with httpx2.AsyncClient(base_url=url, timeout=30, limits=limits) as http:
        begun = time.perf_counter()

        async def send(number: int) -> Sent:
            due = begun + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            text = texts[(number * 7919) % len(texts)]
            body: object = {"text": text, "kind": "opinion"}
            if path == "/v1/opinions":
                body = [
                    {"source": "demo", "external_id": f"{time.time_ns()}-{number}", "text": text}
                ]
            answer = await http.post(path, json=body)
            return Sent(path, (time.perf_counter() - due) * 1000, answer.status_code)

        n_requests = int(rate * seconds)
        return list(await asyncio.gather(*(send(number) for number in range(n_requests))))


def tell(sent: list[Sent], *, rate: float) -> str:
    """One line of figures."""
    ms = np.array([one.ms for one in sent])
    p50, p95, p99 = np.percentile(ms, [50, 95, 99])
    statuses = sorted({one.status for one in sent})
    return (
        f"{sent[0].path:14} {rate:.0f}/s, {len(sent)} requests: p50 {p50:.1f} ms, p95 {p95:.1f} ms,"
        f" p99 {p99:.1f} ms, longest {ms.max():.0f} ms, statuses {statuses}"
    )


@contextmanager
def own_server() -> Iterator[str]:
    """A server with one worker on an empty database."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="danvan-load-") as folder:
        environment = os.environ | {
            "DANVAN_DATABASE_URL": f"sqlite:///{folder}/danvan.db",
            "DANVAN_LOG_LEVEL": "warning",
            "DANVAN_RATE_LIMIT": "1000000/minute",
        }
        command = [sys.executable, "-m", "service", "serve", "--port", str(port)]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as server:
            url = f"http://127.0.0.1:{port}"
            try:
                _await_ready(url)
                yield url
            finally:
                server.terminate()


def _await_ready(url: str) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        try:
            if httpx2.get(f"{url}/readyz").status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.2)
    raise SystemExit(f"{url} is not ready after {_START_S} s")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--url")
    given = parser.parse_args()
    if given.url:
        measure(given.url, rate=given.rate, seconds=given.seconds)
        return
    with own_server() as url:
        measure(url, rate=given.rate, seconds=given.seconds)


def measure(url: str, *, rate: float, seconds: float) -> None:
    """Print the figures of analysing alone and of taking in."""
    for path in ("/v1/analyze", "/v1/opinions"):
        asyncio.run(send_all(url, path=path, rate=rate, seconds=_WARM_UP_S))
        sent = asyncio.run(send_all(url, path=path, rate=rate, seconds=seconds))
        sys.stdout.write(tell(sent, rate=rate) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

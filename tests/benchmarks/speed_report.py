"""Ratios of ours to each peer, the guard against a fall of them, and the tables as Markdown."""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.benchmarks.speed_measures import ONE_HEAD, OURS, Figures
from tests.benchmarks.speed_peers import PEERS

ALLOWED_FALL = 0.2
_MAX_GROWTH_FROM = 10_000  # below, the start-up is most of what is counted
TITLES = {
    OURS: "**danvan**, everything",
    ONE_HEAD: "danvan, one question only",
    **{name: peer.title for name, peer in PEERS.items()},
}


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times better ours is than a peer, over the rounds; below 1 it is worse."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Ratio":
        """Of one value a round."""
        return cls(*(_short(f(values)) for f in (statistics.median, min, max)))

    def __str__(self) -> str:
        return f"{self.median:g} ({self.low:g} to {self.high:g})"


@dataclass(frozen=True, slots=True)
class Fall:
    """A ratio that is lower than the baseline allows."""

    name: str
    was: float
    now: float

    def __str__(self) -> str:
        return f"{self.name}: {self.now:g}, was {self.was:g} ({self.now / self.was - 1:+.0%})"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard says; `unmeasured` ratios stand in the baseline and not in this run."""

    falls: tuple[Fall, ...]
    unmeasured: tuple[str, ...]


def compare(now: Mapping[str, float], *, baseline: Mapping[str, float]) -> Verdict:
    """Ratios that fell by more than a fifth; a peer that is not there is told, which is no failure."""
    falls = [
        Fall(name, was, now[name])
        for name, was in baseline.items()
        if name in now and now[name] < was * (1 - ALLOWED_FALL)
    ]
    return Verdict(tuple(falls), tuple(name for name in baseline if name not in now))


def _short(value: float) -> float:
    return float(f"{value:.3g}")


def _quotient(ours: str, figure: str, *, less_is_better: bool) -> Callable[[Figures, str], float]:
    def divide(one_round: Figures, peer: str) -> float:
        own, theirs = one_round[ours][figure], one_round[peer][figure]
        return float(theirs / own if less_is_better else own / theirs)

    return divide


_RATIOS = {
    "one question": _quotient(ONE_HEAD, "per_cpu_s", less_is_better=False),
    "everything": _quotient(OURS, "per_cpu_s", less_is_better=False),
    "from file to file": _quotient(OURS, "whole_per_cpu_s", less_is_better=False),
    "one question of a single text": _quotient(ONE_HEAD, "single_cpu_ms", less_is_better=True),
    "everything of a single text": _quotient(OURS, "single_cpu_ms", less_is_better=True),
    "start": _quotient(OURS, "first_cpu_s", less_is_better=True),
    "memory": _quotient(OURS, "memory_mb", less_is_better=True),
}


def ratios(result: Figures) -> dict[str, Ratio]:
    """Every ratio of a run by name: ours against each peer, and ours against itself with more texts."""
    rounds, found = result["rounds"], {}
    for peer in _peers(result):
        for name, divide in _RATIOS.items():
            found[f"{name} / {peer}"] = Ratio.of([divide(one, peer) for one in rounds])
        size = result["sizes_mb"][peer] / result["sizes_mb"][OURS]
        found[f"size / {peer}"] = Ratio.of([size])
    costs = [
        g for g in result["growth"] if g["engine"] == OURS and g["n_texts"] >= _MAX_GROWTH_FROM
    ]
    for few, many in pairwise(costs):
        steady = few["ms_a_text"] / many["ms_a_text"]
        found[f"cost of {few['n_texts']:,} / {many['n_texts']:,} texts"] = Ratio.of([steady])
    return found


def _peers(result: Figures) -> list[str]:
    return [name for name in PEERS if name in result["rounds"][0]]


def tables(result: Figures) -> Iterator[str]:
    """The result as Markdown, a table at a time."""
    yield _engines(result)
    yield _compared(result)
    if result["growth"]:
        yield _grown(result)
    if result["limit"]:
        yield _limit(result)
    yield _where(result)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _median(result: Figures, name: str, figure: str) -> float | None:
    values = [one[name].get(figure) for one in result["rounds"]]
    return None if values[0] is None else statistics.median(values)


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    short = _short(value)
    return f"{short:,.0f}" if abs(short) >= 100 else f"{short:g}"


_COLUMNS = {
    "texts a core second": "per_cpu_s",
    "file to file": "whole_per_cpu_s",
    "a single text, ms of core": "single_cpu_ms",
    "of clock": "single_ms",
    "p95": "single_p95_ms",
    "to the first answer, s of core": "first_cpu_s",
    "s of clock": "first_s",
    "memory, MB": "memory_mb",
}


def _engines(result: Figures) -> str:
    rows = []
    for name in (OURS, ONE_HEAD, *_peers(result)):
        figures = [_median(result, name, figure) for figure in _COLUMNS.values()]
        right = _median(result, name, "right")
        figures += [result["sizes_mb"][name], right and right * 100]
        rows.append((TITLES[name], *map(_number, figures)))
    told = [
        f"Not installed: {TITLES[n]} ({', '.join(parts)})." for n, parts in result["absent"].items()
    ]
    begins, memory = (_median(result, OURS, f) for f in ("whole_start_s", "whole_memory_mb"))
    told.append(f"`danvan batch` begins after {_number(begins)} s; it holds {_number(memory)} MB.")
    if result["serve"]:
        told.append(f"`danvan serve` is ready after {_number(result['serve']['ready_s'])} s.")
    head = ("", *_COLUMNS, "artifact, MB", "right on held-out texts, %")
    return _table(head, rows) + "\n\n" + "\n".join(told)


def _compared(result: Figures) -> str:
    """Ours divided by a peer, the better the higher."""
    found, peers = ratios(result), _peers(result)
    rows = [
        (name, *(str(found[f"{name} / {peer}"]) for peer in peers)) for name in (*_RATIOS, "size")
    ]
    return _table(("ours against", *(TITLES[peer] for peer in peers)), rows)


def _grown(result: Figures) -> str:
    by_engine: dict[str, list[Any]] = {}
    for one in result["growth"]:
        by_engine.setdefault(one["engine"], []).append(one)
    sizes = [one["n_texts"] for one in by_engine[OURS]]
    rows = []
    for name, costs in by_engine.items():
        at = {
            one["n_texts"]: f"{one['ms_a_text']:.3f} ms, {one['wall_s']:.0f} s,"
            f" {one['memory_mb']:.0f} MB"
            for one in costs
        }
        rows.append((TITLES[name], *(at.get(size, "over a minute") for size in sizes)))
    return _table(("a text (without the start); in all; memory", *map("{:,}".format, sizes)), rows)


def _limit(result: Figures) -> str:
    limit = result["limit"]
    floor = 1 / sum(1 / limit[part] for part in ("read", "look_up", "write"))
    own = _median(result, OURS, "whole_per_cpu_s") or 0
    one = _median(result, ONE_HEAD, "per_cpu_s") or 0
    rows = (
        ("a checksum of the bytes, all at once", limit["checksum"]),
        ("a checksum of each text", limit["checksum_each"]),
        ("a hash and a look-up for every byte, in numpy", limit["look_up"]),
        ("reading the lines (JSON)", limit["read"]),
        (f"writing the answers (JSON, {limit['answer_bytes']:,} bytes each)", limit["write"]),
        ("the last three together: what cannot be left out", floor),
        (f"danvan, one question: {limit['look_up'] / one:.0f} times slower than the look-ups", one),
        (f"danvan, file to file: {floor / own:.0f} times slower than what cannot be left out", own),
    )
    n_bytes = result["texts"]["bytes"]
    told = f"{limit['bytes_s'] / 1e9:.1f} GB a second are hashed; a text has {n_bytes} bytes."
    return (
        _table(("the limit", "texts a core second"), [(n, _number(v)) for n, v in rows])
        + "\n\n"
        + told
    )


def _where(result: Figures) -> str:
    own = result["machine"]
    parts = [f"{name} {said}" for name, said in own.items() if name not in {"processor", "cores"}]
    waited = statistics.median(
        1 - one[name]["per_wall_s"] / one[name]["per_cpu_s"]
        for one in result["rounds"]
        for name in one
    )
    return (
        f"{own['processor']}, {own['cores']} cores, one thread each; {', '.join(parts)}."
        f" The processes waited {waited:.0%} of the time for other load: above a tenth, ratios shift."
    )

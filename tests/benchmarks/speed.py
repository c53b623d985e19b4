"""Speed of the default model as ratios, in one run, to what a user would pick instead.

    python -m tests.benchmarks.speed [--quick | --full] [--write-baseline] [--json FILE] [--work FOLDER]

Prints the tables and ends with 1 when a ratio fell by more than a fifth against `baseline.json`
(`make bench`). `--quick` takes two peers and a minute; `--full` goes up to a million texts. Peers are
kept in the working folder and made again when what makes them changes.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.speed_measures import Figures, Plan, measure
from tests.benchmarks.speed_peers import PEERS
from tests.benchmarks.speed_report import Ratio, compare, ratios, tables

BASELINE = Path(__file__).with_name("baseline.json")
_WORK = Path(__file__).parents[2] / "build" / "speed"
_QUICK = Plan(("sklearn", "core"), rounds=3, seconds=0.4, n_batch=2_000, with_limit=False)
_USUAL = Plan(tuple(PEERS), rounds=5, seconds=1.5, n_batch=4_000, sizes=(1_000, 10_000, 100_000))
_FULL = Plan(
    tuple(PEERS), rounds=5, seconds=3.0, n_batch=8_000, sizes=(1_000, 10_000, 100_000, 1_000_000)
)


def main() -> None:
    """Measure, print, compare."""
    given = _parse()
    plan = _QUICK if given.quick else _FULL if given.full else _USUAL
    result = measure(plan, made=given.work)
    found = ratios(result)
    result["ratios"] = {name: asdict(ratio) for name, ratio in found.items()}
    (given.json or given.work / "result.json").write_text(_json(result), encoding="utf-8")
    for table in tables(result):
        sys.stdout.write(table + "\n\n")
    if given.write_baseline:
        kept = {"machine": result["machine"], "ratios": result["ratios"]}
        BASELINE.write_text(_json(kept), encoding="utf-8")
        return
    sys.exit(guard(found))


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    how_much = parser.add_mutually_exclusive_group()
    how_much.add_argument("--quick", action="store_true", help="two peers, a minute")
    how_much.add_argument("--full", action="store_true", help="up to a million texts")
    parser.add_argument("--write-baseline", action="store_true", help="renew baseline.json")
    parser.add_argument("--json", type=Path, help="where the result goes, else the working folder")
    parser.add_argument("--work", type=Path, default=_WORK, help="where peers are kept")
    return parser.parse_args()


def _json(figures: Figures) -> str:
    return json.dumps(figures, indent=1) + "\n"


def guard(found: dict[str, Ratio], *, baseline: Path = BASELINE) -> int:
    """Say what fell against the baseline: 1 if anything did, else 0."""
    if not baseline.exists():
        sys.stdout.write("No baseline: run again with --write-baseline.\n")
        return 0
    kept = json.loads(baseline.read_text(encoding="utf-8"))["ratios"]
    verdict = compare(
        {name: ratio.median for name, ratio in found.items()},
        baseline={name: ratio["median"] for name, ratio in kept.items()},
    )
    if verdict.unmeasured:
        sys.stdout.write(f"Not measured in this run: {', '.join(verdict.unmeasured)}.\n")
    for fall in verdict.falls:
        sys.stdout.write(f"FELL by more than a fifth: {fall}\n")
    if not verdict.falls:
        sys.stdout.write("No ratio fell by more than a fifth against the baseline.\n")
    return 1 if verdict.falls else 0


if __name__ == "__main__":
    main()

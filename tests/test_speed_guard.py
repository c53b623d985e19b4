"""The guard of `make bench`: which falls of a ratio it reports, and what it only tells."""

import json
from pathlib import Path

import pytest

from tests.benchmarks.speed import BASELINE, guard
from tests.benchmarks.speed_process import numbered
from tests.benchmarks.speed_report import Ratio, compare, ratios


def test_a_fall_of_more_than_a_fifth_is_reported_by_name() -> None:
    verdict = compare({"everything / sklearn": 0.79}, baseline={"everything / sklearn": 1.0})

    assert [fall.name for fall in verdict.falls] == ["everything / sklearn"]
    assert "0.79, was 1 (-21%)" in str(verdict.falls[0])


@pytest.mark.parametrize("now", [0.81, 1.0, 3.0])
def test_a_smaller_fall_or_a_rise_passes(now: float) -> None:
    assert compare({"start / core": now}, baseline={"start / core": 1.0}).falls == ()


def test_a_peer_that_is_missing_is_told_and_does_not_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = {"ratios": {f"memory / {peer}": {"median": 2.0} for peer in ("core", "fasttext")}}
    (tmp_path / "baseline.json").write_text(json.dumps(kept))

    code = guard({"memory / core": Ratio(1.9, 1.8, 2.0)}, baseline=tmp_path / "baseline.json")

    assert code == 0
    assert "Not measured in this run: memory / fasttext." in capsys.readouterr().out


def test_the_command_fails_and_names_what_fell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "baseline.json").write_text('{"ratios": {"size / core": {"median": 2.0}}}')

    code = guard({"size / core": Ratio(1.5, 1.5, 1.5)}, baseline=tmp_path / "baseline.json")

    assert code == 1
    assert "FELL by more than a fifth: size / core: 1.5, was 2 (-25%)" in capsys.readouterr().out


def test_each_ratio_pairs_the_engines_of_one_round_and_is_better_when_higher() -> None:
    own = {
        "per_cpu_s": 100,
        "whole_per_cpu_s": 50,
        "single_cpu_ms": 2,
        "first_cpu_s": 4,
        "memory_mb": 10,
    }
    peer = {
        "per_cpu_s": 50,
        "whole_per_cpu_s": 50,
        "single_cpu_ms": 4,
        "first_cpu_s": 1,
        "memory_mb": 5,
    }
    slowed = peer | {"per_cpu_s": 25}
    result = {
        "rounds": [
            {"ours": own, "ours_one_head": own, "core": peer},
            {"ours": own, "ours_one_head": own, "core": slowed},
        ],
        "sizes_mb": {"ours": 8, "core": 2},
        "growth": [
            {"engine": "ours", "n_texts": n, "ms_a_text": ms}
            for n, ms in ((1_000, 9.0), (10_000, 0.5), (100_000, 1.0))
        ],
    }

    found = ratios(result)

    assert found["everything / core"] == Ratio(3.0, 2.0, 4.0)
    assert found["everything of a single text / core"].median == 2
    assert found["start / core"].median == 0.25
    assert found["size / core"].median == 0.25
    assert found["cost of 10,000 / 100,000 texts"].median == 0.5
    assert not any(name.startswith("cost of 1,000") for name in found)


def test_no_text_of_a_measurement_comes_twice() -> None:
    texts = numbered(["một", "hai"])

    some = [next(texts) for _ in range(1_000)]

    assert len(set(some)) == len(some)


def test_the_committed_baseline_has_ratios_against_every_peer() -> None:
    kept = json.loads(BASELINE.read_text(encoding="utf-8"))["ratios"]

    peers = {name.rpartition(" / ")[2] for name in kept if name.startswith("everything / ")}

    assert peers == {"words", "sklearn", "core", "fasttext", "encoder"}

"""Small real parts for every test: the pack, the registers, and a model of sixty short texts."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from models.linear import Head, LinearClassifier
from models.registry import load_classifier, save_linear
from models.train import train
from nlp.hints import TriageRules, load_triage
from nlp.pipeline import Pipeline
from nlp.structure import Registers, load_registers
from nlp.taxonomy import Taxonomy, load_pack

# What runs tests side by side sets them, and every console would keep that width for good.
for _name in ("COLUMNS", "LINES"):
    os.environ.pop(_name, None)

ROOT = Path(__file__).parents[1]
TINY_CORPUS = ROOT / "tests" / "samples" / "tiny"

# No deadline: a busy machine is no fault of the code. The same examples in every run.
settings.register_profile(
    "danvan", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("danvan")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI a test skipped for want of a program is a failure; only real data may be absent."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI"):
        return
    reasons = [str(report.longrepr) for report in reporter.stats.get("skipped", [])]
    missing = [reason for reason in reasons if "not at hand" not in reason]
    if missing and exitstatus == 0:
        reporter.write_line(f"{len(missing)} tests were skipped in CI: {missing[0]}", red=True)
        session.exitstatus = 1


@pytest.fixture(scope="session")
def pack() -> Taxonomy:
    return load_pack(ROOT / "corpus" / "taxonomies" / "ct07")


@pytest.fixture(scope="session")
def registers() -> Registers:
    return load_registers(ROOT / "corpus" / "registers")


@pytest.fixture(scope="session")
def triage() -> TriageRules:
    return load_triage(ROOT / "corpus" / "registers")


@pytest.fixture(scope="session")
def tiny_recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(
        f'name = "tiny"\nversion = "0.0.1"\ncorpus = "{TINY_CORPUS}"\n'
        f'taxonomy = "{ROOT / "corpus" / "taxonomies" / "ct07"}"\n',
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="session")
def tiny_artifact(tiny_recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact as `danvan train` leaves it."""
    return train(tiny_recipe, out=tmp_path_factory.mktemp("trained"), report=lambda line: None)


@pytest.fixture(scope="session")
def tiny_models(tiny_artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of artifacts whose model `tiny` asserts much: sixty texts are too few for real thresholds."""
    trained = load_classifier("tiny", folder=tiny_artifact.parents[1])
    assert isinstance(trained, LinearClassifier)
    bold = replace(trained, linear_heads=_emboldened(trained.linear_heads))
    folder = tmp_path_factory.mktemp("models")
    save_linear(bold, folder=folder, training={})
    return folder


def _emboldened(heads: Mapping[str, Head]) -> dict[str, Head]:
    bold = {}
    for name, head in heads.items():
        at = 0.2 if name == "tone" else 0.4
        thresholds = (at,) * len(head.spec.labels)
        bold[name] = replace(
            head, spec=replace(head.spec, assert_at=thresholds, reject_below=at / 2)
        )
    return bold


@pytest.fixture(scope="session")
def tiny_classifier(tiny_models: Path) -> LinearClassifier:
    classifier = load_classifier("tiny", folder=tiny_models)
    assert isinstance(classifier, LinearClassifier)
    return classifier


@pytest.fixture(scope="session")
def tiny_pipeline(
    tiny_classifier: LinearClassifier, pack: Taxonomy, registers: Registers, triage: TriageRules
) -> Pipeline:
    return Pipeline(classifier=tiny_classifier, taxonomy=pack, registers=registers, triage=triage)

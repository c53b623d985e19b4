"""`service/README.md` leaves nothing out, and its examples run."""

import re
import shlex
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from nlp.pipeline import Pipeline
from nlp.types import Analysis, Citation, Duty, Metadata, Provenance
from service.actions import Desk
from service.api.jobs import JobFilter
from service.api.reclassifications import DiffFilter, ScopeIn
from service.api.trends import TrendFilter
from service.jobs.here import carry_out
from service.jobs.kinds import KINDS
from service.jobs.orders import submit
from service.jobs.seam import Context
from service.schemas import DocumentFilter, OpinionFilter
from service.settings import Settings
from service.store.alerts import add_alert
from service.store.dialect import writing
from service.store.jobs import JobQuery, list_jobs
from tests.service.archive import Model
from tests.service.test_alerts_api import ALERT

ROOT = Path(__file__).parents[2]
README = (ROOT / "service" / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^curl (.*)$", README, flags=re.MULTILINE)


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_is_described(name: str) -> None:
    assert f"`DANVAN_{name.upper()}`" in README


@pytest.mark.parametrize(
    "name",
    [
        *DocumentFilter.model_fields,
        *OpinionFilter.model_fields,
        *JobFilter.model_fields,
        *ScopeIn.model_fields,
        *DiffFilter.model_fields,
        *(field.alias or name for name, field in TrendFilter.model_fields.items()),
    ],
)
def test_every_filter_is_described(name: str) -> None:
    assert f"`{name}`" in README


@pytest.mark.parametrize("shape", [Analysis, Citation, Duty, Metadata, Provenance])
def test_every_part_of_an_analysis_is_described(shape: type) -> None:
    missing = [field.name for field in fields(shape) if f'"{field.name}"' not in README]

    assert missing == []


def test_every_route_is_described_and_has_an_example(app: FastAPI) -> None:
    called = {run_path(example) for example in EXAMPLES}

    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            assert f"`{method.upper()} {path}`" in README
        assert any(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), seen) for seen in called), path


def run_path(example: str) -> str:
    [address] = [word for word in shlex.split(example) if word.startswith("localhost")]
    return address.removeprefix("localhost:8000").partition("?")[0]


def test_the_examples_run(client: TestClient, desk: Desk, settings: Settings) -> None:
    submit(desk.engine, "demo", params={}, asked_by="console", now=desk.now())
    with writing(desk.engine) as connection:
        assert add_alert(connection, ALERT)
    last_id = ""
    for example in EXAMPLES:
        answer = run(client, example.replace("$ID", last_id))

        assert answer.status_code in {200, 201, 202, 204}, (example, answer.text)
        work(desk, settings)
        last_id = next(
            iter(re.findall(r'"(?:job_)?id":"([0-9a-f]{32}|[0-9a-f]{8})"', answer.text)), last_id
        )
        assert '"status":"error"' not in answer.text


def work(desk: Desk, settings: Settings) -> None:
    """What a worker would do meanwhile."""
    [newest] = [info for info in desk.models() if info.name == "default"][-1:]
    rules = Model(name=newest.name, version=newest.version, sha256=newest.sha256)
    ctx = Context(desk.engine, settings, build=lambda _: cast(Pipeline, rules))
    for kind in ("export", "reclassification"):
        for job in list_jobs(desk.engine, JobQuery(kind=kind, state="queued")):
            assert carry_out(ctx, job, kinds=KINDS).state == "done"


def run(client: TestClient, example: str) -> Response:
    """What curl would do with these words."""
    words = shlex.split(example)
    [address] = [word for word in words if word.startswith("localhost")]
    options = list(pairwise(words))
    headers = dict(value.split(": ", 1) for key, value in options if key == "-H")
    bodies = [value for key, value in options if key in {"-d", "--data-binary"}]
    form = dict(value.split("=", 1) for key, value in options if key == "-F")
    path = address.removeprefix("localhost:8000")
    if form:
        file = ROOT / form.pop("file").removeprefix("@")
        files = {"file": (file.name, file.read_bytes())}
        return client.post(path, files=files, data=form, headers=headers)
    if bodies:
        method = dict(options).get("-X", "POST")
        return client.request(method, path, content=bodies[0].encode(), headers=headers)
    return client.request(dict(options).get("-X", "GET"), path)

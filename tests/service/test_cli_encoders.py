"""`danvan export onnx` and `danvan serve --model`, as they are typed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import service.serving
from service.settings import Settings
from tests.service.commands import Danvan, commanding


@pytest.fixture
def danvan(
    tiny_artifact: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Danvan]:
    monkeypatch.setenv("DANVAN_MODELS_FOLDER", str(tiny_artifact.parents[1]))
    with commanding(monkeypatch, capsys) as run:
        yield run


@pytest.mark.parametrize(
    ("name", "said"), [("tiny", "tiny is linear"), ("none", "no model 'none'")]
)
def test_what_cannot_be_exported_is_said(danvan: Danvan, name: str, said: str) -> None:
    outcome = danvan("export", "onnx", name, "--int8")

    assert outcome.code == 1
    assert said in outcome.err


@pytest.mark.parametrize(("arguments", "model"), [((), "default"), (("--model", "tiny"), "tiny")])
def test_the_model_to_serve_is_chosen(
    danvan: Danvan, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], model: str
) -> None:
    served: list[str] = []

    def serve(settings: Settings, **_: object) -> None:
        served.append(settings.model)

    monkeypatch.setattr(service.serving, "serve", serve)

    outcome = danvan("serve", *arguments)

    assert outcome.code == 0
    assert served == [model]

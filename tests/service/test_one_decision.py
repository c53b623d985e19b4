"""What reads like a denunciation is decided in one place, so every door decides alike."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from nlp.hints import DENUNCIATION, find_hints
from nlp.pipeline import Pipeline, Request
from nlp.readers import from_text
from service.monitor.traits import Rules, is_denunciation, load_rules, read_hints, read_traits
from service.store.restricted import count_waiting
from tests.service.flows import Scene, a_scene

# no word of accusation: the rules take it for something else
TAKES = (
    "Cô kế toán trường tháng nào cũng ghi thừa bốn suất ăn, tiền đó cô với hiệu trưởng chia nhau."
)
PLAIN = "Đèn đường trước chợ hỏng đã hai tuần, tối đi lại rất nguy hiểm, đề nghị phường cho sửa."
REGISTERS = Path(__file__).parents[2] / "corpus" / "registers"


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules(REGISTERS)


@pytest.fixture
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with a_scene(request, tmp_path, database="sqlite") as scene:
        yield scene


def test_what_the_score_alone_finds_is_a_denunciation(rules: Rules) -> None:
    found = [is_denunciation(own) for own in read_hints([TAKES, PLAIN], rules=rules)]

    assert find_hints(TAKES, rules=rules.triage).channel != DENUNCIATION
    assert found == [True, False]


def test_what_the_rules_alone_find_is_a_denunciation(rules: Rules) -> None:
    deaf = replace(rules, accusations=lambda texts: [None] * len(texts))
    text = "Tôi tố cáo trưởng thôn 5 ăn chặn tiền hỗ trợ bão, bắt dân ký nhận đủ."

    assert [is_denunciation(own) for own in read_hints([text, TAKES], rules=deaf)] == [True, False]


def test_traits_and_hints_agree(rules: Rules) -> None:
    texts = [TAKES, PLAIN, ""]

    traits = [is_denunciation(own) for own in read_traits(texts, rules=rules)]

    assert traits == [is_denunciation(own) for own in read_hints(texts, rules=rules)]


def test_danger_is_seen_in_what_the_score_alone_finds(rules: Rules) -> None:
    sure = replace(rules, accusations=lambda texts: [()] * len(texts))
    text = "Dây điện đứt rơi xuống đường, đang tóe lửa"

    [hints] = read_hints([text], rules=sure)

    assert (hints.channel, hints.urgency) == (DENUNCIATION, "life_safety")


def by_api(client: TestClient) -> None:
    client.post("/v1/opinions", json=[{"source": "demo", "external_id": "1", "text": TAKES}])


def by_api_later(client: TestClient) -> None:
    row = {"source": "demo", "external_id": "1", "text": TAKES}
    client.post("/v1/opinions", json=[row], headers={"prefer": "respond-async"})


def by_file(client: TestClient) -> None:
    files = {"file": ("don.txt", TAKES.encode())}
    client.post("/v1/documents", files=files, data={"kind": "opinion", "source": "demo"})


@pytest.mark.parametrize("send", [by_api, by_api_later, by_file])
def test_every_door_seals_it(
    client: TestClient, app: FastAPI, send: Callable[[TestClient], None]
) -> None:
    send(client)

    with app.state.desk.engine.connect() as connection:
        assert count_waiting(connection) == 1
    for path in ("opinions", "documents"):
        assert client.get(f"/v1/{path}").json()["items"] == []


def test_what_was_kept_before_is_sealed_too(scene: Scene) -> None:
    scene.keep(TAKES, PLAIN)

    scene.carry_out("traits")

    with scene.engine.connect() as connection:
        assert count_waiting(connection) == 1


def test_an_analysis_says_so_and_shows_the_words(rules: Rules, tiny_pipeline: Pipeline) -> None:
    pipeline = replace(tiny_pipeline, accusations=rules.accusations)

    taken, plain = pipeline.analyze_all(
        [Request(text[:4], from_text(text), "opinion") for text in (TAKES, PLAIN)]
    )

    assert taken.hints is not None
    assert taken.hints.channel == DENUNCIATION
    assert taken.hints.evidence.channel
    assert plain.hints is not None
    assert plain.hints.channel != DENUNCIATION

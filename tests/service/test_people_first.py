"""People first: the rules about citizens, each held against what is really there.

That retention really deletes stands in `test_retention.py`; that small groups are not told, where each figure
is made.
"""

import json
import re
import sqlite3
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import httpx2
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from models.corpus import Example
from nlp.pipeline import Request
from nlp.readers import from_text
from nlp.taxonomy import load_packs
from nlp.text import fold
from nlp.types import Intent, Sentiment
from service.actions import Desk
from service.backup import make_backup
from service.learning import read_lessons
from service.schemas import OpinionIn
from service.store import tables
from service.store.dialect import open_engine
from service.store.runs import packs_of
from tests import directive
from tests.conftest import ROOT
from tests.service.archive import another_database
from tests.service.processes import Served, served
from tests.service.rules import PACK, RulePipeline

WHO = {
    "account", "address", "author", "avatar", "birthday", "cccd", "citizen", "cmnd", "email", "fullname",
    "gender", "ip", "nickname", "person", "phone", "profile", "reporter", "sender", "submitter", "user",
    "username", "writer",
}  # fmt: skip
# where a program or a feed is reached, never where somebody lives
NO_PERSON = {("feeds", "address")}
JUDGING = (
    "thu dich", "phan dong", "trung thanh", "chong doi", "cuc doan", "chinh tri", "dang phai", "ton giao",
    "dan toc", "hostile", "loyal", "politic", "religion", "ethnic", "extremis",
)  # fmt: skip


def words_of(name: str) -> set[str]:
    return set(name.lower().split("_"))


def test_no_table_has_a_place_for_whoever_wrote() -> None:
    columns = {
        (table.name, column.name)
        for table in tables.metadata.tables.values()
        for column in table.columns
    }

    assert {own for own in columns if words_of(own[1]) & WHO} - NO_PERSON == set()
    assert not any(words_of(name.rstrip("s")) & WHO for name in tables.metadata.tables)


def test_no_answer_has_a_place_for_whoever_wrote(app: FastAPI) -> None:
    names = set(properties(app.openapi()))

    assert {"external_id", "excerpt", "received"} <= names  # the walk has seen the answers
    assert {name for name in names if words_of(name) & WHO} - {"address"} == set()


def properties(schema: Any) -> Iterator[str]:
    """Every name of a field anywhere in a description. `Any`: JSON."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield from schema["properties"]
        for value in schema.values():
            yield from properties(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from properties(value)


def test_an_opinion_comes_in_with_its_source_and_nothing_of_its_author() -> None:
    assert set(OpinionIn.model_fields) == {"source", "external_id", "text", "posted_at"}
    assert OpinionIn.model_config["extra"] == "forbid"


@pytest.mark.parametrize("field", ["author", "author_id", "sender", "phone", "user", "profile_url"])
def test_a_row_that_names_its_author_is_refused(client: TestClient, field: str) -> None:
    row = {"source": "demo", "external_id": "1", "text": "Đèn hỏng.", field: "Bimat"}

    answer = client.post("/v1/opinions", json=[row])

    assert answer.json()["error"] == 1
    assert "Bimat" not in answer.text
    assert client.get("/v1/opinions").json()["items"] == []


def test_a_text_of_a_source_that_nobody_registered_is_refused(client: TestClient) -> None:
    row = {"source": "nobody", "external_id": "1", "text": "Đèn hỏng."}

    assert client.post("/v1/opinions", json=[row]).json()["error"] == 1


@pytest.mark.parametrize("missing", ["channel", "legal_basis", "retention_days"])
def test_a_source_says_its_channel_basis_and_retention(client: TestClient, missing: str) -> None:
    source = {"name": "a", "channel": "a", "legal_basis": "Luật", "retention_days": 9}

    answer = client.post("/v1/sources", json={k: v for k, v in source.items() if k != missing})

    assert answer.status_code == 422


def test_no_taxonomy_judges_citizens() -> None:
    said = [
        fold(f"{category.code} {category.name}")
        for pack in load_packs(ROOT / "corpus" / "taxonomies")
        for facet in pack.facets.values()
        for category in facet.categories
        if category.code in facet.leaves("opinion")
    ]

    assert len(said) > 30
    assert [name for name in said if any(word in name for word in JUDGING)] == []
    assert set(get_args(Sentiment)) == {"negative", "neutral", "positive"}
    assert set(get_args(Intent)) == {"complaint", "suggestion", "question", "praise", "other"}


@pytest.mark.parametrize(
    "pack", load_packs(ROOT / "corpus" / "taxonomies"), ids=lambda own: own.name
)
def test_discipline_of_officials_is_no_label_of_opinions(pack: Any) -> None:
    areas = pack.facets["task_area"]
    restricted = {category.code for category in areas.categories if category.restricted}

    assert restricted.isdisjoint(areas.leaves("opinion"))
    assert pack.name != "ct07" or restricted == {"DV4.3"}


@pytest.mark.parametrize("text", ["kỷ cương", "Đường hỏng, kỷ cương đâu"])
def test_a_pipeline_that_says_it_all_the_same_is_not_believed(
    client: TestClient, desk: Desk, text: str
) -> None:
    told = [RulePipeline().analyze(Request("a", from_text(text), "opinion"))]
    row = {"source": "demo", "external_id": "1", "text": text}
    outcome = client.post("/v1/opinions", json=[row]).json()["results"][0]

    seen = [
        client.get(f"/v1/opinions/{outcome['id']}").text,
        client.post("/v1/analyze", json={"text": text, "kind": "opinion"}).text,
        "\n".join(dump_of(desk.engine)),
    ]

    assert "DV4.3" in str(told)
    assert not any("DV4.3" in page for page in seen)


def test_every_label_shows_its_words_probability_and_versions(client: TestClient) -> None:
    row = {"source": "demo", "external_id": "1", "text": "Đường hỏng nặng"}
    outcome = client.post("/v1/opinions", json=[row]).json()["results"][0]

    analysis = client.get(f"/v1/opinions/{outcome['id']}").json()["analysis"]

    [label] = analysis["civic_field"]["labels"]
    assert label["evidence"]
    assert 0 < label["probability"] < 1
    assert all(analysis["provenance"].values())


@pytest.mark.parametrize(
    ("path", "sources"), [("/v1/restricted", "sources"), ("/v1/trends?by=civic_field", "sample")]
)
def test_an_aggregate_says_that_it_is_no_survey(
    client: TestClient, path: str, sources: str
) -> None:
    answer = client.get(path)

    assert answer.status_code == 200, answer.text
    assert re.search("không phải (kết quả )?điều tra", answer.text)
    assert sources in answer.json()


ACCUSATION = "Tôi tố cáo ông trưởng thôn nhận hối lộ hai mươi triệu đồng của các hộ dân"


def test_a_denunciation_is_sealed_at_every_door_and_only_counted(
    client: TestClient, desk: Desk, pipeline: RulePipeline
) -> None:
    row = {"source": "demo", "text": ACCUSATION}
    client.post("/v1/opinions", json=[row | {"external_id": "1"}, row | {"external_id": "1"}])
    client.post("/v1/opinions", json=[row | {"external_id": "2"}], headers=LATER)
    files = {"file": ("a.txt", ACCUSATION.encode())}
    client.post("/v1/documents", files=files, data={"kind": "opinion"})
    client.post("/opinions", data={"text": ACCUSATION})
    listed = [client.get(path).json()["items"] for path in ("/v1/opinions", "/v1/documents")]
    found = client.get("/v1/opinions", params={"q": "truong thon"}).json()["items"]
    told = client.get("/v1/restricted")

    with desk.engine.connect() as connection:
        query = sa.select(tables.restricted.c.sealed)
        sealed = [desk.sealer.open(one).decode() for one in connection.scalars(query)]
    assert sealed == [ACCUSATION] * 4
    assert (listed, found, told.json()["months"]) == ([[], []], [], [])
    assert "trưởng thôn" not in "\n".join([*dump_of(desk.engine), told.text])


# --- nothing of a person comes through any door -----------------------------------------------------------

CANARIES = {
    "phone": "0987123450",
    "identity number": "001088123459",
    "e-mail": "bimat.canary@thu-rieng.vn",
    "plate": "29H-123.47",
    "account": "19031234567018",
    "name": "Trần Văn Bímật",
}
TEXT = (
    "Tôi tên là Trần Văn Bímật, số điện thoại 0987123450, căn cước công dân số 001088123459, thư"
    " bimat.canary@thu-rieng.vn, xe biển số 29H-123.47, tài khoản ngân hàng số 19031234567018."
    " Đường hỏng {door}."
)
DOORS = ("array", "lines", "later", "letter", "letterlater", "pasted", "decision", "decisionlater")
NDJSON = {"content-type": "application/x-ndjson"}
LATER = {"prefer": "respond-async"}
_PATIENCE_S = 60.0


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return another_database(request.getfixturevalue("postgres_url"), "people_first")
    return f"sqlite:///{tmp_path}/data/store.db"


@pytest.fixture
def house(url: str, tmp_path: Path, tiny_models: Path) -> Iterator[Served]:
    """The whole service with a worker, as an operator runs it."""
    settings: dict[str, object] = {
        "database_url": url,
        "models_folder": tiny_models,
        "model": "tiny",
        "workers": 1,
        "worker_poll_s": 0.05,
        "exports_folder": tmp_path / "data" / "exports",
        "log_level": "debug",
    }
    with served(settings) as running:
        yield running


def through_every_door(client: httpx2.Client) -> list[str]:
    """Send the text wherever a text can be sent; the jobs that were ordered."""
    jobs = []

    def row(door: str) -> dict[str, str]:
        return {
            "source": "demo",
            "external_id": f"{door} 0987123450",
            "text": TEXT.format(door=door),
        }

    client.post("/v1/opinions", json=[row("array"), row("refused") | {"author": CANARIES["name"]}])
    client.post("/v1/opinions", content=json.dumps(row("lines")), headers=NDJSON)
    jobs.append(client.post("/v1/opinions", json=[row("later")], headers=LATER).json()["job_id"])
    for door, headers in (("letter", {}), ("letterlater", LATER)):
        files = {"file": (f"don cua {CANARIES['name']}.txt", TEXT.format(door=door).encode())}
        form = {"kind": "opinion"}
        answer = client.post("/v1/documents", files=files, data=form, headers=headers)
        jobs += [answer.json()["job_id"]] if answer.status_code == 202 else []
    for door, headers in (("decision", {}), ("decisionlater", LATER)):
        text = directive.to_txt("utf-8") + b"\n" + TEXT.format(door=door).encode()
        files = {"file": (f"giai quyet don cua {CANARIES['name']}.txt", text)}
        form = {"kind": "official"}
        answer = client.post("/v1/documents", files=files, data=form, headers=headers)
        jobs += [answer.json()["job_id"]] if answer.status_code == 202 else []
    client.post("/opinions", data={"text": TEXT.format(door="pasted")})
    client.post("/v1/analyze", json={"text": TEXT.format(door="asked"), "kind": "opinion"})
    for canary in CANARIES.values():
        assert client.get("/v1/opinions", params={"q": canary}).json()["items"] == []
        client.get(f"/v1/items/{canary}")
    for file_format in ("csv", "jsonl", "xlsx"):
        for intake in ("opinion", "document"):
            body = {"format": file_format, "intake": intake, "with_text": True}
            jobs.append(client.post("/v1/exports", json=body).json()["job_id"])
    return jobs


def wait_for(client: httpx2.Client, job_id: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while (state := client.get(f"/v1/jobs/{job_id}").json()["state"]) != "done":
        assert state in {"queued", "running"}, state
        assert time.monotonic() < deadline, "the job did not end"
        time.sleep(0.05)


@pytest.mark.slow
def test_nothing_of_a_person_is_kept_or_told_anywhere(
    house: Served, url: str, tmp_path: Path
) -> None:
    with httpx2.Client(base_url=house.url, timeout=30) as client:
        for job_id in through_every_door(client):
            wait_for(client, job_id)
        answers = [client.get(path).text for path in ("/v1/jobs", "/v1/access-log", "/metrics")]
        found = client.get("/v1/opinions", params={"q": "duong hong"}).json()["items"]
        correct(client, found[0]["id"])
    backup = make_backup(url, tmp_path / "backup.zip", now=datetime.now(UTC))

    kept: dict[str, str] = {
        **{f"file {path.name}": as_text(path.read_bytes()) for path in files_under(tmp_path)},
        **{f"packed {name}": text for name, text in unpacked(tmp_path)},
        **databases(url),
        "log": json.dumps(house.lines, ensure_ascii=False),
        "answers": "\n".join(answers),
        "lessons": "\n".join(example.text for example in lessons(url)),
    }
    assert backup.n_rows > len(DOORS)
    told = [(place, what) for place, text in kept.items() for what in CANARIES if holds(text, what)]
    assert told == []
    everything = "\n".join(kept.values())
    assert [door for door in DOORS if f"hỏng {door}" not in everything] == []


def holds(text: str, what: str) -> bool:
    """Whether a canary stands in a text, folded as the index of words has it, or as JSON escapes it."""
    canary = CANARIES[what]
    escaped = json.dumps(canary)[1:-1]
    return any(form in text for form in (canary, fold(canary), escaped)) or (
        what == "name" and "bimat" in fold(text).replace("bimat.canary", "")
    )


def correct(client: httpx2.Client, item_id: str) -> None:
    body = {"facet": "civic_field", "codes": ["LV04"]}
    assert client.patch(f"/v1/items/{item_id}/labels", json=body).status_code == 200


def lessons(url: str) -> tuple[Example, ...]:
    """What a model would learn from."""
    engine = open_engine(url)
    try:
        return tuple(read_lessons(engine, PACK, packs=packs_of([PACK])).examples)
    finally:
        engine.dispose()


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def as_text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def unpacked(folder: Path) -> Iterator[tuple[str, str]]:
    """What is packed in exports and backups."""
    for path in files_under(folder):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    yield f"{path.name}/{name}", as_text(archive.read(name))


def databases(url: str) -> Mapping[str, str]:
    """Every row of every table of the store and of the workers' queue."""
    if url.startswith("sqlite"):
        folder = Path(url.removeprefix("sqlite:///")).parent
        found = {}
        for path in folder.glob("*.db"):
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
                found[f"tables of {path.name}"] = "\n".join(connection.iterdump())
        assert len(found) == 2
        return found
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = {
            f"table {schema}.{name}": "\n".join(
                connection.scalars(sa.text(f'SELECT t::text FROM "{schema}"."{name}" t'))  # noqa: S608 - its own
            )
            for schema in ("public", "dbos")
            for name in sa.inspect(connection).get_table_names(schema=schema)
        }
    engine.dispose()
    assert any(name.startswith("table dbos.") for name in found)
    return found


def dump_of(engine: sa.Engine) -> Iterator[str]:
    with engine.connect() as connection:
        for table in tables.metadata.sorted_tables:
            yield from (str(tuple(row)) for row in connection.execute(sa.select(table)))

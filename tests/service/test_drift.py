"""Drift: seen where texts or answers change, not where they do not, and never by a small count."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from models.reference import STYLE, Histogram, Reference, write_reference
from models.registry import MANIFEST, ModelInfo
from service.actions import Desk
from service.messages import words_of
from service.monitor.drift import Level, Shift, compare, judge, read_drift
from service.store import tables
from service.store.dialect import writing
from service.store.intake import ensure_run
from service.store.tables import FACETS
from tests.service.commands import Danvan, commanding
from tests.service.shelf import RULES

TODAY = date(2026, 1, 20)
DAY = date(2026, 1, 15)
K = 10
EVEN = Histogram((0.25, 0.5, 0.75), (250, 250, 250, 250))
LENGTHS = Histogram((10.0, 20.0, 30.0), (250, 250, 250, 250))
REFERENCE = Reference(
    model_sha256=RULES.model_sha256,
    n=1000,
    confusions={},
    style={"n_syllables": LENGTHS, "plain_share": EVEN, "unknown_share": EVEN},
    confidence=dict.fromkeys(FACETS, EVEN),
    decisions={facet: {"labelled": 600, "abstain": 400} for facet in FACETS},
)


def values(n: int, *, highest: float = 1.0) -> list[float]:
    """So many values, evenly spread below `highest`."""
    return [highest * i / n for i in range(n)]


def keep(
    engine: sa.Engine,
    shares: Sequence[float],
    *,
    day: date = DAY,
    source: str = "demo",
    reposts: bool = False,
    sure: Sequence[float] | None = None,
) -> None:
    """Opinions of one day with these shares of syllables without diacritics."""
    run_id = ensure_run(engine, RULES, now=datetime(2026, 1, 1, tzinfo=UTC))
    with writing(engine) as connection:
        first = (connection.scalar(sa.select(sa.func.max(tables.items.c.seq))) or 0) + 1
        seqs = range(first, first + len(shares))
        connection.execute(tables.items.insert(), [item(seq, run_id, source) for seq in seqs])
        rows = [
            trait(seq, share, day=day, source=source, group=first if reposts else seq)
            for seq, share in zip(seqs, shares, strict=True)
        ]
        connection.execute(tables.traits.insert(), rows)
        sureness = zip(seqs, sure or values(len(shares)), strict=True)
        connection.execute(tables.answers.insert(), [answer(*own, run_id) for own in sureness])


def item(seq: int, run_id: int, source: str) -> dict[str, object]:
    row: dict[str, object] = {c.name: "x" for c in tables.items.c if not c.nullable}
    moment = datetime(2026, 1, 15, tzinfo=UTC)
    row |= {"blocks": [], "issues": [], "places": [], "received_at": moment, "run_id": run_id}
    return row | {"seq": seq, "id": f"{seq:032x}", "external_id": str(seq), "source": source}


def trait(seq: int, share: float, *, day: date, source: str, group: int) -> dict[str, object]:
    row: dict[str, object] = {"seq": seq, "day": day, "source": source, "group_seq": group}
    row |= {"channel": "phản ánh", "urgency": "normal"}
    return row | {"n_syllables": seq % 40, "plain_share": share, "unknown_share": seq % 100 / 100}


def answer(seq: int, probability: float, run_id: int) -> dict[str, object]:
    row: dict[str, object] = {"seq": seq, "run_id": run_id}
    for facet in FACETS:
        row |= {f"{facet}_label": "abstain" if seq % 5 < 2 else "LV03", f"{facet}_codes": ""}
        row |= {f"{facet}_guess": "LV03", f"{facet}_probability": probability}
    return row


def shifts(engine: sa.Engine, reference: Reference = REFERENCE) -> Mapping[str, Shift]:
    with engine.connect() as connection:
        found = read_drift(connection, reference, until=TODAY, days=7, k=K)
    return {shift.of: shift for shift in found.shifts}


def verdict(engine: sa.Engine) -> str:
    with engine.connect() as connection:
        return read_drift(connection, REFERENCE, until=TODAY, days=7, k=K).verdict


def test_texts_like_those_of_the_reference_are_stable(engine: sa.Engine) -> None:
    keep(engine, values(400), day=DAY - timedelta(days=30))
    keep(engine, values(400))

    assert verdict(engine) == "stable"
    assert {shift.level for shift in shifts(engine).values()} == {"stable"}


def test_texts_written_otherwise_are_distrusted(engine: sa.Engine) -> None:
    keep(engine, values(400)[:100] + [1.0] * 300)

    found = shifts(engine)

    assert found["plain_share"].level == "strongly_shifted"
    assert found["n_syllables"].level == "stable"
    assert verdict(engine) == "distrust"


def test_a_model_that_doubts_more_is_distrusted(engine: sa.Engine) -> None:
    keep(engine, values(400), sure=values(400, highest=0.4))

    found = shifts(engine)

    assert found["civic_field.probability"].level == "strongly_shifted"
    assert found["civic_field.decision"].level == "stable"
    assert verdict(engine) == "distrust"


def test_another_mix_of_sources_is_told_and_no_reason_for_distrust(engine: sa.Engine) -> None:
    with writing(engine) as connection:
        row = {"channel": "x", "legal_basis": "x", "retention_days": 9}
        connection.execute(tables.sources.insert(), {"name": "new", **row})
    keep(engine, values(400), day=DAY - timedelta(days=30))
    keep(engine, values(400), source="new")

    assert shifts(engine)["sources"].level == "strongly_shifted"
    assert verdict(engine) == "stable"


def test_the_days_asked_for_are_looked_at_and_no_others(engine: sa.Engine) -> None:
    keep(engine, values(400))
    keep(engine, [1.0] * 400, day=TODAY)
    keep(engine, [1.0] * 400, day=TODAY - timedelta(days=8))

    assert shifts(engine)["plain_share"].n == 400


def test_reposts_count_once(engine: sa.Engine) -> None:
    keep(engine, values(400))
    keep(engine, [1.0] * 400, reposts=True)

    assert shifts(engine)["plain_share"].level == "stable"


def test_answers_of_another_model_are_not_looked_at(engine: sa.Engine) -> None:
    keep(engine, values(400), sure=[0.1] * 400)

    found = shifts(engine, replace(REFERENCE, model_sha256="f" * 64))

    assert found["intent.probability"] == Shift("intent.probability", "too_few")


def test_corrections_say_nothing_of_how_sure_the_model_is(engine: sa.Engine) -> None:
    keep(engine, values(400))
    human = ensure_run(engine, replace(RULES, model="people"), now=datetime(2026, 1, 1, tzinfo=UTC))
    with writing(engine) as connection:
        runs, active = tables.runs, tables.active_runs
        connection.execute(runs.update().where(runs.c.id == human).values(kind="human"))
        row = {"facet": "intent", "rank": 1_000_000, "run_id": human}
        connection.execute(active.insert(), row)
        row = {"seq": 1, "run_id": human, "intent_label": "praise", "intent_codes": "praise"}
        connection.execute(tables.answers.insert(), row)

    assert shifts(engine)["intent.probability"].n == 400


def test_of_few_texts_nothing_is_told(engine: sa.Engine) -> None:
    keep(engine, [1.0] * 94)

    assert verdict(engine) == "too_few"
    assert set(shifts(engine).values()) == {Shift(of, "too_few") for of in shifts(engine)}


def test_an_empty_store_is_too_few(engine: sa.Engine) -> None:
    assert verdict(engine) == "too_few"


@pytest.mark.parametrize("n", [100, 101, 104])
def test_one_opinion_more_changes_no_figure(n: int) -> None:
    expected = {"a": 500, "b": 500}

    assert compare("x", {"a": n, "b": 100}, expected, k=K) == compare(
        "x", {"a": 100, "b": 100}, expected, k=K
    )


def test_a_small_new_part_is_not_named() -> None:
    shift = compare("x", {"a": 200, "b": 200, "c": 9}, {"a": 500, "b": 500}, k=K)

    assert (shift.parts, shift.level) == (("a", "b"), "stable")


def test_the_measure_is_the_population_stability_index() -> None:
    shift = compare("x", {"a": 3000, "b": 7000}, {"a": 5000, "b": 5000}, k=K)

    # (0.3 - 0.5) ln(0.3 / 0.5) + (0.7 - 0.5) ln(0.7 / 0.5)
    assert shift.psi == pytest.approx(0.169, abs=0.001)
    assert (shift.level, shift.shares, shift.expected) == ("shifted", (0.3, 0.7), (0.5, 0.5))


def test_a_small_sample_must_shift_more() -> None:
    few, many = ({"a": 40 * n, "b": 80 * n} for n in (1, 100))

    found = [compare("x", counts, {"a": 100, "b": 100}, k=K) for counts in (few, many)]

    assert [shift.level for shift in found] == ["stable", "shifted"]
    assert found[0].psi == found[1].psi == pytest.approx(0.116, abs=0.001)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([], "too_few"),
        (["too_few"], "too_few"),
        (["too_few", "stable"], "stable"),
        (["stable", "shifted", "shifted"], "watch"),
        (["stable", "strongly_shifted"], "distrust"),
    ],
)
def test_the_verdict_follows_the_measures(levels: list[Level], expected: str) -> None:
    assert judge([Shift("x", level) for level in levels]) == expected


def test_every_verdict_has_a_sentence() -> None:
    assert set(words_of("drift")) == {"stable", "watch", "distrust", "too_few", "no_reference"}


def test_a_model_without_a_reference_is_told(client: TestClient) -> None:
    answer = client.get("/v1/drift")

    assert (answer.status_code, answer.json()["verdict"]) == (200, "no_reference")
    assert "số liệu đối chiếu" in answer.json()["sentence"]


def test_the_api_answers_the_sentence_with_the_figures(
    client: TestClient, desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / MANIFEST).write_bytes(b"{}")
    sha256 = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # of {}
    write_reference(replace(REFERENCE, model_sha256=sha256), folder=tmp_path)
    info = ModelInfo("rules", "1", RULES.model_sha256, "ct07", "1.0.0", tmp_path)
    client.app.state.desk = replace(desk, models=lambda: (info,))  # type: ignore[attr-defined] # FastAPI's
    keep(desk.engine, [1.0] * 400, day=date(2026, 1, 4))

    answer = client.get("/v1/drift", params={"days": 3}).json()

    assert (answer["verdict"], answer["begin"], answer["end"]) == (
        "distrust",
        "2026-01-02",
        "2026-01-05",
    )
    assert answer["sentence"] == words_of("drift")["distrust"]
    [shift] = [own for own in answer["shifts"] if own["of"] == "plain_share"]
    assert (shift["level"], shift["n"]) == ("strongly_shifted", 400)


@pytest.mark.parametrize("days", ["0", "91", "x"])
def test_a_period_that_is_none_is_refused(client: TestClient, days: str) -> None:
    assert client.get("/v1/drift", params={"days": days}).status_code == 422


@pytest.fixture
def danvan(
    tmp_path: Path,
    tiny_artifact: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Danvan]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DANVAN_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.setenv("DANVAN_MODELS_FOLDER", str(tiny_artifact.parents[1]))
    monkeypatch.setenv("DANVAN_MODEL", "tiny")
    monkeypatch.setenv("COLUMNS", "100")
    with commanding(monkeypatch, capsys) as run:
        yield run


def test_the_console_says_it_in_a_sentence(danvan: Danvan) -> None:
    danvan("migrate")

    told = danvan("drift", "--days", "3")

    assert told.code == 0
    assert all(name in told.out for name in STYLE)
    assert words_of("drift")["too_few"] in told.out

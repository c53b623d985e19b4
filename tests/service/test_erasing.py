"""What is erased is erased from every table, from the index of words, and from the files themselves."""

import random
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from nlp.pipeline import Request
from nlp.readers import from_text
from service.auth import CONSOLE
from service.jobs.retention import erase_item
from service.store import tables
from service.store.dialect import open_engine, writing
from service.store.errors import NotFound
from service.store.intake import append_answers, ensure_run
from service.store.records import Traits
from service.store.retention import erase, wipe
from service.store.traits import Fresh, keep_traits
from service.store.views import read_item
from tests.service.flows import Scene, a_scene
from tests.service.rules import PACK, RulePipeline
from tests.service.shelf import NOON, RULES, Shelf, as_it_is

LENGTHS = (2, 9, 40, 150, 400)  # words of a text


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with a_scene(request, tmp_path, database=request.param) as scene:
        yield scene


@pytest.fixture
def file_scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """On SQLite, whose file can be looked into."""
    with a_scene(request, tmp_path, database="sqlite") as scene:
        yield scene


def mentions(scene: Scene, seq: int) -> dict[str, int]:
    """How many rows of each table are about an item."""
    found = {}
    with scene.engine.connect() as connection:
        for table in tables.metadata.tables.values():
            if "seq" in table.c:
                about = sa.select(sa.func.count()).where(table.c.seq == seq)
                found[table.name] = connection.execute(about).scalar_one()
        key = "seq" if connection.dialect.name == "postgresql" else "rowid"
        found["item_search"] = connection.exec_driver_sql(
            f"SELECT COUNT(*) FROM item_search WHERE {key} = {seq}"  # noqa: S608
        ).scalar_one()
    return found


def heard(seq: int) -> Fresh:
    """The traits of an item that no other one is like."""
    own = Traits("phản ánh", "normal", 2, 0.0, 0.0, (seq,), (("ward", "00004", 1),))
    return Fresh(seq, f"đường hỏng ở đâu đó {seq}", "demo", NOON.date(), own)


def drawn(seq: int) -> dict[str, object]:
    """A page as the table has it; opinions have none, but whatever there is must go."""
    return {"seq": seq, "number": 1, "width": 1, "height": 1, "webp": b"RIFF"}


def test_nothing_anywhere_is_about_an_erased_item_any_more(scene: Scene) -> None:
    shelf = Shelf(scene.engine)
    shelf.store("đường hỏng", "đường xấu")
    run_id = shelf.read_again(as_it_is)
    shelf.promote(run_id)
    shelf.say(1, "LV02")
    shelf.say(2, "LV02")
    gone, kept = (shelf.seq(number) for number in (1, 2))
    with writing(scene.engine) as connection:
        keep_traits(connection, [heard(seq) for seq in (gone, kept)])
        for seq in (gone, kept):
            connection.execute(tables.pictures.insert(), drawn(seq))
    before = mentions(scene, gone)
    assert 0 not in before.values()

    with writing(scene.engine) as connection:
        assert erase(connection, [gone]) == 1

    assert set(mentions(scene, gone).values()) == {0}
    assert mentions(scene, kept) == before


def test_an_item_that_is_gone_already_is_passed_over(scene: Scene) -> None:
    scene.keep("đường hỏng", "đường xấu")
    seqs = [scene.seq(1), scene.seq(2)]

    with writing(scene.engine) as connection:
        first = erase(connection, seqs[:1])
    with writing(scene.engine) as connection:
        second = erase(connection, seqs)

    assert (first, second) == (1, 1)


def test_what_is_said_of_an_item_while_it_is_erased_goes_too(scene: Scene) -> None:
    [item_id] = scene.keep("đường hỏng")
    seq = scene.seq(1)
    analysis = RulePipeline().analyze(Request(item_id, from_text("đường hỏng"), "opinion"))
    run_id = ensure_run(scene.engine, replace(RULES, model_version="2"), now=scene.now)

    def erase_it() -> None:
        with writing(scene.engine) as connection:
            erase(connection, [seq])

    eraser = threading.Thread(target=erase_it)
    with writing(scene.engine) as connection:
        append_answers(connection, {seq: analysis}, run_id=run_id, parents=PACK.parents)
        eraser.start()
    eraser.join()

    assert set(mentions(scene, seq).values()) == {0}


def test_nothing_is_said_of_an_item_that_was_erased_first(scene: Scene) -> None:
    [item_id] = scene.keep("đường hỏng")
    seq = scene.seq(1)
    analysis = RulePipeline().analyze(Request(item_id, from_text("đường hỏng"), "opinion"))
    run_id = ensure_run(scene.engine, replace(RULES, model_version="2"), now=scene.now)

    def say() -> None:
        with writing(scene.engine) as connection:
            append_answers(connection, {seq: analysis}, run_id=run_id, parents=PACK.parents)

    speaker = threading.Thread(target=say)
    with writing(scene.engine) as connection:
        erase(connection, [seq])
        speaker.start()
    speaker.join()

    assert set(mentions(scene, seq).values()) == {0}


def fill(scene: Scene, *, secret: str) -> None:
    """Texts of many lengths among each other; every third is of a source that is kept briefly."""
    brief = scene.source("brief", days=10)
    for n in range(120):
        filler = " ".join(f"từ{n}{k}" for k in range((n * 37) % 400))
        is_brief = n % 3 == 0
        scene.keep(
            f"CHỈ THỊ {filler} {secret if is_brief else 'giữ'} {filler}",
            source=brief if is_brief else "demo",
            intake="document",
        )


def traces(scene: Scene, *words: str) -> dict[str, int]:
    """How often each word stands in the bytes of the database and its log."""
    return {word: data(scene).count(word.encode()) for word in words}


def data(scene: Scene) -> bytes:
    """Everything in the files of the database."""
    file = Path(scene.engine.url.database or "")
    return b"".join(part.read_bytes() for part in sorted(file.parent.glob(f"{file.name}*")))


def test_no_byte_of_an_erased_text_is_left_in_the_files(file_scene: Scene) -> None:
    fill(file_scene, secret="bímậtxyz")
    assert min(traces(file_scene, "bímậtxyz", "bimatxyz").values()) > 0
    file_scene.pass_days(10)

    job = file_scene.carry_out("retention")

    assert job.result["erased"] == {"brief": 40}
    assert traces(file_scene, "bímậtxyz", "bimatxyz") == {"bímậtxyz": 0, "bimatxyz": 0}
    assert traces(file_scene, "giữ")["giữ"] >= 80


def test_no_copy_is_left_that_the_database_made_when_it_moved_rows(file_scene: Scene) -> None:
    dice = random.Random(0)  # noqa: S311 - with this one SQLite 3.40 leaves a copy, unless it writes anew
    live: list[int] = []
    erased: set[int] = set()
    for _ in range(40):
        words = [
            [f"t{dice.randrange(999)}" for _ in range(dice.choice(LENGTHS))] for _ in range(15)
        ]
        numbers = range(file_scene.n_items + 1, file_scene.n_items + 16)
        texts = (f"{' '.join(own)} mật{n:04}xyz" for n, own in zip(numbers, words, strict=True))
        file_scene.keep(*texts)
        live += numbers
        gone = dice.sample(live, dice.choice((1, 8, 20)) % len(live))
        with writing(file_scene.engine) as connection:
            erase(connection, [file_scene.seq(number) for number in gone])
        erased.update(gone)
        live = [number for number in live if number not in erased]

    wipe(file_scene.engine)

    left = {
        int(number) for number in re.findall(rb"m(?:\xe1\xba\xad|a)t(\d{4})xyz", data(file_scene))
    }
    assert left == set(live)


def test_the_index_of_words_forgets_an_erased_word(file_scene: Scene) -> None:
    file_scene.keep("chữ hiếmhoi", source=file_scene.source("brief", days=1))
    file_scene.keep("chữ thường")
    file_scene.pass_days(1)

    file_scene.carry_out("retention")

    with file_scene.engine.connect() as connection:
        connection.exec_driver_sql(
            "CREATE VIRTUAL TABLE temp.known USING fts5vocab(main, item_search, row)"
        )
        known = set(connection.exec_driver_sql("SELECT term FROM temp.known").scalars())
    assert known == {"chu", "thuong"}


def test_a_reader_who_takes_long_makes_the_job_fail_and_the_next_one_make_up_for_it(
    file_scene: Scene,
) -> None:
    fill(file_scene, secret="bímậtxyz")
    file_scene.pass_days(10)
    reader = open_engine(f"{file_scene.engine.url}").connect()
    reader.execute(sa.select(tables.items.c.seq).limit(1)).first()
    shorten_waiting(file_scene.engine)

    held = file_scene.carry_out("retention")
    left = traces(file_scene, "bímậtxyz")["bímậtxyz"]
    reader.close()
    reader.engine.dispose()
    file_scene.pass_days(1)
    following = file_scene.carry_out("retention")

    assert (held.state, left > 0) == ("failed", True)
    assert held.reason is not None
    assert "somebody reads the database for long" in held.reason
    assert (following.state, following.result["erased"]) == ("done", {})
    assert traces(file_scene, "bímậtxyz") == {"bímậtxyz": 0}


def shorten_waiting(engine: sa.Engine) -> None:
    """Wait a tenth of a second for others, not ten."""

    def shorten(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA busy_timeout=100")

    sa.event.listen(engine, "begin", shorten)
    with engine.connect() as connection:
        connection.execute(sa.select(1))


def test_an_item_is_erased_at_once_where_somebody_must(scene: Scene) -> None:
    gone, kept = scene.keep("đường hỏng", "đường xấu")

    erase_item(scene.engine, gone, by=CONSOLE, now=scene.now)

    assert scene.here() == [2]
    assert read_item(scene.engine, kept) is not None
    with scene.engine.connect() as connection:
        log = connection.execute(sa.select(tables.access_log)).mappings().all()
    assert [(row["actor"], row["action"], row["subject"]) for row in log] == [
        ("console", "item.erased", gone)
    ]


def test_erasing_what_is_not_there_changes_nothing(scene: Scene) -> None:
    with pytest.raises(NotFound):
        erase_item(scene.engine, "f" * 32, by=CONSOLE, now=scene.now)

    with scene.engine.connect() as connection:
        assert connection.scalar(sa.select(tables.access_log.c.id)) is None
        assert connection.scalar(sa.select(tables.jobs.c.id)) is None


def test_several_erased_items_are_wiped_out_together(scene: Scene) -> None:
    for item_id in scene.keep("đường hỏng", "đường xấu"):
        erase_item(scene.engine, item_id, by=CONSOLE, now=scene.now)

    with scene.engine.connect() as connection:
        assert connection.scalars(sa.select(tables.jobs.c.kind)).all() == ["wiping"]


def test_wiping_takes_traces_and_exports_that_may_hold_the_item(file_scene: Scene) -> None:
    fill(file_scene, secret="bímậtxyz")
    folder = file_scene.settings.exports_folder
    folder.mkdir()
    for name in ("a.csv", "b.xlsx", "c.jsonl", "d.csv.0011.part", "of-somebody.txt"):
        (folder / name).write_text("bímậtxyz")
    for number in file_scene.here()[::3]:
        erase_item(file_scene.engine, f"{number:032x}", by=CONSOLE, now=file_scene.now)

    job = file_scene.carry_out("wiping")

    assert job.result == {"exports": 4}
    assert [file.name for file in folder.iterdir()] == ["of-somebody.txt"]
    assert traces(file_scene, "bímậtxyz", "bimatxyz") == {"bímậtxyz": 0, "bimatxyz": 0}

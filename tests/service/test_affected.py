"""After a change of the taxonomy only the texts that it concerns are read again."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from nlp.taxonomy import load_packs
from service import reclassifying
from service.jobs import archive
from service.store import tables
from service.store.errors import Conflict
from service.store.query import Query
from service.store.runs import packs_of
from tests.conftest import ROOT
from tests.service.archive import BOTH, Model, Room, address_of, fresh_store
from tests.service.shelf import says_field

# LV03, LV02, both, a doubt, none of these, LV03
TEXTS = ("đường hỏng", "rác ở chợ", "đường, rác", "gì đó", "xin chào", "đường bẩn")
SPLIT = ("split", ["LV03"], ["LV31", "LV32"])
RENAME = ("rename", ["LV03"], ["LV30"])
MERGE = ("merge", ["LV02", "LV03"], ["LV23"])
Step = tuple[str, list[str], list[str]]


@pytest.fixture(params=BOTH)
def room(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Room]:
    monkeypatch.setattr(archive, "_STRETCH", 4)
    with fresh_store(address_of(request, tmp_path)) as engine:
        room = Room(engine)
        for text in TEXTS:
            room.bring(text)
        room.bring("CHỈ THỊ\nvề thủ tục hành chính", intake="document")
        yield room


Publish = Callable[..., None]


@pytest.fixture
def publish(room: Room, tmp_path: Path) -> Publish:
    """Put a later version of the pack beside the first, and a model `2` that was trained for it."""
    packs = tmp_path / "taxonomies"
    shutil.copytree(ROOT / "corpus" / "taxonomies" / "ct07", packs / "ct07")
    (packs / "ct07" / "views.toml").unlink()  # it names fields that the steps take away

    def publish(*steps: Step, name: str = "1.1.0", more: str = "", says: str = "LV05") -> None:
        newest = max(packs.iterdir(), key=lambda folder: folder.name)
        folder = packs / f"ct07-{name}"
        shutil.copytree(newest, folder)
        rewrite(folder / "pack.toml", lambda text: text.replace(version_of(text), name))
        before = version_of((newest / "pack.toml").read_text(encoding="utf-8"))
        with (folder / "migrations.toml").open("a", encoding="utf-8") as file:
            for kind, old, new in steps:
                file.write(
                    f'\n[[migration]]\nfrom_version = "{before}"\nto_version = "{name}"\n'
                    f'facet = "civic_field"\nkind = "{kind}"\nfrom = {old}\nto = {new}\n'
                )
        rewrite(folder / "civic_field.toml", lambda text: changed(text, steps) + more)
        found = load_packs(packs)
        room.packs = packs_of(found)
        newer = next(pack for pack in found if pack.version == name)
        room.models["2"] = Model(version="2", taxonomy=newer, change=says_field(says))

    return publish


def rewrite(file: Path, change: Callable[[str], str]) -> None:
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")


def version_of(pack: str) -> str:
    return pack.partition('version = "')[2].partition('"')[0]


def changed(facet: str, steps: tuple[Step, ...]) -> str:
    """The categories with what became of some of them."""
    head, *entries = facet.split("[[category]]")
    for _, old, new in steps:
        first = next(entry for entry in entries if f'"{old[0]}"' in entry)
        entries = [entry for entry in entries if not any(f'"{code}"' in entry for code in old)]
        entries += [first.replace(f'"{old[0]}"', f'"{code}"') for code in new]
    return "[[category]]".join([head, *entries])


NEW = '\n[[category]]\ncode = "LV50"\nname = "Mới"\ngloss = "New"\ndefinition = "Mới."\n'


def affected(room: Room, query: Query | None = None) -> list[int]:
    """The numbers of the texts that the model reads when it is asked for those."""
    job_id = room.read("2", query, affected=True)
    run = reclassifying.look(room.archive, job_id).run
    assert run is not None
    items, answers = tables.items.c, tables.answers.c
    found = sa.select(items.id).join(tables.answers, answers.seq == items.seq)
    with room.engine.connect() as connection:
        ids = connection.scalars(found.where(answers.run_id == run.id).order_by(items.seq))
        return [int(item_id, 16) for item_id in ids]


@pytest.mark.parametrize(
    ("step", "expected"), [(RENAME, [1, 3, 6]), (SPLIT, [1, 3, 6]), (MERGE, [1, 2, 3, 6])]
)
def test_texts_under_a_label_that_became_another_are_read_again(
    room: Room, publish: Publish, step: Step, expected: list[int]
) -> None:
    publish(step)

    assert affected(room) == expected


def test_a_label_with_another_meaning_is_read_again(room: Room, publish: Publish) -> None:
    publish()
    pack = room.models["2"].taxonomy
    facet = pack.facets["civic_field"]
    told = [
        replace(own, definition="Khác.") if own.code == "LV02" else own for own in facet.categories
    ]
    facets = {**pack.facets, "civic_field": replace(facet, categories=tuple(told))}
    pack = replace(pack, facets=facets)
    room.packs = {**room.packs, ("ct07", "1.1.0"): pack}

    assert affected(room) == [2, 3]


def test_what_a_new_label_might_fit_is_read_again(room: Room, publish: Publish) -> None:
    publish(more=NEW)

    assert affected(room) == [4, 5]


def test_a_change_that_concerns_no_text_is_told(room: Room, publish: Publish) -> None:
    publish()

    with pytest.raises(Conflict, match="no label has another meaning"):
        affected(room)


def test_steps_of_several_versions_add_up(room: Room, publish: Publish) -> None:
    publish(RENAME)
    publish(("rename", ["LV30"], ["LV40"]), ("rename", ["LV02"], ["LV20"]), name="1.2.0")

    assert affected(room) == [1, 2, 3, 6]


def test_it_goes_by_what_views_show_and_people_said(room: Room, publish: Publish) -> None:
    room.say(4, "LV03")
    room.say(1, "LV05")
    publish(RENAME)

    assert affected(room) == [3, 4, 6]


def test_it_goes_together_with_a_scope(room: Room, publish: Publish) -> None:
    publish(RENAME)

    assert affected(room, Query(text="hong")) == [1]


def test_promoted_it_changes_those_alone_and_rolled_back_none(room: Room, publish: Publish) -> None:
    publish(RENAME, says="LV30")
    room.say(2, "LV03")
    before = room.everything()
    job_id = room.read("2", affected=True)

    room.put_on_top(job_id)
    fields = [room.field_of(number) for number in range(1, 7)]
    room.take_back(job_id)

    assert fields == ["LV30", "LV30", "LV30", "abstain", "none_of_these", "LV30"]
    assert room.everything() == before


def test_afterwards_nothing_is_affected_any_more(room: Room, publish: Publish) -> None:
    publish(RENAME)
    room.put_on_top(room.read("2", affected=True))

    with pytest.raises(Conflict, match=r"of ct07 1\.1\.0 as well"):
        affected(room)


def test_the_way_back_to_the_older_version_is_the_same(room: Room, publish: Publish) -> None:
    publish(RENAME, says="LV30")
    room.put_on_top(room.read("2", affected=True))
    room.models["2"] = Model(version="2b")

    job_id = reclassifying.start(
        room.archive, reclassifying.Wish("rules@2b", Query(), "staff:an", affected=True)
    ).job.id

    scope = reclassifying.look(room.archive, job_id).job.params["scope"]
    codes = {one["code"] for one in scope["any_of"] if one["facet"] == "civic_field"}
    assert codes == {"LV30", "abstain", "none_of_these"}  # LV03 is new to the texts

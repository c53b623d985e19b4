"""What is written one way is found when it is asked for another way, and no question is an error."""

import unicodedata
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from service.store.dialect import writing
from service.store.intake import Source, register_source
from service.store.query import LabelFilter, Query
from service.store.retention import erase
from service.store.search import INDEXED_CHARS, index_texts, matching, words_of
from service.store.views import list_items
from tests.service.archive import BOTH, Room, address_of, another_database, fresh_store
from tests.service.shelf import NOON

LAND = "Tranh chấp đất đai ở thôn Đoài, theo Chỉ thị 07-CT/TU"
ROAD = "Đường hỏng, đất đá rơi ngay đường đai"


@pytest.fixture(params=BOTH)
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Room]:
    with fresh_store(address_of(request, tmp_path)) as engine:
        yield Room(engine)


@pytest.fixture(scope="module", params=BOTH)
def small(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[sa.Engine]:
    """A store for many questions, beside that of the tests which need one of their own."""
    url = address_of(request, tmp_path_factory.mktemp("search"))
    if request.param == "postgresql":
        url = another_database(url, "search")
    with fresh_store(url) as engine:
        room = Room(engine)
        for text in (LAND, ROAD):
            room.bring(text)
        yield engine


def ask(engine: sa.Engine, asked: str) -> list[int]:
    return [int(item.id, 16) for item in list_items(engine, Query(text=asked)).items]


def is_hit(connection: sa.Connection, asked: str, *, seq: int) -> bool:
    found = matching(connection, asked)
    assert found is not None
    return seq in connection.scalars(sa.select(found[1]).select_from(found[0])).all()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("dat dai", [2, 1]),
        ("Đất đai", [2, 1]),
        (unicodedata.normalize("NFD", "Đất đai"), [2, 1]),
        ("ĐẤT ĐAI", [2, 1]),
        ("đai đất", [2, 1]),
        ("đất-đai", [1]),
        ("ĐẤT_ĐAI", [1]),
        ('"dat dai"', [1]),
        (unicodedata.normalize("NFD", '"đất đai"'), [1]),
        ('"dai dat"', []),
        ('"dat dai" thon', [1]),
        ('thon"dat dai"', [1]),
        ("07-CT/TU", [1]),
        ("07-ct/tư", [1]),
        ("CT-07/TU", []),
        ("07 TU", [1]),
        ("dat da", [2]),
        ("da", [2]),
        ("dat khong", []),
        ("d", []),
        ("dai dai dai", [2, 1]),
    ],
)
def test_words_are_found_however_they_are_written(
    small: sa.Engine, asked: str, found: list[int]
) -> None:
    assert ask(small, asked) == found


@pytest.mark.parametrize(
    "nothing", ["", " ", '"', '""', '" "', "!?", "-", "( * )", "&|:", "''", "\x00"]
)
def test_a_question_without_words_finds_nothing(small: sa.Engine, nothing: str) -> None:
    assert ask(small, nothing) == []


@pytest.mark.parametrize(
    "asked",
    [
        "dat* dai",
        "dat' 'dai",
        '"dat dai',
        "dat: dai",
        "words:dat dai",
        "dat & dai",
        "dat | dai",
        "!dat dai",
        "(dat dai",
        "dat) dai",
        "dat <-> dai",
        "dat + dai^2",
        "{dat dai}",
        "dat \\ dai",
        "dat dai;--",
        "%dat_ dai%",
    ],
)
def test_signs_of_a_query_language_are_nothing(small: sa.Engine, asked: str) -> None:
    words = [word for word in ("words", "2") if word in asked]

    assert ask(small, asked) == ([] if words else [2, 1])


@pytest.mark.parametrize("word", ["AND", "OR", "NOT", "NEAR"])
def test_operators_are_words(small: sa.Engine, word: str) -> None:
    assert ask(small, f"dat {word} dai") == []
    assert ask(small, word) == []


@given(st.text(max_size=30))
@example("NOT")
@example("\ud800")
@example("½ dat")
@example("dat NEAR(dai, 2)")
@example("'" * 9)
@tries(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_question_is_an_error(small: sa.Engine, asked: str) -> None:
    ask(small, asked)


@given(st.text(alphabet="dat \"-&|!*():'<>\\%_ĐẤ", max_size=20))
@tries(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_mixture_of_signs_and_words_is_an_error(small: sa.Engine, asked: str) -> None:
    ask(small, asked)


@given(st.lists(st.sampled_from(["đất", "ĐAI", "thôn", "07", "x", "1e5", "½"]), max_size=8))
@tries(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_text_is_found_by_each_of_its_words_and_by_all_in_a_row(
    small: sa.Engine, words: list[str]
) -> None:
    text = " ".join(["đầu", *words])
    with small.connect() as connection:  # nothing of it is kept
        index_texts(connection, [(7, text)])

        assert is_hit(connection, " ".join(reversed(text.split())), seq=7)
        assert is_hit(connection, f'"{text}"', seq=7)
        assert not is_hit(connection, f'"{text} hết"', seq=7)


def test_words_that_follow_each_other_are_found_at_the_end_of_a_long_text(room: Room) -> None:
    room.bring(" ".join(f"dân vận {n}" for n in range(9_000)) + " vận dân khéo")

    assert ask(room.engine, '"van dan kheo"') == [1]
    assert ask(room.engine, '"8999 van dan"') == [1]
    assert ask(room.engine, '"dan van kheo"') == []


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(chr(0x4E00 + n % 20_000) * 3 + chr(0x4E00 + n // 20_000) for n in range(120_000)),
        "ж" * 600_000,
        "a" * 600_000,
    ],
    ids=["many words of another script", "one word of another script", "one word"],
)
def test_a_text_that_is_too_much_for_an_index_can_be_kept(room: Room, text: str) -> None:
    room.bring(f"đầu {text}")

    assert ask(room.engine, "dau") == [1]


def test_what_stands_behind_the_indexed_part_is_not_found(room: Room) -> None:
    room.bring("a " * (INDEXED_CHARS // 2) + "cuối")

    assert ask(room.engine, "cuoi") == []


def test_an_erased_item_is_not_found(room: Room) -> None:
    for text in (LAND, LAND):
        room.bring(text)
    with writing(room.engine) as connection:
        erase(connection, [room.seq(1)])

    assert ask(room.engine, "dat dai") == [2]


def test_pages_of_a_search_follow_each_other_without_gap_or_repeat(room: Room) -> None:
    for number in range(1, 12):
        room.bring(LAND if number % 2 else ROAD)
    room.bring("đất")

    seen: list[int] = []
    query = Query(text="đất đai thôn", limit=2)
    while True:
        page = list_items(room.engine, query)
        seen += [int(item.id, 16) for item in page.items]
        if page.next_cursor is None:
            break
        room.bring(LAND)  # what comes in meanwhile is on no later page
        query = Query(text="đất đai thôn", limit=2, cursor=page.next_cursor)

    assert seen == [11, 9, 7, 5, 3, 1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(text="dat"), [5, 4, 3, 2, 1]),
        (Query(text="dat", intake="document"), [3]),
        (Query(text="dat", kind="opinion"), [5, 4, 2, 1]),
        (Query(text="dat", source="other"), [5]),
        (Query(text="dat", labels=(LabelFilter("civic_field", "LV03"),)), [4, 2]),
        (Query(text="dat", labels=(LabelFilter("civic_field", "labelled"),)), [4, 2]),
        (Query(text="dat", labels=(LabelFilter("civic_field", "abstain"),)), [5, 1]),
        (Query(text='"dat dai"', source="demo", kind="opinion"), [1]),
        (
            Query(
                text="dat",
                labels=(LabelFilter("civic_field", "LV03"), LabelFilter("sentiment", "negative")),
            ),
            [4, 2],
        ),
        (Query(text="dat", received_from=NOON + timedelta(hours=4)), [5, 4]),
        (Query(text="dat", received_to=NOON + timedelta(hours=4)), [3, 2, 1]),
        (Query(text="dat", ids=(f"{2:032x}", f"{6:032x}")), [2]),
        (Query(text="dat", any_of=(LabelFilter("task_area", "DV3.5"),)), [3]),
    ],
)
def test_a_search_goes_together_with_every_filter(
    room: Room, query: Query, found: list[int]
) -> None:
    register_source(room.engine, Source("other", "other", "none", 30))
    room.bring(LAND)
    room.bring(ROAD)
    room.bring(f"CHỈ THỊ\nvề thủ tục hành chính {LAND}", intake="document")
    room.bring(ROAD)
    room.bring(LAND, source="other")
    room.bring("rác")

    assert room.numbers(query) == found


@pytest.mark.parametrize("text", [None, "dat"])
def test_a_clock_set_back_hides_nothing(room: Room, text: str | None) -> None:
    for hours in (10, 11, 2, 3, 12):
        room.bring(LAND, after_h=hours)
    early, late = (NOON + timedelta(hours=h) for h in (2, 4))

    assert room.numbers(Query(text=text, received_from=early, received_to=late)) == [4, 3]
    assert room.numbers(Query(text=text, received_from=late)) == [5, 2, 1]
    assert room.numbers(Query(text=text, received_to=early)) == []


def test_the_words_of_a_text_are_its_letters_and_digits() -> None:
    assert words_of("Đất-đai, số 07/2021! ﬁ") == "dat dai so 07 2021 ﬁ"
    assert words_of(" -- ") == ""

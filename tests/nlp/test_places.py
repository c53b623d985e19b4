import csv
import json
import re
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from shutil import copytree

import pytest

from nlp.errors import CorpusError
from nlp.gazetteer import joined
from nlp.places import Gazetteer, find_mentions, load_gazetteer
from nlp.text import fold, normalise
from tests.benchmarks.places import HALVES, load_labelled, measure

REGISTERS = Path(__file__).parents[2] / "corpus" / "registers"
Named = Callable[[str], list[tuple[str, list[str]]]]


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return load_gazetteer(REGISTERS)


@pytest.fixture
def named(gazetteer: Gazetteer) -> Named:
    """What a text names: each stretch, and its codes by their names."""

    def read(text: str) -> list[tuple[str, list[str]]]:
        return [
            (text[m.span.start : m.span.end], [gazetteer.name_of(m.kind, c) for c in m.codes])
            for m in find_mentions(text, gazetteer=gazetteer)
        ]

    return read


@pytest.mark.parametrize(
    ("text", "stretch", "name"),
    [
        ("Rác ở phường Tân Định chưa ai gom", "phường Tân Định", "Phường Tân Định"),
        ("rac o phuong tan dinh chua ai gom", "phuong tan dinh", "Phường Tân Định"),
        ("p.tân định mất nước", "p.tân định", "Phường Tân Định"),
        ("PHƯỜNG TÂN ĐỊNH MẤT NƯỚC", "PHƯỜNG TÂN ĐỊNH", "Phường Tân Định"),
        ("tp hn kẹt xe", "tp hn", "Thành phố Hà Nội"),
        ("HN kẹt xe", "HN", "Thành phố Hà Nội"),
        ("tphcm kẹt xe", "tphcm", "Thành phố Hồ Chí Minh"),
        ("TP.HCM kẹt xe", "TP.HCM", "Thành phố Hồ Chí Minh"),
        ("sài gòn mưa", "sài gòn", "Thành phố Hồ Chí Minh"),
        ("xã Ea H’Leo mất điện", "xã Ea H’Leo", "Xã Ea H'Leo"),
        ("phường Hoà Xuân sạch", "phường Hoà Xuân", "Phường Hòa Xuân"),
        ("phường Hòa Xuân sạch", "phường Hòa Xuân", "Phường Hòa Xuân"),
        ("Xã Đất Đỏ có cầu mới", "Xã Đất Đỏ", "Xã Đất Đỏ"),
    ],
)
def test_finds_names_as_people_write_them(named: Named, text: str, stretch: str, name: str) -> None:
    assert named(text) == [(stretch, [name])]


@pytest.mark.parametrize(
    ("text", "today"),
    [
        ("Dân Hà Nam cũ hỏi", "Tỉnh Ninh Bình"),
        ("tỉnh Bình Dương", "Thành phố Hồ Chí Minh"),
        ("Phường 12, Quận 10", "Phường Hòa Hưng"),
        ("phường Hàng Bạc", "Phường Hoàn Kiếm"),
    ],
)
def test_gives_what_stood_before_the_reform_as_of_today(
    named: Named, text: str, today: str
) -> None:
    assert {tuple(names) for _, names in named(text)} == {(today,)}


def test_gives_every_successor_of_a_divided_ward(named: Named) -> None:
    assert named("phường Láng Hạ") == [
        ("phường Láng Hạ", ["Phường Giảng Võ", "Phường Láng", "Phường Đống Đa"])
    ]


def test_keeps_every_ward_that_an_ambiguous_name_may_mean(named: Named) -> None:
    ((_, names),) = named("xã Tân Tiến")

    assert len(names) > 3
    assert set(names) <= {"Xã Tân Tiến", "Phường Tân Tiến"}


@pytest.mark.parametrize(
    ("text", "ward"),
    [
        ("xã Hòa Bình, tỉnh Vĩnh Long", "Xã Hòa Bình"),
        ("phường Trung Tâm, Nghĩa Lộ", "Phường Trung Tâm"),
        ("Ở Thủ Đức, nhất là phường Cát Lái, xe tải nhiều", "Phường Cát Lái"),
        ("Vĩnh Phúc, Ba Đình, Hà Nội", "Phường Ngọc Hà"),
    ],
)
def test_narrows_a_name_by_the_place_around_it(named: Named, text: str, ward: str) -> None:
    assert [ward] in [names for _, names in named(text)]


def test_reads_a_name_that_moved_by_its_former_district(named: Named) -> None:
    ((_, today),) = named("phường An Phú")
    former, district = named("phường An Phú, Thủ Đức")

    assert set(today) == {"Phường An Phú"}
    assert former[1] == district[1] == ["Phường An Khánh", "Phường Bình Trưng"]


def test_reads_a_name_as_of_before_where_the_text_says_so(named: Named) -> None:
    ((_, now),) = named("phường Hai Bà Trưng")
    ((_, before),) = named("tỉnh Hà Nam cũ")

    assert now == ["Phường Hai Bà Trưng"]
    assert before == ["Tỉnh Ninh Bình"]


@pytest.mark.parametrize(
    "text",
    [
        "đường Tân Bình ngập",
        "Đường Tân Bình ngập",
        "Hòa bình là quý",
        "anh Hòa Bình nói đúng",
        "Nguyễn Thái Bình là tên phố",
        "Thái Bình Dương có bão",
        "tuổi thanh xuân của tôi",
        "cao tốc Hà Nội - Hải Phòng kẹt cứng",
        "xã hội bây giờ khác rồi",
        "gia lai tang, luong khong tang",
        "cứ 8h lại mở nhạc",
        "một cửa hàng bán thuốc",
        "đóng bảo hiểm xã hội hai mươi năm",
        "Bộ đồ này đẹp",
        "Họp ở phường về nhà mệt",
        "",
    ],
)
def test_leaves_streets_persons_and_common_words_alone(named: Named, text: str) -> None:
    assert named(text) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("công an phường", ["Công an cấp xã"]),
        ("ca p.", ["Công an cấp xã"]),
        ("công an quận", ["Công an cấp tỉnh", "Công an cấp xã"]),
        ("UBND xã", ["Ủy ban nhân dân cấp xã"]),
        ("Ban Dân vận", ["Ban Tuyên giáo và Dân vận"]),
        ("Ban Tuyên giáo", ["Ban Tuyên giáo và Dân vận"]),
        ("Huyện ủy", ["Đảng ủy"]),
        ("Sở TN&MT", ["Sở Nông nghiệp và Môi trường"]),
        ("Bộ Giao thông vận tải", ["Bộ Xây dựng"]),
        ("cty cấp nước", ["Đơn vị cấp nước"]),
        ("urenco", ["Đơn vị vệ sinh môi trường"]),
        ("evn", ["Điện lực"]),
        ("lên BHXH", ["Bảo hiểm xã hội"]),
        ("tổ dân phố", ["Tổ dân phố, thôn"]),
    ],
)
def test_names_bodies_by_those_that_serve_today(named: Named, text: str, names: list[str]) -> None:
    assert [found for _, found in named(f"Tôi hỏi {text} rồi")] == [names]


def test_a_body_and_its_place_may_share_a_word(named: Named) -> None:
    assert named("công an phường Tân Định") == [
        ("công an phường", ["Công an cấp xã"]),
        ("phường Tân Định", ["Phường Tân Định"]),
    ]


def test_tells_the_province_of_a_ward(gazetteer: Gazetteer) -> None:
    assert gazetteer.province_of("00004") == "01"
    assert gazetteer.name_of("province", "01") == "Thành phố Hà Nội"


def test_the_register_has_all_units_of_today(gazetteer: Gazetteer) -> None:
    kinds = [kind for kind, _ in gazetteer.names]

    assert (kinds.count("province"), kinds.count("ward")) == (34, 3321)
    assert all(code in dict.fromkeys(gazetteer.provinces.values()) for code in ("01", "79", "96"))


def test_the_former_register_agrees_with_its_source(gazetteer: Gazetteer) -> None:
    ours = {(*map(normalise, row[:3]),): row[3].split() for row in _former()}

    wrong = [
        row
        for row in _source()
        if row[3] not in {_bare(gazetteer.name_of("ward", code)) for code in ours[row[:3]]}
    ]

    assert len(ours) > 10_000
    assert wrong == []


def _bare(name: str) -> str:
    """A name without its kind: communes of Đồng Nai have become wards since."""
    return re.sub(r"^(?:phường|xã|đặc khu) |\W", "", normalise(name))


def _former() -> Iterator[list[str]]:
    with (REGISTERS / "former_wards.tsv").open(encoding="utf-8", newline="") as file:
        yield from list(csv.reader(file, delimiter="\t"))[1:]


def _source() -> Iterator[tuple[str, str, str, str]]:
    found = find_spec("underthesea")
    assert found is not None
    assert found.submodule_search_locations
    path = Path(found.submodule_search_locations[0]) / "address" / "data" / "mapping.json"
    for row in json.loads(path.read_text(encoding="utf-8"))["ward_mapping"]:
        province = normalise(row["old_province"]).removeprefix("tỉnh ").removeprefix("thành phố ")
        if row["new_ward"]:  # the source lost the names of some
            district, old, new = (
                normalise(row[key]).strip() for key in ("old_district", "old_ward", "new_ward")
            )
            yield province, district, old, _bare(new)


def test_every_name_is_found_in_full_by_itself(gazetteer: Gazetteer) -> None:
    missed = [
        name
        for (kind, code), name in gazetteer.names.items()
        if kind == "ward"
        and not any(code in m.codes for m in find_mentions(f"Ở {name}.", gazetteer=gazetteer))
    ]

    assert missed == []


def test_refuses_a_register_that_leads_nowhere(tmp_path: Path) -> None:
    folder = copytree(REGISTERS, tmp_path / "registers")
    with (folder / "former_wards.tsv").open("a", encoding="utf-8") as file:
        file.write("Hà Nội\tQuận Ba Đình\tPhường Lạc\t99999\n")

    with pytest.raises(CorpusError, match="99999"):
        load_gazetteer(folder)


def test_refuses_a_body_with_an_unknown_successor(tmp_path: Path) -> None:
    folder = copytree(REGISTERS, tmp_path / "registers")
    with (folder / "bodies.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[body]]\nname = "Ban Lạc"\nsuccessors = ["Ban Không Có"]\n')

    with pytest.raises(CorpusError, match="Ban Lạc"):
        load_gazetteer(folder)


def test_spans_lie_within_any_text(gazetteer: Gazetteer) -> None:
    text = "P. Q.1 tp ... phường, xã 0 (cũ) TP.HCM – quận 00 Huế’ \n xã"

    spans = [mention.span for mention in find_mentions(text, gazetteer=gazetteer)]

    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert spans == sorted(spans)


@pytest.mark.parametrize(("half", "share"), [("development", 0.95), ("held_out", 0.9)])
def test_finds_what_readers_find(gazetteer: Gazetteer, half: str, share: float) -> None:
    assert half in HALVES

    tallies, _ = measure(load_labelled(half, gazetteer=gazetteer), gazetteer=gazetteer)

    assert tallies["all"].right >= share * tallies["all"].found
    assert tallies["all"].right >= share * tallies["all"].gold


def test_labelled_texts_are_normal_and_differ() -> None:
    rows = [
        json.loads(line)
        for half in HALVES
        for line in (REGISTERS.parent / "labelled" / "places" / f"{half}.jsonl")
        .read_text(encoding="utf-8")
        .splitlines()
    ]

    assert len({row["text"] for row in rows}) == len(rows) >= 150
    assert all(joined(row["text"]) and fold(row["text"]) for row in rows)


def test_reads_long_texts_in_time_that_grows_with_length(gazetteer: Gazetteer) -> None:
    text = "phường Tân Phú, quận 7, Hồ Chí Minh và xã Tân Tiến; " * 2_000

    start = time.process_time()
    find_mentions(text, gazetteer=gazetteer)

    assert time.process_time() - start < 10

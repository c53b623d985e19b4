"""What a report holds, and that each of its files tells the same and no more."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import docx
import openpyxl
import pytest
import sqlalchemy as sa
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from matplotlib import font_manager
from matplotlib.font_manager import FontProperties
from PIL import ImageFont

from nlp.gazetteer import load_gazetteer
from nlp.readers import read_file
from nlp.structure import load_registers, read_structure
from service.messages import say
from service.monitor.figures import Range, Share
from service.monitor.periods import Period
from service.monitor.told import Figure
from service.reports.asked import PARTS, Asked, Unclear, find_code, find_days, full_name
from service.reports.charts import draw
from service.reports.compose import make_report
from service.reports.facts import Ground
from service.reports.files import Ending, file_name, write_file
from service.reports.letterhead import Letterhead, read_letterhead
from service.reports.report import (
    Chart,
    Report,
    Reposts,
    Section,
    Table,
    compare,
    compare_counts,
    name_of_days,
    show_share,
)
from service.store.alerts import acknowledge_alert, add_alert
from service.store.dialect import writing
from service.store.origins import count_origins
from service.store.query import LabelFilter, Query
from service.store.typical import find_typical
from tests.conftest import ROOT
from tests.service.archive import fresh_store
from tests.service.heard import Heard, add_traits, keep
from tests.service.rules import PACK
from tests.service.shelf import Shelf, says_field
from tests.service.test_alerts_api import ALERT

REGISTERS = ROOT / "corpus" / "registers"
GAZETTEER = load_gazetteer(REGISTERS)
NOW = datetime(2026, 2, 10, 3, tzinfo=UTC)
TODAY = date(2026, 2, 10)
JANUARY, DECEMBER = date(2026, 1, 1), date(2025, 12, 1)
WARD = ("ward", "00004")
STATE = Letterhead(
    form="state",
    upper="Ủy ban nhân dân thành phố Hà Nội",
    body="Sở Nội vụ",
    symbol="SNV",
    number="128",
    place="Hà Nội",
    dated=date(2026, 2, 5),
    signer="KT. Giám đốc / Phó Giám đốc",
)
PARTY = replace(
    STATE,
    form="party",
    upper="Thành ủy Hà Nội",
    body="Ban Tuyên giáo và Dân vận",
    symbol="BTGDVTU",
    signer="Trưởng ban",
)


def ground_of(engine: sa.Engine) -> Ground:
    return Ground(engine=engine, taxonomy=PACK, places=GAZETTEER, k=10, now=NOW)


def asked_for(**changes: Any) -> Asked:
    period, before = find_days("last_month", today=TODAY)
    return replace(Asked("last_month", period, before, {}, PARTS), **changes)


def hear(engine: sa.Engine) -> sa.Engine:
    """Roads rise from December to January, schools fall, rubbish is too little to be told."""
    kinds = [
        (40, Heard(day=DECEMBER, fields=("LV03",))),
        (160, Heard(day=DECEMBER, fields=("LV05",), sentiment="positive")),
        (160, Heard(day=JANUARY, fields=("LV03",), areas=("DV3.5",), places=(WARD,))),
        (40, Heard(day=JANUARY, fields=("LV05",), sentiment="positive")),
        (7, Heard(day=JANUARY, fields=("LV02",))),
        (12, Heard(day=JANUARY + timedelta(days=9), fields=("LV03",), again_of=201)),
    ]
    keep(engine, [kind for n, kind in kinds for _ in range(n)])
    return engine


@pytest.fixture
def heard(engine: sa.Engine) -> sa.Engine:
    return hear(engine)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    """A report to be written; what counts is tested on both databases, what writes on one."""
    with fresh_store(f"sqlite:///{tmp_path_factory.mktemp('reports')}/store.db") as engine:
        yield make_report(ground_of(hear(engine)), asked_for())


@pytest.fixture
def report(heard: sa.Engine) -> Report:
    return make_report(ground_of(heard), asked_for())


def section_of(report: Report, name: str) -> Section:
    [section] = [own for own in report.sections if own.name == name]
    return section


def table_of(report: Report, sheet: str) -> Table:
    title = say(f"reports.sheet_{sheet}")
    [table] = [own for part in report.sections for own in part.tables if own.sheet == title]
    return table


def figures_of(report: Report) -> Iterator[Figure]:
    for section in report.sections:
        for table in section.tables:
            for row in table.rows:
                yield from (cell for cell in row.cells if isinstance(cell, Figure))


@pytest.mark.parametrize(
    ("stretch", "period", "before"),
    [
        ("last_month", ("2026-01-01", "2026-02-01"), ("2025-12-01", "2026-01-01")),
        ("this_month", ("2026-02-01", "2026-02-11"), ("2026-01-01", "2026-01-11")),
        ("last_week", ("2026-02-02", "2026-02-09"), ("2026-01-26", "2026-02-02")),
        ("this_week", ("2026-02-09", "2026-02-11"), ("2026-02-02", "2026-02-04")),
        ("last_quarter", ("2025-10-01", "2026-01-01"), ("2025-07-01", "2025-10-01")),
        ("this_quarter", ("2026-01-01", "2026-02-11"), ("2025-10-01", "2025-11-11")),
    ],
)
def test_a_stretch_is_compared_with_as_much_of_the_one_before(
    stretch: Any, period: tuple[str, str], before: tuple[str, str]
) -> None:
    found = find_days(stretch, today=TODAY)

    assert [(str(one.day_from), str(one.day_to)) for one in found] == [period, before]


@pytest.mark.parametrize(
    ("stretch", "today", "name"),
    [
        ("last_month", date(2026, 1, 5), "tháng 12 năm 2025"),
        ("last_quarter", date(2026, 1, 5), "quý IV năm 2025"),
        ("last_quarter", date(2026, 4, 1), "quý I năm 2026"),
        ("this_month", TODAY, "tháng 2 năm 2026 (từ ngày 01/02/2026 đến hết ngày 10/02/2026)"),
        (
            "last_week",
            date(2026, 1, 5),
            "tuần 1 năm 2026 (từ ngày 29/12/2025 đến hết ngày 04/01/2026)",
        ),
    ],
)
def test_a_stretch_is_called_as_people_do(stretch: Any, today: date, name: str) -> None:
    assert name_of_days(Asked(stretch, *find_days(stretch, today=today))) == name


def test_what_is_compared_never_reaches_into_the_period() -> None:
    period, before = find_days("this_month", today=date(2026, 3, 31))

    assert (before.day_from, before.day_to) == (date(2026, 2, 1), date(2026, 3, 1))
    assert before.day_to <= period.day_from


def test_given_days_belong_to_the_period_both() -> None:
    found = find_days("days", today=TODAY, first=date(2026, 1, 5), last=date(2026, 1, 11))

    assert found == (
        Period(date(2026, 1, 5), date(2026, 1, 12)),
        Period(date(2025, 12, 29), date(2026, 1, 5)),
    )


@pytest.mark.parametrize(
    ("first", "last", "reason", "place"),
    [
        (None, TODAY, "days_missing", "from"),
        (TODAY, TODAY - timedelta(days=1), "days_reversed", "to"),
        (date(2000, 1, 1), TODAY, "days_too_many", "from"),
        (date(1, 1, 2), date(1, 1, 9), "days_too_many", "from"),
        (date.max, date.max, "days_too_many", "from"),
    ],
)
def test_days_that_are_no_period_are_told_with_their_field(
    first: date | None, last: date, reason: str, place: str
) -> None:
    with pytest.raises(Unclear) as refused:
        find_days("days", today=TODAY, first=first, last=last)

    assert (refused.value.reason, refused.value.place) == (reason, place)
    assert say(f"reports.{reason}")


@pytest.mark.parametrize(
    "text",
    [
        "00004",
        "Phường Ba Đình, Hà Nội",
        "phuong ba dinh ha noi",
        "PHƯỜNG BA ĐÌNH",
        "P. Ba Đình",
        "p.ba đình",
        "P Ba Đình, Hà Nội",
        "ba dinh, ha noi",
    ],
)
def test_a_ward_is_found_by_code_or_name(text: str) -> None:
    assert find_code(text, "ward", places=GAZETTEER) == "00004"


@pytest.mark.parametrize(
    ("text", "code"), [("P. Tây Hồ", "00103"), ("X. Tây Hồ", "20380"), ("Ngọc Hà, Hà Nội", "00008")]
)
def test_a_ward_is_found_without_all_of_its_name_where_it_can_be_no_other(
    text: str, code: str
) -> None:
    assert find_code(text, "ward", places=GAZETTEER) == code


def test_of_several_wards_of_a_name_the_one_that_opinions_name_is_meant() -> None:
    with pytest.raises(Unclear) as refused:
        find_code("Tây Hồ", "ward", places=GAZETTEER)

    assert refused.value.values["names"] == "Phường Tây Hồ, Hà Nội; Xã Tây Hồ, Đà Nẵng"
    assert find_code("Tây Hồ", "ward", places=GAZETTEER, known=["00004", "00103"]) == "00103"


def test_of_many_wards_of_a_name_three_are_told_those_of_known_provinces_first() -> None:
    with pytest.raises(Unclear) as refused:
        find_code("Tân Tiến", "ward", places=GAZETTEER, known=["20380", "24211"])

    names = refused.value.values["names"].split("; ")
    known = {GAZETTEER.province_of(code) for code in ("20380", "24211")}
    assert len(names) == 3
    first = find_code(names[0], "ward", places=GAZETTEER)
    assert GAZETTEER.province_of(first) in known


def test_what_is_called_almost_so_is_told_of_an_unknown_name() -> None:
    with pytest.raises(Unclear) as refused:
        find_code("P. Tây Hồn, Ha Noii", "ward", places=GAZETTEER)

    names = refused.value.values["names"].split("; ")
    assert names[0] == "Phường Tây Hồ, Hà Nội"
    assert len(names) <= 3


def test_a_name_of_several_wards_asks_for_the_province() -> None:
    with pytest.raises(Unclear) as refused:
        find_code("Xã Tân Tiến", "ward", places=GAZETTEER)

    assert refused.value.reason == "place_ambiguous"
    some = refused.value.values["names"].split("; ")[0]
    assert full_name("ward", find_code(some, "ward", places=GAZETTEER), places=GAZETTEER) == some


def test_an_unknown_place_is_told() -> None:
    with pytest.raises(Unclear) as refused:
        find_code("Phường Không Có", "ward", places=GAZETTEER)

    assert (refused.value.reason, refused.value.place) == ("place_unknown", "ward")


@pytest.mark.parametrize(
    ("now", "before", "change"),
    [
        (Share(0.5, 0.4, 0.6), Share(0.2, 0.1, 0.3), "rise"),
        (Share(0.2, 0.1, 0.3), Share(0.5, 0.4, 0.6), "fall"),
        (Share(0.35, 0.25, 0.45), Share(0.2, 0.1, 0.3), "unclear"),
        (None, Share(0.2, 0.1, 0.3), "unknown"),
    ],
)
def test_a_change_is_told_where_intervals_lie_apart(
    now: Share | None, before: Share, change: str
) -> None:
    assert compare(now, before) == change


def test_counts_are_compared_by_the_day() -> None:
    days = (Period(JANUARY, date(2026, 2, 1)), Period(date(2025, 12, 30), JANUARY))
    asked = Asked("days", *days)
    figures = [Figure(n, suppressed=False, interval=Range(n - 20, n + 20)) for n in (310, 20)]

    assert compare_counts(*figures, asked=asked) == "unclear"  # 10 a day, both


def test_a_report_of_one_field_does_not_tell_what_it_was_asked_for(heard: sa.Engine) -> None:
    report = make_report(ground_of(heard), asked_for(filters={"civic_field": "LV03"}))

    section = section_of(report, "fields")
    assert section.says[0].startswith("Cảm xúc chung")
    assert [table.rest for table in section.tables if "dưới 10 ý kiến:" in table.rest] == []


def test_a_report_of_one_field_tells_what_else_its_opinions_are_about(engine: sa.Engine) -> None:
    keep(engine, [Heard(day=JANUARY, fields=("LV03", "LV05"))] * 20)

    report = make_report(ground_of(engine), asked_for(filters={"civic_field": "LV03"}))

    said = section_of(report, "fields").says[0]
    assert said == "Cũng nói đến: Giáo dục, đào tạo (khoảng 20 ý kiến, 100%)."
    assert table_of(report, "civic_field").rest == ""


def test_a_report_of_one_area_or_source_names_no_others_as_few(heard: sa.Engine) -> None:
    asked = asked_for(filters={"task_area": "DV3.5", "source": "demo"})

    report = make_report(ground_of(heard), asked)

    assert section_of(report, "areas").says == ()
    assert table_of(report, "task_area").rest == table_of(report, "source").rest == ""


def test_what_is_narrowed_to_few_a_day_is_drawn_by_the_week(engine: sa.Engine) -> None:
    keep(engine, [Heard(day=JANUARY + timedelta(days=n % 31), fields=("LV03",)) for n in range(93)])

    narrowed = make_report(ground_of(engine), asked_for(filters={"civic_field": "LV03"}))

    [chart] = section_of(narrowed, "received").charts
    assert chart.title == "Số ý kiến mỗi tuần đủ bảy ngày"
    assert all(chart.bars[0].counts)


def test_what_is_narrowed_to_few_a_week_is_not_drawn(heard: sa.Engine) -> None:
    narrowed = make_report(ground_of(heard), asked_for(filters={"civic_field": "LV05"}))

    assert section_of(narrowed, "received").charts == ()


def test_the_name_of_a_file_tells_what_its_report_is_narrowed_to(heard: sa.Engine) -> None:
    filters = {"civic_field": "LV03", "ward": "00004"}

    made = make_report(ground_of(heard), asked_for(filters=filters))

    own = "giao-thong-duong-sa-van-tai-phuong-ba-dinh-ha-noi"
    assert file_name(made, "csv") == f"bao-cao-2026-01-01-2026-01-31-{own}.csv"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ('a"\r\nb: ../ Ồ', "a-b-o"),
        ("Nguồn rất dài " * 9, "nguon-rat-dai-nguon-rat-dai"),
        ("…", ""),
    ],
)
def test_the_name_of_a_file_is_short_and_plain(heard: sa.Engine, given: str, name: str) -> None:
    made = replace(make_report(ground_of(heard), asked_for()), scope=(("Nguồn", given),))

    stem = file_name(made, "csv").removeprefix("bao-cao-2026-01-01-2026-01-31")
    assert stem == f"{'-' if name else ''}{name}.csv"


def test_a_report_tells_what_has_risen(report: Report) -> None:
    fields = section_of(report, "fields")
    rows = {row.cells[0]: row.cells for row in table_of(report, "civic_field").rows}

    assert rows["Giao thông, đường sá, vận tải"][-1] == "rise"
    assert rows["Giáo dục, đào tạo"][-1] == "fall"
    assert "Giao thông, đường sá, vận tải (khoảng 160 ý kiến, 76%)" in fields.says[0]
    assert "Tỷ lệ tăng so với kỳ trước: Giao thông, đường sá, vận tải." in fields.says


def test_re_posts_count_once_and_are_shown(report: Report) -> None:
    said = section_of(report, "received").says[0]
    roads = next(row for row in table_of(report, "civic_field").rows if "Giao thông" in str(row))

    assert "khoảng 210 ý kiến; ngoài ra có khoảng 10 lượt đăng lại" in said
    assert Reposts(10) in roads.cells


def test_no_small_count_is_told_anywhere(report: Report) -> None:
    told = [own.count for own in figures_of(report) if own.count is not None]

    assert told
    assert all(count % 10 == 0 and count > 0 for count in told)
    assert "Môi trường, rác thải" in table_of(report, "civic_field").rest


def test_fields_have_their_feelings_and_charts(report: Report) -> None:
    [row] = [row for row in table_of(report, "feelings").rows if "Giáo dục" in str(row.cells[0])]
    [chart] = section_of(report, "fields").charts

    assert [cast(Figure, cell).count for cell in row.cells[1:4]] == [None, None, 40]
    assert [bar.counts[0] for bar in chart.bars] == [160, None, None, 0]
    assert "Giao thông, đường sá, vận tải: 160" in chart.alt


def test_areas_stand_below_the_area_above_them(report: Report) -> None:
    rows = table_of(report, "task_area").rows

    assert [(row.narrows, row.is_part) for row in rows[:2]] == [
        (("task_area", "DV3"), False),
        (("task_area", "DV3.5"), True),
    ]


def test_places_are_told_with_their_province_and_no_rank(report: Report) -> None:
    section = section_of(report, "places")

    assert table_of(report, "ward").rows[0].cells[0] == "Phường Ba Đình, Hà Nội"
    assert "không phải là xếp hạng" in section.says[0]


def test_figures_lead_to_their_opinions(report: Report) -> None:
    roads = next(row for row in table_of(report, "civic_field").rows if "Giao thông" in str(row))

    assert cast(Figure, roads.cells[1]).list == (
        "/v1/opinions?civic_field=LV03&day_from=2026-01-01&day_to=2026-02-01&reposts=once"
    )


def test_the_notes_say_what_figures_are_made_of(report: Report) -> None:
    told = " ".join(report.notes)

    for part in ("210 ý kiến", "demo (210)", "không phải điều tra", "Nhãn do máy gợi ý", "dưới 10"):
        assert part in told
    assert report.notes[-1] == "Lập lúc 10:00, 10/02/2026 (giờ Việt Nam)."


def test_the_method_names_model_and_taxonomy(report: Report) -> None:
    [row] = table_of(report, "model").rows

    assert row.cells[:2] == ("rules 1", "ct07 1.0.0")
    assert "dưới 10" in section_of(report, "method").says[0]


def test_alerts_come_with_what_was_noted(heard: sa.Engine) -> None:
    alert = replace(ALERT, day=date(2026, 1, 4), last_day=date(2026, 1, 4))
    with writing(heard) as connection:
        add_alert(connection, alert)
        note = "đã báo phường, gọi 0912345678"
        acknowledge_alert(connection, alert, by="staff:lan", note=note, now=NOW)

    report = make_report(ground_of(heard), asked_for())

    [row] = table_of(report, "alerts").rows
    assert row.cells[0] == "04/01/2026"
    assert "đã báo phường" in str(row.cells[2])
    assert "0912345678" not in str(report)
    assert "lan" not in str(row.cells[2])


def test_filters_narrow_all_figures_and_are_told(heard: sa.Engine) -> None:
    report = make_report(
        ground_of(heard), asked_for(filters={"civic_field": "LV05", "source": "demo"})
    )

    assert report.total.count == 40
    assert report.scope == (("Lĩnh vực", "Giáo dục, đào tạo"), ("Nguồn", "demo"))
    assert report.subject.endswith("(Lĩnh vực: Giáo dục, đào tạo; Nguồn: demo)")
    assert {section.name for section in report.sections}.isdisjoint({"restricted", "limitations"})


def test_parts_that_are_not_asked_for_are_left_out(heard: sa.Engine) -> None:
    report = make_report(ground_of(heard), asked_for(parts=()))

    assert [section.name for section in report.sections] == ["received", "method"]


def test_an_empty_period_says_so_and_nothing_else(engine: sa.Engine) -> None:
    report = make_report(ground_of(engine), asked_for())

    assert report.is_empty
    assert "dưới 10 ý kiến" in section_of(report, "received").says[0]
    assert all(figure.count in (None, 0) for figure in figures_of(report))


def test_typical_opinions_are_the_surest_ones(shelf: Shelf) -> None:
    text = "đường trước nhà hỏng đã ba tháng nay, số {}"
    shelf.store(text.format(1), change=says_field("LV03", probability=0.7))
    shelf.store(text.format(2), change=says_field("LV03", probability=0.9))
    shelf.store("hỏng", change=says_field("LV03", probability=0.99))
    shelf.store(text.format(4), change=says_field("LV02", probability=0.9))
    shelf.say(4, "LV03")
    add_traits(shelf.engine, [shelf.seq(n) for n in shelf.texts], day=JANUARY)

    with shelf.engine.connect() as connection:
        found = find_typical(connection, Query(), label=LabelFilter("civic_field", "LV03"), limit=5)

    # what a person says is sure; what is short shows little
    assert [int(own.id, 16) for own in found] == [4, 2, 1]
    assert not any(own.is_cut for own in found)


def test_origins_count_what_people_corrected(shelf: Shelf) -> None:
    shelf.store("đường hỏng", "rác", "nước yếu")
    shelf.say(1, "LV02")
    add_traits(shelf.engine, [shelf.seq(n) for n in shelf.texts], day=JANUARY)

    with shelf.engine.connect() as connection:
        found = count_origins(connection, Query(kind="opinion"))

    assert [(own.model, own.taxonomy_version, own.n, own.n_corrected) for own in found] == [
        ("rules", "1.0.0", 3, 1)
    ]


@pytest.mark.parametrize("kind", ["time", "parts"])
def test_a_chart_is_a_picture_with_all_vietnamese_letters(kind: Any) -> None:
    names = ("Ẩm thực, ngõ nhỏ ưỡn ẹo, đường sá quá dài để đứng trên một dòng", "Ý kiến")
    bars = {"time": 1, "parts": 4}[kind]
    counts = tuple(Figure(n, suppressed=n is None).count for n in (20, None))
    chart = Chart(kind, "Tên", "Lời", names, tuple(_bar(counts) for _ in range(bars)))

    picture = draw(chart)  # a letter without a picture is a warning, and so an error

    assert picture.startswith(b"\x89PNG")


def _bar(counts: tuple[int | None, ...]) -> Any:
    from service.reports.report import Bar

    return Bar("Tiêu cực", counts)


def write(report: Report, ending: Ending, head: Letterhead = STATE) -> bytes:
    return write_file(report, ending, head=head)


@pytest.mark.parametrize(
    ("head", "canonical", "issuer"),
    [
        (STATE, "128/BC-SNV", "Sở Nội vụ thành phố Hà Nội"),
        (PARTY, "128-BC/BTGDVTU", "Ban Tuyên giáo và Dân vận Thành ủy Hà Nội"),
    ],
    ids=["state", "party"],
)
def test_a_document_reads_as_the_official_form_it_has(
    made: Report, head: Letterhead, canonical: str, issuer: str
) -> None:
    doc = read_file(write(made, "docx", head), name="a.docx")

    told = read_structure(doc, registers=load_registers(REGISTERS)).metadata

    assert told.kind is not None
    assert told.kind.value == "Báo cáo"
    values = [
        field and field.value
        for field in (told.canonical, told.date, told.issuer, told.place, told.subject)
    ]
    assert values == [canonical, "2026-02-05", issuer, "Hà Nội", made.subject]
    assert told.signer is None
    assert told.signer_title is not None
    assert told.signer_title.value in {"Phó Giám đốc", "Trưởng ban"}


@pytest.mark.parametrize("form", ["state", "party"])
def test_a_blank_letterhead_says_nothing(made: Report, form: Any) -> None:
    doc = read_file(write(made, "docx", Letterhead(form=form)), name="a.docx")

    told = read_structure(doc, registers=load_registers(REGISTERS)).metadata

    unsaid = (told.number, told.canonical, told.date, told.place, told.issuer, told.signer)
    assert unsaid == (None,) * 6
    assert told.signer_title is None
    assert told.kind is not None


def test_a_document_has_the_page_of_the_form(made: Report) -> None:
    doc = docx.Document(io.BytesIO(write(made, "docx")))
    [section] = doc.sections

    assert [round(one.mm) for one in (section.page_width, section.page_height) if one] == [210, 297]
    margins = (section.top_margin, section.bottom_margin, section.left_margin, section.right_margin)
    assert [round(one.mm) for one in margins if one] == [20, 20, 30, 15]
    assert section.different_first_page_header_footer
    assert "PAGE" in section.header._element.xml
    assert doc.styles["Normal"].font.name == "Times New Roman"
    assert doc.paragraphs[-2].text.endswith("./.")


def test_tables_repeat_their_headings_and_pictures_are_told_in_words(made: Report) -> None:
    doc = docx.Document(io.BytesIO(write(made, "docx")))

    grids = doc.tables[1:-1]  # between letterhead and signature
    pictures = doc.element.body.findall(f".//{qn('wp:docPr')}")
    charts = [chart for section in made.sections for chart in section.charts]
    assert grids
    assert all(grid.rows[0]._tr.find(f".//{qn('w:tblHeader')}") is not None for grid in grids)
    assert [one.get("descr") for one in pictures] == [chart.alt for chart in charts]


def wide_font(size_pt: int) -> ImageFont.FreeTypeFont:
    """DejaVu Serif Bold, which stands in where Times New Roman is missing, and is a fifth wider."""
    found = font_manager.findfont(FontProperties(family="DejaVu Serif", weight="bold"))
    return ImageFont.truetype(found, size_pt * 100)


@pytest.mark.parametrize(("head", "size_pt"), [(STATE, 12), (PARTY, 15)], ids=["state", "party"])
def test_the_motto_stays_on_one_line_in_a_wider_font(
    made: Report, head: Letterhead, size_pt: int
) -> None:
    cell = docx.Document(io.BytesIO(write(made, "docx", head))).tables[0].rows[0].cells[1]

    [run] = cell.paragraphs[0].runs
    assert cell.width is not None
    assert run.font.size == Pt(size_pt)
    assert wide_font(size_pt).getlength(run.text) / 100 < cell.width.pt


def test_no_word_of_a_heading_is_broken_in_a_wider_font(made: Report) -> None:
    doc = docx.Document(io.BytesIO(write(made, "docx")))
    font, sides_pt = wide_font(11), 2 * Mm(1).pt

    for cell in [own for grid in doc.tables[1:-1] for own in grid.rows[0].cells]:
        longest = max(font.getlength(word) / 100 for word in cell.text.split())
        assert cell.width is not None
        assert longest + sides_pt < cell.width.pt, cell.text


def test_a_workbook_has_numbers_as_numbers_and_its_headings_in_sight(made: Report) -> None:
    book = openpyxl.load_workbook(io.BytesIO(write(made, "xlsx")))

    names = ("summary", "civic_field", "ward", "alerts", "notes", "charts")
    titles = {say(f"reports.sheet_{name}") for name in names} - {say("reports.sheet_alerts")}
    assert titles <= {*book.sheetnames}
    sheet = book[say("reports.sheet_civic_field")]
    assert sheet.freeze_panes == "B4"
    [roads] = [row for row in sheet.iter_rows(min_row=4) if "Giao thông" in str(row[0].value)]
    assert (roads[1].value, roads[1].number_format) == (160, "#,##0")
    assert (roads[2].number_format, 0.7 < roads[2].value < 0.8) == ("0%", True)
    assert len(book[say("reports.sheet_charts")]._charts) == 2


def test_nothing_in_a_table_is_a_formula(made: Report) -> None:
    evil = '=HYPERLINK("http://x")\x07'
    harmful = replace(made, subject=evil, scope=((evil, evil),), notes=(evil,))

    book = openpyxl.load_workbook(io.BytesIO(write(harmful, "xlsx")))
    lines = list(csv.reader(io.StringIO(write(harmful, "csv").decode("utf-8-sig"))))

    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert any(str(cell.value).startswith(evil[:-1]) for cell in cells)
    assert {cell.data_type for cell in cells}.isdisjoint({"f"})
    assert lines[0] == ["'" + evil[:-1]]


def test_a_table_for_programs_has_a_line_a_cell(made: Report) -> None:
    data = write(made, "csv")
    lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))

    assert data.startswith(b"\xef\xbb\xbf")
    start = lines.index([]) + 1
    [roads] = [
        line
        for line in lines[start:]
        if line[1:4] == ["Ý kiến theo lĩnh vực", "Giao thông, đường sá, vận tải", "Ý kiến"]
    ]
    assert roads[4] == "160"
    assert {len(line) for line in lines[start:]} == {9}
    assert not any(line[4] and int(line[4]) < 10 for line in lines[start + 1 :])


def test_a_file_is_named_after_its_days(made: Report) -> None:
    assert file_name(made, "docx") == "bao-cao-2026-01-01-2026-01-31.docx"


def test_a_letterhead_takes_lines_and_days_only() -> None:
    head = read_letterhead(
        {"form": "none", "body": "Ban\nA\x00", "dated": "mai", "upper": "x" * 500}
    )

    assert (head.form, head.body, head.dated, len(head.upper)) == ("state", "Ban A", None, 120)


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (Share(0.1234, 0.1, 0.15), "12% (10–15%)"),
        (Share(1.0, 0.97, 1.0), "100% (97–100%)"),
        (Share(1.0, 1.0, 1.0), "100%"),
        (Share(0.131, 0.128, 0.134), "13%"),
    ],
)
def test_shares_are_written_as_in_vietnam_alone_where_the_interval_says_no_more(
    share: Share, shown: str
) -> None:
    assert show_share(share) == shown


def test_what_could_be_no_other_share_has_no_interval(heard: sa.Engine) -> None:
    report = make_report(ground_of(heard), asked_for(filters={"task_area": "DV3.5"}))

    for sheet, n_rows in (("source", 1), ("model", 1), ("task_area", 2)):
        figures = [cell for row in table_of(report, sheet).rows for cell in row.cells]
        shares = [cell.share for cell in figures if isinstance(cell, Figure) and cell.share]
        assert shares[:n_rows] == [Share(1.0, 1.0, 1.0)] * n_rows
    [roads] = table_of(report, "civic_field").rows  # here others could have been
    share = cast(Figure, roads.cells[1]).share
    assert share is not None
    assert share.value == 1 > share.low


def test_one_of_two_sources_keeps_its_interval(engine: sa.Engine) -> None:
    keep(engine, [Heard(source=own, day=JANUARY) for own in ("demo", "web_upload") * 20])

    rows = table_of(make_report(ground_of(engine), asked_for()), "source").rows

    shares = [cast(Figure, row.cells[2]).share for row in rows[:2]]
    assert [(own.value, own.low < 0.5 < own.high) for own in shares if own] == [(0.5, True)] * 2


@pytest.mark.parametrize(
    ("stretch", "n_parts", "n_drawn", "title"),
    [
        ("last_month", 31, 31, "Số ý kiến mỗi ngày"),
        ("last_quarter", 14, 12, "Số ý kiến mỗi tuần đủ bảy ngày"),
    ],
)
def test_a_long_stretch_is_drawn_by_whole_weeks(
    heard: sa.Engine, stretch: Any, n_parts: int, n_drawn: int, title: str
) -> None:
    period, before = find_days(stretch, today=TODAY)
    report = make_report(ground_of(heard), Asked(stretch, period, before))

    [chart] = section_of(report, "received").charts
    assert len(table_of(report, "days").rows) == n_parts
    assert (chart.title, len(chart.labels)) == (title, n_drawn)


def test_what_was_kept_unmasked_is_masked_before_it_is_quoted(engine: sa.Engine) -> None:
    shelf = Shelf(engine)
    text = "đường trước nhà hỏng đã ba tháng nay, số {}, gọi 0912345678"
    shelf.store(*(text.format(n) for n in range(12)))
    add_traits(engine, [shelf.seq(n) for n in shelf.texts], day=JANUARY)

    report = make_report(ground_of(engine), asked_for())

    [quotes] = section_of(report, "examples").quotes
    assert len(quotes.items) == 5
    assert "0912345678" not in str(report)

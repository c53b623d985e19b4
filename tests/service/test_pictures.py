"""Pages of official documents can be looked at; of a citizen's text no picture is ever kept."""

import io

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from PIL import Image

from nlp.errors import UnreadableFile
from nlp.readers.child import draw_in_child
from nlp.readers.pages import Bounds, Drawn
from nlp.types import KindAsked
from service import drawing
from service.actions import Desk, Upload, store_document
from service.store import tables
from service.store.dialect import writing
from service.store.pictures import keep_pages, list_pages, read_page
from service.store.retention import erase
from tests import rendered
from tests.service.shelf import Shelf

LETTER = ["Kính gửi phường, đường hỏng lắm,", "tôi là Nguyễn Thị Bí Mật, số 0912345678"]
A_PAGE = Drawn(1, 4, 3, b"RIFF....WEBP")


def n_pictures(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(tables.pictures)) or 0


def opened(webp: bytes) -> Image.Image:
    return Image.open(io.BytesIO(webp), formats=["WEBP"])


def keep(desk: Desk, data: bytes, name: str, *, kind: KindAsked = "official") -> int:
    stored, _ = store_document(desk, Upload(data, name, kind))
    return stored.seq


def a_letter(file: str) -> tuple[bytes, str]:
    """The letter in a file of which pages could be drawn."""
    pdf = rendered.torn_pdf(LETTER)
    if file == "pdf":
        return pdf, "don.pdf"
    return rendered.as_picture(rendered.pictures(pdf)[0], "PNG"), "don.png"


def test_each_page_of_an_official_pdf_is_kept_in_order(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "_BOUNDS", Bounds(side=400))

    seq = keep(desk, rendered.directive_pdf(), "chi-thi.pdf")

    pages = list_pages(desk.engine, seq)
    assert [page.number for page in pages] == [1, 2, 3]
    for page in pages:
        webp = read_page(desk.engine, seq, page.number)
        assert webp is not None
        assert opened(webp).size == (page.width, page.height)
        assert max(page.width, page.height) <= 400


@pytest.mark.slow
@pytest.mark.parametrize("file", ["pdf", "png"])
@pytest.mark.parametrize("kind", ["auto", "opinion"])
def test_no_picture_of_a_citizens_letter_is_kept(desk: Desk, file: str, kind: KindAsked) -> None:
    data, name = a_letter(file)

    stored, is_new = store_document(desk, Upload(data, name, kind))

    assert (is_new, stored.kind) == (True, "opinion")
    assert n_pictures(desk.engine) == 0


def test_no_picture_is_kept_of_a_document_that_tells_of_a_private_person(desk: Desk) -> None:
    party = "xét đơn của bà Nguyễn Thị Bímật, căn cước 001088123459"
    pdf = rendered.torn_pdf(["Ủy ban nhân dân phường quyết định như sau,", party])

    stored, _ = store_document(desk, Upload(pdf, "quyet-dinh.pdf", "official"))

    assert stored.kind == "official"
    assert n_pictures(desk.engine) == 0
    assert stored.file_name is None


def test_even_when_asked_the_store_keeps_no_picture_of_an_opinion(shelf: Shelf) -> None:
    shelf.store("đường hỏng")

    with writing(shelf.engine) as connection:
        keep_pages(connection, shelf.seq(1), [A_PAGE])

    assert n_pictures(shelf.engine) == 0


def test_a_document_whose_pages_cannot_be_drawn_is_kept_without(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **more: object) -> None:
        raise UnreadableFile("no")

    monkeypatch.setattr(drawing, "draw_in_child", fail)

    seq = keep(desk, rendered.directive_pdf(), "chi-thi.pdf")

    assert list_pages(desk.engine, seq) == ()


def test_a_document_of_another_format_has_no_pages(desk: Desk) -> None:
    assert list_pages(desk.engine, keep(desk, "CHỈ THỊ".encode(), "a.txt")) == ()


def test_pictures_go_with_their_document(desk: Desk) -> None:
    seq = keep(desk, rendered.directive_pdf(), "chi-thi.pdf")
    assert n_pictures(desk.engine) == 3

    with writing(desk.engine) as connection:
        erase(connection, [seq])

    assert n_pictures(desk.engine) == 0


def test_pictures_that_come_after_their_document_went_are_dropped(desk: Desk) -> None:
    seq = keep(desk, "CHỈ THỊ".encode(), "a.txt")
    with writing(desk.engine) as connection:
        erase(connection, [seq])

    with writing(desk.engine) as connection:
        keep_pages(connection, seq, [A_PAGE])

    assert n_pictures(desk.engine) == 0


@pytest.mark.parametrize(
    ("bounds", "n_pages"),
    [(Bounds(n_pages=2), 2), (Bounds(n_bytes=10), 0), (Bounds(), 3)],
)
def test_what_is_drawn_has_bounds(bounds: Bounds, n_pages: int) -> None:
    drawn = list(draw_in_child(rendered.directive_pdf(), name="a.pdf", bounds=bounds))

    assert [page.number for page in drawn] == list(range(1, n_pages + 1))


def test_a_file_that_is_none_is_refused_by_the_child() -> None:
    with pytest.raises(UnreadableFile):
        list(draw_in_child(b"%PDF-1.7 no", name="a.pdf", bounds=Bounds()))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_picture_is_drawn_as_it_was_recognised(kind: str) -> None:
    page = rendered.worn(rendered.pictures(rendered.directive_pdf())[0], skew=2.0)

    [drawn] = draw_in_child(rendered.as_picture(page, kind), name="a", bounds=Bounds(side=700))

    assert max(drawn.width, drawn.height) == 700
    assert opened(drawn.webp).size == (drawn.width, drawn.height)


def test_a_page_is_given_to_readers_and_to_no_shared_cache(client: TestClient, desk: Desk) -> None:
    stored, _ = store_document(desk, Upload(rendered.directive_pdf(), "a.pdf", "official"))

    answer = client.get(f"/documents/{stored.id}/pages/2.webp")
    beyond = client.get(f"/documents/{stored.id}/pages/4.webp")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    assert answer.headers["cache-control"] == "private, max-age=3600"
    assert answer.content == read_page(desk.engine, stored.seq, 2)
    assert beyond.status_code == 404

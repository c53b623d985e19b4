"""`/v1/documents`: a file is read once, kept, listed and found again."""

import pytest
from fastapi.testclient import TestClient

from service.actions import Desk, _clean_name
from service.store.views import read_item

DIRECTIVE = "CHỈ THỊ\nvề thủ tục hành chính\nTuy nhiên còn chậm"
LETTER = "Kính gửi phường, đường hỏng. Số của tôi 0912345678"


def upload(
    client: TestClient, text: str = DIRECTIVE, *, name: str = "chi-thi.txt", **fields: str
) -> dict[str, object]:
    answer = client.post("/v1/documents", files={"file": (name, text.encode())}, data=fields)
    assert answer.status_code in {200, 201}, answer.text
    body: dict[str, object] = answer.json()
    return body


def test_a_file_is_kept_with_its_analysis(client: TestClient) -> None:
    answer = client.post("/v1/documents", files={"file": ("chi-thi.txt", DIRECTIVE.encode())})

    stored = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/documents/{stored['id']}"
    assert (stored["kind"], stored["text"]) == ("official", DIRECTIVE)
    assert stored["analysis"]["task_area"]["primary"] == "DV3.5"
    assert client.get(answer.headers["location"]).json() == stored


def test_the_same_file_again_is_the_same_item(client: TestClient) -> None:
    first = upload(client)

    again = client.post("/v1/documents", files={"file": ("ten-khac.txt", DIRECTIVE.encode())})

    assert (again.status_code, again.json()) == (200, first)


def test_a_citizens_letter_is_masked_and_loses_its_name(client: TestClient, desk: Desk) -> None:
    letter = upload(client, LETTER, name="don cua Nguyen Thi Bi Mat.txt")

    stored = read_item(desk.engine, str(letter["id"]))
    assert stored is not None
    assert stored.doc.text == LETTER.replace("0912345678", "•" * 10)
    assert letter["file_name"] is None


def test_a_kind_that_is_told_is_believed(client: TestClient) -> None:
    assert upload(client, kind="opinion")["kind"] == "opinion"


@pytest.mark.parametrize(
    ("name", "data", "status"),
    [
        ("a.txt", b"", 422),
        ("a.docx", b"PK no document", 422),
        ("a.xyz", b"text", 415),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 415),
        ("a.txt", b"a" * 100_001, 413),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(
    client: TestClient, name: str, data: bytes, status: int
) -> None:
    answer = client.post("/v1/documents", files={"file": (name, data)})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.json()["detail"]) > 20


def test_an_unregistered_source_is_refused(client: TestClient) -> None:
    files = {"file": ("a.txt", DIRECTIVE.encode())}

    answer = client.post("/v1/documents", files=files, data={"source": "nobody"})

    assert (answer.status_code, answer.json()["type"]) == (
        422,
        "urn:danvan:problem:unknown-source",
    )


@pytest.mark.parametrize(
    ("query", "n_found"),
    [
        ("", 2),
        ("kind=official", 1),
        ("kind=opinion", 1),
        ("task_area=DV3.5", 1),
        ("task_area=DV3", 1),
        ("task_area=DV4", 0),
        ("task_area=nothing", 0),
        ("decision=labelled", 1),
        ("decision=abstain", 1),
        ("source=demo", 0),
        ("dated_from=2021-10-01&dated_to=2021-10-02", 1),
        ("dated_to=2021-10-01", 0),
        ("received_from=2026-01-05T08:00:01Z", 1),
        ("received_to=2026-01-05T15:00:01%2B07:00", 1),
    ],
)
def test_documents_are_found_by(client: TestClient, query: str, n_found: int) -> None:
    upload(client)
    upload(client, LETTER)

    assert len(client.get(f"/v1/documents?{query}").json()["items"]) == n_found


def test_a_list_goes_on_from_its_cursor(client: TestClient) -> None:
    for i in range(3):
        upload(client, f"{DIRECTIVE} {i}")

    first = client.get("/v1/documents?limit=2").json()
    second = client.get(f"/v1/documents?limit=2&cursor={first['next_cursor']}").json()

    assert [len(first["items"]), len(second["items"])] == [2, 1]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    "query",
    ["limit=0", "cursor=x", "kind=letter", "dated_from=7", "received_to=0.5", "task_aria=DV3"],
)
def test_a_wrong_filter_is_refused(client: TestClient, query: str) -> None:
    answer = client.get(f"/v1/documents?{query}")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("C:\\Users\\x\\chỉ thị.docx", "chỉ thị.docx"),
        ("../../etc/passwd", "passwd"),
        ("a\x00\n\tb.txt", "a b.txt"),
        ("x" * 300 + ".txt", "x" * 196 + ".txt"),
    ],
)
def test_a_file_name_is_only_a_name(sent: str, kept: str) -> None:
    assert _clean_name(sent) == kept

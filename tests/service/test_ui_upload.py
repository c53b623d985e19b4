"""Each file gets its own answer in words, with or without script; jobs can be watched and changed."""

import io
import re
import zipfile
from html import unescape
from typing import cast

import pytest
from fastapi.testclient import TestClient

from nlp.errors import DanvanError
from nlp.pipeline import Pipeline
from nlp.readers.child import read_in_child
from service.actions import KEPT_APART, Desk
from service.jobs.seam import Context
from service.messages import words_of
from service.settings import Settings
from service.store.dialect import writing
from service.store.jobs import Job, add_job, read_job
from service.store.query import Query
from service.store.views import list_items
from service.ui.outcomes import why_of
from tests.service.archive import carry_out
from tests.service.html import words
from tests.service.rules import RulePipeline

HTML = {"accept": "text/html"}
BY_SCRIPT = {"hx-request": "true"}
DIRECTIVE = "CHỈ THỊ\nvề thủ tục hành chính, tiếp công dân"
ACCUSES = "Tôi tố cáo trưởng thôn 5 xã Hòa Lũng ăn chặn tiền hỗ trợ bão số 6, bắt dân ký nhận đủ."
File = tuple[str, str | bytes]


@pytest.fixture
def context(desk: Desk, settings: Settings, pipeline: RulePipeline) -> Context:
    """What a worker has."""
    return Context(desk.engine, settings, lambda _: cast(Pipeline, pipeline), now=desk.now)


def row(client: TestClient, name: str, data: str | bytes) -> str:
    """What the script is told of a file."""
    body = data.encode() if isinstance(data, str) else data
    answer = client.post("/documents", files={"file": (name, body)}, headers=BY_SCRIPT)
    assert answer.status_code == 200, answer.text
    assert answer.text.count('class="outcome"') == 1
    return answer.text


def state_of(html: str) -> str:
    [state] = re.findall(r'data-state="(\w+)"', html)
    return str(state)


def link_of(html: str) -> str:
    [link] = re.findall(r'href="([^"]+)"', html)
    return str(link)


def zipped(*files: File) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files:
            archive.writestr(name, data)
    return packed.getvalue()


def leave(client: TestClient, *files: File) -> str:
    """Hand in an archive; the job that reads it."""
    html = row(client, "goi.zip", zipped(*files))
    assert state_of(html) == "waiting"
    [job_id] = re.findall(r'data-job="([^"]+)"', html)
    return str(job_id)


def watch(client: TestClient, *job_ids: str) -> str:
    answer = client.get("/upload/waiting", params={"job": list(job_ids)}, headers=BY_SCRIPT)
    assert answer.status_code == 200, answer.text
    return answer.text


def ask(desk: Desk, job_id: str = "j", kind: str = "export") -> Job:
    with writing(desk.engine) as connection:
        return add_job(connection, kind, job_id=job_id, params={}, asked_by="lan", now=desk.now())


def test_a_row_says_what_the_file_is_and_leads_to_it(client: TestClient) -> None:
    html = row(client, "a.txt", DIRECTIVE)

    assert state_of(html) == "done"
    assert words(html) == "Xong Chỉ thị 07-CT/TU, 2 mảng"
    assert client.get(link_of(html)).status_code == 200


def test_a_letter_is_told_by_what_it_is_about_and_not_by_its_name(client: TestClient) -> None:
    html = row(client, "don cua Nguyen Bi Mat.txt", "Kính gửi phường, đường hỏng lắm")

    assert words(html) == "Xong Ý kiến, giao thông, đường sá, vận tải"


@pytest.mark.parametrize("name", ["a.txt", "ban-sao.md"])
def test_what_was_handed_in_before_leads_to_the_first_one(client: TestClient, name: str) -> None:
    first = row(client, "a.txt", DIRECTIVE)

    again = row(client, name, DIRECTIVE + ("" if name == "a.txt" else "\n"))

    assert state_of(again) == "twin"
    assert link_of(again) == link_of(first)


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.docx", b"no zip", "hỏng"),
        ("a.xyz", b"a", "loại tệp"),
        ("a.txt", b"", "trống"),
        ("a.txt", b"a" * 100_001, "lớn hơn"),
    ],
)
def test_a_bad_file_says_what_to_do(client: TestClient, name: str, data: bytes, told: str) -> None:
    html = row(client, name, data)

    assert state_of(html) == "failed"
    assert told in words(html)
    assert "data-again" not in html  # it would be refused again


def test_what_reads_like_a_denunciation_is_told_apart_from_faults(client: TestClient) -> None:
    html = row(client, "don.txt", ACCUSES)

    assert state_of(html) == "apart"
    assert "niêm phong" in words(html)
    assert "href" not in html


def test_a_waiting_archive_is_watched_until_it_is_read(
    client: TestClient, context: Context
) -> None:
    job_id = leave(client, ("a.txt", DIRECTIVE), ("b.txt", DIRECTIVE), ("c.docx", "PK none"))

    before = watch(client, job_id)
    carry_out(context, job_id)
    after = watch(client, job_id)

    assert state_of(before) == "waiting"
    assert state_of(after) == "partial"
    told = "Cần xem Gói tệp: 1 xong, 1 trùng, 1 lỗi Tệp thứ 3: Tệp bị hỏng"
    assert words(after).startswith(told)
    assert link_of(after) == f"/jobs/{job_id}"


def test_an_archive_without_faults_is_done(client: TestClient, context: Context) -> None:
    job_id = leave(client, ("a.txt", DIRECTIVE), ("b.txt", "CHỈ THỊ khác"))
    carry_out(context, job_id)

    html = watch(client, job_id)

    assert state_of(html) == "done"
    assert words(html) == "Xong Gói tệp: 2 xong"


def test_what_an_archive_has_sealed_is_no_fault_of_it_but_is_to_be_seen(
    client: TestClient, context: Context
) -> None:
    job_id = leave(client, ("a.txt", DIRECTIVE), ("b.txt", ACCUSES))
    carry_out(context, job_id)

    html = watch(client, job_id)

    assert state_of(html) == "partial"
    assert "Gói tệp: 1 xong, 1 niêm phong" in words(html)


def test_of_many_faults_of_an_archive_the_first_are_listed_in_the_order_of_its_files(
    client: TestClient, context: Context
) -> None:
    files = [(f"{n:02}.docx", f"PK none {n}") for n in range(12)]
    job_id = leave(client, ("a.txt", DIRECTIVE), *files)
    carry_out(context, job_id)

    html = watch(client, job_id)

    assert re.findall(r"Tệp thứ (\d+)", words(html)) == ["2", "3", "4", "5", "6"]
    assert "và 7 tệp nữa" in words(html)


@pytest.mark.parametrize(
    ("file", "state", "told"),
    [
        (("a.txt", DIRECTIVE), "done", "Chỉ thị 07-CT/TU, 2 mảng"),
        (("a.docx", "PK none"), "failed", "hỏng"),
        (("a.txt", ACCUSES), "apart", "niêm phong"),
    ],
)
def test_a_waiting_file_ends_as_one_that_was_read_at_once(
    client: TestClient, context: Context, file: File, state: str, told: str
) -> None:
    job_id = leave(client, file)
    carry_out(context, job_id)

    html = watch(client, job_id)

    assert state_of(html) == state
    assert told in words(html)


def test_a_waiting_file_that_was_stopped_or_is_unknown_is_told(client: TestClient) -> None:
    job_id = leave(client, ("a.txt", DIRECTIVE))
    client.post(f"/jobs/{job_id}/cancel")

    html = watch(client, job_id, "unknown")

    assert state_of(html) == "failed"
    assert "Đã dừng" in words(html)
    assert "data-again" in html


def test_several_files_of_a_form_are_told_on_one_page(client: TestClient, desk: Desk) -> None:
    files = [
        ("file", ("a.txt", DIRECTIVE.encode())),
        ("file", ("b.docx", b"no zip")),
        ("file", ("c.txt", "Đường hỏng".encode())),
    ]

    answer = client.post("/documents", files=files, headers=HTML)

    assert answer.status_code == 200
    assert re.findall(r'data-state="(\w+)"', answer.text) == ["done", "failed", "done"]
    for part in ("a.txt", "b.docx", "c.txt", "Chỉ thị 07-CT/TU"):
        assert part in words(answer.text)
    assert len(list_items(desk.engine, Query()).items) == 2


def test_of_many_files_of_a_form_the_last_ones_wait_for_a_worker(client: TestClient) -> None:
    files = [("file", (f"{n}.txt", f"CHỈ THỊ {n}".encode())) for n in range(7)]

    answer = client.post("/documents", files=files, headers=HTML)

    assert re.findall(r'data-state="(\w+)"', answer.text) == ["done"] * 5 + ["waiting"] * 2


def test_one_known_file_of_a_form_leads_to_its_page_and_says_so(client: TestClient) -> None:
    for _ in range(2):
        answer = client.post(
            "/documents", files={"file": ("a.txt", DIRECTIVE.encode())}, headers=HTML
        )

    assert "Tệp này đã được gửi từ trước" in words(answer.text)


def test_an_opinion_that_is_refused_stays_in_its_form(client: TestClient) -> None:
    text = "đường hỏng " * 300

    answer = client.post("/opinions", data={"text": text}, headers=HTML)

    assert answer.status_code == 422
    assert f">{text}</textarea>" in answer.text


def test_a_pasted_denunciation_is_not_shown_again(client: TestClient) -> None:
    answer = client.post("/opinions", data={"text": ACCUSES}, headers=HTML)

    assert answer.status_code == 422
    assert "Không cần gửi lại" in words(answer.text)
    assert "ăn chặn" not in answer.text


def test_the_page_of_an_archive_names_its_files_and_its_faults(
    client: TestClient, context: Context
) -> None:
    job_id = leave(client, ("a.txt", DIRECTIVE), ("b.docx", "PK none"))
    waiting = client.get(f"/jobs/{job_id}").text
    carry_out(context, job_id)

    page = client.get(f"/jobs/{job_id}").text

    shown = words(page)
    assert 'hx-trigger="every 2s"' in waiting
    assert "hx-trigger" not in page
    for part in ("đã xong", "Chỉ thị 07-CT/TU, 2 mảng", "Tệp thứ 2: Tệp bị hỏng", "1 trên 2 mục"):
        assert part in shown
    assert shown.index("Không đọc được") < shown.index("Tệp đã đọc")


def test_jobs_are_listed_newest_first_and_by_state(client: TestClient, desk: Desk) -> None:
    for number in range(32):
        ask(desk, f"j{number}")
    client.post("/jobs/j3/cancel")

    page = client.get("/jobs").text
    [older] = re.findall(r'href="(/jobs\?[^"]*cursor[^"]*)"', page)
    stopped = client.get("/jobs?state=cancelled").text

    assert re.findall(r'href="/jobs/(\w+)"', page)[:2] == ["j31", "j30"]
    assert re.findall(r'href="/jobs/(\w+)"', client.get(unescape(older)).text) == ["j1", "j0"]
    assert re.findall(r'href="/jobs/(\w+)"', stopped) == ["j3"]


def test_no_jobs_are_told_with_what_brings_some(client: TestClient) -> None:
    assert "Chưa có việc nào" in words(client.get("/jobs").text)


def test_a_job_is_stopped_and_gone_on_with(client: TestClient, desk: Desk) -> None:
    ask(desk)

    stopped = client.post("/jobs/j/cancel")
    state = read_job(desk.engine, "j").state
    again = client.post("/jobs/j/retry")

    assert (state, read_job(desk.engine, "j").state) == ("cancelled", "queued")
    assert "Đã dừng." in words(stopped.text)
    assert "Đã nhận yêu cầu" in words(again.text)
    assert client.post("/jobs/j/retry", headers=HTML).status_code == 409


def test_every_kind_of_job_has_a_name() -> None:
    from service.jobs.kinds import KINDS

    assert {f"job_{kind}" for kind in KINDS} <= set(words_of("upload"))


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.txt", b"", "empty"),
        ("a.txt", b" \n", "no_words"),
        ("a.xyz", b"a", "kind"),
        ("a.pdf", b"%PDF-1.7 no", "damaged"),
        ("a.docx", b"no zip", "damaged"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "kind"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
         "locked"),
        ("a.zip", zipped(("a", "b")), "kind"),
        ("a.png", b"\x89PNG\r\n\x1a\nno", "damaged"),
    ],
)  # fmt: skip
def test_what_readers_refuse_is_told_in_words(
    desk: Desk, name: str, data: bytes, told: str
) -> None:
    with pytest.raises(DanvanError) as refused:
        read_in_child(data, name=name)

    assert why_of(desk, str(refused.value)) == words_of("upload")[f"why_{told}"]


def test_danger_to_life_is_told_at_once(desk: Desk) -> None:
    told = why_of(desk, f"{KEPT_APART}; it tells of danger to life, so pass it on yourself")

    assert "tự chuyển ngay" in told

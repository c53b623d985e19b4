"""Letters come in without who wrote them, once, and nothing in the mailbox changes."""

import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from service.feeds import mailbox
from service.feeds.entries import Unreachable
from service.feeds.mailbox import Access, own_words, parse_mailbox
from tests.service.feeds.feeding import LETTER, counts, feed, kept, run
from tests.service.feeds.places import Post, a_mailbox
from tests.service.flows import START, Scene
from tests.service.test_sending import make_certificate


def test_letters_come_in_without_who_wrote_them_and_stay_unread(scene: Scene, post: Post) -> None:
    html = LETTER.replace("text/plain", "text/html").replace("<1@", "<2@")
    body = "<p>Rác ùn ở chợ.</p><blockquote>cũ</blockquote>"
    post.messages = {3: LETTER.encode(), 5: f"{html.partition('Đường liên')[0]}{body}".encode()}
    feed(scene, "mailbox", f"imap://gop-y%40xa.example@127.0.0.1:{post.port}/")

    first = run(scene)
    post.messages[9] = LETTER.replace("<1@", "<3@").replace("hỏng", "ngập").encode()
    second = run(scene)

    assert (counts(first), counts(second)) == ((2, 0, 0), (1, 0, 0))
    (name, text), (_, page), (_, newest) = kept(scene)
    assert name.startswith("sha256:")
    assert text == "Duong hong\nĐường liên thôn hỏng."
    assert "Rác ùn ở chợ." in page
    assert newest == "Duong hong\nĐường liên thôn ngập."
    assert {command.split(" ")[0] for command in post.said} == {
        "CAPABILITY", "LOGIN", "EXAMINE", "UID", "LOGOUT",
    }  # fmt: skip
    assert not any("FROM" in command or "BODY[" in command for command in post.said)


def test_a_mailbox_that_was_built_anew_doubles_nothing(scene: Scene, post: Post) -> None:
    post.messages = {3: LETTER.encode()}
    feed(scene, "mailbox", f"imap://gop-y%40xa.example@127.0.0.1:{post.port}/")
    run(scene)
    post.validity, post.messages = 8, {1: LETTER.encode()}

    assert counts(run(scene)) == (0, 1, 0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"password": "other"}, "signing in of the mailbox failed"),
        ({"folder": "elsewhere"}, "opening the folder of the mailbox failed"),
    ],
)
def test_a_mailbox_that_lets_nobody_in_is_told(
    scene: Scene, post: Post, change: dict[str, str], reason: str
) -> None:
    feed(scene, "mailbox", f"imap://gop-y%40xa.example@127.0.0.1:{post.port}/")
    for name, value in change.items():
        setattr(post, name, value)

    job = run(scene)

    assert job.state == "failed"
    assert reason in str(job.reason)


def test_without_a_password_nobody_is_asked(
    scene: Scene, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DANVAN_FEED_IT_PASSWORD")
    feed(scene, "mailbox", f"imap://gop-y%40xa.example@127.0.0.1:{post.port}/")

    job = run(scene)

    assert "set DANVAN_FEED_IT_PASSWORD" in str(job.reason)
    assert post.said == []


def test_a_certificate_must_be_for_the_name_of_the_mailbox(tmp_path: Path) -> None:
    make_certificate(tmp_path, "good.example")
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    theirs = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    with a_mailbox(tls=ours) as post:
        post.messages = {1: LETTER.encode()}
        access = Access("127.0.0.1", post.password, tls=theirs)
        box = parse_mailbox(f"imaps://gop-y%40xa.example@good.example:{post.port}")

        [step] = mailbox.look(box, {}, access=access, now=START)
        with pytest.raises(Unreachable, match="reaching the server"):
            list(mailbox.look(replace(box, host="bad.example"), {}, access=access, now=START))

    assert step.entries[0].text == "Duong hong\nĐường liên thôn hỏng."


@pytest.mark.parametrize(
    ("letter", "expected"),
    [
        ("Đường hỏng.\n--\nAn, 0912", "Đường hỏng."),
        ("Đường hỏng.\nVào T2, An <an@x.vn> đã viết:", "Đường hỏng."),
        ("Đường hỏng.\nVào T2, Nguyễn Văn An <an@x.vn>\nđã viết:", "Đường hỏng."),
        ("Xin hỏi:\n-- gạch đầu dòng", "Xin hỏi:\n-- gạch đầu dòng"),
        ("x" * 300_000, "x" * 300_000),
    ],
)
def test_of_a_letter_the_own_words_stay(letter: str, expected: str) -> None:
    assert own_words(letter) == expected

"""Requests go where they may and nowhere else."""

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nlp.errors import InvalidRecord
from service.jobs import sending
from service.jobs.sending import Policy, Undelivered, check_url, is_public, post
from tests.service.receiver import Receiver, receiving

OURS = Policy(allow_http=True, hosts=frozenset({"127.0.0.1", "localhost"}), timeout_s=5.0)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as receiver:
        yield receiver


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("::ffff:8.8.8.8", True),
        ("127.0.0.1", False),
        ("10.0.0.8", False),
        ("172.16.5.4", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("fec0::1", False),
        ("ff0e::1", False),
        ("::ffff:127.0.0.1", False),
        ("::7f00:1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::7f00:1", False),
        ("2001::1", False),
    ],
)
def test_an_address_is_public_or_not(address: str, expected: bool) -> None:
    assert is_public(address) is expected


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/hook",
        "https://example.org:8443/hook?key=1",
        "https://ví-dụ.vn/",
        "https://8.8.8.8/",
    ],
)
def test_a_public_url_by_https_is_taken(url: str) -> None:
    check_url(url, Policy())


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.org/", "https"),
        ("ftp://example.org/", "form"),
        ("example.org/hook", "form"),
        ("https:///hook", "form"),
        ("", "form"),
        ("https://[::1", "form"),
        ("https://0177.0.0.1/", "form"),
        ("https://example.org:99999/", "form"),
        ("https://lan:geheim@example.org/", "user"),
        ("https://example.org\\@evil.example/", "user"),
        ("https://example.org/#a", "fragment"),
        ("https://127.0.0.1/", "not public"),
        ("https://[::1]/", "not public"),
        ("https://169.254.169.254/latest/meta-data", "not public"),
        ("https://[::ffff:10.0.0.1]/", "not public"),
        (f"https://example.org/{'a' * 2000}", "longer"),
    ],
)
def test_any_other_url_is_refused_without_being_quoted(url: str, reason: str) -> None:
    with pytest.raises(InvalidRecord, match=reason) as caught:
        check_url(url, Policy())

    assert "example" not in str(caught.value)


def test_a_request_arrives_as_it_was_sent(receiver: Receiver) -> None:
    status = post(receiver.url, b"{}", headers={"x-a": "b"}, policy=OURS)

    [delivery] = receiver.deliveries
    assert (status, delivery.path, delivery.body) == (204, "/hook", b"{}")
    assert delivery.headers["x-a"] == "b"
    assert delivery.headers["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f000001", "2130706433"])
def test_a_name_that_leads_to_this_machine_is_refused(receiver: Receiver, host: str) -> None:
    url = f"http://{host}:{receiver.port}/hook"

    with pytest.raises(Undelivered, match="not public"):
        post(url, b"{}", headers={}, policy=Policy(allow_http=True))

    assert receiver.deliveries == []


def test_a_name_with_one_address_of_ours_among_others_is_refused(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, ["8.8.8.8", "127.0.0.1"])

    with pytest.raises(Undelivered, match="not public"):
        post(
            f"http://two.example:{receiver.port}/", b"", headers={}, policy=Policy(allow_http=True)
        )


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """What names lead to, a list for each question; the names that were asked for."""
    asked: list[str] = []

    async def answer(self: object, host: str, port: int, **options: Any) -> Any:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", answer)
    return asked


def test_what_is_connected_to_is_the_address_that_was_checked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a name that answers with another address the second time it is asked for
    asked = resolve_to(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
    checked = []

    def believe(address: str) -> bool:
        checked.append(address)
        return True

    monkeypatch.setattr(sending, "is_public", believe)

    status = post(
        f"http://twice.example:{receiver.port}/hook",
        b"{}",
        headers={},
        policy=Policy(allow_http=True),
    )

    assert (status, checked) == (204, ["127.0.0.1"])
    # the library asks for the address itself, which is no name
    assert asked[0] == "twice.example"
    assert "twice.example" not in asked[1:]
    assert receiver.deliveries[0].headers["host"] == f"twice.example:{receiver.port}"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    receiver.headers = {"location": f"http://127.0.0.1:{receiver.port}/elsewhere"}

    assert post(receiver.url, b"{}", headers={}, policy=OURS) == status
    assert [delivery.path for delivery in receiver.deliveries] == ["/hook"]


def test_a_receiver_that_drips_is_given_up_in_time(receiver: Receiver) -> None:
    receiver.drips = True
    started = time.monotonic()

    with pytest.raises(Undelivered, match=r"within 0\.3 seconds"):
        post(
            receiver.url,
            b"{}",
            headers={},
            policy=Policy(allow_http=True, hosts=OURS.hosts, timeout_s=0.3),
        )

    assert time.monotonic() - started < 3


def test_where_nobody_listens_nobody_is_reached() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}/"

        with pytest.raises(Undelivered, match="nobody could be reached") as caught:
            post(url, b"{}", headers={}, policy=OURS)

    assert "127.0.0.1" not in str(caught.value)


def test_a_name_that_leads_nowhere_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(self: object, host: str, port: int, **options: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", fail)

    with pytest.raises(Undelivered, match="gaierror"):
        post("https://nowhere.example/", b"{}", headers={}, policy=Policy())


def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert post(receiver.url, b"{}", headers={}, policy=OURS) == 204


@pytest.fixture
def tls_port(tmp_path: Path) -> Iterator[int]:
    """A server by TLS whose certificate is for `good.example`, signed by itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    make_certificate(tmp_path, "good.example")
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    receiver = Receiver()
    with receiving(receiver, tls=context):
        yield receiver.port


def make_certificate(folder: Path, name: str) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    private = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(pem, private, serialization.NoEncryption()))


def trust(monkeypatch: pytest.MonkeyPatch, certificate: Path) -> None:
    """Let this certificate be one of those that the system trusts."""
    import httpcore2

    def trusting(**_options: object) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(certificate))

    monkeypatch.setattr(httpcore2, "default_ssl_context", trusting)


def test_a_certificate_must_be_for_the_name_and_not_for_the_address(
    tls_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(monkeypatch, tmp_path / "cert.pem")
    resolve_to(monkeypatch, ["127.0.0.1"])
    policy = Policy(hosts=frozenset({"good.example", "bad.example"}))

    good = post(f"https://good.example:{tls_port}/", b"{}", headers={}, policy=policy)
    with pytest.raises(Undelivered, match="nobody could be reached"):
        post(f"https://bad.example:{tls_port}/", b"{}", headers={}, policy=policy)

    assert good == 204


def test_a_certificate_that_nobody_vouches_for_is_refused(
    tls_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, ["127.0.0.1"])

    with pytest.raises(Undelivered, match="nobody could be reached"):
        post(
            f"https://good.example:{tls_port}/",
            b"{}",
            headers={},
            policy=Policy(hosts=frozenset({"good.example"})),
        )

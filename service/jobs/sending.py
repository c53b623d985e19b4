"""One HTTP request to an address that somebody gave us, without being led astray.

What is connected to is the very address that was checked: a name that points elsewhere a moment later leads
nowhere. Redirects of what is posted are not followed, those of what is fetched are checked like the first
address. Proxies of the environment are not used.

Source: OWASP, Server-Side Request Forgery Prevention Cheat Sheet.
"""

import asyncio
import socket
from collections.abc import Collection, Coroutine, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any, TypeVar

from nlp.errors import InvalidRecord

if TYPE_CHECKING:
    from httpx2 import URL

T = TypeVar("T")
_MAX_CHARS = 2000
_MAX_REDIRECTS = 5
_REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True, slots=True)
class Policy:
    """Where requests may go: to public addresses by https, and to `hosts` wherever they are.

    `settings` is how the variables begin that allow for more.
    """

    allow_http: bool = False
    hosts: Collection[str] = frozenset()
    timeout_s: float = 10.0
    settings: str = "DANVAN_WEBHOOK"

    @property
    def advice(self) -> str:
        """What to do about an address that is not public."""
        return f"; where it is one of yours, name its host in {self.settings}_HOSTS"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `headers` by their names in lower case, the body as it was before it was packed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Undelivered(Exception):  # noqa: N818 - says what became of a message
    """No answer came; the message is a sentence that names no address."""


def check_url(url: str, policy: Policy) -> None:
    """See whether requests may go to an address, as far as that can be told without asking for it.

    Raises:
        InvalidRecord: it is none, not by https, holds a password or names an address that is not public.
    """
    parsed = _parse(url)
    is_port = parsed.port is None or 0 < parsed.port < 65_536
    if not parsed.host or not is_port or parsed.scheme not in {"https", "http"}:
        raise InvalidRecord("the url is none of the form https://host/path")
    if parsed.scheme == "http" and not policy.allow_http:
        raise InvalidRecord(
            f"the url must begin with https; {policy.settings}_ALLOW_HTTP allows http"
        )
    if parsed.userinfo or parsed.fragment:
        raise InvalidRecord("the url must hold neither a user nor a fragment")
    try:
        address = ip_address(parsed.host)
    except ValueError:  # a name
        return
    if parsed.host not in policy.hosts and not is_public(str(address)):
        raise InvalidRecord(f"the url names an address that is not public{policy.advice}")


def _parse(url: str) -> "URL":
    from httpx2 import URL, InvalidURL

    try:
        parsed = URL(url)
        is_sound = len(url) <= _MAX_CHARS and parsed.raw_host.isascii()
    except (InvalidURL, UnicodeError, ValueError) as error:
        raise InvalidRecord("the url is none of the form https://host/path") from error
    if not is_sound:
        raise InvalidRecord(f"the url is longer than {_MAX_CHARS} characters")
    return parsed


def is_public(address: str) -> bool:
    """Whether an address belongs to anybody on the internet, and not to a network or machine of ours.

    Addresses that carry another inside (6to4, NAT64, Teredo) do not count as public.
    """
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if found.sixtofour is not None or found.is_site_local:
            return False
    return found.is_global and not found.is_multicast and not found.is_reserved


def post(url: str, body: bytes, *, headers: Mapping[str, str], policy: Policy) -> int:
    """Post a body; the status of the answer, whose own body is not read.

    Raises:
        InvalidRecord: requests may not go there, as `check_url`.
        Undelivered: the name leads nowhere or to an address that is not public, nobody answers there, or
            not in time.
    """
    check_url(url, policy)
    return _told(
        _send("POST", _parse(url), content=body, headers=headers, policy=policy), policy
    ).status


def fetch(url: str, *, headers: Mapping[str, str], policy: Policy, max_bytes: int) -> Answer:
    """Get what is at an address; up to five redirects are followed, each checked like the first address.

    Raises:
        InvalidRecord: requests may not go there, as `check_url`.
        Undelivered: as `post`; or there are too many redirects, or the answer is too large.
    """
    return _told(_follow(url, headers=headers, policy=policy, max_bytes=max_bytes), policy)


def resolve(host: str, port: int, *, policy: Policy) -> str:
    """The address to connect to under a name.

    Raises:
        Undelivered: it leads nowhere, or to an address that is not public.
    """
    return _told(_resolve(host, port, policy=policy), policy)


def _told(asked: Coroutine[Any, Any, T], policy: Policy) -> T:
    """Wait for what was asked, and tell in a sentence why it did not come."""
    from httpx2 import HTTPError, InvalidURL

    async def in_time() -> T:
        async with asyncio.timeout(policy.timeout_s):
            return await asked

    try:
        return asyncio.run(in_time())
    except TimeoutError as error:
        raise Undelivered(f"no answer came within {policy.timeout_s:g} seconds") from error
    except (HTTPError, InvalidURL, OSError) as error:
        raise Undelivered(f"nobody could be reached there ({type(error).__name__})") from error


async def _follow(
    url: str, *, headers: Mapping[str, str], policy: Policy, max_bytes: int
) -> Answer:
    for _ in range(_MAX_REDIRECTS + 1):
        check_url(url, policy)
        place = _parse(url)
        answer = await _send("GET", place, headers=headers, policy=policy, max_bytes=max_bytes)
        if answer.status not in _REDIRECTS or "location" not in answer.headers:
            return answer
        url = str(place.join(answer.headers["location"]).copy_with(fragment=None))
    raise Undelivered(f"there are more than {_MAX_REDIRECTS} redirects")


async def _send(
    method: str,
    url: "URL",
    *,
    headers: Mapping[str, str],
    policy: Policy,
    content: bytes | None = None,
    max_bytes: int = 0,
) -> Answer:
    """Ask one address; of the answer's body at most `max_bytes` are read, and none where that is 0."""
    from httpx2 import AsyncClient

    port = url.port or (443 if url.scheme == "https" else 80)
    address = await _resolve(url.raw_host.decode("ascii"), port, policy=policy)
    async with AsyncClient(trust_env=False, timeout=None) as client:
        request = client.build_request(
            method,
            url.copy_with(host=address),
            content=content,
            headers={**headers, "host": url.netloc.decode("ascii")},
            # the certificate must be for the name and not for the address
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        response = await client.send(request, stream=True, follow_redirects=False)
        try:
            body = b""
            pieces = response.aiter_bytes()
            while max_bytes and (piece := await anext(pieces, b"")):
                body += piece
                if len(body) > max_bytes:
                    raise Undelivered(f"the answer has more than {max_bytes} bytes")
        finally:
            await response.aclose()
        return Answer(response.status_code, dict(response.headers), body)


async def _resolve(host: str, port: int, *, policy: Policy) -> str:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(place[0]) for *_, place in found]
    # one that is not public makes all suspect: who answers is for others to choose
    if host not in policy.hosts and not all(map(is_public, addresses)):
        raise Undelivered(f"the address it leads to is not public{policy.advice}")
    return addresses[0]

"""One HTTP request to an address that somebody gave us, without being led astray.

What is connected to is the very address that was checked: a name that points elsewhere a moment later leads
nowhere. Redirects are not followed, and proxies of the environment not used.

Source: OWASP, Server-Side Request Forgery Prevention Cheat Sheet.
"""

import asyncio
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

from nlp.errors import InvalidRecord

if TYPE_CHECKING:
    from httpx2 import URL

_MAX_CHARS = 2000
_OF_OURS = "; where it is one of yours, name its host in DANVAN_WEBHOOK_HOSTS"


@dataclass(frozen=True, slots=True)
class Policy:
    """Where requests may go: to public addresses by https, and to `hosts` wherever they are."""

    allow_http: bool = False
    hosts: Collection[str] = frozenset()
    timeout_s: float = 10.0


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
        raise InvalidRecord("the url must begin with https; DANVAN_WEBHOOK_ALLOW_HTTP allows http")
    if parsed.userinfo or parsed.fragment:
        raise InvalidRecord("the url must hold neither a user nor a fragment")
    try:
        address = ip_address(parsed.host)
    except ValueError:  # a name
        return
    if parsed.host not in policy.hosts and not is_public(str(address)):
        raise InvalidRecord(f"the url names an address that is not public{_OF_OURS}")


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
    from httpx2 import HTTPError, InvalidURL

    check_url(url, policy)
    try:
        return asyncio.run(_post(_parse(url), body, headers=headers, policy=policy))
    except TimeoutError as error:
        raise Undelivered(f"no answer came within {policy.timeout_s:g} seconds") from error
    except (HTTPError, InvalidURL, OSError) as error:
        raise Undelivered(f"nobody could be reached there ({type(error).__name__})") from error


async def _post(url: "URL", body: bytes, *, headers: Mapping[str, str], policy: Policy) -> int:
    from httpx2 import AsyncClient

    async with asyncio.timeout(policy.timeout_s):
        address = await _resolve(url, policy)
        async with AsyncClient(trust_env=False, timeout=None) as client:
            request = client.build_request(
                "POST",
                url.copy_with(host=address),
                content=body,
                headers={**headers, "host": url.netloc.decode("ascii")},
                # the certificate must be for the name and not for the address
                extensions={"sni_hostname": url.raw_host.decode("ascii")},
            )
            response = await client.send(request, stream=True, follow_redirects=False)
            await response.aclose()
            return response.status_code


async def _resolve(url: "URL", policy: Policy) -> str:
    host, port = url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(place[0]) for *_, place in found]
    # one that is not public makes all suspect: who answers is for others to choose
    if host not in policy.hosts and not all(map(is_public, addresses)):
        raise Undelivered(f"the address of the receiver is not public{_OF_OURS}")
    return addresses[0]

"""A mailbox by IMAP, read only: subject and words of each message, without those it quotes.

Of the head of a message the server is asked for the subject, the date, the name of the message and how it is
written, and for nothing else: who wrote it and to whom never comes here.
"""

import imaplib
import re
import socket
import ssl
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Any
from urllib.parse import unquote, urlsplit

from nlp.errors import InputError, InvalidRecord
from nlp.readers.child import Limits, read_in_child
from service.feeds.entries import Entry, State, Step, Unreachable, hashed, read_moment

_PORTS = {"imaps": 993, "imap": 143}
_HEAD = "MESSAGE-ID DATE SUBJECT MIME-VERSION CONTENT-TYPE CONTENT-TRANSFER-ENCODING"
_BODY_BYTES = 4 * 1024 * 1024  # what follows are attachments
_TIMEOUT_S = 30.0
_AT_ONCE = 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SIGNATURE = re.compile(r"(?<=.)\n-- ?(?:\n|$)", re.DOTALL)  # Source: RFC 3676, section 4.3
_TOLD_CHARS, _WORD_CHARS = 300, 30


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where letters are; `folder` is one of the mailbox's."""

    host: str
    port: int
    login: str = field(repr=False)
    folder: str = "INBOX"
    is_encrypted: bool = True


@dataclass(frozen=True, slots=True)
class Access:
    """How a mailbox is entered: by which address of its host, which was checked, and which password."""

    address: str
    password: str = field(repr=False)
    limits: Limits = field(default_factory=Limits)
    tls: ssl.SSLContext | None = None


def parse_mailbox(address: str) -> Mailbox:
    """Read imaps://LOGIN@HOST/FOLDER; an @ in the login is written %40.

    Raises:
        InvalidRecord: it is not of this form, or holds a password.
    """
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS[parts.scheme]
        login, folder = unquote(parts.username or ""), unquote(parts.path.strip("/")) or "INBOX"
        is_sound = bool(parts.hostname and login) and not parts.query + parts.fragment
        (login + (parts.hostname or "")).encode("ascii")
    except (ValueError, KeyError) as error:
        raise InvalidRecord("the address is none of the form imaps://LOGIN@HOST/FOLDER") from error
    if not is_sound or _CONTROL.search(login + folder):
        raise InvalidRecord("the address is none of the form imaps://LOGIN@HOST/FOLDER")
    if parts.password is not None:
        raise InvalidRecord("no password belongs into the address; see DANVAN_FEED_<NAME>_PASSWORD")
    return Mailbox(str(parts.hostname), port, login, folder, parts.scheme == "imaps")


def look(box: Mailbox, state: State, *, access: Access, now: datetime) -> Generator[Step]:
    """The messages that came since, in their order; none is marked as read.

    A mailbox that was built anew numbers them anew: then all are looked at again, and known by their names.

    Raises:
        Unreachable: the server cannot be reached, does not let us in or has no such folder.
    """
    with _entered(box, access) as client:
        validity = _text((client.response("UIDVALIDITY")[1] or [b""])[-1])
        last = int(state["last"]) if state.get("validity") == validity else 0
        uids = _newer(client, last)
        for start in range(0, len(uids), _AT_ONCE):
            some = uids[start : start + _AT_ONCE]
            entries = [_entry(client, uid, limits=access.limits, now=now) for uid in some]
            yield Step(entries, {"validity": validity, "last": some[-1]})


class _Tls(imaplib.IMAP4_SSL):
    """By TLS to one address of a host; the certificate must be for its name."""

    def __init__(self, box: Mailbox, access: Access) -> None:
        self._address = access.address
        context = access.tls or ssl.create_default_context()
        super().__init__(box.host, box.port, ssl_context=context, timeout=_TIMEOUT_S)

    def _create_socket(self, timeout: float | None) -> ssl.SSLSocket:
        plain = socket.create_connection((self._address, self.port), timeout)
        tls: ssl.SSLSocket = self.ssl_context.wrap_socket(plain, server_hostname=self.host)
        return tls


@contextmanager
def _entered(box: Mailbox, access: Access) -> Iterator[imaplib.IMAP4]:
    """The folder, opened so that nothing in it can be changed."""
    with _failing_at("reaching the server"):
        client = (
            _Tls(box, access)
            if box.is_encrypted
            else imaplib.IMAP4(access.address, box.port, timeout=_TIMEOUT_S)
        )
    try:
        with _failing_at("signing in"):
            client.login(_quoted(box.login), access.password)
        with _failing_at("opening the folder"):
            _checked(client.select(_quoted(_in_utf7(box.folder)), readonly=True))
        yield client
    finally:
        try:
            client.logout()
        except (imaplib.IMAP4.error, OSError):
            with suppress(OSError):
                client.shutdown()


@contextmanager
def _failing_at(what: str) -> Iterator[None]:
    try:
        yield
    except (imaplib.IMAP4.error, OSError, ValueError, IndexError) as error:
        # what the server says may quote anything, so only its kind is told
        is_refused = isinstance(error, imaplib.IMAP4.error)
        reason = "it was refused" if is_refused else type(error).__name__
        raise Unreachable(f"{what} of the mailbox failed: {reason}") from error


def _checked(answer: tuple[str, list[Any]]) -> list[Any]:
    """What the server said, if it said yes. `Any`: bytes, pairs of bytes, None."""
    if answer[0] != "OK":
        raise imaplib.IMAP4.error
    return answer[1]


def _newer(client: imaplib.IMAP4, last: int) -> list[int]:
    with _failing_at("listing the messages"):
        found = _checked(client.uid("SEARCH", f"UID {last + 1}:*"))
        numbers = b" ".join(part for part in found if isinstance(part, bytes)).split()
        # a range that begins behind the last message has it nevertheless (RFC 3501, 6.4.8)
        return sorted(uid for uid in map(int, numbers) if uid > last)


def _entry(client: imaplib.IMAP4, uid: int, *, limits: Limits, now: datetime) -> Entry:
    place = f"message {uid}"
    wanted = f"(BODY.PEEK[HEADER.FIELDS ({_HEAD})] BODY.PEEK[TEXT]<0.{_BODY_BYTES}>)"
    with _failing_at("reading a message"):
        answer = _checked(client.uid("FETCH", str(uid), wanted))
        parts = [(bytes(p[0]), bytes(p[1])) for p in answer if isinstance(p, tuple)]
    head = b"".join(data for told, data in parts if b"HEADER" in told)
    body = b"".join(data for told, data in parts if b"TEXT" in told)
    try:
        doc = read_in_child(head.rstrip() + b"\r\n\r\n" + body, name="message.eml", limits=limits)
    except InputError as error:
        return Entry(place, fault=str(error))
    fields = BytesHeaderParser(policy=compat32).parsebytes(head)
    name = str(fields.get("Message-ID", "")).strip()
    posted_at = _moment(str(fields.get("Date", "")), now=now)
    return Entry(place, own_words(doc.text), hashed(name) if name else "", posted_at)


def own_words(text: str) -> str:
    """A message without its signature, and without the lines that tell whom it quotes."""
    lines = _SIGNATURE.split(text, maxsplit=1)[0].split("\n")
    tells = [_tells_whom(line, before=before) for before, line in pairwise(("", *lines))]
    kept = (
        line
        for line, is_one, is_next in zip(lines, tells, (*tells[1:], False), strict=True)
        if not is_one and not (is_next and _names_somebody(line))
    )
    return "\n".join(kept).strip()


def _tells_whom(line: str, *, before: str) -> bool:
    """Whether a line is the end of "Somebody <address> wrote:", which programs break in two."""
    if len(line) > _TOLD_CHARS or not line.rstrip().endswith(":"):
        return False
    return _names_somebody(line) or (_names_somebody(before) and len(line) < _WORD_CHARS)


def _names_somebody(line: str) -> bool:
    return len(line) <= _TOLD_CHARS and "@" in line.partition("<")[2].partition(">")[0]


def _moment(written: str, *, now: datetime) -> datetime | None:
    """When a message says that it was sent; None where that cannot be."""
    try:
        return read_moment(parsedate_to_datetime(written).astimezone(UTC).isoformat(), now=now)
    except (ValueError, TypeError, OverflowError):
        return None


def _text(value: object) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else ""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _in_utf7(name: str) -> str:
    """The name of a folder as it goes over the wire.  Source: RFC 3501, section 5.1.3."""

    def shifted(run: re.Match[str]) -> str:
        coded = run[0].encode("utf-7").decode("ascii")
        return "&" + coded.removeprefix("+").removesuffix("-").replace("/", ",") + "-"

    return re.sub(r"[^\x20-\x7e]+", shifted, name.replace("&", "&-"))

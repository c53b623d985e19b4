"""Looking at a feed, of whatever kind it is: what is there that was not there before."""

import re
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from nlp.errors import InvalidRecord
from nlp.readers.child import rows_in_child
from nlp.readers.rows import FEED
from nlp.readers.syndication import COLUMNS as FEED_COLUMNS
from service.feeds import folder, mailbox
from service.feeds.entries import (
    Columns,
    Entry,
    Step,
    Unreachable,
    as_shown,
    columns_of,
    entry_of,
)
from service.jobs.sending import Policy, Undelivered, check_url, fetch, resolve
from service.monitor.traits import is_denunciation, load_rules, read_hints
from service.settings import Settings, feed_password
from service.store.feeds import Feed, FeedKind

NAME = r"^[a-z][a-z0-9_]{0,39}$"  # it is part of the name of a variable
MIN_EVERY_S, MAX_EVERY_S = 60, 7 * 86_400
PREVIEWED = 5
_SEALED = "it reads like a denunciation; it would be sealed and counted, and is not shown"
_TIMEOUT_S = 30.0
_TAG_CHARS = 500
_ENTRIES = Columns(("title", "summary"), "id", "published")
_TAGS = {"etag": "if-none-match", "last-modified": "if-modified-since"}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants looked at. `columns` name where a text, its name and its moment stand."""

    kind: FeedKind
    address: str
    source: str
    columns: Mapping[str, str]
    every_s: int = 900

    def named(self, name: str, *, now: datetime) -> Feed:
        """The feed of this name that was never looked at."""
        options = dict(self.columns)
        return Feed(name, self.kind, self.address, self.source, options, self.every_s, now)


def check(feed: Feed, *, settings: Settings) -> None:
    """See whether a feed can be looked at, as far as that can be told without looking.

    Raises:
        InvalidRecord: it cannot.
    """
    if not re.fullmatch(NAME, feed.name):
        raise InvalidRecord("the name must be a-z, 0-9 and _, at most 40, and begin with a letter")
    if not MIN_EVERY_S <= feed.every_s <= MAX_EVERY_S:
        raise InvalidRecord(f"a feed is looked at every {MIN_EVERY_S} to {MAX_EVERY_S} seconds")
    _CHECKS[feed.kind](feed, settings=settings)


def _check_feed(feed: Feed, *, settings: Settings) -> None:
    check_url(feed.address, policy_of(settings))
    if not columns_of(feed.options, otherwise=_ENTRIES).named <= set(FEED_COLUMNS):
        raise InvalidRecord(f"the columns of a feed are {', '.join(FEED_COLUMNS)}")


def _check_folder(feed: Feed, *, settings: Settings) -> None:
    folder.find_folder(settings.feeds_folder, feed.address)
    columns_of(feed.options, otherwise=folder.COLUMNS)


def _check_mailbox(feed: Feed, *, settings: Settings) -> None:
    box = mailbox.parse_mailbox(feed.address)
    if not box.is_encrypted and not settings.feed_allow_http:
        raise InvalidRecord("the address must begin with imaps; DANVAN_FEED_ALLOW_HTTP allows imap")
    if feed.options:
        raise InvalidRecord("a mailbox has no columns")


def policy_of(settings: Settings) -> Policy:
    """Where feeds and mailboxes may lie."""
    hosts = frozenset(host.lower() for host in settings.feed_hosts)
    return Policy(settings.feed_allow_http, hosts, _TIMEOUT_S, "DANVAN_FEED")


def look(
    feed: Feed, *, settings: Settings, now: datetime, still: timedelta | None = folder.STILL
) -> Generator[Step]:
    """What is new there, and what to remember behind it. A file of a folder must lie `still` so long, if any.

    Raises:
        DanvanError: there is no getting at it, or it cannot be read.
    """
    check(feed, settings=settings)
    limits = settings.limits()
    if feed.kind == "folder":
        place = folder.find_folder(settings.feeds_folder, feed.address)
        columns = columns_of(feed.options, otherwise=folder.COLUMNS)
        reading = folder.Reading(columns, limits.reading, limits.max_upload_bytes, now, still)
        yield from folder.look(place, feed.state, reading=reading)
        return
    try:
        if feed.kind == "mailbox":
            yield from _look_at_mailbox(feed, settings=settings, now=now)
        else:
            yield from _look_at_feed(feed, settings=settings, now=now)
    except Undelivered as error:
        raise Unreachable(str(error)) from error


def preview(feed: Feed, *, settings: Settings, now: datetime) -> tuple[Entry, ...]:
    """The first entries as they would be kept, masked; files that cannot be read are entries with a fault.

    Raises:
        DanvanError: as `look`.
    """
    found: list[Entry] = []
    fresh = replace(feed, state={})
    with closing(look(fresh, settings=settings, now=now, still=None)) as steps:
        for step in steps:
            found += (Entry(file, fault=reason) for file, reason in step.faults.items())
            found += step.entries[:PREVIEWED]
            if len(found) >= PREVIEWED:
                break
    rules = load_rules(settings.corpus_folder / "registers")
    shown = [as_shown(entry, max_chars=settings.max_opinion_chars) for entry in found[:PREVIEWED]]
    hints = read_hints([entry.text for entry in shown], rules=rules)
    return tuple(
        replace(entry, text="", fault=_SEALED) if is_denunciation(own) else entry
        for entry, own in zip(shown, hints, strict=True)
    )


def _look_at_feed(feed: Feed, *, settings: Settings, now: datetime) -> Generator[Step]:
    limits = settings.limits()
    known = {_TAGS[name]: tag for name, tag in feed.state.items()}
    headers = {"user-agent": "danvan", "accept": "application/rss+xml, application/atom+xml, */*"}
    answer = fetch(
        feed.address,
        headers=headers | known,
        policy=policy_of(settings),
        max_bytes=limits.max_upload_bytes,
    )
    if answer.status == 304 and known:
        return
    if answer.status != 200:
        raise Unreachable(f"the server of the feed answered {answer.status}")
    columns = columns_of(feed.options, otherwise=_ENTRIES)
    for rows in rows_in_child(answer.body, name=FEED, asked=columns.asked, limits=limits.reading):
        yield Step([entry_of(row, columns=columns, now=now) for row in rows])
    tags = {name: answer.headers[name] for name in _TAGS if name in answer.headers}
    yield Step(state={name: tag for name, tag in tags.items() if len(tag) <= _TAG_CHARS})


def _look_at_mailbox(feed: Feed, *, settings: Settings, now: datetime) -> Generator[Step]:
    password = feed_password(feed.name)
    if password is None:
        raise Unreachable(f"there is no password; set DANVAN_FEED_{feed.name.upper()}_PASSWORD")
    box = mailbox.parse_mailbox(feed.address)
    address = resolve(box.host, box.port, policy=policy_of(settings))
    access = mailbox.Access(address, password, settings.limits().reading)
    yield from mailbox.look(box, feed.state, access=access, now=now)


_CHECKS = {"feed": _check_feed, "folder": _check_folder, "mailbox": _check_mailbox}

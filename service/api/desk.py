"""What routes are handed: the desk, and the promise that a body is of the right media type."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Header, HTTPException, Request

from service.actions import Desk
from service.settings import Settings


async def _get_desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(_get_desk)]


async def _get_settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


TheSettings = Annotated[Settings, Depends(_get_settings)]


async def _is_for_later(prefer: Annotated[str | None, Header(max_length=200)] = None) -> bool:
    return "respond-async" in {part.strip().lower() for part in (prefer or "").split(",")}


# RFC 7240, section 4.1: the caller would rather not wait
ForLater = Annotated[bool, Depends(_is_for_later)]


def media_type_of(request: Request) -> str:
    """The media type of the body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def takes(*media_types: str) -> Callable[[Request], Awaitable[None]]:
    """A dependency that answers 415 to other bodies."""

    async def check(request: Request) -> None:
        if media_type_of(request) not in media_types:
            raise HTTPException(415, f"send the body as {' or '.join(media_types)}")

    return check

"""`/v1/keys`: the keys of programs. What opens is told once, when a key is made."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from service import auth
from service.access import TheCaller, needs
from service.api.desk import TheDesk, takes
from service.api.problems import problems
from service.auth import Role
from service.schemas import Line
from service.store.access import ApiKey

router = APIRouter(prefix="/v1/keys", tags=["access"])


class KeyIn(BaseModel):
    """What a new key is for, and what it may."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Annotated[Line, Field(max_length=64, examples=["website"])]
    role: Role
    expires_days: int | None = Field(None, ge=1, le=3650, description="null: until it is revoked")


class NewKeyOut(BaseModel):
    """A new key; `key` is never shown again."""

    id: str
    key: str
    label: str
    role: Role
    created_at: datetime
    expires_at: datetime | None


@router.post(
    "",
    status_code=201,
    responses=problems(400, 413, 415, 422),
    dependencies=[needs("admin"), Depends(takes("application/json"))],
)
def post_key(desk: TheDesk, caller: TheCaller, body: KeyIn) -> NewKeyOut:
    """Make a key. Only its hash is kept: what is lost cannot be shown again, only replaced."""
    made = auth.make_key(
        desk.engine,
        body.label,
        role=body.role,
        by=caller,
        now=desk.now(),
        days=body.expires_days,
    )
    return NewKeyOut(
        id=made.info.id,
        key=made.key,
        label=made.info.label,
        role=body.role,
        created_at=made.info.created_at,
        expires_at=made.info.expires_at,
    )


@router.get("", responses=problems(), dependencies=[needs("admin")])
def get_keys(desk: TheDesk) -> tuple[ApiKey, ...]:
    """Every key there ever was, oldest first."""
    return auth.list_keys(desk.engine)


@router.delete("/{key_id}", responses=problems(404, 422), dependencies=[needs("admin")])
def delete_key(
    desk: TheDesk, caller: TheCaller, key_id: Annotated[str, Path(pattern="^[0-9a-f]{8}$")]
) -> ApiKey:
    """Revoke a key: from the next request on it opens nothing. It stays in the list."""
    return auth.revoke_key(desk.engine, key_id, by=caller, now=desk.now())

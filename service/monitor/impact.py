"""The impact assessment: what this very service does with citizens' texts, from its running configuration.

No name of a person, no address of a program and no secret is in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import sqlalchemy as sa

from models.card import read_figures
from models.reference import read_reference
from models.registry import ModelInfo
from nlp.privacy import PersonalKind
from nlp.taxonomy import Taxonomy
from service.messages import words_of
from service.monitor.suppression import disclose
from service.store import tables
from service.store.days import VIETNAM
from service.store.restricted import count_waiting
from service.store.retention import is_done_retention

_TEXTS = Path(__file__).parents[1] / "texts"
_TEMPLATE = "impact.md"


@dataclass(frozen=True, slots=True)
class Config:
    """What of the settings the assessment tells."""

    code_version: str
    access: str
    min_group: int
    export_days: int
    retention_max_jump_days: float
    has_provider: bool
    webhook_allow_http: bool


@dataclass(frozen=True, slots=True)
class Role:
    """How many may act in a role now."""

    name: str
    n_staff: int
    n_keys: int


def write_impact(
    connection: sa.Connection,
    config: Config,
    *,
    model: ModelInfo,
    taxonomy: Taxonomy,
    roles: Sequence[str],
    now: datetime,
) -> str:
    """The assessment in Markdown, in Vietnamese.

    Raises:
        ArtifactError: what is kept beside the model cannot be read.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # Markdown, and no page: what comes from outside is made harmless by `cell`
    pages = Environment(  # noqa: S701
        loader=FileSystemLoader(_TEXTS), undefined=StrictUndefined, keep_trailing_newline=True
    )
    pages.filters["cell"] = _cell
    words = words_of("personal_data")
    facts = _stored_facts(connection, k=config.min_group, roles=roles, now=now)
    return pages.get_template(_TEMPLATE).render(
        config=config,
        code_version=config.code_version,
        made_at=_told(now),
        masked=[words[kind] for kind in get_args(PersonalKind)],
        model=model,
        taxonomy=taxonomy,
        facets={facet.title: len(facet.categories) for facet in taxonomy.facets.values()},
        figures=read_figures(model.folder),
        has_reference=read_reference(model.folder) is not None,
        **facts,
    )


def _stored_facts(
    connection: sa.Connection, *, k: int, roles: Sequence[str], now: datetime
) -> Mapping[str, Any]:
    """What the store tells; `Any`: the template has a use for each."""
    sources, jobs = tables.sources, tables.jobs.c
    last = connection.scalar(sa.select(sa.func.max(jobs.finished_at)).where(*is_done_retention()))
    return {
        "sources": connection.execute(sa.select(sources).order_by(sources.c.name)).mappings().all(),
        "roles": _roles(connection, roles, now=now),
        "n_waiting": disclose(count_waiting(connection), k=k),
        "n_feeds": _count(connection, tables.feeds.c.ended_at.is_(None)),
        "n_webhooks": _count(connection, tables.webhooks.c.ended_at.is_(None)),
        "n_runs": connection.scalar(
            sa.select(sa.func.count(tables.active_runs.c.run_id.distinct()))
        ),
        "last_retention": last and _told(last),
    }


def _roles(connection: sa.Connection, names: Sequence[str], *, now: datetime) -> list[Role]:
    staff, keys = tables.staff.c, tables.api_keys.c
    opens = (
        keys.ended_at.is_(None),
        sa.or_(keys.expires_at.is_(None), keys.expires_at > now),
    )
    return [
        Role(
            name,
            _count(connection, staff.role == name, staff.ended_at.is_(None)),
            _count(connection, keys.role == name, *opens),
        )
        for name in names
    ]


def _count(connection: sa.Connection, *conditions: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).where(*conditions)) or 0


def _told(moment: datetime) -> str:
    return f"{moment.astimezone(VIETNAM):%d/%m/%Y %H:%M}"


def _cell(text: object) -> str:
    """A text that stays within its cell of a table."""
    return " ".join(
        str(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").split()
    )

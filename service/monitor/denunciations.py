"""What may be told of texts that read like a denunciation: by month, never a small number, never a word."""

from dataclasses import dataclass

import sqlalchemy as sa

from service.monitor.suppression import disclose
from service.store.restricted import count_months, count_sources, count_waiting


@dataclass(frozen=True, slots=True)
class ToldMonth:
    """How many came in within a month of Vietnam, and how many of these were handed over; None: too few."""

    month: str
    received: int
    handed_over: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """The months in which enough came in, the newest first, and the sources that enough came from."""

    months: tuple[ToldMonth, ...]
    sources: tuple[str, ...]
    waiting: int | None


def tell(connection: sa.Connection, *, k: int) -> Told:
    """Counts of at least `k`, rounded; a month or source with fewer is not even named."""
    months = []
    for month in count_months(connection):
        received = disclose(month.n_received, k=k)
        if received:
            months.append(ToldMonth(month.month, received, disclose(month.n_handed_over, k=k)))
    sources = (name for name, n in count_sources(connection).items() if disclose(n, k=k))
    return Told(tuple(months), tuple(sources), disclose(count_waiting(connection), k=k))

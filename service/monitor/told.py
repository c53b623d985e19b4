"""The answer about trends, as it goes out."""

from dataclasses import dataclass

from service.monitor.dimensions import Name
from service.monitor.figures import Range, Share
from service.monitor.periods import Period, Step


@dataclass(frozen=True, slots=True)
class Corrected:
    """The count of `answered` (by primary label) put right by the model's measured confusions."""

    answered: int
    count: int | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One count as it may be told; where `suppressed` it is below k, and nothing else is told of it.

    `interval` is of the count. `reposts` come on top of `count`. `list` leads to the opinions behind it.
    """

    count: int | None
    suppressed: bool
    reposts: int | None = None
    share: Share | None = None
    interval: Range | None = None
    corrected: Corrected | None = None
    list: str | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A figure of one period; `day_to` does not belong to it."""

    period: Period
    figure: Figure


@dataclass(frozen=True, slots=True)
class Part:
    """A group within a group; its shares are of that group."""

    code: str
    name: str
    figure: Figure
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Trend:
    """A group; its shares are of all opinions of the period."""

    code: str
    name: str
    figure: Figure
    points: tuple[Point, ...]
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class OfSource:
    """How many opinions a source has sent; None where it is suppressed."""

    name: str
    channel: str
    count: int | None


@dataclass(frozen=True, slots=True)
class Sample:
    """What the figures are made from."""

    n: int | None
    reposts: int | None
    period: Period
    sources: tuple[OfSource, ...]
    notice: str


@dataclass(frozen=True, slots=True)
class Trends:
    """The whole answer; `notes` are for people."""

    by: Name
    then: Name | None
    step: Step
    k: int
    total: Figure
    points: tuple[Point, ...]
    groups: tuple[Trend, ...]
    sample: Sample
    notes: tuple[str, ...]

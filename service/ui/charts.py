"""What `static/charts.js` draws: plain values, colours by name; the words come from the messages."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from service.messages import say
from service.monitor.figures import Range
from service.monitor.told import Figure

Colour = Literal["bad", "good", "quiet", "do", "why", "primary"]
Kind = Literal["bars", "lines"]


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one part of every bar: a value and an address a label; None is not told.

    `low` and `high` are the ends of intervals, which a line is drawn in.
    """

    name: str
    colour: Colour
    values: tuple[int | None, ...]
    links: tuple[str | None, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


def series_of(name: str, figures: Sequence[Figure], *, colour: Colour) -> Series:
    """A series of figures; their lists are those of the pages."""
    return Series(
        name=name,
        colour=colour,
        values=tuple(figure.count for figure in figures),
        links=tuple(
            figure.list.replace("/v1/", "/", 1) if figure.list else None for figure in figures
        ),
    )


def with_intervals(series: Series, figures: Sequence[Figure], *, k: int) -> Series:
    """The series in its intervals; what is not told may be anything below `k`."""
    ranges = [figure.interval or Range(0, k - 1) for figure in figures]
    return replace(
        series, low=tuple(own.low for own in ranges), high=tuple(own.high for own in ranges)
    )


def chart(
    kind: Kind,
    title: str,
    *,
    labels: Sequence[str],
    series: Sequence[Series],
    k: int,
    most: float | None = None,
) -> dict[str, Any]:
    """The value of `data-chart`: bars lie and their parts are stacked, lines go along the labels.

    `most` is where the axis of values ends, so that several charts can be compared. `Any`: JSON.
    """
    return {
        "kind": kind,
        "title": title,
        "about": say("overview.chart_about", title=title),
        "labels": list(labels),
        "series": [asdict(own) for own in series],
        "suppressed": say("page.suppressed", k=k),
        "between": say("overview.chart_between"),
        "most": most,
    }

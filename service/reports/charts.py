"""Charts of a report as pictures that can be printed in grey: parts differ by pattern, not by colour alone.

matplotlib is no friend of threads, so one picture is drawn at a time.
"""

import io
from collections.abc import Sequence
from threading import Lock
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from service.formats import show_number
from service.messages import say
from service.reports.report import Bar, Chart

DPI = 200
_WIDTH, _LINE = 6.3, 0.42  # inches
_NAME_CHARS = 34
_CHAR = 0.014  # of the width of the longest bar: a digit in it
_MARKS = 12  # along the axis of time
_FONT = "DejaVu Serif"  # comes with matplotlib and has every Vietnamese letter
_PATTERNS = (("#a11d21", "///"), ("#c9c4b8", ""), ("#8fb79d", "..."), ("#ffffff", ""))
# `Any`: as matplotlib declares it
_SETTINGS: dict[Any, Any] = {
    "font.family": _FONT,
    "font.size": 9,
    "hatch.linewidth": 0.5,
    "hatch.color": "white",
}
_lock = Lock()


def draw(chart: Chart) -> bytes:
    """The chart as PNG of 200 dots an inch."""
    height = 2.2 if chart.kind == "time" else 0.9 + _LINE * len(chart.labels)
    out = io.BytesIO()
    with _lock, rc_context(_SETTINGS):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        axes = figure.add_subplot()
        (_draw_time if chart.kind == "time" else _draw_parts)(axes, chart)
        axes.spines[["top", "right"]].set_visible(False)
        figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None})
    return out.getvalue()


def _draw_time(axes: Axes, chart: Chart) -> None:
    """A line with a dot at each mark; what may not be told is a gap."""
    [bar] = chart.bars
    places = range(len(chart.labels))
    counts = [float("nan") if count is None else count for count in bar.counts]
    axes.plot(places, counts, color=_PATTERNS[0][0], marker="o", markersize=3, linewidth=1.2)
    step = max(1, -(-len(chart.labels) // _MARKS))
    axes.set_xticks(list(places)[::step], list(chart.labels)[::step])
    axes.set_ylabel(bar.name)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(_number)
    axes.grid(axis="y", linewidth=0.4)


def _draw_parts(axes: Axes, chart: Chart) -> None:
    """Horizontal bars, the parts of each one behind the other, the first group on top."""
    places = range(len(chart.labels))
    begun = [0] * len(chart.labels)
    longest = max(sum(own) for own in zip(*(_told(bar) for bar in chart.bars), strict=True))
    for bar, (colour, hatch) in zip(chart.bars, _PATTERNS, strict=True):
        counts = _told(bar)
        axes.barh(
            places, counts, left=begun, height=0.62, label=bar.name, color=colour, hatch=hatch,
            edgecolor="#444444", linewidth=0.4,
        )  # fmt: skip
        _write(axes, counts, begun=begun, longest=longest)
        begun = [before + count for before, count in zip(begun, counts, strict=True)]
    axes.set_yticks(list(places), [_wrapped(label) for label in chart.labels])
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(_number)
    axes.set_xlabel(say("reports.opinions"))
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(chart.bars), frameon=False)
    axes.margins(y=0.03)


def _told(bar: Bar) -> list[int]:
    return [count or 0 for count in bar.counts]


def _write(axes: Axes, counts: Sequence[int], *, begun: Sequence[int], longest: int) -> None:
    """The count in each part that is wide enough for it."""
    for place, (count, before) in enumerate(zip(counts, begun, strict=True)):
        shown = show_number(count)
        if count > longest * _CHAR * (len(shown) + 1):
            axes.text(
                before + count / 2, place, shown, ha="center", va="center", fontsize=7.5,
                color="#111111", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
            )  # fmt: skip


def _number(value: float, _place: float) -> str:
    return show_number(value)


def _wrapped(name: str) -> str:
    """A name on two lines where it is long."""
    if len(name) <= _NAME_CHARS:
        return name
    at = name.rfind(" ", 0, _NAME_CHARS)
    rest = name[at + 1 :]
    return f"{name[:at]}\n{rest if len(rest) <= _NAME_CHARS else rest[: _NAME_CHARS - 1] + '…'}"

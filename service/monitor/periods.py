"""Stretches of days: ISO weeks, months, days."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from service.store.days import VIETNAM

Step = Literal["day", "week", "month", "none"]


@dataclass(frozen=True, slots=True)
class Period:
    """Days in Vietnam, the last one not included."""

    day_from: date
    day_to: date


def this_monday(now: datetime) -> date:
    """The first day of this ISO week in Vietnam."""
    today = now.astimezone(VIETNAM).date()
    return today - timedelta(days=today.weekday())


def cut(period: Period, step: Step) -> tuple[Period, ...]:
    """The period in parts; the first and the last may be shorter than a week or month."""
    n_days = (period.day_to - period.day_from).days
    days = (period.day_from + timedelta(days=n) for n in range(1, n_days))
    starts = [period.day_from, *(day for day in days if _begins(day, step))]
    ends = [*starts[1:], period.day_to]
    return tuple(Period(start, end) for start, end in zip(starts, ends, strict=True))


def _begins(day: date, step: Step) -> bool:
    """Whether a part begins on this day."""
    first = {"week": day.weekday() == 0, "month": day.day == 1}
    return first.get(step, step == "day")

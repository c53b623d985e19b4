"""Days as people in Vietnam count them."""

from datetime import date, datetime, timedelta, timezone

VIETNAM = timezone(timedelta(hours=7))  # no daylight saving; spares a time zone database


def day_of(posted_at: datetime | None, *, received_at: datetime) -> date:
    """The day in Vietnam on which a text counts: that of posting, unless it lies in the future."""
    moment = min(posted_at, received_at) if posted_at else received_at
    return moment.astimezone(VIETNAM).date()


def start_of_day(moment: datetime) -> datetime:
    """When the day in Vietnam began in which a moment lies."""
    return moment.astimezone(VIETNAM).replace(hour=0, minute=0, second=0, microsecond=0)

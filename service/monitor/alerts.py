"""Alerts in words: what has risen, by how much, how unlikely that is, and where to read on.

Figures that leave the service are rounded as `suppression.disclose` has it; one under k is not told at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from urllib.parse import urlencode

import sqlalchemy as sa

from nlp.privacy import mask
from service.messages import words_of
from service.monitor.suppression import disclose
from service.monitor.watching import is_flood
from service.store.alerts import Alert, Series
from service.store.query import LabelFilter, Query
from service.store.views import list_items

# the probability of so many by chance, on one day and in one series
_RARE = ((1e-9, "never"), (1e-6, "hardly"), (1.0, "seldom"))
_EXAMPLES_SHOWN = 5
_FETCHED = 50  # some are of sources that were left out


@dataclass(frozen=True, slots=True)
class Example:
    """An opinion among those counted: how it begins, masked."""

    id: str
    excerpt: str


def words() -> Mapping[str, str]:
    """The words of alerts."""
    return words_of("alerts")


def label_of(series: Series, name: str) -> str:
    """What a series is called; `name` is that of its category, place, body or source."""
    label = words()[series.kind].format(name=name)
    return words()["negative"].format(series=label) if series.negative else label


def likelihood_of(alert: Alert) -> str:
    """How unlikely so many are by chance, in words."""
    return words()[next(word for bound, word in _RARE if alert.p < bound)]


def reason_of(alert: Alert, *, k: int) -> str:
    """Why the alert was raised, in a sentence or two that begin with what has risen."""
    rise = rise_of(alert, k=k)
    return f"{alert.label}: {rise[0].lower()}{rise[1:]}"


def rise_of(alert: Alert, *, k: int) -> str:
    """The same without what has risen, for where that stands above it."""
    said = words()
    told = disclose(alert.observed, k=k)
    usual = disclose(round(alert.expected), k=k)
    sentence = said["day" if alert.n_days == 1 else "week"].format(
        day=f"{alert.day:%d/%m/%Y}",
        observed=told,
        expected=said["few"].format(k=k) if usual is None else said["about"].format(n=usual),
        likelihood=likelihood_of(alert),
    )
    if alert.left_out:
        sentence += " " + said["left_out"].format(sources=", ".join(alert.left_out))
    is_left_out = alert.series.kind == "source" and is_flood(alert.observed, alert.expected)
    if is_left_out and alert.state == "open":
        sentence += " " + said["left_alone"]
    return sentence


def days_of(alert: Alert) -> tuple[date, date]:
    """The days whose opinions the alert tells of, the end exclusive."""
    return alert.day - timedelta(days=alert.n_days - 1), alert.day + timedelta(days=1)


def list_of(alert: Alert) -> str:
    """The list of the opinions that the alert tells of, as a path of the API."""
    first, end = days_of(alert)
    asked = {"day_from": first.isoformat(), "day_to": end.isoformat()}
    if alert.series.kind != "all":
        asked[alert.series.kind] = alert.series.code
    if alert.series.negative:
        asked["sentiment"] = "negative"
    if alert.series.kind != "source":
        asked["reposts"] = "once"
    return f"/v1/opinions?{urlencode(asked)}"


def find_examples(engine: sa.Engine, alert: Alert) -> tuple[Example, ...]:
    """Some of the opinions that were counted, none of which says the same as another."""
    found = list_items(engine, _examples_of(alert)).items
    counted = (item for item in found if item.source not in alert.left_out)
    # what was kept under older rules of masking is masked by those of today
    return tuple(Example(item.id, mask(item.excerpt)) for item in islice(counted, _EXAMPLES_SHOWN))


def _examples_of(alert: Alert) -> Query:
    """What finds opinions to show; those of sources that were left out are among them."""
    first, end = days_of(alert)
    kind, code = alert.series.kind, alert.series.code
    asked = (
        ("civic_field", code, kind == "civic_field"),
        ("sentiment", "negative", alert.series.negative),
    )
    return Query(
        kind="opinion",
        labels=tuple(LabelFilter(facet, label) for facet, label, is_asked in asked if is_asked),
        day_from=first,
        day_to=end,
        source=code if kind == "source" else None,
        province=code if kind == "province" else None,
        ward=code if kind == "ward" else None,
        body=code if kind == "body" else None,
        reposts="once",
        limit=_FETCHED,
    )

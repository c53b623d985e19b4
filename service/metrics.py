"""What Prometheus is told: requests as they end, and what the store says when it is asked.

A label holds a method, the template of a route, a status or the name of a state: never an id, a query, a
file name or a text.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from fastapi import FastAPI
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_fastapi_instrumentator import Instrumentator
from prometheus_fastapi_instrumentator.metrics import Info as Exchange
from starlette.types import Scope

from nlp.types import Provenance
from service.store.vitals import Vitals

# seconds: pages and searches take 1 to 500 ms, uploads and scans seconds
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_OTHER = "OTHER"  # a client may send any word as method, and any path
_NO_ROUTE = "none"
_NOTE = "danvan.route"


@dataclass(frozen=True, slots=True)
class Meters:
    """The instruments of one application; `templates` are the routes that may stand in a label."""

    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram
    in_flight: Gauge
    templates: frozenset[str]
    worker_dead_after_s: float

    def observe(self, exchange: Exchange) -> None:
        """Count a request that has ended, and leave its method and route for the log."""
        scope = exchange.request.scope
        method = exchange.method if exchange.method in _METHODS else _OTHER
        # a redirect to the path without its last slash is told by the path itself
        route = exchange.modified_handler
        route = route if route in self.templates else _NO_ROUTE
        scope[_NOTE] = (method, route)
        self.requests.labels(method, route, exchange.modified_status).inc()
        self.seconds.labels(method, route).observe(exchange.modified_duration)


def build_meters(
    provenance: Provenance, *, templates: Iterable[str], worker_dead_after_s: float
) -> Meters:
    """New instruments, at zero."""
    # a second number for each, which nobody asks for; the library has no type for it
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    made_by = {name: str(value) for name, value in asdict(provenance).items()}
    Info("danvan_model", "The model and pack that label what comes in.", registry=registry).info(
        made_by
    )
    return Meters(
        registry=registry,
        requests=Counter(
            "danvan_http_requests",
            "Requests that have ended.",
            ("method", "route", "status"),
            registry=registry,
        ),
        seconds=Histogram(
            "danvan_http_request_seconds",
            "Time from the first byte of a request to the last of its answer.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=registry,
        ),
        in_flight=Gauge("danvan_http_requests_in_flight", "Requests under way.", registry=registry),
        templates=frozenset(templates),
        worker_dead_after_s=worker_dead_after_s,
    )


def instrument(app: FastAPI, meters: Meters) -> None:
    """Count every request of `app`, what its middleware so far refuses among them."""
    # its own gauge of requests under way is one of the process, ours is one of the application
    watcher = Instrumentator(should_group_status_codes=False, registry=meters.registry)
    watcher.add(meters.observe).instrument(app)


def route_of(scope: Scope) -> tuple[str, str]:
    """Method and template of a request that `Meters.observe` has seen."""
    noted: tuple[str, str] = scope.get(_NOTE, (_OTHER, _NO_ROUTE))
    return noted


def expose(meters: Meters, vitals: Vitals | None) -> bytes:
    """Everything in the text format of Prometheus; `vitals` is None where the store does not answer."""
    return generate_latest(_Scrape(meters.registry, vitals))


@dataclass(frozen=True, slots=True)
class _Scrape(Collector):
    registry: CollectorRegistry
    vitals: Vitals | None

    def collect(self) -> Iterator[Metric]:
        """The instruments, then the store."""
        yield from self.registry.collect()
        yield GaugeMetricFamily(
            "danvan_store_up", "Whether the database answers.", value=float(self.vitals is not None)
        )
        if self.vitals is not None:
            yield from _of_store(self.vitals)


def _of_store(vitals: Vitals) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("danvan_jobs", "Jobs by state.", labels=("state",))
    for state, n_jobs in vitals.jobs.items():
        jobs.add_metric((state,), n_jobs)
    yield jobs
    yield GaugeMetricFamily(
        "danvan_workers_live", "Workers that beat lately.", value=vitals.n_workers
    )
    yield GaugeMetricFamily(
        "danvan_feeds_failing", "Feeds whose last look has failed.", value=vitals.n_feeds_failing
    )
    yield GaugeMetricFamily(
        "danvan_jobs_oldest_queued_seconds",
        "How long the oldest queued job has waited; 0 when none waits.",
        value=vitals.oldest_queued_s,
    )

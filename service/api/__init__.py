"""The HTTP interface, one file a resource."""

from service.api import analyze, documents, health, models, opinions, sources, taxonomies

ROUTERS = (
    analyze.router,
    documents.router,
    opinions.router,
    sources.router,
    taxonomies.router,
    models.router,
    health.router,
)

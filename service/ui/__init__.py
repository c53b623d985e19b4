"""The Vietnamese web pages: plain forms and links that htmx makes quicker, no inline script."""

from service.ui import (
    admin,
    admin_access,
    alerts,
    documents,
    item,
    jobs,
    opinions,
    overview,
    pictures,
    reclassifications,
    reports,
    review,
    sign_in,
    upload,
)
from service.ui.memory import Memory
from service.ui.rendering import error_page, static_files
from service.ui.sign_in import Reception, sign_in_first

ROUTERS = tuple(
    screen.router
    for screen in (
        overview,
        alerts,
        upload,
        jobs,
        documents,
        item,
        pictures,
        opinions,
        review,
        reclassifications,
        reports,
        admin,
        admin_access,
        sign_in,
    )
)

__all__ = ["ROUTERS", "Memory", "Reception", "error_page", "sign_in_first", "static_files"]

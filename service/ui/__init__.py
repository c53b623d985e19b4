"""The Vietnamese web pages: plain forms and links that htmx makes quicker, no inline script."""

from service.ui import pages, sign_in
from service.ui.rendering import error_page, static_files
from service.ui.sign_in import Reception, sign_in_first

ROUTERS = (pages.router, sign_in.router)

__all__ = ["ROUTERS", "Reception", "error_page", "sign_in_first", "static_files"]

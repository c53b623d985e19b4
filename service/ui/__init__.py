"""The Vietnamese web pages: plain forms and links that htmx makes quicker, no inline script."""

from service.ui.pages import error_page, router, static_files

__all__ = ["error_page", "router", "static_files"]

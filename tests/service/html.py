"""What a page says, without its markup."""

import re
from html import unescape


def words(html: str) -> str:
    """The words of a page in one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())

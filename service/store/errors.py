"""Errors of the store, grafted on the tree of `nlp.errors`.

DanvanError
├── InputError
│   ├── UnknownSource   a text comes from a source nobody registered
│   ├── Conflict        the name is taken by something else
│   └── NotFound        no such item
└── StoreError          the database cannot be reached, opened or brought up to date
"""

from nlp.errors import DanvanError, InputError


class UnknownSource(InputError):  # noqa: N818 - says what the caller did
    """A text comes from a source nobody registered."""


class Conflict(InputError):  # noqa: N818 - the HTTP status has this name
    """The name is taken by something else."""


class NotFound(InputError):  # noqa: N818 - the HTTP status has this name
    """No such item."""


class StoreError(DanvanError):
    """The database cannot be reached, opened or brought up to date."""

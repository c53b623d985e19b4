"""Errors of the store, grafted on the tree of `nlp.errors`.

DanvanError
├── InputError
│   ├── UnknownSource   a text comes from a source nobody registered
│   ├── KeptApart       it reads like a denunciation: it is kept, but where nobody looks
│   ├── Conflict        the name is taken by something else
│   └── NotFound        no such item
└── StoreError          the database cannot be reached, opened or brought up to date
    ├── NotMigrated     it is not at the schema of this version
    └── BackupError     a backup cannot be made or is not whole, or the database is no place for it
"""

from nlp.errors import DanvanError, InputError


class UnknownSource(InputError):  # noqa: N818 - says what the caller did
    """A text comes from a source nobody registered."""


class KeptApart(InputError):  # noqa: N818 - says what became of it
    """A text reads like a denunciation: it is kept, but where nobody looks."""


class Conflict(InputError):  # noqa: N818 - the HTTP status has this name
    """The name is taken by something else."""


class NotFound(InputError):  # noqa: N818 - the HTTP status has this name
    """No such item."""


class StoreError(DanvanError):
    """The database cannot be reached, opened or brought up to date."""


class NotMigrated(StoreError):  # noqa: N818 - says how the database is
    """The database is not at the schema of this version."""


class BackupError(StoreError):
    """A backup cannot be made or is not whole, or the database is no place for it."""

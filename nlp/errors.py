"""Every error danvan raises on purpose.

DanvanError
├── InputError                 the caller's input is at fault
│   ├── UnsupportedMediaType   no reader knows this kind of file
│   ├── UnreadableFile         a reader knows it but cannot read it (empty, damaged, encrypted)
│   ├── TooLarge               a size, time or memory limit was reached while reading
│   └── InvalidRecord          one line or field of a batch is malformed
├── TaxonomyError              a taxonomy pack is inconsistent
├── CorpusError                a labelled file is inconsistent
└── ArtifactError              a model artifact is missing, damaged or of another pack

A message is one sentence: what was wrong, where, what to do. It never quotes a document's text.
"""


class DanvanError(Exception):
    """Base of all errors raised on purpose."""


class InputError(DanvanError):
    """The caller's input is at fault."""


class UnsupportedMediaType(InputError):  # noqa: N818 - the HTTP status has this name
    """No reader knows this kind of file."""


class UnreadableFile(InputError):  # noqa: N818 - reads better than UnreadableFileError
    """A reader knows the format but the file is empty, damaged or encrypted."""


class TooLarge(InputError):  # noqa: N818 - the HTTP status has this name
    """A size, time or memory limit was reached."""


class InvalidRecord(InputError):  # noqa: N818 - names the record, not the error
    """One record of a batch is malformed."""


class TaxonomyError(DanvanError):
    """A taxonomy pack is inconsistent."""


class CorpusError(DanvanError):
    """A labelled file is inconsistent."""


class ArtifactError(DanvanError):
    """A model artifact is missing, damaged or made for another pack."""

"""How much one caller may ask for."""

from dataclasses import dataclass, field

from nlp.readers.child import Limits as ReadLimits


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one caller may ask for at once."""

    max_upload_bytes: int = 25 * 1024 * 1024
    max_document_chars: int = 2_000_000
    max_opinion_chars: int = 200_000
    max_batch: int = 256
    upload_wait_s: float = 5.0
    reading: ReadLimits = field(default_factory=ReadLimits)

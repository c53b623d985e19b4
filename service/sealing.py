"""What must be kept for a moment before it can be masked is kept sealed: unreadable without the key.

Fernet of `cryptography`: AES-128-CBC with HMAC-SHA-256 (https://github.com/fernet/spec). The key is a setting
or a file of its own; it is in no database and in no backup.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from nlp.errors import DanvanError


class SealError(DanvanError):
    """What was sealed cannot be opened, or no key can be had."""


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals with the key given, else with that of a file, which is made on first use."""

    file: Path
    key: str | None = None

    def seal(self, data: bytes) -> bytes:
        """Data that only the same key opens.

        Raises:
            SealError: no key can be had.
        """
        return self._fernet().encrypt(data)

    def open(self, sealed: bytes) -> bytes:
        """The data.

        Raises:
            SealError: another key sealed them, or they are damaged.
        """
        try:
            return self._fernet().decrypt(sealed)
        except InvalidToken as error:
            raise SealError(
                "the file was handed in under another key; give every host the same DANVAN_SPOOL_KEY"
            ) from error

    def _fernet(self) -> Fernet:
        try:
            return Fernet(self.key or self._file_key())
        except ValueError as error:
            raise SealError(
                f"{'DANVAN_SPOOL_KEY' if self.key else self.file} is no key; make one with"
                " `openssl rand -base64 32 | tr '+/' '-_'`"
            ) from error

    def _file_key(self) -> bytes:
        try:
            if not self.file.exists():
                self._make_key()
            return self.file.read_bytes()
        except OSError as error:
            raise SealError(f"cannot use the key file {self.file}: {error.strerror}") from error

    def _make_key(self) -> None:
        """Make the key whole or not at all; of two that make it at once the first wins."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        # a name of its own, as two containers on one volume have the same process numbers
        handle, name = tempfile.mkstemp(dir=self.file.parent, prefix=f"{self.file.name}.")
        part = Path(name)
        with os.fdopen(handle, "wb") as out:
            out.write(Fernet.generate_key())
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(part, self.file)
        except FileExistsError:
            pass
        finally:
            part.unlink()

"""Files that hold files: .zip archives of a folder, and the attachments of e-mail.

Nothing is written to disk: what is in an archive is handed on as bytes under its bare name.
"""

import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath, PureWindowsPath

from nlp.errors import InputError, TooLarge, UnreadableFile
from nlp.text import to_nfc

MAX_FILES = 2_000
MAX_BYTES = 300 * 1024 * 1024
_MAX_DEPTH = 2
_MAX_NAME = 200  # characters
_CHUNK = 1024 * 1024
# What systems leave in folders, and what is no document by itself.
_JUNK = {"thumbs.db", ".ds_store", "desktop.ini"}
_OFFICE_MARKS = ("[Content_Types].xml", "mimetype")


@dataclass(frozen=True, slots=True)
class Part:
    """A file within a container: its path there, and its bytes or why it cannot be had."""

    name: str
    data: bytes = b""
    error: InputError | None = None


def is_container(data: bytes, *, name: str) -> bool:
    """Whether a file is an archive of files or an e-mail, rather than one document."""
    if data.startswith(b"PK\x03\x04"):
        try:
            with open_zip(data) as archive:
                return not set(_OFFICE_MARKS) & set(archive.namelist()[:50])
        except UnreadableFile:
            return PurePath(name).suffix.lower() == ".zip"
    return PurePath(name).suffix.lower() == ".eml"


def open_zip(data: bytes) -> zipfile.ZipFile:
    """The table of contents of an archive; what is in it is not checked.

    Raises:
        UnreadableFile: the table is damaged, cut off, or has names in no encoding.
    """
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error) as error:
        raise UnreadableFile("the file is damaged or cut off; pack or save it again") from error


def unpack(data: bytes, *, name: str) -> Iterator[Part]:
    """The files in a container, those of containers within it too, two deep.

    A file that cannot be had is a part with its error; the others are still given.

    Raises:
        UnreadableFile: the container itself is damaged.
        TooLarge: over 2,000 files, or over 300 MiB unpacked.
    """
    budget = _Budget()
    yield from _unpack(data, name=name, budget=budget, depth=0)


class _Budget:
    """What is left of the limits of one container."""

    def __init__(self) -> None:
        self.files, self.bytes = MAX_FILES, MAX_BYTES

    def spend(self, n_bytes: int) -> None:
        self.bytes -= n_bytes
        if self.bytes < 0:
            raise TooLarge(f"the archive unpacks to more than {MAX_BYTES // 1024**2} MiB")


def _unpack(data: bytes, *, name: str, budget: _Budget, depth: int) -> Iterator[Part]:
    if PurePath(name).suffix.lower() == ".eml":
        yield Part(name, data)
        parts = _attachments(data)
    else:
        parts = _entries(data, budget=budget)
    for part in parts:
        budget.files -= 1
        if budget.files < 0:
            raise TooLarge(f"the archive holds more than {MAX_FILES} files; send it in parts")
        inside = f"{name}/{part.name}" if depth else part.name
        if part.error or not is_container(part.data, name=part.name):
            yield Part(inside, part.data, part.error)
        elif depth + 1 >= _MAX_DEPTH:
            yield Part(inside, error=TooLarge("archives are unpacked two deep, no deeper"))
        else:
            try:
                yield from _unpack(part.data, name=inside, budget=budget, depth=depth + 1)
            except UnreadableFile as error:
                yield Part(inside, error=error)


def _entries(data: bytes, *, budget: _Budget) -> Iterator[Part]:
    with open_zip(data) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if len(entries) > MAX_FILES:
            raise TooLarge(f"the archive holds more than {MAX_FILES} files; send it in parts")
        for entry in entries:
            name = safe_name(_decoded(entry))
            if not _is_junk(name):
                yield _entry(archive, entry, name=name, budget=budget)


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, *, name: str, budget: _Budget) -> Part:
    if entry.flag_bits & 1:
        return Part(name, error=UnreadableFile("it is locked with a password in the archive"))
    pieces = []
    try:
        with archive.open(entry) as file:
            while piece := file.read(_CHUNK):
                budget.spend(len(piece))
                pieces.append(piece)
    except TooLarge:
        raise
    except Exception:  # zipfile and zlib raise a dozen kinds
        return Part(name, error=UnreadableFile("it is damaged in the archive; pack it again"))
    return Part(name, b"".join(pieces))


def _decoded(entry: zipfile.ZipInfo) -> str:
    """The name of an entry; old Windows programs write it in a code page without saying so."""
    if entry.flag_bits & 0x800:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def safe_name(path: str) -> str:
    """The end of a path within an archive, without roots, drives, steps upwards and signs that do not show.

    Never empty; at most the last 200 characters.
    """
    shown = "".join(c if c.isprintable() else "_" for c in to_nfc(path[-_MAX_NAME:]))
    inside = PureWindowsPath(shown)
    parts = inside.parts[bool(inside.anchor) :]
    kept = [part for part in parts if part != ".." and not part.endswith(":")]
    return "/".join(kept) or "unnamed"


def _is_junk(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = path.name.startswith(("._", "~$")) or "__MACOSX" in path.parts
    return hidden or path.name.lower() in _JUNK


def _attachments(data: bytes) -> Iterator[Part]:
    from nlp.readers.mail import attachments

    for number, (name, content) in enumerate(attachments(data), start=1):
        error = None if content else UnreadableFile("the attachment is damaged or empty")
        yield Part(safe_name(name or f"attachment-{number}"), content, error)

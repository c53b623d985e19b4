"""Office formats beside .docx: by LibreOffice where it is installed, else by kreuzberg.

LibreOffice turns old Word and OpenDocument texts into .docx, which keeps what the official form needs:
automatic numbers, paragraphs within cells, fonts (TCVN3 and VNI are told by them). kreuzberg reads them in
5 ms without it, and loses these three; sheets and slides are read by it alone.
"""

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nlp.errors import TooLarge, UnreadableFile
from nlp.legacy import LEGACY, to_unicode
from nlp.readers.lines import Piece, assemble
from nlp.types import Document

WITHOUT_NUMBERS = "automatic_numbers_lost"
_BY_LIBREOFFICE = {
    "application/msword": "doc",
    "application/vnd.oasis.opendocument.text": "odt",
}
_SECONDS = 60
_MEMORY_BYTES = 6 * 1024**3  # of addresses; it uses some 250 MiB of them
# A document may name pictures and files elsewhere; fetching them would tell its writer that it was read.
_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop></item>
</oor:items>
"""
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def read(data: bytes, *, media_type: str) -> Document:
    """Read .doc, .odt, .xls and .pptx files.

    Of a text without LibreOffice, automatic numbers are lost, which is said among the issues. A row of a
    sheet is a block.

    Raises:
        UnreadableFile: damaged or encrypted.
        TooLarge: LibreOffice takes longer than 60 s.
    """
    extension = _BY_LIBREOFFICE.get(media_type)
    if extension and (program := shutil.which("soffice")):
        from nlp.readers import docx

        converted = _to_docx(data, extension=extension, program=program)
        doc = docx.read(converted, media_type=_DOCX)
        return Document(doc.text, doc.blocks, media_type, doc.issues)
    text, issues = _by_kreuzberg(data, media_type=media_type)
    if extension:
        issues = (*issues, WITHOUT_NUMBERS)
    return assemble(_pieces(text), media_type=media_type, issues=issues)


def _to_docx(data: bytes, *, extension: str, program: str) -> bytes:
    """Let LibreOffice convert a file in a folder of its own, with a profile of its own; macros never run."""
    with tempfile.TemporaryDirectory(prefix="danvan-") as place:
        source = Path(place, f"in.{extension}")
        source.write_bytes(data)
        settings = Path(place, "profile", "user", "registrymodifications.xcu")
        settings.parent.mkdir(parents=True)
        settings.write_text(_SETTINGS, encoding="utf-8")
        command = [
            program,
            f"-env:UserInstallation=file://{place}/profile",
            "--headless",
            "--norestore",
            "--convert-to",
            "docx",
            "--outdir",
            place,
            str(source),
        ]
        try:
            subprocess.run(  # noqa: S603 - every part of the command is ours
                command,
                capture_output=True,
                check=True,
                timeout=_SECONDS,
                preexec_fn=_give_room,
                env=os.environ | {"HOME": place},
            )
            return source.with_suffix(".docx").read_bytes()
        except subprocess.TimeoutExpired as error:
            raise TooLarge(f"the file took longer than {_SECONDS} s to convert") from error
        except (subprocess.CalledProcessError, OSError) as error:
            raise UnreadableFile(
                "the file is damaged or encrypted; open it, save it as .docx and send that"
            ) from error


def _give_room() -> None:
    """Raise the limit on addresses that the reading child has, as far as it may be."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    room = _MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(hard, _MEMORY_BYTES)
    resource.setrlimit(resource.RLIMIT_AS, (room, hard))


def _by_kreuzberg(data: bytes, *, media_type: str) -> tuple[str, tuple[str, ...]]:
    from kreuzberg import ExtractionConfig, KreuzbergError, extract_bytes_sync

    config = ExtractionConfig(use_cache=False, enable_quality_processing=False)
    try:
        found = extract_bytes_sync(data, media_type, config=config)
    except (KreuzbergError, OSError, RuntimeError, ValueError) as error:
        raise UnreadableFile(
            "the file is damaged or encrypted; open it, save it again and send it"
        ) from error
    text = to_unicode(found.content)
    return text, (LEGACY,) if text != found.content else ()


def _pieces(text: str) -> Iterator[Piece]:
    for line in text.split("\n"):
        cells = [cell for cell in line.split("\t") if cell.strip()]
        for cell in cells:
            yield Piece(cell, "cell" if len(cells) > 1 else "paragraph")

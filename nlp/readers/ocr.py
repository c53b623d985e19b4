"""Pictures of pages to printed lines, by tesseract with its Vietnamese model.

Called as a program, a page at a time, so that a page can be timed out. Measured on the project's machine:
1.2 to 2 s a page and core, character error rate 0.001 to 0.009 on clean scans (`nlp/README.md`).
"""

import csv
import io
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
from PIL import Image, ImageFilter

from nlp.errors import TooLarge, UnreadableFile
from nlp.readers.columns import Word, lines_of
from nlp.readers.lines import PrintedLine
from nlp.readers.repair import DIGITS, restore_digits
from nlp.syllables import known_share
from nlp.text import to_nfc

OCR = "ocr"
DPI = 300
_PAGE_SECONDS = 60
_LANGUAGE = "vie"
_MIN_CONFIDENCE = 30  # of 100, the mean of a line; below it seals, scrawls and specks
_SPECK, _SPECK_CONFIDENCE = 4, 85  # characters; a bullet alone is as sure as that
_MIN_SHARE = 0.4  # known syllables of such a line
_MAX_SKEW = 4.0  # degrees
_SKEW_STEP = 0.25
_SKEW_HEIGHT = 700  # pixels: enough to see the lines
_LEVEL_WORD = "5"


def recognise(image: Image.Image, *, page: int) -> tuple[list[PrintedLine], tuple[str, ...]]:
    """The lines of a picture of a page, in reading order, and the issues that its repairs make.

    Args:
        image: the page at about 300 dpi, any mode.
        page: its number, from 1.

    Raises:
        UnreadableFile: tesseract or its Vietnamese model is not installed, or fails.
        TooLarge: the page takes more than 60 s.
    """
    require_tesseract()
    grey = straighten(image.convert("L").filter(ImageFilter.MedianFilter(3)))
    width, height = grey.size
    rows = list(_rows(_tesseract(grey), size=grey.size))
    read = lines_of(rows, page=page, ratio=height / width)
    lines = [replace(line, text=restore_digits(line.text)) for line in read]
    return lines, (OCR,) if lines == read else (OCR, DIGITS)


@cache
def require_tesseract() -> None:
    """Check once that recognition can work.

    Raises:
        UnreadableFile: it cannot, with what to install, or it does not answer within 20 s.
    """
    program = shutil.which("tesseract")
    languages = ""
    if program:
        try:
            asked = subprocess.run(  # noqa: S603 - no part of the command comes from outside
                [program, "--list-langs"], capture_output=True, text=True, check=False, timeout=20
            )
        except (subprocess.TimeoutExpired, OSError) as error:
            raise UnreadableFile(
                "recognition of pictures does not answer; install tesseract-ocr again"
            ) from error
        languages = asked.stdout
    if _LANGUAGE not in languages.split():
        raise UnreadableFile(
            "the file is a picture of text and recognition is not installed; install tesseract-ocr"
            " and tesseract-ocr-vie, or send it with a text layer"
        )


def straighten(grey: Image.Image) -> Image.Image:
    """Turn a page so that its lines are level; up to 4 degrees, white where it was empty.

    The angle is the one where the darkness of rows varies most (Postl 1986, projection profile).
    """
    small = grey.copy()
    small.thumbnail((_SKEW_HEIGHT, _SKEW_HEIGHT))
    if min(small.size) < 3:
        return grey  # a strip has no lines
    small = small.point(lambda value: 255 if value < 128 else 0)  # ink is bright
    angles = np.arange(-_MAX_SKEW, _MAX_SKEW + _SKEW_STEP, _SKEW_STEP)

    def contrast(angle: float) -> float:
        rows = np.asarray(small.rotate(angle, resample=Image.Resampling.BILINEAR), dtype=np.float64)
        return float(np.var(np.diff(rows.sum(axis=1))))

    best = float(max(angles, key=contrast))
    if abs(best) < _SKEW_STEP or contrast(best) < 1.1 * contrast(0.0):
        return grey
    return grey.rotate(best, resample=Image.Resampling.BICUBIC, expand=False, fillcolor=255)


def _tesseract(grey: Image.Image) -> str:
    """What tesseract finds, as its table of tab-separated values."""
    data = io.BytesIO()
    grey.save(data, "PPM")
    command = ["tesseract", "stdin", "stdout", "-l", _LANGUAGE, "--dpi", str(DPI), "tsv"]
    try:
        done = subprocess.run(  # noqa: S603 - no part of the command comes from outside
            command,
            input=data.getvalue(),
            capture_output=True,
            check=True,
            timeout=_PAGE_SECONDS,
            env=os.environ | {"OMP_THREAD_LIMIT": "1"},
        )
    except subprocess.TimeoutExpired as error:
        raise TooLarge(f"a page took longer than {_PAGE_SECONDS} s to recognise") from error
    except (subprocess.CalledProcessError, OSError) as error:
        raise UnreadableFile("recognition failed on a page; scan it again") from error
    return done.stdout.decode("utf-8", "replace")


def _rows(table: str, *, size: tuple[int, int]) -> Iterator[list[Word]]:
    """The lines of the table as words; those of low confidence that are no Vietnamese are left out."""
    held: list[dict[str, str]] = []
    place: tuple[str, ...] = ()
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["level"] != _LEVEL_WORD or not (row["text"] or "").strip():
            continue
        own = (row["block_num"], row["par_num"], row["line_num"])
        if held and own != place:
            yield from _trusted(held, size=size)
            held = []
        held.append(row)
        place = own
    if held:
        yield from _trusted(held, size=size)


def _trusted(row: list[dict[str, str]], *, size: tuple[int, int]) -> Iterator[list[Word]]:
    """The words of a line, unless it is a seal, a scrawl, specks or marks torn off their letters."""
    words = [_word(word, size=size) for word in row]
    text = "".join(word.text for word in words)
    confidence = float(np.mean([float(word["conf"]) for word in row]))
    share, _ = known_share(" ".join(word.text for word in words))
    is_speck = len(text) <= _SPECK and not share and not any(map(str.isdigit, text))
    wanted = _SPECK_CONFIDENCE if is_speck else _MIN_CONFIDENCE
    if confidence >= wanted or share >= _MIN_SHARE:
        yield words


def _word(row: dict[str, str], *, size: tuple[int, int]) -> Word:
    width, height = size
    left, top = int(row["left"]), int(row["top"])
    right, bottom = left + int(row["width"]), top + int(row["height"])
    text = to_nfc(row["text"]).strip()
    return Word(text, left / width, top / height, right / width, bottom / height)

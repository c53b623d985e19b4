"""Photographs and scans (.jpg, .png, .tif, .webp, .bmp, .heic): recognised page by page."""

import io
import warnings
from collections.abc import Iterator

from PIL import Image, ImageFilter, ImageOps, ImageSequence

from nlp.errors import InputError, TooLarge, UnreadableFile
from nlp.readers.lines import PrintedLine, assemble
from nlp.readers.ocr import recognise, straighten
from nlp.readers.pdf import MAX_OCR_PAGES
from nlp.readers.printed import leave_out_running, paragraphs
from nlp.readers.progress import report
from nlp.syllables import known_share
from nlp.types import Document

MAX_PIXELS = 120_000_000
_LONG_SIDE = (2_400, 4_200)  # pixels: an A4 page at 200 and at 360 dpi
_LIGHT_RADIUS = 40  # pixels: wider than letters, narrower than a shadow
_MIN_SHARE = 0.5


def read(data: bytes, *, media_type: str) -> Document:
    """Read a picture of a page, or a .tif of several.

    Raises:
        UnreadableFile: damaged, no words of Vietnamese in it, or recognition is not installed.
        TooLarge: more than 120 million pixels, or more than 300 pages.
    """
    lines: list[PrintedLine] = []
    issues: dict[str, None] = {}
    for number, page in enumerate(_pages(data, media_type=media_type), start=1):
        found, own = recognise(_prepared(page), page=number)
        lines += found
        issues |= dict.fromkeys(own)
        report(done=number, of=number)
    share, n_words = known_share("\n".join(line.text for line in lines))
    if not n_words or share < _MIN_SHARE:
        raise UnreadableFile(
            "no Vietnamese text could be recognised in the picture; take it straight, near and in light"
        )
    left, running = leave_out_running(lines)
    return assemble(paragraphs(left), media_type=media_type, issues=(*issues, *running))


def draw(data: bytes, *, media_type: str, side: int) -> Iterator[Image.Image]:
    """The pages as they were recognised, at most `side` pixels high and wide.

    Raises:
        InputError: as `read`.
    """
    for page in _pages(data, media_type=media_type):
        page.thumbnail((side, side), Image.Resampling.LANCZOS)
        yield straighten(page)


def _pages(data: bytes, *, media_type: str) -> Iterator[Image.Image]:
    """The pages of a picture in grey, each unpacked when it is asked for."""
    if media_type == "image/heic":
        import pillow_heif

        pillow_heif.register_heif_opener()
    try:
        yield from _frames(data)
    except (InputError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise TooLarge("the picture unpacks to too many pixels; it is not read") from error
    except Exception as error:  # Pillow raises a dozen kinds
        raise UnreadableFile("the picture is damaged or cut off; take or send it again") from error


def _frames(data: bytes) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # we count ourselves
        picture = Image.open(io.BytesIO(data))
    n_pages = getattr(picture, "n_frames", 1)
    if n_pages > MAX_OCR_PAGES:
        raise TooLarge(f"the picture has {n_pages} pages; at most {MAX_OCR_PAGES} are read")
    for frame in ImageSequence.Iterator(picture):
        width, height = frame.size
        if width * height > MAX_PIXELS:
            raise TooLarge(
                f"the picture has {width} x {height} pixels; at most"
                f" {MAX_PIXELS // 1_000_000} million are read"
            )
        yield ImageOps.exif_transpose(frame).convert("L")


def _prepared(grey: Image.Image) -> Image.Image:
    """A picture at the size of letters that recognition knows, with its shadows taken out."""
    longest = max(grey.size)
    low, high = _LONG_SIDE
    scale = low / longest if longest < low else high / longest if longest > high else 1.0
    if scale != 1.0:
        size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
        grey = grey.resize(size, Image.Resampling.LANCZOS)
    return _even_light(grey)


def _even_light(grey: Image.Image) -> Image.Image:
    """Divide by the light around each point, so that a shadow is no darker than the paper."""
    import numpy as np

    light = grey.filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.BoxBlur(_LIGHT_RADIUS))
    ink = np.asarray(grey, dtype=np.float32) / np.maximum(np.asarray(light, dtype=np.float32), 1)
    return Image.fromarray(np.clip(ink * 255, 0, 255).astype(np.uint8))

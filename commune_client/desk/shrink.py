"""A photo or scan made smaller before it is attached: only where it was asked for, and told."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO, Final

from onestop_sync.errors import InvalidInput

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["shrunk"]

LONGEST: Final = 2400
"""Pixels of the longer side: an A4 page at about 200 dots an inch."""
QUALITY: Final = 75
"""Of JPEG: small letters and stamps stay legible."""
MOST_PIXELS: Final = 120_000_000
"""A larger image is not opened."""
MOST_BYTES: Final = 56 * 2**20
"""Memory that opening one may take: 14 million pixels in colour, 58 in grey; of JPEG what is left of its
pixels once it is read at an eighth to a half of its size."""


def shrunk(file: BinaryIO) -> BytesIO:
    """Returns an image as JPEG of at most `LONGEST` pixels.

    It stands as it is looked at, and says no more about where, when and with what it was taken.

    Raises:
        InvalidInput: Not an image that can be read, or far too large.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # here another bound holds
            opened = Image.open(file)
        with opened as image:
            if image.width * image.height > MOST_PIXELS or _whole_bytes(image) > MOST_BYTES:
                raise _refused("The image has too many pixels.")
            image.draft(None, (LONGEST, LONGEST))  # of JPEG, less is unpacked
            if _bytes(image) > MOST_BYTES:
                raise _refused("The image has too many pixels.")
            image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS, reducing_gap=None)
            upright = ImageOps.exif_transpose(image)
            out = BytesIO()
            # Nothing of the old file's metadata is handed on: it may name the place.
            _plain(upright).save(out, "JPEG", quality=QUALITY, optimize=True)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _refused("The file is not an image that can be made smaller.") from error
    out.seek(0)
    return out


def _bytes(image: Image) -> int:
    """Returns how many bytes the image's pixels have in memory."""
    each = {"1": 1, "L": 1, "P": 1, "I;16": 2, "LA": 4, "PA": 4, "La": 4}.get(image.mode, 4)
    return image.width * image.height * each


def _whole_bytes(image: Image) -> int:
    """Returns what cannot be read in parts: the coefficients of a progressive JPEG, 0 for any other image."""
    return image.width * image.height * 3 if image.info.get("progressive") else 0


def _plain(image: Image) -> Image:
    """Returns an image as JPEG can hold it: what was transparent is white, as on paper."""
    from PIL import Image as Images

    if image.mode in {"RGBA", "LA", "PA", "P"}:
        clear = image.convert("RGBA")
        white = Images.new("RGB", clear.size, "white")
        white.paste(clear, mask=clear.getchannel("A"))
        return white
    found = image.convert("L" if image.mode in {"1", "L"} else "RGB")
    found.info.clear()
    return found


def _refused(what: str) -> InvalidInput:
    return InvalidInput(
        what, todo="Nothing was attached. Attach it as it is, without shrinking.", reason="attachment_image"
    )

"""Open one picture file of any kind, whole and upright, or say in one line why it cannot be.

What a file is, is decided by its content, never by its suffix. Every failure is one InputError or
FileNotFoundError of the form "file: finding; remedy".
"""

import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from lesion.console import InputError
from lesion.masks import PREDICTED

MAX_PIXELS = 150_000_000  # a 12,000 x 12,000 scan passes; a decompression bomb does not
MAX_BYTES = 1_000_000_000
# The last three are opened only so that the error can say what the file is.
OPENED_FORMATS = ("PNG", "JPEG", "BMP", "DIB", "TIFF", "GIF", "WEBP", "PPM")
READABLE_FORMATS = ("PNG", "JPEG", "MPO", "BMP", "DIB", "TIFF")  # an MPO begins as a JPEG

# `decode` refuses what is too large or damaged; Pillow's warnings on top would only be noise.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

TEXT_OF_PREDICTIONS = b"tEXt" + "\0".join(PREDICTED).encode("latin-1")
BEGINNING = 4096  # bytes; Pillow writes a PNG's texts right behind its header


def is_predicted(path: Path) -> bool:
    """Whether a file is a PNG that `predict` wrote, by the text in its beginning."""
    try:
        with path.open("rb", buffering=0) as file:
            return TEXT_OF_PREDICTIONS in file.read(BEGINNING)
    except (OSError, ValueError):
        return False  # who reads the picture will say what is wrong with it


def decode(path, pixels=True):
    """Return the one complete, upright Pillow picture in `path`; without pixels only look at it."""
    shown = os.fsencode(path).decode("utf-8", "backslashreplace")
    if shown != str(path):  # no results can be written under such a name
        raise InputError(f"{shown}: the name is not valid UTF-8; rename the file")
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file; check the path") from None
    except (OSError, ValueError) as error:  # a folder, no permission, a loop of links, a NUL
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be opened ({reason}); check the path") from None
    with file:
        size = file.seek(0, 2)
        file.seek(0)
        if size == 0:
            raise InputError(f"{path}: the file is empty (0 bytes); copy it again")
        if size > MAX_BYTES:
            raise InputError(
                f"{path}: the file has {size:,} bytes, more than the limit of {MAX_BYTES:,}; "
                "save a smaller picture"
            )
        return _decode_stream(path, file, pixels)


def _decode_stream(path, file, pixels):
    too_large = f"more than the limit of {MAX_PIXELS // 1_000_000} megapixels; save it smaller"
    try:
        picture = Image.open(file, formats=OPENED_FORMATS)
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise InputError(f"{path}: the picture has {width} x {height} pixels, {too_large}")
        frames = getattr(picture, "n_frames", 1)
        if picture.format not in READABLE_FORMATS:
            moving = "an animated" if frames > 1 else "a"
            raise InputError(
                f"{path}: the file is {moving} {picture.format} picture; save it as PNG"
            )
        if frames > 1 and picture.format != "MPO":  # an MPO is a photograph with its preview
            raise InputError(
                f"{path}: the file holds {frames} pictures; save each one in a file of its own"
            )
        if not pixels:
            return picture
        picture.load()
        return ImageOps.exif_transpose(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError(f"{path}: the picture has {too_large}") from None
    except Image.UnidentifiedImageError:
        raise InputError(
            f"{path}: the content is no PNG, JPEG, BMP or TIFF picture of a common kind; "
            "save it as 8-bit PNG"
        ) from None
    except InputError:
        raise
    # Pillow reports damage by whatever its decoders stumble over: OSError, SyntaxError,
    # struct.error, IndexError, EOFError, zlib.error, MemoryError and more.
    except Exception as error:
        raise _damaged(path, error) from None


def _damaged(path, error):
    reason = " ".join(str(error).split()) or type(error).__name__
    return InputError(f"{path}: the picture is damaged or incomplete ({reason}); copy it again")


def convert(path, picture, mode):
    try:
        if picture.mode in ("P", "PA") or "transparency" in picture.info:
            picture = picture.convert("RGBA")  # resolves every kind of palette transparency
        return picture.convert(mode)
    except ValueError:
        raise InputError(
            f"{path}: the colour mode {picture.mode} cannot be read; save it as RGB or gray"
        ) from None


def deep_values(path, picture):
    """Return (values, full scale) of a 16-bit, 32-bit or floating point gray picture."""
    values = np.asarray(picture)
    low, high = values.min(), values.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError(f"{path}: the picture holds NaN or infinite values; replace them")
    floating = np.issubdtype(values.dtype, np.floating)
    if low < 0 or high > (255 if floating else 65535):
        wanted = "0-1 or 0-255" if floating else "0-255 or 0-65535"
        raise InputError(f"{path}: the values go from {low:g} to {high:g}; scale them to {wanted}")
    if floating:
        return values, 1 if high <= 1 else 255
    return values.astype(np.uint16), 255 if high <= 255 else 65535

"""Read one picture or one mask, whatever file it comes in, and bring it to a network's size.

The same functions serve training, evaluation and prediction. What a file is, is decided by its
content, never by its suffix. Every failure is one InputError or FileNotFoundError of the form
"file: finding; remedy".
"""

import os
import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from lesion.console import InputError
from lesion.inputs.pairing import Pair

MAX_PIXELS = 150_000_000  # a 12,000 x 12,000 scan passes; a decompression bomb does not
MAX_BYTES = 1_000_000_000
# The last three are opened only so that the error can say what the file is.
OPENED_FORMATS = ("PNG", "JPEG", "BMP", "DIB", "TIFF", "GIF", "WEBP", "PPM")
READABLE_FORMATS = ("PNG", "JPEG", "MPO", "BMP", "DIB", "TIFF")  # an MPO begins as a JPEG
MAX_CLASS_LEVEL = 20  # masks whose values all stay at or below this are class maps, not gray levels

# `_decode` refuses what is too large or damaged; Pillow's warnings on top would only be noise.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


def read_image(path: str | Path, channels: int = 3) -> np.ndarray:
    """Return the picture in `path` as uint8 (height, width, channels), 0-255, turned upright.

    PNG, JPEG, BMP and TIFF; 1-bit, gray, palette, RGB, RGBA (transparency is dropped), CMYK.
    16-bit gray becomes 8-bit by its upper byte (value >> 8), unless no value exceeds 255: then the
    file holds 8-bit values in 16-bit storage, which are kept. Floating point is taken as 0-1 when
    no value exceeds 1, else as 0-255. EXIF rotation is applied.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it cannot be read as one complete picture of at most 150 megapixels.
    """
    if channels not in (1, 3):
        raise ValueError(f"channels is {channels!r}; give 3 (colour) or 1 (gray)")
    path = Path(path)
    picture = _decode(path)
    if picture.mode.startswith(("I", "F")):
        values, full_scale = _deep_values(path, picture)
        if full_scale == 65535:
            gray = (values >> 8).astype(np.uint8)
        else:
            gray = np.rint(values * (255 / full_scale)).astype(np.uint8)
        return np.repeat(gray[..., None], channels, axis=2)
    array = np.asarray(_convert(path, picture, "RGB" if channels == 3 else "L"))
    return np.array(array if channels == 3 else array[..., None])


def check_header(path: str | Path) -> None:
    """Raise what `read_image` would, as far as the beginning of a file tells; decode nothing."""
    _decode(Path(path), pixels=False)


def read_mask(path: str | Path) -> np.ndarray:
    """Return the mask in `path` as uint8 (height, width): 1 is foreground, 0 is background.

    The rule, by the set of levels (gray values; colours count by their luminance, palettes by
    their colours, a picture of one constant colour by its transparency):

    * one level: 0 is empty; 1 or full scale (255, 65535, 1.0) is all foreground;
    * two levels {0, v}: v is foreground, however dark it is;
    * more levels, as resizing and JPEG leave them: at least half of full scale is foreground.

    Full scale is 255; 65535 for a 16-bit file with a value above 255; 1 for floating point with
    none above 1.

    Raises:
        InputError, FileNotFoundError: as `read_image`; or the levels, which are named, fit none of
            these rules, and a guess would train a model on it: a class map (more than two levels,
            none above 20), two levels without a background, one level that is neither empty nor
            full, gray levels of which none reaches half of full scale.
    """
    path = Path(path)
    picture = _decode(path)
    if picture.mode.startswith(("I", "F")):
        values, full_scale = _deep_values(path, picture)
    else:
        values, full_scale = _mask_values(path, picture), 255
    levels = _levels(values)
    smallest, largest = levels[0], levels[-1]
    if len(levels) == 1 and largest in (0, 1, 255, full_scale):
        return np.full(values.shape, int(largest > 0), np.uint8)
    if len(levels) == 2 and smallest == 0:
        return (values == largest).astype(np.uint8)
    half = full_scale / 2
    shown = ", ".join(f"{level:g}" for level in levels[:8]) + (", ..." if len(levels) > 8 else "")
    remedy = "save it with 0 for background and 255 for the lesion"
    if full_scale > 1 and largest <= MAX_CLASS_LEVEL:
        raise InputError(f"{path}: the mask holds the class numbers {shown}; {remedy}")
    if largest < half or (len(levels) < 3 and smallest >= half):
        raise InputError(
            f"{path}: the mask holds the levels {shown}, which do not say what is lesion; {remedy}"
        )
    return (values >= half).astype(np.uint8)


def read_pair(pair: Pair, channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return (picture, mask) of a pair at their own size, from `read_image` and `read_mask`.

    Raises:
        InputError, FileNotFoundError: as those two, or the sizes differ.
    """
    picture, mask = read_image(pair.image, channels), read_mask(pair.mask)
    if problem := size_problem(pair, picture.shape, mask.shape):
        raise InputError(problem)
    return picture, mask


def size_problem(pair: Pair, picture_shape: tuple, mask_shape: tuple) -> str:
    """Return what is wrong if a mask has another height or width than its picture, else ""."""
    if picture_shape[:2] == mask_shape:
        return ""
    return (
        f"{pair.mask}: the mask has {shown_size(mask_shape)} pixels, its picture "
        f"{shown_size(picture_shape)}; save the mask at the picture's size"
    )


def shown_size(shape: tuple) -> str:
    """Return (height, width, ...) as people write it: width x height."""
    return f"{shape[1]} x {shape[0]}"


def resize_image(picture: np.ndarray, size: int) -> np.ndarray:
    """Return a uint8 picture (H, W, C) as float32 (size, size, C) in [0, 1], its aspect squashed.

    What shrinks is averaged over areas, so nothing aliases; what grows is interpolated linearly.
    """
    return _resize(picture, size).astype(np.float32) / np.float32(255)


def resize_mask(mask: np.ndarray, size: int) -> np.ndarray:
    """Return a 0/1 mask (H, W) as float32 (size, size, 1) of 0 and 1.

    It is 1 where the lesion covers at least half of the new pixel.
    """
    return (_resize(mask[..., None] * np.uint8(255), size) >= 128).astype(np.float32)


def _decode(path, pixels=True):
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


def _convert(path, picture, mode):
    try:
        if picture.mode in ("P", "PA") or "transparency" in picture.info:
            picture = picture.convert("RGBA")  # resolves every kind of palette transparency
        return picture.convert(mode)
    except ValueError:
        raise InputError(
            f"{path}: the colour mode {picture.mode} cannot be read; save it as RGB or gray"
        ) from None


def _deep_values(path, picture):
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


def _mask_values(path, picture):
    """Return uint8 (height, width): luminance, or transparency where the colour is constant."""
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = _convert(path, picture, "RGBA")
        *colours, (alpha_low, alpha_high) = picture.getextrema()
        if alpha_low < alpha_high and all(low == high for low, high in colours):
            return np.asarray(picture.getchannel("A"))
    return np.asarray(_convert(path, picture, "L"))


def _levels(values):
    """Return the distinct values in ascending order; counting bins is faster than sorting."""
    if values.dtype == np.uint8 or values.dtype == np.uint16:
        bins = 256 if values.dtype == np.uint8 else 65536
        counts = cv2.calcHist([np.ascontiguousarray(values)], [0], None, [bins], [0, bins])
        return np.flatnonzero(counts)
    return np.unique(values)


def _resize(array, size):
    height, width, channels = array.shape
    if height > size or width > size:
        smaller = min(width, size), min(height, size)
        array = cv2.resize(array, smaller, interpolation=cv2.INTER_AREA)
    array = cv2.resize(array, (size, size), interpolation=cv2.INTER_LINEAR)
    return array.reshape(size, size, channels)

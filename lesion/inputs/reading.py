"""Read one picture or one mask, whatever file it comes in, and bring it to a network's size.

The same functions serve training, evaluation and prediction. What a file is, is decided by its
content, never by its suffix. Every failure is one InputError or FileNotFoundError of the form
"file: finding; remedy".
"""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from lesion.console import InputError
from lesion.inputs.decoding import convert, decode, look
from lesion.inputs.depth import bit_depth, deep_values, stored_values
from lesion.inputs.legend import PLAIN, Legend
from lesion.inputs.orientation import UPRIGHT, stored_size, turn
from lesion.inputs.pairing import Pair
from lesion.masks import IGNORED

MAX_CLASS_LEVEL = 20  # masks whose values all stay at or below this are class maps, not gray levels


def read_image(path: str | Path, channels: int = 3, bits: int | None = None) -> np.ndarray:
    """Return the picture in `path` as uint8 (height, width, channels), 0-255, turned upright.

    PNG, JPEG, BMP, TIFF, WebP, GIF of one frame, AVIF; HEIC with pillow-heif and DICOM of one frame
    with pydicom installed. 1-bit, gray, palette, RGB, RGBA (transparency is dropped), CMYK.
    Of values in 16-bit files the upper 8 of their bits count; floating point is taken as 0-1 when
    no value exceeds 1, else as 0-255. EXIF rotation is applied.

    Args:
        path: of the file, of any suffix.
        channels: 3 (colour) or 1 (gray).
        bits: of the values in 16-bit files (8, 10, 12, 14, 16), see `stored.common_bits`; None
            for as many as the highest value of this file needs.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it cannot be read as one complete picture of at most 150 megapixels.
    """
    return read_image_and_bits(path, channels, bits)[0]


def read_image_and_bits(
    path: str | Path, channels: int = 3, bits: int | None = None
) -> tuple[np.ndarray, int | None]:
    """Return (what `read_image` returns, the bits of this 16-bit file's values, else None)."""
    if channels not in (1, 3):
        raise ValueError(f"channels is {channels!r}; give 3 (colour) or 1 (gray)")
    path = Path(path)
    picture = decode(path)
    own_bits = None
    if (values := stored_values(path, picture)) is not None:
        own_bits = bit_depth(picture, values)
        shallow = (values >> (max(own_bits, bits or 0) - 8)).astype(np.uint8)
        picture = Image.fromarray(shallow)
    elif picture.mode == "F":
        values, full_scale = deep_values(path, picture)
        picture = Image.fromarray(np.rint(values * (255 / full_scale)).astype(np.uint8))
    array = np.asarray(convert(path, picture, "RGB" if channels == 3 else "L"))
    return np.array(array if channels == 3 else array[..., None]), own_bits


def check_header(path: str | Path) -> None:
    """Raise what `read_image` would, as far as the beginning of a file tells; decode nothing."""
    look(Path(path))


def read_mask(path: str | Path, legend: Legend = PLAIN) -> np.ndarray:
    """Return the mask in `path` as uint8 (H, W): 1 is lesion, 0 is not, IGNORED counts for nothing.

    With a legend that names levels, a pixel is what its level is. Otherwise the rule is, by the set
    of levels (gray values; colours count by their luminance, palettes by their colours, a picture
    of one constant colour by its transparency):

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
    picture = decode(path)
    if picture.mode.startswith(("I", "F")):
        values, full_scale = deep_values(path, picture)
    else:
        values, full_scale = _mask_values(path, picture), 255
    if legend.lesion_level:
        mask = np.isin(values, [float(level) for level in legend.lesion_level]).astype(np.uint8)
        mask[np.isin(values, [float(level) for level in legend.ignore_level])] = IGNORED
        return mask
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
    """Return (picture, truth mask) of a pair at their own size; see `read_image`, `read_truth`.

    Raises:
        InputError, FileNotFoundError: as those two.
    """
    picture = read_image(pair.image, channels, pair.bits)
    return picture, read_truth(pair, picture.shape)


def read_truth(pair: Pair, shape: tuple) -> np.ndarray:
    """Return the truth of a pair as uint8 (H, W): 1 lesion, 0 none, IGNORED counts for nothing.

    Regions of an annotation tool are drawn; several masks are united: a pixel is lesion where it
    is in one of them, else ignored where it is in one.

    Args:
        pair: with a mask.
        shape: of its picture: height, width and perhaps more.

    Raises:
        InputError, FileNotFoundError: as `read_mask`, or a mask has another size than the picture.
    """
    note = look(pair.image).orientation if pair.turn_mask else UPRIGHT
    size = stored_size(shape, note)
    if pair.annotation is not None:
        return turn(pair.annotation.mask(*size, pair.legend.lesion_class), note)
    truth = np.zeros(size, np.uint8)
    for path in (pair.mask, *pair.more_masks):
        mask = read_mask(path, pair.legend)
        if problem := size_problem(path, size, mask.shape):
            raise InputError(problem)
        truth = np.where((truth == 1) | (mask == 0), truth, mask)
    return turn(truth, note)


def read_second_truth(pair: Pair, shape: tuple) -> np.ndarray:
    """Return the second annotator's mask as `read_truth` does the first one's."""
    return read_truth(replace(pair, mask=pair.second_mask, more_masks=(), annotation=None), shape)


def size_problem(path: Path, picture_shape: tuple, mask_shape: tuple) -> str:
    """Return what is wrong if the mask in `path` has another size than its picture, else ""."""
    if picture_shape[:2] == mask_shape:
        return ""
    return (
        f"{path}: the mask has {shown_size(mask_shape)} pixels, its picture "
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


def _mask_values(path, picture):
    """Return uint8 (height, width): luminance, or transparency where the colour is constant."""
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = convert(path, picture, "RGBA")
        *colours, (alpha_low, alpha_high) = picture.getextrema()
        if alpha_low < alpha_high and all(low == high for low, high in colours):
            return np.asarray(picture.getchannel("A"))
    return np.asarray(convert(path, picture, "L"))


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

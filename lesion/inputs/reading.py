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
from lesion.inputs.judging import judge_looks
from lesion.inputs.legend import PLAIN, Legend
from lesion.inputs.levels import mask_of, read_levels
from lesion.inputs.looks import look_at_levels
from lesion.inputs.orientation import UPRIGHT, stored_size, turn
from lesion.inputs.pairing import Pair
from lesion.masks import IGNORED


def read_image(path: str | Path, channels: int = 3, bits: int | None = None) -> np.ndarray:
    """Return the picture in `path` as uint8 (height, width, channels), 0-255, turned upright.

    PNG, JPEG, BMP, TIFF, WebP, GIF of one frame, AVIF, PPM; HEIC with pillow-heif and DICOM of one
    frame with pydicom installed. 1-bit, gray, palette, RGB, RGBA (transparency is dropped), CMYK.
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

    What its levels mean is said by a legend that was judged over a whole folder, or else judged by
    this mask alone, see `judging.judge_looks`.

    Raises:
        InputError, FileNotFoundError: as `read_image`; or the levels, which are named, do not say
            what is lesion.
    """
    path = Path(path)
    levels = read_levels(path)
    if not legend.known:
        verdict = judge_looks([look_at_levels(path, levels)], legend)
        if path in verdict.problems:
            raise InputError(verdict.problems[path])
        legend = verdict.legends[path]
    return mask_of(levels, legend)


def read_pair(pair: Pair, channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return (picture, truth mask) of a pair at their own size; see `read_image`, `read_truth`.

    Raises:
        InputError, FileNotFoundError: as those two.
    """
    picture = read_image(pair.image, channels, pair.bits)
    return picture, read_truth(pair, picture.shape)


def read_truth(pair: Pair, shape: tuple | None = None) -> np.ndarray:
    """Return the truth of a pair as uint8 (H, W): 1 lesion, 0 none, IGNORED counts for nothing.

    Regions of an annotation tool are drawn; several masks are united: a pixel is lesion where it
    is in one of them, else ignored where it is in one.

    Args:
        pair: with a mask.
        shape: of its picture: height, width and perhaps more; None where nobody read it and the
            masks are known to fit.

    Raises:
        InputError, FileNotFoundError: as `read_mask`, or a mask has another size than the picture.
    """
    note = look(pair.image).orientation if pair.turn_mask else UPRIGHT
    if pair.annotation is not None:
        size = stored_size(shape or read_image(pair.image).shape, note)
        return turn(pair.annotation.mask(*size, pair.legend.lesion_class), note)
    masks = {path: read_mask(path, pair.legend) for path in (pair.mask, *pair.more_masks)}
    truth, *others = masks.values()
    for path, mask in masks.items():
        if problem := size_problem(
            path, stored_size(shape, note) if shape else truth.shape, mask.shape
        ):
            raise InputError(problem)
    for mask in others:
        truth = np.where((truth == 1) | (mask == 0), truth, mask)
    return turn(truth, note)


def read_second_truth(pair: Pair, shape: tuple) -> np.ndarray:
    """Return the second annotator's mask as `read_truth` does the first one's."""
    second = {"mask": pair.second_mask, "legend": pair.second_legend}
    return read_truth(replace(pair, **second, more_masks=(), annotation=None), shape)


def size_problem(path: Path, picture_shape: tuple, mask_shape: tuple) -> str:
    """Return what is wrong if the mask in `path` has another size than its picture, else ""."""
    if picture_shape[:2] == mask_shape:
        return ""
    lies = picture_shape[1::-1] == mask_shape  # it was made without regard to a rotation note
    remedy = (
        "turn the mask as its picture is seen" if lies else "save the mask at the picture's size"
    )
    return (
        f"{path}: the mask has {shown_size(mask_shape)} pixels, its picture "
        f"{shown_size(picture_shape)}; {remedy}"
    )


def shown_size(shape: tuple) -> str:
    """Return (height, width, ...) as people write it: width x height."""
    return f"{shape[1]} x {shape[0]}"


def load_pair(pair: Pair, image_size: int, channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return a pair at the network's size: float32 (S, S, channels) in [0, 1] and (S, S, 1).

    The mask is of 0, 1 and -1 (ignored).

    Raises:
        InputError, FileNotFoundError: as `read_pair`.
    """
    picture, mask = read_pair(pair, channels)
    return resize_image(picture, image_size), resize_mask(mask, image_size)


def resize_image(picture: np.ndarray, size: int) -> np.ndarray:
    """Return a uint8 picture (H, W, C) as float32 (size, size, C) in [0, 1], its aspect squashed.

    What shrinks is averaged over areas, so nothing aliases; what grows is interpolated linearly.
    """
    return _resize(picture, size).astype(np.float32) / np.float32(255)


def resize_mask(mask: np.ndarray, size: int) -> np.ndarray:
    """Return a mask (H, W) of 0, 1 and IGNORED as float32 (size, size, 1) of 0, 1 and -1 (ignored).

    It is 1 where the lesion covers at least half of what counts in the new pixel, and -1 where half
    or more of that pixel counts for nothing.
    """
    lesion = _resize((mask == 1)[..., None] * np.uint8(255), size).astype(np.float32)
    ignored = mask == IGNORED
    if not ignored.any():
        return (lesion >= 128).astype(np.float32)
    ignored = _resize(ignored[..., None] * np.uint8(255), size).astype(np.float32)
    return np.where(ignored >= 128, -1, 2 * lesion >= 255 - ignored).astype(np.float32)


def _resize(array, size):
    height, width, channels = array.shape
    if height > size or width > size:
        smaller = min(width, size), min(height, size)
        array = cv2.resize(array, smaller, interpolation=cv2.INTER_AREA)
    array = cv2.resize(array, (size, size), interpolation=cv2.INTER_LINEAR)
    return array.reshape(size, size, channels)

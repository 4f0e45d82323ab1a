"""The levels of which a mask file consists, and the mask that a legend makes of them.

mask = mask_of(read_levels(path), legend)

A level is a gray value, the index of a palette of colours, or a colour. What the levels mean is
judged over a whole folder, in `judging.py`.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from lesion.inputs.decoding import convert, decode
from lesion.inputs.depth import deep_values
from lesion.inputs.legend import Legend, Level

FEW_LEVELS = 16  # a mask of more was resized, saved as JPEG, or is none
FEW_COLOURS = 64  # a picture of more is not looked at colour by colour
GRAY_TOLERANCE = 8  # what JPEG makes of a gray picture saved in colour
STEPS = np.array([0, 64, 128, 192, 255])  # of each channel of many colours, for these are usual
TENTHS = 10_000  # steps of floating point values between 0 and 1
BINS = 32  # of each channel of many colours
SAME_COLOUR = 48  # between two colours of a JPEG that were one


@dataclass
class Levels:
    """A mask as it is in its file.

    Attributes:
        codes: uint8 or uint16 (H, W), the number of each pixel's level.
        levels: {number: Level} of those that occur.
        kind: words for what the names are: two kinds are not compared.
        values: how many different values or colours the file holds.
        picture: the values or colours themselves.
    """

    codes: np.ndarray
    levels: dict[int, Level]
    kind: str
    values: int
    picture: np.ndarray

    @cached_property
    def even(self) -> np.ndarray:
        """Pixels that are like all their eight neighbours, bool (H, W); training never asks."""
        return _even(self.picture)


def read_levels(path: str | Path) -> Levels:
    """Return the levels of the mask in `path`; raise as `reading.read_image` does.

    Gray values count as they are; of 16 bits with more than 256 levels only the upper byte. A
    palette of grays counts by its grays, one of colours by its indices. Colours count exactly if
    they are few, else each channel by the nearest of `STEPS`; transparency only where it is all
    that there is.
    """
    path = Path(path)
    picture = decode(path)
    if picture.mode.startswith(("I", "F")):
        return _of_deep_values(*deep_values(path, picture))
    transparent = "A" in picture.getbands() or "transparency" in picture.info
    if picture.mode == "P" and not transparent:
        return _of_palette(picture)
    if transparent:
        picture = convert(path, picture, "RGBA")
        *colours, (lowest, highest) = picture.getextrema()
        if lowest < highest and all(low == high for low, high in colours):
            return _of_gray(np.asarray(picture.getchannel("A")))
    if picture.mode in ("1", "L"):
        return _of_gray(np.asarray(convert(path, picture, "L")))
    return _of_colours(np.asarray(convert(path, picture, "RGB")))


def mask_of(mask: Levels, legend: Legend) -> np.ndarray:
    """Return a mask as uint8 (H, W) of 0, 1 (lesion) and IGNORED; the legend knows its levels."""
    meaning = np.zeros(max(mask.levels) + 1, np.uint8)
    nearest = legend.nearest(list(mask.levels.values()))
    meaning[list(mask.levels)] = [legend.value_of(level) for level in nearest]
    return meaning[mask.codes]


def _of_gray(values, kind="gray values", name=str):
    codes = np.ascontiguousarray(values)
    return _levels(codes, kind, lambda code: Level(name(code), (float(name(code)),) * 3))


def _of_deep_values(values, full_scale):
    if np.issubdtype(values.dtype, np.floating):
        if full_scale == 255:
            return _of_gray(np.rint(values).astype(np.uint8))
        tenths = np.rint(values * TENTHS).astype(np.uint16)
        return _of_gray(tenths, "values from 0 to 1", lambda code: f"{code / TENTHS:g}")
    if full_scale == 255:
        return _of_gray(values.astype(np.uint8))
    if len(count_codes(values)) > 256:
        upper = (values >> 8).astype(np.uint8)
        return _of_gray(upper, "16-bit gray values", lambda code: str(code * 257))
    return _of_gray(values, "16-bit gray values")


def _of_palette(picture):
    indices = np.ascontiguousarray(picture)
    palette = np.zeros((256, 3), np.uint8)
    entries = np.array(picture.getpalette("RGB") or [], np.uint8).reshape(-1, 3)[:256]
    palette[: len(entries)] = entries
    used = palette[list(count_codes(indices))]
    colours = len(np.unique(used, axis=0))
    if (np.ptp(used, axis=1) == 0).all() and (colours > 1 or len(used) == 1):
        return _of_gray(palette[:, 0][indices])
    if colours == 1 < len(used):  # a palette without a meaning
        return _of_gray(indices)
    kind = "indices of a palette"
    return _levels(indices, kind, lambda code: Level(str(code), tuple(map(float, palette[code]))))


def _of_colours(rgb):
    red, green, blue = cv2.split(rgb)
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return _of_gray(red)
    packed = (red.astype(np.int32) << 16) | (green.astype(np.int32) << 8) | blue
    colours = _few_distinct(packed)
    if colours is None:
        spread = cv2.absdiff(red, green).max(), cv2.absdiff(red, blue).max()
        if max(spread) <= GRAY_TOLERANCE:
            return _of_gray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
        return _of_many_colours(rgb)
    codes = np.zeros(packed.shape, np.uint8)
    for code, colour in enumerate(colours):
        codes[packed == colour] = code
    places = [(colour >> 16, colour >> 8 & 255, colour & 255) for colour in colours]
    levels = _levels(codes, "colours", lambda code: _colour(places[code]))
    return replace(levels, picture=rgb)


def _few_distinct(values):
    """Return the distinct values in ascending order, None where there are more than a few."""
    found, left = [], values.ravel()
    while left.size and len(found) <= FEW_COLOURS:  # with few of them faster than sorting
        found.append(int(left[0]))
        left = left[left != left[0]]
    return None if left.size else sorted(found)


def _of_many_colours(rgb):
    """Return the levels of a picture that JPEG or resizing gave many colours.

    Its levels are the colours of its even parts; what is far from them all counts coarsely.
    """
    even = _even(rgb)
    bins = _bins(rgb)
    counts = np.bincount(bins[even], minlength=BINS**3)
    sums = [np.bincount(bins[even], rgb[..., i][even], minlength=BINS**3) for i in range(3)]
    places = []
    for number in np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]:
        colour = np.array([total[number] for total in sums]) / counts[number]
        if all(np.linalg.norm(colour - place) > SAME_COLOUR for place in places):
            places.append(colour)
        if len(places) == FEW_LEVELS:
            break
    middles = (
        (np.stack(np.unravel_index(np.arange(BINS**3), (BINS,) * 3), axis=1) + 0.5) * 256 / BINS
    )
    coarse = np.abs(middles[..., None] - STEPS).argmin(axis=2) @ [25, 5, 1] + FEW_LEVELS
    distances = [np.full(BINS**3, float(SAME_COLOUR))]
    distances += [np.linalg.norm(middles - place, axis=1) for place in places]
    nearest = np.argmin(distances, axis=0)
    codes = np.where(nearest, nearest - 1, coarse).astype(np.uint8)[bins]
    steps = {FEW_LEVELS + code: STEPS[[code // 25, code // 5 % 5, code % 5]] for code in range(125)}
    places = dict(enumerate(places)) | steps
    levels = _levels(codes, "many colours", lambda code: _colour(places[code]))
    return replace(levels, values=FEW_COLOURS + 1, picture=rgb)


def _bins(rgb):
    """Return the number of each pixel's cube of colours, of which `BINS` lie along each channel."""
    red, green, blue = (channel // (256 // BINS) for channel in cv2.split(rgb))
    return (red.astype(np.intp) * BINS + green) * BINS + blue


def _colour(place):
    red, green, blue = (round(float(value)) for value in place)
    return Level(f"#{red:02x}{green:02x}{blue:02x}", tuple(map(float, place)))


def _levels(codes, kind, level):
    found = {code: level(code) for code in count_codes(codes)}
    return Levels(codes, found, kind, len(found), codes)


def count_codes(codes: np.ndarray) -> dict[int, int]:
    """Return {code: pixels}; counting bins is faster than sorting."""
    counts = np.bincount(codes.ravel())
    return {int(code): int(counts[code]) for code in np.flatnonzero(counts)}


def _even(values):
    """Return where a pixel and its eight neighbours are the same, in every channel."""
    around = np.ones((3, 3), np.uint8)
    even = cv2.dilate(values, around) == cv2.erode(values, around)
    return even if even.ndim == 2 else even.all(axis=2)

"""The levels of a mask, and what is seen of them when the file is read once.

levels = read_levels(path)
look = look_at_levels(levels)

A level is a gray value, the index of a palette of colours, or a colour. What the levels mean is
judged over a whole folder, in `judging.py`.
"""

import hashlib
from collections import Counter
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
# JPEG spoils the blocks of 8 x 8 pixels, 16 x 16 of colours, that a border runs through. What is
# uneven farther from all that is even than that, in more than this share of a mask, is a picture.
BORDER = {"gray values": 12, "many colours": 18}
WIDEST_BORDER = 18
ROUGH_SHARE = 0.001
SAME_COLOUR = 48  # between two colours of a JPEG that were one
# A line is thinner than this share of the diagonal of what it goes around.
LINE_SHARE = 0.06
SMALLEST_LINE = 20  # pixels of that diagonal


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


@dataclass(frozen=True)
class Look:
    """What is remembered of a mask file.

    Attributes:
        path: of the file.
        kind: as in `Levels`.
        shape: height and width.
        counts: {Level: pixels}.
        even: {Level: pixels that are like all their eight neighbours}: what lies at a border is
            not among them.
        exact: it has few levels, so that each of them was drawn or comes from resizing.
        frame: the levels in the outermost rows and columns.
        line: what is drawn is a line, not a filled region.
        photograph: it has many levels and is uneven over large parts, as a picture is.
        fingerprint: of its pixels.
    """

    path: Path
    kind: str
    shape: tuple[int, int]
    counts: dict[Level, int]
    even: dict[Level, int]
    exact: bool
    frame: tuple[Level, ...]
    line: bool
    photograph: bool
    fingerprint: str


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


def look_at_levels(path: Path, mask: Levels) -> Look:
    """Return what is remembered of a mask."""
    codes, levels = mask.codes, mask.levels
    frame = np.unique(np.concatenate([codes[0], codes[-1], codes[:, 0], codes[:, -1]]))
    counts = _counts(codes)
    digest = hashlib.sha256(repr((mask.kind, codes.shape)).encode() + codes.tobytes())
    return Look(
        path,
        mask.kind,
        codes.shape,
        _by_level(levels, counts),
        _by_level(levels, _counts(codes[mask.even])),
        mask.values <= FEW_LEVELS,
        tuple(levels[int(code)] for code in frame),
        _is_line(mask, counts),
        mask.values > FEW_LEVELS and _is_rough(mask.even, mask.kind),
        digest.hexdigest(),
    )


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
    if len(_counts(values)) > 256:
        upper = (values >> 8).astype(np.uint8)
        return _of_gray(upper, "16-bit gray values", lambda code: str(code * 257))
    return _of_gray(values, "16-bit gray values")


def _of_palette(picture):
    indices = np.ascontiguousarray(picture)
    palette = np.zeros((256, 3), np.uint8)
    entries = np.array(picture.getpalette("RGB") or [], np.uint8).reshape(-1, 3)[:256]
    palette[: len(entries)] = entries
    used = palette[list(_counts(indices))]
    colours = len(np.unique(used, axis=0))
    if (np.ptp(used, axis=1) == 0).all() and (colours > 1 or len(used) == 1):
        return _of_gray(palette[:, 0][indices])
    if colours == 1 < len(used):  # a palette without a meaning
        return _of_gray(indices)
    kind = "indices of a palette"
    return _levels(indices, kind, lambda code: Level(str(code), tuple(map(float, palette[code]))))


def _of_colours(rgb):
    spread = int((rgb.max(axis=2) - rgb.min(axis=2)).max())
    if spread == 0:
        return _of_gray(rgb[..., 0])
    packed = rgb.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    colours = np.unique(packed)
    if len(colours) > FEW_COLOURS and spread <= GRAY_TOLERANCE:
        return _of_gray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
    if len(colours) > FEW_COLOURS:
        return _of_many_colours(rgb, len(colours))
    codes = np.searchsorted(colours, packed).astype(np.uint8)
    places = [(colour >> 16, colour >> 8 & 255, colour & 255) for colour in colours]
    levels = _levels(codes, "colours", lambda code: _colour(places[code]))
    return replace(levels, picture=rgb)


def _of_many_colours(rgb, values):
    """Return the levels of a picture that JPEG or resizing gave many colours.

    Its levels are the colours of its even parts; what is far from them all counts coarsely.
    """
    colours, counts = np.unique(rgb[_even(rgb)], axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    places = []
    for colour in colours[order].astype(float):
        if all(np.linalg.norm(colour - place) > SAME_COLOUR for place in places):
            places.append(colour)
        if len(places) == FEW_LEVELS:
            break
    nearest = np.abs(np.arange(256)[:, None] - STEPS).argmin(axis=1).astype(np.uint8)
    red, green, blue = (nearest[rgb[..., channel]] for channel in range(3))
    codes = red * np.uint8(25) + green * np.uint8(5) + blue + np.uint8(FEW_LEVELS)
    nearest_so_far = np.full(codes.shape, SAME_COLOUR, np.float32)
    for code, place in enumerate(places):
        distance = np.linalg.norm(rgb - place.astype(np.float32), axis=2)
        closer = distance <= nearest_so_far
        codes[closer] = code
        nearest_so_far[closer] = distance[closer]
    steps = {FEW_LEVELS + code: STEPS[[code // 25, code // 5 % 5, code % 5]] for code in range(125)}
    places = dict(enumerate(places)) | steps
    levels = _levels(codes, "many colours", lambda code: _colour(places[code]))
    return replace(levels, values=values, picture=rgb)


def _colour(place):
    red, green, blue = map(int, place)
    return Level(f"#{red:02x}{green:02x}{blue:02x}", tuple(map(float, place)))


def _levels(codes, kind, level):
    found = {code: level(code) for code in _counts(codes)}
    return Levels(codes, found, kind, len(found), codes)


def _counts(codes):
    """Return {code: pixels}; counting bins is faster than sorting."""
    counts = np.bincount(codes.ravel())
    return {int(code): int(counts[code]) for code in np.flatnonzero(counts)}


def _by_level(levels, counts):
    """Return {Level: pixels} of {code: pixels}; two codes may stand for one colour."""
    pixels = Counter()
    for code, count in counts.items():
        pixels[levels[code]] += count
    return dict(pixels)


def _even(values):
    """Return where a pixel and its eight neighbours are the same, in every channel."""
    around = np.ones((3, 3), np.uint8)
    even = cv2.dilate(values, around) == cv2.erode(values, around)
    return even if even.ndim == 2 else even.all(axis=2)


def _is_rough(even, kind):
    """Whether large parts are uneven: not only what lies around a border."""
    padded = np.pad(1 - even.astype(np.uint8), WIDEST_BORDER, constant_values=1)
    far = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_3)
    inside = far[WIDEST_BORDER:-WIDEST_BORDER, WIDEST_BORDER:-WIDEST_BORDER]
    return float(np.mean(inside > BORDER.get(kind, WIDEST_BORDER))) > ROUGH_SHARE


def _is_line(mask, counts):
    """Whether the largest part of what is not background is a line, closed or not."""
    background = max(counts, key=counts.get)
    away = {
        code: np.linalg.norm(np.subtract(level.place, mask.levels[background].place))
        for code, level in mask.levels.items()
    }
    # What JPEG and resizing leave around a line is not drawn.
    regions = _counts(mask.codes[mask.even]).keys() - {background}
    drawn = [code for code in away if code in regions or 2 * away[code] > max(away.values())]
    is_drawn = np.zeros(max(away) + 1, np.uint8)
    is_drawn[drawn] = 1
    drawn = is_drawn[mask.codes]
    number, parts, statistics, _ = cv2.connectedComponentsWithStats(drawn, connectivity=8)
    if number < 2:
        return False
    largest = 1 + int(statistics[1:, cv2.CC_STAT_AREA].argmax())
    width, height = statistics[largest, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    diagonal = float(np.hypot(width, height))
    if diagonal < SMALLEST_LINE:
        return False
    part = cv2.copyMakeBorder((parts == largest).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    half_width = float(cv2.distanceTransform(part, cv2.DIST_L2, cv2.DIST_MASK_PRECISE).max())
    return half_width <= max(2.0, LINE_SHARE * diagonal)

"""What is seen in a mask file when it is read once, and remembered until its folder is judged.

look = look_at_levels(path, read_levels(path))
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from lesion.inputs.legend import Level
from lesion.inputs.levels import FEW_LEVELS, Levels, count_codes

# JPEG spoils the blocks of 8 x 8 pixels, 16 x 16 of colours, that a border runs through. What is
# uneven farther from all that is even than that, in more than this share of a mask, is a picture.
BORDER = {"gray values": 12, "many colours": 18}
WIDEST_BORDER = 18
ROUGH_SHARE = 0.001
# A line is thinner than this share of the diagonal of what it goes around.
LINE_SHARE = 0.06
FILLED_SHARE = 0.55  # of the box around it: what fills more is no line, as is seen at once
SMALLEST_LINE = 20  # pixels of that diagonal


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


def look_at_levels(path: Path, mask: Levels) -> Look:
    """Return what is remembered of a mask."""
    codes, levels = mask.codes, mask.levels
    frame = np.unique(np.concatenate([codes[0], codes[-1], codes[:, 0], codes[:, -1]]))
    counts, even = count_codes(codes), count_codes(codes[mask.even])
    digest = hashlib.sha256(repr((mask.kind, codes.shape)).encode() + codes.tobytes())
    return Look(
        path,
        mask.kind,
        codes.shape,
        renamed(counts, levels),
        renamed(even, levels),
        mask.values <= FEW_LEVELS,
        tuple(levels[int(code)] for code in frame),
        _is_line(mask, counts, even),
        mask.values > FEW_LEVELS and _is_rough(mask.even, mask.kind),
        digest.hexdigest(),
    )


def renamed(counts: Mapping, names: Mapping | Sequence) -> dict:
    """Return pixels by the name that each key of `counts` has; two keys may have the same."""
    pixels = Counter()
    for key, count in counts.items():
        pixels[names[key]] += count
    return dict(pixels)


def _is_rough(even, kind):
    """Whether large parts are uneven: not only what lies around a border."""
    padded = np.pad(1 - even.astype(np.uint8), WIDEST_BORDER, constant_values=1)
    far = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_3)
    inside = far[WIDEST_BORDER:-WIDEST_BORDER, WIDEST_BORDER:-WIDEST_BORDER]
    return float(np.mean(inside > BORDER.get(kind, WIDEST_BORDER))) > ROUGH_SHARE


def _is_line(mask, counts, even):
    """Whether the largest part of what is not background is a line, closed or not."""
    background = max(counts, key=counts.get)
    away = {
        code: np.linalg.norm(np.subtract(level.place, mask.levels[background].place))
        for code, level in mask.levels.items()
    }
    # What JPEG and resizing leave around a line is not drawn.
    regions = even.keys() - {background}
    drawn = [code for code in away if code in regions or 2 * away[code] > max(away.values())]
    is_drawn = np.zeros(max(away) + 1, np.uint8)
    is_drawn[drawn] = 1
    drawn = is_drawn[mask.codes]
    width, height = cv2.boundingRect(drawn)[2:]
    if np.count_nonzero(drawn) > FILLED_SHARE * width * height:
        return False
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

"""Rotation notes of pictures (EXIF orientation, 1 to 8), and whether masks were made with them.

evidence = turn_evidence(picture, mask, turn(mask, note))   # for each picture of a folder
masks_are_stored = judge_turns(evidences)
"""

from collections.abc import Sequence

import cv2
import numpy as np

UPRIGHT = 1  # the note of a picture that is stored as it is seen
TURNS = {  # what makes a stored picture upright
    1: lambda array: array,
    2: np.fliplr,
    3: lambda array: np.rot90(array, 2),
    4: np.flipud,
    5: lambda array: array.swapaxes(0, 1),
    6: lambda array: np.rot90(array, -1),
    7: lambda array: np.rot90(array, 2).swapaxes(0, 1),
    8: np.rot90,
}
COMPARED_SIZE = 256  # pixels: pictures are compared with their masks at this size
BAND = 0.04  # width of the bands along a mask's border, as a share of the picture's side
SAME = 0.95  # intersection over union of masks between which there is nothing to choose
# Of single pictures with true masks the evidence has a mean of 0.5 in dermoscopy and 0.27 in
# photographs by phone, and a standard deviation of 0.3: a sum of 0.9 errs in one of 3000 folders.
CLEAR_SUM = 0.9
CLEAR_MEAN = 0.1  # masks that belong to other pictures have a mean of 0
CLEAR_SHARE = 0.65  # of pictures that speak for the same


def turn(array: np.ndarray, note: int) -> np.ndarray:
    """Return an array (H, W) or (H, W, C) as a viewer shows a picture with this rotation note."""
    return np.ascontiguousarray(TURNS[note](array))


def stored_size(shape: tuple, note: int) -> tuple[int, int]:
    """Return (height, width) of an upright picture's file, which has this rotation note."""
    return (shape[1], shape[0]) if note >= 5 else (shape[0], shape[1])


def turn_evidence(picture: np.ndarray, mask: np.ndarray, turned: np.ndarray) -> float | None:
    """Return how much better the turned mask fits a picture, from -1 (the other does) to 1.

    Two things count alike: along which border the colour changes more, and whether what only one of
    the masks covers has the colour of what both cover rather than of their surroundings.

    Args:
        picture: uint8 (H, W, 3).
        mask, turned: (H, W), 1 is lesion.

    Returns:
        the evidence; None where there is nothing to choose: both masks are nearly the same.
    """
    scale = min(1, COMPARED_SIZE / max(mask.shape))
    size = [max(1, round(side * scale)) for side in mask.shape[::-1]]
    masks = [(one == 1).astype(np.uint8) for one in (mask, turned)]
    masks = [cv2.resize(one, size, interpolation=cv2.INTER_NEAREST) == 1 for one in masks]
    if (masks[0] & masks[1]).sum() >= SAME * (masks[0] | masks[1]).sum():
        return None
    colours = cv2.cvtColor(
        cv2.resize(picture, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB
    )
    return (_by_border(colours, *masks) + _by_region(colours, *masks)) / 2


def judge_turns(evidences: Sequence[float]) -> bool | None:
    """Return whether the turned masks of a folder are right; None where that is not clear.

    Args:
        evidences: what `turn_evidence` returned for each picture.
    """
    total, count = sum(evidences), len(evidences)
    agreeing = sum(evidence * total > 0 for evidence in evidences)
    if abs(total) < max(CLEAR_SUM, CLEAR_MEAN * count) or agreeing < CLEAR_SHARE * count:
        return None
    return total > 0


def _by_border(colours, mask, turned):
    return _share(_contrast(colours, turned), _contrast(colours, mask))


def _contrast(colours, mask):
    """Return the distance between the mean colours on both sides of a mask's border."""
    reach = max(1, round(BAND * np.sqrt(mask.size)))
    outer = _grown(mask, reach) & ~mask
    inner = _grown(~mask, reach) & mask
    return _distance(colours, inner, outer)


def _by_region(colours, mask, turned):
    either = mask | turned
    core, around = mask & turned, _grown(either, COMPARED_SIZE // 12) & ~either
    first, second = mask & ~turned, turned & ~mask
    nearer = _distance(colours, first, core) + _distance(colours, second, around)
    farther = _distance(colours, second, core) + _distance(colours, first, around)
    return _share(nearer, farther)


def _share(value, other):
    return (value - other) / (value + other + 2)  # 2 gray levels are noise


def _distance(colours, region, other):
    if not region.any() or not other.any():
        return 0
    return float(np.linalg.norm(colours[region].mean(0) - colours[other].mean(0)))


def _grown(mask, reach):
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(mask.astype(np.uint8), kernel) == 1

"""Masks of 0 and 1: from probabilities, the largest component, the outline over a picture.

Needs NumPy and OpenCV only, so that predicting from the command line never loads Matplotlib.
"""

import math

import cv2
import numpy as np

IGNORED = 255  # in a truth mask beside 0 and 1: pixels that count neither in loss nor in scores
# Text of what `predict` writes, key and value in a PNG: such a mask is never taken for truth.
PREDICTED = ("Software", "skin-lesion U-Net: predicted mask, not truth")

BLUR, BLUR_REACH = 0.8, 4  # of outlines, pixels: standard deviation, and what is never exceeded

# One meaning, one colour, everywhere; blue alone has two, the truth in pictures and the training
# set in plots. Okabe & Ito 2008: told apart with any colour vision.
COLOURS = {
    "truth": "#0072B2",
    "prediction": "#E69F00",
    "training": "#0072B2",
    "validation": "#D55E00",
    "test": "#009E73",
    "other": "#CC79A7",
    "baseline": "#7F7F7F",
}


def mask_at(probability: np.ndarray, threshold: float) -> np.ndarray:
    """Return the uint8 0/1 mask of pixels with probability >= threshold, compared as float32."""
    return (np.asarray(probability, np.float32) >= np.float32(threshold)).view(np.uint8)


def largest_component(mask: np.ndarray) -> np.ndarray:
    """Return the largest connected component of a mask (8 neighbours) with its holes filled.

    The largest is the one whose outline encloses most, holes included.

    Args:
        mask: uint8 (H, W) of 0 and 1.

    Returns:
        uint8 (H, W) of 0 and 1; all 0 stays so.
    """
    outlines = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    filled = np.zeros(mask.shape, np.uint8)
    if outlines:
        # A line one pixel wide encloses nothing: there its length counts.
        largest = max(outlines, key=lambda line: (cv2.contourArea(line), len(line)))
        cv2.drawContours(filled, [largest], -1, 1, cv2.FILLED)
    return filled


def _rgb(colour):
    """Turn a key of `COLOURS` or "#rrggbb" into float32 (3,) in 0..255."""
    return np.array(list(bytes.fromhex(COLOURS.get(colour, colour).lstrip("#"))), np.float32)


def window_of(mask: np.ndarray, margin: int) -> tuple[slice, slice]:
    """Return (rows, columns) of the smallest part that holds a mask, and `margin` pixels around.

    Args:
        mask: uint8 (H, W), 0 outside; of an empty one the first pixel counts as the mask.
        margin: less where the picture ends.
    """
    left, top, width, height = cv2.boundingRect(mask)
    width, height = max(width, 1), max(height, 1)
    return (
        slice(max(0, top - margin), min(mask.shape[0], top + height + margin)),
        slice(max(0, left - margin), min(mask.shape[1], left + width + margin)),
    )


def _distance_to_border(mask):
    """Return the distance of pixel centres to the border of the mask in pixels: float32 (H, W).

    The picture's frame counts as border where the mask reaches it; otherwise the outline of an
    all-foreground mask would be invisible.
    """
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    inside = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_5)
    outside = cv2.distanceTransform(1 - padded, cv2.DIST_L2, cv2.DIST_MASK_5)
    # The border runs between pixels: half a pixel from the centres on either side of it.
    signed = outside - inside - np.where(padded, -0.5, 0.5).astype(np.float32)
    # A slight blur rounds the stairs of the pixel grid; islands of one pixel survive it.
    return np.abs(cv2.GaussianBlur(signed, (0, 0), BLUR)[1:-1, 1:-1])


def _blend(picture, distance, half_width, colour, opacity):
    """Paint `colour` where `distance` < `half_width`, with one pixel of soft edge, in place."""
    near = distance < half_width + 0.5
    share = opacity * np.clip(half_width + 0.5 - distance[near], 0, 1)[:, None]
    picture[near] = np.rint((1 - share) * picture[near] + share * colour).astype(np.uint8)


def draw_outline(picture: np.ndarray, masks: dict | list) -> np.ndarray:
    """Draw the outlines of masks over a picture.

    Lines are 1/150 of the shorter side wide, at least 1.5 pixels, with a thin halo (light around
    dark colours, dark around light ones) that keeps them visible on any skin. Of several masks the
    last is drawn on top, and each one below is wider: where outlines coincide, all stay visible.

    Args:
        picture: uint8 (H, W, 3), (H, W, 1) or (H, W).
        masks: dict of colour -> mask, or list of (mask, colour). A mask is (H, W) of 0 and 1 (or
            0 and 255, or booleans), or None, which is left out. A colour is a key of `COLOURS`
            or "#rrggbb".

    Returns:
        uint8 (H, W, 3); the picture passed in is not changed.

    Raises:
        ValueError: the picture is not uint8, or a mask has another size or holds probabilities.
    """
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or picture.ndim not in (2, 3):
        raise ValueError(
            f"picture is {picture.dtype} {picture.shape}: expected uint8 (height, width, 1 or 3)"
        )
    drawn = np.atleast_3d(picture)
    drawn = np.repeat(drawn, 3, axis=2) if drawn.shape[2] == 1 else drawn.copy()
    size = drawn.shape[:2]

    pairs = [(mask, colour) for colour, mask in masks.items()] if isinstance(masks, dict) else masks
    shown = [(_checked(mask, size), _rgb(colour)) for mask, colour in pairs if mask is not None]
    shown = [(mask, colour) for mask, colour in shown if mask.any()]
    thickness = max(1.5, min(size) / 150)
    halo = 0.5 * thickness
    half_widths = [thickness * (0.5 + 0.45 * below) for below in reversed(range(len(shown)))]
    lines = []
    for (mask, colour), half_width in zip(shown, half_widths, strict=True):
        # Nothing is drawn further off than this, and distances are most of the work.
        window = window_of(mask, BLUR_REACH + math.ceil(half_width + halo + 0.5))
        lines.append((drawn[window], _distance_to_border(mask[window]), half_width, colour))

    for part, distance, half_width, colour in lines:
        luminance = colour @ (0.299, 0.587, 0.114)
        _blend(part, distance, half_width + halo, 255.0 if luminance < 128 else 0.0, 0.7)
    for part, distance, half_width, colour in lines:
        _blend(part, distance, half_width, colour, 1.0)
    return drawn


def _checked(mask, size):
    """Return a mask to draw over a picture of that (height, width) as uint8 of 0 and 1."""
    mask = np.asarray(mask)
    if mask.shape != size:
        raise ValueError(f"mask is {mask.shape}, the picture {size}: resize one to the other")
    if mask.dtype.kind == "f":
        raise ValueError(f"mask is {mask.dtype}: threshold probabilities to 0 and 1 first")
    return (mask > 0).astype(np.uint8)

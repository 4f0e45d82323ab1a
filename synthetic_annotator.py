"""The outline that an annotator gives a drawn lesion, for the drawn pictures of `synthetic.py`."""

import cv2
import numpy as np

from pieces import largest_piece
from synthetic_lesion import Place


def annotate(rng: np.random.Generator, size: int, place: Place, reach: float) -> np.ndarray:
    """The mask an annotator draws: uint8 (S, S) of 0/1, one piece without holes.

    Three hands, as in public sets: the pigment's own edge followed closely, a smooth line a little
    outside it, and a generous polygon around it.
    """
    field = place.inside + np.float32(reach)
    hand = rng.random()
    margin = rng.uniform(-0.08, 0.0)  # how far outside `inside == 0` the line runs, in radii
    if hand > 0.45:
        softness = max(0.6, rng.uniform(0.04, 0.16) * place.radius * size)
        field = cv2.GaussianBlur(field, (0, 0), softness)
        margin = rng.uniform(-0.05, 0.05) if hand < 0.8 else rng.uniform(0.03, 0.22)
    margin += float(np.clip(0.2 * (place.radius - 0.33), -0.05, 0.05))  # large ones more loosely
    mask = largest_piece((field > -margin).astype(np.uint8))
    if hand > 0.8 and mask.any():
        outlines = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
        outline = max(outlines, key=len)[:, 0]
        corners = min(len(outline), int(rng.integers(9, 24)))
        steps = np.linspace(0, len(outline), corners, endpoint=False).astype(int)
        mask = np.zeros_like(mask)
        cv2.fillPoly(mask, [outline[steps]], 1)
    return mask

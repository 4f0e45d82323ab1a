"""The pieces of a mask: a lesion is one, and speckles and holes are none."""

import cv2
import numpy as np


def largest_piece(mask):
    """The largest connected piece of a mask (8 neighbours) with its holes filled.

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

"""Outlines of masks, with as few points as hold them, for tools that draw polygons.

None of their formats has holes. A hole is joined to the rim by a slit without width, which leaves
it out by every tool's rule of filling.
"""

from collections.abc import Callable

import cv2
import numpy as np

TOLERANCES = (
    1,
    0.5,
    0.01,
)  # pixels that an outline may lie beside the mask's, the first that will do
MOST_ERROR = 0.005  # of the area, that may differ


def outlines(
    mask: np.ndarray, draw: Callable[[np.ndarray], np.ndarray], zoom: int = 1
) -> list[np.ndarray]:
    """Return a polygon for each connected region of a mask.

    Args:
        mask: uint8 (H, W) of 0 and 1.
        draw: fills a polygon as the tool does.
        zoom: 1 for the centres of the pixels of the edge, 0.5 more than their index, for tools that
            fill these pixels; more for lines nearer to the sides of the pixels.

    Returns:
        float64 (N, 2) of x, y each; drawn and united they differ from the mask by 0.5 % at most.
    """
    large = np.repeat(np.repeat(mask, zoom, axis=0), zoom, axis=1)
    contours, tree = cv2.findContours(large, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return []
    parents = tree.reshape(-1, 4)[:, 3]
    for tolerance in TOLERANCES:
        rings = [_simpler(contour, tolerance * zoom) for contour in contours]
        polygons = [
            (_joined(ring, [rings[i] for i in np.flatnonzero(parents == number)]) + 0.5) / zoom
            for number, ring in enumerate(rings)
            if parents[number] < 0
        ]
        union = np.zeros_like(mask)
        for polygon in polygons:
            union |= draw(polygon)
        if (union != mask).sum() <= MOST_ERROR * mask.sum():
            break
    return polygons


def _simpler(contour, tolerance):
    points = cv2.approxPolyDP(contour, tolerance, True)[:, 0]
    return np.resize(points, (max(3, len(points)), 2))  # a point or a line is a polygon, too


def _joined(ring, holes):
    """Return one ring with the holes, the nearest first, so that no slit crosses another hole."""
    if not holes:
        return ring.astype(np.float64)
    from scipy.spatial import KDTree  # takes longer to import than all of `inputs`

    while holes:
        near = [KDTree(ring).query(hole) for hole in holes]
        chosen = min(range(len(holes)), key=lambda number: near[number][0].min())
        hole, (distances, indices) = holes.pop(chosen), near[chosen]
        start = int(distances.argmin())
        at = int(indices[start])
        around = np.concatenate([hole[start:], hole[: start + 1]])
        ring = np.concatenate([ring[: at + 1], around, ring[at:]])
    return ring.astype(np.float64)

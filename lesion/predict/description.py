"""A lesion in numbers, as dermatology reads it: size, asymmetry, border, colours. No diagnosis.

row = describe_lesion(mask, picture, mm_per_pixel=0.02)

The numbers describe the mask: where the network errs, they err with it. None of them says whether
a lesion is harmless.
"""

import cv2
import numpy as np

from lesion.console import InputError
from lesion.masks import largest_component, window_of
from lesion.predict.colours import SHADES, blocks, pixels, sample, shades

LENGTHS = ("area", "equivalent_diameter", "largest_diameter", "smallest_diameter", "perimeter")
SHAPES = ("asymmetry_long_axis", "asymmetry_short_axis", "border_irregularity", "convexity")

# Crofton's formula in four directions, as skimage.measure.perimeter_crofton: each square of four
# pixels has a number, by which of them are lesion, and adds its part to the border's length.
SQUARE = np.array([[8, 2], [4, 1]], np.float32)
ACROSS, DIAGONAL = np.pi / 4, np.pi / (4 * np.sqrt(2))
CROFTON = np.array(
    [
        *(0, ACROSS + DIAGONAL, DIAGONAL, 2 * DIAGONAL, 0, ACROSS + DIAGONAL, 0, DIAGONAL),
        *(ACROSS, 2 * ACROSS, DIAGONAL, DIAGONAL, ACROSS, 2 * ACROSS, 0, 0),
    ]
)


def describe_lesion(
    mask: np.ndarray, picture: np.ndarray, mm_per_pixel: float | None = None
) -> dict:
    """Describe the largest connected component of a mask, with its holes filled.

    Args:
        mask: uint8 0/1 (H, W).
        picture: uint8 RGB (H, W, 3).
        mm_per_pixel: side of a pixel in millimetres, or None where the scale is not known.

    Returns a dict of numbers and text; all but the first two are None where the mask is empty:
        parts: connected components (8 neighbours) of the mask; the others are not described.
        touches_frame: 1 where the lesion reaches the picture's edge, so that some of it is missing
            and size, asymmetry and border are those of the visible part; else 0.
        area_pixels: number of pixels.
        equivalent_diameter_pixels: diameter of the disc of that area, sqrt(4 area / pi).
        largest_diameter_pixels, smallest_diameter_pixels: largest and smallest distance of two
            parallel lines that hold the lesion between them (Feret's diameters), pixel edges to
            pixel edges.
        perimeter_pixels: length of the border by Crofton's formula in four directions, as
            skimage.measure.perimeter_crofton.
        asymmetry_long_axis, asymmetry_short_axis: see `asymmetry`.
        border_irregularity: perimeter^2 / (4 pi area): 1 for a disc, more for any other shape
            (Golston, Stoecker & Moss 1992, Computerized Medical Imaging and Graphics 16(3)). It
            grows with the detail that the resolution shows: compare pictures of one size only.
        convexity: area / area of the convex hull, 0..1; notches lower it.
        mean_red, mean_green, mean_blue: 0..255, sRGB as stored.
        mean_lightness, mean_a, mean_b: CIELAB (D65) means.
        colour_count, colours: how many and which of the six colours, see `colours_present`.
        With `mm_per_pixel` also area_mm2, equivalent_diameter_mm, largest_diameter_mm,
        smallest_diameter_mm and perimeter_mm.

    Raises:
        InputError: the scale is not positive.
        ValueError: sizes differ.
    """
    mask, picture = np.asarray(mask), np.asarray(picture)
    if mask.ndim != 2 or picture.shape != (*mask.shape, 3):
        raise ValueError(f"mask {mask.shape} and RGB picture {picture.shape} do not fit together")
    if mm_per_pixel is not None and not 0 < mm_per_pixel < np.inf:
        raise InputError(f"{mm_per_pixel} mm per pixel: must be a positive number")
    inside, lesion = window_of(mask, 0), np.zeros_like(mask)
    parts = cv2.connectedComponents(mask[inside], connectivity=8)[0] - 1
    lesion[inside] = largest_component(mask[inside])
    lengths, others = dict.fromkeys(LENGTHS), dict.fromkeys(SHAPES + SHADES)
    if parts:
        around = window_of(lesion, 1)  # with what is outside, where the picture goes on
        lengths = dict(zip(LENGTHS, _lengths(lesion[around]), strict=True))
        others = _shapes(lesion[around], lengths)
        others |= shades(lesion[around], picture[around], lambda: pixels(picture, mask == 0))
    row = {"parts": parts, "touches_frame": int(_touches_frame(lesion))}
    row |= {f"{key}_pixels": value for key, value in lengths.items()}
    if mm_per_pixel is not None:
        for key, value in lengths.items():
            power, unit = (2, "mm2") if key == "area" else (1, "mm")
            row[f"{key}_{unit}"] = None if value is None else value * mm_per_pixel**power
    return row | others


def _shapes(lesion, lengths):
    """Return the values of SHAPES, by name."""
    area, perimeter = lengths["area"], lengths["perimeter"]
    irregularity = perimeter**2 / (4 * np.pi * area)
    values = (*asymmetry(lesion), irregularity, area / _hull_area(lesion))
    return dict(zip(SHAPES, map(float, values), strict=True))


def asymmetry(lesion: np.ndarray) -> tuple[float, float]:
    """Measure how much of a lesion has no counterpart when it is folded along its principal axes.

    The lesion is mirrored at each principal axis of inertia through its centroid; the score is the
    share of its area that the mirror image leaves bare, 0 where it is symmetric (Stoecker, Li &
    Moss 1992, Computerized Medical Imaging and Graphics 16(3)). The shape alone counts, not the
    colours.

    Args:
        lesion: uint8 0/1 (H, W), not empty.

    Returns:
        (folded along the long axis, folded along the short axis), each in 0..1.
    """
    moments = cv2.moments(lesion, binaryImage=True)
    centre = np.array([moments["m01"], moments["m10"]]) / moments["m00"]
    inertia = [[moments["mu02"], moments["mu11"]], [moments["mu11"], moments["mu20"]]]
    _, axes = np.linalg.eigh(inertia)  # by ascending inertia: short axis, long axis
    points = sample(cv2.findNonZero(lesion).reshape(-1, 2))
    hits = sum(_count_hits(lesion, block, centre, axes[:, 1]) for block in blocks(points))
    return tuple((1 - hits / len(points)).tolist())


def _count_hits(lesion, points, centre, axis):
    """Return how many points (N, 2), (x, y) each, hit the lesion mirrored at an axis; then across.

    A point beyond the picture hits nothing.
    """
    height, width = lesion.shape
    columns, rows = points.T.astype(np.float64, order="C") - centre[::-1, None]
    along = 2 * (axis[0] * rows + axis[1] * columns)
    mirrored, hits = (along * axis[0] - rows, along * axis[1] - columns), []
    for way in (1, -1):  # mirrored at the other axis it is the same, turned by half
        rows, columns = (start + way * line for start, line in zip(centre, mirrored, strict=True))
        within = (rows >= 0) & (rows <= height - 1) & (columns >= 0) & (columns <= width - 1)
        # Between pixel centres a mask has no value of its own; the nearest's keeps it sharp.
        nearest = np.floor(rows + 0.5) * width + np.floor(columns + 0.5)
        found = lesion.take(nearest.astype(np.intp), mode="clip") & within
        hits.append(np.count_nonzero(found))
    return np.array(hits)


def _touches_frame(lesion):
    return any(edge.any() for edge in (lesion[0], lesion[-1], lesion[:, 0], lesion[:, -1]))


def _hull(lesion):
    """Return the corners of the convex hull of the lesion's pixels as squares: float (N, 2)."""
    outlines, _ = cv2.findContours(lesion, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    centres = cv2.convexHull(np.concatenate(outlines))[:, 0].astype(np.float32)
    corners = np.array([(-0.5, -0.5), (-0.5, 0.5), (0.5, -0.5), (0.5, 0.5)], np.float32)
    return cv2.convexHull((centres[:, None] + corners).reshape(-1, 2))[:, 0].astype(np.float64)


def _hull_area(lesion):
    return float(cv2.contourArea(_hull(lesion).astype(np.float32)))


def _lengths(lesion):
    """Return the values of LENGTHS in pixels."""
    area = int(np.count_nonzero(lesion))
    hull = _hull(lesion)
    largest = max(np.hypot(*(hull - corner).T).max() for corner in hull)
    edges = np.roll(hull, -1, axis=0) - hull
    normals = np.stack([-edges[:, 1], edges[:, 0]], axis=1) / np.hypot(*edges.T)[:, None]
    # A pair of parallel lines is narrowest where one of them lies along an edge of the hull.
    smallest = np.ptp(hull @ normals.T, axis=0).min()
    squares = cv2.filter2D(np.pad(lesion, 2), -1, SQUARE, borderType=cv2.BORDER_CONSTANT)
    perimeter = CROFTON @ np.bincount(squares.ravel(), minlength=16)
    return area, float(np.sqrt(4 * area / np.pi)), float(largest), float(smallest), float(perimeter)

"""A lesion in numbers, as dermatology reads it: size, asymmetry, border, colours. No diagnosis.

row = describe_lesion(mask, picture, mm_per_pixel=0.02)

The numbers describe the mask: where the network errs, they err with it. None of them says whether
a lesion is harmless.
"""

import cv2
import numpy as np
from scipy import ndimage
from skimage.color import rgb2lab
from skimage.measure import perimeter_crofton

from lesion.console import InputError
from lesion.masks import largest_component

# The six colours of the ABCD rule of dermatoscopy (Stolz et al. 1994, European Journal of
# Dermatology 4; Nachbar et al. 1994, doi:10.1016/S0190-9622(94)70061-3), as sRGB. People name them;
# these values, one typical shade of each, are this project's choice.
COLOURS = {
    "white": (235, 230, 225),
    "red": (190, 70, 70),
    "light brown": (180, 125, 85),
    "dark brown": (95, 55, 35),
    "blue-gray": (105, 115, 135),
    "black": (25, 20, 20),
}
PRESENT_SHARE = 0.05  # of the lesion's area; less of a colour may be a hair or a glint
SAMPLED_PIXELS = 200_000  # enough for means and shares of a lesion of any size


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
    parts, lesion = cv2.connectedComponents(mask, connectivity=8)[0] - 1, largest_component(mask)
    lengths, others = dict.fromkeys(LENGTHS), dict.fromkeys(SHAPES + SHADES)
    if parts:
        lengths = dict(zip(LENGTHS, _lengths(lesion), strict=True))
        long_axis, short_axis = asymmetry(lesion)
        irregularity = lengths["perimeter"] ** 2 / (4 * np.pi * lengths["area"])
        shapes = long_axis, short_axis, irregularity, lengths["area"] / _hull_area(lesion)
        others = dict(zip(SHAPES, shapes, strict=True)) | _shades(lesion, mask, picture)
    row = {"parts": parts, "touches_frame": int(_touches_frame(lesion))}
    row |= {f"{key}_pixels": value for key, value in lengths.items()}
    if mm_per_pixel is not None:
        for key, value in lengths.items():
            power, unit = (2, "mm2") if key == "area" else (1, "mm")
            row[f"{key}_{unit}"] = None if value is None else value * mm_per_pixel**power
    return row | others


LENGTHS = ("area", "equivalent_diameter", "largest_diameter", "smallest_diameter", "perimeter")
SHAPES = ("asymmetry_long_axis", "asymmetry_short_axis", "border_irregularity", "convexity")
SHADES = (
    *("mean_red", "mean_green", "mean_blue", "mean_lightness", "mean_a", "mean_b"),
    *("colour_count", "colours"),
)


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
    points = np.argwhere(lesion).astype(np.float64)
    centre = points.mean(axis=0)
    offsets = points - centre
    _, axes = np.linalg.eigh(offsets.T @ offsets)  # by ascending inertia: short axis, long axis
    offsets = _sample(offsets)
    scores = []
    for axis in axes.T[::-1]:
        mirrored = 2 * np.outer(offsets @ axis, axis) - offsets + centre
        # Between pixel centres a mask has no value of its own; the nearest pixel's keeps it sharp.
        hit = ndimage.map_coordinates(lesion, mirrored.T, order=0, mode="constant", cval=0)
        scores.append(float(1 - np.count_nonzero(hit) / len(offsets)))
    return tuple(scores)


def colours_present(lab: np.ndarray, skin_lightness: float) -> list[str]:
    """Tell which of the six colours of the ABCD rule a lesion holds.

    Each pixel goes to the nearest of COLOURS in CIELAB (CIE 1976 distance). A colour is present
    where it has PRESENT_SHARE of the pixels. As the rule asks, white counts only where it is
    lighter than the skin around. Lighting and camera shift colours: a rough count, no measurement.

    Args:
        lab: (N, 3) CIELAB colours of the lesion's pixels.
        skin_lightness: CIELAB lightness of the skin around, 0..100.

    Returns:
        list of names, in the order of COLOURS.
    """
    shades = rgb2lab(np.array([list(COLOURS.values())], np.uint8))[0]
    nearest = np.argmin(((lab[:, None] - shades) ** 2).sum(axis=2), axis=1)
    white = list(COLOURS).index("white")
    counted = (nearest != white) | (lab[:, 0] > skin_lightness)
    shares = np.bincount(nearest[counted], minlength=len(COLOURS)) / len(lab)
    return [name for name, share in zip(COLOURS, shares, strict=True) if share >= PRESENT_SHARE]


def _sample(values):
    return values[:: max(1, len(values) // SAMPLED_PIXELS)]


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
    perimeter = perimeter_crofton(np.pad(lesion, 1), directions=4)
    return area, float(np.sqrt(4 * area / np.pi)), float(largest), float(smallest), float(perimeter)


def _shades(lesion, mask, picture):
    """Return the values of SHADES, by name."""
    rgb = _sample(picture[lesion > 0])
    lab = rgb2lab(rgb[None])[0]
    skin = _sample(picture[mask == 0])
    skin_lightness = np.median(rgb2lab(skin[None])[0, :, 0]) if len(skin) else 100.0
    names = colours_present(lab, skin_lightness)
    means = [float(value) for value in (*rgb.mean(axis=0), *lab.mean(axis=0))]
    return dict(zip(SHADES, [*means, len(names), "; ".join(names)], strict=True))

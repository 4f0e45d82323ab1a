"""What a score is worth: the masks that no learning gives, to stand beside every model.

    disc = CentredDisc.fit(training_masks)
    for name, baseline in baseline_table(disc).items():
        mask = baseline(picture)                  # uint8 0/1 at the picture's own size

The two that never look at the picture show how far "a lesion is in the middle" gets.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from skimage.filters import threshold_otsu

from lesion.score import metrics

# Radii that CentredDisc.fit tries, in units of sqrt(height * width). The largest reaches the
# corners of a picture three times as wide as high.
RADII = np.round(np.arange(0.01, 0.9201, 0.005), 3)

LUMINANCE = np.array(
    [[0.2125, 0.7154, 0.0721]], np.float32
)  # of red, green and blue (ITU-R BT.709)

# Standard deviation of the blur before Otsu's threshold, in units of sqrt(height * width): wider
# than a hair, narrower than a lesion.
BLUR = 0.02


def all_foreground(shape: tuple[int, ...]) -> np.ndarray:
    """Return a mask of ones, uint8 (H, W), for a picture of the shape (H, W) or (H, W, C)."""
    return np.ones(shape[:2], np.uint8)


@dataclass(frozen=True)
class CentredDisc:
    """The disc in the middle of the picture: pixels at most radius * sqrt(H * W) from its centre.

    Attributes:
        radius: in units of sqrt(height * width), so that it means the same at any size.
    """

    radius: float

    @classmethod
    def fit(cls, masks: Iterable[np.ndarray]) -> "CentredDisc":
        """Return the disc with the best mean Dice per picture on training masks.

        The masks are read once, one at a time, each at its own size, and every radius of RADII is
        tried on all of their pixels. Of equally good radii the smallest is taken.

        Args:
            masks: masks (H, W) of 0, 1 and IGNORED.

        Raises:
            ValueError: no masks.
        """
        total = np.zeros(RADII.size)
        for mask in masks:
            # The widest disc holds every other, so it comes first among the nested masks.
            total += metrics.dice_of_nested_masks(mask, _disc_rank(mask.shape), RADII.size)[::-1]
        if not total.any():
            raise ValueError("no lesion in the training masks to fit the centred disc on")
        return cls(float(RADII[np.argmax(total)]))

    def mask(self, shape: tuple[int, ...]) -> np.ndarray:
        """Return the disc as uint8 0/1 (H, W), for a picture of the shape (H, W) or (H, W, C)."""
        return (_distance_from_centre(shape[:2]) <= self.radius).astype(np.uint8)


def otsu_largest_component(picture: np.ndarray) -> np.ndarray:
    """Find the largest dark region: gray, blur, Otsu's threshold, largest component, holes filled.

    A lesion is darker than the skin around it, but so are the corners that a round dermatoscope
    leaves black: a region that holds a corner of the picture is taken only if there is no other.
    Source of the threshold: Otsu 1979, IEEE Transactions on Systems, Man, and Cybernetics 9(1).

    Args:
        picture: uint8 (H, W, 3) RGB, (H, W, 1) or (H, W) gray.

    Returns:
        Mask uint8 (H, W), 0 or 1; all 0 for a picture of a single colour.
    """
    gray = picture.astype(np.float32)
    gray = (
        cv2.transform(gray, LUMINANCE) if gray.shape[2:] == (3,) else gray.reshape(gray.shape[:2])
    )
    if gray.min() == gray.max():
        return np.zeros(gray.shape, np.uint8)
    deviation = BLUR * np.sqrt(gray.size)
    width = 2 * int(4 * deviation + 0.5) + 1
    gray = cv2.GaussianBlur(gray, (width, width), deviation, borderType=cv2.BORDER_REPLICATE)
    dark = (gray <= threshold_otsu(gray)).astype(np.uint8)
    number, regions = cv2.connectedComponents(dark, connectivity=4)
    sizes = np.bincount(regions.ravel(), minlength=number)
    sizes[0] = 0
    corners = regions[[0, 0, -1, -1], [0, -1, 0, -1]]
    sizes_without_corners = sizes.copy()
    sizes_without_corners[corners] = 0
    if sizes_without_corners.any():
        sizes = sizes_without_corners
    outside = np.pad((regions == sizes.argmax()).astype(np.uint8), 1)
    cv2.floodFill(outside, None, (0, 0), 2, flags=4)  # what is not reached from there: holes, too
    return (outside[1:-1, 1:-1] != 2).astype(np.uint8)


def baseline_table(disc: CentredDisc | None) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Return every baseline by name: picture (H, W, C) -> mask uint8 0/1 (H, W).

    Where no disc could be fitted, because the training masks are not at hand, it is left out.
    """
    table = {"all foreground": lambda picture: all_foreground(picture.shape)}
    if disc is not None:
        table["best centred disc"] = lambda picture: disc.mask(picture.shape)
    return {**table, "Otsu + largest component": otsu_largest_component}


def _distance_from_centre(shape: tuple[int, int]) -> np.ndarray:
    """Return the distance (H, W) of pixels from the picture's centre, by sqrt(height * width)."""
    height, width = shape
    rows = np.arange(height)[:, None] - (height - 1) / 2
    columns = np.arange(width)[None, :] - (width - 1) / 2
    return np.hypot(rows, columns) / np.sqrt(height * width)


# Most sets hold pictures of one size, or of few; a large picture's ranks take some 50 MB.
@lru_cache(maxsize=2)
def _disc_rank(shape: tuple[int, int]) -> np.ndarray:
    """Return how many of the discs of RADII hold each pixel, (H, W)."""
    return RADII.size - np.searchsorted(RADII, _distance_from_centre(shape), side="left")

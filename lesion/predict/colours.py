"""The colours of a lesion: means in sRGB and CIELAB, and which of six dermatologists name.

values = shades(lesion, picture, lambda: pixels(picture, mask == 0))
"""

from collections.abc import Callable, Iterator

import cv2
import numpy as np

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
BLOCK = 8192  # pixels
SAMPLED_PIXELS = 200_000  # enough for means and shares of a lesion of any size

# sRGB (IEC 61966-2-1) to CIELAB under D65, seen at 2 degrees: what skimage.color has, too.
LEVELS = np.arange(256) / 255
LINEAR = np.where(LEVELS > 0.04045, ((LEVELS + 0.055) / 1.055) ** 2.4, LEVELS / 12.92)
LINEAR = LINEAR.astype(np.float32)
WHITE = (0.95047, 1.0, 1.08883)  # XYZ
RGB_TO_XYZ = (
    np.array(
        [
            [0.412453, 0.357580, 0.180423],
            [0.212671, 0.715160, 0.072169],
            [0.019334, 0.119193, 0.950227],
        ]
    )
    / np.array(WHITE)[:, None]
)
DARK, SLOPE, OFFSET = 0.008856, 7.787, 16 / 116  # in place of the cube root up to DARK

SHADES = (
    *("mean_red", "mean_green", "mean_blue", "mean_lightness", "mean_a", "mean_b"),
    *("colour_count", "colours"),
)


def shades(lesion: np.ndarray, picture: np.ndarray, skin: Callable[[], np.ndarray]) -> dict:
    """Return the values of SHADES, by name, as `describe_lesion` explains them.

    Args:
        lesion: uint8 0/1 (H, W), not empty.
        picture: uint8 RGB (H, W, 3).
        skin: gives the colours around the lesion, uint8 (N, 3); asked for only if need be.
    """
    rgb = pixels(picture, lesion)
    lab = np.concatenate([to_lab(block) for block in blocks(rgb)], axis=1)
    names = colours_present(lab, lambda: _lightness(skin()))
    means = [*cv2.mean(rgb[:, None])[:3], *(cv2.mean(channel)[0] for channel in lab)]
    return dict(zip(SHADES, [*means, len(names), "; ".join(names)], strict=True))


def _lightness(colours):
    """Return the median lightness of colours (N, 3), that of white where there are none."""
    if not len(colours):
        return 100.0
    y = np.median(_to_xyz(colours, RGB_TO_XYZ[1:2]))
    return 116 * float(_roots(np.full((1, 1), y, np.float32))[0, 0]) - 16


def colours_present(lab: np.ndarray, skin_lightness: Callable[[], float]) -> list[str]:
    """Tell which of the six colours of the ABCD rule a lesion holds.

    Each pixel goes to the nearest of COLOURS in CIELAB (CIE 1976 distance). A colour is present
    where it has PRESENT_SHARE of the pixels. As the rule asks, white counts only where it is
    lighter than the skin around. Lighting and camera shift colours: a rough count, no measurement.

    Args:
        lab: float32 (3, N) CIELAB colours of the lesion's pixels.
        skin_lightness: gives the CIELAB lightness of the skin around, 0..100; asked for only where
            there is white.

    Returns:
        list of names, in the order of COLOURS.
    """
    shades = to_lab(np.array(list(COLOURS.values()), np.uint8)).T
    white = list(COLOURS).index("white")
    counts, whites = np.zeros(len(COLOURS), np.int64), []
    for block in blocks(lab.T):
        lightness, a, b = block.T
        # Of the squared distance, what is the same for all shades is left out.
        distance = [s @ s - 2 * (s[0] * lightness + s[1] * a + s[2] * b) for s in shades]
        smallest = np.minimum.reduce(distance)
        counts += [np.count_nonzero(own == smallest) for own in distance]
        whites.append(lightness[distance[white] == smallest])
    least = PRESENT_SHARE * lab.shape[1]
    if counts[white] >= least:
        counts[white] = np.count_nonzero(np.concatenate(whites) > skin_lightness())
    return [name for name, count in zip(COLOURS, counts, strict=True) if count >= least]


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """Return CIELAB (D65, 2 degrees) of sRGB colours: uint8 (N, 3) -> float32 (3, N).

    The same as `skimage.color.rgb2lab` to the digits of float32, in a tenth of its time.
    """
    x, y, z = cv2.split(_roots(_to_xyz(rgb, RGB_TO_XYZ)))
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])[..., 0]


def _to_xyz(rgb, rows):
    """Return XYZ, or some rows of it, as a share of white's, float32 (N, 1, rows)."""
    return cv2.transform(cv2.LUT(rgb.reshape(-1, 1, 3), LINEAR), rows)


def _roots(xyz):
    roots = cv2.pow(xyz, 1 / 3)
    np.copyto(roots, SLOPE * xyz + OFFSET, where=xyz <= DARK)
    return roots


def pixels(picture: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return the colours of a picture's pixels, or an even sample of them: uint8 (N, 3)."""
    return picture.reshape(-1, 3).take(sample(np.flatnonzero(where)), axis=0)


def sample(values: np.ndarray) -> np.ndarray:
    """Return evenly spaced ones of many values, all of fewer than 2 SAMPLED_PIXELS."""
    return values[:: max(1, len(values) // SAMPLED_PIXELS)]


def blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    """Split values so that what is made of a part stays in the processor's cache."""
    return (values[start : start + BLOCK] for start in range(0, len(values), BLOCK))

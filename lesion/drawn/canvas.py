"""Antialiased shapes on drawn pictures, for `lesion.drawn`.

Pictures are float32 (S, S, 3) RGB in 0..1. Lengths are fractions of the picture's width.
"""

import cv2
import numpy as np

SHIFT = 4  # binary digits behind the point in coordinates handed to OpenCV


class Canvas:
    """Antialiased lines and shapes at twice the picture's size, read back as coverage 0..1."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.pixels = np.zeros((2 * size, 2 * size), np.uint8)

    def _fixed(self, points: np.ndarray) -> np.ndarray:
        return np.round(points * (2 * self.size * 2**SHIFT)).astype(np.int32)

    def line(self, points: np.ndarray, width: float, strength: float = 1.0) -> None:
        """Stroke through `points` (n, 2) x, y. Below a pixel, width becomes faintness."""
        pixels = width * 2 * self.size
        value = int(255 * strength * min(1.0, max(pixels, 0.25)))
        thickness = max(1, round(pixels))
        cv2.polylines(
            self.pixels, [self._fixed(points)], False, value, thickness, cv2.LINE_AA, SHIFT
        )

    def polygon(self, points: np.ndarray) -> None:
        """Filled polygon through `points` (n, 2) x, y."""
        cv2.fillPoly(self.pixels, [self._fixed(points)], 255, cv2.LINE_AA, SHIFT)

    def circle(
        self, x: float, y: float, radius: float, width: float | None, value: int = 255
    ) -> None:
        """A circle's line, or its disc where `width` is None."""
        thickness = -1 if width is None else max(1, round(width * 2 * self.size))
        centre = self._fixed(np.array([x, y]))
        reach = round(radius * 2 * self.size * 2**SHIFT)
        cv2.circle(self.pixels, centre.tolist(), reach, value, thickness, cv2.LINE_AA, SHIFT)

    def coverage(self) -> np.ndarray:
        """Coverage of every picture pixel, float32 (size, size, 1) in 0..1."""
        small = cv2.resize(self.pixels, (self.size, self.size), interpolation=cv2.INTER_AREA)
        return small.astype(np.float32)[..., None] / 255


def paint(picture: np.ndarray, coverage: np.ndarray, colour: np.ndarray) -> None:
    """Lay `colour` (3,) or (S, S, 3) over the picture where `coverage` (S, S, 1) says."""
    picture += coverage * (np.asarray(colour, np.float32) - picture)


def pick(rng: np.random.Generator, colours: tuple) -> np.ndarray:
    """One of the 0..255 colours as 0..1, varied a little."""
    colour = np.array(colours[rng.integers(len(colours))]) / 255
    return np.clip(colour + rng.normal(0, 0.03, 3), 0, 1).astype(np.float32)


def curve(rng: np.random.Generator, start, angle: float, length: float, bend: float) -> np.ndarray:
    """Points (n, 2) of a hair-like arc whose direction drifts by about `bend` radians."""
    steps = 14
    turning = bend * (rng.normal(0, 1) + rng.normal(0, 0.8) * np.linspace(-1, 1, steps))
    headings = angle + np.cumsum(turning / steps)
    moves = np.stack([np.cos(headings), np.sin(headings)], 1) * (length / steps)
    return np.asarray(start) + np.cumsum(moves, 0)

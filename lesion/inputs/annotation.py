"""What was drawn into one picture in an annotation tool: shapes, each of a class."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, eq=False)
class Shape:
    """One region of a picture.

    Attributes:
        label: name of its class.
        draw: takes (height, width) of the picture, gives the region as uint8 (H, W) of 0 and 1.
    """

    label: str
    draw: Callable[[int, int], np.ndarray]


@dataclass(frozen=True, eq=False)
class Annotation:
    """The regions of one picture, none for a picture that was looked at and holds no lesion.

    Attributes:
        path: the file that they were read from.
        shapes: the regions.
    """

    path: Path
    shapes: tuple[Shape, ...] = ()

    def mask(self, height: int, width: int, classes: tuple[str, ...] = ()) -> np.ndarray:
        """Return the union of the regions of these classes, of all without any, uint8 (H, W)."""
        union = np.zeros((height, width), np.uint8)
        for shape in self.shapes:
            if not classes or shape.label in classes:
                union |= shape.draw(height, width)
        return union

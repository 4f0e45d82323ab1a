"""What was drawn into one picture in an annotation tool: shapes, each of a class."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lesion.console import InputError

HOLE = "_background_"  # what labelme calls the class of no object, drawn over others to cut it out
UNNAMED = "unnamed"  # the class of shapes that were given none


@dataclass(frozen=True, eq=False)
class Shape:
    """One region of a picture.

    Attributes:
        label: name of its class.
        draw: takes (height, width) of the picture, gives the region as uint8 (H, W) of 0 and 1;
            raises ValueError where it does not fit that picture.
        kind: "box" for a rectangle, which more often is a box around a lesion than its outline;
            "four corners" for an outline that may be one.
    """

    label: str
    draw: Callable[[int, int], np.ndarray]
    kind: str = ""


@dataclass(frozen=True, eq=False)
class Annotation:
    """The regions of one picture, none for a picture that was looked at and holds no lesion.

    Attributes:
        path: the file that they were read from.
        shapes: the regions.
        picture: how that file calls the picture.
        size: (height, width) of the picture that they were drawn on, None where it is not told.
    """

    path: Path
    shapes: tuple[Shape, ...] = ()
    picture: str = ""
    size: tuple[int, int] | None = None

    def mask(self, height: int, width: int, classes: tuple[str, ...] = ()) -> np.ndarray:
        """Return the union of the regions of these classes, of all without any, uint8 (H, W).

        Raises:
            InputError: the shapes were drawn on a picture of another form.
        """
        if self.size and not same_form(self.size, (height, width)):
            raise InputError(
                f"{self.path}: the shapes of {self.picture} were drawn on {self.size[1]} x "
                f"{self.size[0]} pixels, the picture has {width} x {height}; give the picture that "
                "they were drawn on, or draw them on this one"
            )
        wanted = {class_key(name) for name in classes}
        union = np.zeros((height, width), np.uint8)
        try:
            for shape in self.shapes:
                if not wanted or class_key(shape.label) in wanted:
                    union |= shape.draw(height, width)
                elif shape.label == HOLE:
                    union &= 1 - shape.draw(height, width)
        except ValueError as error:
            raise InputError(f"{self.path}: {self.picture}: {error}") from None
        return union


def class_key(label: str) -> str:
    """Return a class's name as classes are compared: letter case and blanks count for nothing."""
    return " ".join(label.split()).casefold()


def same_form(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether one size is the other one scaled, to one pixel or 1 %."""
    (height, width), (other_height, other_width) = size, other
    scaled = height * other_width / width
    return abs(scaled - other_height) <= max(1, other_width / width, 0.01 * other_height)

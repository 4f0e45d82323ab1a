"""Fill outlines as the tools do that they were drawn in: which pixels of an edge belong to it.

A lesion 40 pixels wide has 5 % more area where the pixels of its edge count than where they do
not, so each outline is filled by its own tool's rule: pycocotools for COCO, CVAT and those without
one, Pillow with the edge for labelme, OpenCV after truncation for YOLO, as Ultralytics does.

pycocotools (BSD, 0.5 MB, needs NumPy only, wheels for every Python) is the reference of the COCO
format. datumaro and supervision read more formats but bring pyarrow, pandas, lxml or PyAV, hundreds
of megabytes; the SDK of Label Studio a web client of thirty packages. What is left to do here for
each format is to walk a dictionary.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw

from lesion.inputs.decoding import MAX_PIXELS

Draw = Callable[[int, int], np.ndarray]
Size = tuple[float, float]  # height, width that coordinates refer to

OUTSIDE = 0.05  # of the longer side: how far beyond the frame a hand may have strayed
CORNERS = 180  # of the polygon that stands for an ellipse: 0.02 % too small


def points_of(values: Sequence, fewest: int = 3) -> np.ndarray:
    """Return coordinates, as x, y, x, y or as pairs, as float64 (N, 2).

    Raises:
        ValueError, TypeError: they are no finite numbers, no pairs or fewer than `fewest` points.
    """
    points = np.asarray(values, np.float64)
    if points.ndim == 1 and points.size % 2 == 0:
        points = points.reshape(-1, 2)
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise ValueError("the points are no pairs of numbers")
    if len(points) < fewest:
        raise ValueError(f"an outline has {len(points)} points; at least {fewest} are needed")
    return points


def area(rings: Sequence[np.ndarray], size: Size | None = None, even_odd: bool = False) -> Draw:
    """Return what fills polygons by the rule of COCO: corners of pixels have whole coordinates.

    Args:
        rings: the polygons, each (N, 2) of x, y; what lies in any of them is filled.
        size: (height, width) that the coordinates refer to; None for the picture's own pixels.
        even_odd: what lies in two of them is a hole.
    """

    def draw(height, width):
        coco = _pycocotools()
        flat = [_on_picture(ring, size, height, width).ravel().tolist() for ring in rings]
        packed = coco.frPyObjects(flat, height, width)
        if not even_odd:
            return coco.decode(coco.merge(packed))
        return np.bitwise_xor.reduce(coco.decode(packed), axis=2)

    return draw


def ellipse(cx: float, cy: float, rx: float, ry: float, degrees: float = 0) -> np.ndarray:
    """Return an ellipse as a polygon (N, 2), turned clockwise around its centre."""
    angles = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    return turned(
        np.stack([cx + rx * np.cos(angles), cy + ry * np.sin(angles)], 1), cx, cy, degrees
    )


def rectangle(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """Return a rectangle as a polygon (4, 2)."""
    return points_of([left, top, right, top, right, bottom, left, bottom])


def turned(points: np.ndarray, cx: float, cy: float, degrees: float) -> np.ndarray:
    """Return points (N, 2) turned clockwise, as seen on a screen, around (cx, cy)."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return points_of((points - (cx, cy)) @ [[cos, sin], [-sin, cos]] + (cx, cy))


def area_with_edge(kind: str, points: np.ndarray, size: Size | None) -> Draw:
    """Return what fills a shape as labelme does: the pixels of its edge belong to it.

    Args:
        kind: "polygon", "rectangle" or "circle", whose two points are centre and edge.
        points: (N, 2) of x, y.
        size: as in `area`.
    """

    def draw(height, width):
        corners = _on_picture(points, size, height, width)
        picture = Image.new("L", (width, height))
        pen = ImageDraw.Draw(picture)
        if kind == "circle":
            radius = np.hypot(*(corners[1] - corners[0]))
            box = np.concatenate([corners[0] - radius, corners[0] + radius])
            pen.ellipse(box.tolist(), outline=1, fill=1)
        elif kind == "rectangle":
            box = np.concatenate([corners.min(0), corners.max(0)])
            pen.rectangle(box.tolist(), outline=1, fill=1)
        else:
            pen.polygon([tuple(point) for point in corners.tolist()], outline=1, fill=1)
        return np.array(picture)

    return draw


def area_truncated(points: np.ndarray) -> Draw:
    """Return what fills a polygon of shares (0-1) of width and height as Ultralytics does."""

    def draw(height, width):
        filled = np.zeros((height, width), np.uint8)
        corners = _on_picture(points, (1, 1), height, width).astype(np.int32)
        return cv2.fillPoly(filled, [corners], 1)

    return draw


def runs(counts: Sequence[int], height: int, width: int, by_columns: bool = False) -> np.ndarray:
    """Return a region of run lengths, the first of background, as uint8 (height, width).

    Raises:
        ValueError: they do not add up to the size, which pycocotools would not notice.
    """
    lengths = np.asarray(counts)
    if not 0 < height * width <= MAX_PIXELS:
        raise ValueError(f"a mask of {width} x {height} pixels is none that can be read")
    if lengths.dtype.kind not in "iu" or (lengths < 0).any() or lengths.sum() != height * width:
        raise ValueError(f"the run lengths do not add up to {width} x {height} pixels")
    flat = np.repeat(np.arange(len(lengths)) % 2, lengths).astype(np.uint8)
    return flat.reshape((height, width), order="F" if by_columns else "C")


def bitmap(mask: np.ndarray, left: int = 0, top: int = 0, size: Size | None = None) -> Draw:
    """Return what pastes a mask into a picture.

    Args:
        mask: uint8 of 0 and 1.
        left, top: where its upper left pixel goes.
        size: (height, width) of the picture that it was drawn on; None for that of the mask.
    """
    whole = tuple(map(int, size or mask.shape))
    if not 0 < whole[0] * whole[1] <= MAX_PIXELS:
        raise ValueError(f"a picture of {whole[1]} x {whole[0]} pixels is none that can be read")
    if left < 0 or top < 0 or top + mask.shape[0] > whole[0] or left + mask.shape[1] > whole[1]:
        raise ValueError(f"a mask reaches beyond the {whole[1]} x {whole[0]} pixels of the picture")

    def draw(height, width):
        pasted = np.zeros(whole, np.uint8)
        pasted[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
        if whole == (height, width):
            return pasted
        return cv2.resize(pasted, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)

    return draw


def _pycocotools():
    try:
        from pycocotools import mask
    except ImportError:
        raise ValueError("outlines need a package: `pip install pycocotools`") from None
    return mask


def _on_picture(points, size, height, width):
    """Return points in the pixels of a picture; raise ValueError if they lie outside of it."""
    scaled = points * (width / size[1], height / size[0]) if size else points
    margin = max(2, OUTSIDE * max(height, width))
    beyond = np.maximum(-scaled, scaled - (width, height)).max(axis=1)
    if beyond.max() > margin:
        x, y = scaled[beyond.argmax()]
        raise ValueError(
            f"the point {x:.6g}, {y:.6g} lies outside of the picture's {width} x {height} pixels; "
            "give the picture that it was drawn on"
        )
    return scaled

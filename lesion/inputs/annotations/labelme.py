"""labelme: a JSON beside each picture.

https://github.com/wkentaro/labelme: `shapes` of a label, a shape_type and points in pixels; a
"mask" is a PNG in base64 within its box.
"""

import base64
import io
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from lesion.inputs.annotations.entry import Drawn, Entry, size_of
from lesion.inputs.annotations.rasterise import area_with_edge, bitmap, points_of
from lesion.inputs.annotations.shapes import Shape

LAYOUT = "labelme JSON"
AREAS = {"polygon": 3, "rectangle": 2, "circle": 2, "oriented_rectangle": 3}  # fewest points


def claims(content: object) -> bool:
    """Whether a JSON is one of labelme."""
    return isinstance(content, dict) and "imagePath" in content and "shapes" in content


def entries(path: Path, content: dict) -> Iterator[Entry]:
    """Yield the one entry; the picture is the one it names, else the one beside it."""
    recorded = str(content.get("imagePath") or path.stem).replace("\\", "/")
    names = (os.path.normpath(path.parent / recorded), str(path.with_suffix("")))
    content.pop("imageData", None)  # the picture itself, megabytes
    yield Entry(path, LAYOUT, names, partial(_read, content))


def _read(content):
    drawn = Drawn(size=size_of(content.get("imageHeight"), content.get("imageWidth")))
    for shape in content["shapes"]:
        kind = shape.get("shape_type") or "polygon"
        if kind == "mask":
            draw = _draw_mask(shape, drawn.size)
        elif kind in AREAS:
            points = points_of(shape["points"], AREAS[kind])
            draw = area_with_edge(kind, points, drawn.size)
        else:
            drawn.left_out[str(kind)] += 1
            continue
        box = "box" if kind in ("rectangle", "oriented_rectangle") else ""
        drawn.shapes.append(Shape(str(shape["label"]), draw, box))
    return drawn


def _draw_mask(shape, size):
    with Image.open(io.BytesIO(base64.b64decode(shape["mask"])), formats=("PNG",)) as picture:
        mask = (np.array(picture.convert("L")) > 0).astype(np.uint8)
    left, top = points_of(shape["points"], 1)[0].astype(int).tolist()
    return bitmap(mask, left, top, size or (top + mask.shape[0], left + mask.shape[1]))

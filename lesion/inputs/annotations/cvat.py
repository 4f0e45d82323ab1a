"""CVAT for images: one XML for a task; and its segmentation masks, PNGs beside a labelmap.txt.

https://docs.cvat.ai/docs/dataset_management/formats: a mask is run lengths, row by row, in a box.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from defusedxml import ElementTree

from lesion.inputs.annotations.entry import MISTAKES, Drawn, Entry, Found, reason, size_of
from lesion.inputs.annotations.rasterise import (
    area,
    bitmap,
    ellipse,
    points_of,
    rectangle,
    runs,
    turned,
)
from lesion.inputs.annotations.shapes import Shape
from lesion.inputs.decoding import convert, decode

LAYOUT, PNG_LAYOUT = "CVAT XML", "CVAT masks with labelmap.txt"
BLACK = (0, 0, 0)


def entries(path: Path, found: Found) -> Iterator[Entry]:
    """Yield an entry for each picture that a CVAT XML lists, with or without shapes.

    Raises:
        one of `MISTAKES`: it is no XML, or one of CVAT for video.
    """
    content = path.read_bytes()
    if b"<annotations" not in content:
        return
    root = ElementTree.fromstring(content)
    if root.tag != "annotations" or (root.find("image") is None and root.find("track") is None):
        return
    found.used.add(path)
    if root.find("track") is not None:
        raise ValueError("they are of CVAT for video, without names of pictures: use `for images`")
    for image in root.iter("image"):
        yield Entry(path, LAYOUT, (image.attrib["name"],), partial(_read, image))


def _read(image):
    size = size_of(image.get("height"), image.get("width"))
    drawn = Drawn(size=size)
    for element in image:
        if element.tag in DRAWN:
            draw = DRAWN[element.tag](element.attrib, size)
            kind = "box" if element.tag == "box" else ""
            drawn.shapes.append(Shape(element.attrib["label"], draw, kind))
        elif element.tag != "tag":  # which is said of the whole picture
            drawn.left_out[element.tag] += 1
    return drawn


def _numbers(attributes, *names):
    return [float(attributes[name]) for name in names]


def _polygon(attributes, size):
    points = [pair.split(",") for pair in attributes["points"].split(";")]
    return area([points_of(points)], size)


def _box(attributes, size):
    left, top, right, bottom = _numbers(attributes, "xtl", "ytl", "xbr", "ybr")
    centre, degrees = ((left + right) / 2, (top + bottom) / 2), float(attributes.get("rotation", 0))
    return area([turned(rectangle(left, top, right, bottom), *centre, degrees)], size)


def _ellipse(attributes, size):
    numbers = _numbers(attributes, "cx", "cy", "rx", "ry")
    return area([ellipse(*numbers, float(attributes.get("rotation", 0)))], size)


def _mask(attributes, size):
    left, top, width, height = map(int, _numbers(attributes, "left", "top", "width", "height"))
    counts = [int(count) for count in attributes["rle"].split(",")]
    return bitmap(runs(counts, height, width), left, top, size)


DRAWN = {"polygon": _polygon, "box": _box, "ellipse": _ellipse, "mask": _mask}


def mask_entries(paths: Sequence[Path], found: Found) -> Iterator[Entry]:
    """Yield an entry for each PNG in SegmentationClass/ beside a labelmap.txt with colours."""
    for path in paths:
        if path.name.lower() != "labelmap.txt":
            continue
        try:
            colours = _colours(path)
        except MISTAKES as error:
            found.used.add(path)
            found.problems.append(f"{path}: is no table of colours ({reason(error)}); export again")
            continue
        for mask in sorted((path.parent / "SegmentationClass").rglob("*.png")) if colours else ():
            found.used.add(path)
            read = partial(_open, mask, colours)
            yield Entry(mask, PNG_LAYOUT, (str(mask.with_suffix("")),), read)


def _colours(path):
    """Return {(red, green, blue): label} of a labelmap.txt, {} where it gives no colours."""
    colours = {}
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        label, *rest = line.split("#")[0].strip().split(":")
        if label and rest and rest[0]:
            red, green, blue = map(int, rest[0].split(","))
            colours[red, green, blue] = label
    return colours


def _open(path, colours):
    """Look which classes a mask holds, and decode it again when it is drawn."""
    values = _values(path)
    drawn = Drawn(size=values.shape)
    for value in np.unique(values).tolist():
        colour = (value >> 16, value >> 8 & 255, value & 255)
        if colour not in colours:
            raise ValueError(f"the colour {colour} is not in labelmap.txt")
        if colour != BLACK:
            draw = partial(_draw_value, path, value)
            drawn.shapes.append(Shape(colours[colour], draw))
    return drawn


def _draw_value(path, value, height, width):
    mask = (_values(path) == value).astype(np.uint8)
    return bitmap(mask)(height, width)


def _values(path):
    """Return the colours of a picture as whole numbers (H, W), red highest."""
    red, green, blue = np.moveaxis(np.asarray(convert(path, decode(path), "RGB"), np.int32), 2, 0)
    return red << 16 | green << 8 | blue

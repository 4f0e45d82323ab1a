"""VGG Image Annotator: a JSON of version 2, project or annotations alone, or 3, or a CSV of 2.

https://www.robots.ox.ac.uk/~vgg/software/via/docs/face_track_annotation.html: pictures by
file name, shapes in pixels, classes as attributes of any name. The picture's size is not told.
"""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from lesion.inputs.annotations.entry import Drawn, Entry, Found
from lesion.inputs.annotations.rasterise import area, ellipse, points_of, rectangle
from lesion.inputs.annotations.shapes import UNNAMED, Shape

LAYOUT, CSV_LAYOUT = "VIA JSON", "VIA CSV"
# Attributes that hold the class, where there are others besides.
CLASS_NAMES = ("class", "label", "name", "type", "category", "region", "lesion")
# The shapes of VIA 3 by number, in the words of VIA 2.
THIRD = {
    1: ("point", ()),
    2: ("rect", ("x", "y", "width", "height")),
    3: ("circle", ("cx", "cy", "r")),
    4: ("ellipse", ("cx", "cy", "rx", "ry")),
    5: ("line", ()),
    6: ("polyline", ()),
    7: ("polygon", ()),
}
COLUMNS = {"filename", "region_shape_attributes", "region_attributes"}


def claims(content: object) -> bool:
    """Whether a JSON is one of VIA: pictures by name and size, each with its regions."""
    if _is_third(content):
        return True
    pictures = _pictures(content)
    return bool(pictures) and all(
        isinstance(picture, dict) and {"filename", "regions"} <= picture.keys()
        for picture in pictures
    )


def _is_third(content):
    return isinstance(content, dict) and all(
        isinstance(content.get(key), dict) for key in ("project", "file", "view", "metadata")
    )


def _pictures(content):
    if not isinstance(content, dict):
        return []
    pictures = content.get("_via_img_metadata", content)
    return list(pictures.values()) if isinstance(pictures, dict) else []


def entries(path: Path, content: dict) -> Iterator[Entry]:
    """Yield an entry for each picture that the file lists, with or without regions."""
    if _is_third(content):
        yield from _third_entries(path, content)
        return
    for picture in _pictures(content):
        regions = picture["regions"]
        listed = list(regions.values()) if isinstance(regions, dict) else list(regions)
        pairs = [(r["shape_attributes"], r.get("region_attributes")) for r in listed]
        yield Entry(path, LAYOUT, (str(picture["filename"]),), partial(_read, pairs))


def _third_entries(path, content):
    """Yield the entries of a project of VIA 3: files, views of them, and shapes in views."""
    regions, attributes = defaultdict(list), content.get("attribute", {})
    for shape in content["metadata"].values():
        if shape["xy"]:  # else it is said of the whole picture
            kind, *numbers = shape["xy"]
            names = {
                attributes[key]["aname"]: attributes[key].get("options", {}).get(value, value)
                for key, value in shape["av"].items()
            }
            regions[str(shape["vid"])].append((_second(kind, numbers), names))
    for number, view in content["view"].items():
        file = content["file"][str(view["fid_list"][0])]
        yield Entry(path, LAYOUT, (str(file["fname"]),), partial(_read, regions[number]))


def _second(kind, numbers):
    """Return a shape of VIA 3 as VIA 2 writes it."""
    name, keys = THIRD.get(kind, (f"shape {kind}", ()))
    if name == "polygon":
        return {"name": name, "all_points_x": numbers[::2], "all_points_y": numbers[1::2]}
    return {"name": name, **dict(zip(keys, numbers, strict=True))} if keys else {"name": name}


def csv_entries(path: Path, found: Found) -> Iterator[Entry]:
    """Yield an entry for each picture of a CSV of VIA; nothing of any other table."""
    with path.open("rb") as file:
        beginning = file.readline(4096)
    if b"region_shape_attributes" not in beginning:
        return
    found.used.add(path)
    rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
    if not set(rows.fieldnames) >= COLUMNS:
        raise ValueError(f"lacks the columns {', '.join(sorted(COLUMNS))}")
    regions = defaultdict(list)
    for row in rows:
        texts = row["region_shape_attributes"], row["region_attributes"]
        regions[row["filename"]].append(tuple(json.loads(text or "{}") for text in texts))
    for name, pairs in regions.items():
        yield Entry(path, CSV_LAYOUT, (name,), partial(_read, [p for p in pairs if p[0]]))


def _read(regions):
    drawn = Drawn()
    for shape, attributes in regions:
        kind = shape["name"]
        if kind in RINGS:
            draw = area([RINGS[kind](shape)])
            drawn.shapes.append(Shape(_label(attributes), draw, "box" if kind == "rect" else ""))
        else:
            drawn.left_out[str(kind)] += 1
    return drawn


def _polygon(shape):
    xs, ys = shape["all_points_x"], shape["all_points_y"]
    if len(xs) != len(ys):
        raise ValueError("an outline has more x than y, or fewer")
    return points_of(list(zip(xs, ys, strict=True)))


def _rectangle(shape):
    x, y, width, height = (float(shape[name]) for name in ("x", "y", "width", "height"))
    return rectangle(x, y, x + width, y + height)


def _circle(shape):
    return ellipse(*(float(shape[name]) for name in ("cx", "cy", "r", "r")))


def _ellipse(shape):
    numbers = (float(shape[name]) for name in ("cx", "cy", "rx", "ry"))
    return ellipse(*numbers, np.degrees(float(shape.get("theta", 0))))


RINGS = {"polygon": _polygon, "rect": _rectangle, "circle": _circle, "ellipse": _ellipse}


def _label(attributes):
    """Return the class among a region's attributes: a text, or the boxes that are ticked."""
    if not isinstance(attributes, dict):
        return UNNAMED
    texts = {}
    for name, value in attributes.items():
        ticked = [key for key, on in value.items() if on] if isinstance(value, dict) else [value]
        if text := " ".join(str(part) for part in ticked if part not in ("", None)):
            texts[name.casefold()] = text
    first = next((name for name in CLASS_NAMES if name in texts), next(iter(texts), None))
    return texts.get(first, UNNAMED)

"""COCO: one JSON of pictures, categories and annotations (outlines or run lengths) for a folder.

https://cocodataset.org/#format-data
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from lesion.inputs.annotations.entry import Drawn, Entry, size_of
from lesion.inputs.annotations.rasterise import area, bitmap, points_of, runs
from lesion.inputs.annotations.shapes import Shape

LAYOUT = "COCO JSON"
LONGEST_LINE = 2  # points


def claims(content: object) -> bool:
    """Whether a JSON is a COCO file of regions or boxes; one of captions has no categories."""
    if not isinstance(content, dict):
        return False
    lists = [content.get(key) for key in ("images", "annotations", "categories")]
    if lists[2] is None and isinstance(lists[1], list) and lists[1]:
        lists[2] = lists[1][0].get("segmentation") if isinstance(lists[1][0], dict) else None
    return all(isinstance(value, list | dict) for value in lists)


def entries(path: Path, content: dict) -> Iterator[Entry]:
    """Yield an entry for each picture that the file lists, with or without regions."""
    categories = content.get("categories") or ()
    labels = {category["id"]: str(category["name"]) for category in categories}
    regions = defaultdict(list)
    for annotation in content["annotations"]:
        regions[annotation["image_id"]].append(annotation)
    if len({image["id"] for image in content["images"]}) < len(content["images"]):
        raise ValueError("two pictures have the same id")
    for image in content["images"]:
        read = partial(_read, image, regions.pop(image["id"], ()), labels)
        yield Entry(path, LAYOUT, (str(image["file_name"]),), read)
    if regions:
        raise ValueError(f"{len(regions)} pictures with annotations are not listed under images")


def _read(image, regions, labels):
    drawn = Drawn(size=size_of(image.get("height"), image.get("width")))
    for region in regions:
        label = labels.get(region.get("category_id"), f"category {region.get('category_id')}")
        outline = region.get("segmentation")
        if not outline:
            drawn.left_out["box"] += 1
        elif isinstance(outline, dict):
            drawn.shapes.append(Shape(label, _packed(outline, drawn.size)))
        else:
            parts = outline if isinstance(outline[0], list) else [outline]
            # Outlines that were traced around masks contain points and lines, too.
            rings = [ring for part in parts if len(ring := points_of(part, 1)) > LONGEST_LINE]
            kind = "four corners" if [len(ring) for ring in rings] == [4] else ""
            if rings:
                drawn.shapes.append(Shape(label, area(rings, drawn.size), kind))
            else:
                drawn.left_out["line"] += 1
    return drawn


def _packed(outline, size):
    """Return what draws run lengths; decoded then, since all masks would fill the memory."""
    height, width = map(int, outline["size"])
    counts = outline["counts"]
    if isinstance(counts, str):
        counts = unpack(counts)
    if size not in (None, (height, width)):
        raise ValueError(f"a mask has {width} x {height} pixels, its picture {size[1]} x {size[0]}")
    return partial(_draw_runs, np.asarray(counts), height, width)


def _draw_runs(counts, height, width, *shape):
    return bitmap(runs(counts, height, width, by_columns=True))(*shape)


def unpack(text: str) -> list[int]:
    """Return the run lengths in a compressed RLE: numbers of 5 bits a letter, lowest first.

    pycocotools decodes it too, but hands out whatever is in memory where the lengths do not add up
    to the picture.
    """
    counts, value, shift = [], 0, 0
    for letter in text.encode("ascii"):
        bits = letter - 48
        if not 0 <= bits < 64 or shift > 50:
            raise ValueError("the compressed run lengths are damaged")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:  # the last letter of a number
            if bits & 16:
                value -= 1 << shift
            # From the third on, each is the difference to the one before the last.
            counts.append(value + counts[-2] if len(counts) > 2 else value)
            value, shift = 0, 0
    return counts

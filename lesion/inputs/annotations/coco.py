"""COCO: one JSON of pictures, categories and annotations (outlines or run lengths) for a folder.

https://cocodataset.org/#format-data
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from lesion.inputs.annotations.entry import Drawn, Entry, size_of
from lesion.inputs.annotations.rasterise import area, bitmap, points_of, runs
from lesion.inputs.annotations.shapes import Shape

LAYOUT = "COCO JSON"


def claims(content: object) -> bool:
    """Whether a JSON is a COCO file of regions; those of captions have no categories."""
    return isinstance(content, dict) and all(
        isinstance(content.get(key), list) for key in ("images", "annotations", "categories")
    )


def entries(path: Path, content: dict) -> Iterator[Entry]:
    """Yield an entry for each picture that the file lists, with or without regions."""
    labels = {category["id"]: str(category["name"]) for category in content["categories"]}
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
    kinds = Counter()
    for region in regions:
        label = labels.get(region.get("category_id"), f"category {region.get('category_id')}")
        outline = region.get("segmentation")
        if not outline:
            kinds["box"] += 1
        else:
            corners = len(outline) == 1 and len(outline[0]) == 8
            kind = "four corners" if corners else ""
            drawn.shapes.append(Shape(label, _draw(outline, drawn.size), kind))
    drawn.left_out = kinds
    return drawn


def _draw(outline, size):
    if isinstance(outline, dict):
        height, width = map(int, outline["size"])
        counts = outline["counts"]
        if isinstance(counts, str):
            counts = unpack(counts)
        # Decoded when it is drawn: ten thousand masks would fill the memory.
        check = size or (height, width)
        if check != (height, width):
            raise ValueError(f"a mask has {width} x {height} pixels, its picture {size[::-1]}")
        return partial(_draw_runs, np.asarray(counts), height, width)
    parts = [outline] if not isinstance(outline[0], list) else outline
    return area([points_of(part) for part in parts], size)


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

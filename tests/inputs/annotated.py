"""Folders with annotations for the tests, and the files that annotation tools wrote.

In annotation_files/: coco/, cvat/ and voc/ (CVAT's masks) were written by datumaro 1.13, labelme/
by labelme 5.11, label_studio/ by the converter and brush encoder of its SDK 2.1, each for 96 x 72
pixels; NAME.mask.png is what the same tool makes of the shapes of NAME.
"""

import json
from pathlib import Path

import numpy as np
from picture_files import write_picture
from PIL import Image

from lesion.inputs.annotations import find_annotations

TOOL_FILES = Path(__file__).parent / "annotation_files"
WIDTH, HEIGHT = 96, 72
OUTLINE = [[20.5, 10.25], [70.0, 14.5], [62.25, 58.0], [44.0, 40.5], [25.75, 60.0]]  # not convex


def tool_mask(name):
    """The mask that the tool itself makes of its file."""
    return (np.array(Image.open(TOOL_FILES / f"{name}.mask.png")) > 0).astype(np.uint8)


def write_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def pictures_in(folder, *names, size=(WIDTH, HEIGHT)):
    """Write pictures into a folder; return their paths."""
    return [write_picture(folder / name, size) for name in names]


def found_in(folder, masks=()):
    """What is found in a folder: PNG and JPEG are pictures, all else may be annotations."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    pictures = [path for path in paths if path.suffix in (".png", ".jpg")]
    files = [path for path in paths if path not in pictures]
    return find_annotations(files, [p for p in pictures if p not in masks], masks)


def labelme_json(picture, *shapes, size=(WIDTH, HEIGHT)):
    """A labelme file of (label, points[, shape_type])."""
    return {
        "version": "5.11.4",
        "flags": {},
        "shapes": [
            {"label": label, "points": points, "shape_type": (*kind, "polygon")[0], "flags": {},
             "group_id": None, "mask": None}
            for label, points, *kind in shapes
        ],
        "imagePath": picture,
        "imageData": None,
        "imageHeight": size[1],
        "imageWidth": size[0],
    }  # fmt: skip


def coco_json(images, annotations=(), classes=("lesion",)):
    """A COCO file of file names (96 x 72) and (name, class, segmentation)."""
    ids = {name: number for number, name in enumerate(images, 1)}
    return {
        "images": [{"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT}
                   for name, number in ids.items()],
        "categories": [{"id": number, "name": name} for number, name in enumerate(classes, 1)],
        "annotations": [
            {"id": number, "image_id": ids[name], "category_id": classes.index(label) + 1,
             "segmentation": segmentation, "iscrowd": 0, "bbox": [0, 0, 9, 9], "area": 81}
            for number, (name, label, segmentation) in enumerate(annotations, 1)
        ],
    }  # fmt: skip

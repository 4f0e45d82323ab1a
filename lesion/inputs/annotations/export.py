"""Write masks as files that annotation tools open: COCO, labelme, YOLO-seg; or as plain PNG.

None of the three holds pixels that count for nothing: there they are no lesion.
"""

from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from lesion.inputs.annotations.outlines import outlines
from lesion.inputs.annotations.rasterise import area, area_truncated, area_with_edge
from lesion.masks import IGNORED
from lesion.storage import replacing, write_json

LABEL = "lesion"
IGNORED_LEVEL = 128  # in plain masks


class Plain:
    """`image/` and `label/`, masks of 0 and 255; 128 counts for nothing."""

    pictures = "image"
    holds_ignored = True
    remarks = ()  # lines that the user should read

    def __init__(self, folder: Path):
        self.folder = folder

    def add(self, name: str, mask: np.ndarray, masks: str = "label") -> None:
        """Write the mask of a picture.

        Args:
            name: file name of the picture, with folders and suffix.
            mask: uint8 (H, W) of 0, 1 and IGNORED.
            masks: folder that it goes to.
        """
        levels = np.where(mask == IGNORED, IGNORED_LEVEL, mask * 255).astype(np.uint8)
        _write(self.folder / masks / PurePosixPath(name).with_suffix(".png"),
               cv2.imencode(".png", levels)[1].tobytes())  # fmt: skip

    def finish(self) -> None:
        """Write what concerns all pictures: nothing."""


class Coco(Plain):
    """`images/` and one JSON; lines between pixels, each region an annotation."""

    pictures = "images"
    holds_ignored = False

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.images, self.regions = [], []

    def add(self, name: str, mask: np.ndarray) -> None:
        """Take in the regions of a picture; see `Plain.add`."""
        height, width = mask.shape
        number = len(self.images) + 1
        self.images.append({"id": number, "file_name": name, "width": width, "height": height})
        for polygon in outlines(mask, lambda points: area([points])(height, width), zoom=3):
            low, size = polygon.min(axis=0), np.ptp(polygon, axis=0)
            self.regions.append(
                {
                    "id": len(self.regions) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "segmentation": [polygon.round(3).ravel().tolist()],
                    "area": int(area([polygon])(height, width).sum()),
                    "bbox": [*low.round(3).tolist(), *size.round(3).tolist()],
                    "iscrowd": 0,
                }
            )

    def finish(self) -> None:
        """Write the JSON."""
        content = {
            "images": self.images,
            "annotations": self.regions,
            "categories": [{"id": 1, "name": LABEL, "supercategory": ""}],
        }
        write_json(_in_its_folder(self.folder / "annotations/instances_default.json"), content)


class Labelme(Plain):
    """A JSON beside each picture."""

    pictures = "."
    holds_ignored = False

    def add(self, name: str, mask: np.ndarray) -> None:
        """Write the JSON of a picture; see `Plain.add`."""
        height, width = mask.shape
        shapes = [
            {
                "label": LABEL,
                "points": points.round(2).tolist(),
                "group_id": None,
                "description": "",
                "shape_type": "polygon",
                "flags": {},
                "mask": None,
            }
            for points in outlines(
                mask, lambda p: area_with_edge("polygon", p, None)(height, width)
            )
        ]
        content = {"version": "5.11.4", "flags": {}, "shapes": shapes,
                   "imagePath": PurePosixPath(name).name, "imageData": None,
                   "imageHeight": height, "imageWidth": width}  # fmt: skip
        write_json(_in_its_folder(self.folder / PurePosixPath(name).with_suffix(".json")), content)


class Yolo(Plain):
    """`images/` and `labels/` with a text for each picture, and data.yaml."""

    pictures = "images"
    holds_ignored = False
    remarks = (
        "data.yaml gives the same pictures for training and validation, since Ultralytics wants "
        "both: divide them before you train",
    )

    def add(self, name: str, mask: np.ndarray) -> None:
        """Write the text of a picture; see `Plain.add`."""
        height, width = mask.shape
        polygons = outlines(mask, lambda p: area_truncated(p / (width, height))(height, width))
        lines = [
            "0 " + " ".join(f"{value:.6f}" for value in (polygon / (width, height)).ravel()) + "\n"
            for polygon in polygons
        ]
        path = self.folder / "labels" / PurePosixPath(name).with_suffix(".txt")
        _write(path, "".join(lines).encode())

    def finish(self) -> None:
        """Write data.yaml; see `remarks`."""
        text = f"path: .\ntrain: images\nval: images\nnames:\n  0: {LABEL}\n"
        _write(self.folder / "data.yaml", text.encode())


def _in_its_folder(path):
    """Return a path whose folder is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write(path, content):
    with replacing(_in_its_folder(path)) as temporary:
        temporary.write_bytes(content)


TARGETS = {"coco": Coco, "labelme": Labelme, "yolo": Yolo}

"""What the name of a folder says of the files in it: their role, and the part they belong to."""

import re
from pathlib import Path
from typing import NamedTuple

PICTURE, MASK, SECOND_MASK, PREDICTION = "picture", "mask", "second mask", "prediction"
PICTURE_WORDS = {"image", "images", "img", "imgs", "picture", "pictures", "photo", "photos"}
PICTURE_WORDS |= {"input", "inputs", "dermoscopic", "original", "originals"}
PICTURE_ENDINGS = ("_dermoscopic_image", "_input", "_data")  # PH2 and the ISIC challenges
MASK_WORDS = {"label", "labels", "mask", "masks", "annotation", "annotations", "ann", "annot"}
MASK_WORDS |= {"groundtruth", "gt", "segmentation", "segmentations", "seg", "manual", "targets"}
PREDICTION_WORDS = {"prediction", "predictions", "predicted", "pred", "preds", "predict"}
SECOND_ENDINGS = ("_2", "-2", " 2")  # label_2/ beside label/: masks of a second annotator
PARTS = {
    "train": ("train", "training", "tr"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "ts"),
}
# What is neither a picture nor the mask of a lesion, and what it is.
OTHERS = (
    (r"_roi$", "regions of colours"),
    (r"^imagesets$", "lists of pictures"),
    (r"superpixels?", "superpixels"),
    (r"overlays?", "overlays, for looking at only"),
    (r"segmentation[ _-]?object|instances?\b", "masks of single objects"),
    (r"isic.*part[ _-]?[23].*(truth|gt)|isic.*task[ _-]?[23]", "another task of the challenge"),
    (r"attributes?\b", "attributes, not the lesion"),
)
# Words written without anything between them: trainannot, testimages.
JOINED = re.compile(
    r"(train|training|val|valid|validation|test|testing)"
    r"(images?|imgs?|masks?|labels?|annot|annotations?|gt|groundtruth)"
)
LIST_FOLDERS = ("", "ImageSets/Segmentation", "ImageSets/Main", "ImageSets", "splits", "lists")
DIVISION = re.compile(r"(?i)(fold|split|cv|partition)[ _-]?[0-9]+|trainval|holdout|hold[ _-]out")


class Place(NamedTuple):
    """What a folder's name says.

    Attributes:
        role: PICTURE, MASK, SECOND_MASK, PREDICTION, or "" for none.
        part: "train", "validation", "test", or "" for none.
        other: what it holds instead, or "".
    """

    role: str = ""
    part: str = ""
    other: str = ""

    @property
    def named(self) -> bool:
        """Whether the name says anything."""
        return bool(self.role or self.part or self.other)


def describe(name: str) -> Place:
    """Return what the name of a folder says, as JPEGImages, train_masks or labelsTs do."""
    name = re.sub(r"(?i)[ _-]with[ _-].*", "", name)  # Dataset_BUSI_with_GT holds more than masks
    lower = name.casefold()
    other = next((meaning for pattern, meaning in OTHERS if re.search(pattern, lower)), "")
    if other:
        return Place(other=other)
    words = _words(name)
    part = next((part for part, known in PARTS.items() if words & set(known)), "")
    if words & PREDICTION_WORDS:
        return Place(PREDICTION, part)
    if words & MASK_WORDS or lower.endswith("_lesion"):
        second = lower.endswith(SECOND_ENDINGS) or lower.startswith("2nd")
        return Place(SECOND_MASK if second else MASK, part)
    if words & PICTURE_WORDS or lower.endswith(PICTURE_ENDINGS):
        return Place(PICTURE, part)
    return Place(part=part)


def _words(name):
    name = re.sub(r"(?i)ground[ _-]?truth", "groundtruth", name)
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    words = set()
    for word in filter(None, re.split(r"[^a-z]+", name.casefold())):
        joined = JOINED.fullmatch(word)
        words |= set(joined.groups()) if joined else {word}
    # nnU-Net's imagesTr; alone they are words of other meanings.
    return words if words & (PICTURE_WORDS | MASK_WORDS) else words - {"tr", "ts", "dev"}


def id_list(root: Path, part: str) -> Path | None:
    """Return the file of a data folder that lists the pictures of a part, None without one."""
    places = [root / place / f"{name}.txt" for place in LIST_FOLDERS for name in PARTS[part]]
    return next((path for path in places if path.is_file()), None)

"""Walk a data folder once: what each file is by its name and place, and what is passed over.

Only names are read here, and the beginning of PNG and JPEG files, where `predict` leaves its mark.
`pairing.py` puts the files found together.
"""

import os
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from lesion.inputs.annotations import is_task_mask
from lesion.inputs.decoding import is_predicted
from lesion.inputs.folders import MAX_DEPTH, few, is_picture_file, list_folder, natural_key, stem_of
from lesion.inputs.metadata import NAMES, SUFFIXES
from lesion.inputs.places import (
    DIVISION,
    MASK,
    PICTURE,
    PREDICTION,
    describe,
)

RESULTS = "lesions.csv"  # what `predict` writes beside its masks
RUN = {"parameters.json", "model.json"}  # what is in the folder of a training
PREDICTION_ENDING = "_predict"
SYSTEM_FILES = {"thumbs.db", "desktop.ini", "ehthumbs.db"}
WRITTEN_BY_PREDICT = (
    "written by predict, never used as truth; save corrected masks again, into label/"
)
NO_LESIONS = "no columns that name pictures and their lesions"
NO_PICTURES = "neither pictures nor masks"
ANNOTATIONS = {".json", ".xml", ".txt", ".roi", ".zip"}
TABLES = {".xlsx", ".xls", ".ods"}  # named one by one, since one may be meant for us
# What else people keep beside pictures, and what to do to have it used.
REMEDIES = {
    **dict.fromkeys((".zip", ".rar", ".7z", ".gz", ".tar", ".tgz"), "unpack them"),
    **dict.fromkeys(TABLES, "save them as CSV"),
    **dict.fromkeys((".dng", ".nef", ".cr2", ".cr3", ".arw", ".raw"), "save them as PNG or JPEG"),
    **dict.fromkeys((".psd", ".xcf", ".svg", ".pdf", ".svs", ".jp2"), "save them as PNG"),
    **dict.fromkeys((".npy", ".npz", ".mat", ".nii", ".h5"), "save their arrays as PNG"),
}


@dataclass(frozen=True)
class File:
    """A picture file: its role and part by the folders above it, and the other folders' names."""

    path: Path
    role: str
    part: str = ""
    place: tuple[str, ...] = ()

    @property
    def stem(self) -> str:
        """The file's name without suffix."""
        return stem_of(self.path)


@dataclass
class Scan:
    """What `scan` met below a folder.

    Attributes:
        root: the folder.
        files: picture files with a role.
        others: further files, such as tables, lists and annotations.
        folders: folders that gave the files their role, or hold none.
        passed_over: (path, why) of picture files that are not used.
        division: what looks like a division of the pictures and is not understood, or "".
    """

    root: Path
    files: list[File] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    folders: list[File] = field(default_factory=list)
    passed_over: list[tuple[Path, str]] = field(default_factory=list)
    division: str = ""

    def of(self, role: str) -> list[File]:
        """Return the files of one role."""
        return [file for file in self.files if file.role == role]

    def lines(self, used: set[Path] = frozenset()) -> list[str]:
        """Return a line for each reason why files were passed over, but for those used after all.

        Args:
            used: files of `others` that were read.
        """
        reasons = defaultdict(list)
        for path, why in self.passed_over:
            reasons[why].append(path)
        for path in self.others:
            if path not in used:
                table = path.suffix.lower() in SUFFIXES
                remedy = REMEDIES.get(path.suffix.lower())
                why = NO_LESIONS if table else f"{NO_PICTURES}; {remedy}" if remedy else NO_PICTURES
                reasons[why].append(path)
        return [f"{_count(paths)}: {why}" for why, paths in reasons.items()]


def scan(root: Path) -> Scan:
    """Return the Scan of `root`, files in natural order.

    Folders whose names say nothing are entered where the others' say nothing either, as those of
    classes, and below folders of pictures and masks. Pictures that lie in `root` itself count only
    where no sub-folder holds any: beside image/ they are not part of the data.

    Raises:
        InputError: a folder cannot be listed.
    """
    found, visited = Scan(root), set()  # folders by identity: loops of symbolic links end here
    metadata = any(path.name.casefold() in NAMES for path in list_folder(root))

    def visit(folder, role, part, place):
        status = folder.stat()
        depth = len(folder.parts) - len(root.parts)
        if (status.st_dev, status.st_ino) in visited or depth > MAX_DEPTH:
            return
        visited.add((status.st_dev, status.st_ino))
        entries = list_folder(folder)
        _sort(entries, role, part, place, found)
        below = [(path, describe(path.name)) for path in entries if path.is_dir()]
        enter = metadata or depth or not (
            any(about.named for _, about in below) or any(map(is_picture_file, entries))
        )  # fmt: skip
        manual = any("manual" in path.name.casefold() for path, _ in below)
        for path, about in below:
            if DIVISION.search(path.name):
                found.division = found.division or f"{path.name}/"
            other = about.other or (
                "the field of view" if manual and path.name.casefold() == "mask" else ""
            )
            if other or not (about.named or enter or _is_one_picture(path)):
                pictures = _unentered(
                    path, other or f"in {path.name}/, a name that says neither pictures nor masks"
                )
                found.passed_over += pictures
                if not pictures and not other:  # no other data, but perhaps shapes for these
                    found.others += _annotation_files(path)
                continue
            if RUN & {entry.name for entry in list_folder(path)}:
                found.passed_over += _unentered(path, "in the results of a training")
                continue
            if about.role:
                found.folders.append(File(path, about.role))
            own = () if about.named else (path.name.casefold(),)
            visit(path, about.role or role, about.part or part, place + own)

    visit(root, PICTURE, "", ())
    if any(file.role == PICTURE and file.path.parent != root for file in found.files):
        loose = [f for f in found.files if f.role == PICTURE and f.path.parent == root]
        found.passed_over += [(file.path, "beside the folders of pictures") for file in loose]
        found.files = [f for f in found.files if f.path.parent != root or f.role != PICTURE]
    return found


def _is_one_picture(folder):
    """Whether a folder holds one picture and what belongs to it, as in PH2."""
    return any(path.name == f"{folder.name}_Dermoscopic_Image" for path in list_folder(folder))


def _annotation_files(folder):
    """Return the files below a folder without pictures that annotation tools may have written."""
    return [
        Path(where, name)
        for where, _, names in os.walk(folder)
        for name in sorted(names, key=natural_key)
        if Path(name).suffix.lower() in ANNOTATIONS and not name.startswith(".")
    ]


def _unentered(folder, why):
    """Return (path, why) of the picture files below a folder that is not entered."""
    found = []
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = [Path(where, name) for name in sorted(names, key=natural_key)]
        lower = {name.casefold() for name in names}
        stems = {path.stem.casefold() for path in paths}
        found += [
            (path, _why_not(path, path.stem.casefold(), stems, RESULTS in lower) or why)
            for path in paths
            if not path.name.startswith(".") and is_picture_file(path)
        ]
    return found


def _sort(entries, role, part, place, found):
    """Put the files of one folder into a Scan."""
    names = {path.name.casefold() for path in entries}
    stems = {path.stem.casefold() for path in entries}
    for path in entries:
        if path.is_dir():
            continue
        if not is_picture_file(path):
            if path.name.casefold() not in SYSTEM_FILES:
                found.others.append(path)
            continue
        stem = path.stem.casefold()
        why = _why_not(path, stem, stems, RESULTS in names)
        if why:
            found.passed_over.append((path, why))
        elif role == PICTURE and (stem.endswith("_segmentation") or is_task_mask(path)):
            found.files.append(File(path, MASK, part, place))
        elif role == PICTURE and stem.endswith(PREDICTION_ENDING):
            found.files.append(File(path, PREDICTION, part, place))
        else:
            found.files.append(File(path, role, part, place))


def _why_not(path, stem, stems, results):
    """Return why a picture file is neither a picture nor a mask, or ""."""
    if stem.endswith("_superpixels"):
        return "superpixels"
    if "_attribute_" in stem:
        return "attributes, not the lesion"
    overlaid = stem.endswith("_mask") and f"{stem[: -len('_mask')]}_overlay" in stems
    written = stem.endswith(("_mask", "_overlay", "_probability")) and results
    if overlaid or written or (path.suffix.lower() in (".png", ".jpg") and is_predicted(path)):
        return WRITTEN_BY_PREDICT
    return "overlays, for looking at only" if stem.endswith("_overlay") else ""


def _count(paths):
    """Return how many files there are of each kind, as in "8 *_mask.png, 2 .webp"."""
    kinds = Counter()
    for path in paths:
        ending = re.search(
            r"_(mask|overlay|probability|superpixels|segmentation|predict)$", path.stem.lower()
        )
        kind = "".join(path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:]).lower()
        if not kind or kind in TABLES:
            kind = path.name
        kinds[f"*{ending[0]}{kind}" if ending else kind] += 1
    return few([f"{count} {kind}" for kind, count in kinds.most_common()])

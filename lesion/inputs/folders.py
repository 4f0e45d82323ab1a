"""Walk a data folder and tell pictures, masks and predictions apart by name and place.

Only names are read here. `pairing.py` puts the files found together.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lesion.console import InputError
from lesion.inputs.dicom import is_unnamed_dicom

PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".tif", ".tiff", ".gif"}
PICTURE_SUFFIXES |= {".webp", ".avif", ".heic", ".heif", ".hif", ".dcm", ".dicom"}
PICTURE_WORDS = {"image", "images", "img", "imgs", "picture", "pictures"}
PICTURE_ENDINGS = ("_dermoscopic_image", "_input", "_data")  # PH2 and the ISIC challenges
MASK_WORDS = {"label", "labels", "mask", "masks", "annotation", "annotations"}
MASK_WORDS |= {"groundtruth", "gt", "segmentation", "segmentations"}
SECOND_ENDINGS = ("_2", "-2", " 2")  # label_2/ beside label/: masks of a second annotator
PREDICTION_ENDING = "_predict"
MAX_DEPTH = 6  # sub-folders below the given one; published data sets need 4


@dataclass
class FolderFiles:
    """The picture files of a folder by role, and the sub-folders that gave them the role."""

    pictures: list[Path] = field(default_factory=list)
    masks: list[Path] = field(default_factory=list)
    second_masks: list[Path] = field(default_factory=list)
    predictions: list[Path] = field(default_factory=list)
    picture_folders: list[Path] = field(default_factory=list)
    mask_folders: list[Path] = field(default_factory=list)


def natural_key(name: str) -> tuple:
    """Return a sorting key that reads digits as numbers: 2 comes before 10."""
    parts = re.split(r"([0-9]+)", str(name))
    parts[1::2] = map(int, parts[1::2])
    parts[0::2] = map(str.casefold, parts[0::2])
    return parts, str(name)


def few(names: Sequence[str]) -> str:
    """Return the first five names and how many more there are, for a line of text."""
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def existing_folder(directory: str | Path) -> Path:
    """Return `directory` as a Path; raise FileNotFoundError or InputError if it is no folder."""
    root = Path(directory).expanduser()
    try:
        root.stat()
    except FileNotFoundError:
        raise FileNotFoundError(f"{root}: no such folder; check the path") from None
    except (OSError, ValueError) as error:  # a loop of links, a name too long, a NUL in it
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{root}: cannot be opened ({reason}); check the path") from None
    if not root.is_dir():
        raise InputError(f"{root}: is a file; give the folder that holds the pictures")
    return root


def list_folder(folder: Path) -> list[Path]:
    """Return the entries of a folder in natural order, without hidden and system ones."""
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be listed ({error.strerror}); check the rights of the folder"
        ) from None
    visible = [path for path in entries if not path.name.startswith((".", "__MACOSX", "@eaDir"))]
    return sorted(visible, key=lambda path: natural_key(path.name))


def is_picture_file(path: Path) -> bool:
    """Whether a path counts as a picture, by its suffix in any letter case or as DICOM without."""
    named = path.suffix.lower() in PICTURE_SUFFIXES
    return not path.is_dir() and (named or is_unnamed_dicom(path))


def data_root(root: Path) -> Path:
    """Return the folder that holds the data: archives often unpack as a folder in a folder."""
    for _ in range(MAX_DEPTH):
        entries = list_folder(root)
        folders = [path for path in entries if path.is_dir()]
        if len(folders) != 1 or any(map(is_picture_file, entries)):
            break
        inner = folders[0]
        if folder_role(inner) and not any(folder_role(p) for p in list_folder(inner) if p.is_dir()):
            break  # this is image/ or label/ itself
        root = inner
    return root


def folder_role(folder: Path) -> str | None:
    """Return what a folder's name says of it.

    "picture", "mask", "second mask", "ignored", "enter" (look inside) or None.
    """
    name = folder.name.casefold()
    if name.endswith("_roi"):
        return "ignored"
    words = set(re.split(r"[^a-z]+", name.replace("ground_truth", "groundtruth")))
    if words & MASK_WORDS or name.endswith("_lesion"):
        return "second mask" if name.endswith(SECOND_ENDINGS) else "mask"
    if words & PICTURE_WORDS or name.endswith(PICTURE_ENDINGS):
        return "picture"
    if (folder / f"{folder.name}_Dermoscopic_Image").is_dir():
        return "enter"
    return None


def collect_files(root: Path, every_folder: bool = False) -> FolderFiles:
    """Return the FolderFiles of `root` and its recognised sub-folders, in natural order.

    every_folder: also look into sub-folders whose names say nothing. Pictures that lie in `root`
    itself count only where no sub-folder holds any: beside image/ they are not part of the data.
    """
    files = FolderFiles()
    visited = set()  # folders by identity: loops of symbolic links end here

    def visit(folder, role, depth):
        status = folder.stat()
        if (status.st_dev, status.st_ino) in visited or depth > MAX_DEPTH:
            return
        visited.add((status.st_dev, status.st_ino))
        entries = list_folder(folder)
        _sort_by_role([path for path in entries if is_picture_file(path)], role, files)
        for path in filter(Path.is_dir, entries):
            own_role = folder_role(path) or ("enter" if every_folder or depth else None)
            if own_role == "picture":
                files.picture_folders.append(path)
            elif own_role == "mask":
                files.mask_folders.append(path)
            if own_role in ("picture", "mask", "second mask", "enter"):
                visit(path, role if own_role == "enter" else own_role, depth + 1)

    visit(root, "picture", 0)
    below = [path for path in files.pictures if path.parent != root]
    files.pictures = below or files.pictures
    if not files.masks:  # a folder that is called label_2 for another reason
        files.masks, files.second_masks = files.second_masks, []
    return files


def _sort_by_role(paths, role, files):
    stems = {path.stem for path in paths}
    for path in paths:
        lower = path.stem.casefold()
        if lower.endswith(("_superpixels", "_overlay")) or "_attribute_" in lower:
            continue
        if role == "second mask":
            files.second_masks.append(path)
        elif role == "mask" or lower.endswith("_segmentation"):
            files.masks.append(path)
        elif lower.endswith(PREDICTION_ENDING):
            files.predictions.append(path)
        elif lower.endswith("_mask") and path.stem[: -len("_mask")] in stems:
            continue  # what `predict` writes: neither a picture nor truth
        else:
            files.pictures.append(path)

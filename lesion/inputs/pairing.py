"""Find the pictures of a folder and the masks that belong to them.

The layout is recognised from the folder itself: `image/` + `label/`, `images/` + `masks/`, ISIC,
HAM10000, PH2, pictures with another model's predictions, or pictures alone.
"""

import csv
import filecmp
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from lesion.console import InputError
from lesion.inputs.annotations.shapes import Annotation
from lesion.inputs.folders import (
    PREDICTION_ENDING,
    FolderFiles,
    collect_files,
    data_root,
    existing_folder,
    list_folder,
    natural_key,
)
from lesion.inputs.legend import PLAIN, Legend

METADATA_NAMES = {"ham10000_metadata.csv", "ham10000_metadata", "metadata.csv"}
MASK_ENDINGS = ("_segmentation", "_lesion", "_mask", "_label")


@dataclass(frozen=True)
class Pair:
    """One picture with what belongs to it.

    name: the picture's file name without suffix, unique in its folder. mask: None where there is
    no truth. group: what no split may divide, the lesion where the metadata names it, else the
    name. prediction: another model's mask, shown but never used as truth. metadata: the picture's
    row of the metadata file, by column name. second_mask: another annotator's mask, against which
    the first is scored, or None. more_masks: further files of the same truth, united with the
    first. annotation: shapes drawn in an annotation tool, of which `mask` is the file. source: the
    data folder, over which it is judged what masks mean. legend: what the levels of the mask mean.
    bits: of the values in a deep picture of this folder, None for those that its own highest shows.
    turn_mask: the mask is turned as the picture's rotation note says.
    """

    name: str
    image: Path
    mask: Path | None = None
    group: str = ""
    prediction: Path | None = None
    metadata: dict = field(default_factory=dict, hash=False)
    second_mask: Path | None = None
    more_masks: tuple[Path, ...] = ()
    annotation: Annotation | None = None
    source: Path = Path()
    legend: Legend = PLAIN
    bits: int | None = None
    turn_mask: bool = False

    def __post_init__(self):
        object.__setattr__(self, "group", self.group or self.name)


@dataclass(frozen=True)
class DataFolder:
    """What `find_pairs` found: the layout in words, the pairs in natural order, the problems.

    Every problem is one line: file, finding, remedy. A picture without a mask stays among the
    pairs, with mask None; a name with two different pictures or masks is left out.
    """

    root: Path
    layout: str
    pairs: list[Pair]
    problems: list[str]

    @property
    def labelled(self) -> list[Pair]:
        """The pairs that have a mask."""
        return [pair for pair in self.pairs if pair.mask is not None]


def find_pairs(directory: str | Path) -> DataFolder:
    """Return the DataFolder of `directory`: its pictures, each with the mask of the same name.

    A mask belongs to the picture with exactly its stem, letter for letter (ISIC ids in any letter
    case). A mask's stem may end in _segmentation and, where no picture has that stem, in _mask,
    _label or _lesion. Hidden and system files, superpixels and attribute maps are passed over. A
    folder that holds nothing but one other folder stands for that one.

    `HAM10000_metadata.csv` (or `metadata.csv`) beside the pictures, with the columns image_id (or
    isic_id) and lesion_id, gives each pair its group and its metadata. `label_2/` or `masks_2/`
    beside the masks holds those of a second annotator, of all pictures or of some.

    Raises:
        FileNotFoundError: there is no such folder.
        InputError: it is no folder, cannot be listed or holds no picture; its metadata are no table
            or give a picture two lesions.
    """
    root, files, metadata_file = files_below(directory)
    problems = []
    pictures = _by_key(files.pictures, "picture", problems)
    masks = _by_key(files.masks, "mask", problems, pictures)
    predictions = _by_key(files.predictions, "prediction", problems, pictures)
    second = _by_key(files.second_masks, "second mask", problems, pictures)
    rows = _read_metadata(metadata_file, pictures, problems) if metadata_file else {}

    pairs = []
    for key, image in pictures.items():
        if image is None or masks.get(key, image) is None:  # ambiguous, reported above
            continue
        name = unicodedata.normalize("NFC", image.stem)
        row = rows.get(key, {})
        lesion = row.get("lesion_id", "")
        others = predictions.get(key), row, second.get(key)
        pairs.append(Pair(name, image, masks.get(key), lesion, *others))
    pairs.sort(key=lambda pair: natural_key(pair.name))

    kinds = {"mask": masks, "second mask": second, "prediction": predictions}
    for kind, found in kinds.items():
        lonely = [path for key, path in found.items() if path and key not in pictures]
        remedy = f"add the picture of that name or remove the {kind}"
        _report(problems, lonely, f"{kind} without a picture", remedy)
    if masks or files.mask_folders:
        bare = [pair.image for pair in pairs if pair.mask is None]
        remedy = "add the mask of that name or remove the picture"
        _report(problems, bare, "picture without a mask", remedy)
    return DataFolder(root, _layout_in_words(root, files, metadata_file), pairs, problems)


def files_below(directory: str | Path) -> tuple[Path, FolderFiles, Path | None]:
    """Return (data folder, its files by role, its metadata file or None)."""
    root = data_root(existing_folder(directory))
    metadata_file = next(
        (path for path in list_folder(root) if path.name.casefold() in METADATA_NAMES), None
    )
    files = collect_files(root, every_folder=metadata_file is not None)
    if not files.pictures:
        raise InputError(f"{root}: {_nothing_found(root, files.masks)}")
    return root, files, metadata_file


def _nothing_found(root, masks):
    if masks:
        return "holds masks but no pictures; put the pictures into image/ beside label/"
    kinds = Counter(
        f"{path.name}/" if path.is_dir() else path.suffix.lower() or path.name
        for path in list_folder(root)
    )
    found = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(4)) or "nothing"
    return (
        f"no picture found (only: {found}); put PNG, JPEG, BMP or TIFF pictures into image/ "
        "and their masks into label/"
    )


def _key(stem):
    """The name by which files are matched: composed accents, ISIC ids in upper case."""
    stem = unicodedata.normalize("NFC", stem)
    return stem.upper() if re.match(r"isic_[0-9]+", stem, re.IGNORECASE) else stem


def _without_ending(stem, pictures):
    """Return the key of the picture a mask or prediction belongs to; cut only what has to be."""
    if _key(stem) in pictures:
        return _key(stem)
    endings = (*MASK_ENDINGS, PREDICTION_ENDING)
    ending = next((e for e in endings if stem.casefold().endswith(e)), "")
    return _key(stem[: len(stem) - len(ending)])


def _by_key(paths, kind, problems, pictures=None):
    """Return {key: path}; None for a key with several files of different content."""
    candidates = defaultdict(list)
    for path in paths:
        stem = path.stem
        candidates[_key(stem) if pictures is None else _without_ending(stem, pictures)].append(path)
    chosen, copies, conflicts = {}, [], []
    for key, (first, *others) in candidates.items():
        chosen[key] = first
        if all(_same_content(first, other) for other in others):
            copies.extend(others)
        else:
            conflicts.extend([first, *others])
            chosen[key] = None
    _report(problems, copies, f"a copy of another {kind} of that name", "remove one of the two")
    remedy = "keep the right one; until then the pair is left out"
    _report(problems, conflicts, f"several {kind}s of one name", remedy)
    return chosen


def _same_content(path, other):
    try:
        return filecmp.cmp(path, other, shallow=False)
    except OSError:
        return False


def _report(problems, paths, finding, remedy):
    """Add one line for all files with the same problem, naming the first few."""
    if paths:
        others = ", ".join(path.name for path in paths[1:5]) + (", ..." if len(paths) > 5 else "")
        more = f" and {len(paths) - 1} more ({others})" if others else ""
        problems.append(f"{paths[0]}{more}: {finding}; {remedy}")


def _read_metadata(path, pictures, problems):
    """Return {picture key: row} of a metadata table."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        separator = "\t" if "\t" in text.partition("\n")[0] else ","
        reader = csv.DictReader(text.splitlines(), delimiter=separator, restval="")
        rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path}: cannot be read as a table ({error}); save it as CSV in UTF-8"
        ) from None
    columns = reader.fieldnames or []
    id_column = next((column for column in ("image_id", "isic_id") if column in columns), None)
    if id_column is None or "lesion_id" not in columns:
        problems.append(
            f"{path}: has the columns {', '.join(columns) or '(none)'} but not image_id and "
            "lesion_id; without them every picture counts as a lesion of its own"
        )
        return {}
    by_key, repeated = {}, []
    for row in rows:
        row.pop(None, None)  # cells beyond the last column
        key = _key(row[id_column].strip())
        if key not in pictures:
            continue
        known = by_key.setdefault(key, row)
        if known["lesion_id"] != row["lesion_id"]:
            raise InputError(
                f"{path}: {key} belongs to two lesions, {known['lesion_id']} and "
                f"{row['lesion_id']}; keep the right row, since the split goes by lesion"
            )
        if known is not row:
            repeated.append(pictures[key])
    nameless = [
        image
        for key, image in pictures.items()
        if image and not by_key.get(key, {}).get("lesion_id")
    ]
    repeated = [image for image in repeated if image]
    _report(problems, repeated, f"more than one row in {path.name}", "keep one row a picture")
    remedy = "add it; until then the picture counts as a lesion of its own"
    _report(problems, nameless, f"no lesion_id in {path.name}", remedy)
    return by_key


def _layout_in_words(root, files, metadata_file):
    top = [f for f in files.picture_folders + files.mask_folders if f.parent == root]
    if metadata_file and metadata_file.name.casefold().startswith("ham10000"):
        layout = "HAM10000"
    elif any(f.name.casefold().endswith("_dermoscopic_image") for f in files.picture_folders):
        layout = "PH2, one folder for each picture"
    elif files.mask_folders and top:
        layout = " + ".join(f"{folder.name}/" for folder in top)
    elif files.masks:
        layout = "pictures with masks named _segmentation"
    elif files.predictions:
        layout = "pictures with another model's predictions, no masks"
    else:
        layout = "pictures, no masks"
    return f"{layout}, lesions from {metadata_file.name}" if metadata_file else layout
